"""The drawing of the states is the states."""

from __future__ import annotations

import re
from pathlib import Path

from kubescribe.domain.run_status import TRANSITIONS, RunStatus

PAGE = (Path(__file__).parents[3] / "docs" / "run-states.md").read_text()
_ARROW = re.compile(r"^\s*(\S+) --> ([^\s:]+)(?:: (.+))?$")


def arrows() -> list[tuple[str, str, str | None]]:
    (diagram,) = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE, re.DOTALL)
    found = []
    for line in diagram.splitlines():
        if line.strip():
            match = _ARROW.match(line)
            assert match, f"no arrow: {line}"
            found.append((match[1], match[2], match[3]))
    return found


def test_every_transition_is_drawn_once_and_no_other() -> None:
    drawn = [(before, after) for before, after, _ in arrows() if "[*]" not in (before, after)]
    real = [(before.value, after.value) for before, afters in TRANSITIONS.items() for after in afters]
    assert sorted(drawn) == sorted(real)


def test_every_transition_says_when() -> None:
    assert all(says for before, after, says in arrows() if "[*]" not in (before, after))


def test_beginning_and_ends_are_drawn() -> None:
    assert [after for before, after, _ in arrows() if before == "[*]"] == [RunStatus.PENDING]
    ends = [before for before, after, _ in arrows() if after == "[*]"]
    assert sorted(ends) == sorted(status for status in RunStatus if status.terminal)


def test_every_state_has_a_sentence() -> None:
    described = re.findall(r"^\| `(\w+)` \| (.+\.) \|$", PAGE, re.MULTILINE)
    assert [name for name, _ in described] == [status.value for status in RunStatus]
