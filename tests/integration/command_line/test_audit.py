"""``kubescribe audit`` as an administrator has it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import msgspec
import psycopg
import pytest
from psycopg import sql

from kubescribe.domain.event_chain import Anchor
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases

pytestmark = pytest.mark.integration


def test_the_past_is_checked(kubescribe: CommandLine, databases: ThreeDatabases, tmp_path: Path) -> None:
    nothing = kubescribe("audit", "anchor")
    assert (nothing.returncode, nothing.stdout) == (0, "") and "no event yet" in nothing.stderr
    assert kubescribe("exec", "--name", "one", "--", "true").returncode == 0
    unsealed = kubescribe("audit", "verify")
    assert unsealed.returncode == 0 and "3 events have no seal yet" in unsealed.stdout
    assert kubescribe("audit", "seal").stdout == "3 events sealed\n"
    assert kubescribe("exec", "--name", "two", "--", "true").returncode == 0
    printed = kubescribe("audit", "anchor")
    anchor = msgspec.json.decode(printed.stdout, type=Anchor)
    assert (anchor.tenant, anchor.position, len(anchor.digest)) == ("default", 6, 64)
    kept = tmp_path / "anchors"
    kept.write_text(printed.stdout)
    good = kubescribe("audit", "verify", "--anchor", str(kept))
    assert (good.returncode, good.stdout) == (
        0,
        "6 events of tenant default are as they were sealed, and fit 1 anchor\n",
    )
    with psycopg.connect(databases.runlog) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM event WHERE position = 6")
        connection.execute("UPDATE event SET actor = 'user:bob' WHERE position = 2")
    assert kubescribe("audit", "verify").returncode == 65
    bad = kubescribe("audit", "verify", "--anchor", str(kept))
    assert bad.returncode == 65
    assert "altered: event 2 at position 2" in bad.stdout and "truncated: the chain ends at position 5" in bad.stdout
    assert "changed the past" in bad.stderr and "(2 findings)" in bad.stderr
    found = msgspec.json.decode(kubescribe("audit", "verify", "--json").stdout)
    assert [finding["breach"] for finding in found["findings"]] == ["altered"]


def test_anchors_go_where_the_setting_says(kubescribe: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "anchors.jsonl"
    assert kubescribe("exec", "--", "true").returncode == 0
    sent = kubescribe("audit", "seal", KUBESCRIBE_AUDIT_ANCHOR=str(file))
    assert "at position 3 was sent" in sent.stdout
    assert msgspec.json.decode(file.read_bytes(), type=Anchor).position == 3
    again = kubescribe("audit", "seal", KUBESCRIBE_AUDIT_ANCHOR=str(file))
    assert again.stdout == "0 events sealed\n" and file.read_text().count("\n") == 1
    away = kubescribe("exec", "--", "true")
    assert away.returncode == 0
    assert kubescribe("audit", "verify", "--anchor", str(file)).returncode == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense\n", "line 1 is no anchor"),
        ('\n{"tenant":"default","position":1,"digest":"ab"}', "line 2"),
        ('{"tenant":"other","position":1,"digest":"' + "a" * 64 + '"}', "none of the anchors is of tenant default"),
    ],
)
def test_what_is_no_anchor_is_refused(kubescribe: CommandLine, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "anchors"
    file.write_text(text)
    ended = kubescribe("audit", "verify", "--anchor", str(file))
    assert ended.returncode == 64 and why in ended.stderr
    assert kubescribe("audit", "verify", "--anchor", str(tmp_path / "none")).returncode == 64


def test_the_role_of_everyday_work_cannot_change_the_past(
    cluster: Cluster, kubescribe: CommandLine, databases: ThreeDatabases
) -> None:
    role = 'ks "worker" x'
    name = sql.Identifier(role)
    with psycopg.connect(databases.runlog, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'correct-horse'").format(name))
        connection.execute(kubescribe("migrate", "--runlog-grants", role).stdout.encode())
    head, _, tail = databases.runlog.partition("://")
    url = f"{head}://{quote(role)}:correct-horse@{tail.rpartition('@')[2]}"
    worker = {"RUNLOG_DB_URL": url}
    assert kubescribe("exec", "--name", "its", "--", "true", **worker).returncode == 0
    assert kubescribe("exec", "--name", "its", "--", "false", **worker).returncode == 1
    assert kubescribe("audit", "seal", **worker).stdout == "7 events sealed\n"
    assert kubescribe("audit", "verify", **worker).returncode == 0
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (
            "UPDATE event SET actor = 'x'",
            "DELETE FROM event",
            "TRUNCATE event",
            "ALTER TABLE event DISABLE TRIGGER event_is_final",
            "SET session_replication_role = replica",
            "INSERT INTO event (at, subject, kind, actor, data, position, digest) "
            "VALUES (now(), 's', 'k', 'a', '{}', 99, sha256('x'))",
            "DELETE FROM event_anchor",
            "UPDATE event_anchor SET position = 1",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with psycopg.connect(databases.runlog, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))
