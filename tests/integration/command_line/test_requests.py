"""Requests whose command is killed at any step: what was accepted comes to its end, once."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from kubescribe.adapters.local.process_tree import members
from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LAUNCHING = ("trigger.accepted", "launch.started", "launch.told")
CANCELLING = ("cancel.asked", "cancel.closed", "cancel.processes_gone", "cancel.sessions_gone", "cancel.moved")


@pytest.fixture
def command(tmp_path: Path, databases: ThreeDatabases) -> CommandLine:
    with psycopg.connect(databases.production) as connection:
        connection.execute("CREATE TABLE orders (day date, customer text, amount numeric(10, 2))")
    return CommandLine(tmp_path, databases, KUBESCRIBE_PIPELINES="tests.features.pipelines")


def row(databases: ThreeDatabases, query: str, *values: Any) -> Any:
    with psycopg.connect(databases.runlog, autocommit=True) as connection:
        return connection.execute(query.encode(), values).fetchone()


def killed(command: CommandLine, step: str, *arguments: str) -> None:
    ended = command(*arguments, KUBESCRIBE_FAILPOINT=f"{step}=kill")
    assert ended.returncode == -signal.SIGKILL, (step, ended.stderr)


def until_it_says(databases: ThreeDatabases, run_id: UUID, status: str) -> None:
    query = "SELECT status FROM run WHERE id = %s"
    wait_for(lambda: row(databases, query, run_id) == (status,), status, timeout=60, every=0.05)


def test_a_trigger_that_is_killed_is_launched_once_all_the_same(
    command: CommandLine, databases: ThreeDatabases
) -> None:
    for step in LAUNCHING:
        killed(command, step, "trigger", "counting", "--key", step)
        (run_id,) = row(databases, "SELECT run_id FROM request_key WHERE key = %s", step)
        for _ in range(2):
            assert command("reconcile").returncode == 0
        until_it_says(databases, run_id, "succeeded")
        again = command("trigger", "counting", "--key", step)
        assert again.stdout.strip() == str(run_id), again.stderr
        assert row(databases, "SELECT count(*) FROM attempt WHERE run_id = %s", run_id) == (1,), step
    assert row(databases, "SELECT count(*) FROM run") == (len(LAUNCHING),)


@pytest.mark.parametrize("step", CANCELLING)
def test_a_cancel_that_is_killed_comes_to_its_end_all_the_same(
    step: str, command: CommandLine, databases: ThreeDatabases
) -> None:
    run_id = UUID(command("trigger", "patient").stdout.strip())
    progress = "SELECT attempt_id FROM note JOIN attempt ON attempt.id = attempt_id WHERE run_id = %s"
    (attempt_id,) = wait_for(lambda: row(databases, progress, run_id), "its work", timeout=60, every=0.05)
    # A session of the run that nobody else would end: its process forgot it, or is on another machine.
    name = f"ks:{run_id}:{attempt_id}"[:63]
    with psycopg.connect(databases.production, application_name=name, autocommit=True) as left:
        killed(command, step, "cancel", str(run_id), "--reason", "wrong day")

        def gone() -> bool:
            assert command("reconcile").returncode == 0
            return bool(row(databases, "SELECT status FROM run WHERE id = %s", run_id) == ("cancelled",))

        wait_for(gone, "the end of the cancel", timeout=120, every=0.2)
        assert members(attempt_id) == []
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    evidence, message = row(databases, "SELECT evidence, message FROM run WHERE id = %s", run_id)
    assert (evidence, message) == (
        "process_gone",
        "cancelled by user:ada: wrong day; its processes and database sessions are gone",
    )
    assert row(databases, "SELECT count(*) FROM event WHERE run_id = %s AND kind = 'run.cancelled'", run_id) == (1,)


def test_no_more_than_the_limit_work_at_once_and_the_others_say_why(
    command: CommandLine, databases: ThreeDatabases
) -> None:
    limit = {"KUBESCRIBE_MAX_RUNS": "1"}
    first = UUID(command("trigger", "patient", **limit).stdout.strip())
    second = command("trigger", "counting", **limit)
    second_id = UUID(second.stdout.strip())
    assert "the most that KUBESCRIBE_MAX_RUNS allows" in second.stderr
    why = command("explain", str(second_id), **limit)
    assert "It waits: " in why.stdout and "kubescribe runs --status running" in why.stdout
    until_it_says(databases, first, "running")
    assert command("cancel", str(first)).returncode == 0
    assert command("reconcile", **limit).returncode == 0
    until_it_says(databases, second_id, "succeeded")


def test_a_supervisor_outlives_who_started_it(command: CommandLine, databases: ThreeDatabases) -> None:
    run_id = UUID(command("trigger", "patient").stdout.strip())
    until_it_says(databases, run_id, "running")
    where = "SELECT whereabouts ->> 'pid' FROM attempt WHERE run_id = %s"
    pid = int(row(databases, where, run_id)[0])
    assert os.getsid(pid) == pid, "it leads a session of its own"
    assert command("cancel", str(run_id)).returncode == 0
