"""An error as RFC 9457 has it."""

from __future__ import annotations

import msgspec

MEDIA_TYPE = "application/problem+json"


class ProblemView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"kind": "type"}):
    """What went wrong, for programs (``type``, ``status``) and for people (``title``, ``detail``)."""

    kind: str
    """``urn:kubescribe:problem:`` and a name that stays."""
    title: str
    status: int
    detail: str | None = None
    errors: tuple[str, ...] | None = None
    """Where several things are wrong, each of them."""
