"""What one message says of many notices: which pipelines fail, and which work again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from ..domain.announcement import ENTRIES, Announcement, Entry, one_line
from ..domain.collecting import Message
from ..domain.delivery import Delivery
from ..domain.notify_rules import REPEATED
from ..domain.trouble_words import is_about_runs, is_over, words

_NAMED = 3
_TITLE_LIMIT = 150
_LINE_LIMIT = 300


def announce_several(message: Message, *, public_url: str | None, hidden: Callable[[str], str]) -> Announcement:
    """The announcement of a message with several notices: a line for each pipeline, with its newest state.

    ``hidden`` takes secrets out of a text.
    """
    by_trouble: dict[tuple[str, str], list[Delivery]] = {}
    for one in message.told:
        by_trouble.setdefault((one.pipeline, "" if is_about_runs(one) else one.trouble or ""), []).append(one)
    bad = [told for told in by_trouble.values() if not is_over(told[-1])]
    well = [told for told in by_trouble.values() if is_over(told[-1])]
    entries = tuple(
        Entry(
            name=one_line(hidden(told[-1].pipeline), 100),
            text=one_line(hidden(_line(told)), _LINE_LIMIT),
            link=f"{public_url}/runs/{told[-1].run_id}" if public_url and told[-1].run_id else None,
        )
        for told in (bad + well)[:ENTRIES]  # what fails comes first: a list may be cut
    )
    failing, other = (
        [told for told in bad if is_about_runs(told[-1])],
        [told for told in bad if not is_about_runs(told[-1])],
    )
    parts = [
        _count(some, one, many)
        for some, one, many in (
            (failing, "fails", "fail"),
            (other, "is not as promised", "are not as promised"),
            (well, "works again", "work again"),
        )
        if some
    ]
    over = sum(map(is_over, message.told))
    again = sum(one.kind == REPEATED for one in message.told)
    counts = [_many(len(message.told) - over - again, "failure", "failures"), _many(over, "recovery", "recoveries")]
    counts += [_many(again, "reminder", "reminders")] if again else []
    first, last = message.told[0].created_at, message.told[-1].created_at
    return Announcement(
        kind="several",
        title=one_line(hidden("; ".join(parts)), _TITLE_LIMIT),
        summary=f"{', '.join(counts[:-1])} and {counts[-1]} between {_time(first)} and {_time(last)}.",
        entries=entries,
        more=len(by_trouble) - len(entries),
        next_steps=(("kubescribe runs --status failed", "what failed"), ("kubescribe show RUN", "the whole record")),
        link=f"{public_url}/" if public_url else None,
        key=message.head.message_id,
        at=last,
    )


def _line(told: list[Delivery]) -> str:
    newest = told[-1]
    since = _time(newest.since or newest.created_at)
    if is_over(newest):
        times = f", {newest.failures:,} times" if newest.failures > 1 else ""
        return f"{words(newest)}; the trouble was there since {since}{times}"
    times = f", {newest.failures:,} times" if newest.failures > 1 else ""
    cause = f": {newest.cause}" if newest.cause else ""
    said = f" ({one_line(newest.said, 120)})" if newest.said else ""
    still = "still: " if newest.kind == REPEATED else ""
    return f"{still}{words(newest)}{cause}{said}; since {since}{times}"


def _many(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _count(some: list[list[Delivery]], one: str, many: str) -> str:
    names = list(dict.fromkeys(told[-1].pipeline for told in some))
    named = ", ".join(names[:_NAMED])
    rest = len(names) - _NAMED
    if rest > 0:
        named += f" and {rest:,} more"
    return f"{named} {one if len(names) == 1 else many}"


def _time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
