"""What a message says: from its notices, and from what RunLog knows of their runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import msgspec

from ..domain.announcement import Announcement
from ..domain.collecting import Message
from ..domain.delivery import Delivery
from ..domain.errors import RunNotFound
from ..domain.notify_rules import SUMMARY, Rules
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from .announce_run import announce_run
from .announce_several import announce_several
from .announce_week import announce_week
from .attach_reports import AttachReports
from .ports.incidents import IncidentFilter, Incidents
from .ports.outbox import Outbox
from .ports.run_figures import RunFigureLog
from .ports.run_history import RunHistory
from .ports.run_log import RunFilter, RunLog

_WEEK = timedelta(days=7)
_TAKES_FILES = "email"
_OPEN = 200
"""Open incidents that a summary counts at most."""


class Announce:
    """Composes the announcement of a message. Raises ``DatabaseUnavailable``; a record that is gone is no error."""

    def __init__(
        self,
        *,
        tenant: str,
        run_log: RunLog,
        history: RunHistory,
        figures: RunFigureLog,
        incidents: Incidents,
        outbox: Outbox,
        hidden: Callable[[str], str],
        public_url: str | None = None,
        rules: Rules | None = None,
        attach: AttachReports | None = None,
    ) -> None:
        """``hidden`` takes this process's secrets out of a text; ``rules`` say which reports go with a mail."""
        self._tenant = tenant
        self._run_log = run_log
        self._history = history
        self._figures = figures
        self._incidents = incidents
        self._outbox = outbox
        self._hidden = hidden
        self._public_url = public_url
        self._rules = rules
        self._attach = attach

    async def __call__(self, message: Message) -> Announcement:
        """The announcement."""
        said = await self._said(message)
        if self._rules is None or self._attach is None or message.head.channel != _TAKES_FILES:
            return said
        wanted = dict.fromkeys(
            report
            for one in message.told
            for report in self._rules.attached(one.pipeline, self._tenant, one.kind, one.address)
        )
        if not wanted:
            return said
        files, facts = await self._attach(tuple(wanted))
        told = tuple((name, self._hidden(value)) for name, value in facts)
        return msgspec.structs.replace(said, attachments=files, facts=(*said.facts, *told))

    async def _said(self, message: Message) -> Announcement:
        if message.head.kind == SUMMARY:
            return await self._week(message.told[-1])  # of several that nobody took, the newest
        if len(message.told) > 1:
            return announce_several(message, public_url=self._public_url, hidden=self._hidden)
        return await self._one(message.head)

    async def _one(self, delivery: Delivery) -> Announcement:
        run = attempt = None
        if delivery.run_id is not None:
            with suppress(RunNotFound):
                run = await self._run_log.get(delivery.run_id, tenant=self._tenant)
        if run is not None:
            attempts = await self._history.attempts(run.id, tenant=self._tenant)
            attempt = next((one for one in attempts if one.id == run.attempt_id), None)
        before = RunFilter(
            tenant=self._tenant,
            pipeline=delivery.pipeline,
            statuses=(RunStatus.SUCCEEDED,),
            mode=RunMode.PUBLISH,
            created_until=None if run is None else run.created_at,
        )
        last = (await self._run_log.find(before, limit=1)).runs
        return announce_run(
            delivery,
            run,
            attempt,
            tenant=self._tenant,
            last_success=last[0] if last else None,
            public_url=self._public_url,
            hidden=self._hidden,
        )

    async def _week(self, delivery: Delivery) -> Announcement:
        began = delivery.created_at - _WEEK
        return announce_week(
            delivery,
            await self._figures.between(self._tenant, began, delivery.created_at),
            await self._incidents.find(IncidentFilter(tenant=self._tenant), limit=_OPEN),
            began=began,
            dead=(await self._outbox.standing(self._tenant)).dead,
            public_url=self._public_url,
        )
