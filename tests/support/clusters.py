"""Private PostgreSQL clusters for tests: cheap to make, and to be stopped, paused and crashed at will."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql

from kubescribe.adapters.embedded.binaries import Binaries, find_binaries, wheel_root
from kubescribe.adapters.embedded.initdb import USER, initialise
from kubescribe.adapters.embedded.postmaster import Postmaster, StopMode
from kubescribe.adapters.embedded.privileges import Identity, server_identity

from .processes import children
from .waiting import wait_for

PASSWORD = "correct-horse"  # of a server that lives for seconds, on loopback
_SMALL = {
    "shared_buffers": "16MB",
    "max_connections": "60",
    "min_wal_size": "32MB",
    "max_wal_size": "128MB",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_naptime": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "dynamic_shared_memory_type": "mmap",
}


class Cluster:
    """A standalone server: ``with Cluster() as cluster: psycopg.connect(cluster.url("postgres"))``.

    It listens on 127.0.0.1 at one port for its whole life, so that a URL stays good over ``stop`` and
    ``start``. It ends with the test process, however that ends. ``durable`` turns fsync on; ``scram`` asks
    for the password that ``url`` carries; ``ssl`` needs the system's PostgreSQL (``Cluster.ssl_available()``)
    and offers TLS with a certificate for ``localhost`` and 127.0.0.1, signed by ``ca_file``. ``settings`` are
    postgresql.conf's.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        scram: bool = False,
        ssl: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._scram = scram
        self._settings = {**_SMALL, **({} if durable else {"fsync": "off"})}
        binaries = _ssl_binaries() if ssl else _binaries()
        assert binaries is not None, "no PostgreSQL with SSL on this machine"
        self._folder = Path(tempfile.mkdtemp(prefix="cluster-"))
        self._folder.chmod(0o711)  # the server may run as somebody else; its data stays 0700
        self.data = self._folder / "data"
        self._identity = server_identity(self.data, binaries.needed_files())
        _copy(_template(binaries, scram) / "data", self.data)
        self.ca_file: Path | None = None
        if ssl:
            self.ca_file = _make_certificates(self._folder, self._identity)
            self._settings |= {"ssl": "on", "ssl_cert_file": str(self._folder / "server.crt")}
            self._settings |= {"ssl_key_file": str(self._folder / "server.key")}
        self._settings |= settings or {}
        self.port = _free_port()
        self.log_file = self._folder / "server.log"
        self._log = os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._postmaster = Postmaster(binaries, self._identity, self.data, log=self._log)

    @staticmethod
    def ssl_available() -> bool:
        """Whether ``Cluster(ssl=True)`` works on this machine."""
        return _ssl_binaries() is not None and shutil.which("openssl") is not None

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    @property
    def pid(self) -> int:
        """The postmaster's pid."""
        return self._postmaster.pid

    def url(self, database: str = "postgres", *, user: str = USER, password: str = PASSWORD) -> str:
        """The URL of one database, with the password when the cluster asks for one."""
        secret = f":{password}" if self._scram else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it accepts connections (recovery after a crash included)."""
        self._postmaster.start(self.port, self._settings)
        if not self._postmaster.wait_ready(60):
            raise AssertionError(f"the cluster did not start:\n{self.log_file.read_text()}")

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop and wait for the end of every process; does nothing to a stopped cluster."""
        family = children(self.pid)
        self._postmaster.stop(mode)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family), "the backends to end")

    def crash(self) -> None:
        """Stop without a checkpoint: what was not committed is gone, and the next start recovers."""
        self.stop("immediate")

    def become_standby(self) -> None:
        """Restart as a hot standby, whose primary is out of reach: it answers, and takes no writes."""
        self.stop()
        (self.data / "standby.signal").touch()
        self.start()

    def become_primary(self) -> None:
        """Restart as what it was before :meth:`become_standby`."""
        self.stop()
        (self.data / "standby.signal").unlink()
        self.start()

    def pause(self) -> None:
        """Freeze every process of the server: connections stay open, and nothing answers."""
        for pid in (self.pid, *children(self.pid)):
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after ``pause``."""
        for pid in (*children(self.pid), self.pid):
            os.kill(pid, signal.SIGCONT)

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, from a template (to which nobody is connected) when one is named; its URL."""
        source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + source)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending whoever is connected to it."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def destroy(self) -> None:
        """Stop at once and remove everything."""
        self.resume_quietly()
        self._postmaster.stop("immediate")
        os.close(self._log)
        shutil.rmtree(self._folder, ignore_errors=True)

    def resume_quietly(self) -> None:
        """``resume``, also of a cluster that was never started or is gone."""
        try:
            self.resume()
        except (AssertionError, ProcessLookupError):
            return


@functools.cache
def _ssl_binaries() -> Binaries | None:
    """A PostgreSQL of the system, which unlike the wheel's is built with SSL."""
    wheel = wheel_root()
    return next((each for each in find_binaries() if wheel is None or not each.folder.is_relative_to(wheel)), None)


def _binaries() -> Binaries:
    found = next(find_binaries(), None)
    assert found is not None, "no PostgreSQL: pip install 'kubescribe[embedded]'"
    return found


@functools.cache
def _template(binaries: Binaries, scram: bool) -> Path:
    """An initialised data directory, made once per process."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o711)
    identity = server_identity(folder / "data", binaries.needed_files())
    initialise(binaries, identity, folder / "data", password=PASSWORD if scram else None, durable=False)
    return folder


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make_certificates(folder: Path, identity: Identity) -> Path:
    """A certificate authority and a server certificate; the authority's file is returned."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("req", "-x509", *key, "-days", "2", "-subj", "/CN=Test CA", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", *key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions")
    openssl("x509", "-req", "-in", "server.csr", "-days", "2", *signing, "-out", "server.crt")
    (folder / "server.key").chmod(0o600)
    identity.give(folder / "server.key", folder / "server.crt")
    return folder / "ca.crt"
