"""The part of the graph that browses reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...domain.row_format import RowFormat
from ..settings import Settings
from .addresses import address
from .databases import Databases

if TYPE_CHECKING:
    from ...adapters.report.reader import PostgresReportReader
    from ...application.compare_versions import CompareVersions
    from ...application.ports.report_catalogue import ReportCatalogue
    from ...application.ports.report_reader import ReportReader, Row
    from ...application.ports.row_encoder import RowEncoder
    from ...application.ports.run_log import RunLog
    from ...application.record_rollbacks import RecordRollbacks
    from ...domain.report import Column


def report_reader(settings: Settings, databases: Databases) -> PostgresReportReader:
    """With the login of ``REPORT_READER_DB_URL``; without it that of ``REPORT_DB_URL``, in the role that only reads."""
    from ...adapters.report.reader import PostgresReportReader
    from ...adapters.report.schema import BROWSER

    own_login = settings.report_reader_url
    where, connect_timeout = address(own_login or databases.report, settings)
    return PostgresReportReader(
        where,
        role=None if own_login else BROWSER,
        schema=settings.report_schema,
        connect_timeout=connect_timeout,
        statement_timeout=settings.browse_timeout.total_seconds(),
        difference_timeout=2 * settings.browse_timeout.total_seconds(),
    )


def compare_versions(reader: ReportReader) -> CompareVersions:
    """The use case."""
    from ...application.compare_versions import CompareVersions

    return CompareVersions(reader=reader)


def record_rollbacks(catalogue: ReportCatalogue, run_log: RunLog) -> RecordRollbacks:
    """The use case."""
    from ...application.record_rollbacks import RecordRollbacks

    return RecordRollbacks(catalogue=catalogue, run_log=run_log)


def row_encoder(kind: RowFormat, *, formula_safe: bool = True, exact_numbers: bool = True) -> RowEncoder:
    """The encoder of a format.

    ``formula_safe``: CSV that no spreadsheet takes for formulas; ``exact_numbers``: JSON that no parser rounds.
    """
    match kind:
        case RowFormat.JSON:
            from ...adapters.formats.json_rows import JsonRows, Numbers

            return JsonRows(Numbers.TEXT if exact_numbers else Numbers.NUMBER)
        case RowFormat.CSV:
            from ...adapters.formats.csv_rows import CsvRows

            return CsvRows(formula_safe=formula_safe)
        case RowFormat.PARQUET:
            from ...adapters.formats.parquet_rows import ParquetRows

            return ParquetRows()
        case RowFormat.ARROW:
            from ...adapters.formats.arrow_rows import ArrowRows

            return ArrowRows()


def json_objects(columns: tuple[Column, ...], rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """Rows as they are in a JSON document; numbers that a parser could round are text."""
    from ...adapters.formats.json_rows import JsonRows

    return JsonRows().as_objects(columns, rows)
