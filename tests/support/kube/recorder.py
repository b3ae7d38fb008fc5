"""What was seen of a namespace's Jobs and pods, also of those that are gone."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType

import httpx

from .control_plane import ADMINISTRATOR, ControlPlane
from .resources import ApiError, Json

_LOOK = 0.2
"""Seconds between two looks."""


class Recorder:
    """``with Recorder(plane, namespace) as recorder``: looks all the time, and remembers each object as it was last."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        user, groups = ADMINISTRATOR
        self._api, self._namespace = plane.as_user(user, *groups), namespace
        self._over = threading.Event()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._look_on, name="recorder", daemon=True)
        self.jobs: dict[str, Json] = {}
        """By UID."""
        self.pods: dict[str, Json] = {}
        self.there: set[str] = set()
        """The UIDs of what was there at the last look."""

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10)
        self._api.close()

    def look(self) -> None:
        """Once; raises as the API server does."""
        with self._turn:
            jobs, pods = (self._api.listed(kind, self._namespace) for kind in ("jobs", "pods"))
            self.jobs |= {job["metadata"]["uid"]: job for job in jobs}
            self.pods |= {pod["metadata"]["uid"]: pod for pod in pods}
            self.there = {one["metadata"]["uid"] for one in (*jobs, *pods)}

    def forget(self) -> None:
        """What was before is of no interest any more."""
        with self._turn:
            self.jobs.clear()
            self.pods.clear()

    def _look_on(self) -> None:
        while not self._over.wait(_LOOK):
            with suppress(httpx.TransportError, ApiError):
                self.look()
