"""What a failed, lost or recovered run says to people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ..domain.announcement import Announcement, last_lines, one_line, printable
from ..domain.attempt import Attempt
from ..domain.delivery import Delivery
from ..domain.duration import format_duration
from ..domain.notify_rules import REPEATED
from ..domain.run import Run
from ..domain.run_status import RunStatus
from ..domain.trouble_words import is_about_runs, is_over, words

_TITLE_LIMIT = 150


def announce_run(
    delivery: Delivery,
    run: Run | None,
    attempt: Attempt | None,
    *,
    tenant: str,
    last_success: Run | None = None,
    public_url: str | None,
    hidden: Callable[[str], str],
) -> Announcement:
    """The announcement of a notice about a run; without ``run`` the record is gone, and the notice alone speaks.

    ``attempt``: the run's last. ``last_success``: the pipeline's. ``hidden`` takes secrets out of a text.
    """
    pipeline = one_line(delivery.pipeline, 100)
    recovered = is_over(delivery)
    about_runs = is_about_runs(delivery)
    what = words(delivery, lost=run is not None and run.status is RunStatus.LOST)
    cause = None if run is None or run.cause is None or recovered else run.cause.value
    still = "still: " if delivery.kind == REPEATED else ""
    title = f"{still}{pipeline} {what}" + (f": {cause}" if cause and what == "failed" else "")
    message = None if run is None or recovered else run.message
    certificate = None if attempt is None or recovered else attempt.certificate
    facts = _facts(delivery, run, attempt, cause)
    if not recovered and last_success is not None:
        facts.append(("last success", _success(last_success)))
    return Announcement(
        kind=delivery.kind,
        title=one_line(hidden(title), _TITLE_LIMIT),
        summary=hidden(_summary(delivery, pipeline, run, what) if about_runs else _promise(delivery, pipeline, what)),
        facts=tuple((name, one_line(hidden(value), 300)) for name, value in facts),
        text=None if not message else printable(hidden(message)),
        lines=() if certificate is None else last_lines(tuple(hidden(line) for line in certificate.log_tail)),
        next_steps=_next_steps(delivery, pipeline),
        link=f"{public_url}/runs/{delivery.run_id}" if public_url and delivery.run_id else None,
        pipeline=pipeline,
        key=trouble_key(delivery, tenant),
        resolves=recovered,
        at=delivery.created_at,
    )


def _summary(delivery: Delivery, pipeline: str, run: Run | None, what: str) -> str:
    since = _time(delivery.since or delivery.created_at)
    many = f"{delivery.failures:,} run{'' if delivery.failures == 1 else 's'}"
    if is_over(delivery):
        return f"Pipeline {pipeline} works again. It had failed since {since}, in {many}."
    if delivery.run_id is None:
        return f"Pipeline {pipeline} has a problem since {since}: incident {delivery.incident_id}."
    sentence = f"A run of pipeline {pipeline} {what}."
    if what == "was lost":
        sentence = f"A run of pipeline {pipeline} was lost: it ended, and nothing that was looked at says why."
    if delivery.failures > 1:
        sentence += f" The pipeline fails since {since}; this is failure number {delivery.failures:,}."
    if run is not None and run.may_publish:
        sentence += " Nothing of this run was published; readers see what they saw before."
    return sentence


def _promise(delivery: Delivery, pipeline: str, what: str) -> str:
    """Of a slot or a promise."""
    since = _time(delivery.since or delivery.created_at)
    times = f", {delivery.failures:,} times" if delivery.failures > 1 else ""
    if is_over(delivery):
        return f"Pipeline {pipeline} {what}. The trouble was there since {since}{times}."
    said = f" {delivery.said}." if delivery.said else ""
    return f"Pipeline {pipeline} {what}.{said} It is so since {since}{times}."


def _facts(delivery: Delivery, run: Run | None, attempt: Attempt | None, cause: str | None) -> list[tuple[str, str]]:
    facts = [("pipeline", delivery.pipeline)]
    if delivery.incident_id is not None:
        facts.append(("incident", str(delivery.incident_id)))
    if delivery.run_id is not None:
        facts.append(("run", str(delivery.run_id)))
    if run is None:
        return [*facts, ("recorded", _time(delivery.created_at))]
    if cause is not None:
        facts.append(("cause", cause))
    if run.evidence is not None:
        facts.append(("known from", run.evidence.value))
    certificate = None if attempt is None else attempt.certificate
    if certificate is not None and cause is not None:
        if certificate.signal is not None:
            facts.append(("signal", certificate.signal))
        elif certificate.exit_code:
            facts.append(("exit code", str(certificate.exit_code)))
    if run.slot is not None:
        facts.append(("slot", _time(run.slot)))
    if run.started_at is not None:
        facts.append(("began", _time(run.started_at)))
    if run.finished_at is not None:
        facts.append(("ended", _time(run.finished_at)))
    if run.attempts > 1:
        facts.append(("attempts", str(run.attempts)))
    facts.append(("started by", run.actor))
    if run.reason:
        facts.append(("reason", run.reason))
    return facts


def trouble_key(delivery: Delivery, tenant: str) -> str:
    """The same for everything that is told of one trouble; no other RunLog's, which counts incidents from 1 as well."""
    if delivery.incident_id is None:
        return f"kubescribe:{tenant}:{delivery.pipeline}"
    since = "" if delivery.since is None else f":{delivery.since.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"kubescribe:{tenant}:incident:{delivery.incident_id}{since}"


def _success(run: Run) -> str:
    ended = run.finished_at or run.created_at
    seconds = run.duration
    took = (
        ""
        if seconds is None
        else f", took {format_duration(timedelta(seconds=round(seconds, 0 if seconds > 10 else 1)))}"
    )
    return _time(ended) + took


def _next_steps(delivery: Delivery, pipeline: str) -> tuple[tuple[str, str], ...]:
    if delivery.run_id is None:
        return ((f"kubescribe incidents show {delivery.incident_id}", "what is known of it"),)
    run = str(delivery.run_id)
    show = (f"kubescribe show {run}", "the whole record")
    if is_over(delivery):
        return (show,)
    return (
        show,
        (f"kubescribe logs {run}", "everything that it printed"),
        (f"kubescribe runs --pipeline {pipeline}", "how its other runs went"),
        (f"kubescribe run {pipeline}", "run it again, once the cause is mended"),
    )


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
