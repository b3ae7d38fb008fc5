"""Where the next page of rows begins, as text that a client keeps and gives back.

It is no secret and is not signed: it names a place in an order, and all that is in it is looked at like any other
input, so a cursor that somebody made up shows nothing that a filter would not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

import msgspec

from ..domain.errors import BadCursor, BadRowQuery
from ..domain.report_query import RowQuery
from ..domain.report_value import Value, parse_position, text_of
from .row_plan import Plan

LONGEST = 8_000
"""Characters of a cursor: it has to fit a URL."""
_PLACE = re.compile(r"\(([0-9]{1,10}),([0-9]{1,5})\)", re.ASCII)

Place = tuple[int, int]
"""Of a row in its table: block and line."""


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a cursor holds."""

    question: str
    """A digest of what was asked for."""
    version: int
    width: int
    """Columns that the version had when the first page was read: further ones came later."""
    table: str
    """Which table the rows were read from."""
    values: tuple[str | None, ...]
    """Of the columns of the order, in the last row of the page before."""


def cursor_after(query: RowQuery, plan: Plan, position: Position, last: tuple[Value | Place, ...]) -> str:
    """The cursor behind a row, of which ``last`` are the values of the order; ``position`` says the rest."""
    texts = tuple(f"({one[0]},{one[1]})" if isinstance(one, tuple) else text_of(one) for one in last)
    raw = msgspec.json.encode(msgspec.structs.replace(position, question=_question(query), values=texts))
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    if len(text) > LONGEST:
        names = [one.column.name for one in plan.order if one.column is not None]
        raise BadRowQuery(
            f"the last row of this page has values too long to go on from in {', '.join(names)}; "
            "sort by shorter columns, or ask for another number of rows"
        )
    return text


def read_cursor(query: RowQuery, text: str) -> Position:
    """What ``text`` holds; raises :class:`BadCursor`."""
    if len(text) > LONGEST:
        raise BadCursor("is too long")
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        position = msgspec.json.decode(raw, type=Position)
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        raise BadCursor("cannot be read") from None
    if position.question != _question(query):
        raise BadCursor("belongs to another question: the report, the columns, the filters or the order differ")
    if not 0 < position.version < 2**63 or not 0 < position.width < 2**15:
        raise BadCursor("cannot be read")
    return position


def order_values(plan: Plan, position: Position) -> tuple[Value | Place, ...]:
    """The values of the order that the position is behind; raises :class:`BadCursor`."""
    if len(position.values) != len(plan.order):
        raise BadCursor("belongs to another order")
    values: list[Value | Place] = []
    for one, text in zip(plan.order, position.values, strict=True):
        if one.column is None:
            values.append(_place(text))
        elif text is None:
            if not one.nullable:
                raise BadCursor("cannot be read")
            values.append(None)
        else:
            try:
                values.append(parse_position(one.column, text))
            except BadRowQuery:
                raise BadCursor("cannot be read") from None
    return tuple(values)


def _place(text: str | None) -> Place:
    match = _PLACE.fullmatch(text or "")
    if match is None or int(match[1]) >= 2**32 or int(match[2]) >= 2**16:
        raise BadCursor("cannot be read")
    return int(match[1]), int(match[2])


def _question(query: RowQuery) -> str:
    # repr, which has a text for half a character too: that is refused later, with the filter that it is in
    return hashlib.blake2b(repr(query).encode(), digest_size=12).hexdigest()
