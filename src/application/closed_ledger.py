"""Close a run's fence, and read the ledger: the part of every verdict that makes it final (DESIGN section 4)."""

from __future__ import annotations

from ..domain.errors import DatabaseUnavailable
from ..domain.report import Publication
from ..domain.run import Run
from .failpoints import failpoint
from .ports.fences import Fences


async def closed_ledger(fences: Fences | None, run: Run, closed_as: str) -> tuple[Publication, ...]:
    """What the run has published; nothing more will be. In this order: whoever published did so before, and is seen.

    ``fences``: None where no report database is configured. Raises :class:`DatabaseUnavailable` where it is needed, and
    away: then nothing is known.
    """
    if fences is None:
        if run.may_publish and run.attempts:
            raise DatabaseUnavailable("report", "REPORT_DB_URL is not set here")
        return ()
    if not run.may_publish:
        return ()
    await fences.close(run.id, closed_as)
    failpoint("reconcile.closed")
    publications = await fences.publications(run.id)
    failpoint("reconcile.looked_up")
    return publications
