"""``kubescribe psql DATABASE``: psql on one of the databases, which are up until it ends."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess

from ...domain.errors import CommandNotFound
from ..composition.databases import open_databases, packaged_psql
from ..settings import Settings


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Run psql; its exit code."""
    with open_databases(settings) as databases:
        conninfo = getattr(databases, args.database).for_libpq()
        psql = shutil.which("psql") or packaged_psql()
        if psql is None:
            raise CommandNotFound("psql", "it is not installed", "install PostgreSQL's client, or kubescribe[embedded]")
        return subprocess.run([psql, *args.argv], env={**os.environ, **_environment(conninfo)}).returncode


def _environment(conninfo: str) -> dict[str, str]:
    """The connection as libpq's variables: an argument list, password and all, can be read by everybody."""
    from psycopg import pq

    given = [(option.envvar, option.val) for option in pq.Conninfo.parse(conninfo.encode())]
    return {name.decode(): value.decode() for name, value in given if name is not None and value is not None}
