"""What a run is for."""

from __future__ import annotations

from enum import StrEnum


class RunMode(StrEnum):
    """Whether a run's reports are meant for readers."""

    PUBLISH = "publish"
    """Its reports become visible when it succeeds."""

    REHEARSE = "rehearse"
    """It runs for real and publishes nothing: how its reports would change the live ones is on its record."""
