"""Traces over OTLP, with OpenTelemetry's own exporter: it reads the ``OTEL_`` variables that people know."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...application.off_loop import off_loop
from ...domain.errors import BadSetting
from ...domain.trace import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

_SECONDS = 20.0

log = logging.getLogger("kubescribe.trace")


class OtlpTracer:
    """:class:`~kubescribe.application.ports.tracer.Tracer` over OTLP and HTTP. Nothing is imported until it is made.

    Raises :class:`BadSetting` where the extra is not installed.
    """

    def __init__(self) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError as error:
            why = 'it is set, and OpenTelemetry is not installed; run: pip install "kubescribe[otel]"'
            raise BadSetting("OTEL_EXPORTER_OTLP_ENDPOINT", why) from error
        self._exporter: SpanExporter = OTLPSpanExporter(timeout=int(_SECONDS) // 2)

    async def export(self, spans: tuple[Span, ...]) -> bool:
        """See the port."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        try:
            made = [_made(span) for span in spans]
            result = await off_loop(lambda: self._exporter.export(made), seconds=_SECONDS)
        except Exception as error:  # whatever is wrong with a trace is wrong with nothing else
            log.warning("the trace could not be sent: %s", type(error).__name__)
            return False
        return result is SpanExportResult.SUCCESS


def _made(span: Span) -> ReadableSpan:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, TraceFlags
    from opentelemetry.trace.status import Status, StatusCode

    def context(number: int) -> SpanContext:
        return SpanContext(span.run_id.int, number, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        name=span.name,
        context=context(span.id),
        parent=None if span.parent is None else context(span.parent),
        resource=Resource.create({} if _service_is_named() else {"service.name": "kubescribe"}),
        attributes=dict(span.attributes),
        status=Status(StatusCode.UNSET) if span.error is None else Status(StatusCode.ERROR, span.error),
        start_time=_nanoseconds(span.start),
        end_time=_nanoseconds(span.end),
    )


def _service_is_named() -> bool:
    import os

    return bool(os.environ.get("OTEL_SERVICE_NAME"))


def _nanoseconds(time: datetime) -> int:
    since = time - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
