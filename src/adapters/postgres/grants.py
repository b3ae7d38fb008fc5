"""What the role of everyday work needs in RunLog: everything but the past."""

from __future__ import annotations

from . import tables

_APPEND_ONLY = ("event", "event_anchor")
_SEAL = ("position", "digest")


def grants_sql(role: str) -> str:
    """SQL for psql, to be run by the tables' owner after each migration; ``role`` must not be that owner."""
    name = '"' + role.replace('"', '""') + '"'
    rest = [table.name for table in tables.metadata.sorted_tables if table.name not in _APPEND_ONLY]
    others = ", ".join(f"public.{table}" for table in rest)
    written = ", ".join(column.name for column in tables.event.columns if column.name not in ("seq", *_SEAL))
    return (  # our own names, and a quoted one
        f"GRANT USAGE ON SCHEMA public TO {name};\n"  # noqa: S608
        f"GRANT SELECT ON public.kubescribe_schema TO {name};\n"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {others} TO {name};\n"
        "-- Events are written and read; of one that is there, the seal alone may be filled in.\n"
        f"REVOKE ALL ON {', '.join(f'public.{table}' for table in _APPEND_ONLY)} FROM {name};\n"
        f"GRANT SELECT, INSERT ({written}), UPDATE ({', '.join(_SEAL)}) ON public.event TO {name};\n"
        f"GRANT SELECT, INSERT ON public.event_anchor TO {name};\n"
    )
