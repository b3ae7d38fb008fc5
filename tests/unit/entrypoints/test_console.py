"""What the supervisor shows to people."""

from __future__ import annotations

import pytest

from kubescribe.domain.note import NoteKind
from kubescribe.entrypoints.cli.console import TerminalConsole


@pytest.mark.parametrize(
    ("fraction", "share"), [(0.5, " 50% "), (10**400, "100% "), (-(10**400), "  0% "), ("half", ""), (None, "")]
)
def test_progress(capfd: pytest.CaptureFixture[str], fraction: object, share: str) -> None:
    console = TerminalConsole(())
    console.told(NoteKind.PROGRESS, {"fraction": fraction, "text": "reading"})
    console.flush()
    assert capfd.readouterr().err == f"kubescribe: {share}reading\n"
