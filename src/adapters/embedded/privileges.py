"""Whom the server runs as, and how a child process becomes that user."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

# Numbers of <linux/capability.h>, <linux/prctl.h> and <linux/securebits.h>.
CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, KILL, SETGID, SETUID, SETPCAP = 0, 1, 2, 5, 6, 7, 8
_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None  # loaded before any fork: a child must not load


class Refused(Exception):
    """The server cannot run as anybody here; the message is one clause, ``remedy`` another."""

    def __init__(self, why: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(why)


class Identity(NamedTuple):
    """Whom a server runs as. ``switch`` is true when the caller is root and has to become somebody else."""

    uid: int
    gid: int
    switch: bool
    capability: int | None = None
    """A capability that the server keeps, see :func:`server_identity`."""

    def give(self, *paths: Path) -> None:
        """Make the server's user the owner of these files and folders (and of nothing inside them)."""
        if self.switch:
            for path in paths:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_identity(owned: Path, needed: Iterable[Path]) -> Identity:
    """Who the server should run as: this user, or for root somebody else, because PostgreSQL refuses root.

    Root's choice is the owner of ``owned`` (the data folder) when that is an ordinary user, else ``postgres``
    or ``nobody``: initdb wants a name, so a uid without a passwd entry does not serve.

    The folders above ``owned`` and ``needed`` may be closed to that user (``/root`` is 0700). They are never
    opened. Instead the server keeps one capability, and only when some path needs it:

    - CAP_DAC_READ_SEARCH (pass through and read) when we have it; else, as in a container with Docker's
      default set, CAP_DAC_OVERRIDE. Either is less than the root from whom it was inherited.
    - A user namespace would do without, but containers forbid making one; ``/proc/self/cwd`` reaches the data
      but not the server's libraries; a copy of the programs costs 70 MB and a moment at every upgrade.
    """
    uid = os.geteuid()
    if uid != 0:
        if _name_of(uid) is None:
            raise Refused(
                f"PostgreSQL cannot be set up by uid {uid}, which has no entry in /etc/passwd",
                "add one, run as another user, or set RUNLOG_DB_URL, PROD_DB_URL and REPORT_DB_URL",
            )
        return Identity(uid, os.getegid(), switch=False)
    user, group = _choose(owned)
    held = _held_capabilities()
    if not _contains(held, CHOWN, KILL, SETGID, SETUID):
        raise Refused(
            "PostgreSQL refuses to run as root, and this root may not become another user",
            "give it the capabilities CHOWN, KILL, SETGID and SETUID, or run as an ordinary user",
        )
    blocked = [path for path in [*needed, owned.parent] if not _reaches(path, user, group)]
    if not blocked:
        return Identity(user, group, switch=True)
    # A file without any permission for others can be read with the lesser capability, but not executed.
    lesser = all(path.is_dir() or path.stat().st_mode & stat.S_IXOTH or not _is_program(path) for path in blocked)
    for capability in () if held is None else (DAC_READ_SEARCH, DAC_OVERRIDE) if lesser else (DAC_OVERRIDE,):
        if _contains(held, capability, SETPCAP):
            return Identity(user, group, switch=True, capability=capability)
    raise Refused(
        f"PostgreSQL refuses to run as root, and the user {_name_of(user)} cannot reach {blocked[0]}",
        "run as an ordinary user, or choose a folder that others can pass through (KUBESCRIBE_HOME)",
    )


def become(identity: Identity, dies_with: int | None = None) -> Callable[[], None]:
    """What a new child does between fork and exec: become ``identity``; get SIGINT when the parent ends.

    ``dies_with`` is the pid of the parent. SIGINT is PostgreSQL's fast shutdown. Linux only; elsewhere the
    parent has to see to it. Sets nothing up in the child that could need a lock.
    """

    def in_child() -> None:
        if identity.switch:
            _switch(identity)
        # After the change of user, which clears it.
        if dies_with is not None and _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
            if os.getppid() != dies_with:  # it died before we could ask
                os._exit(1)

    return in_child


def _switch(identity: Identity) -> None:
    os.setgroups([identity.gid])
    keep = identity.capability
    # The change of user is to leave the capabilities alone, here and in access(2), by which PostgreSQL's programs
    # look for each other: that call would not count them otherwise.
    if keep is not None and _libc is not None and _libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the capabilities could not be kept")
    if _LINUX:
        os.setresgid(identity.gid, identity.gid, identity.gid)
        os.setresuid(identity.uid, identity.uid, identity.uid)
    else:
        os.setgid(identity.gid)
        os.setuid(identity.uid)
    if keep is None or _libc is None:
        return
    bit = 1 << keep
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable
    # "Ambient" is what an ordinary program keeps across exec.
    if _libc.capset(header, sets) or _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, keep, 0, 0):
        raise OSError(ctypes.get_errno(), "the capability could not be kept")


def _choose(owned: Path) -> tuple[int, int]:
    import pwd

    for path in (owned, owned.parent):
        if path.exists() and (owner := path.stat().st_uid) != 0 and _name_of(owner) is not None:
            return owner, pwd.getpwuid(owner).pw_gid
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
    raise Refused(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody",
        "add one of them, or run as an ordinary user",
    )


def _name_of(uid: int) -> str | None:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _held_capabilities() -> int | None:
    """The permitted set; nothing where there are no capabilities (macOS)."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapPrm:")), None)


def _contains(held: int | None, *capabilities: int) -> bool:
    return held is None or all(held & (1 << capability) for capability in capabilities)


def _is_program(path: Path) -> bool:
    return path.is_file() and bool(path.stat().st_mode & 0o111)


def _reaches(path: Path, uid: int, gid: int) -> bool:
    """Whether the mode bits let a user pass through every folder above a file and read or run it."""
    real = path.resolve()
    wanted = 0o5 if real.is_dir() or _is_program(real) else 0o4
    if not _permits(real.stat(), uid, gid, 0o1 if real.is_dir() else wanted):
        return False
    return all(_permits(folder.stat(), uid, gid, 0o1) for folder in real.parents)


def _permits(status: os.stat_result, uid: int, gid: int, wanted: int) -> bool:
    shift = 6 if status.st_uid == uid else 3 if status.st_gid == gid else 0
    return (status.st_mode >> shift) & wanted == wanted
