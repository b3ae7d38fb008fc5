"""Values in the text of a statement, for COPY, which takes no binds.

A literal is the text that the bind would have sent, cast to the type that the server had found for the bind. So it
goes through the same input function, to the same value of the same type: nothing is guessed from Python's side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .statement import Description, described_by_server

if TYPE_CHECKING:
    import psycopg


def literal(text: bytes | None, kind: str) -> str:
    """``CAST('it''s' AS text)``: the text form of a value, None for NULL, as a value of type ``kind``.

    ``kind`` is SQL already: as ``format_type(oid, -1)`` writes it, which adds no length that would cut the value.
    A backslash is a character like any other, because sessions have ``standard_conforming_strings`` on. Raises
    ``ValueError`` for what no text of PostgreSQL can hold: NUL, and what is not UTF-8.
    """
    if text is None:
        return f"CAST(NULL AS {kind})"
    if b"\0" in text:
        raise ValueError("a NUL character")
    return f"CAST('{text.decode().replace(chr(39), chr(39) * 2)}' AS {kind})"


def literals(
    connection: psycopg.Connection[Any], text: str, values: Sequence[Any]
) -> tuple[Description, list[str]] | None:
    """How the server understands ``text`` with the values as its binds ``$1`` to ``$n``, and each as a literal.

    None where a value's text form is not sent with the type that the bind itself is sent with: then a literal could
    mean something else than the bind does. The server's errors are the driver's.
    """
    from psycopg.adapt import PyFormat, Transformer

    transformer = Transformer(connection)
    transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
    as_bound = transformer.types
    texts = transformer.dump_sequence(values, [PyFormat.TEXT] * len(values))
    if transformer.types != as_bound:
        return None
    found = described_by_server(connection, text, as_bound or ())
    kinds = _names(connection, found.parameters)
    return found, [literal(None if one is None else bytes(one), kind) for one, kind in zip(texts, kinds, strict=True)]


def _names(connection: psycopg.Connection[Any], oids: Sequence[int]) -> list[str]:
    if not oids:
        return []
    rows = connection.execute(
        "SELECT format_type(oid, -1) FROM unnest(%s::oid[]) WITH ORDINALITY t (oid, place) ORDER BY place",
        (list(oids),),
    ).fetchall()
    return [str(name) for (name,) in rows]
