"""A hundred thousand notices from sixteen writers, and senders that die a thousand times (FAULTS N1)."""

from __future__ import annotations

import asyncio

from kubescribe.adapters.postgres.migrate import migrate
from tests.support.addresses import asyncpg_address
from tests.support.clusters import Cluster
from tests.support.notice_storm import WRITERS, Outcome, storm

SENDERS = 8
ROWS_A_DEATH = 100


def main(deaths: int, seed: int) -> int:
    """0: nothing was lost, and no duplicate says anything else than the first."""
    broken = 0
    for alone, rows in ((False, ROWS_A_DEATH * deaths), (True, 5 * deaths)):
        with Cluster() as cluster:
            url = cluster.create_database("notices")
            asyncio.run(migrate(asyncpg_address(url)))
            outcome = asyncio.run(storm(url, rows=rows, deaths=deaths, senders=SENDERS, seed=seed, alone=alone))
        held = (outcome.lost, outcome.differing, outcome.disordered, outcome.still_due) == (0, 0, 0, 0)
        broken += not held
        print(_sentence(outcome, alone=alone) + ("" if held else f" BROKEN: {outcome}"), flush=True)
    return 1 if broken else 0


def _sentence(one: Outcome, *, alone: bool) -> str:
    return (
        f"{one.rows:,} notices of {WRITERS} writers, {SENDERS} senders that died {one.deaths:,} times: "
        f"{one.messages:,} messages{' of one each' if alone else ''}, {one.duplicates:,} twice with their own id, "
        f"{one.lost:,} lost, {one.disordered:,} pipelines out of order; {one.seconds:.0f} s"
    )
