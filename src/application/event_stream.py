"""The event stream: JSON lines that a payload writes to the file named by ``KUBESCRIBE_EVENTS``.

Any language can write ``{"type": "metric", "name": "rows", "value": 42}``; the types open to everybody are those of
:class:`~kubescribe.domain.note.NoteKind`. A pipeline's worker also speaks of itself (declared, refused, raised,
returned).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ..domain.note import NoteKind
from ..domain.storable import storable
from .ports.payload import Declared, Raised, Refused, Returned, Told

VARIABLE = "KUBESCRIBE_EVENTS"
LINE_LIMIT = 1_048_576
"""Bytes: a longer line is left out, and said to be."""

OfItself = Declared | Refused | Raised | Returned
_of_itself = {"declared": Declared, "refused": Refused, "raised": Raised, "returned": Returned}


def encode(word: OfItself | Told) -> bytes:
    """A line, with its end."""
    if isinstance(word, Told):
        return msgspec.json.encode({"type": word.kind, **word.data}) + b"\n"
    data: dict[str, Any] = msgspec.to_builtins(word)
    kind = next(name for name, cls in _of_itself.items() if isinstance(word, cls))
    return msgspec.json.encode({**data, "type": kind}) + b"\n"


def decode(line: bytes, *, of_itself: bool) -> OfItself | Told:
    """The word that a line says; a line that says none becomes a note that quotes it.

    ``of_itself``: whether the payload is a worker, whose words about itself are believed.
    """
    try:
        data = msgspec.json.decode(line)
        kind = data.pop("type")
        if of_itself and kind in _of_itself:
            word: OfItself = msgspec.convert(data | {"type": kind}, _of_itself[kind], strict=True)
            return storable(word)
        # Mended here already: what is nested a thousand deep would break whoever walks it on its way to RunLog.
        return Told(kind=NoteKind(kind), data=storable(data))
    except (msgspec.MsgspecError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        kinds = ", ".join(NoteKind)
        quoted = line[:200].decode("utf-8", errors="replace")
        return Told(
            kind=NoteKind.NOTE,
            data={"text": f"a line of the event stream is no JSON object with a type of {kinds}: {quoted}"},
        )
