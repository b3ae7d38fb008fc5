"""Jobs that nobody asked KubeScribe for: of a schedule, by hand, and of CronJobs that know nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from kubescribe.application.redaction import MASK
from kubescribe.domain.actor import CLUSTER, SCHEDULE
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence, Trigger
from kubescribe.domain.run_status import RunStatus
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_container, a_cron_job, a_job, a_pod_template, fired, made_by_hand
from tests.support.kube.resources import Json
from tests.support.kube.world import ClusterWorld

SLOT = (datetime.now(UTC) - timedelta(minutes=5)).replace(second=0, microsecond=0)


def uid(thing: Json) -> UUID:
    return UUID(thing["metadata"]["uid"])


def test_a_job_of_the_schedule_is_a_run_with_its_slot(world: ClusterWorld, node: Node) -> None:
    job = world.namespace.create(fired(world.apply("totals"), SLOT))
    world.reconcile()
    run = world.run(uid(job))
    assert (run.trigger, run.slot, run.actor) == (Trigger.SCHEDULE, SLOT, SCHEDULE)
    done = world.ended(run.id)
    assert (done.status, done.evidence, done.attempts) == (RunStatus.SUCCEEDED, Evidence.LEDGER, 1), done.message


def test_a_job_of_the_schedule_needs_nobody(world: ClusterWorld, node: Node) -> None:
    job = world.namespace.create(fired(world.apply("totals"), SLOT))
    world.namespace.finished(job["metadata"]["name"])
    run = world.run(uid(job))  # before anybody has looked
    assert (run.status, run.trigger, run.slot, run.actor) == (RunStatus.SUCCEEDED, Trigger.SCHEDULE, SLOT, SCHEDULE)
    world.reconcile()
    assert world.run(run.id) == run


def test_a_job_made_by_hand_is_a_run_without_a_slot(world: ClusterWorld, node: Node) -> None:
    job = world.namespace.create(made_by_hand(world.apply("totals"), "totals-20261231"))
    done = world.ended_after_adoption(uid(job))
    assert (done.status, done.trigger, done.slot, done.actor) == (RunStatus.SUCCEEDED, Trigger.MANUAL, None, CLUSTER)


def shell(script: str) -> Json:
    return a_job("cleanup", a_pod_template([a_container("sh", "-c", script)]))


def adopted(world: ClusterWorld, script: str) -> Json:
    """A CronJob of somebody's, which has our label and nothing else of ours."""
    cron_job = a_cron_job("cleanup", shell(script))
    cron_job["metadata"]["labels"] = {"kubescribe.io/pipeline": "cleanup"}
    return world.namespace.create(cron_job)


class TestWithoutOurSupervisor:
    def test_it_is_observed_to_its_end(self, world: ClusterWorld, node: Node) -> None:
        job = world.namespace.create(fired(adopted(world, "echo swept; exit 0"), SLOT))
        done = world.ended_after_adoption(uid(job))
        assert (done.status, done.evidence, done.slot) == (RunStatus.SUCCEEDED, Evidence.EXIT, SLOT), done.message
        (attempt,) = world.attempts(done.id)
        assert attempt.certificate is not None and attempt.certificate.cause is None
        assert attempt.certificate.log_tail == ("swept",)
        assert attempt.whereabouts.node == node.name

    def test_it_runs_as_long_as_its_pod_does(self, world: ClusterWorld, node: Node) -> None:
        job = world.namespace.create(fired(adopted(world, "echo at work; sleep 600"), SLOT))
        world.namespace.running(job["metadata"]["name"])
        run = world.until_adopted(uid(job), RunStatus.RUNNING)
        world.reconcile()
        assert world.run(run.id) == run
        cancelled = world.cancel(run.id)
        assert cancelled.status is RunStatus.CANCELLING
        assert world.ended(run.id).status is RunStatus.CANCELLED
        assert not world.namespace.listed("pods")

    def test_its_failure_has_kubernetes_words_and_its_last_lines(self, world: ClusterWorld, node: Node) -> None:
        job = world.namespace.create(fired(adopted(world, "echo no disk left >&2; exit 3"), SLOT))
        done = world.ended_after_adoption(uid(job))
        assert (done.status, done.cause) == (RunStatus.FAILED, FailureCause.EXIT_CODE)
        (attempt,) = world.attempts(done.id)
        assert attempt.certificate is not None
        assert (attempt.certificate.exit_code, attempt.certificate.log_tail) == (3, ("no disk left",))

    def test_what_it_prints_of_its_secrets_is_not_on_record(self, world: ClusterWorld, node: Node) -> None:
        script = "echo postgresql://etl:hunter2hunter2@db/sales; echo PGPASSWORD=hunter2hunter2; exit 3"
        job = world.namespace.create(fired(adopted(world, script), SLOT))
        done = world.ended_after_adoption(uid(job))
        (attempt,) = world.attempts(done.id)
        assert attempt.certificate is not None
        assert attempt.certificate.log_tail == (f"postgresql://etl:{MASK}@db/sales", f"PGPASSWORD={MASK}")
        for table in ("run", "attempt", "event", "outbox"):
            with psycopg.connect(world.environ["RUNLOG_DB_URL"]) as connection:
                rows = repr(connection.execute(f"SELECT {table}::text FROM {table}").fetchall())
            assert "hunter2" not in rows, table
