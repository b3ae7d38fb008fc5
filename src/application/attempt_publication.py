"""What becomes of the rows that an attempt has staged: published or, in a rehearsal, compared."""

from __future__ import annotations

from typing import Any

import msgspec

from ..domain.errors import CommitUnknown, Fenced, KubescribeError, Superseded
from ..domain.exit_code import ExitCode
from ..domain.failure import FailureCause, SkipReason
from ..domain.note import NoteKind
from ..domain.outcome import Outcome
from ..domain.report import Publication, Staged
from ..domain.run_status import RunStatus
from .attempt_end import End, failed, failure, outcome, refused
from .failpoints import failpoint
from .notebook import Notebook
from .payload_guard import PayloadGuard
from .ports.publisher import Publisher, PublishRequest
from .ports.rehearsals import Rehearsals
from .publish_reports import check_staged, publish_reports


class AttemptPublication:
    """Takes an attempt whose payload ended well to its outcome."""

    def __init__(
        self, *, publisher: Publisher, rehearsals: Rehearsals | None, guard: PayloadGuard, notes: Notebook
    ) -> None:
        self._publisher = publisher
        self._rehearsals = rehearsals
        self._guard = guard
        self._notes = notes
        self.published: tuple[Publication, ...] = ()
        """What readers see by now."""

    async def publish(
        self, end: End, request: PublishRequest, reports: tuple[str, ...], deadline_at: float
    ) -> tuple[Outcome, bool]:
        """Publish ``reports``; the outcome, and whether another attempt may help."""
        try:
            checking = check_staged(self._publisher, request, reports)
            staged = await self._guard.unless_stopped(checking, deadline_at)
            if staged is None:
                return await self._broken_off()
            self.published = await publish_reports(self._publisher, request, staged)
        except CommitUnknown as unknown:
            cause, message = FailureCause.UNAVAILABLE, str(unknown)
            return outcome(end, RunStatus.UNCERTAIN, unknown.exit_code, cause=cause, message=message), False
        except Superseded as newer:
            skipped = outcome(end, RunStatus.SKIPPED, ExitCode.DONE, message=str(newer))
            return msgspec.structs.replace(skipped, skip_reason=SkipReason.SUPERSEDED), False
        except Fenced as fenced:
            return outcome(
                end, RunStatus.FAILED, fenced.exit_code, cause=FailureCause.FENCED, message=str(fenced)
            ), False
        except KubescribeError as error:
            return refused(end, error)
        for one in self.published:
            told: dict[str, Any] = {"report": one.report, "version": one.version, "rows": one.rows}
            told |= {"mode": one.mode.value, "total": one.shown}
            self._notes.add(NoteKind.OUTPUT, {**told, "published": True, "checksum": one.checksum})
        return outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE, published=True), False

    async def rehearse(
        self, end: End, request: PublishRequest, reports: tuple[str, ...], deadline_at: float
    ) -> tuple[Outcome, bool]:
        """Check ``reports`` as if they were to be published, and note what that would change."""
        try:
            comparing = self._compare(request, reports)
            if await self._guard.unless_stopped(comparing, deadline_at) is None:
                return await self._broken_off()
        except KubescribeError as error:
            return refused(end, error)
        return outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE), False

    async def _compare(self, request: PublishRequest, reports: tuple[str, ...]) -> tuple[Staged, ...]:
        staged = await check_staged(self._publisher, request, reports)
        for one in staged if self._rehearsals else ():
            assert self._rehearsals is not None
            found = msgspec.to_builtins(await self._rehearsals.difference(one))
            told = {"report": one.spec.name, "version": one.version, "rows": one.rows, "mode": one.spec.mode.value}
            self._notes.add(NoteKind.OUTPUT, {**told, "published": False, "rehearsed": True, "difference": found})
            failpoint("attempt.compared")
        return staged

    async def _broken_off(self) -> tuple[Outcome, bool]:
        end = await self._guard.ended()
        why = failure(end)
        assert why is not None
        return failed(end, why)
