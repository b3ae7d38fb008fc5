"""Slots on a cluster (FAULTS K9, K10, K12, K21): what nobody fired is there, with its reason; what is late is late."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from kubescribe.domain.slot import Slot, SlotReason, SlotVerdict
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_container, a_cron_job, a_job, a_pod_template, fired
from tests.support.kube.resources import ApiError, Json
from tests.support.kube.world import ClusterWorld
from tests.support.waiting import wait_for

HOUR, DAY = 3600.0, 86_400.0
SETTLED = timedelta(minutes=7)
"""What is older has its verdict."""


def half_an_hour_ago() -> str:
    """Hourly, and the newest slot is half an hour old."""
    return f"{(datetime.now(UTC) - timedelta(minutes=30)).minute} * * * *"


def sweeps(world: ClusterWorld, schedule: str, script: str = "true", **spec: object) -> Json:
    """A CronJob of somebody's, which has our label and nothing else of ours."""
    job = a_job("sweep", a_pod_template([a_container("sh", "-c", script)]))
    cron_job = a_cron_job("sweep", job, schedule=schedule, **spec)
    cron_job["metadata"]["labels"] = {"kubescribe.io/pipeline": "sweep"}
    return world.namespace.create(cron_job)


def last_fired(world: ClusterWorld, seconds_ago: float) -> None:
    """As if the cluster's controller had been away since then."""
    then = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).replace(second=0, microsecond=0)
    status = {"status": {"lastScheduleTime": then.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    world.namespace.api.patch("cronjobs", "sweep", status, world.namespace.name, subresource="status")


def change(world: ClusterWorld, **spec: object) -> None:
    world.namespace.api.patch("cronjobs", "sweep", {"spec": spec}, world.namespace.name)
    world.later()


def settled(world: ClusterWorld) -> list[Slot]:
    """The slots that are old enough to have a verdict, each with one."""

    def decided() -> list[Slot] | None:
        old = [one for one in world.slots("sweep") if one.at < datetime.now(UTC) - SETTLED]
        return old if old and all(one.verdict is not None for one in old) else None

    return wait_for(decided, "every slot to have its verdict", timeout=90, every=0.5)


def reasons(slots: list[Slot]) -> Counter[tuple[SlotVerdict | None, SlotReason | None]]:
    return Counter((one.verdict, one.reason) for one in slots)


def newest(world: ClusterWorld, verdict: SlotVerdict) -> Slot:
    """The newest slot, when it has this verdict."""

    def there() -> Slot | None:
        slots = world.slots("sweep")
        return slots[-1] if slots and slots[-1].verdict is verdict else None

    return wait_for(there, f"the newest slot to be {verdict}", timeout=60, every=0.5)


def test_k9_k21_three_days_without_anybody(world: ClusterWorld, control_plane: ControlPlane) -> None:
    control_plane.controller_manager.stop()
    try:
        sweeps(world, half_an_hour_ago(), startingDeadlineSeconds=60)
        last_fired(world, 3 * DAY)
        world.reconcile()
        world.absent(3 * DAY - HOUR)
        slots = settled(world)
        assert len(slots) == 71
        assert {after.at - before.at for before, after in itertools.pairwise(slots)} == {timedelta(hours=1)}
        assert reasons(slots) == {(SlotVerdict.MISSED, SlotReason.CONTROLLER_AWAY): 71}
        assert all("the last it fired was" in (one.detail or "") for one in slots)
        world.reconcile()
        assert all(one.told for one in world.slots("sweep")[:71]), "as an incident"
    finally:
        control_plane.start()


def test_k9_more_than_a_hundred_are_missed(world: ClusterWorld, node: Node) -> None:
    sweeps(world, "* * * * *")
    last_fired(world, 3 * DAY)
    world.reconcile()
    world.absent(3 * DAY - HOUR)
    slots = settled(world)
    assert len(slots) > 71 * 60 - 10
    assert {after.at - before.at for before, after in itertools.pairwise(slots)} == {timedelta(minutes=1)}
    # The controller has gone on since, so of the older ones all that is left is that its object is younger.
    missed = {(SlotVerdict.MISSED, why) for why in (SlotReason.CONTROLLER_AWAY, SlotReason.NOT_INSTALLED)}
    assert reasons(slots).keys() <= missed


def test_k9_k10_suspended_outside_and_resumed(world: ClusterWorld, node: Node) -> None:
    sweeps(world, half_an_hour_ago(), suspend=True)
    last_fired(world, 3 * HOUR)
    world.reconcile()
    world.absent(2 * HOUR)
    slots = settled(world)
    assert reasons(slots) == {(SlotVerdict.MISSED, SlotReason.SUSPENDED_OUTSIDE): 2}
    change(world, suspend=False)  # and Kubernetes fires the newest at once
    late = newest(world, SlotVerdict.LATE)
    assert late.at == slots[-1].at and late.run_id is not None
    assert late.late_by is not None and late.late_by > 25 * 60
    assert world.run(late.run_id).slot == late.at
    assert (world.slots("sweep")[0].verdict, world.events("slot.late")) == (SlotVerdict.MISSED, 1)


def test_k10_an_edited_schedule_fires_what_nobody_expected(world: ClusterWorld, node: Node) -> None:
    before = datetime.now(UTC) - timedelta(minutes=30)
    sweeps(world, f"{before.minute} * * * *")
    world.reconcile()
    last_fired(world, 30 * 60)
    world.absent(60)
    edited = (before + timedelta(minutes=10)).minute
    change(world, schedule=f"{edited} * * * *")
    # Kubernetes looks at an edit when the next slot comes, and at any other change at once.
    touched = {"metadata": {"annotations": {"touched": "by somebody"}}}
    world.namespace.api.patch("cronjobs", "sweep", touched, world.namespace.name)
    late = newest(world, SlotVerdict.LATE)
    assert late.at.minute == edited and "not expected" in late.logical
    assert late.late_by is not None and late.late_by > 15 * 60
    assert late.run_id is not None and world.run(late.run_id).slot == late.at


@pytest.mark.timeout(300)
def test_k12_a_job_that_hangs_lets_slots_go_by(world: ClusterWorld, node: Node) -> None:
    cron_job = sweeps(world, "* * * * *", "sleep 600", concurrencyPolicy="Forbid", startingDeadlineSeconds=20)
    this_minute = datetime.now(UTC).replace(second=0, microsecond=0)
    hangs = world.namespace.create(fired(cron_job, this_minute))
    world.namespace.running(hangs["metadata"]["name"])

    def passed_over() -> Slot | None:
        world.windows_closed()
        return next((one for one in world.slots("sweep") if one.reason is SlotReason.CONCURRENCY), None)

    slot = wait_for(passed_over, "a slot to be passed over", timeout=180, every=1)
    assert slot.verdict is SlotVerdict.SKIPPED and slot.at > this_minute
    assert "of it was at work" in (slot.detail or "") or "concurrency policy is Forbid" in (slot.detail or "")


def test_k9_a_zone_that_is_not_there_is_refused_by_the_cluster_itself(world: ClusterWorld) -> None:
    with pytest.raises(ApiError, match="unknown time zone"):
        job = a_job("sweep", a_pod_template([a_container("true")]))
        cron_job = a_cron_job("sweep", job, schedule="0 * * * *")
        cron_job["spec"]["timeZone"] = "Nowhere/City"
        world.namespace.create(cron_job)
