"""Whether the server works, and what it waits for."""

from __future__ import annotations

import msgspec


class HealthView(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str


class ReadinessView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether requests can be served."""

    ready: bool
    dependencies: dict[str, str]
    """By name: ``ok``, ``away``, ``read-only``, ``refused`` or ``schema``."""
    reconciled_ago: float | None = None
    """Seconds since the reconciler made a pass, or saw that another process leads; null: this process has none. It says
    whether runs are looked after, and not whether requests can be served."""
