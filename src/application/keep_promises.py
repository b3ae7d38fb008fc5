"""See whether what pipelines promise is kept; whoever is alive does, for a run that never began breaks promises too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from ..domain.errors import DatabaseRefused, DatabaseUnavailable, KubescribeError
from ..domain.incident import IncidentKind
from ..domain.pipeline import Pipeline
from ..domain.promise import (
    Judgement,
    Promise,
    Shown,
    finish_judged,
    fresh_judged,
    rows_fit,
    rows_judged,
    run_judged,
)
from ..domain.report import Report
from ..domain.schedule import find_zone
from ..domain.slot import Slot, SlotVerdict
from ..domain.tenant import Tenant
from .ports.pauses import Pauses
from .ports.promises import SLACK, Held, PromiseBook, Standing
from .ports.report_catalogue import ReportCatalogue
from .ports.slots import SlotFilter, Slots

_PAGE = 500
_REPORT_KINDS = frozenset({IncidentKind.FRESH_WITHIN, IncidentKind.ROWS_BETWEEN})


class PromisesKept(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass found."""

    judged: tuple[Judgement, ...] = ()
    problems: tuple[str, ...] = ()
    """A sentence for each part that could not be looked at."""


_OfReport = tuple[str, IncidentKind, str]
"""A pipeline, a kind, and a report."""


class _Pass:
    """What one pass gathers, to be written at its end."""

    def __init__(self, standing: Standing) -> None:
        self.now, self.standing = standing.now, standing
        self.made: list[Promise] = []
        self.judged: list[Judgement] = []
        self.mended: set[Held] = set()
        self.looked: dict[Held, datetime] = {}
        self.broken: set[Held] = set()
        self.news: dict[_OfReport, str] = {}

    def take(self, judgement: Judgement | None) -> None:
        """A verdict, if there is one."""
        if judgement is not None:
            self.judged.append(judgement)
            key = (judgement.promise.pipeline, judgement.promise.kind)
            if judgement.kept is False:
                self.mended.discard(key)
                self.broken.add(key)
            elif judgement.kept:
                self.mended.add(key)

    def open_of(self, pipeline: str, kind: IncidentKind) -> list[Promise]:
        """What has no verdict, by when it is due."""
        return [one for one in self.standing.open if (one.pipeline, one.kind) == (pipeline, kind)]


class KeepPromises:
    """One pass over the promises of a tenant's pipelines. Safe to repeat, and at once with others."""

    def __init__(
        self,
        *,
        tenant: Tenant,
        book: PromiseBook,
        slots: Slots,
        pauses: Pauses,
        catalogue: ReportCatalogue | None,
    ) -> None:
        """``catalogue``: None where no report database is configured."""
        self._tenant = tenant
        self._book = book
        self._slots = slots
        self._pauses = pauses
        self._catalogue = catalogue
        self._known: dict[_OfReport, str] = {}
        """The publication of which the promise is in the book."""

    async def __call__(self, pipelines: Iterable[Pipeline]) -> PromisesKept:
        """Look at all of them once. Raises ``DatabaseUnavailable`` where RunLog is away."""
        declared = {one.name: one for one in pipelines}
        standing = await self._book.hold(self._tenant, {name: one.promises.kinds for name, one in declared.items()})
        if not standing.held:
            return PromisesKept()
        work, problems = _Pass(standing), list[str]()
        promising = [one for one in declared.values() if one.promises.kinds]
        await self._slots_done(work, [one for one in promising if IncidentKind.FINISH_BY in one.promises.kinds])
        await self._runs_timed(work, [one for one in promising if IncidentKind.RUN_AT_MOST in one.promises.kinds])
        about_reports = [one for one in promising if one.promises.kinds & _REPORT_KINDS]
        if about_reports:
            try:
                await self._reports_seen(work, about_reports)
            except (DatabaseUnavailable, DatabaseRefused) as away:
                problems.append(f"promises about reports wait: {away}")
            except KubescribeError as error:
                problems.append(f"promises about reports could not be looked at: {error}")
        judged = await self._book.settle(
            self._tenant,
            made=work.made,
            judged=work.judged,
            mended=work.mended & (standing.broken | work.broken),
            looked=work.looked,
        )
        self._known |= work.news  # not before it is written
        return PromisesKept(judged=judged, problems=tuple(problems))

    async def _slots_done(self, work: _Pass, pipelines: list[Pipeline]) -> None:
        if not pipelines:
            return
        kind, by_name = IncidentKind.FINISH_BY, {one.name: one for one in pipelines}
        paused = {pause.pipeline: pause for pause in await self._pauses.holding(tenant=self._tenant)}
        due = {(one.pipeline, one.subject): one for one in work.standing.open if one.kind is kind}
        for slot in await self._new_slots(work, pipelines):
            promises, subject = by_name[slot.pipeline].promises, slot.at.isoformat()
            pause = paused.get(slot.pipeline)
            if _is_skipped(slot) or (slot.verdict is None and pause is not None and pause.since <= slot.at):
                continue
            by = promises.due_of(slot.at, find_zone(by_name[slot.pipeline].timezone))
            promise = self._promise(by_name[slot.pipeline], kind, subject, by)
            work.made.append(promise)
            if by <= work.now:
                due.setdefault((slot.pipeline, subject), promise)
        asked = sorted((one for one in due.values() if one.pipeline in by_name), key=lambda one: one.subject)
        done = await self._book.done(self._tenant, [(one.pipeline, _slot_of(one)) for one in asked]) if asked else ()
        for promise, when in zip(asked, done, strict=True):
            assert promise.due_at is not None
            zone = find_zone(by_name[promise.pipeline].timezone)
            in_time = when is not None and when <= promise.due_at
            skipped = not in_time and promise.due_at < work.now and await self._was_skipped(promise)
            work.take(finish_judged(promise, done=when, skipped=skipped, now=work.now, zone=zone))

    async def _new_slots(self, work: _Pass, pipelines: list[Pipeline]) -> list[Slot]:
        """Those whose time came since the last look, in one query for all, as far as the ledger has them."""
        plans, between = (await self._slots.plans()).plans, dict[str, tuple[datetime, datetime]]()
        for pipeline in pipelines:
            key = (pipeline.name, IncidentKind.FINISH_BY)
            held, plan = work.standing.held[key], plans.get((self._tenant, pipeline.name))
            begin = held.unseen_from(work.now)
            if held.looked_at > work.now:
                work.looked[key] = begin
            if plan is not None and begin < (end := min(work.now, plan.planned_until)):
                between[pipeline.name] = (begin, end)
                work.looked[key] = end
        if not between:
            return []
        which = SlotFilter(
            tenant=self._tenant,
            since=min(begin for begin, _ in between.values()),
            until=max(end for _, end in between.values()),
        )
        found, after = list[Slot](), None
        while True:
            page = await self._slots.find(which, limit=_PAGE, after=after)
            for slot in page.slots:
                if slot.pipeline in between and between[slot.pipeline][0] <= slot.at < between[slot.pipeline][1]:
                    found.append(slot)
            if (after := page.next) is None:
                return found

    async def _was_skipped(self, promise: Promise) -> bool:
        at = _slot_of(promise)
        which = SlotFilter(
            tenant=self._tenant, pipeline=promise.pipeline, since=at, until=at + timedelta(microseconds=1)
        )
        page = await self._slots.find(which, limit=10)
        return bool(page.slots) and all(map(_is_skipped, page.slots))

    async def _runs_timed(self, work: _Pass, pipelines: list[Pipeline]) -> None:
        kind = IncidentKind.RUN_AT_MOST
        if not pipelines:
            return
        since, promises = dict[str, datetime](), dict[str, Promise]()
        for pipeline in pipelines:
            held = work.standing.held[pipeline.name, kind]
            since[pipeline.name] = max(held.since, held.unseen_from(work.now) - SLACK)
            promises |= {one.subject: one for one in work.open_of(pipeline.name, kind)}
            work.looked[pipeline.name, kind] = work.now
        runs = await self._book.runs(
            self._tenant, since, [one.run_id for one in promises.values() if one.run_id is not None]
        )
        by_id = {str(run.id): run for run in runs}
        by_name = {one.name: one for one in pipelines}
        for subject, run in by_id.items():
            if subject not in promises:
                promise = self._promise(by_name[run.pipeline], kind, subject)
                promises[subject] = msgspec.structs.replace(promise, run_id=run.id)
                work.made.append(promises[subject])
        for promise in sorted(promises.values(), key=lambda one: one.subject):
            pipeline = by_name[promise.pipeline]
            at_most, zone = pipeline.promises.run_at_most, find_zone(pipeline.timezone)
            assert at_most is not None
            work.take(run_judged(promise, by_id.get(promise.subject), at_most=at_most, now=work.now, zone=zone))

    async def _reports_seen(self, work: _Pass, pipelines: list[Pipeline]) -> None:
        if self._catalogue is None:
            raise DatabaseUnavailable("report", "REPORT_DB_URL is not set here")
        known = {report.name: report for report in await self._catalogue.reports()}
        for pipeline in pipelines:
            promises = pipeline.promises
            shown = {
                name: await self._history(work, pipeline, await self._shown(name, known.get(name)))
                for name in sorted({*promises.fresh_within, *promises.rows_between})
            }
            self._fresh(work, pipeline, shown)
            self._rows(work, pipeline, shown)

    async def _history(self, work: _Pass, pipeline: Pipeline, seen: Shown) -> tuple[Shown, ...]:
        """What readers saw one after the other, ``seen`` last; that alone where nothing was passed over.

        Of what nobody looked at meanwhile the newest says nothing of those before it.
        """
        held = [work.standing.held[pipeline.name, kind] for kind in pipeline.promises.kinds & _REPORT_KINDS]
        known = {self._known.get((pipeline.name, kind, seen.report), "") for kind in _REPORT_KINDS} - {""}
        away = work.now - min(one.looked_at for one in held) > SLACK
        if seen.published_at is None or self._catalogue is None or seen.subject in known or not (known or away):
            return (seen,)
        ledger = await self._catalogue.ledger(seen.report, limit=_PAGE)
        first = {one.version: one.published_at for one in ledger if one.kind == "publish"}
        before = [
            Shown(
                report=seen.report,
                run_id=one.run_id,
                published_at=first.get(one.version, one.published_at),
                rows=one.shown,
            )
            for one in reversed(ledger)
        ]
        places = [place for place, one in enumerate(before) if one.subject == seen.subject]
        return (*before[: places[0]], seen) if places else (seen,)

    def _passed_by(self, work: _Pass, key: Held, history: tuple[Shown, ...]) -> tuple[Shown, ...]:
        """Those that came and went since the last look."""
        held = work.standing.held[key]
        since = max(held.since, held.unseen_from(work.now) - SLACK)
        return tuple(one for one in history[:-1] if one.published_at is not None and one.published_at > since)

    def _fresh(self, work: _Pass, pipeline: Pipeline, shown: dict[str, tuple[Shown, ...]]) -> None:
        key = (pipeline.name, IncidentKind.FRESH_WITHIN)
        if not pipeline.promises.fresh_within:
            return
        zone, fresh = find_zone(pipeline.timezone), True
        opened = {one.subject: one for one in work.open_of(*key)}
        for report, within in pipeline.promises.fresh_within.items():
            history, since = shown[report], work.standing.held[key].since
            *_, seen = history
            fresh &= work.now <= _due(seen, within, since)
            passed_by = self._passed_by(work, key, history)
            for one in (*passed_by, seen) if self._is_news(work, pipeline, key[1], seen) else ():
                if one.subject not in opened:
                    due = _due(one, within, since)
                    opened[one.subject] = self._promise(pipeline, key[1], one.subject, due)
                    work.made.append(opened[one.subject])
            next_of = {one.subject: after for one, after in pairwise(history)}
            for subject, promise in opened.items():
                if subject.partition("/")[0] == report:
                    after = seen if subject == seen.subject else next_of.get(subject, history[0])
                    work.take(fresh_judged(promise, after, within=within, now=work.now, zone=zone))
        self._stands(work, key, fresh)

    def _rows(self, work: _Pass, pipeline: Pipeline, shown: dict[str, tuple[Shown, ...]]) -> None:
        key = (pipeline.name, IncidentKind.ROWS_BETWEEN)
        if not pipeline.promises.rows_between:
            return
        zone, fit = find_zone(pipeline.timezone), True
        for report, between in pipeline.promises.rows_between.items():
            *_, seen = shown[report]
            if seen.published_at is None:
                continue  # nothing is shown: that is another promise's business
            fit &= rows_fit(seen.rows, between)
            if self._is_news(work, pipeline, key[1], seen):
                for one in (*self._passed_by(work, key, shown[report]), seen):
                    promise = self._promise(pipeline, key[1], one.subject, one.published_at)
                    promise = msgspec.structs.replace(promise, run_id=one.run_id)
                    work.made.append(promise)
                    work.take(rows_judged(promise, one, between=between, now=work.now, zone=zone))
        self._stands(work, key, fit)

    def _stands(self, work: _Pass, key: Held, well: bool) -> None:
        """Of reports it is what readers see now that counts, of all the pipeline's reports together."""
        work.looked[key] = work.now
        (work.mended.add if well else work.mended.discard)(key)

    def _is_news(self, work: _Pass, pipeline: Pipeline, kind: IncidentKind, shown: Shown) -> bool:
        key = (pipeline.name, kind, shown.report)
        work.news[key] = shown.subject
        return self._known.get(key) != shown.subject

    async def _shown(self, name: str, report: Report | None) -> Shown:
        if report is None or self._catalogue is None:
            return Shown(report=name)
        now = report.current
        published = now.published_at
        if now.kind == "rollback":
            ledger = await self._catalogue.ledger(name, limit=_PAGE)
            first = [one for one in ledger if one.kind == "publish" and one.version == now.version]
            published = first[-1].published_at if first else published
        return Shown(report=name, run_id=now.run_id, published_at=published, rows=now.shown)

    def _promise(self, pipeline: Pipeline, kind: IncidentKind, subject: str, due: datetime | None = None) -> Promise:
        return Promise(tenant=self._tenant, pipeline=pipeline.name, kind=kind, subject=subject, due_at=due)


def _due(shown: Shown, within: float, since: datetime) -> datetime:
    """Until when something newer is promised; ``since``: where nothing was ever published."""
    return (shown.published_at or since) + timedelta(seconds=within)


def _is_skipped(slot: Slot) -> bool:
    return slot.verdict is SlotVerdict.SKIPPED or not slot.expected


def _slot_of(promise: Promise) -> datetime:
    return datetime.fromisoformat(promise.subject)
