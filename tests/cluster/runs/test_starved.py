"""Runs that keep their processor to themselves, or get next to nothing of it, and are alive all the same (K22)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.node import Node, NodePod
from tests.support.kube.records import published
from tests.support.kube.world import ClusterWorld

SECONDS = 15.0
"""Three leases."""


@contextmanager
def throttled(pod: NodePod) -> Iterator[None]:
    """A tenth of the time for all its processes, in slices of a tenth of a second, as a cgroup's quota gives it."""
    over = threading.Event()

    def slices() -> None:
        while not over.is_set():
            pod.freeze()
            over.wait(0.9)
            pod.thaw()
            over.wait(0.1)

    thread = threading.Thread(target=slices, name="throttle")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def unhindered(pod: NodePod) -> Iterator[None]:
    yield


@pytest.mark.parametrize("how", [unhindered, throttled])
def test_k22_a_busy_run_is_not_lost(
    how: Callable[..., Iterator[None]], world: ClusterWorld, node: Node, tmp_path: Path
) -> None:
    world.apply("busy")
    run = world.trigger("busy", file=str(tmp_path / "enough"))
    pod = node.pod(world.namespace.name, world.running(run.id))
    until = time.monotonic() + SECONDS
    with how(pod):  # type: ignore[attr-defined]
        while time.monotonic() < until:
            world.reconcile()
            assert world.run(run.id).status is RunStatus.RUNNING, world.run(run.id)
    (tmp_path / "enough").touch()
    done = world.ended(run.id)
    (attempt,) = world.attempts(run.id)
    assert done.status is RunStatus.SUCCEEDED, done.message
    assert published(world, run.id) == [attempt.id]
