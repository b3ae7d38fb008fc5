"""What the summary of a week says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..domain.announcement import ENTRIES, Announcement, Entry, one_line
from ..domain.delivery import Delivery
from ..domain.incident import Incident
from ..domain.week_summary import PipelineWeek


def announce_week(
    delivery: Delivery,
    pipelines: Sequence[PipelineWeek],
    incidents: Sequence[Incident],
    *,
    began: datetime,
    dead: int,
    public_url: str | None,
) -> Announcement:
    """The announcement: the figures of the week that began then, what is still wrong, and what nobody was told."""
    runs, failed = sum(one.runs for one in pipelines), sum(one.failed for one in pipelines)
    succeeded = sum(one.succeeded for one in pipelines)
    troubled = sorted((one for one in pipelines if one.failed), key=lambda one: (-one.failed, one.pipeline))
    entries = tuple(
        Entry(one_line(one.pipeline, 100), f"{one.failed:,} of {one.runs:,} runs failed") for one in troubled[:ENTRIES]
    )
    facts = [
        ("from", f"{began:%Y-%m-%d %H:%M} UTC"),
        ("until", f"{delivery.created_at:%Y-%m-%d %H:%M} UTC"),
        ("runs", f"{runs:,}"),
        ("succeeded", f"{succeeded:,}"),
        ("failed", f"{failed:,}"),
        ("pipelines", f"{len(pipelines):,}, {len(troubled):,} of them with failures"),
        ("open incidents", f"{len(incidents):,}"),
    ]
    facts += [
        (f"incident {one.id}", one_line(f"{one.pipeline}: {one.kind} since {one.since:%Y-%m-%d %H:%M} UTC", 200))
        for one in incidents[:20]
        if one.since is not None
    ]
    if dead:
        facts.append(("messages given up", f"{dead:,}; `kubescribe notify --dead` lists them"))
    return Announcement(
        kind=delivery.kind,
        title=f"The week: {runs:,} runs, {failed:,} failed, {len(incidents):,} incidents open",
        summary=f"{succeeded:,} of {runs:,} runs succeeded; {failed:,} failed, in {len(troubled):,} pipelines.",
        facts=tuple(facts),
        entries=entries,
        more=len(troubled) - len(entries),
        next_steps=(("kubescribe incidents", "what is still wrong"),),
        link=f"{public_url}/" if public_url else None,
        key=delivery.message_id,
        at=delivery.created_at,
    )
