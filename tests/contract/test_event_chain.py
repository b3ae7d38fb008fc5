"""The chain of events: every tenant's own, without a fork, a gap or an event passed over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from kubescribe.application.audit_events import SealEvents, VerifyEvents
from kubescribe.domain.chain_check import Breach
from kubescribe.domain.event import Event
from kubescribe.domain.event_chain import GENESIS, Anchor, digest_of
from tests.support.builders import LONG_AGO, a_claim, failed
from tests.support.runlogs import World


def an_event(**changes: Any) -> Event:
    event = Event(
        subject="report:sales",
        kind="report.rolled_back",
        actor="user:ann",
        at=LONG_AGO,
        method="POST /reports/{name}/rollback",
        reason='wrong, "very" wrong\n',
        before={"version": 3, "share": 0.1},
        after={"version": 2, "share": 1e-7, "big": 1e300, "minus": -0.0},
        data={"z": [1, 2.50, None, True, {"ä": "é\u2028", "Z": {}}], "a": "\x1f\x7f\\/"},
    )
    return msgspec.structs.replace(event, **changes)


def test_nothing_is_a_chain_too(world: World) -> None:
    assert world.run(world.chain.seal()) == 0
    assert world.run(world.chain.tenants()) == ()
    assert world.run(world.chain.links("default")) == ()
    assert world.run(world.chain.head("default")) is None
    assert world.run(world.chain.unsealed("default")).events == 0
    assert world.run(VerifyEvents(world.chain)("default")).findings == ()


def test_what_was_written_is_sealed_in_its_order(world: World) -> None:
    for number in range(5):
        world.run(world.run_log.record(an_event(data={"number": number})))
    waiting = world.run(world.chain.unsealed("default"))
    assert waiting.events == 5 and waiting.oldest is not None
    assert world.run(world.chain.seal(limit=2)) == 2
    assert world.run(SealEvents(world.chain)()) == 3
    assert world.run(world.chain.unsealed("default")).events == 0
    links = world.run(world.chain.links("default"))
    assert [link.position for link in links] == [1, 2, 3, 4, 5]
    assert [link.event.data for link in links] == [{"number": number} for number in range(5)]
    digest = GENESIS
    for link in links:
        digest = digest_of(digest, link.event, link.position)
        assert link.digest == digest
    head = world.run(world.chain.head("default"))
    assert head is not None and (head.position, head.digest) == (5, digest.hex())
    assert head.at is not None and abs(head.at - datetime.now(UTC)).total_seconds() < 60
    assert world.run(world.chain.links("default", after=3, limit=1))[0] == links[3]


def test_every_field_comes_back_as_it_was_hashed(world: World) -> None:
    world.run(world.run_log.record(an_event()))
    world.run(world.attempt_log.finish(claimed(world), failed()))
    assert world.run(world.chain.seal()) == 5
    verified = world.run(VerifyEvents(world.chain)("default"))
    assert verified.findings == () and verified.checked == 5
    first = world.run(world.chain.links("default"))[0].event
    assert (first.method, first.reason, first.before, first.run_id) == (
        "POST /reports/{name}/rollback",
        'wrong, "very" wrong\n',
        {"version": 3, "share": first.before["share"] if first.before else None},
        None,
    )


def claimed(world: World) -> Any:
    run = world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new()))).run
    assert run.attempt_id is not None
    return run.attempt_id


def test_a_change_of_state_says_what_was_and_what_is(world: World) -> None:
    attempt = claimed(world)
    world.run(world.attempt_log.finish(attempt, failed()))
    world.run(world.chain.seal())
    made, began, incident, ended = (link.event for link in world.run(world.chain.links("default")))
    assert (incident.kind, incident.before, incident.after) == (
        "incident.opened",
        {"status": "pending"},
        {"status": "open"},
    )
    assert (made.before, made.after) == (None, {"status": "pending"})
    assert began.before is not None and began.before["status"] == "pending" and began.before["attempts"] == 0
    assert began.after is not None and began.after["attempt_id"] == str(attempt) and began.after["attempts"] == 1
    assert ended.before is not None and (ended.before["status"], ended.before["cause"]) == ("running", None)
    assert ended.after is not None and (ended.after["status"], ended.after["cause"]) == ("failed", "error")
    assert "message" not in ended.after and ended.data["message"] == "it broke"


def test_tenants_have_chains_of_their_own(world: World) -> None:
    for tenant in ("b", "a", "b", "c", "b"):
        world.run(world.run_log.record(an_event(tenant=tenant)))
    assert world.run(world.chain.seal()) == 5
    world.run(world.run_log.record(an_event(tenant="d")))
    assert world.run(world.chain.tenants()) == ("a", "b", "c", "d")
    assert [len(world.run(world.chain.links(tenant))) for tenant in "abcd"] == [1, 3, 1, 0]
    assert world.run(world.chain.unsealed("d")).events == 1
    assert world.run(world.chain.unsealed("a")).events == 0
    for tenant in "abcd":
        assert world.run(VerifyEvents(world.chain)(tenant)).findings == ()


def test_several_sealers_make_one_chain(world: World) -> None:
    others = [world.chain, *(world.another_chain() for _ in range(3))]

    async def race() -> int:
        for _ in range(40):
            await world.run_log.record(an_event())
        return sum(await asyncio.gather(*(SealEvents(chain)() for chain in others)))

    assert world.run(race()) == 40
    verified = world.run(VerifyEvents(world.chain)("default"))
    assert (verified.checked, verified.findings) == (40, ())


def test_anchors_are_remembered_and_compared(world: World) -> None:
    world.run(world.run_log.record(an_event()))
    world.run(world.chain.seal())
    head = world.run(world.chain.head("default"))
    assert head is not None
    world.run(world.chain.anchored(head, "file"))
    (kept,) = world.run(world.chain.anchors("default"))
    assert (kept.position, kept.digest) == (1, head.digest)
    assert world.run(world.chain.anchors("other")) == ()
    assert world.run(VerifyEvents(world.chain)("default", (head,))).findings == ()
    for position, breach in ((1, Breach.REWRITTEN), (2, Breach.TRUNCATED)):
        other = Anchor(tenant="default", position=position, digest="00" * 32)
        (finding,) = world.run(VerifyEvents(world.chain)("default", (other,))).findings
        assert finding.breach is breach
    elsewhere = Anchor(tenant="other", position=9, digest="00" * 32)
    assert world.run(VerifyEvents(world.chain)("default", (elsewhere,))).findings == ()
