"""What may be done to runs on a cluster, and to what they need."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from typing import Literal, NamedTuple
from uuid import UUID

import psycopg

from tests.support.waiting import wait_for

from .faulty_world import RUN_ID, FaultyCluster
from .node.node import NodePod

_STARTS, _LIFE = 4.0, 3.0
"""Seconds in which runs are asked for, and in which a fault comes after its run was asked for."""

_ROW = 3.0
"""Seconds for which a fault waits for its run to publish."""


class Target(NamedTuple):
    """Where a fault is to hit."""

    world: FaultyCluster
    dice: random.Random
    run_id: UUID
    pod: NodePod | None
    """The run's newest pod; None: it has none at the moment."""
    afterwards: Callable[[Callable[[], object]], None]
    """Takes what makes it good again, which is done when the fault has lasted long enough."""

    @property
    def running(self) -> NodePod:
        """The pod; AssertionError where there is none."""
        assert self.pod is not None, "it has no pod at the moment"
        return self.pod

    @property
    def name(self) -> str:
        """The pod's."""
        return str(self.running.object["metadata"]["name"])


class Blow(NamedTuple):
    """One fault that is to come."""

    at: float
    """Seconds after the batch began."""
    what: str
    victim: int
    """Which of the runs, for a fault that is one run's."""
    lasts: float


class Script(NamedTuple):
    """What is to happen in a batch."""

    starts: tuple[float, ...]
    """Seconds after its beginning, of each run."""
    blows: tuple[Blow, ...]
    """In the order of time."""

    def __str__(self) -> str:
        each = [
            f"{blow.what}{f' {blow.victim}' if blow.what in OF_A_RUN else ''} at {blow.at:.1f}" for blow in self.blows
        ]
        return f"runs at {', '.join(f'{start:.1f}' for start in self.starts)}: {', '.join(each)}"


def draw(dice: random.Random) -> Script:
    """Some runs, and what is done to them."""
    starts = tuple(sorted(dice.uniform(0, _STARTS) for _ in range(dice.randint(4, 6))))
    blows = [
        Blow(start + dice.uniform(0.2, _LIFE), dice.choice(list(OF_A_RUN)), victim, dice.uniform(1.5, 4))
        for victim, start in enumerate(starts)
        for _ in range(dice.choice((1, 1, 2)))
    ]
    blows += [
        Blow(dice.uniform(0, _STARTS + _LIFE), dice.choice(list(OF_ALL)), 0, dice.uniform(0.5, 6))
        for _ in range(dice.choice((0, 1, 1, 2)))
    ]
    return Script(starts, tuple(sorted(blows)))


def strike(what: str, target: Target) -> None:
    """Do it; whatever it raises, it came too late, or what it needs is away."""
    (OF_A_RUN.get(what) or OF_ALL[what])(target)


def _stop(target: Target) -> None:
    target.running.freeze()
    target.afterwards(target.running.thaw)


def _two_pods(target: Target) -> None:
    name = target.name
    _stop(target)
    target.world.namespace.give_up(name)


def _delete_job(target: Target) -> None:
    world, way = target.world, target.dice.choice(("Background", "Foreground", "Orphan"))
    jobs = world.namespace.listed("jobs", labelSelector=f"{RUN_ID}={target.run_id}")
    assert jobs, "it is gone, though a pod of it may be there"
    name = jobs[0]["metadata"]["name"]
    world.namespace.api.delete("jobs", name, world.namespace.name, propagation=way)


def _cancel_late(target: Target) -> None:
    _once(target, "staged")
    target.world.cluster.cancel(target.run_id)


def _kill_late(target: Target) -> None:
    pod = target.running
    _once(target, "publication")
    pod.send(signal.SIGKILL)


def _once(target: Target, table: Literal["staged", "publication"]) -> None:
    """Wait until the run has a row there: the moments about a publication are short, and seldom hit by chance."""
    query = f"SELECT FROM kubescribe.{table} WHERE run_id = %s"
    try:
        wait_for(lambda: bool(target.world.rows("report", query, target.run_id)), "a row", timeout=_ROW, every=0.005)
    except psycopg.Error as away:
        raise AssertionError("the report database is away") from away


def _pressure(target: Target) -> None:
    target.world.node_of(target.running).evict(target.world.namespace.name, target.name)


OF_A_RUN: dict[str, Callable[[Target], object]] = {
    "kill": lambda target: target.running.send(signal.SIGKILL),
    "terminate": lambda target: target.running.send(signal.SIGTERM),
    "out of memory": lambda target: target.running.run_out_of_memory(),
    "out of memory, unnoticed": lambda target: target.running.say_out_of_memory(),
    "stop and continue": _stop,
    "drain": lambda target: target.world.namespace.evict(target.name),
    "node pressure": _pressure,
    "delete the pod": lambda t: t.world.namespace.delete("pods", t.name, grace=t.dice.choice((0, 1, None))),
    "two pods": _two_pods,
    "delete the Job": _delete_job,
    "cancel": lambda target: target.world.cluster.cancel(target.run_id),
    "cancel, as it publishes": _cancel_late,
    "kill, as it has published": _kill_late,
}


def _lose_node(target: Target) -> None:
    target.world.lose_node(target.dice.choice(("stopped", "running", "killed")))
    target.afterwards(target.world.come_back)


def _without_api_server(target: Target) -> None:
    target.world.plane.apiserver.stop()
    target.afterwards(target.world.plane.start)


def _without_controllers(target: Target) -> None:
    target.world.plane.controller_manager.stop()
    target.afterwards(target.world.plane.start)


def _crash(database: str) -> Callable[[Target], None]:
    def crash(target: Target) -> None:
        target.world.crash(database)
        target.afterwards(target.world.up)

    return crash


def _cut_answers(target: Target) -> None:
    proxy = target.world.proxy
    proxy.at_random(0.4, target.dice.getrandbits(32))

    def mend() -> None:
        proxy.faults = lambda method, path: None

    target.afterwards(mend)


OF_ALL: dict[str, Callable[[Target], object]] = {
    "lose a node": _lose_node,
    "the API server is away": _without_api_server,
    "the controllers are away": _without_controllers,
    "RunLog crashes": _crash("runlog"),
    "the report database crashes": _crash("report"),
    "answers of the API server are cut": _cut_answers,
}
