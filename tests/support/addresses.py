"""URLs for the drivers."""

from __future__ import annotations

from typing import Any

from psycopg.conninfo import conninfo_to_dict


def asyncpg_address(url: str) -> dict[str, Any]:
    """What ``asyncpg.connect`` takes, from a URL of a test's cluster."""
    parts = conninfo_to_dict(url)
    address = {
        "host": parts["host"],
        "port": int(str(parts["port"])),
        "user": parts["user"],
        "database": parts["dbname"],
    }
    return address | ({"password": parts["password"]} if "password" in parts else {})
