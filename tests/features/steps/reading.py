"""What somebody looks at: reports, logs, the audit."""

from __future__ import annotations

from typing import Any

from pytest_bdd import given, parsers, when

from kubescribe.domain.report_query import Filter, Operator, RowQuery, Sort
from tests.features.markers import let_go
from tests.features.steps.story import Story
from tests.features.world import World


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


@when(parsers.parse('somebody compares the two last versions of "{report}"'))
def compares(world: World, story: Story, report: str) -> None:
    after, before = (one.version for one in world.ledger(report)[:2])
    story.compared = world.compare(report, before, after)


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
