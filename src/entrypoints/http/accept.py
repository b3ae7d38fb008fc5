"""Which of several formats a client wants."""

from __future__ import annotations

from collections.abc import Sequence

from .problems import NOT_ACCEPTABLE, Refused


def chosen(accept: str | None, offered: Sequence[str]) -> str:
    """The best of ``offered`` by the Accept header (RFC 9110); raises :class:`Refused` where none is wanted."""
    if not accept or not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",")[:50]]
    best, quality = offered[0], 0.0
    for media_type in offered:
        fitting = [(how, q) for kind, q in ranges if (how := _fit(kind, media_type))]
        q = max(fitting)[1] if fitting else 0.0
        if q > quality:
            best, quality = media_type, q
    if not quality:
        raise Refused(NOT_ACCEPTABLE, f"available are {', '.join(offered)}")
    return best


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return kind, min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def _fit(wanted: str, offered: str) -> int:
    """How exactly a range means a type: 3 itself, 2 its family, 1 anything, 0 not."""
    if wanted == offered:
        return 3
    if wanted == "*/*":
        return 1
    return 2 if wanted.endswith("/*") and offered.startswith(wanted[:-1]) else 0
