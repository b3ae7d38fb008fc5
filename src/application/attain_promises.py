"""What a pipeline promises, and how much of it was kept."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..domain.attainment import Period, first_day, periods
from ..domain.pipeline import Pipeline
from ..domain.promise import Promises
from ..domain.schedule import find_zone
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.promises import PromiseBook


class Attained(msgspec.Struct, frozen=True, kw_only=True):
    """Promises and sums."""

    pipeline: str
    promises: Promises
    periods: tuple[Period, ...]


async def attain_promises(
    book: PromiseBook, pipeline: Pipeline, *, now: datetime, tenant: Tenant = DEFAULT_TENANT
) -> Attained:
    """Of the last weeks and months, at the cost of a row for each day and kind; raises ``DatabaseUnavailable``."""
    today = now.astimezone(find_zone(pipeline.timezone)).date()
    days = await book.attainment(tenant, pipeline.name, since=first_day(today))
    return Attained(pipeline=pipeline.name, promises=pipeline.promises, periods=periods(days, today))
