"""What is due is planned once, taken by one sender at a time, in order, and kept until somebody has it."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import msgspec
import pytest

from kubescribe.application.announce_run import trouble_key
from kubescribe.application.ports.outbox import Outbox, Route
from kubescribe.domain.collecting import ALONE, Collecting, Message
from kubescribe.domain.delivery import (
    GIVE_UP_AFTER,
    PLAN_WITHIN,
    Delivery,
    DeliveryStatus,
    Failed,
    Refused,
    Taken,
    after,
)
from kubescribe.domain.event import Notice
from kubescribe.domain.incident import GREW, QUIET, IncidentKind
from kubescribe.domain.notify_rules import DueNotice, Recipient
from kubescribe.domain.promise import Judgement, Promise
from kubescribe.domain.run_mode import RunMode
from tests.support.builders import a_claim, failed, succeeded
from tests.support.runlogs import World

ANN, BOB = ("email", "ann@example.org"), ("email", "bob@example.org")


def run_of(
    world: World,
    pipeline: str = "flights",
    *,
    well: bool = False,
    tenant: str = "default",
    mode: RunMode = RunMode.PUBLISH,
) -> UUID:
    claim = a_claim(world.ids.new(), world.ids.new(), pipeline=pipeline, tenant=tenant, mode=mode)
    run = world.run(world.attempt_log.claim(claim)).run
    assert run.attempt_id is not None
    world.run(world.attempt_log.finish(run.attempt_id, succeeded() if well else failed()))
    return run.id


def route_to(*recipients: tuple[str, str]) -> Route:
    told = tuple(Recipient(channel, address) for channel, address in recipients)
    return lambda notice: () if notice.kind == GREW else told


def plan(world: World, *recipients: tuple[str, str]) -> int:
    return world.run(world.outbox_port.plan("default", route_to(*recipients) if recipients else None))


def take_all(
    world: World, channel: str = "email", lease: float = 60.0, collecting: Collecting = ALONE
) -> Message | None:
    return world.run(world.outbox_port.take("default", channel, lease=lease, collecting=collecting))


def take(world: World, channel: str = "email", lease: float = 60.0) -> Delivery | None:
    """A message of one notice."""
    message = take_all(world, channel, lease)
    assert message is None or message.told == (message.head,)
    return None if message is None else message.head


def taken(world: World, channel: str = "email") -> Delivery:
    delivery = take(world, channel)
    assert delivery is not None
    return delivery


def test_a_failure_is_due_and_planned_once(world: World) -> None:
    assert plan(world, ANN) == 0 and take(world) is None
    run_id = run_of(world)
    assert take(world) is None
    assert (plan(world, ANN, BOB), plan(world, ANN, BOB)) == (1, 0)
    first, second = taken(world), taken(world)
    assert (first.address, second.address) == ("ann@example.org", "bob@example.org")
    assert (first.run_id, first.kind, first.pipeline, first.attempts) == (run_id, "incident.opened", "flights", 1)
    assert first.message_id == second.message_id
    assert first.failures == 1 and first.since is not None
    assert abs((first.since - first.created_at).total_seconds()) < 5
    assert take(world) is None


def test_a_rehearsal_tells_nobody_and_mends_nothing(world: World) -> None:
    run_of(world, mode=RunMode.REHEARSE)
    assert world.outbox() == []
    run_of(world)
    run_of(world, mode=RunMode.REHEARSE, well=True)
    assert [notice.kind for notice in world.outbox()] == ["incident.opened"], "the pipeline still fails"
    run_of(world, well=True)
    assert [notice.kind for notice in world.outbox()] == ["incident.opened", "incident.recovered"]


def test_nothing_is_planned_for_nobody(world: World) -> None:
    run_of(world)
    assert plan(world) == 0
    assert world.run(world.outbox_port.standing("default")).due == 1
    assert plan(world, ANN) == 1


def test_what_nobody_was_there_for_expires(world: World) -> None:
    run_of(world)
    world.age(PLAN_WITHIN + 60)
    run_of(world)
    assert plan(world) == 0
    assert plan(world, ANN) == 1
    assert take(world) is None, "it expired, and that it has grown is no message"
    assert world.run(world.outbox_port.standing("default")).due == 0


def test_what_was_sent_is_over(world: World) -> None:
    run_of(world)
    plan(world, ANN)
    delivery = after(taken(world), Taken())
    assert world.run(world.outbox_port.settle(delivery))
    assert not world.run(world.outbox_port.settle(after(delivery, Taken())))
    world.age(10_000)
    assert take(world) is None and plan(world, ANN) == 0
    standing = world.run(world.outbox_port.standing("default"))
    assert (standing.due, standing.dead, standing.age) == (0, 0, 0.0)


def test_what_failed_comes_again_when_its_wait_is_over(world: World) -> None:
    run_of(world)
    plan(world, ANN)
    first = taken(world)
    assert world.run(world.outbox_port.settle(after(first, Failed("the server is away", 100.0))))
    world.age(90)
    assert take(world) is None
    world.age(20)
    again = taken(world)
    assert (again.attempts, again.error, again.message_id) == (2, "the server is away", first.message_id)
    assert 109 < again.age < 200
    assert world.run(world.outbox_port.standing("default")).due == 1


def test_a_sender_that_dies_leaves_it_to_the_next(world: World) -> None:
    run_of(world)
    plan(world, ANN)
    first = taken(world)
    world.age(59)
    assert take(world) is None
    world.age(2)
    second = taken(world)
    assert (second.id, second.attempts, second.message_id) == (first.id, 2, first.message_id)
    # The first wakes up: that it failed says nothing any more, that it has sent is true for ever.
    assert not world.run(world.outbox_port.settle(after(first, Failed("late"))))
    assert not world.run(world.outbox_port.settle(after(first, Refused("late"))))
    assert world.run(world.outbox_port.settle(after(first, Taken())))
    assert not world.run(world.outbox_port.settle(after(second, Failed("later"))))
    world.age(1000)
    assert take(world) is None


def test_what_is_refused_is_given_up_and_can_be_revived(world: World) -> None:
    run_of(world)
    plan(world, ANN, BOB)
    refused = after(taken(world), Refused("no such user"))
    assert world.run(world.outbox_port.settle(refused))
    assert world.run(world.outbox_port.settle(after(taken(world), Taken())))
    (dead,) = world.run(world.outbox_port.dead("default"))
    assert (dead.address, dead.status, dead.error) == ("ann@example.org", DeliveryStatus.DEAD, "no such user")
    assert world.run(world.outbox_port.standing("default")).dead == 1
    assert take(world) is None
    assert world.run(world.outbox_port.revive("default")) == 1
    again = taken(world)
    assert (again.id, again.attempts, again.message_id) == (dead.id, 1, dead.message_id)
    assert world.run(world.outbox_port.dead("default")) == ()


def test_what_was_given_up_begins_anew_when_it_is_revived_and_keeps_its_date(world: World) -> None:
    run_of(world)
    plan(world, ANN)
    world.age(GIVE_UP_AFTER + 10)
    late = after(taken(world), Failed("one moment, says a grey list", 0.0))
    assert late.status is DeliveryStatus.DUE, "it is old, and was tried once"
    assert world.run(world.outbox_port.settle(late))
    world.age(60)
    old = after(msgspec.structs.replace(taken(world), attempts=1000), Failed("still away"))
    assert old.status is DeliveryStatus.DEAD
    assert world.run(world.outbox_port.settle(msgspec.structs.replace(old, attempts=2)))
    assert world.run(world.outbox_port.revive("default")) == 1
    again = taken(world)
    assert (again.attempts, again.created_at) == (1, old.created_at)
    assert after(again, Failed("away")).status is DeliveryStatus.DUE


def test_a_pipeline_is_told_of_in_order(world: World) -> None:
    run_of(world)
    run_of(world, well=True)
    run_of(world, "other")
    plan(world, ANN)
    first, other = taken(world), taken(world)
    assert (first.kind, first.pipeline, other.pipeline) == ("incident.opened", "flights", "other")
    assert take(world) is None
    world.run(world.outbox_port.settle(after(first, Failed("away", 50.0))))
    assert take(world) is None
    world.age(51)
    world.run(world.outbox_port.settle(after(taken(world), Taken())))
    assert taken(world).kind == "incident.recovered"


def test_recoveries_are_told_once_for_each_beginning(world: World) -> None:
    run_of(world, well=True)
    assert world.outbox() == []
    well = []
    for _ in range(2):
        for _ in range(3):
            run_of(world)
        well += [run_of(world, well=True), run_of(world, well=True)]
        world.age(QUIET.total_seconds())
    run_of(world, "other", well=True)
    kinds = [notice.kind for notice in world.outbox()]
    assert kinds == ["incident.opened", "incident.grew", "incident.grew", "incident.recovered"] * 2
    assert world.outbox()[-1] == Notice(run_id=well[-2], kind="incident.recovered", pipeline="flights", incident_id=2)
    plan(world, ANN)
    told: list[Delivery] = []
    while (delivery := take(world)) is not None:
        told.append(delivery)
        world.run(world.outbox_port.settle(after(delivery, Taken())))
    assert [(one.failures, one.incident_id) for one in told] == [(1, 1), (3, 1), (1, 2), (3, 2)]
    assert len({one.since for one in told[:2]}) == 1 == len({one.since for one in told[2:]})
    assert told[0].since != told[2].since


def test_tenants_are_told_of_their_own(world: World) -> None:
    run_of(world, tenant="other")
    assert plan(world, ANN) == 0 and take(world) is None
    assert world.run(world.outbox_port.standing("default")).due == 0
    run_of(world, well=True)
    assert [notice.kind for notice in world.outbox()] == ["incident.opened"]
    assert world.run(world.outbox_port.plan("other", route_to(ANN))) == 1
    assert take(world) is None
    theirs = world.run(world.outbox_port.take("other", "email", lease=1.0, collecting=ALONE))
    assert theirs is not None
    world.run(world.outbox_port.settle(after(theirs.head, Refused("no"))))
    assert world.run(world.outbox_port.dead("default")) == () != world.run(world.outbox_port.dead("other"))
    assert world.run(world.outbox_port.revive("default")) == 0


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 100_000])
def test_any_error_can_be_kept(world: World, text: str) -> None:
    run_of(world)
    plan(world, ANN)
    assert world.run(world.outbox_port.settle(after(taken(world), Failed(text, 1.0))))
    world.age(100)
    assert len(taken(world).error or "") <= 520


def test_many_senders_take_each_once(world: World) -> None:
    runs = [run_of(world, f"pipeline{number}") for number in range(12)]
    outboxes = [world.outbox_port, *(world.another_outbox() for _ in range(3))]

    async def sender(outbox: Outbox) -> list[UUID | None]:
        found = []
        while (message := await outbox.take("default", "email", lease=60.0, collecting=ALONE)) is not None:
            found.append(message.head.run_id)
            await outbox.settle(after(message.head, Taken()))
        return found

    async def race() -> list[UUID | None]:
        await asyncio.gather(*(outbox.plan("default", route_to(ANN)) for outbox in outboxes))
        found = await asyncio.gather(*map(sender, outboxes))
        # Skipping what others hold, a sender may have found nothing too early: once more, alone.
        return [one for part in (*found, await sender(world.outbox_port)) for one in part]

    assert sorted(map(str, world.run(race()))) == sorted(map(str, runs))


def test_a_delivery_keeps_its_terms(world: World) -> None:
    """What the core decides is what is kept, whatever else is in the struct."""
    run_of(world)
    plan(world, ANN)
    delivery = taken(world)
    other = msgspec.structs.replace(after(delivery, Failed("x", 10.0)), pipeline="forged", address="forged@example.org")
    assert world.run(world.outbox_port.settle(other))
    world.age(60)
    assert taken(world).address == "ann@example.org"


STORM = Collecting()


def told(world: World, collecting: Collecting = STORM) -> list[str]:
    """What the next message tells of, and it is sent."""
    message = take_all(world, collecting=collecting)
    if message is None:
        return []
    assert world.run(world.outbox_port.settle(after(message.head, Taken())))
    return [one.pipeline for one in message.told]


def test_a_storm_is_three_messages(world: World) -> None:
    names: list[str] = []
    messages = []
    for second in range(0, 301, 10):
        names.append(f"p{second}")
        run_of(world, names[-1])
        plan(world, ANN)
        if found := told(world):
            messages.append(found)
        world.age(10)
    for _ in range(40):
        if found := told(world):
            messages.append(found)
        world.age(10)
    assert [one[0] for one in messages] == ["p0", "p10", "p40"]
    assert [one for message in messages for one in message] == names
    run_of(world, "after")
    plan(world, ANN)
    assert told(world) == ["after"], "it was quiet: the next one goes out at once"


def test_each_address_has_its_own_pace(world: World) -> None:
    run_of(world, "one")
    plan(world, ANN)
    assert told(world) == ["one"]
    run_of(world, "two")
    plan(world, ANN, BOB)
    assert told(world) == ["two"] and told(world) == []
    world.age(31)
    assert told(world) == ["two"]


def test_every_try_has_the_same_notices(world: World) -> None:
    for name in ("a", "b"):
        run_of(world, name)
    plan(world, ANN)
    first = take_all(world, collecting=STORM)
    assert first is not None and [one.pipeline for one in first.told] == ["a", "b"]
    assert world.run(world.outbox_port.settle(after(first.head, Failed("not now", down=True))))
    run_of(world, "c")
    run_of(world, "a", well=True)
    plan(world, ANN)
    world.age(29)
    assert take_all(world, collecting=STORM) is None
    world.age(1000)
    again = take_all(world, collecting=STORM)
    assert again is not None and [one.id for one in again.told] == [one.id for one in first.told]
    assert again.head.message_id == first.head.message_id and again.head.attempts == 2
    assert take_all(world, collecting=STORM) is None, "the channel was down when it was last tried"
    assert world.run(world.outbox_port.settle(after(again.head, Taken())))
    assert told(world) == ["c", "a"]
    assert world.run(world.outbox_port.standing("default")).due == 0


def test_what_a_message_waits_for_holds_up_its_own_pipelines_alone(world: World) -> None:
    for name in ("a", "b", "c"):
        run_of(world, name)
        plan(world, ANN)
        message = _next(world)
        assert [one.pipeline for one in message.told] == [name]
        world.run(world.outbox_port.settle(after(message.head, Failed("not this one", 10_000.0))))
    run_of(world, "a", well=True)
    run_of(world, "d")
    plan(world, ANN)
    world.age(5_000)
    assert take_all(world, collecting=STORM) is None, "three messages wait: what comes now is collected"
    assert told(world, Collecting(waiting=4)) == ["d"], "and not what follows the first"
    world.age(5_010)
    seen = [_next(world), _next(world), _next(world)]
    assert [[one.pipeline for one in message.told] for message in seen] == [["a"], ["b"], ["c"]]
    for message in seen:
        world.run(world.outbox_port.settle(after(message.head, Taken())))
    assert [one.kind for one in _next(world).told] == ["incident.recovered"]


def _next(world: World) -> Message:
    message = take_all(world, collecting=STORM)
    while message is None:
        world.age(10)
        message = take_all(world, collecting=STORM)
    return message


def test_all_of_a_message_is_given_up_and_revived_together(world: World) -> None:
    for name in ("a", "b"):
        run_of(world, name)
    plan(world, ANN)
    message = take_all(world, collecting=STORM)
    assert message is not None
    assert world.run(world.outbox_port.settle(after(message.head, Refused("no such user"))))
    dead = world.run(world.outbox_port.dead("default"))
    assert [(one.pipeline, one.attempts, one.error) for one in dead] == [
        ("b", 1, "no such user"),
        ("a", 1, "no such user"),
    ]
    assert world.run(world.outbox_port.revive("default")) == 2
    again = take_all(world, collecting=STORM)
    assert again is not None and again.head.message_id == message.head.message_id
    assert [one.pipeline for one in again.told] == ["a", "b"]


def test_the_route_says_who_is_told_and_when(world: World) -> None:
    def route(notice: DueNotice) -> tuple[Recipient, ...]:
        assert (notice.kind, notice.tenant, notice.failures) == ("incident.opened", "default", 1)
        assert notice.now.tzinfo is not None
        return {"later": (Recipient("email", ANN[1], 100.0),), "now": (Recipient("email", BOB[1]),)}.get(
            notice.pipeline, ()
        )

    for name in ("later", "now", "never"):
        run_of(world, name)
    assert world.run(world.outbox_port.plan("default", route)) == 3
    assert world.run(world.outbox_port.plan("default", route)) == 0
    now = taken(world)
    assert now.address == BOB[1] and take(world) is None
    assert world.run(world.outbox_port.settle(after(now, Taken())))
    world.age(101)
    assert taken(world).pipeline == "later" and take(world) is None


def test_what_may_be_told_later_is_not_overtaken(world: World) -> None:
    run_of(world)
    world.run(world.outbox_port.plan("default", lambda _: (Recipient(*ANN, 100.0),)))
    run_of(world, well=True)
    plan(world, ANN)
    assert take(world) is None
    world.age(101)
    message = take_all(world, collecting=STORM)
    assert message is not None and [one.kind for one in message.told] == ["incident.opened", "incident.recovered"]
    assert [one.cause for one in message.told] == ["error", None] and message.told[0].said


def test_what_is_said_of_a_promise_is_the_promise_and_not_what_its_run_said(world: World) -> None:
    run_id = run_of(world)
    plan(world, ANN)
    first = taken(world)
    assert first.said == "it broke"
    world.run(world.outbox_port.settle(after(first, Taken())))
    at_most = Promise(pipeline="flights", kind=IncidentKind.RUN_AT_MOST, subject=str(run_id), run_id=run_id)
    world.run(world.promises.hold("default", {"flights": (at_most.kind,)}))
    broken = Judgement(promise=at_most, kept=False, day=date(2026, 3, 1), why="it ran for 3 h; 2 h were promised")
    world.run(world.promises.settle("default", made=(at_most,), judged=(broken,), mended=(), looked={}))
    plan(world, ANN)
    about = taken(world)
    assert (about.trouble, about.run_id, about.said) == ("run_at_most", run_id, broken.why)


def test_all_that_is_told_of_one_trouble_has_one_key(world: World) -> None:
    keys: list[str] = []
    for well in (False, True, False):
        run_of(world, well=well)
        if not well:
            assert world.run(world.reminders.remind("default", every=0.0)) == 1
        plan(world, ANN)
        while (one := take(world)) is not None:
            keys.append(trouble_key(one, "default"))
            world.run(world.outbox_port.settle(after(one, Taken())))
        if well:
            world.age(QUIET.total_seconds() + 1)
    assert len(keys) == 5 and len(set(keys[:3])) == 1 == len(set(keys[3:])) and keys[0] != keys[3]
