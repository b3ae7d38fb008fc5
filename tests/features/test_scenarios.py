"""The steps of ``features/*.feature``. Plain functions: pytest-bdd never awaits an ``async def`` step."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from kubescribe.domain.report_query import Filter, Operator, RowQuery, Sort
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.version_difference import VersionDifference

from .pipelines import let_go
from .world import Browsed, Ended, Follower, Record, World

SCRIPTS = Path(__file__).parents[2] / "examples" / "scripts"

scenarios("../../features")


class Story:
    """What happened so far in the scenario."""

    def __init__(self) -> None:
        self.pipeline = ""
        self.ended = Ended(-1, "nothing has run yet")
        self.run_id: UUID | None = None
        self.runs: list[UUID] = []
        """Those that were asked for, in their order."""
        self.pages: list[UUID] = []
        self.first_rows: list[dict[str, Any]] | None = None
        self.first_run: UUID | None = None
        self.browsed: list[Browsed] = []
        self.question = RowQuery(report="")
        self.compared: VersionDifference | None = None
        self.follower: Follower | None = None
        self.lines: list[str] = []
        """Of the log, as they were seen."""
        self.place: str | None = None
        self.anchor: str | None = None


@pytest.fixture
def story() -> Story:
    return Story()


def the_record(world: World, story: Story) -> Record:
    assert story.run_id is not None, story.ended.told
    return world.record(story.run_id)


def the_notes(world: World, story: Story, kind: str) -> list[dict[str, Any]]:
    return [note.data for note in the_record(world, story).notes if note.kind == kind]


def it_runs(world: World, story: Story, parameters: dict[str, str], retries: int | None = None) -> None:
    story.ended = world.run(story.pipeline, parameters, retries=retries)
    story.run_id = story.ended.run_id


# -- given -----------------------------------------------------------------------------------------------------------


@given(parsers.parse('the pipeline "{name}" that reads the orders and publishes the report "{report}"'))
@given(parsers.parse('the pipeline "{name}" that reads the orders and publishes nothing'))
def the_pipeline(story: Story, name: str) -> None:
    story.pipeline = name


@given(parsers.parse('it has run with "{name}" set to "{value}"'))
@when(parsers.parse('it has run with "{name}" set to "{value}"'))
def it_has_run(world: World, story: Story, name: str, value: str) -> None:
    it_runs(world, story, {name: value})
    assert story.ended.exit_code == 0, story.ended.told
    if story.first_rows is None:
        story.first_rows, story.first_run = world.rows("totals"), story.run_id


@given("a run of it that waits in the middle of its work")
def a_run_that_waits(story: Story) -> None:
    assert story.pipeline


@given("a run of it whose supervisor is killed right after it has published")
def killed_after_publishing(world: World, story: Story) -> None:
    story.run_id = world.run_and_kill(story.pipeline, after_publishing=True)
    assert the_record(world, story).run.status == "running"


# -- when ------------------------------------------------------------------------------------------------------------


@when(parsers.parse('it is rehearsed with "{name}" set to "{value}"'))
def is_rehearsed(world: World, story: Story, name: str, value: str) -> None:
    story.ended = world.run(story.pipeline, {name: value}, rehearse=True)
    story.run_id = story.ended.run_id


def it_is_triggered(world: World, story: Story, parameters: dict[str, str], key: str | None = None) -> None:
    asked(story, world.trigger(story.pipeline, parameters, key=key))


def asked(story: Story, ended: Ended) -> None:
    story.ended = ended
    if ended.run_id is not None:
        story.run_id = ended.run_id
        story.runs.append(ended.run_id)


@given(parsers.parse('it was triggered with "{name}" set to "{value}" under the key "{key}"'))
@when(parsers.parse('it is triggered with "{name}" set to "{value}" under the key "{key}"'))
def triggered_under_a_key(world: World, story: Story, name: str, value: str, key: str) -> None:
    it_is_triggered(world, story, {name: value}, key)


@when(parsers.parse('it is triggered with "{name}" set to "{value}" and "{other}" set to "{further}"'))
def triggered_with_two(world: World, story: Story, name: str, value: str, other: str, further: str) -> None:
    it_is_triggered(world, story, {name: value, other: further})


@given(parsers.parse('it was triggered under the key "{key}"'))
def triggered_plain(world: World, story: Story, key: str) -> None:
    it_is_triggered(world, story, {}, key)


@when(parsers.parse('the pipeline "{name}" is triggered'))
def another_is_triggered(world: World, story: Story, name: str) -> None:
    story.pipeline = name
    it_is_triggered(world, story, {})


@given("the triggered run has ended")
@when("the triggered run has ended")
def the_triggered_run_has_ended(world: World, story: Story) -> None:
    assert story.run_id is not None, story.ended.told
    world.until_ended(story.run_id)


@given("a triggered run of it is at work")
def a_run_is_at_work(world: World, story: Story) -> None:
    story.run_id = world.trigger_and_wait_until_at_work(story.pipeline)


@when(parsers.parse('it is cancelled because "{reason}"'))
def is_cancelled(world: World, story: Story, reason: str) -> None:
    assert story.run_id is not None
    story.ended = world.cancel(story.run_id, reason=reason)


@when(parsers.parse('it is retried under the key "{key}"'))
def is_retried(world: World, story: Story, key: str) -> None:
    assert story.run_id is not None
    story.runs = [story.run_id]
    asked(story, world.retry(story.run_id, key=key))


@when(parsers.parse('the first run is retried under the key "{key}"'))
def the_first_is_retried(world: World, story: Story, key: str) -> None:
    asked(story, world.retry(story.runs[0], key=key))


@given(parsers.parse('it is paused because "{reason}"'))
def is_paused(world: World, story: Story, reason: str) -> None:
    world.pause(story.pipeline, reason=reason)


@given("it is resumed")
def is_resumed(world: World, story: Story) -> None:
    world.resume(story.pipeline)


@when(parsers.parse('it runs for the slot "{slot}"'))
def runs_for_a_slot(world: World, story: Story, slot: str) -> None:
    story.ended = world.run(story.pipeline, {}, slot=slot)
    story.run_id = story.ended.run_id


@given(parsers.parse("it has run {count:d} times"))
def has_run_times(world: World, story: Story, count: int) -> None:
    for _ in range(count):
        it_runs(world, story, {})
        assert story.run_id is not None
        story.runs.append(story.run_id)


@when(parsers.parse("the history is read by pages of {limit:d}, with a further run after the first page"))
def the_history_is_read(world: World, story: Story, limit: int) -> None:
    page = world.page(limit, None)
    it_runs(world, story, {})
    story.pages += page.runs
    while page.next is not None:
        page = world.page(limit, page.next)
        assert len(page.runs) <= limit
        story.pages += page.runs


@when("it runs")
def runs_plain(world: World, story: Story) -> None:
    it_runs(world, story, {})


@when(parsers.re(r'it runs with "(?P<name>\w+)" set to "(?P<value>[^"]*)"$'))
def runs_with(world: World, story: Story, name: str, value: str) -> None:
    it_runs(world, story, {name: value})


@when(parsers.re(r'it runs with "(?P<name>\w+)" set to "(?P<value>[^"]*)" and (?P<retries>\d+) retries'))
def runs_with_retries(world: World, story: Story, name: str, value: str, retries: str) -> None:
    it_runs(world, story, {name: value}, int(retries))


@when(parsers.parse('the pipeline "{name}" runs'))
def another_runs(world: World, story: Story, name: str) -> None:
    story.pipeline = name
    it_runs(world, story, {})


@when("its supervisor and its worker are killed")
def killed_in_the_middle(world: World, story: Story) -> None:
    story.run_id = world.run_and_kill(story.pipeline, after_publishing=False)
    assert the_record(world, story).run.status == "running"


@when("the runs are looked after")
def looked_after(world: World) -> None:
    world.look_after_runs()


@when("the same run is started again")
def started_again(world: World, story: Story) -> None:
    run = the_record(world, story).run
    story.ended = world.run(run.pipeline, {"day": run.parameters["day"]}, run_id=run.id)


@when(parsers.parse('"{report}" is rolled back because "{reason}"'))
def rolled_back(world: World, story: Story, report: str, reason: str) -> None:
    story.ended = world.roll_back(report, to=None, reason=reason)
    assert story.ended.done, story.ended.told


@when(parsers.parse('"{report}" is rolled back to version {version:d}'))
def rolled_back_to(world: World, story: Story, report: str, version: int) -> None:
    story.ended = world.roll_back(report, to=version, reason=None)


@when(parsers.re(r'the script "(?P<script>[\w.]+)" runs under KubeScribe$'))
def script_runs(world: World, story: Story, script: str) -> None:
    story.ended = world.wrap([str(SCRIPTS / script)])
    story.run_id = story.ended.run_id


@when(parsers.re(r'the script "(?P<script>[\w.]+)" runs under KubeScribe and fails with (?P<code>\d+)'))
def script_fails(world: World, story: Story, script: str, code: str) -> None:
    story.ended = world.wrap([str(SCRIPTS / script), "--fail", code])
    story.run_id = story.ended.run_id


def look(world: World, story: Story, report: str, *, limit: int = 20, after: str | None = None, **asked: Any) -> None:
    if after is None:
        story.question = RowQuery(report=report, **asked)
    story.ended, page = world.browse(story.question, limit=limit, after=after)
    if page is not None:
        story.browsed.append(page)


@when(parsers.parse('somebody browses "{report}" as the first run left it'))
def browses_as_of_the_first_run(world: World, story: Story, report: str) -> None:
    look(world, story, report, as_of_run=story.first_run)


@when(parsers.parse('somebody browses "{report}" as of the version before the current one'))
def browses_the_version_before(world: World, story: Story, report: str) -> None:
    look(world, story, report, version=world.ledger(report)[1].version)


@when(parsers.parse('somebody browses "{report}" as of version {version:d}'))
def browses_a_version(world: World, story: Story, report: str, version: int) -> None:
    look(world, story, report, version=version)


@when(parsers.parse('somebody browses "{report}" downwards by "{by}", of "{one}" and "{other}" alone'))
def browses_sorted(world: World, story: Story, report: str, by: str, one: str, other: str) -> None:
    look(world, story, report, sort=(Sort(by, True),), filters=(Filter(by, Operator.IN, (one, other)),))


@when(parsers.parse('somebody browses "{report}" where "{name}" is "{value}"'))
def browses_where(world: World, story: Story, report: str, name: str, value: str) -> None:
    look(world, story, report, filters=(Filter(name, Operator.EQ, (value,)),))


@when(parsers.parse('somebody browses the first page of "{report}", of {limit:d} row'))
def browses_a_page(world: World, story: Story, report: str, limit: int) -> None:
    look(world, story, report, limit=limit)


@when("they go on with the next page")
def next_page(world: World, story: Story) -> None:
    assert story.browsed[-1].next is not None
    look(world, story, story.question.report, limit=1, after=story.browsed[-1].next)


@when("somebody follows its log")
def somebody_follows(world: World, story: Story) -> None:
    assert story.run_id is not None
    story.follower = world.follow(story.run_id)


@when("they are cut off")
def cut_off(story: Story) -> None:
    assert story.follower is not None
    story.place = story.follower.place
    story.follower.leave()


@when("they come back")
def come_back(world: World, story: Story) -> None:
    assert story.run_id is not None and story.place is not None
    story.follower = world.follow(story.run_id, story.place)


@when("it may go on")
def may_go_on(world: World, story: Story) -> None:
    assert story.run_id is not None
    let_go(story.run_id)
    world.until_ended(story.run_id)


@when("everything is sealed")
@given("everything is sealed")
def everything_is_sealed(world: World) -> None:
    world.seal()


@given("an anchor is kept elsewhere")
def an_anchor_is_kept(world: World, story: Story) -> None:
    story.anchor = world.anchor()


@when(parsers.parse('somebody changes in the database who is named by "{kind}"'))
def somebody_changes(world: World, kind: str) -> None:
    world.tamper(kind, "user:somebody.else")


@when(parsers.parse('somebody removes "{kind}" from the database'))
def somebody_removes(world: World, kind: str) -> None:
    world.tamper(kind, None)


@when("the audit is verified")
def the_audit_is_verified(world: World, story: Story) -> None:
    story.ended = world.verify_audit(story.anchor)


@when(parsers.parse('somebody compares the two last versions of "{report}"'))
def compares(world: World, story: Story, report: str) -> None:
    after, before = (one.version for one in world.ledger(report)[:2])
    story.compared = world.compare(report, before, after)


# -- then ------------------------------------------------------------------------------------------------------------


@then(parsers.parse("the run ends with exit code {code:d}"))
def exit_code(story: Story, code: int) -> None:
    assert story.ended.exit_code == code, story.ended.told


@then("it is refused")
def is_refused(story: Story) -> None:
    assert story.ended.refused, story.ended


@then(parsers.parse('it was told "{text}"'))
def was_told(story: Story, text: str) -> None:
    assert text in story.ended.told


@then(parsers.re(r'its record says "(?P<status>\w+)"$'))
def status(world: World, story: Story, status: str) -> None:
    run = the_record(world, story).run
    assert run.status == status, run.message


@then(parsers.parse('its record says "{status}" because of "{cause}"'))
def status_and_cause(world: World, story: Story, status: str, cause: str) -> None:
    run = the_record(world, story).run
    assert (run.status, run.cause) == (status, cause), run.message


@then(parsers.parse('its record rests on the "{evidence}"'))
def evidence(world: World, story: Story, evidence: str) -> None:
    assert the_record(world, story).run.evidence == evidence


@then(parsers.parse('its message holds "{text}"'))
def message(world: World, story: Story, text: str) -> None:
    assert text in (the_record(world, story).run.message or "")


@then(parsers.parse('its record names the parameter "{name}" as "{value}"'))
def parameter(world: World, story: Story, name: str, value: str) -> None:
    assert the_record(world, story).run.parameters[name] == value


@then(parsers.parse('its record names the input "{name}" with {rows:d} rows'))
def an_input(world: World, story: Story, name: str, rows: int) -> None:
    (told,) = the_notes(world, story, "input")
    assert (told["name"], told["rows"]) == (name, rows)
    assert told["bytes"] > 0
    assert told["snapshot"]
    assert told["fingerprint"]


@then(parsers.parse('its record names the report "{name}" with {rows:d} rows'))
def an_output(world: World, story: Story, name: str, rows: int) -> None:
    outputs = [one for one in the_notes(world, story, "output") if one.get("published")]
    assert [(one["report"], one["rows"]) for one in outputs] == [(name, rows)]


@then(parsers.parse('its record names the metric "{name}" as {value:d}'))
def a_metric(world: World, story: Story, name: str, value: int) -> None:
    assert {"name": name, "value": value} in the_notes(world, story, "metric")


@then("its record says who started it")
def who(world: World, story: Story) -> None:
    assert the_record(world, story).run.actor == "user:ada"


@then(parsers.parse('its output holds the line "{line}"'))
def output_line(world: World, story: Story, line: str) -> None:
    assert story.run_id is not None
    assert line in world.output(story.run_id)


@then("its output is that of the script")
def output_of_script(world: World, story: Story) -> None:
    assert story.run_id is not None
    lines = world.output(story.run_id)
    assert len(lines) > 3
    assert lines[-1].startswith("done")


@then(parsers.parse('every step of it left an event, from "{first}" to "{last}"'))
def events(world: World, story: Story, first: str, last: str) -> None:
    record = the_record(world, story)
    assert [event.kind for event in record.events] == [first, "run.running", last]
    assert all(event.actor for event in record.events)


@then(parsers.re(r"it took (?P<count>\d+) attempts?"))
def attempts(world: World, story: Story, count: str) -> None:
    record = the_record(world, story)
    assert record.run.attempts == len(record.attempts) == int(count)
    assert all(attempt.certificate for attempt in record.attempts)


@then(parsers.parse("its death certificate names the exit code {code:d}"))
def certificate(world: World, story: Story, code: int) -> None:
    (attempt,) = the_record(world, story).attempts
    assert attempt.certificate is not None
    assert attempt.certificate.exit_code == code


@then(parsers.parse("a further attempt of it is refused with exit code {code:d}"))
def refused(world: World, story: Story, code: int) -> None:
    run = the_record(world, story).run
    ended = world.run(run.pipeline, {}, run_id=run.id)
    assert ended.exit_code == code, ended.told
    assert the_record(world, story).run == run


@then(parsers.parse('readers of "{report}" see what the first run published'))
def readers_see_first(world: World, story: Story, report: str) -> None:
    assert story.first_rows
    assert world.rows(report) == story.first_rows


@then(parsers.parse('readers of "{report}" see what the run published'))
def readers_see(world: World, report: str) -> None:
    assert world.rows(report) == [
        {"customer": "ada", "amount": "30.00"},
        {"customer": "bob", "amount": "5.00"},
    ]


@then(parsers.parse('nobody can read the report "{report}"'))
def nobody_reads(world: World, report: str) -> None:
    assert world.rows(report) is None


@then(parsers.re(r'the ledger of "(?P<report>\w+)" has (?P<count>\d+) publications?'))
def ledger(world: World, report: str, count: str) -> None:
    assert len(world.ledger(report)) == int(count)


@then(parsers.parse('the newest publication of "{report}" is a "{kind}" because "{reason}"'))
def newest(world: World, report: str, kind: str, reason: str) -> None:
    publication = world.ledger(report)[0]
    assert (publication.kind, publication.reason, publication.actor) == (kind, reason, world.actor)


@then(parsers.parse('somebody is to be told that the run "{status}"'))
def notice(world: World, story: Story, status: str) -> None:
    assert world.notices() == [(story.run_id, f"run.{status}")]


@then("no run is on record")
def no_run(world: World) -> None:
    assert world.runs() == ()


@then(parsers.parse('the audit has the event "{kind}"'))
def audit(world: World, kind: str) -> None:
    assert (kind, world.actor) in world.audit()


@then("they see what the first run published")
def they_see_first(story: Story) -> None:
    assert story.first_rows
    assert story.browsed[-1].rows == story.first_rows, story.ended.told


@then(parsers.parse('readers of "{report}" do not see what the first run published'))
def readers_do_not_see_first(world: World, story: Story, report: str) -> None:
    assert world.rows(report) not in (None, story.first_rows)


@then("the page names the run that made it")
def page_names_run(story: Story) -> None:
    assert story.browsed[-1].run_id == story.first_run


@then(parsers.parse('they see the customers "{customers}"'))
def they_see_customers(story: Story, customers: str) -> None:
    assert [row["customer"] for row in story.browsed[-1].rows] == customers.split(", "), story.ended.told


@then("what they have seen is what the second run published")
def seen_second(story: Story) -> None:
    assert [row for page in story.browsed for row in page.rows] == [
        {"customer": "ada", "amount": "300.00"},
        {"customer": "bob", "amount": "50.00"},
    ]
    assert story.browsed[-1].next is None


@then(parsers.parse("it was told that {count:d} rows have changed"))
def told_changed(story: Story, count: int) -> None:
    assert story.compared is not None
    assert (story.compared.changed, story.compared.added, story.compared.removed) == (count, 0, 0)


@then("its record says that it was a rehearsal")
def was_a_rehearsal(world: World, story: Story) -> None:
    record = the_record(world, story)
    assert record.run.mode is RunMode.REHEARSE and not record.run.may_publish
    assert [attempt.fence for attempt in record.attempts] == [None]


@then(parsers.parse('it would have changed {changed:d} rows of "{report}", added {added:d} and removed {removed:d}'))
def would_have_changed(world: World, story: Story, report: str, changed: int, added: int, removed: int) -> None:
    (told,) = [note for note in the_notes(world, story, "output") if note.get("rehearsed")]
    found = told["difference"]
    assert told["report"] == report and not told["published"]
    assert (found["changed"], found["added"], found["removed"]) == (changed, added, removed)


@then("nothing of it is left in the report database")
def nothing_is_left(world: World) -> None:
    assert world.unpublished() == 0


@then("it is the same run as before")
def the_same_run(story: Story) -> None:
    assert story.ended.done, story.ended.told
    assert story.runs[-1] == story.runs[-2]


@then(parsers.re(r"there (is|are) (?P<count>\d+) runs? on record"))
def runs_on_record(world: World, count: str) -> None:
    assert len(world.runs()) == int(count)


@then("it is a retry of the run before")
def is_a_retry(world: World, story: Story) -> None:
    run = the_record(world, story).run
    assert (run.retry_of, run.trigger) == (story.runs[0], "retry")


@then("nothing of it is at work any more")
def nothing_is_at_work(world: World, story: Story) -> None:
    assert story.run_id is not None
    assert not world.at_work(story.run_id)


@then(parsers.parse('its record says that it was skipped because of "{reason}"'))
def was_skipped_because(world: World, story: Story, reason: str) -> None:
    assert the_record(world, story).run.skip_reason == reason


@then("nobody has to be told")
def nobody_has_to_be_told(world: World) -> None:
    assert world.notices() == []


@then(parsers.parse('the audit has "{first}" and then "{second}"'))
def the_audit_has_both(world: World, first: str, second: str) -> None:
    kinds = [kind for kind, _ in world.audit()]
    assert first in kinds and second in kinds[kinds.index(first) :]


@then(parsers.parse("the pages held the first {count:d} runs, newest first, once each"))
def the_pages_held(story: Story, count: int) -> None:
    assert story.pages == list(reversed(story.runs[:count]))


@then(parsers.parse('they see "{line}"'))
def they_see_line(story: Story, line: str) -> None:
    assert story.follower is not None
    assert story.follower.line() == line
    story.lines.append(line)


@then("they have seen all of its output, each line once and in order")
def they_have_seen_all(world: World, story: Story) -> None:
    assert story.follower is not None and story.run_id is not None
    while (line := story.follower.line()) is not None:
        story.lines.append(line)
    story.follower.leave()
    assert story.lines == world.output(story.run_id)
    assert len(story.lines) > 2


@then("the audit holds")
def the_audit_holds(story: Story) -> None:
    assert story.ended.exit_code == 0, story.ended.told


@then(parsers.parse('the audit says that something was "{breach}"'))
def the_audit_says(story: Story, breach: str) -> None:
    assert (story.ended.exit_code, breach in story.ended.told) == (65, True), story.ended.told


@then(parsers.parse('"{kind}" names who asked for it'))
def names_who_asked(world: World, kind: str) -> None:
    assert (kind, world.actor) in world.audit(), world.audit()
