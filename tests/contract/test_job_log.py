"""RunLog as it is completed from what a cluster shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.memory.job_log import MemoryJobLog
from kubescribe.adapters.postgres.job_log import PostgresJobLog
from kubescribe.application.ports.job_log import JobLog
from kubescribe.domain.actor import RECONCILER, supervisor
from kubescribe.domain.attempt import Attempt, DeathCertificate
from kubescribe.domain.errors import RunNotFound
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.outcome import Outcome
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import HERE, a_claim, a_run, succeeded
from tests.support.runlogs import MemoryWorld, PostgresWorld, World

RUN, FIRST, SECOND = UUID(int=1), UUID(int=11), UUID(int=12)
OOM = DeathCertificate(
    cause=FailureCause.OOM_KILLED, reason="OOMKilled", log_tail=("at work",), recorded_by=RECONCILER, pod="pod-1"
)


@pytest.fixture
def job_log(world: World) -> Iterator[JobLog]:
    if isinstance(world, MemoryWorld):
        yield MemoryJobLog(world.database)
    else:
        assert isinstance(world, PostgresWorld)
        yield PostgresJobLog(world.engine)


def an_end(world: World, attempt_id: UUID = FIRST, **changes: Any) -> Attempt:
    created = world.run(world.run_log.get(RUN)).created_at
    made = Attempt(
        id=attempt_id,
        run_id=RUN,
        number=1,
        whereabouts=msgspec.structs.replace(HERE, pod="pod-1", node="node-1", namespace="runs", job=UUID(int=99)),
        started_at=created + timedelta(seconds=1),
        lease_until=created,
        ended_at=created + timedelta(seconds=2),
        certificate=OOM,
    )
    return msgspec.structs.replace(made, **changes)


def attempts(world: World) -> list[Attempt]:
    return sorted(world.run(world.history.attempts(RUN)), key=lambda one: one.number)


def test_which_runs_are_not_there_and_which_are_over(world: World, job_log: JobLog) -> None:
    world.run(world.run_log.create(a_run(RUN)))
    over = UUID(int=2)
    world.run(world.attempt_log.claim(a_claim(over, SECOND)))
    world.run(world.attempt_log.finish(SECOND, succeeded()))
    asked = {RUN, over, UUID(int=3)}
    assert world.run(job_log.unknown(asked)) == {UUID(int=3)}
    assert world.run(job_log.settled(asked)) == {over}
    assert world.run(job_log.unknown(set())) == world.run(job_log.settled(set())) == frozenset()


def test_an_attempt_that_nobody_knew_of_is_there_with_its_end(world: World, job_log: JobLog) -> None:
    run = world.run(world.run_log.create(a_run(RUN)))
    assert world.run(job_log.unfinished({FIRST})) == {FIRST}
    assert world.run(job_log.certify(an_end(world)))
    (kept,) = attempts(world)
    assert kept.certificate == OOM
    assert kept.whereabouts == an_end(world).whereabouts
    assert kept.ended_at is not None and kept.ended_at >= kept.started_at >= run.created_at
    assert world.run(job_log.unfinished({FIRST})) == frozenset()
    assert world.run(world.run_log.get(RUN)) == run, "no run is moved"


def test_it_is_written_once(world: World, job_log: JobLog) -> None:
    world.run(world.run_log.create(a_run(RUN)))
    world.run(job_log.certify(an_end(world)))
    other = msgspec.structs.replace(OOM, cause=FailureCause.EVICTED)
    assert not world.run(job_log.certify(an_end(world, certificate=other)))
    assert [one.certificate for one in attempts(world)] == [OOM]


def test_numbers_go_on(world: World, job_log: JobLog) -> None:
    world.run(world.attempt_log.claim(a_claim(RUN, FIRST)))
    world.run(job_log.certify(an_end(world, SECOND)))
    assert [(one.id, one.number) for one in attempts(world)] == [(FIRST, 1), (SECOND, 2)]


def test_one_that_is_known_gets_its_end_and_keeps_its_start(world: World, job_log: JobLog) -> None:
    claimed = world.run(world.attempt_log.claim(a_claim(RUN, FIRST)))
    early = claimed.attempt.started_at - timedelta(hours=1)  # by its node's clock
    assert world.run(job_log.certify(an_end(world, started_at=early, ended_at=early)))
    (kept,) = attempts(world)
    assert (kept.started_at, kept.certificate) == (claimed.attempt.started_at, OOM)
    assert kept.ended_at == kept.started_at
    assert world.run(world.run_log.get(RUN)).status is RunStatus.RUNNING


def test_its_own_word_stays(world: World, job_log: JobLog) -> None:
    world.run(world.attempt_log.claim(a_claim(RUN, FIRST)))
    world.run(world.attempt_log.finish(FIRST, succeeded()))
    (own,) = attempts(world)
    assert world.run(job_log.unfinished({FIRST})) == frozenset()
    assert not world.run(job_log.certify(an_end(world)))
    assert attempts(world) == [own]


EVICTED = DeathCertificate(
    cause=FailureCause.EVICTED, reason="Evicted", message="low on memory", recorded_by=RECONCILER, pod="pod-1"
)


@pytest.mark.parametrize(("told", "cause"), [(EVICTED, FailureCause.EVICTED), (OOM, FailureCause.OOM_KILLED)])
def test_who_was_told_to_end_learns_by_whom_and_keeps_what_it_measured(
    told: DeathCertificate, cause: FailureCause, world: World, job_log: JobLog
) -> None:
    own = DeathCertificate(cause=FailureCause.SIGNAL, message="SIGTERM", memory_peak=7, recorded_by=supervisor(FIRST))
    _told_to_end(world, own)
    assert world.run(job_log.unfinished({FIRST})) == {FIRST}
    assert world.run(job_log.certify(an_end(world, certificate=told)))
    (kept,) = attempts(world)
    assert kept.certificate is not None
    assert (kept.certificate.cause, kept.certificate.memory_peak, kept.certificate.pod) == (cause, 7, "pod-1")
    assert world.run(job_log.unfinished({FIRST})) == frozenset()


def test_a_signal_of_which_the_cluster_knows_no_more_stays_one(world: World, job_log: JobLog) -> None:
    own = DeathCertificate(cause=FailureCause.SIGNAL, message="SIGTERM", recorded_by=supervisor(FIRST))
    _told_to_end(world, own)
    told = DeathCertificate(cause=FailureCause.EXIT_CODE, exit_code=143, pod="pod-1", recorded_by=RECONCILER)
    assert world.run(job_log.certify(an_end(world, certificate=told)))
    (kept,) = attempts(world)
    assert kept.certificate == msgspec.structs.replace(own, pod="pod-1")
    assert not world.run(job_log.certify(an_end(world, certificate=told)))


def _told_to_end(world: World, own: DeathCertificate) -> None:
    where = msgspec.structs.replace(HERE, pod="pod-1")
    world.run(world.attempt_log.claim(msgspec.structs.replace(a_claim(RUN, FIRST), whereabouts=where)))
    ended = Outcome(status=RunStatus.PENDING, exit_code=143, certificate=own)
    world.run(world.attempt_log.finish(FIRST, ended))


def test_the_word_of_the_one_that_took_over_gives_way(world: World, job_log: JobLog) -> None:
    world.run(world.attempt_log.claim(a_claim(RUN, FIRST)))
    world.run(world.attempt_log.claim(a_claim(RUN, SECOND)))
    assert world.run(job_log.unfinished({FIRST, SECOND})) == {FIRST, SECOND}
    assert world.run(job_log.certify(an_end(world)))
    assert attempts(world)[0].certificate == OOM
    assert world.run(world.run_log.get(RUN)).attempt_id == SECOND


def test_of_a_run_that_is_not_there_nothing_is_kept(world: World, job_log: JobLog) -> None:
    world.run(world.run_log.create(a_run(RUN)))
    with pytest.raises(RunNotFound):
        world.run(job_log.certify(an_end(world, run_id=UUID(int=3))))
    assert attempts(world) == []
