"""Tell people what is due to be told: at least once, in order, by somebody who is alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from ..domain.announcement import Announcement
from ..domain.delivery import Answer, Delivery, DeliveryStatus, Failed, Refused, Taken, after
from ..domain.errors import NotDelivered, RunNotFound
from .announce_run import announce_run
from .failpoints import failpoint
from .ports.channel import Channel
from .ports.clock import Clock
from .ports.outbox import Outbox
from .ports.run_history import RunHistory
from .ports.run_log import RunLog

LEASE = 180.0
"""Seconds for which a delivery is a sender's: longer than any channel takes for one message."""
PATIENCE = 5.0
"""Seconds for which a pass waits for a channel that asks for a moment, rather than leave the rest to the next pass."""


class Notified(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass did."""

    sent: int = 0
    problems: tuple[str, ...] = ()
    """A sentence for each try that failed."""
    dead: int = 0
    """Of these, how many were given up."""


class Notify:
    """One pass over what is due. Right with any number of senders at once, and after a crash at any step.

    A try is on record before it begins, its answer after it: who dies between the two leaves a delivery that is due
    again when the lease is over, and then goes out with the same message id. No failure here touches a run.
    """

    def __init__(
        self,
        *,
        tenant: str,
        outbox: Outbox,
        run_log: RunLog,
        history: RunHistory,
        channels: tuple[Channel, ...],
        clock: Clock,
        hidden: Callable[[str], str],
        public_url: str | None = None,
    ) -> None:
        """``hidden`` takes this process's secrets out of a text."""
        self._tenant = tenant
        self._outbox = outbox
        self._run_log = run_log
        self._history = history
        self._channels = channels
        self._clock = clock
        self._hidden = hidden
        self._public_url = public_url

    async def __call__(self) -> Notified:
        """Send everything that is due; a channel that is down is left alone until the next pass."""
        recipients = tuple((channel.name, address) for channel in self._channels for address in channel.addresses)
        while await self._outbox.plan(self._tenant, recipients):
            failpoint("notify.planned")
        results = await asyncio.gather(*(self._tell(channel) for channel in self._channels))
        return Notified(
            sent=sum(result.sent for result in results),
            problems=tuple(problem for result in results for problem in result.problems),
            dead=sum(result.dead for result in results),
        )

    async def _tell(self, channel: Channel) -> Notified:
        sent, problems, dead = 0, list[str](), 0
        while (delivery := await self._outbox.take(self._tenant, channel.name, lease=LEASE)) is not None:
            failpoint("notify.taken")
            answer, down = await self._try(channel, delivery)
            failpoint("notify.sent")
            now = after(delivery, answer)
            await self._outbox.settle(now)
            failpoint("notify.settled")
            sent += now.status is DeliveryStatus.SENT
            if not isinstance(answer, Taken):
                dead += now.status is DeliveryStatus.DEAD
                outcome = "given up" if now.status is DeliveryStatus.DEAD else f"tried again in {now.wait or 0:.0f} s"
                problems.append(
                    f"{channel.name} to {delivery.address} about {delivery.pipeline}: {answer.why}; {outcome}"
                )
                pause = answer.retry_after if isinstance(answer, Failed) else None
                if down and (pause is None or pause > PATIENCE):
                    break
                if pause is not None:
                    await self._clock.sleep(pause)
        return Notified(sent=sent, problems=tuple(problems), dead=dead)

    async def _try(self, channel: Channel, delivery: Delivery) -> tuple[Answer, bool]:
        """The channel's answer, and whether the next message would fare no better."""
        if delivery.address not in channel.addresses:
            return Refused("the address is not configured any more"), False
        announcement = await self._announcement(delivery)
        failpoint("notify.composed")
        try:
            await channel.send(announcement, delivery.address, delivery.message_id)
        except NotDelivered as error:
            why = self._hidden(error.why)
            if error.permanent:
                return Refused(why), error.channel_down
            return Failed(why, error.retry_after), error.channel_down
        except Exception as error:  # a defect at one message: the others are sent all the same
            return Failed(self._hidden(f"{type(error).__name__}: {error}")), False
        return Taken(), False

    async def _announcement(self, delivery: Delivery) -> Announcement:
        run = attempt = None
        if delivery.run_id is not None:
            with suppress(RunNotFound):
                run = await self._run_log.get(delivery.run_id, tenant=self._tenant)
        if run is not None:
            attempts = await self._history.attempts(run.id, tenant=self._tenant)
            attempt = next((one for one in attempts if one.id == run.attempt_id), None)
        return announce_run(delivery, run, attempt, public_url=self._public_url, hidden=self._hidden)
