"""RunLog, production and report database of one test, copied from templates: migrating costs a second."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from kubescribe.adapters.postgres.migrate import migrate as migrate_runlog
from kubescribe.adapters.report.migrate import migrate as migrate_report

from .addresses import asyncpg_address
from .clusters import Cluster

_NUMBERS = itertools.count(1)
_TEMPLATES: set[tuple[int, str]] = set()


class ThreeDatabases(msgspec.Struct, frozen=True):
    """Their URLs."""

    runlog: str
    production: str
    report: str


@contextmanager
def three_databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    """Fresh databases on a cluster, dropped at the end of the block."""
    runlog, report = _template(cluster, "runlog"), _template(cluster, "report")
    number = next(_NUMBERS)
    names = {name: f"three_{name}_{number}" for name in ("runlog", "production", "report")}
    templates = {"runlog": runlog, "report": report, "production": None}
    yield ThreeDatabases(
        **{name: cluster.create_database(database, template=templates[name]) for name, database in names.items()}
    )
    for database in names.values():
        cluster.drop_database(database)


def _template(cluster: Cluster, name: str) -> str:
    template = f"three_{name}_template"
    if (id(cluster), name) not in _TEMPLATES:
        address = asyncpg_address(cluster.create_database(template))
        asyncio.run(migrate_runlog(address) if name == "runlog" else migrate_report(address))
        _TEMPLATES.add((id(cluster), name))
    return template
