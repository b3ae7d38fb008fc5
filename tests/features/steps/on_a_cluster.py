"""What is done on a cluster by those who administer it, by its nodes and by itself, and what is seen there."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from kubescribe.domain.actor import CLUSTER, SCHEDULE
from kubescribe.domain.run import Trigger
from tests.features.cluster_world import ClusterWorld
from tests.features.steps.story import Story, the_record


@given("its CronJob is not on the cluster")
def not_on_the_cluster(world: ClusterWorld, story: Story) -> None:
    world.remove_cron_job(story.pipeline)


@given(
    parsers.parse(
        'somebody\'s CronJob with the label of the pipeline "{name}" that prints "{line}" and exits with {code:d}'
    )
)
def somebodys_cron_job(world: ClusterWorld, story: Story, name: str, line: str, code: int) -> None:
    story.pipeline = name
    world.make_foreign_cron_job(name, f"echo {line}; exit {code}")


@when("somebody makes a Job of its CronJob")
def made_by_hand(world: ClusterWorld, story: Story) -> None:
    story.ended = world.run_by_hand(story.pipeline)
    story.run_id = story.ended.run_id


@when("its container runs out of memory")
def out_of_memory(world: ClusterWorld, story: Story) -> None:
    assert story.run_id is not None
    world.run_out_of_memory(story.run_id)


@when("its pod is evicted")
def evicted(world: ClusterWorld, story: Story) -> None:
    assert story.run_id is not None
    world.evict(story.run_id)


@when("another pod works on it")
def another_pod(world: ClusterWorld, story: Story) -> None:
    assert story.run_id is not None
    world.until_at_work(story.run_id, attempt=2)


@when("somebody deletes its Job")
def job_deleted(world: ClusterWorld, story: Story) -> None:
    assert story.run_id is not None
    world.delete_job(story.run_id)


@then("its record names the slot, and the schedule as who started it")
def of_the_schedule(world: ClusterWorld, story: Story) -> None:
    run = the_record(world, story).run
    assert (run.trigger, run.actor, run.slot) == (Trigger.SCHEDULE, SCHEDULE, story.slot)


@then('its record names "cluster" as who started it')
def of_the_cluster(world: ClusterWorld, story: Story) -> None:
    run = the_record(world, story).run
    assert (run.trigger, run.actor, run.slot) == (Trigger.MANUAL, CLUSTER, None)


@then("its CronJob is suspended")
def is_suspended(world: ClusterWorld, story: Story) -> None:
    world.until_suspended(story.pipeline, True)


@then("its CronJob is not suspended")
def is_not_suspended(world: ClusterWorld, story: Story) -> None:
    world.until_suspended(story.pipeline, False)


@then(parsers.parse('its death certificate has the line "{line}"'))
def certificate_line(world: ClusterWorld, story: Story, line: str) -> None:
    (attempt,) = the_record(world, story).attempts
    assert attempt.certificate is not None
    assert attempt.certificate.log_tail == (line,)
