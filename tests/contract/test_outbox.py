"""What is due is planned once, taken by one sender at a time, in order, and kept until somebody has it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec
import pytest

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
from kubescribe.domain.incident import QUIET
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


def plan(world: World, *recipients: tuple[str, str]) -> int:
    return world.run(world.outbox_port.plan("default", recipients))


def take(world: World, channel: str = "email", lease: float = 60.0) -> Delivery | None:
    return world.run(world.outbox_port.take("default", channel, lease=lease))


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


def test_what_was_given_up_for_its_age_is_young_when_it_is_revived(world: World) -> None:
    run_of(world)
    plan(world, ANN)
    world.age(GIVE_UP_AFTER + 10)
    old = after(taken(world), Failed("still away"))
    assert old.status is DeliveryStatus.DEAD
    assert world.run(world.outbox_port.settle(old))
    assert world.run(world.outbox_port.revive("default")) == 1
    assert taken(world).age < 600


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
    assert world.run(world.outbox_port.plan("other", (ANN,))) == 1
    assert take(world) is None
    theirs = world.run(world.outbox_port.take("other", "email", lease=1.0))
    assert theirs is not None
    world.run(world.outbox_port.settle(after(theirs, Refused("no"))))
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

    async def sender(outbox: object) -> list[UUID | None]:
        found = []
        while (delivery := await outbox.take("default", "email", lease=60.0)) is not None:  # type: ignore[attr-defined]
            found.append(delivery.run_id)
            await outbox.settle(after(delivery, Taken()))  # type: ignore[attr-defined]
        return found

    async def race() -> list[UUID | None]:
        await asyncio.gather(*(outbox.plan("default", (ANN,)) for outbox in outboxes))
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
