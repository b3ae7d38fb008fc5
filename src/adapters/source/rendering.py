"""A query as the text that COPY takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...domain.query import Query
from .binds import bound
from .literals import literals
from .statement import Field, described_by_server

if TYPE_CHECKING:
    import psycopg


class Rendered(NamedTuple):
    """The text, and where each of its parts stands in the author's."""

    text: str
    places: list[tuple[int, int]]
    fields: tuple[Field, ...] = ()
    """What the server says that it returns."""


class Asked:
    """A query and the values of its binds."""

    def __init__(self, query: Query, parameters: Mapping[str, Any]) -> None:
        values = bound(parameters, name=query.name)
        self.query, self.values = query, [values[name] for name in query.names]

    def with_binds(self) -> Rendered:
        """With ``$1`` to ``$n``."""
        return Rendered(*self.query.render({name: f"${number}" for number, name in enumerate(self.query.names, 1)}))

    def with_literals(self, connection: psycopg.Connection[Any]) -> Rendered | None:
        """With a literal for each bind; None where that is not the same query.

        It is the same when the server describes both alike. What is wrong with the query itself is raised as the
        driver's error only where there are no binds: else asking with binds will say it better.
        """
        import psycopg

        with_binds = self.with_binds()
        if not self.values:
            return with_binds._replace(fields=described_by_server(connection, with_binds.text).fields)
        connection.execute("SAVEPOINT literals")
        try:
            found = literals(connection, with_binds.text, self.values)
            if found is not None:
                text, places = self.query.render(dict(zip(self.query.names, found[1], strict=True)))
                if described_by_server(connection, text).fields == found[0].fields:
                    connection.execute("RELEASE SAVEPOINT literals")  # no snapshot is exported from inside one
                    return Rendered(text, places, found[0].fields)
        except (psycopg.Error, ValueError):
            connection.execute("ROLLBACK TO SAVEPOINT literals")
        return None
