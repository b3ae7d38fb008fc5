"""An incident opens, grows and ends by rules; whatever happens, people hear of each end once, after its beginning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain import incident_handling as handling
from kubescribe.domain.errors import IncidentOver, SnoozeRefused
from kubescribe.domain.event import Event, Notice
from kubescribe.domain.incident import (
    GREW,
    OPENED,
    QUIET,
    RECOVERED,
    Incident,
    IncidentChange,
    IncidentKind,
    IncidentStatus,
    Trouble,
    mended,
    told_late,
    troubled,
)
from kubescribe.domain.incident_handling import By

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = UUID(int=1)


class Story:
    """What one pipeline goes through, and what people hear of it."""

    def __init__(self, *, incident_after: int = 1, recover_after: int = 1) -> None:
        self.at = NOON
        self.after, self.recover_after = incident_after, recover_after
        self.rows: dict[int, Incident] = {}
        self.told: list[tuple[datetime, str, int | None]] = []
        self.events: list[Event] = []

    @property
    def newest(self) -> Incident | None:
        return self.rows[max(self.rows)] if self.rows else None

    def bad(self, after: timedelta = MINUTE, why: str | None = "error") -> Story:
        self.at += after
        trouble = Trouble(pipeline="flights", kind=IncidentKind.FAILING, at=self.at, why=why, run_id=RUN)
        return self.take(troubled(self.newest, trouble, number=len(self.rows) + 1, incident_after=self.after))

    def good(self, after: timedelta = MINUTE) -> Story:
        self.at += after
        return self.take(mended(self.newest, at=self.at, run_id=RUN, recover_after=self.recover_after))

    def look(self, after: timedelta = MINUTE) -> Story:
        """The control plane's pass."""
        self.at += after
        return self.take(None if self.newest is None else told_late(self.newest, self.at))

    def take(self, change: IncidentChange | None) -> Story:
        if change is not None:
            assert change.before == self.rows.get(change.after.id)
            self.rows[change.after.id] = change.after
            self.told += [(self.at, change.notice.kind, change.notice.incident_id)] if change.notice else []
            self.events += [change.event] if change.event else []
        return self

    @property
    def kinds(self) -> list[str]:
        return [kind for _, kind, _ in self.told]


def newest(story: Story) -> Incident:
    assert story.newest is not None
    return story.newest


def test_it_opens_grows_and_ends_once() -> None:
    story = Story().bad().bad().bad().good().good()
    assert story.kinds == [OPENED, GREW, GREW, RECOVERED]
    (one,) = story.rows.values()
    assert (one.status, one.count, one.bad, one.good) == (IncidentStatus.RECOVERED, 3, 0, 0)
    assert (one.since, one.last_at, one.recovered_at) == (NOON + MINUTE, NOON + 3 * MINUTE, NOON + 4 * MINUTE)
    assert (one.run_id, one.recovered_by, one.why) == (RUN, RUN, "error")
    assert [event.kind for event in story.events] == ["incident.opened", "incident.recovered"]
    assert story.events[0].before == {"status": "pending"} and story.events[1].after == {"status": "recovered"}
    assert {event.subject for event in story.events} == {"incident:1"}


def test_nothing_ends_that_has_not_begun() -> None:
    assert mended(None, at=NOON) is None
    assert Story().good().look().kinds == []


def test_what_fails_less_often_in_a_row_than_declared_is_no_incident() -> None:
    story = Story(incident_after=3).bad().bad().good().bad().bad()
    assert story.told == [] and not newest(story).is_open
    story.bad()
    one = newest(story)
    assert (story.kinds, one.id, one.count, one.since) == ([OPENED], 1, 3, NOON + 4 * MINUTE)


def test_it_ends_after_as_many_good_ones_in_a_row_as_declared() -> None:
    story = Story(recover_after=2).bad().good().bad().good()
    assert story.kinds == [OPENED, GREW] and newest(story).is_open
    assert story.good().kinds == [OPENED, GREW, RECOVERED]


def test_what_comes_back_at_once_is_the_same_incident_and_quiet() -> None:
    story = Story().bad().good().bad().bad()
    one = newest(story)
    assert (one.id, one.is_open, one.reopened, one.count, one.announced) == (1, True, 1, 3, False)
    assert story.kinds == [OPENED, RECOVERED]
    assert story.events[-1].kind == "incident.reopened"
    assert story.good().kinds == [OPENED, RECOVERED], "nobody knew that it was back"


@pytest.mark.parametrize("how", ["look", "bad"])
def test_what_came_back_and_stays_is_told_when_the_hour_is_over(how: str) -> None:
    story = Story().bad().good().bad()
    story.take(handling.acknowledged(newest(story), By(actor="user:ann", at=story.at)))
    assert story.look(QUIET - 2 * MINUTE).kinds == [OPENED, RECOVERED]
    getattr(story, how)()
    assert story.kinds == [OPENED, RECOVERED, OPENED]
    assert newest(story).acknowledged_by is None, "what was seen to was another time"
    assert story.look().kinds == [OPENED, RECOVERED, OPENED]
    assert story.good().kinds == [OPENED, RECOVERED, OPENED, RECOVERED]


def test_what_flaps_for_hours_is_told_again_and_again() -> None:
    story = Story()
    for _ in range(36):
        story.bad(10 * MINUTE).good(10 * MINUTE)
    opened = [at for at, kind, _ in story.told if kind == OPENED]
    assert len(opened) >= 8, "twelve hours of it, and an hour is quiet at a time"
    assert all(later - earlier >= QUIET for earlier, later in pairwise(opened))


def test_what_comes_back_later_is_a_new_incident() -> None:
    story = Story().bad().good().bad(QUIET)
    assert story.told[-1] == (story.at, OPENED, 2) and newest(story).count == 1


def test_a_row_of_failures_across_the_end_of_the_hour_counts_whole() -> None:
    story = Story(incident_after=2).bad().bad().good().bad(QUIET - MINUTE).bad(2 * MINUTE)
    one = newest(story)
    assert (one.id, one.is_open, one.count, one.since) == (2, True, 2, story.at - 2 * MINUTE)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["bad", "bad", "good", "good", "look"]),
        st.sampled_from([1, 1, 5, 29, 59, 60, 61, 200]).map(lambda minutes: timedelta(minutes=minutes)),
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 3), st.integers(1, 3))
def test_whatever_happens_ends_follow_beginnings_and_two_an_hour_are_told(
    steps: list[tuple[str, timedelta]], incident_after: int, recover_after: int
) -> None:
    story = Story(incident_after=incident_after, recover_after=recover_after)
    row = 0
    for what, wait in steps:
        getattr(story, what)(wait)
        row = row + 1 if what == "bad" else 0 if what == "good" else row
        open_now = [one for one in story.rows.values() if one.is_open]
        assert len(open_now) <= 1
        assert story.newest is None or story.newest.bad == row
        if row >= incident_after:
            assert newest(story).is_open
    news = [(at, kind, number) for at, kind, number in story.told if kind != GREW]
    assert [kind for _, kind, _ in news] == [OPENED, RECOVERED] * (len(news) // 2) + [OPENED] * (len(news) % 2)
    assert all(end[2] == begin[2] for begin, end in zip(news[::2], news[1::2], strict=False))
    for place, (at, _, _) in enumerate(news):
        assert sum(at <= other < at + QUIET for other, _, _ in news[place:]) <= 2
    # Who is told last that it is over is told so truly, once the hour has passed.
    story.look(QUIET)
    assert (story.newest is not None and story.newest.is_open) == (
        [k for k in story.kinds if k != GREW][-1:] == [OPENED]
    )


def open_one() -> Incident:
    return newest(Story().bad())


BY = By(actor="user:ann", at=NOON, method="cli", reason="on it")


def test_the_first_who_acknowledges_it_is_kept() -> None:
    step = handling.acknowledged(open_one(), BY)
    assert step is not None and step.event is not None and step.notice is None
    assert (step.after.acknowledged_by, step.after.acknowledged_at) == ("user:ann", NOON)
    event = step.event
    assert (event.kind, event.actor, event.method, event.reason) == (
        "incident.acknowledged",
        "user:ann",
        "cli",
        "on it",
    )
    assert (event.before, event.after) == ({"acknowledged_by": None}, {"acknowledged_by": "user:ann"})
    assert handling.acknowledged(step.after, By(actor="user:bob", at=NOON)) is None


def test_putting_off_again_is_no_step_unless_the_time_differs() -> None:
    until = NOON + QUIET
    step = handling.snoozed(open_one(), BY, until=until)
    assert step is not None and step.after.snoozed_until == until
    assert handling.snoozed(step.after, BY, until=until) is None
    late = By(actor="user:ann", at=until + MINUTE)
    assert handling.snoozed(step.after, late, until=until) is None, (
        "a repetition that comes late changes nothing either"
    )
    assert handling.snoozed(step.after, BY, until=until + MINUTE) is not None
    with pytest.raises(SnoozeRefused):
        handling.snoozed(step.after, BY, until=NOON)


def test_it_is_given_to_somebody_and_back() -> None:
    step = handling.assigned(open_one(), BY, to="ann")
    assert step is not None and step.after.assigned_to == "ann"
    assert handling.assigned(step.after, BY, to="ann") is None
    back = handling.assigned(step.after, BY, to=None)
    assert back is not None and back.after.assigned_to is None


def test_of_what_is_over_only_notes_are_taken() -> None:
    over = newest(Story().bad().good())
    with pytest.raises(IncidentOver):
        handling.acknowledged(over, BY)
    with pytest.raises(IncidentOver):
        handling.snoozed(over, BY, until=NOON + QUIET)
    with pytest.raises(IncidentOver):
        handling.assigned(over, BY, to="ann")
    note = handling.noted(over, BY, text="the disk was full")
    assert note.after == over and note.event is not None
    assert (note.event.kind, note.event.reason) == ("incident.noted", "the disk was full")


def test_a_notice_names_its_incident_and_the_run() -> None:
    step = troubled(
        None, Trouble(pipeline="flights", kind=IncidentKind.MISSED, at=NOON, tenant="sales", why="no run"), number=7
    )
    assert step.notice == Notice(kind=OPENED, pipeline="flights", tenant="sales", incident_id=7)
