"""What is seen afterwards."""

from __future__ import annotations

from pytest_bdd import parsers, then

from kubescribe.domain.run_mode import RunMode
from tests.features.steps.story import Story, the_notes, the_record
from tests.features.world import World


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
    assert the_record(world, story).run.actor == world.actor


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
    assert world.notices() == [(story.run_id, "incident.opened")]


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
