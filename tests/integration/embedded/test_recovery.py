"""What a kill leaves behind does not mislead the next command."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from kubescribe.adapters.embedded.server import EmbeddedPostgres
from tests.support.waiting import wait_for

from .conftest import StartCommand, keepers_of, postmaster_of, servers_of, wait_quiet

pytestmark = pytest.mark.integration


def note(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")


def is_noted(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_the_server_dies_with_its_keeper_and_the_next_command_starts_anew(home: Path, start: StartCommand) -> None:
    first = start()
    note(first.url())
    for keeper in keepers_of(home):
        os.kill(keeper, signal.SIGKILL)
    second = start()  # at once: the old server may still be on its way out
    assert is_noted(second.url())
    assert second.port == first.port
    assert len(keepers_of(home)) == 1
    second.end()
    first.end()


def test_without_another_command_nothing_is_left_of_a_killed_keeper(home: Path, start: StartCommand) -> None:
    command = start()
    assert command.port
    for keeper in keepers_of(home):
        os.kill(keeper, signal.SIGKILL)
    wait_quiet(home)
    assert command.process.poll() is None


def test_a_killed_postmaster_is_started_again_for_whoever_is_attached(home: Path, start: StartCommand) -> None:
    command = start()
    note(command.url())
    before = postmaster_of(home)
    os.kill(before, signal.SIGKILL)
    other = start()
    assert is_noted(other.url())
    assert is_noted(command.url()), "the port of the first command is good again"
    assert postmaster_of(home) != before


def test_a_killed_backend_does_not_end_the_server(home: Path, start: StartCommand) -> None:
    command = start()
    note(command.url())
    with psycopg.connect(command.url()) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    other = start()
    assert is_noted(other.url())


def test_a_crash_of_everything_leaves_a_pid_file_that_fools_nobody(home: Path, start: StartCommand) -> None:
    command = start()
    note(command.url())
    everything = [*keepers_of(home), *servers_of(home)]
    for pid in everything:
        with contextlib.suppress(ProcessLookupError):  # it went with its parent
            os.kill(pid, signal.SIGKILL)
    command.kill()
    wait_quiet(home)
    file = home / "postgres" / "data" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"]) as unrelated:
        try:
            # As after a reboot: the number now belongs to somebody else.
            file.write_text(file.read_text().replace(file.read_text().split()[0], str(unrelated.pid), 1))
            (home / "postgres" / "keeper.lock").write_text(f"{unrelated.pid}\n")
            (home / "postgres" / "state").write_text(f"{command.port} ready\n")
            with EmbeddedPostgres(home).attach() as server:
                assert is_noted(server.url("runlog"))
            assert unrelated.poll() is None
        finally:
            unrelated.kill()


def test_a_long_query_of_a_killed_postmaster_does_not_hold_up_the_next(home: Path, start: StartCommand) -> None:
    command = start()
    busy = psycopg.connect(command.url(), autocommit=True)
    # A loop that waits for nothing does not notice that its postmaster is gone.
    busy.pgconn.send_query(b"DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$")
    for pid in (*keepers_of(home), postmaster_of(home)):
        with contextlib.suppress(ProcessLookupError):  # it went with another
            os.kill(pid, signal.SIGKILL)
    other = start()
    with psycopg.connect(other.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    busy.close()


def test_a_half_made_data_directory_is_made_again(home: Path) -> None:
    half = home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(home).attach() as server:
        note(server.url("runlog"))
    assert not half.exists()


def test_a_lost_password_is_replaced(home: Path) -> None:
    with EmbeddedPostgres(home).attach() as server:
        note(server.url("runlog"))
    wait_quiet(home)
    (home / "postgres" / "password").unlink()
    with EmbeddedPostgres(home).attach() as server:
        assert is_noted(server.url("runlog"))


def test_a_taken_port_is_replaced(home: Path) -> None:
    with EmbeddedPostgres(home).attach() as server:
        port = server.port
    wait_quiet(home)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with EmbeddedPostgres(home).attach() as server:
            assert server.port != port


def test_a_keeper_that_is_told_to_stop_stops_the_server(home: Path, start: StartCommand) -> None:
    command = start()
    note(command.url())
    (keeper,) = keepers_of(home)
    os.kill(keeper, signal.SIGTERM)
    wait_quiet(home)
    log = (home / "postgres" / "server.log").read_text()
    wait_for(lambda: "database system is shut down" in log, "an orderly stop")
    with EmbeddedPostgres(home).attach() as server:
        assert is_noted(server.url("runlog"))


def test_the_log_is_kept_small(home: Path) -> None:
    with EmbeddedPostgres(home).attach():
        log = home / "postgres" / "server.log"
        with log.open("a") as file:
            file.write("x" * 9_000_000)
        wait_for(lambda: log.stat().st_size < 1_000_000, "the log to be trimmed")
    assert (home / "postgres" / "server.log.1").stat().st_size <= 4 * 1024 * 1024
