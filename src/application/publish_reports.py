"""The commit point of a run: what its worker staged is checked, and then published, all of it or nothing."""

from __future__ import annotations

from ..domain.errors import ChecksFailed, StagingIncomplete
from ..domain.report import Publication, Staged
from .failpoints import failpoint
from .ports.publisher import Publisher, PublishRequest


async def check_staged(publisher: Publisher, request: PublishRequest, reports: tuple[str, ...]) -> tuple[Staged, ...]:
    """What is to be published: exactly ``reports``, which the worker says that it staged, and all checks hold.

    May take long, and may be broken off: it changes nothing. Raises :class:`StagingIncomplete`,
    :class:`ChecksFailed`.
    """
    staged = await publisher.staged(request.run_id, request.attempt_id)
    missing = sorted(set(reports) - {one.spec.name for one in staged})
    if missing:
        raise StagingIncomplete(request.run_id, tuple(missing))
    failures = await publisher.check(staged)
    if failures:
        raise ChecksFailed(failures)
    failpoint("attempt.checked")
    return staged


async def publish_reports(
    publisher: Publisher, request: PublishRequest, staged: tuple[Staged, ...]
) -> tuple[Publication, ...]:
    """Publish it. Short, and not to be broken off. Raises what :meth:`Publisher.publish` raises."""
    publications = await publisher.publish(request, staged)
    failpoint("attempt.published")
    return publications
