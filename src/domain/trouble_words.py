"""How a trouble is called in a message."""

from __future__ import annotations

from .delivery import Delivery
from .incident import RECOVERED, IncidentKind

OVER = (RECOVERED, "run.recovered")
"""The kinds of notices that say that it is over; the second is an older release's."""
_WORDS = {
    IncidentKind.MISSED: "did not run",
    IncidentKind.FINISH_BY: "is not finished in time",
    IncidentKind.RUN_AT_MOST: "runs for too long",
    IncidentKind.FRESH_WITHIN: "has a report that is out of date",
    IncidentKind.ROWS_BETWEEN: "has a report with too few or too many rows",
}


def is_over(delivery: Delivery) -> bool:
    """Whether it says that the trouble is over."""
    return delivery.kind in OVER


def is_about_runs(delivery: Delivery) -> bool:
    """Whether the trouble is that runs fail, and no slot or promise."""
    return delivery.trouble in (None, IncidentKind.FAILING)


def words(delivery: Delivery, *, lost: bool = False) -> str:
    """What is with the pipeline, behind its name."""
    if is_over(delivery):
        return "works again" if is_about_runs(delivery) else "is in order again"
    if not is_about_runs(delivery) and delivery.trouble is not None:
        return _WORDS[IncidentKind(delivery.trouble)]
    return "was lost" if lost or delivery.kind == "run.lost" else "failed"
