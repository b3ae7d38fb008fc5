"""The commit point of a run: what its worker staged is checked, and then published, all of it or nothing."""

from __future__ import annotations

from ..domain.errors import ChecksFailed, StagingIncomplete
from ..domain.report import Publication
from .failpoints import failpoint
from .ports.publisher import Publisher, PublishRequest


class PublishReports:
    """Checks and publishes what an attempt has staged."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def __call__(self, request: PublishRequest, reports: tuple[str, ...]) -> tuple[Publication, ...]:
        """Publish exactly ``reports``, which the worker says that it staged.

        Raises :class:`StagingIncomplete`, :class:`ChecksFailed`, and what :meth:`Publisher.publish` raises.
        """
        staged = await self._publisher.staged(request.run_id, request.attempt_id)
        missing = sorted(set(reports) - {one.spec.name for one in staged})
        if missing:
            if published := await self._publisher.publish(request, ()):
                return published  # another attempt has, and cleared away what this one had staged
            raise StagingIncomplete(request.run_id, tuple(missing))
        failures = await self._publisher.check(staged)
        if failures:
            raise ChecksFailed(failures)
        failpoint("attempt.checked")
        publications = await self._publisher.publish(request, staged)
        failpoint("attempt.published")
        return publications
