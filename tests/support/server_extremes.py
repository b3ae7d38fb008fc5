"""Every type of the server's that a column can have, with its extremes, as SQL writes them."""

from __future__ import annotations

SETUP = """
CREATE TYPE mood AS ENUM ('happy', 'so, "so"', '', 'é😀'); CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN price AS numeric(9,2);
CREATE DOMAIN moods AS mood; CREATE DOMAIN ints AS int[]; CREATE DOMAIN pairs AS pair;
CREATE TYPE floats AS RANGE (subtype = float8);
CREATE TYPE label;
CREATE FUNCTION label_in(cstring) RETURNS label AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION label_out(label) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION label_receive(internal) RETURNS label AS 'textrecv' LANGUAGE internal STABLE STRICT;
CREATE FUNCTION label_send(label) RETURNS bytea AS 'textsend' LANGUAGE internal STABLE STRICT;
CREATE TYPE label (INPUT = label_in, OUTPUT = label_out, RECEIVE = label_receive, SEND = label_send, LIKE = text)
"""
"""What they need in the database; ``label`` is as an extension's type (hstore, ltree, citext) is."""

CONTROLS = "".join(map(chr, [*range(1, 32), 127, 0x85, 0xA0, 0x2028, 0xFEFF, 0xFFFF, 0x10FFFF]))


class Beyond(str):
    """A value that no type of polars keeps."""

    __slots__ = ()


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _moments(*, time: bool, zone: str = "", most: str) -> list[str]:
    kept = ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59.999999", "2000-01-01 00:00:00"]
    beyond = ["10000-01-01 00:00:00", "0001-12-31 23:59:59.999999 BC", "4714-11-24 00:00:00 BC", most]

    def written(moment: str) -> str:
        day, clock, *era = moment.split(" ")
        return _text(" ".join([f"{day} {clock}{zone}" if time else day, *era]))

    return [*map(written, kept), *(Beyond(written(moment)) for moment in beyond), *INFINITE]


INFINITE = [Beyond("'infinity'"), Beyond("'-infinity'")]
_TEXTS = [
    "''",
    "'NULL'",
    "' '",
    "'é😀👩‍👩‍👧 e\u0301 ﷺ'",
    _text(CONTROLS),
    _text("\\. \\N \\x00 '' \"\" ,"),
    "repeat('é,\"\\ ', 200000)",
]
_FLOATS = ["0", "'-0'", "'NaN'", "'Infinity'", "'-Infinity'"]
_LAST = "294276-12-31 23:59:59.999999"

EXTREMES: dict[str, list[str]] = {
    "boolean": ["true", "false"],
    "smallint": ["'-32768'", "32767"],
    "integer": ["'-2147483648'", "2147483647"],
    "bigint": ["'-9223372036854775808'", "9223372036854775807"],
    "real": [*_FLOATS, "'3.4028235e38'", "'1e-45'", "'-1.1'", "16777217"],
    "double precision": [*_FLOATS, "'1.7976931348623157e308'", "'5e-324'", "'0.1'", "9007199254740993"],
    "numeric(10,2)": ["'99999999.99'", "'-0.01'", "0", Beyond("'NaN'")],
    "numeric(38,0)": ["'" + "9" * 38 + "'", "'-" + "9" * 38 + "'"],
    "numeric(38,38)": ["'0." + "9" * 38 + "'", "'-0." + "0" * 37 + "1'"],
    "numeric(39,0)": ["7", Beyond("'" + "9" * 39 + "'")],
    "numeric(1000,500)": [Beyond("'" + "9" * 500 + "." + "9" * 500 + "'")],
    "numeric(3,-2)": ["12300", "'-99900'"],
    "numeric(3,5)": ["'0.00999'"],
    "numeric": [
        "'-" + "1" * 20 + ".50'",
        "'1e-38'",
        "'0.00'",
        *(Beyond(_text(value)) for value in ("NaN", "Infinity", "-Infinity", "1e-16000", "1e131071", "12345" * 200)),
    ],
    "money": ["'12.34'", "'-92233720368547758.08'"],
    "text": _TEXTS,
    "character varying": _TEXTS[:3],
    "character varying(3)": ["'é😀x'", "'a  '"],
    "character(3)": ["''", "'a'", "'é😀'"],
    "character(1)": ["' '"],
    '"char"': ["'a'", "','", "''", "'\"'"],
    "name": ["'" + "n" * 63 + "'"],
    "bytea": ["''", "'\\x00'", "'\\x0d0a2c225c00ff'", "decode(repeat('00ff0a', 300000), 'hex')"],
    "date": _moments(time=False, most="5874897-12-31 00:00:00"),
    "time without time zone": ["'00:00'", "'23:59:59.999999'", Beyond("'24:00:00'")],
    "time(0) without time zone": ["'12:34:56'"],
    "time with time zone": ["'00:00+15:59:59'", "'23:59:59.999999-15:59'", "'24:00:00+00'"],
    "timestamp without time zone": _moments(time=True, most=_LAST),
    "timestamp(3) without time zone": ["'2013-01-01 00:00:00.123'"],
    "timestamp with time zone": [*_moments(time=True, zone="+00", most=_LAST), "'1930-01-01 00:00:00+00:19:32'"],
    "interval": [
        "'1 year 13 months -400 days 25:00:00.000001'",
        "'-1 month'",
        "'30 days'",
        "'720 hours'",
        "'178000000 years'",
        "'-178000000 years'",
        "'2147483647 days'",
        "'-2562047788:00:54.775807'",
        "'0'",
    ],
    "interval day to second(0)": ["'1 12:00:01'"],
    "uuid": ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
    "json": ['\'{"b": 1.10, "b": 2,  "a":[]}\'', "'null'", "'\"\\ud83d\\ude00\"'"],
    "jsonb": ['\'{"b": 1.10, "a": [1e400, null]}\'', "'null'", "'\"\\ud83d\\ude00\"'"],
    "jsonpath": ["'$.a[*] ? (@ > 1)'"],
    "xml": [],
    "mood": ["'happy'", "'so, \"so\"'", "''", "'é😀'"],
    "moods": ["'happy'"],
    "positive": ["1", "2147483647"],
    "price": ["'-9999999.99'"],
    "ints": ["'{1,NULL}'"],
    "pair": ["ROW(1, 'x,\"')", "ROW(NULL, NULL)"],
    "pairs": ["ROW(1, 'x')"],
    "label": ["'a, \"b\"'"],
    "integer[]": ["'{1,NULL,3}'", "'{}'", "'{{1,2},{3,NULL}}'", "'[-1:1]={1,2,3}'", "'[2:3][0:0]={{1},{2}}'"],
    "text[]": ['\'{NULL,"NULL",""," ","a,b","\\\\","\\"","é😀"}\''],
    "numeric(5,2)[]": ["'{1.10,NaN}'"],
    "timestamp with time zone[]": ["'{infinity,2013-01-01 00:00:00+00}'"],
    "character(3)[]": ["'{a,NULL}'"],
    "mood[]": ['\'{happy,"so, \\"so\\"",NULL}\''],
    "pair[]": ["ARRAY[ROW(1,'x')::pair, NULL]"],
    "int4range": ["'[1,5)'", "'empty'", "'(,)'", "'(,3]'"],
    "int8range": ["'[-9223372036854775808,9223372036854775807)'"],
    "numrange": ["'(1.10,NaN]'"],
    "tsrange": ["'[2013-01-01 00:00:00,infinity)'"],
    "tstzrange": ["'[2013-01-01 00:00:00+00,)'"],
    "daterange": ["'[4714-11-24 BC,infinity]'"],
    "int4multirange": ["'{}'", "'{[1,3),[5,9)}'"],
    "datemultirange": ["'{[2013-01-01,2013-02-01)}'"],
    "floats": ["'[1.5,2.5]'"],
    "inet": ["'10.0.0.1/8'", "'::ffff:1.2.3.4/128'", "'fe80::1/64'"],
    "cidr": ["'10.0.0.0/8'", "'::/0'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "bit(3)": ["B'101'"],
    "bit varying": ["B''", "repeat('10', 1000)::bit varying"],
    "bit varying(5)": ["B'10101'"],
    "oid": ["0", "'4294967295'"],
    "xid": ["'4294967295'"],
    "pg_lsn": ["'FFFFFFFF/FFFFFFFF'"],
    "regclass": ["'pg_class'"],
    "regtype": ["'integer'"],
    "tsvector": ["'a:1A fat:2,4 cat'", "''", "'''it''''s'':16383'"],
    "tsquery": ["'a & !(b | c:*AB) <-> d'", "''"],
    "point": ["'(1e308,NaN)'"],
    "line": ["'{1,-1,0}'"],
    "lseg": ["'[(0,0),(1,-0)]'"],
    "box": ["'(1,1),(0,0)'"],
    "path": ["'((0,0),(1,1))'", "'[(0,0),(1,1)]'"],
    "polygon": ["'((0,0),(1,1),(1,0))'"],
    "circle": ["'<(0,0),5>'"],
}
"""By the name that ``format_type`` gives the type; beside each a null. Not every server is built with xml."""
