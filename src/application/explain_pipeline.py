"""Why a pipeline is late, fails, waits, or has not run."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..domain.duration import format_duration
from ..domain.explanation import Explanation, Fact, in_order
from ..domain.pause import Pause
from ..domain.pipeline import Pipeline
from ..domain.run import Run
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from ..domain.schedule import find_zone
from ..domain.slot import Slot, SlotVerdict
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .describe_pipeline import DescribePipeline, PipelineState
from .ports.pauses import Pauses
from .ports.slots import SlotFilter, Slots

_BACK = timedelta(days=7)
"""How far back slots without a run are looked for."""
_COUNTED = 100
_BAD = (RunStatus.FAILED, RunStatus.LOST)


class ExplainPipeline:
    """Explains one pipeline from its pause, its slots and its last runs."""

    def __init__(self, *, describe: DescribePipeline, pauses: Pauses, slots: Slots) -> None:
        self._slots = slots
        self._describe = describe
        self._pauses = pauses

    async def __call__(self, pipeline: Pipeline, *, now: datetime, tenant: Tenant = DEFAULT_TENANT) -> Explanation:
        """Why it is as it is at ``now``; raises :class:`DatabaseUnavailable`."""
        pause = await self._pauses.current(pipeline.name, tenant=tenant)
        state = await self._describe(pipeline, now=now, tenant=tenant)
        missed = await self._missed(pipeline, state, now, tenant)
        sentence, step = _why(pipeline, state, pause, missed)
        return Explanation(
            subject=f"pipeline:{pipeline.name}",
            sentence=sentence,
            facts=in_order(_facts(state, pause, missed)),
            next_step=step,
        )

    async def _missed(
        self, pipeline: Pipeline, state: PipelineState, now: datetime, tenant: Tenant
    ) -> tuple[Slot, ...]:
        """The slots of the last week that were missed since a run came, rising; at most ``_COUNTED``."""
        newest = next((run for run in state.last_runs if run.mode is RunMode.PUBLISH), None)
        since = now - _BACK
        if newest is not None:
            since = max(newest.slot or newest.created_at, newest.created_at, since)
        which = SlotFilter(
            tenant=tenant,
            pipeline=pipeline.name,
            verdicts=(SlotVerdict.MISSED,),
            since=since,
            until=now,
            newest_first=True,
        )
        page = await self._slots.find(which, limit=_COUNTED)
        return tuple(reversed(page.slots))


def _why(
    pipeline: Pipeline, state: PipelineState, pause: Pause | None, missed: tuple[Slot, ...]
) -> tuple[str, str | None]:
    if pause is not None:
        return f"It lets its slots go by: {pause}", f"kubescribe resume {pipeline.name}"
    waiting = [run for run in state.open_runs if run.status is not RunStatus.RUNNING]
    if waiting:
        run = waiting[-1]
        return f"Run {run.id} of it is {run.status}", f"kubescribe explain {run.id}"
    if state.open_runs:
        run = state.open_runs[0]
        return f"It is at work: run {run.id}", f"kubescribe explain {run.id}"
    bad = _bad_in_a_row(state.last_runs)
    if bad:
        since = state.last_success.finished_at if state.last_success else None
        good = "it has never succeeded" if since is None else f"it last succeeded at {since:%Y-%m-%d %H:%M} UTC"
        count = "Its last run" if len(bad) == 1 else f"Each of its last {len(bad)} runs"
        what = f"{count} failed ({bad[0].cause}: {_first_line(bad[0].message)})"
        return f"{what}; {good}", f"kubescribe explain {bad[0].id}"
    if missed:
        slot = missed[-1]
        at = slot.at.astimezone(find_zone(pipeline.timezone))
        more = "more than " if len(missed) == _COUNTED else ""
        count = "its last slot" if len(missed) == 1 else f"its last {more}{len(missed)} slots"
        return (
            f"It has not run for {count}: nothing came at {at:%Y-%m-%d %H:%M %Z} ({slot.reason}: {slot.detail})",
            f"kubescribe trigger {pipeline.name} --slot {at.isoformat()}",
        )
    if all(run.mode is not RunMode.PUBLISH for run in state.last_runs):
        what = "It was rehearsed and has never run" if state.last_runs else "It has never run"
        when = "it runs when somebody asks" if pipeline.schedule is None else "its first slot is still to come"
        return f"{what}: {when}", f"kubescribe trigger {pipeline.name}"
    return "It does what it should: its last run did not fail, and no slot went by without one", None


def _bad_in_a_row(runs: tuple[Run, ...]) -> list[Run]:
    """The newest runs that failed, up to the first that succeeded; the others, and rehearsals, say nothing."""
    bad: list[Run] = []
    for run in runs:
        if run.mode is not RunMode.PUBLISH:
            continue
        if run.status is RunStatus.SUCCEEDED:
            break
        if run.status in _BAD:
            bad.append(run)
    return bad


def _facts(state: PipelineState, pause: Pause | None, missed: tuple[Slot, ...]) -> list[Fact]:
    facts = [Fact(run.finished_at or run.created_at, f"run {run.id}: {run.status}") for run in state.last_runs[:3]]
    if pause is not None:
        facts.append(Fact(pause.since, str(pause)))
    if state.last_success is not None:
        facts.append(Fact(state.last_success.finished_at, f"its last success: run {state.last_success.id}"))
    facts += [Fact(slot.at, f"a slot without a run ({slot.reason})") for slot in missed[-3:]]
    facts += [Fact(slot, "its next slot") for slot in state.next_slots[:1]]
    if state.figures.success_rate is not None:
        rate, counted = state.figures.success_rate, state.figures.counted
        facts.append(Fact(None, f"{rate:.0%} of its last {counted} runs that came to a result succeeded"))
    if state.figures.durations is not None:
        took = state.figures.durations
        half, most = (format_duration(timedelta(seconds=round(one))) for one in (took.p50, took.p90))
        facts.append(Fact(None, f"half of them take up to {half}, nine of ten up to {most}"))
    return facts


def _first_line(message: str | None) -> str:
    return (message or "no message").split("\n", 1)[0][:200]
