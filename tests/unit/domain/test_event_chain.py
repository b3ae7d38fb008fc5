"""The bytes of an event, and what a check of the chain finds."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.canonical_json import canonical_json
from kubescribe.domain.chain_check import Breach, ChainCheck, Finding
from kubescribe.domain.event import Event
from kubescribe.domain.event_chain import GENESIS, Anchor, Link, canonical_bytes, digest_of, sealed

EVENT = Event(
    subject="run:1",
    kind="run.failed",
    actor="user:ann",
    at=datetime(2026, 11, 21, 12, 0, 0, 7, tzinfo=UTC),
    tenant="sales",
    method="cli",
    reason='ü\n\x1f\u2028"\\',
    run_id=UUID(int=10),
    before={"status": "running", "b": None},
    after={"b": [1, -2, True], "a": Decimal("1.50")},
    data={"big": 1e300, "small": 1e-7, "zero": -0.0, "é": "Z", "z": {}},
    seq=42,
)


def test_the_bytes_are_those_of_the_documentation() -> None:
    assert canonical_bytes(EVENT, 3).decode() == (
        '["kubescribe.event.1","sales",3,42,1795262400000007,"run:1","run.failed","user:ann","cli",'
        '"ü\\n\\u001f\u2028\\"\\\\","00000000-0000-0000-0000-00000000000a",{"b":null,"status":"running"},'
        '{"a":1.50,"b":[1,-2,true]},{"big":1'
        + format(1e300, ".1f")[1:]
        + ',"small":0.0000001,"z":{},"zero":0.0,"é":"Z"}]'
    )
    assert digest_of(GENESIS, EVENT, 3) == sha256(bytes(32) + canonical_bytes(EVENT, 3)).digest()


def test_a_zone_is_no_difference_and_a_microsecond_is() -> None:
    from datetime import timezone

    elsewhere = msgspec.structs.replace(EVENT, at=EVENT.at.astimezone(timezone(timedelta(hours=-5))))
    assert canonical_bytes(elsewhere, 1) == canonical_bytes(EVENT, 1)
    later = msgspec.structs.replace(EVENT, at=EVENT.at + timedelta(microseconds=1))
    assert canonical_bytes(later, 1) != canonical_bytes(EVENT, 1)


def test_every_field_of_an_event_is_in_its_bytes() -> None:
    other: dict[str, Any] = {"at": EVENT.at + timedelta(days=1), "run_id": UUID(int=11), "seq": 43}
    other |= {name: {"x": 1} for name in ("before", "after", "data")}
    for name in Event.__struct_fields__:
        changed = msgspec.structs.replace(EVENT, **{name: other.get(name, "other")})
        assert canonical_bytes(changed, 1) != canonical_bytes(EVENT, 1), name
    assert canonical_bytes(EVENT, 2) != canonical_bytes(EVENT, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, JSON)
def test_the_text_is_json_that_reads_the_same(one: Any, other: Any) -> None:
    import json

    text = canonical_json(one)
    assert json.loads(text) == one
    assert canonical_json(json.loads(text, parse_float=Decimal)) == text
    if type(one) is type(other) and one != other:
        assert canonical_json(other) != text


@given(st.lists(st.text(max_size=3), min_size=2, max_size=6))
def test_no_text_can_pass_for_two(texts: list[str]) -> None:
    """Boundaries between fields are not to be moved."""
    one = msgspec.structs.replace(EVENT, actor=texts[0] + texts[1], kind="")
    other = msgspec.structs.replace(EVENT, actor=texts[0], kind=texts[1])
    assert (canonical_bytes(one, 1) == canonical_bytes(other, 1)) is (one == other)


@pytest.mark.parametrize("value", [b"x", object(), {1}, float])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def chain(count: int) -> list[Link]:
    return sealed(
        msgspec.structs.replace(EVENT, seq=number, data={"number": number}) for number in range(101, 101 + count)
    )


def checked(links: list[Link], *anchors: Anchor) -> list[tuple[Breach, int]]:
    check = ChainCheck("sales", anchors)
    for link in links:
        check.follow(link)
    return [(finding.breach, finding.position) for finding in check.end()]


def anchor(link: Link) -> Anchor:
    return Anchor(tenant="sales", position=link.position, digest=link.digest.hex().upper())


def test_a_whole_chain_is_whole() -> None:
    links = chain(6)
    assert checked(links) == []
    assert checked(links, *map(anchor, links)) == []
    assert checked([]) == []


def test_a_chain_grows_from_its_head() -> None:
    links = chain(6)
    again = sealed([link.event for link in links[:4]])
    assert again + sealed([link.event for link in links[4:]], position=4, digest=again[-1].digest) == links


def test_what_is_removed_is_missed() -> None:
    links = chain(6)
    for gone in range(5):
        assert checked(links[:gone] + links[gone + 1 :]) == [(Breach.MISSING, gone + 1)]
    assert checked([links[0], links[5]]) == [(Breach.MISSING, 2)]
    # The end can be cut off without a trace in the chain itself.
    assert checked(links[:4]) == []
    assert checked(links[:4], anchor(links[4])) == [(Breach.TRUNCATED, 5)]
    assert checked([], anchor(links[0])) == [(Breach.TRUNCATED, 1)]


def test_what_is_moved_is_found_wherever_it_goes() -> None:
    links = chain(4)
    for order in itertools.permutations(range(4)):
        if order == (0, 1, 2, 3):
            continue
        moved = [
            Link(event=links[place].event, position=number, digest=links[place].digest)
            for number, place in enumerate(order, 1)
        ]
        assert Breach.ALTERED in {breach for breach, _ in checked(moved)}, order


def test_what_is_put_in_is_found() -> None:
    links = chain(3)
    extra = msgspec.structs.replace(EVENT, seq=999)
    for place in range(4):
        digest = links[place - 1].digest if place else GENESIS
        (put,) = sealed([extra], position=place, digest=digest)
        beside = [*links[: place + 1], put, *links[place + 1 :]]
        shifted = [msgspec.structs.replace(link, position=link.position + 1) for link in links[place:]]
        among = checked([*links[:place], put, *shifted])
        if place < 3:
            assert (Breach.EXTRA, place + 1) in checked(beside)
            assert {breach for breach, _ in among} == {Breach.ALTERED}
    for below in (0, -5):
        assert checked([msgspec.structs.replace(links[0], position=below), *links]) == [(Breach.EXTRA, below)]


def test_a_chain_that_was_computed_anew_is_found_by_an_anchor() -> None:
    links = chain(5)
    forged = [msgspec.structs.replace(links[1].event, actor="user:bob"), *(link.event for link in links[2:])]
    anew = links[:1] + sealed(forged, position=1, digest=links[0].digest)
    assert checked(anew) == []
    assert checked(anew, anchor(links[0])) == []
    for known in links[1:]:
        assert checked(anew, anchor(known)) == [(Breach.REWRITTEN, known.position)]


def test_each_breach_is_found_on_its_own() -> None:
    links = chain(9)
    edited = msgspec.structs.replace(links[1], event=msgspec.structs.replace(links[1].event, actor="user:bob"))
    broken = [links[0], edited, links[2], *links[4:6], *links[7:]]
    assert checked(broken) == [(Breach.ALTERED, 2), (Breach.MISSING, 4), (Breach.MISSING, 7)]


def test_a_finding_says_where() -> None:
    links = chain(3)
    check = ChainCheck("sales")
    for link in (links[0], links[2]):
        check.follow(link)
    assert check.end() == (Finding(breach=Breach.MISSING, position=2, detail="the event of position 2 is missing"),)
