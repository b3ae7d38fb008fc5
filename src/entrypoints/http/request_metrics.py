"""What is counted of requests: by the route's template, so that no text of a client's makes a series of its own."""

from __future__ import annotations

from ...application.metrics import Registry

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Counts every answer, also those of the gate: a 401 is a 401, and what is no route is one series."""

    def __init__(self, registry: Registry) -> None:
        self._answers = registry.counter(
            "kubescribe_http_requests_total", "Requests that were answered.", ("method", "route", "status")
        )
        self._seconds = registry.histogram(
            "kubescribe_http_request_seconds", "From a request to the end of its answer.", BOUNDS, ("route",)
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """See :class:`~.gate.gate.Observer`."""
        named = route or NO_ROUTE
        self._answers.add(method=method if method in _METHODS else "other", route=named, status=str(status))
        self._seconds.observe(seconds, route=named)
