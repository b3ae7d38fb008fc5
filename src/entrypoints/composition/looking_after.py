"""One pass over everything that has to be looked after: the same in the API's loop and in ``kubescribe reconcile``."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ...application.reconcile_runs import Reconciled
from ...application.replay_spools import replay_spools
from ...domain.errors import ClusterRefused, ClusterUnavailable
from ...domain.pipeline import Pipeline
from .cluster import on_cluster
from .container import Container
from .incidents import IncidentPass
from .slots import SlotPass
from .watching import trace_run


class Pass(msgspec.Struct, frozen=True):
    """What was done."""

    reconciled: Reconciled
    late: tuple[str, ...]
    """What spools held that nobody takes any more."""


async def one_pass(
    container: Container, pipeline: Callable[[str], Pipeline], slots: SlotPass, incidents: IncidentPass
) -> Pass:
    """Spools first, then what the cluster shows, then the verdicts, of runs and of slots; clearing away comes last.

    ``pipeline``: as it is declared. ``slots``: of :func:`.slots.slot_pass`; ``incidents``: of
    :func:`.incidents.incident_pass`. Raises :class:`DatabaseUnavailable` where
    RunLog is away.
    """
    late = await replay_spools(container.attempt_log(), container.spool())
    if await container.pauses().over():
        await container.resume_pipeline().ended(pipeline)
    problems: list[str] = []
    seen = on_cluster(container.settings())
    if seen:
        try:
            problems += await container.observe_jobs()()
        except (ClusterUnavailable, ClusterRefused) as away:
            problems.append(str(away))
            seen = False
    done = await container.reconcile_runs()()
    for run in done.changed:
        if run.status.terminal:
            await trace_run(container, run.id, run.tenant)
    problems += await slots()
    problems += await incidents()
    if seen:
        try:
            await container.hint_pauses()()
            await container.clear_jobs()()
        except (ClusterUnavailable, ClusterRefused) as away:
            problems.append(str(away))
    done = Reconciled(done.changed, (*problems, *done.problems))
    return Pass(done, tuple(late))
