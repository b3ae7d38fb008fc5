"""Settings: where they come from, what they default to, what they refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from kubescribe.domain.database_url import DatabaseUrl
from kubescribe.domain.errors import BadDatabaseUrl, BadSetting, ConfigurationError
from kubescribe.entrypoints.settings import load_settings

pytestmark = pytest.mark.disable_socket


def test_nothing_set_means_embedded_and_the_defaults(tmp_path: Path) -> None:
    settings = load_settings({"USER": "ana"}, tmp_path)
    assert settings.embedded
    assert (settings.runlog_url, settings.production_url, settings.report_url) == (None, None, None)
    assert settings.home == tmp_path / ".kubescribe"
    assert settings.pipelines == ()
    assert settings.report_schema == "reports"
    assert settings.keep_versions == 5
    assert settings.heartbeat == timedelta(seconds=10)
    assert settings.lease == timedelta(seconds=60)
    assert settings.grace == timedelta(seconds=30)
    assert settings.statement_timeout == settings.snapshot_max_age == timedelta(minutes=15)
    assert settings.connect_timeout == timedelta(seconds=3)
    assert settings.log_cap == 10 * 1024 * 1024
    assert (settings.run_id, settings.slot, settings.termination_log) == (None, None, None)
    assert settings.actor == "user:ana"
    assert settings.secrets() == ()


def test_everything_set(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "RUNLOG_DB_URL": "postgresql://u:one@h/a",
            "PROD_DB_URL": "postgresql://u:two%21@h/b",
            "REPORT_DB_URL": "postgresql://u:one@h/c",
            "KUBESCRIBE_HOME": "data/../state",
            "KUBESCRIBE_PIPELINES": "jobs.sales, jobs.stock,,jobs.sales",
            "KUBESCRIBE_REPORT_SCHEMA": "marts",
            "KUBESCRIBE_KEEP_VERSIONS": "1",
            "KUBESCRIBE_HEARTBEAT": "0.2",
            "KUBESCRIBE_LEASE": "1s",
            "KUBESCRIBE_GRACE": "2m",
            "KUBESCRIBE_STATEMENT_TIMEOUT": "1h30m",
            "KUBESCRIBE_SNAPSHOT_MAX_AGE": "2d",
            "KUBESCRIBE_CONNECT_TIMEOUT": "5",
            "KUBESCRIBE_LOG_CAP": "4096",
            "KUBESCRIBE_RUN_ID": "01890a5d-ac96-774b-bcce-b302099a8057",
            "KUBESCRIBE_SLOT": "2026-11-21T06:00:00+01:00",
            "KUBESCRIBE_TERMINATION_LOG": "/dev/termination-log",
            "KUBESCRIBE_ACTOR": "token:ci",
        },
        tmp_path,
    )
    assert not settings.embedded
    assert settings.runlog_url == DatabaseUrl.parse("postgresql://u:one@h/a")
    assert settings.home == tmp_path / "state"
    assert settings.pipelines == ("jobs.sales", "jobs.stock")
    assert (settings.report_schema, settings.keep_versions, settings.log_cap) == ("marts", 1, 4096)
    assert (settings.heartbeat, settings.lease) == (timedelta(seconds=0.2), timedelta(seconds=1))
    assert (settings.grace, settings.connect_timeout) == (timedelta(minutes=2), timedelta(seconds=5))
    assert (settings.statement_timeout, settings.snapshot_max_age) == (timedelta(minutes=90), timedelta(days=2))
    assert settings.run_id == UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    assert settings.slot == datetime(2026, 11, 21, 5, tzinfo=UTC)
    assert settings.termination_log == Path("/dev/termination-log")
    assert settings.actor == "token:ci"
    assert settings.secrets() == ("one", "two!", "two%21")


def test_it_prints_no_password(tmp_path: Path) -> None:
    settings = load_settings({"RUNLOG_DB_URL": "postgresql://u:QpassQ@h/a"}, tmp_path)
    assert "QpassQ" not in repr(settings) + str(settings)
    assert "postgresql://u:•••@h/a" in repr(settings)


@pytest.mark.parametrize("line", ["RUNLOG_DB_URL", "hunter two", "RUNLOG_DB_URL='postgresql://h/d", "=hunter", "a b=c"])
def test_a_line_of_the_file_that_says_nothing_is_refused_by_its_number(line: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"# of this laptop\n\nKUBESCRIBE_KEEP_VERSIONS=2\n{line}\nOTHER=1\n")
    with pytest.raises(BadSetting, match=r"line 4 of .*\.env is neither NAME=value") as caught:
        load_settings({}, tmp_path)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("name", ["RUNLOG_DB_URL", "PROD_DB_URL", "REPORT_DB_URL"])
def test_one_url_is_enough_to_leave_the_embedded_databases(name: str, tmp_path: Path) -> None:
    settings = load_settings({name: "postgresql://h/d"}, tmp_path)
    assert not settings.embedded
    urls = (settings.runlog_url, settings.production_url, settings.report_url)
    assert [url for url in urls if url] == [DatabaseUrl.parse("postgresql://h/d")]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# of this laptop\nexport KUBESCRIBE_GRACE=1s\nKUBESCRIBE_KEEP_VERSIONS=2\nOPSLOG_DB_URL='postgresql://u:a${HOME}b@h/file'\n"
        "PROD_DB_URL=postgresql://h/file\nOTHER=1\nKUBESCRIBE_ACTOR=\n"
    )
    settings = load_settings(
        {"KUBESCRIBE_GRACE": "2s", "RUNLOG_DB_URL": "postgresql://h/env", "PROD_DB_URL": ""}, tmp_path
    )
    assert settings.grace == timedelta(seconds=2)
    assert settings.keep_versions == 2
    assert settings.runlog_url == DatabaseUrl.parse("postgresql://h/env")
    assert settings.production_url is None  # emptied on purpose
    from_file = load_settings({}, tmp_path)
    assert from_file.runlog_url
    assert from_file.runlog_url.password == "a${HOME}b"
    assert from_file.actor.startswith("user:")


def test_the_old_name_of_runlog_is_accepted(tmp_path: Path) -> None:
    url = "postgresql://u:QpassQ@h/d"
    assert load_settings({"OPSLOG_DB_URL": url}, tmp_path).runlog_url == DatabaseUrl.parse(url)
    assert load_settings({"OPSLOG_DB_URL": url, "RUNLOG_DB_URL": url}, tmp_path).runlog_url == DatabaseUrl.parse(url)
    with pytest.raises(BadSetting, match=r"RUNLOG_DB_URL cannot be used: OPSLOG_DB_URL is set too") as caught:
        load_settings({"OPSLOG_DB_URL": url, "RUNLOG_DB_URL": "postgresql://h/e"}, tmp_path)
    assert "QpassQ" not in str(caught.value)


def test_a_home_below_the_users(tmp_path: Path) -> None:
    assert load_settings({"HOME": "/home/ana", "KUBESCRIBE_HOME": "~/ks"}, tmp_path).home == Path("/home/ana/ks")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("KEEP_VERSIONS", "0", "it is '0' and must be a whole number of at least 1"),
        ("KEEP_VERSIONS", "five", "it is 'five' and must be a whole number"),
        ("LOG_CAP", "10MiB", "it is '10MiB' and must be a whole number"),
        ("LOG_CAP", "9" * 5000, "…' and must be a whole number"),
        ("HEARTBEAT", "0", "it is 0s and must be longer than 0"),
        ("HEARTBEAT", "10 s", "it is '10 s' and must be a duration like 90, 90s, 10m, 1h30m or 2d"),
        ("LEASE", "20s", "it is 20s and must be longer than twice KUBESCRIBE_HEARTBEAT, which is 20s"),
        ("STATEMENT_TIMEOUT", "soon", "must be a duration"),
        ("PIPELINES", "jobs/sales.py", "must be module names separated by commas"),
        ("PIPELINES", "jobs..sales", "must be module names separated by commas"),
        ("REPORT_SCHEMA", "Reports", "lower-case name"),
        ("REPORT_SCHEMA", "kubescribe", "lower-case name"),
        ("REPORT_SCHEMA", "pg_reports", "lower-case name"),
        ("REPORT_SCHEMA", "a" * 64, "lower-case name"),
        ("RUN_ID", "7", "must be a UUID"),
        ("SLOT", "2026-11-21T05:00:00", "a time with an offset, like 2026-11-21T05:00:00Z"),
        ("SLOT", "today", "a time with an offset"),
        ("ACTOR", "a\nb", "at most 200 printable characters"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings({f"KUBESCRIBE_{name}": value}, tmp_path)
    assert str(caught.value).startswith(f"KUBESCRIBE_{name} cannot be used: ")
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 250
    assert isinstance(caught.value, ConfigurationError)


def test_a_bad_url_is_named_and_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(BadDatabaseUrl, match=r"^PROD_DB_URL cannot be used: mysql is not PostgreSQL") as caught:
        load_settings({"PROD_DB_URL": "mysql://u:QpassQ@h/d"}, tmp_path)
    assert "QpassQ" not in str(caught.value)


def test_a_long_heartbeat_needs_a_longer_lease(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"KUBESCRIBE_LEASE .* it is 1m and must be longer than .*, which is 1m"):
        load_settings({"KUBESCRIBE_HEARTBEAT": "30s"}, tmp_path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("KUBESCRIBE_HEARTBEATS", "; did you mean KUBESCRIBE_HEARTBEAT?"),
        ("KUBESCRIBE_PIPELINE", "; did you mean KUBESCRIBE_PIPELINES?"),
        ("KUBESCRIBE_DB_PORT_X", ""),
    ],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_an_unknown_name_is_an_error(name: str, hint: str, in_file: bool, tmp_path: Path) -> None:
    if in_file:
        (tmp_path / ".env").write_text(f"{name}=QpassQ\n")
    with pytest.raises(BadSetting, match=f"^{name} cannot be used: there is no such setting") as caught:
        load_settings({} if in_file else {name: "QpassQ"}, tmp_path)
    assert str(caught.value).endswith(hint or "such setting") or not hint
    assert "QpassQ" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "KUBESCRIBE_EVENTS",
        "KUBESCRIBE_CONTROL",
        "KUBESCRIBE_ATTEMPT_ID",
        "KUBESCRIBE_FAILPOINT",
        "KUBESCRIBE_TEST_ANYTHING",
        "KUBESCRIBE_SERVICE_HOST",
        "KUBESCRIBE_SERVICE_PORT",
        "KUBESCRIBE_SERVICE_PORT_HTTP",
        "KUBESCRIBE_PORT",
        "KUBESCRIBE_PORT_8000_TCP",
        "KUBESCRIBE_API_PORT_8000_TCP_ADDR",
        "KUBESCRIBE_API_SERVICE_HOST",
    ],
)
def test_names_handed_down_or_made_by_kubernetes_pass(name: str, tmp_path: Path) -> None:
    load_settings({name: "x"}, tmp_path)


def test_an_actor_without_a_login_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 987654321)
    assert load_settings({}, tmp_path).actor == "user:uid-987654321"
    assert load_settings({"LOGNAME": "a\nb", "USER": "x" * 500}, tmp_path).actor == "user:uid-987654321"


def test_importing_it_is_cheap(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kubescribe.entrypoints.settings import load_settings;"
        f"load_settings({{}}, Path({str(tmp_path)!r}));"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ".import"}, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "msgspec" in loaded, done.stderr
    assert not loaded & {
        "dotenv",
        "ssl",
        "json",
        "logging",
        "asyncpg",
        "psycopg",
        "difflib",
        "subprocess",
        "socket",
    }
