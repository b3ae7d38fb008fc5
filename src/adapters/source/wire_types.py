"""Which types go from one PostgreSQL to another in binary, and as what.

The bytes of a type mean the same on both sides only where the server itself brings the type: those of an extension,
composites and the names of relations hang on one database's own numbers, money on its locale, and xml on how it was
built. An empty tsquery is sent and not taken. A domain comes as its base type, as everywhere; an enum's bytes are its
label, and so it becomes text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...domain.errors import QueryFailed, UnsupportedType
from ...domain.report import Column
from .statement import Field

if TYPE_CHECKING:
    import psycopg

_NAMES = """bool int2 int4 int8 float4 float8 numeric text varchar bpchar char name bytea date time timetz timestamp
timestamptz interval uuid json jsonb inet cidr macaddr macaddr8 bit varbit oid pg_lsn tsvector point lseg box
path polygon line circle int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange
nummultirange tsmultirange tstzmultirange datemultirange"""
_EXACT = frozenset(_NAMES.split())

_LOOK_UP = """
SELECT t.typname, n.nspname = 'pg_catalog' AND t.oid < 16384, t.typtype::text, e.typname,
       e.typnamespace = 'pg_catalog'::regnamespace AND e.oid < 16384, format_type(f.oid, f.modifier)
FROM unnest(%s::oid[], %s::int[]) WITH ORDINALITY f (oid, modifier, place)
JOIN pg_type t ON t.oid = f.oid JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
ORDER BY f.place
"""


def columns_of(connection: psycopg.Connection[Any], fields: Sequence[Field], *, name: str) -> tuple[Column, ...]:
    """The columns of a report that takes these as they are, by the names that ``format_type`` gives the types.

    Raises :class:`UnsupportedType` for a type whose bytes another database would not understand.
    """
    if not fields:
        raise QueryFailed(name, "it returns no columns")
    names = [field[0] for field in fields]
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise QueryFailed(name, f"it returns several columns called {', '.join(twice)}; rename them with AS")
    rows = connection.execute(_LOOK_UP, ([field[1] for field in fields], [field[2] for field in fields])).fetchall()
    # counted in bytes there, and filled up by characters where they arrive
    exact = _EXACT - {"bpchar"} if connection.info.parameter_status("server_encoding") == "SQL_ASCII" else _EXACT
    found = []
    for column, (kind, builtin, category, element, element_builtin, written) in zip(names, rows, strict=True):
        if category == "e":
            written = "text"
        elif not (element_builtin and element in exact if element else builtin and kind in exact):
            raise UnsupportedType(
                f"query {name}",
                column,
                str(written),
                f"another database may not understand its bytes: cast it, like {column}::text",
            )
        found.append(Column(column, str(written)))
    return tuple(found)
