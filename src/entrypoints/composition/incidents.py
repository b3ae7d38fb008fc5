"""Incidents and promises, put together. Imported by every command, so it imports nothing before it is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..settings import Settings
from .addresses import address
from .databases import Databases

if TYPE_CHECKING:
    from ...adapters.postgres.incidents import PostgresIncidents
    from ...adapters.postgres.promises import PostgresPromiseBook
    from ...application.authoring.registry import Registry
    from ...application.handle_incident import HandleIncident
    from .container import Container

IncidentPass = Callable[[], Awaitable[Sequence[str]]]
"""One pass over incidents and promises; sentences about what could not be done."""


def incidents(engine: Any) -> PostgresIncidents:
    """Where incidents are kept."""
    from ...adapters.postgres.incidents import PostgresIncidents

    return PostgresIncidents(engine)


def handle_incident(kept: Any) -> HandleIncident:
    """The use case."""
    from ...application.handle_incident import HandleIncident

    return HandleIncident(kept)


def promise_book(settings: Settings, databases: Databases, closing: list[Any]) -> PostgresPromiseBook:
    """Where promises are kept, over one connection of its own."""
    from ...adapters.postgres.promises import PostgresPromiseBook

    where, connect_timeout = address(databases.runlog, settings)
    book = PostgresPromiseBook(where, connect_timeout=connect_timeout)
    closing.append(book.close)
    return book


def incident_pass(container: Container, pipelines: Registry) -> IncidentPass:
    """What one process does for incidents."""
    from ...application.keep_incidents import KeepIncidents
    from ...application.keep_promises import KeepPromises

    settings: Settings = container.settings()
    promises = KeepPromises(
        tenant=settings.tenant,
        book=container.promise_book(),
        slots=container.slots(),
        pauses=container.pauses(),
        catalogue=None if container.databases().report_url is None else container.catalogue(),
    )
    return KeepIncidents(
        tenant=settings.tenant,
        incidents=container.incidents(),
        promises=promises,
        clock=container.clock(),
        declared=pipelines.pipelines,
    )
