"""Names of relations: quoting, and the tables that belong to a report."""

from __future__ import annotations

import hashlib

_MOST_BYTES = 63


def quoted(name: str) -> str:
    """The name as an SQL identifier, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL literal, for the statements that take no parameters."""
    escaped = text.replace("'", "''")
    return f" E'{escaped.replace(chr(92), chr(92) * 2)}'" if "\\" in escaped else f"'{escaped}'"


def qualified(schema: str, name: str) -> str:
    """``"schema"."name"``."""
    return f"{quoted(schema)}.{quoted(name)}"


def version_table(report: str, version: int) -> str:
    """The table of one version: ``airport_delays__v7``."""
    return _shortened(report, f"__v{version}")


def versions_parent(report: str, generation: int = 1) -> str:
    """The partitioned table over all versions of a generation: ``airport_delays__versions``, then ``…_g2``."""
    return _shortened(report, "__versions" if generation == 1 else f"__versions_g{generation}")


def _shortened(report: str, suffix: str) -> str:
    """Long names keep their beginning, and a hash keeps them apart."""
    if len(report) + len(suffix) <= _MOST_BYTES:
        return report + suffix
    digest = hashlib.blake2b(report.encode(), digest_size=4).hexdigest()
    return f"{report[: _MOST_BYTES - len(suffix) - len(digest) - 1]}_{digest}{suffix}"
