"""Values of every PostgreSQL type that can occur, as SQL writes them."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
AWKWARD = [
    "",
    "NULL",
    "\\N",
    "\\.",
    '"',
    '""',
    ",",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\t",
    "é😀",
    " ",
    "\ufeff",
    "a\x1fb",
    "'",
]
LONG = "é\n,\"'" * 200_000


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def of(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return values.map(lambda value: f"{quoted(str(value))}::{kind}")


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.sampled_from([low, high, 0, -1]) | st.integers(low, high)


MOMENTS = st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**7), max_value=10**7)
KINDS: dict[str, st.SearchStrategy[str]] = {
    "bool": st.sampled_from(["true", "false"]),
    "int2": of("int2", whole(-(2**15), 2**15 - 1)),
    "int4": of("int4", whole(-(2**31), 2**31 - 1)),
    "int8": of("int8", whole(-(2**63), 2**63 - 1)),
    "float4": of("float4", st.floats(width=32) | st.sampled_from([-0.0, 1e-45, math.inf, -math.inf])),
    "float8": of("float8", st.floats() | st.sampled_from([-0.0, 5e-324, math.inf, -math.inf])),
    "numeric(10,2)": of("numeric(10,2)", NUMBERS | st.just(Decimal("NaN"))),
    "numeric(38,38)": of("numeric(38,38)", st.integers(0, 10**38 - 1).map(lambda n: f"0.{n:038d}")),
    "numeric(45,3)": of("numeric(45,3)", NUMBERS),
    "numeric": of("numeric", NUMBERS | st.just("NaN") | st.just("1e20")),
    "text": of("text", TEXT | st.sampled_from(AWKWARD)),
    "varchar(9)": of("varchar(9)", TEXT),
    "char(3)": of("char(3)", st.sampled_from(["", "a", "a ", "é"])),
    '"char"': of('"char"', st.sampled_from(["a", '"', ","])),
    "bytea": st.binary(max_size=9).map(lambda data: f"'\\x{data.hex()}'::bytea"),
    "date": of("date", st.dates() | st.sampled_from(["infinity", "0044-03-15 BC", "12013-01-01"])),
    "time": of("time", st.times() | st.just("24:00:00")),
    "timetz": of("timetz", st.sampled_from(["12:00+02", "23:59:59.999999-15:59"])),
    "timestamp": of("timestamp", MOMENTS | st.sampled_from(["-infinity", "infinity"])),
    "timestamptz": of("timestamptz", MOMENTS | st.sampled_from(["infinity", "0001-01-01 00:00:00+05"])),
    "interval": of("interval", st.sampled_from(["1 mon -2 days", "-178000000 years", "00:00:00.000001"])),
    "uuid": of("uuid", st.uuids()),
    "json": of("json", st.sampled_from(['{"b": 1,  "a":null}', '"\\u00e9"', "[1.10]"])),
    "jsonb": of("jsonb", st.sampled_from(['{"b": 1.10}', '"é"', "null"])),
    "mood": of("mood", st.sampled_from(["happy", 'so, "so"', ""])),
    "positive": of("positive", st.integers(1, 9)),
    "pair": st.sampled_from(["ROW(1,'x,\"')::pair", "ROW(NULL,'')::pair"]),
    "int4[]": st.sampled_from(["'{1,NULL,3}'::int4[]", "'{}'::int4[]", "'{{1},{2}}'::int4[]"]),
    "text[]": st.lists(st.sampled_from(AWKWARD)).map(lambda items: f"ARRAY[{','.join(map(quoted, items))}]::text[]"),
    "int4range": of("int4range", st.sampled_from(["[1,5)", "empty", "(,3]"])),
    "inet": of("inet", st.sampled_from(["10.0.0.1/8", "::1"])),
    "macaddr": of("macaddr", st.just("08:00:2b:01:02:03")),
    "money": of("money", NUMBERS),
    "tsvector": of("tsvector", st.just("a fat cat")),
    "point": of("point", st.just("(1,2)")),
    "bit(3)": of("bit(3)", st.just("101")),
    "varbit": of("varbit", st.sampled_from(["", "1"])),
    "oid": of("oid", whole(0, 2**32 - 1)),
    "pg_lsn": of("pg_lsn", st.just("16/B374D848")),
    "regclass": of("regclass", st.just("pg_class")),
}


TYPES = """
CREATE TYPE mood AS ENUM ('happy', 'so, "so"', ''); CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0)
"""
"""What the queries need in the database."""


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A query that gives some rows of some types, under awkward names."""
    kinds = draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=5))
    height = draw(st.integers(0, 5))
    names = draw(st.lists(st.sampled_from(["a", "^b$", 'c"d', "é", "e f", "0", "A"]), unique=True, min_size=5))
    cells = [[draw(st.just(f"NULL::{kind}") | KINDS[kind]) for kind in kinds] for _ in range(max(height, 1))]
    rows = ", ".join(f"({n}, {', '.join(row)})" for n, row in enumerate(cells))
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names[: len(kinds)])
    return f"SELECT {columns} FROM (VALUES {rows}) t (n_, {columns}) WHERE n_ < {height} ORDER BY n_"
