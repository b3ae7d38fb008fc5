"""Incidents that are not there, or that are over."""

from __future__ import annotations

from datetime import datetime

from .base import ConfigurationError


class IncidentNotFound(ConfigurationError):
    """The tenant has no incident of this number."""

    def __init__(self, incident_id: object) -> None:
        self.incident_id = incident_id
        super().__init__(f"there is no incident {incident_id}; `kubescribe incidents --all` lists them")


class IncidentOver(ConfigurationError):
    """What was asked for makes sense only while the problem is there."""

    def __init__(self, incident_id: object, what: str) -> None:
        self.incident_id, self.what = incident_id, what
        super().__init__(
            f"incident {incident_id} is not open any more, so there is nothing to {what}; "
            f"`kubescribe incidents show {incident_id}` says how it ended, and a note can still be added"
        )


class SnoozeRefused(ConfigurationError):
    """An incident cannot be put off until a time that is over."""

    def __init__(self, incident_id: object, until: datetime) -> None:
        self.incident_id, self.until = incident_id, until
        super().__init__(
            f"incident {incident_id} cannot be put off until {until:%Y-%m-%d %H:%M:%S %Z}, which is over; "
            "give a time that is still to come"
        )
