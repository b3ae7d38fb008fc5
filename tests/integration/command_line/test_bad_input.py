"""What bad input gets: a clear sentence, an exit code of DESIGN section 4, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases

pytestmark = pytest.mark.integration

NOWHERE = "postgresql://ada:correct-horse-battery@127.0.0.1:9/nothing"  # the discard port: nobody listens


def test_sql_error_names_the_query(kubescribe: CommandLine) -> None:
    ended = kubescribe("run", "broken_query")
    assert ended.returncode == 1
    record = kubescribe.newest()
    assert "the missing table" in record["run"]["message"]
    assert "nowhere" in record["run"]["message"]
    assert record["run"]["cause"] == "error"


def test_production_away(kubescribe: CommandLine) -> None:
    ended = kubescribe("run", "numbers", PROD_DB_URL=NOWHERE)
    assert ended.returncode == 75
    assert "production database does not answer" in ended.stderr
    assert kubescribe.newest()["run"]["cause"] == "unavailable"


def test_report_database_away(kubescribe: CommandLine) -> None:
    ended = kubescribe("run", "numbers", REPORT_DB_URL=NOWHERE)
    assert ended.returncode == 75
    assert "report database does not answer" in ended.stderr
    assert kubescribe.newest()["run"]["cause"] == "unavailable"


def test_report_database_away_though_nobody_said_it_is_needed(kubescribe: CommandLine) -> None:
    ended = kubescribe("run", "undeclared", REPORT_DB_URL=NOWHERE)
    assert ended.returncode == 75
    assert "away when this attempt started" in kubescribe.newest()["run"]["message"]


def test_runlog_away_is_not_in_the_way(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    ended = kubescribe("run", "numbers", RUNLOG_DB_URL=NOWHERE)
    assert ended.returncode == 0, ended.stderr
    assert "RunLog" in ended.stderr
    assert "kubescribe-summary: " in ended.stdout
    with psycopg.connect(databases.report) as connection:
        assert connection.execute("SELECT count(*) FROM reports.numbers").fetchone() == (3,)
    assert kubescribe.json("runs") == []
    # RunLog is back: the next look completes the record from the spool
    assert kubescribe("reconcile").returncode == 0
    record = kubescribe.newest()
    assert record["run"]["status"] == "succeeded"
    assert record["run"]["parameters"] == {"count": 3}
    assert [event["kind"] for event in record["events"]] == ["run.created", "run.running", "run.succeeded"]
    assert {note["kind"] for note in record["notes"]} == {"input", "output"}
    assert not list((kubescribe.folder / "home" / "spool").iterdir())


def test_parameters_on_record_are_never_replaced_by_defaults(kubescribe: CommandLine) -> None:
    ended = kubescribe("run", "numbers", "--run-id", "01a1ffbb-5752-7046-9948-125cabf17bae", RUNLOG_DB_URL=NOWHERE)
    assert ended.returncode == 75
    assert "RunLog database does not answer" in ended.stderr


@pytest.mark.parametrize("variable", ["RUNLOG_DB_URL", "PROD_DB_URL", "REPORT_DB_URL"])
def test_wrong_password_appears_nowhere(
    tmp_path: Path, variable: str, kubescribe: CommandLine, databases: ThreeDatabases
) -> None:
    with Cluster(scram=True) as strict:
        url = strict.url("postgres").replace("correct-horse", "battery-staple-42")
        assert "battery-staple-42" in url
        ended = kubescribe("run", "numbers", **{variable: url})
    assert ended.returncode == 64, ended.stderr
    assert "password" in ended.stderr
    everything = [ended.stdout, ended.stderr, *_files(tmp_path)]
    with psycopg.connect(databases.runlog) as connection:
        for table in ("run", "attempt", "event", "note", "outbox"):
            everything += [str(row) for row in connection.execute(f"SELECT * FROM {table}")]
    assert not [text for text in everything if "battery-staple-42" in text]


def test_secrets_are_hidden_wherever_the_pipeline_puts_them(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    ended = kubescribe("run", "tells_secrets", PROD_DB_URL=_with_password(databases.production))
    assert ended.returncode == 1
    assert "hunter-2-hunter" not in ended.stdout + ended.stderr
    assert "•••" in ended.stdout
    record = json.dumps(kubescribe.newest())
    assert "hunter-2-hunter" not in record
    logs = kubescribe("logs", kubescribe.newest()["run"]["id"])
    assert "hunter-2-hunter" not in logs.stdout + logs.stderr
    assert "connecting to" in logs.stdout


def test_worker_that_is_killed(kubescribe: CommandLine) -> None:
    assert kubescribe("run", "killed").returncode == 137
    record = kubescribe.newest()
    assert (record["run"]["status"], record["run"]["cause"]) == ("failed", "signal")
    assert record["attempts"][0]["certificate"]["signal"] == "SIGKILL"


def test_worker_that_hangs(kubescribe: CommandLine) -> None:
    assert kubescribe("run", "hanging").returncode == 1
    record = kubescribe.newest()
    assert (record["run"]["status"], record["run"]["cause"]) == ("failed", "run_deadline")
    assert record["attempts"][0]["certificate"]["log_tail"] == ["hanging"]


def test_worker_that_floods_its_output(kubescribe: CommandLine) -> None:
    ended = kubescribe("run", "flooding", KUBESCRIBE_LOG_CAP=str(1024 * 1024))
    assert ended.returncode == 0
    assert len(ended.stdout) > 40 * 1024 * 1024, "our own output is not capped: a pod's log is Kubernetes' business"
    logs = kubescribe("logs", kubescribe.newest()["run"]["id"]).stdout
    assert logs.startswith("the first line")
    assert logs.endswith("\nthe last line\n")
    assert "left out in all" in logs
    assert len(logs) < 3 * 1024 * 1024


def test_a_long_error_with_nul_bytes(kubescribe: CommandLine) -> None:
    assert kubescribe("run", "long_error").returncode == 1
    message = kubescribe.newest()["run"]["message"]
    assert message.startswith("ValueError: begin")
    assert message.endswith("end")
    assert len(message) <= 4000


def test_a_worker_that_leaves_early_publishes_nothing(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    assert kubescribe("run", "leaves_early").returncode == 1
    assert "before the pipeline had come to its end" in kubescribe.newest()["run"]["message"]
    with psycopg.connect(databases.report) as connection:
        assert connection.execute("SELECT to_regclass('reports.numbers')").fetchone() == (None,)


def test_a_module_that_cannot_be_imported(kubescribe: CommandLine) -> None:
    (kubescribe.folder / "broken_module.py").write_text("import kubescribe\nthis is no python\n")
    ended = kubescribe("run", "numbers", KUBESCRIBE_PIPELINES="broken_module")
    assert ended.returncode == 64
    assert "broken_module" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert kubescribe.json("runs") == []


def test_rights_are_checked_before_the_work(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    with psycopg.connect(databases.report, autocommit=True) as connection:
        connection.execute("CREATE ROLE publisher_without_rights LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA kubescribe TO publisher_without_rights")
        tables = "ALL TABLES IN SCHEMA kubescribe"
        connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO publisher_without_rights")
        connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA kubescribe TO publisher_without_rights")
        try:
            url = _with_user(databases.report, "publisher_without_rights")
            ended = kubescribe("run", "numbers", REPORT_DB_URL=url)
        finally:
            connection.execute("DROP OWNED BY publisher_without_rights")
            connection.execute("DROP ROLE publisher_without_rights")
    assert ended.returncode == 64
    assert "CREATE" in ended.stderr
    record = kubescribe.newest()
    assert record["run"]["cause"] == "config_error"
    assert not [note for note in record["notes"] if note["kind"] == "input"], "it had begun to read"


def test_a_command_that_is_not_there_is_on_record(kubescribe: CommandLine) -> None:
    ended = kubescribe("exec", "--name", "nightly", "--", "./moved-somewhere-else.sh")
    assert ended.returncode == 64
    assert "cannot be started" in ended.stderr
    run = kubescribe.newest()["run"]
    assert (run["pipeline"], run["status"], run["cause"]) == ("nightly", "failed", "config_error")


def test_psql_opens_a_database(kubescribe: CommandLine, databases: ThreeDatabases) -> None:
    with psycopg.connect(databases.production) as connection:
        connection.execute("CREATE TABLE answers AS SELECT 42 AS answer")
    ended = kubescribe("psql", "production", "-X", "-A", "-t", "-c", "SELECT answer FROM answers")
    assert (ended.returncode, ended.stdout) == (0, "42\n"), ended.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["reports", "--limit", "0"], "less than 1"),
        (["show", "zzz"], "there is no run zzz"),
        (["logs", "00000000-0000-0000-0000-000000000000"], "there is no run"),
        (["reports", "nothing"], "there is no report nothing"),
        (["runs", "--status", "sleeping"], "'sleeping' is none of"),
        (["runs", "--limit", "0"], "less than 1"),
        (["exec", "--"], "there is no command"),
        (["exec", "--retries", "-1", "--", "true"], "less than 0"),
        (["exec", "--name", "Nightly Import", "--", "true"], "cannot be a name"),
        (["exec", "--name", "n" * 100_000, "--", "true"], "at most 52 characters"),
        (["run", "numbers", "--slot", "yesterday"], "no ISO time"),
        (["run", "numbers", "--slot", "2026-01-01T00:00:00"], "no zone"),
        (["run", "numbers", "--run-id", "7"], "no UUID"),
        (["run", "numbers", "--param", "count"], "has no '='"),
        (["run", "numbers", "--param", "count=1", "--param", "count=2"], "given twice"),
        (["reprots"], "there is no command reprots; did you mean reports?; `kubescribe --help` lists them all"),
    ],
)
def test_a_command_that_cannot_be_meant(kubescribe: CommandLine, arguments: list[str], sentence: str) -> None:
    ended = kubescribe(*arguments)
    assert ended.returncode == 64, ended.stderr
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert kubescribe.json("runs") == []


def _files(folder: Path) -> list[str]:
    return [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]


def _with_user(url: str, user: str) -> str:
    scheme, rest = url.split("://", 1)
    return f"{scheme}://{user}@{rest.rsplit('@', 1)[-1]}"


def _with_password(url: str) -> str:
    """Trust authentication takes any password, so this one works, and is a secret all the same."""
    scheme, rest = url.split("://", 1)
    authority, host = rest.rsplit("@", 1)
    return f"{scheme}://{authority.split(':')[0]}:hunter-2-hunter@{host}"
