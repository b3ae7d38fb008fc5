"""What the process that serves the API does beside it, and what is told of it to who watches."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from ...application.collect_metrics import CollectMetrics
from ...application.keep_doing import KeepDoing
from ...application.metrics import Registry
from ...application.tell_alive import TellAlive
from .auditing import seal_events, send_anchors
from .container import Container
from .notifying import channels, notify, redactor, remind

if TYPE_CHECKING:
    from ...application.keep_reconciling import Standing
    from ...application.notify import Notified
    from ...domain.tenant import Tenant

log = logging.getLogger("kubescribe.notify")

_SEAL_EVERY = 1.0
_NOTIFY_EVERY = 2.0
"""Seconds: what failed is told within five."""
_REMIND_EVERY = 30.0
_ANCHOR_EVERY = 600.0
"""Seconds between two looks whether the daily anchor is due."""


def loops(container: Container, registry: Registry, standing: Callable[[], Standing | None]) -> tuple[KeepDoing, ...]:
    """Sealing, telling people and anchoring, as far as the settings ask for it; each to be run as a task.

    ``standing``: how the reconciler of this process stands.
    """
    clock = container.clock()
    made = [KeepDoing("seal", seal_events(container), every=_SEAL_EVERY, clock=clock, registry=registry)]
    to = channels(container.settings())
    if to:
        telling = logged(notify(container, to))
        made.append(KeepDoing("notify", telling, every=_NOTIFY_EVERY, clock=clock, registry=registry))
        made.append(KeepDoing("remind", remind(container), every=_REMIND_EVERY, clock=clock, registry=registry))
    url = container.settings().notify.heartbeat_url
    if url is not None:
        from ...adapters.http.client import StandardHttpClient

        alive = TellAlive(StandardHttpClient(), url, standing, hidden=redactor(container).text)
        made.append(KeepDoing("heartbeat", alive, every=_NOTIFY_EVERY, clock=clock, registry=registry))
    anchoring = send_anchors(container)
    if anchoring is not None:
        made.append(KeepDoing("anchor", anchoring, every=_ANCHOR_EVERY, clock=clock, registry=registry))
    return tuple(made)


def logged(notify: Callable[[], Awaitable[Notified]]) -> Callable[[], Awaitable[None]]:
    """A pass whose problems are in the log: a message that somebody did not get is not only a number."""

    async def tell() -> None:
        done = await notify()
        for problem in done.problems:
            log.warning("%s", problem)

    return tell


def collect_metrics(container: Container, registry: Registry, tenant: Tenant) -> CollectMetrics:
    """What ``/metrics`` answers to somebody of this tenant."""
    return CollectMetrics(
        tenant=tenant,
        registry=registry,
        figures=container.run_figures(),
        outbox=container.outbox(),
        chain=container.event_chain(),
    )


async def trace_run(container: Container, run_id: UUID, tenant: Tenant) -> bool:
    """Send the trace of a run that has ended; False where no setting asks for it, or it may not have arrived."""
    if container.settings().otlp_endpoint is None:
        return False
    from ...adapters.otel.tracer import OtlpTracer
    from ...application.trace_run import TraceRun

    tracing = TraceRun(run_log=container.run_log(), history=container.run_history(), tracer=OtlpTracer())
    return await tracing(run_id, tenant=tenant)
