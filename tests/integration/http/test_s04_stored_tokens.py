"""S-4: what RunLog holds of tokens, links and sessions is of no use to whoever reads it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from kubescribe.adapters.embedded.binaries import find_binaries
from tests.support.api_process import ApiProcess
from tests.support.command_line import CommandLine
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


def dump(url: str) -> str:
    """All of a database as text."""
    program = next(
        (found.program("pg_dump") for found in find_binaries() if found.program("pg_dump").exists()),
        Path("/usr/lib/postgresql/15/bin/pg_dump"),
    )
    done = subprocess.run([str(program), "--inserts", url], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_dump_holds_no_token_no_link_and_no_session(
    api: ApiProcess, commands: CommandLine, databases: ThreeDatabases
) -> None:
    texts = [api.token, *(commands("token", "create", f"t{n}").stdout.strip() for n in range(2))]
    code = api.link().split("#")[1]
    status, headers, _ = api.ask("POST", "/sign-in", {"code": code}, token="")
    assert status == 200
    secret = headers["set-cookie"].split("=", 1)[1].split(";")[0]
    assert api.ask("GET", "/runs")[0] == 200
    everything = dump(databases.runlog)
    assert "token.created" in everything
    for text in (*texts, *(text.removeprefix("ks_") for text in texts), code, secret):
        assert len(text) >= 43
        assert text not in everything
        assert text not in api.output.read_text() or text == code  # the link is printed, because it was asked for


def test_a_token_that_is_revoked_on_the_command_line_ends_within_seconds(
    api: ApiProcess, commands: CommandLine
) -> None:
    made = commands.json("token", "create", "short", "--role", "viewer")
    assert api.ask("GET", "/runs", token=made["token"])[0] == 200
    ended = commands("token", "revoke", made["id"], "--reason", "leaked")
    assert ended.returncode == 0, ended.stderr
    wait_for(lambda: api.ask("GET", "/runs", token=made["token"])[0] == 401, "the token to be refused", timeout=5)
    listed = {one["id"]: one for one in commands.json("token", "list")}
    assert listed[made["id"]]["revoked_at"] is not None
    assert "token" not in listed[made["id"]] and made["token"] not in json.dumps(listed)


def test_a_token_ends_with_its_lifetime_and_a_link_of_the_command_line_works_once(
    api: ApiProcess, commands: CommandLine
) -> None:
    short = commands("token", "create", "brief", "--expires", "1s").stdout.strip()
    wait_for(lambda: api.ask("GET", "/runs", token=short)[0] == 401, "the token to expire", timeout=10)
    link = commands("sign-in", "--role", "viewer", "--url", "https://runs.example.org/").stdout.strip()
    assert link.startswith("https://runs.example.org/sign-in#")
    code = link.split("#")[1]
    assert [api.ask("POST", "/sign-in", {"code": code}, token="")[0] for _ in range(2)] == [200, 401]
