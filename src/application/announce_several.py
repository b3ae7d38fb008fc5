"""What one message says of many notices: which pipelines fail, and which work again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from ..domain.announcement import ENTRIES, Announcement, Entry, one_line
from ..domain.collecting import Message
from ..domain.delivery import Delivery
from ..domain.failing import RECOVERED

_NAMED = 3
_TITLE_LIMIT = 150
_LINE_LIMIT = 300


def announce_several(message: Message, *, public_url: str | None, hidden: Callable[[str], str]) -> Announcement:
    """The announcement of a message with several notices: a line for each pipeline, with its newest state.

    ``hidden`` takes secrets out of a text.
    """
    by_pipeline: dict[str, list[Delivery]] = {}
    for one in message.told:
        by_pipeline.setdefault(one.pipeline, []).append(one)
    failing = [name for name, told in by_pipeline.items() if told[-1].kind != RECOVERED]
    well = [name for name in by_pipeline if name not in set(failing)]
    # What fails comes first: a list may be cut.
    shown = (failing + well)[:ENTRIES]
    entries = tuple(
        Entry(
            name=one_line(hidden(name), 100),
            text=one_line(hidden(_line(by_pipeline[name])), _LINE_LIMIT),
            link=f"{public_url}/runs/{by_pipeline[name][-1].run_id}" if public_url else None,
        )
        for name in shown
    )
    parts = [_count(failing, "fails", "fail")] * bool(failing) + [_count(well, "works again", "work again")] * bool(
        well
    )
    failures = sum(one.kind != RECOVERED for one in message.told)
    first, last = message.told[0].created_at, message.told[-1].created_at
    return Announcement(
        kind="several",
        title=one_line(hidden("; ".join(parts)), _TITLE_LIMIT),
        summary=f"{failures:,} run{'' if failures == 1 else 's'} failed between {_time(first)} and {_time(last)}, "
        f"in {len(by_pipeline):,} pipeline{'' if len(by_pipeline) == 1 else 's'}; "
        f"{len(well):,} of these work{'s' if len(well) == 1 else ''} again.",
        entries=entries,
        more=len(by_pipeline) - len(entries),
        next_steps=(("kubescribe runs --status failed", "what failed"), ("kubescribe show RUN", "the whole record")),
        link=f"{public_url}/" if public_url else None,
        key=message.head.message_id,
        at=last,
    )


def _line(told: list[Delivery]) -> str:
    newest = told[-1]
    since = _time(newest.since or newest.created_at)
    if newest.kind == RECOVERED:
        return (
            f"works again; it had failed since {since}, in {newest.failures:,} run{'' if newest.failures == 1 else 's'}"
        )
    times = f", {newest.failures:,} runs in a row" if newest.failures > 1 else ""
    cause = f": {newest.cause}" if newest.cause else ""
    what = "lost" if newest.kind == "run.lost" else "failed"
    said = f" ({one_line(newest.said, 120)})" if newest.said else ""
    return f"{what}{cause}{said}; since {since}{times}"


def _count(names: list[str], one: str, many: str) -> str:
    named = ", ".join(names[:_NAMED])
    rest = len(names) - _NAMED
    if rest > 0:
        named += f" and {rest:,} more"
    return f"{named} {one if len(names) == 1 else many}"


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
