"""Which runs a request asks for."""

from __future__ import annotations

from typing import Any

import msgspec

from .gate.json_shape import check_json
from .problems import BAD_REQUEST, Refused


def parameters_of(text: str | None) -> dict[str, Any] | None:
    """A filter by parameters, from the JSON object of a query; raises :class:`Refused` for what is none."""
    if text is None:
        return None
    check_json(text.encode())
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError):
        raise Refused(BAD_REQUEST, 'parameters has to be a JSON object, like {"day": 1}') from None
