"""A pass over what is due: whom it tells, what it says, and what a crash between any two steps leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from datetime import UTC, time
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.builders import a_claim, failed, succeeded

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.channel import MemoryChannel
from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.ids import MemoryIds
from kubescribe.adapters.memory.incidents import MemoryIncidents
from kubescribe.adapters.memory.outbox import MemoryOutbox
from kubescribe.adapters.memory.reminders import MemoryReminders
from kubescribe.adapters.memory.run_figures import MemoryRunFigures
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.slack.channel import SlackChannel
from kubescribe.application.announce import Announce
from kubescribe.application.failpoints import FailpointError, armed
from kubescribe.application.notify import EVERYTHING, LEASE, Announcing, Notified, Notify
from kubescribe.application.ports.http_client import HttpAnswer
from kubescribe.application.remind import Remind
from kubescribe.domain.announcement import Announcement
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.collecting import ALONE, Collecting, Message
from kubescribe.domain.delivery import GIVE_UP_AFTER, LONGEST_WAIT
from kubescribe.domain.errors import DatabaseUnavailable, NotDelivered
from kubescribe.domain.incident import GREW, OPENED, RECOVERED, IncidentTerms
from kubescribe.domain.notify_rules import Hours, Rule, Rules
from kubescribe.domain.webhook_url import WebhookUrl

STEPS = ("notify.planned", "notify.taken", "notify.composed", "notify.sent", "notify.settled")


class Office:
    """A RunLog with failures, and a sender."""

    def __init__(
        self,
        *channels: MemoryChannel,
        secret: str = "hunter22",
        collecting: Collecting = ALONE,
        rules: Rules = EVERYTHING,
    ) -> None:
        self.database = MemoryRunLogDatabase()
        self.attempts = MemoryAttemptLog(self.database)
        self.terms = IncidentTerms()
        self.ids = MemoryIds()
        self.channels = channels or (MemoryChannel(),)
        self.outbox = MemoryOutbox(self.database)
        self.clock = MemoryClock()
        self.announce: Announcing = Announce(
            tenant="default",
            run_log=MemoryRunLog(self.database),
            history=MemoryRunHistory(self.database),
            figures=MemoryRunFigures(self.database),
            incidents=MemoryIncidents(self.database),
            outbox=self.outbox,
            hidden=lambda text: text.replace(secret, "•••"),
            public_url="https://ks.example.org",
        )
        self.notify = Notify(
            tenant="default",
            outbox=self.outbox,
            announce=lambda message: self.announce(message),
            channels=self.channels,
            clock=self.clock,
            hidden=lambda text: text.replace(secret, "•••"),
            collecting=collecting,
            rules=rules,
        )

    def end(self, pipeline: str = "sales", *, well: bool = False, **changes: Any) -> UUID:
        async def work() -> UUID:
            run_id, attempt_id = self.ids.new(), self.ids.new()
            claim = msgspec.structs.replace(a_claim(run_id, attempt_id, pipeline=pipeline), incidents=self.terms)
            await self.attempts.claim(claim)
            await self.attempts.finish(attempt_id, succeeded() if well else failed(**changes))
            return run_id

        return asyncio.run(work())

    def tell(self) -> Notified:
        return asyncio.run(self.notify())

    def told(self, channel: int = 0) -> list[tuple[str, str]]:
        """What the channel took: message id and title."""
        return [(message_id, announcement.title) for _, message_id, announcement in self.channels[channel].taken]


def test_a_failure_says_what_why_since_when_and_what_next() -> None:
    office = Office()
    office.terms = IncidentTerms(incident_after=2)
    office.end(message="connection to hunter22 lost")
    run_id = office.end(
        message="disk full\nhunter22",
        certificate=DeathCertificate(
            cause=None,
            exit_code=3,
            message="disk full\nhunter22",
            log_tail=tuple(f"line {n} hunter22" for n in range(50)),
        ),
    )
    assert office.tell().sent == 1
    _, _, said = office.channels[0].taken[0]
    assert said.title.startswith("sales failed")
    assert "fails since" in said.summary and "failure number 2" in said.summary
    facts = dict(said.facts)
    assert facts["run"] == str(run_id) and facts["pipeline"] == "sales" and facts["exit code"] == "3"
    assert facts["started by"] == "user:ann" and facts["known from"] == "exit" and "UTC" in facts["ended"]
    assert said.lines == tuple(f"line {n} •••" for n in range(30, 50))
    assert [command for command, _ in said.next_steps][:2] == [f"kubescribe show {run_id}", f"kubescribe logs {run_id}"]
    assert said.link == f"https://ks.example.org/runs/{run_id}"
    assert "hunter22" not in repr(office.channels[0].taken)


def test_a_recovery_follows_its_failure() -> None:
    office = Office()
    office.end()
    office.end(well=True)
    office.end(well=True)
    assert office.tell().sent == 2
    assert [title for _, title in office.told()] == ["sales failed: error", "sales works again"]
    said = office.channels[0].taken[1][2]
    assert "had failed since" in said.summary and "in 1 run." in said.summary and said.text is None


def test_one_channel_does_not_wait_for_another() -> None:
    mail, slack = MemoryChannel("email", ("ann@example.org", "bob@example.org")), MemoryChannel("slack")
    office = Office(mail, slack)
    for number in range(3):
        office.end(f"sales{number}")
    mail.answers = [NotDelivered("away", channel_down=True)]
    done = office.tell()
    assert (len(mail.taken), len(slack.taken), done.sent) == (0, 3, 3)
    assert done.problems == ("email to ann@example.org about sales0: away; tried again in 29 s",)
    office.database.advance(LONGEST_WAIT)
    assert office.tell().sent == 6
    assert {address for address, *_ in mail.taken} == {"ann@example.org", "bob@example.org"}


def test_who_is_refused_keeps_nobody_else_from_getting_theirs() -> None:
    mail = MemoryChannel("email", ("ann@example.org", "bob@example.org"))
    office = Office(mail)
    office.end()
    mail.answers = [NotDelivered("no such user", permanent=True)]
    done = office.tell()
    assert (done.sent, done.dead) == (1, 1)
    assert [address for address, *_ in mail.taken] == ["bob@example.org"]
    (dead,) = asyncio.run(office.outbox.dead("default"))
    assert (dead.address, dead.error) == ("ann@example.org", "no such user")


def test_a_channel_that_asks_for_a_moment_gets_it() -> None:
    office = Office()
    for number in range(4):
        office.end(f"pipeline{number}")
    office.channels[0].answers = [NotDelivered("slow down", retry_after=1.0, channel_down=True)] * 2
    # Another sender's clock is not the database's: what waits is taken up by a later pass.
    assert office.tell().sent == 2
    office.database.advance(60)
    assert office.tell().sent == 2
    office.end("last")
    office.channels[0].answers = [NotDelivered("slow down", retry_after=3600.0, channel_down=True)]
    assert office.tell().sent == 0
    office.database.advance(3000)
    assert office.tell().sent == 0
    office.database.advance(601)
    assert office.tell().sent == 1


def test_a_server_that_was_away_for_a_day_gets_everything_then() -> None:
    office = Office()
    for number in range(5):
        office.end(f"sales{number}")
    for _ in range(24 * 4):
        office.channels[0].answers = [NotDelivered("away", channel_down=True)]
        assert office.tell().sent == 0
        office.database.advance(900)
    office.channels[0].answers = []
    assert office.tell().sent + office.tell().sent == 5
    assert len(set(office.told())) == 5


def test_what_is_tried_in_vain_for_days_is_given_up() -> None:
    office = Office()
    office.end()
    passes = 0
    while office.database.deliveries == [] or office.database.deliveries[0].delivery.status == "due":
        office.channels[0].answers = [NotDelivered("away")]
        office.tell()
        office.database.advance(LONGEST_WAIT)
        passes += 1
    assert GIVE_UP_AFTER / LONGEST_WAIT <= passes <= GIVE_UP_AFTER / LONGEST_WAIT + 6
    office.end("other")
    assert office.tell().sent == 1


@pytest.mark.parametrize("days", [3.5, 6.5])
def test_what_was_written_while_no_sender_was_there_is_tried_more_than_once(days: float) -> None:
    office = Office()
    office.end()
    office.database.advance(days * 86_400)
    office.channels[0].answers = [NotDelivered("451 come again, says a grey list")]
    assert (office.tell().dead, office.channels[0].taken) == (0, [])
    office.database.advance(LONGEST_WAIT)
    assert office.tell().sent == 1


def test_what_is_new_is_not_given_up_with_what_is_old() -> None:
    """The channel is down for three days; the last failure is from a minute before the first message is given up."""
    office = Office(collecting=Collecting())
    channel = office.channels[0]
    office.end("old")
    for day in range(1, 4 * 86_400 // int(LONGEST_WAIT)):
        if day % 96 == 2:
            office.end(f"day{day // 96}")
        channel.answers = [NotDelivered("away", channel_down=True)]
        office.tell()
        office.database.advance(LONGEST_WAIT)
    channel.answers = []
    office.tell()
    dead = asyncio.run(office.outbox.dead("default"))
    assert [one.pipeline for one in dead] == ["old"]
    said = [said for *_, said in channel.taken]
    assert {entry.name for one in said for entry in one.entries} == {"day0", "day1", "day2", "day3"}


def test_a_defect_at_one_message_keeps_no_other() -> None:
    office = Office()

    class Broken(MemoryChannel):
        async def send(self, announcement: Any, address: str, message_id: str) -> None:
            if "bad" in announcement.title:
                raise RuntimeError("a defect: hunter22")
            await super().send(announcement, address, message_id)

    office = Office(Broken())
    for pipeline in ("good", "bad", "better"):
        office.end(pipeline)
    done = office.tell()
    assert done.sent == 2 and "RuntimeError" in done.problems[0] and "hunter22" not in done.problems[0]


@pytest.mark.parametrize("error", [RuntimeError("a defect: hunter22"), DatabaseUnavailable("runlog", "away")])
def test_what_goes_wrong_at_composing_one_message_keeps_no_other_channel(error: Exception) -> None:
    mail, slack = MemoryChannel("email", ("ann@example.org",)), MemoryChannel("slack")
    office = Office(mail, slack)
    composed = office.announce

    async def broken(message: Message) -> Announcement:
        if (message.head.pipeline, message.head.channel) == ("bad", "email"):
            raise error
        for _ in range(20):  # the other channel is slower
            await asyncio.sleep(0)
        return await composed(message)

    office.announce = broken
    for pipeline in ("bad", "good", "better"):
        office.end(pipeline)
    if isinstance(error, DatabaseUnavailable):
        with pytest.raises(DatabaseUnavailable):
            office.tell()
        assert len(slack.taken) == 3, "a pass ends when all of it has ended"
        return
    done = office.tell()
    assert (len(mail.taken), len(slack.taken), done.sent) == (2, 3, 5)
    assert "RuntimeError" in done.problems[0] and "hunter22" not in done.problems[0]
    for _ in range(400):
        office.database.advance(LONGEST_WAIT)
        office.tell()
    (dead,) = asyncio.run(office.outbox.dead("default"))
    assert dead.pipeline == "bad" and "hunter22" not in (dead.error or "")


def test_an_address_that_is_gone_from_the_settings_is_given_up() -> None:
    mail = MemoryChannel("email", ("ann@example.org", "bob@example.org"))
    office = Office(mail)
    office.end()
    mail.answers = [NotDelivered("away", channel_down=True)]
    office.tell()
    mail.addresses = ("bob@example.org",)
    office.database.advance(LONGEST_WAIT)
    assert office.tell().sent == 1
    (dead,) = asyncio.run(office.outbox.dead("default"))
    assert dead.address == "ann@example.org" and "not configured" in (dead.error or "")


def test_a_run_whose_record_is_gone_is_told_of_all_the_same() -> None:
    office = Office()
    run_id = office.end()
    del office.database.runs[run_id]
    assert office.tell().sent == 1
    assert dict(office.channels[0].taken[0][2].facts)["run"] == str(run_id)


@pytest.mark.parametrize(("step", "time"), list(itertools.product(STEPS, (1, 2, 3))))
def test_a_sender_that_dies_between_two_steps_loses_nothing(step: str, time: int) -> None:
    """Every message arrives; who dies after the other side took it causes one more, with the same id."""
    office = Office()
    for number in range(3):
        office.end(f"pipeline{number}")
    office.end("pipeline1", well=True)
    with armed(f"{step}@{time}=raise"):
        try:
            office.tell()
        except FailpointError:
            crashed = True
        else:
            crashed = False
    assert crashed or (step, time) in {("notify.planned", 2), ("notify.planned", 3)}
    office.database.advance(LEASE + 1)
    office.tell()
    told = office.told()
    assert len(set(told)) == 4
    assert len({message_id for message_id, _ in told}) == 4
    assert len(told) == (5 if step == "notify.sent" else 4)
    assert told.index(next(one for one in told if one[1] == "pipeline1 failed: error")) < told.index(
        next(one for one in told if one[1] == "pipeline1 works again")
    )
    assert asyncio.run(office.outbox.standing("default")).due == 0


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from("abc"), st.booleans()),
        st.tuples(st.just("pass"), st.sampled_from(("well", "temporary", "permanent", "down", "lost answer"))),
        st.tuples(st.just("crash"), st.sampled_from(STEPS[1:]), st.integers(1, 3)),
        st.tuples(st.just("time"), st.integers(1, 2000)),
    ),
    max_size=40,
)


@settings(max_examples=150)
@given(EVENTS)
def test_whatever_happens_each_is_told_or_given_up_and_in_order(events: list[tuple[Any, ...]]) -> None:
    """FAULTS I-19, I-20: under virtual time, with any answers and crashes."""

    class Forgetful(MemoryChannel):
        """It may take a message and not say so."""

        forgets = False

        async def send(self, announcement: Any, address: str, message_id: str) -> None:
            await super().send(announcement, address, message_id)
            if self.forgets:
                raise NotDelivered("no answer")

    channel = Forgetful()
    office = Office(channel)
    for event in events:
        if event[0] == "run":
            office.end(event[1], well=event[2])
        elif event[0] == "time":
            office.database.advance(event[1])
        elif event[0] == "crash":
            with armed(f"{event[1]}@{event[2]}=raise"), contextlib.suppress(FailpointError):
                office.tell()
        else:
            channel.forgets = event[1] == "lost answer"
            if event[1] in ("temporary", "permanent", "down"):
                channel.answers = [
                    NotDelivered("no", permanent=event[1] == "permanent", channel_down=event[1] == "down")
                ]
            office.tell()
            channel.answers, channel.forgets = [], False
    for _ in range(2 + len(events)):
        office.database.advance(LONGEST_WAIT + LEASE)
        office.tell()
    notices = [kept for kept in office.database.notices if kept.notice.kind != GREW]
    ids = {f"{kept.id}.{kept.notice.run_id}" for kept in notices}
    dead = {one.message_id for one in asyncio.run(office.outbox.dead("default", limit=1000))}
    told = [message_id for message_id, _ in office.told()]
    assert set(told) | dead == ids
    assert asyncio.run(office.outbox.standing("default")).due == 0
    for pipeline in "abc":
        first_told = list(
            dict.fromkeys(
                message_id for _, message_id, said in channel.taken if dict(said.facts)["pipeline"] == pipeline
            )
        )
        assert first_told == sorted(first_told, key=lambda one: int(one.partition(".")[0]))
        kinds = [kept.notice.kind for kept in notices if kept.notice.pipeline == pipeline]
        assert kinds == ([OPENED, RECOVERED] * len(kinds))[: len(kinds)]


def test_hostile_texts_are_held_in_bounds() -> None:
    office = Office()
    evil = "\x1b[31m\u202egnp.exe\0" + "x" * 5_000_000
    office.end(
        message=evil[:4000],
        certificate=DeathCertificate(message=evil[:4000], log_tail=(evil, "a\r\nBcc: evil@example.org", "\ud800")),
    )
    assert office.tell().sent == 1
    said = office.channels[0].taken[0][2]
    whole = msgspec.json.encode(said).decode()
    assert len(whole) < 30_000
    for character in ("\x1b", "\u202e", "\0", "\r", "\\u0000", "\\u001b"):
        assert character not in whole


def test_five_hundred_failures_in_five_minutes_are_three_messages_that_list_them_all() -> None:
    """FAULTS N5, with a look every two seconds."""
    mail, slack = MemoryChannel("email", ("ann@example.org", "bob@example.org")), MemoryChannel("slack")
    office = Office(mail, slack, collecting=Collecting())
    for number in range(500):
        office.end(f"pipeline{number}", message=f"table {number} is gone")
        office.database.advance(0.6)
        if number % 3 == 0:
            office.tell()
    for _ in range(200):
        office.database.advance(2.0)
        office.tell()
    to_ann = [said for address, _, said in mail.taken if address == "ann@example.org"]
    to_bob = [said for address, _, said in mail.taken if address == "bob@example.org"]
    for told in (to_ann, to_bob, [said for *_, said in slack.taken]):
        assert len(told) == 3
        assert told[0].title == "pipeline0 failed: error", "the first goes out at once, with all that is known"
        listed = ["pipeline0", *(entry.name for said in told[1:] for entry in said.entries)]
        assert sorted(listed) == sorted(f"pipeline{number}" for number in range(500))
        assert all(said.more == 0 for said in told)
        assert "failed: error (table 499 is gone); since" in told[-1].entries[-1].text
        assert told[-1].entries[-1].link and told[-1].title.endswith("more fail")


def test_a_day_without_the_channel_is_two_messages_in_order() -> None:
    office = Office(collecting=Collecting())
    channel = office.channels[0]
    for hour in range(24):
        office.end(f"pipeline{hour % 7}")
        if hour % 5 == 4:
            office.end(f"pipeline{hour % 7}", well=True)
        for _ in range(6):
            channel.answers = [NotDelivered("away", channel_down=True)]
            office.tell()
            channel.answers = []
            office.database.advance(600)
    assert channel.taken == []
    office.database.advance(LONGEST_WAIT)
    for _ in range(200):
        office.tell()
        office.database.advance(10)
    first, rest = (said for *_, said in channel.taken)
    assert first.title == "pipeline0 failed: error"
    assert {entry.name for entry in rest.entries} == {f"pipeline{number}" for number in range(7)}
    states = {entry.name: entry.text.partition(";")[0] for entry in rest.entries}
    assert states["pipeline4"].startswith("failed"), states
    assert states["pipeline5"] == "works again", states
    assert rest.entries[-1].text.startswith("works again"), "what fails comes first"
    assert asyncio.run(office.outbox.standing("default")).due == 0


def test_the_last_success_is_told() -> None:
    office = Office()
    office.end(well=True)
    office.end()
    assert office.tell().sent == 1
    facts = dict(office.channels[0].taken[0][2].facts)
    assert facts["last success"].endswith("s") and "UTC, took" in facts["last success"]


def test_what_the_rules_lead_to_nobody_is_done_with() -> None:
    office = Office(rules=Rules((Rule(to=(("memory", None),), pipelines=("sales",)),)))
    office.end("sales")
    office.end("stock")
    assert office.tell().sent == 1
    assert [kept.status for kept in office.database.notices] == ["planned", "silent"]
    assert asyncio.run(office.outbox.standing("default")).due == 0


def test_a_channel_that_puts_things_together_itself_gets_each_at_once() -> None:
    office = Office(MemoryChannel(alone=True), collecting=Collecting())
    for number in range(5):
        office.end(f"pipeline{number}")
    assert office.tell().sent == 5
    assert all(not said.entries for *_, said in office.channels[0].taken)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("collecting", [ALONE, Collecting()], ids=["alone", "together"])
def test_a_sender_that_dies_says_the_same_again(step: str, collecting: Collecting) -> None:
    """A duplicate has the id and the notices of the first, whatever has happened meanwhile."""
    office = Office(collecting=collecting)
    for number in range(3):
        office.end(f"pipeline{number}")
    with armed(f"{step}=raise"), pytest.raises(FailpointError):
        office.tell()
    office.end("pipeline7")
    for _ in range(50):
        office.database.advance(LEASE)
        office.tell()
    by_id: dict[str, set[str]] = {}
    for _, message_id, said in office.channels[0].taken:
        by_id.setdefault(message_id, set()).add(said.title)
    assert all(len(titles) == 1 for titles in by_id.values())
    assert len(office.channels[0].taken) == len(by_id) + (step == "notify.sent")
    told = [name for *_, said in office.channels[0].taken for name in (dict(said.facts).get("pipeline"), *said.entries)]
    names = {getattr(one, "name", one) for one in told} - {None}
    assert names == {"pipeline0", "pipeline1", "pipeline2", "pipeline7"}


def test_an_incident_is_told_again_until_somebody_has_it() -> None:
    office = Office()
    remind = Remind(tenant="default", reminders=MemoryReminders(office.database), every=4 * 3600.0, summary=None)

    def later(hours: float) -> list[str]:
        before = len(office.told())
        office.database.advance(hours * 3600)
        asyncio.run(remind())
        office.tell()
        return [title for _, title in office.told()[before:]]

    office.end()
    office.tell()
    assert later(3.9) == [] and later(0.2) == ["still: sales failed: error"]
    assert later(3.9) == [] and later(0.2) == ["still: sales failed: error"]
    office.end(well=True)
    assert later(10) == ["sales works again"]


def test_that_it_is_still_there_is_no_further_failure() -> None:
    office = Office(collecting=Collecting())
    remind = Remind(tenant="default", reminders=MemoryReminders(office.database), every=4 * 3600.0, summary=None)
    office.end("first")
    office.tell()
    office.end("second")
    for _ in range(3):
        office.database.advance(4 * 3600 + 1)
        asyncio.run(remind())
    office.tell()
    said = office.channels[0].taken[-1][2]
    assert said.summary.startswith("1 failure, 0 recoveries and 6 reminders between"), said.summary
    assert {entry.name: entry.text.partition(":")[0] for entry in said.entries} == dict.fromkeys(
        ("first", "second"), "still"
    )


def test_a_week_is_summed_up_once() -> None:
    alerts = MemoryChannel("pagerduty", alone=True)
    office = Office(MemoryChannel(), alerts, collecting=Collecting())
    monday = Hours(begin=time(8), end=time(8), days=frozenset({0}), zone=UTC)
    remind = Remind(tenant="default", reminders=MemoryReminders(office.database), every=1e9, summary=monday)
    for number in range(5):
        office.end(f"pipeline{number % 2}", well=number != 3)
    office.tell()
    office.channels[0].taken.clear()
    alerts.taken.clear()
    for _ in range(8 * 24):
        asyncio.run(remind())
        office.tell()
        office.database.advance(3600)
    said = [message for *_, message in office.channels[0].taken]
    assert len(said) in (1, 2) and said[0].title == "The week: 5 runs, 1 failed, 1 incidents open"
    assert [(entry.name, entry.text) for entry in said[0].entries] == [("pipeline1", "1 of 2 runs failed")]
    assert dict(said[0].facts)["succeeded"] == "4" and alerts.taken == []


class OneASecond:
    """Slack's limit: what comes within a second of the last that was taken is 429."""

    def __init__(self) -> None:
        self.clock = MemoryClock()
        self.bodies: list[bytes] = []
        self.refused = 0
        self._last = -1.0

    async def post(self, url: WebhookUrl, body: bytes, headers: Any = None) -> HttpAnswer:
        now = self.clock.monotonic()
        if now - self._last < 1.0:
            self.refused += 1
            return HttpAnswer(status=429, text="slow down", retry_after=1.0)
        self._last = now
        self.bodies.append(body)
        return HttpAnswer(status=200)


def test_slack_at_its_limit_loses_nothing_of_five_hundred_and_keeps_the_order() -> None:
    """FAULTS N4: each notice by itself, 500 at once, a message a second."""
    slack = OneASecond()
    channel = SlackChannel(slack, {"webhook": WebhookUrl("https://hooks.example.org/x")})
    office = Office(channel)  # type: ignore[arg-type]
    slack.clock = office.clock
    for number in range(500):
        office.end(f"pipeline{number // 2}", well=number % 2 == 1)
    passes = 0
    while asyncio.run(office.outbox.standing("default")).due or not slack.bodies:
        before = office.clock.monotonic()
        office.tell()
        office.database.advance(31 + office.clock.monotonic() - before)
        office.clock.advance(31)
        passes += 1
        assert passes < 100
    shown = [msgspec.json.decode(body)["blocks"][-1]["elements"][0]["text"] for body in slack.bodies]
    ids = [int(text.split()[1].split(".")[0]) for text in shown]
    assert sorted(ids) == list(range(1, 501)) and slack.refused > 100
    assert all(ids.index(failed) < ids.index(failed + 1) for failed in range(1, 501, 2)), "a recovery after its failure"
