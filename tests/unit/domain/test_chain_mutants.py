"""The check against a chain that was tampered with in every way, and itself with a bug planted: each bug shows."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from tests.unit.domain.test_event_chain import EVENT, chain

from kubescribe.domain import chain_check, event_chain
from kubescribe.domain.event import Event
from kubescribe.domain.event_chain import Anchor, Link

SOURCES = Path(event_chain.__file__).parent
OTHERS: dict[str, Any] = dict.fromkeys(("subject", "kind", "actor", "tenant", "method", "reason"), "other")
OTHERS |= {"before": None, "after": {"x": 1}, "data": {"number": 0}, "seq": 7, "run_id": None}


def tampered(links: list[Link]) -> Iterator[tuple[str, list[Link], bool]]:
    """What was done, the chain afterwards, and whether it takes an anchor to see it."""
    last = len(links)
    for place, link in enumerate(links):
        before, behind = links[:place], links[place + 1 :]
        for name, value in OTHERS.items():
            edited = msgspec.structs.replace(link, event=msgspec.structs.replace(link.event, **{name: value}))
            yield f"{name} of {place}", [*before, edited, *behind], False
        moment = msgspec.structs.replace(link.event, at=EVENT.at.replace(microsecond=8))
        yield f"at of {place}", [*before, msgspec.structs.replace(link, event=moment), *behind], False
        yield f"digest of {place}", [*before, msgspec.structs.replace(link, digest=bytes(32)), *behind], False
        yield f"without {place}", before + behind, place == last - 1
        closed = [msgspec.structs.replace(one, position=one.position - 1) for one in behind]
        yield f"without {place}, closed up", before + closed, place == last - 1
        yield f"{place} twice", [*before, link, link, *behind], False
        yield f"from {place} on anew", before + again(links, place), True
    for one, other in combinations(range(last), 2):
        moved = list(links)
        moved[one] = msgspec.structs.replace(links[other], position=one + 1)
        moved[other] = msgspec.structs.replace(links[one], position=other + 1)
        yield f"{one} and {other} exchanged", moved, False
    # With the right digest behind the last one, and the wrong position.
    for position in (last - 1, last + 1):
        forged = event_chain.sealed([msgspec.structs.replace(EVENT, seq=9)], position=position, digest=links[-1].digest)
        yield f"one more at {position + 1}", [*links, *forged], False
    yield "before the first", [msgspec.structs.replace(links[0], position=0), *links], False


def again(links: list[Link], place: int) -> list[Link]:
    forged: list[Event] = [msgspec.structs.replace(link.event, actor="user:bob") for link in links[place:]]
    if not place:
        return event_chain.sealed(forged)
    return event_chain.sealed(forged, position=place, digest=links[place - 1].digest)


def overlooked(check: ModuleType, chains: ModuleType) -> list[str]:
    """What the check does not find; and where it finds something in a whole chain."""
    links = chains.sealed([link.event for link in chain(5)])
    anchor = Anchor(tenant="sales", position=5, digest=links[-1].digest.hex())
    missed = []
    for what, after, needs_anchor in tampered(links):
        following = check.ChainCheck("sales", (anchor,) if needs_anchor else ())
        for link in after:
            following.follow(link)
        if not following.end():
            missed.append(what)
    following = check.ChainCheck("sales", (anchor,))
    for link in links:
        following.follow(link)
    return missed + [f"a whole chain: {finding.detail}" for finding in following.end()]


def test_nothing_is_overlooked() -> None:
    assert overlooked(chain_check, event_chain) == []


FIELDS = ("tenant", "seq", "subject", "kind", "actor", "method", "reason", "before", "after", "data")
MUTANTS = [
    *(("event_chain", f"        event.{field},\n", "") for field in FIELDS),
    ("event_chain", "        microseconds,\n", ""),
    ("event_chain", "        None if event.run_id is None else str(event.run_id),\n", ""),
    (
        "event_chain",
        "        digest = digest_of(digest, event, position)\n",
        "        digest = digest_of(GENESIS, event, position)\n",
    ),
    ("chain_check", "        if position <= self.position:\n", "        if False:\n"),
    ("chain_check", "        if position > self.position + 1:\n", "        if False:\n"),
    ("chain_check", "        elif not _fits(self.digest, link):\n", "        elif False:\n"),
    ("chain_check", "        self._compare(link)\n", ""),
    ("chain_check", "        if beyond:\n", "        if False:\n"),
    ("chain_check", "known != {link.digest.hex()}", "link.digest.hex() == ''"),
    ("chain_check", "self.position, self.digest = position, link.digest", "self.position = position"),
]


def planted(module: str, old: str, new: str) -> ModuleType:
    text = (SOURCES / f"{module}.py").read_text()
    assert text.count(old) == 1, f"{module} has changed: plant {old!r} anew"
    spec = importlib.util.spec_from_loader(f"kubescribe.domain.planted_{module}", loader=None)
    assert spec is not None
    made = importlib.util.module_from_spec(spec)
    made.__package__ = "kubescribe.domain"
    sys.modules[made.__name__] = made
    exec(compile(text.replace(old, new), module, "exec"), made.__dict__)
    return made


@pytest.mark.parametrize(("module", "old", "new"), MUTANTS)
def test_each_planted_bug_shows(module: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = planted(module, old, new)
    if module == "chain_check":
        assert overlooked(made, event_chain)
        return
    monkeypatch.setattr(chain_check, "digest_of", made.digest_of)
    monkeypatch.setattr(event_chain, "sealed", made.sealed)
    assert overlooked(chain_check, made)
