"""What cannot work ends in one sentence that says what to do."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kubescribe.adapters.embedded import binaries
from kubescribe.adapters.embedded.data import ensure_data
from kubescribe.adapters.embedded.folder import Folder
from kubescribe.adapters.embedded.server import EmbeddedPostgres
from kubescribe.domain.errors import EmbeddedNotAnswering, EmbeddedUnavailable
from tests.support.waiting import wait_for

from .conftest import StartCommand, keepers_of, servers_of, wait_quiet

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("place", ["home", "home/postgres", "parent"])
def test_a_file_where_a_folder_should_be(place: str, tmp_path: Path) -> None:
    home = tmp_path / "parent" / "home" if place == "parent" else tmp_path / "home"
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text("")
    with pytest.raises(EmbeddedUnavailable, match=f"{file} is a file, not a folder.*KUBESCRIBE_HOME"):
        EmbeddedPostgres(home).attach()


def test_a_folder_of_something_else(home: Path) -> None:
    (home / "postgres" / "data").mkdir(parents=True)
    (home / "postgres" / "data" / "thesis.txt").write_text("")
    with pytest.raises(EmbeddedUnavailable, match=r"is not a PostgreSQL data directory.*move it away"):
        EmbeddedPostgres(home).attach()
    assert (home / "postgres" / "data" / "thesis.txt").exists()


def test_data_of_another_major_version(home: Path) -> None:
    (home / "postgres" / "data").mkdir(parents=True)
    (home / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedUnavailable, match=r"written by PostgreSQL 9, and here is PostgreSQL \d+.*install"):
        EmbeddedPostgres(home).attach()


def test_no_programs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_WHEEL", "no_such_package")
    monkeypatch.setattr(binaries, "_SYSTEM", home / "nowhere")
    monkeypatch.setenv("PATH", str(home))
    folder = Folder(home)
    folder.prepare()
    with pytest.raises(EmbeddedUnavailable, match=r'pip install "kubescribe\[embedded\]".*RUNLOG_DB_URL'):
        ensure_data(folder)


def test_a_failed_start_quotes_the_server_and_names_the_log(home: Path) -> None:
    with EmbeddedPostgres(home).attach():
        pass
    wait_quiet(home)
    with (home / "postgres" / "data" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = on\n")
    with pytest.raises(EmbeddedNotAnswering) as raised:
        EmbeddedPostgres(home).attach()
    assert "FATAL:" in str(raised.value)
    assert "postgresql.conf" in str(raised.value)
    assert f"see {home}/postgres/server.log" in str(raised.value)
    assert "no_such_setting" in (home / "postgres" / "server.log").read_text()


def test_a_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to mount a small file system")
    try:
        with pytest.raises(EmbeddedNotAnswering, match=r"No space left on device|disk is full"):
            EmbeddedPostgres(small / "home").attach()
        wait_quiet(small / "home")
        assert not (small / "home" / "postgres" / "data").exists()
        assert not (small / "home" / "postgres" / "data.new").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_server_that_does_not_answer_is_named_with_its_keeper(home: Path, start: StartCommand) -> None:
    command = start()
    assert command.port
    everything = [*keepers_of(home), *servers_of(home)]
    for pid in everything:
        with contextlib.suppress(ProcessLookupError):  # it went with another
            os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedNotAnswering, match=rf"waited 1 s for its keeper \(process {everything[0]}\)"):
            EmbeddedPostgres(home, timeout=1).attach()
    finally:
        for pid in everything:
            with contextlib.suppress(ProcessLookupError):  # it went with another
                os.kill(pid, signal.SIGCONT)


def test_a_keeper_that_is_stuck_while_it_stops_is_named(home: Path) -> None:
    with EmbeddedPostgres(home).attach():
        keepers, servers = keepers_of(home), servers_of(home)
        for pid in servers:
            with contextlib.suppress(ProcessLookupError):  # it went with another
                os.kill(pid, signal.SIGSTOP)
    try:
        stopped = Path(home / "postgres" / "state")
        wait_for(lambda: stopped.read_text().endswith("stopped\n"), "the keeper to begin the stop")
        with pytest.raises(EmbeddedNotAnswering, match=f"process {keepers[0]}"):
            EmbeddedPostgres(home, timeout=0.5).attach()
    finally:
        for pid in servers:
            with contextlib.suppress(ProcessLookupError):  # the first to go on may end the others
                os.kill(pid, signal.SIGCONT)


def test_a_server_that_somebody_else_started_on_the_data(home: Path) -> None:
    with EmbeddedPostgres(home).attach():
        pass
    wait_quiet(home)
    data = home / "postgres" / "data"
    stranger = shutil.copy("/bin/sleep", home.parent / "postgres")
    with subprocess.Popen([stranger, "60"], cwd=data) as process:
        try:
            with pytest.raises(EmbeddedNotAnswering, match=rf"did not start \(process {process.pid}\)"):
                EmbeddedPostgres(home).attach()
            assert process.poll() is None
        finally:
            process.kill()


def test_another_platform_is_told_and_nothing_breaks_at_import() -> None:
    program = (
        "import sys; sys.platform = 'win32'; sys.modules['fcntl'] = None\n"
        "from pathlib import Path\n"
        "from kubescribe.adapters.embedded.server import EmbeddedPostgres\n"
        "try: EmbeddedPostgres(Path('x')).attach()\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert answer.startswith("EmbeddedUnavailable")
    assert "Linux or macOS" in answer
    assert "RUNLOG_DB_URL" in answer
