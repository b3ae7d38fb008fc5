"""The folder of one embedded server: what lies in it, and what every command may read there."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from ...domain.errors import EmbeddedNotAnswering, EmbeddedUnavailable

_ANOTHER_FOLDER = "name another folder in KUBESCRIBE_HOME, or set RUNLOG_DB_URL, PROD_DB_URL and REPORT_DB_URL"
_LOG_LIMIT = 4 * 1024 * 1024


class Folder:
    """``home/postgres``; every file in it is readable by its owner only.

    ``attached``: locked (shared) by every command, (exclusively) by the keeper when it stops. ``start.lock``:
    held while a keeper is being started. ``keeper.lock``: held by the keeper all its life. ``server.lock``:
    held by every process of the server, so that to get it proves that none is left.
    """

    def __init__(self, home: Path) -> None:
        self.home = Path(os.path.abspath(home))  # noqa: PTH100 - the keeper works elsewhere; links stay as they are
        self.path = self.home / "postgres"
        self.data = self.path / "data"
        self.log = self.path / "server.log"
        self.attached = self.path / "attached"
        self.start_lock = self.path / "start.lock"
        self.keeper_lock = self.path / "keeper.lock"
        self.server_lock = self.path / "server.lock"
        self._state = self.path / "state"
        self._password = self.path / "password"

    def prepare(self) -> None:
        """Make the folder where it is missing. Raises EmbeddedUnavailable."""
        try:
            if self.path.is_dir():
                return
            self.home.mkdir(parents=True, exist_ok=True)
            # Root's server runs as somebody else, who must be able to pass through this folder of ours.
            self.path.mkdir(mode=0o711 if os.name == "posix" and os.geteuid() == 0 else 0o700, exist_ok=True)
            self._like_home(self.path)
            self.write(".gitignore", "*\n")
        except OSError as error:
            raise self.problem(error) from error

    def problem(self, error: OSError) -> EmbeddedUnavailable | EmbeddedNotAnswering:
        """The sentence for a file operation that failed in this folder."""
        where = error.filename if error.filename is not None else self.path
        if error.errno in (errno.EEXIST, errno.ENOTDIR):
            file = next((each for each in (self.path, *self.path.parents) if each.is_file()), where)
            return EmbeddedUnavailable(self.home, f"{file} is a file, not a folder", _ANOTHER_FOLDER)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return EmbeddedUnavailable(self.home, f"no permission to write {where}", _ANOTHER_FOLDER)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return EmbeddedNotAnswering(self.home, "the disk is full", "free some space and try again")
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            return EmbeddedUnavailable(self.home, "this file system has no file locks", _ANOTHER_FOLDER)
        return EmbeddedUnavailable(self.home, f"{where}: {os.strerror(error.errno or 0)}", _ANOTHER_FOLDER)

    def touch(self, path: Path) -> None:
        """Make one of this folder's lock files where it is missing."""
        if not path.exists():
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                self._like_home(path)

    def ready_port(self) -> int | None:
        """The port of the server, by the keeper's word; only to be believed while ``keeper.lock`` is held."""
        port, ready = self._read_state()
        return port if ready else None

    def last_port(self) -> int | None:
        """The port that was used last: kept where possible, so that URLs of long-lived commands stay good."""
        return self._read_state()[0]

    def write_state(self, port: int | None, *, ready: bool) -> None:
        """Note the port, and whether the server accepts connections there."""
        self.write("state", f"{port or 0} {'ready' if ready else 'stopped'}\n")

    def password(self) -> str | None:
        """The superuser's password, if there is one yet."""
        try:
            return self._password.read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """Replace a small file in one step, durably, readable by its owner only."""
        temporary = self.path / f".{name}.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._like_home(temporary)
        temporary.replace(self.path / name)

    def open_log(self) -> int:
        """A descriptor that appends to the log."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.log, flags, 0o600)
        self._like_home(self.log)
        return descriptor

    def trim_log(self) -> None:
        """Keep the log below twice its limit: the older half goes to ``server.log.1``."""
        # Copied and cut, not renamed: the server goes on writing to the file that it has open.
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.write("server.log.1", self.log.read_text(errors="replace")[-_LOG_LIMIT:])
            os.truncate(self.log, 0)

    def _read_state(self) -> tuple[int | None, bool]:
        try:
            port, word = self._state.read_text().split()
        except (FileNotFoundError, ValueError):
            return None, False
        return int(port) or None, word == "ready"

    def _like_home(self, path: Path) -> None:
        """What root makes in a folder of an ordinary user belongs to that user, who comes back without root."""
        if os.name == "posix" and os.geteuid() == 0:
            owner = self.home.stat()
            if owner.st_uid != 0 and stat.S_ISDIR(owner.st_mode):
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
