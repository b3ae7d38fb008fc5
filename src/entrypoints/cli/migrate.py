"""``kubescribe migrate``: bring the databases' schemas up to date."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ...domain.errors import NotConfigured
from ..composition.databases import grants, migrate, migration_sql, open_databases, runlog_grants
from ..settings import Settings


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Migrate what is configured, or print the SQL."""
    if args.sql:
        sys.stdout.write(migration_sql(args.sql, settings.report_schema))
        return 0
    if args.grants:
        publisher, reader = args.grants
        sys.stdout.write(grants(publisher, reader, settings.report_schema))
        return 0
    if args.runlog_grants:
        sys.stdout.write(runlog_grants(args.runlog_grants))
        return 0
    with open_databases(settings) as databases:
        if databases.runlog_url is None and databases.report_url is None:
            raise NotConfigured("kubescribe migrate", "RUNLOG_DB_URL or REPORT_DB_URL")
        for name, changed in asyncio.run(migrate(databases, settings.report_schema)).items():
            print(f"the {name} database {'is up to date now' if changed else 'was up to date'}")
    return 0
