"""Many triggers through an API server of which a part of the answers is a fault: each has its Job, and one."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from typing import NamedTuple

from kubescribe.application.authoring.parameters import accepted_parameters
from kubescribe.application.trigger_run import TriggerRequest
from kubescribe.domain.run import Run
from tests.support.kube.fault_proxy import FAULTS
from tests.support.kube.resources import Json

from .scene import Scene, scene

RATE = 0.3
_AT_ONCE = 16
_LONGEST = 900.0
_PAGE = 500


class Triggered(NamedTuple):
    """What became of them."""

    triggers: int
    seconds: float
    """Until the last Job was made."""
    passes: int
    """Of the reconciler, which launches what could not be launched at once."""
    waiting: int
    """Runs that were accepted, and could not be launched at once."""
    faults: dict[str, int]
    lost: int
    """Runs without a Job."""
    doubled: int
    """Runs with two or more."""
    strangers: int
    """Jobs without a run."""


def suspended(manifest: Json) -> None:
    """Its Jobs make no pods: what is measured is whether they are there."""
    manifest["spec"]["jobTemplate"]["spec"]["suspend"] = True


def triggers(count: int, seed: int = 20261122) -> Triggered:
    """Ask for so many runs, a few at once, and then let passes do the rest."""
    with scene(proxied=True) as at:
        at.cluster.apply("sleeper", suspended)
        at.proxy.at_random(RATE, seed)
        began = time.monotonic()
        runs = at.loop.run(_asked_for(at, count))
        waiting = len(_without_job(at, runs))
        passes = 0
        while _without_job(at, runs):
            at.cluster.reconcile()
            passes += 1
            if time.monotonic() - began > _LONGEST:
                break
        took = time.monotonic() - began
        faults = {name: at.proxy.seen[name] for name in FAULTS}
        made = Counter(_run_ids(at))
        ids = {str(run.id) for run in runs}
        return Triggered(
            triggers=count,
            seconds=took,
            passes=passes,
            waiting=waiting,
            faults=faults,
            lost=len(ids - made.keys()),
            doubled=sum(1 for times in made.values() if times > 1),
            strangers=len(made.keys() - ids),
        )


async def _asked_for(at: Scene, count: int) -> list[Run]:
    declared = at.cluster.pipelines.get("sleeper")
    accepted = accepted_parameters(declared, {}, from_text=False)
    request = TriggerRequest(pipeline=declared.pipeline, parameters=accepted, actor="user:ada")
    trigger, left, runs = at.cluster.container.trigger_run(), iter(range(count)), list[Run]()

    async def ask() -> None:
        for number in left:
            runs.append((await trigger(request)).run)
            if (number + 1) % 1000 == 0:
                print(f"{number + 1} triggers", file=sys.stderr)

    await asyncio.gather(*(ask() for _ in range(_AT_ONCE)))
    return runs


def _run_ids(at: Scene) -> list[str]:
    """Of all Jobs that are there: asked of the API server itself."""
    found: list[str] = []
    more = ""
    while True:
        path = f"/apis/batch/v1/namespaces/{at.namespace.name}/jobs"
        page = at.namespace.api.call("GET", path, parameters={"limit": _PAGE, **({"continue": more} if more else {})})
        found += [job["metadata"]["labels"]["kubescribe.io/run-id"] for job in page["items"]]
        more = page["metadata"].get("continue") or ""
        if not more:
            return found


def _without_job(at: Scene, runs: list[Run]) -> set[str]:
    return {str(run.id) for run in runs} - set(_run_ids(at))
