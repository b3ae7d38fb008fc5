"""Notices that many write while senders take and die: nothing is lost, and a duplicate says what the first said."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Any, cast

import asyncpg
import msgspec

from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.adapters.postgres.outbox import PostgresOutbox
from kubescribe.application.notify import Notify
from kubescribe.application.ports.outbox import Outbox
from kubescribe.domain.announcement import Announcement
from kubescribe.domain.collecting import ALONE, Collecting, Message
from tests.support.addresses import asyncpg_address

WRITERS = 16
_WRITE = """
INSERT INTO outbox (tenant, run_id, kind, pipeline)
SELECT 'default', gen_random_uuid(), CASE WHEN n % 2 = 0 THEN 'run.recovered' ELSE 'run.failed' END, $1
FROM generate_series(1, $2::integer) AS n
"""


class SenderDiedError(BaseException):
    """No Exception, so that nobody takes it for a defect of one message."""


class Deaths:
    """Raises at random steps, as often as it is told."""

    def __init__(self, dice: random.Random, times: int, chance: float) -> None:
        self.left, self._dice, self._chance = times, dice, chance

    def perhaps(self) -> None:
        if self.left > 0 and self._dice.random() < self._chance:
            self.left -= 1
            raise SenderDiedError


class MortalOutbox:
    """An outbox whose user may die before each verb, and after it was done."""

    def __init__(self, outbox: PostgresOutbox, deaths: Deaths) -> None:
        self._outbox, self._deaths = outbox, deaths

    def __getattr__(self, verb: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self._deaths.perhaps()
            done = await getattr(self._outbox, verb)(*args, **kwargs)
            if done:
                self._deaths.perhaps()
            return done

        return call


class Mailbox:
    """A channel that takes everything; the sender may die before and after."""

    name, addresses = "email", ("ann@example.org",)

    def __init__(self, deaths: Deaths, *, alone: bool) -> None:
        self.alone = alone
        self.taken: list[tuple[str, tuple[str, ...]]] = []
        self._deaths = deaths

    async def send(self, announcement: Announcement, address: str, message_id: str) -> None:
        self._deaths.perhaps()
        await asyncio.sleep(0)
        self.taken.append((message_id, announcement.lines))
        self._deaths.perhaps()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    deaths: int
    messages: int
    duplicates: int
    lost: int
    differing: int
    """Messages of one id that do not say the same."""
    disordered: int
    """Pipelines of which something was told for the first time after what followed it."""
    still_due: int
    seconds: float
    """From the first row that was written to the last message."""


async def _announce(message: Message) -> Announcement:
    told = tuple(f"{one.pipeline} {one.notice_id}" for one in message.told)
    return Announcement(kind="several", title="several", summary="", lines=told)


async def storm(url: str, *, rows: int, deaths: int, senders: int, seed: int, alone: bool) -> Outcome:
    """Write so many rows in ``WRITERS`` connections while they are sent, and say what came of it."""
    dice = random.Random(seed)
    mortal = Deaths(dice, deaths, 0.05 if alone else 0.4)  # there are fewer steps where many go together
    mailbox = Mailbox(mortal, alone=alone)
    address = asyncpg_address(url)
    outboxes = [PostgresOutbox(address, statement_timeout=60.0) for _ in range(senders)]
    writing = asyncio.Event()
    began = time.monotonic()

    async def write(number: int) -> None:
        connection = await asyncpg.connect(**address)
        try:
            left = rows // WRITERS + (number < rows % WRITERS)
            while left:
                some = min(left, dice.randint(1, max(1, rows // 400)))
                await connection.execute(_WRITE, f"pipeline{number}", some)
                left -= some
        finally:
            await connection.close()

    async def send(outbox: PostgresOutbox) -> None:
        collecting = ALONE if alone else Collecting(first=0.0, interval=0.05, most=500)
        while True:
            notify = Notify(
                tenant="default",
                outbox=cast(Outbox, MortalOutbox(outbox, mortal)),
                announce=_announce,
                channels=(mailbox,),
                clock=MemoryClock(),
                hidden=str,
                collecting=collecting,
                lease=2.0,
            )
            over = writing.is_set()
            try:
                await notify()
            except SenderDiedError:
                continue
            if over and (await outbox.standing("default")).due == 0:
                return
            await asyncio.sleep(0.02)

    sending = [asyncio.create_task(send(outbox)) for outbox in outboxes]
    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    writing.set()
    await asyncio.gather(*sending)
    seconds = time.monotonic() - began
    still_due = (await outboxes[0].standing("default")).due
    for outbox in outboxes:
        await outbox.close()
    return _outcome(rows, deaths - mortal.left, mailbox.taken, still_due, seconds)


def _outcome(
    rows: int, deaths: int, taken: list[tuple[str, tuple[str, ...]]], still_due: int, seconds: float
) -> Outcome:
    first: dict[str, tuple[str, ...]] = {}
    differing = 0
    for message_id, lines in taken:
        differing += first.setdefault(message_id, lines) != lines
    told = [line for lines in first.values() for line in lines]
    by_pipeline: dict[str, list[int]] = {}
    for line in told:
        pipeline, _, number = line.partition(" ")
        by_pipeline.setdefault(pipeline, []).append(int(number))
    assert max(Counter(told).values()) == 1, "a notice is in one message"
    return Outcome(
        rows=rows,
        deaths=deaths,
        messages=len(first),
        duplicates=len(taken) - len(first),
        lost=rows - len(told),
        differing=differing,
        disordered=sum(numbers != sorted(numbers) for numbers in by_pipeline.values()),
        still_due=still_due,
        seconds=seconds,
    )
