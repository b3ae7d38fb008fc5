"""What the server says of a statement before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psycopg
    from psycopg import pq

Field = tuple[str, int, int]
"""A result's column: its name, its type's oid, its type's modifier."""


class Description(NamedTuple):
    """Of one statement."""

    parameters: tuple[int, ...]
    """The types of its parameters, by oid."""
    fields: tuple[Field, ...]


def described_by_server(connection: psycopg.Connection[Any], text: str, types: Sequence[int] = ()) -> Description:
    """Have the server parse the statement as the unnamed prepared one, and describe it. One statement is one."""
    pgconn = connection.pgconn
    pgconn.send_prepare(b"", text.encode(), list(types))
    _result(connection)
    pgconn.send_describe_prepared(b"")
    found = _result(connection)
    return Description(tuple(found.param_type(place) for place in range(found.nparams)), fields_of(found))


def fields_of(found: pq.abc.PGresult) -> tuple[Field, ...]:
    """The columns of a description."""
    return tuple(((found.fname(i) or b"").decode(), found.ftype(i), found.fmod(i)) for i in range(found.nfields))


def _result(connection: psycopg.Connection[Any]) -> pq.abc.PGresult:
    from psycopg import errors, generators, pq

    # psycopg's own way to wait: it lets signals and other threads through.
    result: pq.abc.PGresult
    (result,) = connection.wait(generators.execute(connection.pgconn))
    if result.status == pq.ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(result, connection.info.encoding)
    return result
