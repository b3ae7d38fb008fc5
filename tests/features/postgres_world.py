"""The scenarios as a user has them: the command line in processes of its own, on real PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from psycopg import sql

from kubescribe.adapters.local.process_tree import members
from kubescribe.domain.report import Publication
from kubescribe.domain.report_query import Operator, RowQuery
from kubescribe.domain.run import Run
from kubescribe.domain.version_difference import VersionDifference
from tests.support.command_line import MAIN, CommandLine
from tests.support.processes import children
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

from .world import ORDERS, Browsed, Ended, Follower, Listing, Record, World


class PostgresWorld(World):
    """Three databases, and a process for every command."""

    @property
    def actor(self) -> str:
        return "user:ada"

    def __init__(self, folder: Path, databases: ThreeDatabases) -> None:
        self._folder, self.databases = folder, databases
        self.command = CommandLine(folder, databases, KUBESCRIBE_PIPELINES="tests.features.pipelines")
        with psycopg.connect(databases.production) as connection:
            connection.execute("CREATE TABLE orders (day date, customer text, amount numeric(10, 2))")
            connection.cursor().executemany("INSERT INTO orders VALUES (%s, %s, %s)", ORDERS)

    # -- acting --------------------------------------------------------------------------------------------------

    def run(
        self,
        pipeline: str,
        parameters: dict[str, str],
        *,
        retries: int | None = None,
        run_id: UUID | None = None,
        rehearse: bool = False,
        slot: str | None = None,
    ) -> Ended:
        options = [word for name, value in parameters.items() for word in ("--param", f"{name}={value}")]
        if retries is not None:
            options += ["--retries", str(retries), "--retry-delay", "0"]
        if run_id is not None:
            options += ["--run-id", str(run_id)]
        if slot is not None:
            options += ["--slot", slot]
        if rehearse:
            options.append("--rehearse")
        return self._recorded(self.command("run", pipeline, *options))

    def trigger(self, pipeline: str, parameters: dict[str, str], *, key: str | None = None) -> Ended:
        options = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
        return self._asked("trigger", pipeline, *options, *(() if key is None else ("--key", key)))

    def trigger_and_wait_until_at_work(self, pipeline: str) -> UUID:
        run_id = self.trigger(pipeline, {}).run_id
        assert run_id is not None
        query = (
            "SELECT 1 FROM note JOIN attempt ON attempt.id = note.attempt_id WHERE run_id = %s AND kind = 'progress'"
        )
        with psycopg.connect(self.databases.runlog, autocommit=True) as connection:
            wait_for(lambda: connection.execute(query, (run_id,)).fetchone(), "its progress", timeout=60, every=0.05)
        return run_id

    def until_ended(self, run_id: UUID) -> None:
        query = "SELECT 1 FROM run WHERE id = %s AND finished_at IS NOT NULL"
        with psycopg.connect(self.databases.runlog, autocommit=True) as connection:
            wait_for(lambda: connection.execute(query, (run_id,)).fetchone(), "its end", timeout=60, every=0.05)

    def at_work(self, run_id: UUID) -> bool:
        attempts = self.record(run_id).attempts
        return any(members(attempt.id) or attempt.ended_at is None for attempt in attempts)

    def cancel(self, run_id: UUID, *, reason: str) -> Ended:
        ended = self.command("cancel", str(run_id), "--reason", reason)
        return Ended(ended.returncode, ended.stderr, run_id)

    def retry(self, run_id: UUID, *, key: str | None = None) -> Ended:
        return self._asked("retry", str(run_id), *(() if key is None else ("--key", key)))

    def pause(self, pipeline: str, *, reason: str) -> None:
        ended = self.command("pause", pipeline, "--reason", reason)
        assert ended.returncode == 0, ended.stderr

    def resume(self, pipeline: str) -> None:
        ended = self.command("resume", pipeline)
        assert ended.returncode == 0, ended.stderr

    def page(self, limit: int, after: str | None) -> Listing:
        options = [] if after is None else ["--before", after]
        runs = msgspec.json.decode(self._json("runs", "--limit", str(limit), *options), type=list[Run])
        further = f"{runs[-1].created_at.isoformat()}/{runs[-1].id}" if runs else None
        return Listing([run.id for run in runs], further)

    def follow(self, run_id: UUID, after: str | None = None) -> Follower:
        assert after is None
        return _Reader(self.command, run_id)

    def wrap(self, command: list[str]) -> Ended:
        return self._recorded(self.command("exec", "--", *command))

    def run_and_kill(self, pipeline: str, *, after_publishing: bool) -> UUID:
        run_id, held = uuid4(), self._folder / "held"
        step = "attempt.published" if after_publishing else "worker.read"
        supervisor = self.command.start(
            "run", pipeline, "--run-id", str(run_id), KUBESCRIBE_FAILPOINT=f"{step}=hold:{held}"
        )
        wait_for(held.exists, f"the run to come to {step}")
        for pid in (supervisor.pid, *children(supervisor.pid)):
            with contextlib.suppress(ProcessLookupError):  # the worker dies with its supervisor
                os.kill(pid, signal.SIGKILL)
        supervisor.wait()
        assert self.record(run_id).run.status == "running"
        return run_id

    def look_after_runs(self) -> None:
        ended = self.command("reconcile")
        assert ended.returncode == 0, ended.stderr

    def roll_back(self, report: str, *, to: int | None, reason: str | None) -> Ended:
        options = [] if to is None else ["--to", str(to)]
        options += [] if reason is None else ["--reason", reason]
        ended = self.command("rollback", report, *options)
        return Ended(ended.returncode, ended.stderr)

    # -- looking -------------------------------------------------------------------------------------------------

    def runs(self) -> tuple[Run, ...]:
        return msgspec.json.decode(self._json("runs"), type=tuple[Run, ...])

    def record(self, run_id: UUID) -> Record:
        return msgspec.json.decode(self._json("show", str(run_id)), type=Record)

    def output(self, run_id: UUID) -> list[str]:
        lines = self._json("logs", str(run_id)).splitlines()
        return [msgspec.json.decode(line)["text"] for line in lines]

    def rows(self, report: str) -> list[dict[str, Any]] | None:
        with psycopg.connect(self.databases.report) as connection:
            try:
                cursor = connection.execute(
                    sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier("reports", report))
                )
            except psycopg.errors.UndefinedTable:
                return None
            names = [column.name for column in cursor.description or ()]
            return [{name: str(value) for name, value in zip(names, row, strict=True)} for row in cursor]

    def ledger(self, report: str) -> tuple[Publication, ...]:
        if self.rows(report) is None:
            return ()
        return msgspec.convert(msgspec.json.decode(self._json("reports", report))["ledger"], tuple[Publication, ...])

    def browse(self, query: RowQuery, *, limit: int = 20, after: str | None = None) -> tuple[Ended, Browsed | None]:
        options = ["--limit", str(limit)]
        for one in query.filters:
            listed = one.operator is Operator.IN
            options += [
                "--where",
                f"{one.column} in {','.join(one.values)}" if listed else f"{one.column}={one.values[0]}",
            ]
        for name, value in (("--version", query.version), ("--as-of-run", query.as_of_run), ("--after", after)):
            options += [] if value is None else [name, str(value)]
        if query.sort:
            options += ["--sort", ",".join(f"{one.column} {'desc' if one.descending else 'asc'}" for one in query.sort)]
        ended = self.command("rows", query.report, *options)
        if ended.returncode:
            return Ended(ended.returncode, ended.stderr), None
        header, *lines = ended.stdout.splitlines()
        foot = next(place for place, line in enumerate(lines) if line.startswith("version "))
        more = [line.removeprefix("more: --after ") for line in lines if line.startswith("more: ")]
        return Ended(0, ended.stderr), Browsed(
            rows=[dict(zip(header.split(), line.split(), strict=True)) for line in lines[:foot]],
            run_id=UUID(lines[foot].split()[-1]),
            next=more[0] if more else None,
        )

    def compare(self, report: str, before: int, after: int) -> VersionDifference:
        return msgspec.json.decode(self._json("diff", report, str(before), str(after)), type=VersionDifference)

    def unpublished(self) -> int:
        query = (
            "SELECT count(*) FROM kubescribe.staged WHERE version NOT IN (SELECT version FROM kubescribe.publication)"
        )
        with psycopg.connect(self.databases.report) as connection:
            row = connection.execute(query).fetchone()
            assert row is not None
            return int(row[0])

    def notices(self) -> list[tuple[UUID, str]]:
        with psycopg.connect(self.databases.runlog) as connection:
            return connection.execute("SELECT run_id, kind FROM outbox ORDER BY id").fetchall()

    def audit(self) -> list[tuple[str, str]]:
        with psycopg.connect(self.databases.runlog) as connection:
            return connection.execute("SELECT kind, actor FROM event ORDER BY seq").fetchall()

    def seal(self) -> None:
        ended = self.command("audit", "seal")
        assert ended.returncode == 0, ended.stderr

    def anchor(self) -> str:
        ended = self.command("audit", "anchor")
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def verify_audit(self, anchor: str | None = None) -> Ended:
        options = [] if anchor is None else ["--anchor", "-"]
        ended = self.command("audit", "verify", *options, standard_input=anchor)
        assert "no seal yet" not in ended.stdout
        return Ended(ended.returncode, ended.stdout + ended.stderr)

    def tamper(self, kind: str, actor: str | None) -> None:
        newest = "WHERE seq = (SELECT max(seq) FROM event WHERE kind = %s)"
        with psycopg.connect(self.databases.runlog) as connection:
            connection.execute("SET session_replication_role = replica")  # what an owner can do
            if actor is None:
                connection.execute(f"DELETE FROM event {newest}".encode(), (kind,))
            else:
                connection.execute(f"UPDATE event SET actor = %s {newest}".encode(), (actor, kind))

    # -- inside --------------------------------------------------------------------------------------------------

    def _json(self, *arguments: str) -> str:
        ended = self.command(*arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def _asked(self, *arguments: str) -> Ended:
        ended = self.command(*arguments)
        printed = ended.stdout.strip()
        return Ended(ended.returncode, ended.stderr, UUID(printed) if printed else None)

    def _recorded(self, ended: subprocess.CompletedProcess[str]) -> Ended:
        runs = self.runs()
        return Ended(ended.returncode, ended.stderr, runs[0].id if runs else None)


class _Reader:
    """A :class:`~.world.Follower`: ``kubescribe logs --follow``."""

    place = None

    def __init__(self, command: CommandLine, run_id: UUID) -> None:
        self._process = subprocess.Popen(
            [*MAIN, "logs", str(run_id), "--follow"],
            env=command.environment,
            cwd=command.folder,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str | None:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n") or None

    def leave(self) -> None:
        self._process.kill()
        self._process.communicate()
