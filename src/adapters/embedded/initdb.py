"""Making a data directory, and changing one without a server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .binaries import Binaries
from .privileges import Identity
from .programs import run_program

USER = "kubescribe"


def initialise(
    binaries: Binaries,
    identity: Identity,
    data: Path,
    *,
    password: str | None = None,
    databases: Iterable[str] = (),
    durable: bool = True,
) -> None:
    """Make a data directory (``data`` must not exist): UTF8, code point order, superuser ``kubescribe``.

    With a password every connection needs it (scram-sha-256); without one, the machine's own are trusted.
    With ``durable`` everything is on the disk when this returns. Raises :class:`~.programs.Failed`.
    """
    data.mkdir(mode=0o700)
    identity.give(data)
    # The wheel has no ICU; the C.UTF-8 that newer servers bring along knows the letters beyond ASCII.
    locale = ["--locale=C"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    flags = ["--username", USER, "--encoding=UTF8", "--auth=trust", "--no-sync", "--no-instructions", *locale]
    run_program(binaries, identity, ["initdb", "-D", str(data), *flags])
    method = "trust" if password is None else "scram-sha-256"
    (data / "pg_hba.conf").write_text(
        f"host all all 127.0.0.1/32 {method}\nhost replication all 127.0.0.1/32 {method}\n"
    )
    statements = [f"CREATE DATABASE {name}" for name in databases]
    if password is not None:
        statements.append(password_statement(password))
    run_single(binaries, identity, data, statements, durable=False)
    if durable:
        run_program(binaries, identity, ["initdb", "-D", str(data), "--sync-only"])


def password_statement(password: str) -> str:
    """The SQL that sets the superuser's password."""
    return f"ALTER ROLE {USER} PASSWORD '{password}'"


def run_single(
    binaries: Binaries, identity: Identity, data: Path, statements: list[str], *, durable: bool = True
) -> None:
    """Run statements without a server; they go through a pipe, so no list of processes shows them."""
    options = ["-c", "exit_on_error=true", "-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off"]
    if not durable:
        options += ["-c", "fsync=off"]
    command = ["postgres", "--single", "-D", str(data), *options, "postgres"]
    run_program(binaries, identity, command, "".join(f"{line}\n" for line in statements))
