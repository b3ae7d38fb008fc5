"""What somebody has done, and does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pytest_bdd import given, parsers, when

from tests.features.steps.story import Story, it_runs, the_record
from tests.features.world import Ended, World

SCRIPTS = Path(__file__).parents[3] / "examples" / "scripts"


@given(parsers.parse('the pipeline "{name}" that reads the orders and publishes the report "{report}"'))
@given(parsers.parse('the pipeline "{name}" that reads the orders and publishes nothing'))
@given(parsers.parse('the pipeline "{name}" whose schedule is by a clock that goes back in autumn'))
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
@when("it is resumed")
def is_resumed(world: World, story: Story) -> None:
    world.resume(story.pipeline)


@when("its slot comes")
def its_slot_comes(world: World, story: Story) -> None:
    story.slot = (datetime.now(UTC) - timedelta(minutes=5)).replace(second=0, microsecond=0)
    story.ended = world.run(story.pipeline, {}, slot=story.slot.isoformat())
    story.run_id = story.ended.run_id


@when(parsers.parse("its slot comes for the {which} time in that night"))
def its_slot_comes_again(world: World, story: Story, which: str) -> None:
    now = datetime.now(UTC)
    first, second = max(both for year in (now.year - 1, now.year) if (both := _fold(year))[1] <= now)
    story.slot = {"first": first, "second": second}[which]
    story.ended = world.run(story.pipeline, {}, slot=story.slot.isoformat())
    story.run_id = story.ended.run_id


def _fold(year: int) -> tuple[datetime, datetime]:
    """When it is 02:30 in Berlin, in the night of that year in which the clock goes back."""
    (second,) = (
        datetime(year, 10, day, 1, 30, tzinfo=UTC) for day in range(25, 32) if date(year, 10, day).isoweekday() == 7
    )
    return second - timedelta(hours=1), second


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
