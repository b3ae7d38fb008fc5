"""Rows of RunLog and the domain's types, one into the other.

Shared by the two sides, so it knows neither SQLAlchemy nor asyncpg: a row is any mapping from column to value,
in which a JSON column is decoded already (SQLAlchemy) or still text (asyncpg).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from ...domain.attempt import Attempt, DeathCertificate, Whereabouts
from ...domain.event import Event
from ...domain.failure import FailureCause, SkipReason
from ...domain.incident import Incident, IncidentKind, IncidentStatus
from ...domain.launch import Launch
from ...domain.log import LogChunk, LogLine
from ...domain.note import Note, NoteKind
from ...domain.run import Evidence, Run, Trigger
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus

Row = Mapping[str, Any]

# A page has hundreds of them, and looking a member up is faster than calling its class.
_OF_A_RUN: dict[str, dict[str, StrEnum]] = {
    name: {str(one): one for one in members}
    for name, members in (
        ("status", RunStatus),
        ("trigger", Trigger),
        ("mode", RunMode),
        ("launch", Launch),
        ("cause", FailureCause),
        ("skip_reason", SkipReason),
        ("evidence", Evidence),
    )
}

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_LINES = msgspec.json.Decoder(tuple[LogLine, ...])


def encode_json(value: Any) -> str:
    """A storable value as JSON text that comes back from jsonb equal."""
    return _ENCODER.encode(_fixed(value)).decode()


def decode_json(text: str | bytes) -> Any:
    """The value of JSON text."""
    return msgspec.json.decode(text)


def run_row(run: Run) -> dict[str, Any]:
    """All columns of ``run``."""
    row = {name: getattr(run, name) for name in Run.__struct_fields__}
    for name in _OF_A_RUN:
        row[name] = None if row[name] is None else str(row[name])
    return row


def run_from(row: Row) -> Run:
    """The run of a row of ``run``."""
    values = {name: row[name] for name in Run.__struct_fields__}
    for name in ("id", "retry_of", "attempt_id"):
        values[name] = _uuid(values[name])
    for name, members in _OF_A_RUN.items():
        if values[name] is not None:
            values[name] = members[values[name]]
    values["parameters"] = _decoded(values["parameters"])
    return Run(**values)


def attempt_row(attempt: Attempt, lease: float) -> dict[str, Any]:
    """All columns of ``attempt``; ``lease`` is the length in seconds of what ``lease_until`` ends."""
    row = {name: getattr(attempt, name) for name in Attempt.__struct_fields__}
    row["whereabouts"] = msgspec.to_builtins(attempt.whereabouts)
    row["certificate"] = None if attempt.certificate is None else certificate_json(attempt.certificate)
    return row | {"lease": lease}


def attempt_from(row: Row) -> Attempt:
    """The attempt of a row of ``attempt``."""
    values = {name: row[name] for name in Attempt.__struct_fields__}
    certificate = _decoded(values["certificate"])
    return Attempt(
        **{
            **values,
            "id": _uuid(values["id"]),
            "run_id": _uuid(values["run_id"]),
            "whereabouts": msgspec.convert(_decoded(values["whereabouts"]), Whereabouts),
            "certificate": None if certificate is None else msgspec.convert(certificate, DeathCertificate),
        }
    )


def certificate_json(certificate: DeathCertificate) -> dict[str, Any]:
    """The certificate as a JSON object."""
    built: dict[str, Any] = msgspec.to_builtins(certificate)
    return built


def event_row(event: Event) -> dict[str, Any]:
    """All columns of ``event`` but its number, which the database gives."""
    return {name: getattr(event, name) for name in Event.__struct_fields__ if name != "seq"}


def event_from(row: Row) -> Event:
    """The event of a row of ``event``."""
    values = {name: row[name] for name in Event.__struct_fields__}
    decoded = {name: _decoded(values[name]) for name in ("data", "before", "after")}
    return Event(**{**values, **decoded, "run_id": _uuid(values["run_id"])})


def incident_from(row: Row) -> Incident:
    """The incident of a row of ``incident``."""
    values = {name: row[name] for name in Incident.__struct_fields__}
    ids = {name: _uuid(values[name]) for name in ("run_id", "recovered_by")}
    kinds = {"kind": IncidentKind(values["kind"]), "status": IncidentStatus(values["status"])}
    return Incident(**{**values, **ids, **kinds})


def note_from(row: Row) -> Note:
    """The note of a row of ``note``."""
    return Note(
        attempt_id=UUID(int=row["attempt_id"].int),
        seq=row["seq"],
        kind=NoteKind(row["kind"]),
        data=_decoded(row["data"]),
        at=row["at"],
    )


def chunk_data(chunk: LogChunk) -> bytes:
    """The chunk's lines, compressed."""
    return zlib.compress(msgspec.json.encode(chunk.lines), level=6)


def chunk_from(row: Row) -> LogChunk:
    """The chunk of a row of ``log_chunk``."""
    lines = _LINES.decode(zlib.decompress(row["data"]))
    return LogChunk(attempt_id=UUID(int=row["attempt_id"].int), seq=row["seq"], lines=lines)


def _decoded(value: Any) -> Any:
    return decode_json(value) if isinstance(value, str) else value


def _uuid(value: UUID | None) -> UUID | None:
    # asyncpg hands out a subclass of its own.
    return None if value is None else UUID(int=value.int)


def _fixed(value: Any) -> Any:
    """Large floats in plain digits with a point: jsonb would give ``1e300`` back as an integer."""
    if isinstance(value, float) and abs(value) >= 1e15:
        return Decimal(format(value, ".1f"))
    if isinstance(value, dict):
        return {name: _fixed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_fixed(item) for item in value]
    return value
