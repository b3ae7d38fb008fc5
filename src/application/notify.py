"""Tell people what is due to be told: at least once, in order, by somebody who is alive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from ..domain.announcement import Announcement
from ..domain.collecting import ALONE, Collecting, Message
from ..domain.delivery import Answer, DeliveryStatus, Failed, Refused, Taken, after
from ..domain.errors import KubescribeError, NotDelivered
from ..domain.notify_rules import SUMMARY, DueNotice, Recipient, Rules
from .failpoints import failpoint
from .ports.channel import Channel
from .ports.clock import Clock
from .ports.outbox import Outbox

LEASE = 180.0
"""Seconds for which a delivery is a sender's: longer than any channel takes for one message."""
PATIENCE = 5.0
"""Seconds for which a pass waits for a channel that asks for a moment, rather than leave the rest to the next pass."""
EVERYTHING = Rules()
COLLECTING = Collecting()


Announcing = Callable[[Message], Awaitable[Announcement]]
"""What a message says."""


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
        announce: Announcing,
        channels: tuple[Channel, ...],
        clock: Clock,
        hidden: Callable[[str], str],
        rules: Rules = EVERYTHING,
        everybody: tuple[tuple[str, str], ...] | None = None,
        collecting: Collecting = COLLECTING,
        lease: float = LEASE,
    ) -> None:
        """``hidden`` takes this process's secrets out of a text; ``everybody``: who is told where no rule says whom,
        None for all that the channels reach."""
        self._tenant = tenant
        self._outbox = outbox
        self._announce = announce
        self._channels = channels
        self._clock = clock
        self._hidden = hidden
        self._rules = rules
        self._everybody = everybody
        self._collecting = collecting
        self._lease = lease

    async def __call__(self) -> Notified:
        """Send everything that is due; a channel that is down is left alone until the next pass."""
        while await self._outbox.plan(self._tenant, self._route if self._channels else None):
            failpoint("notify.planned")
        # Each goes on to its end, whatever happens at another: none is left behind that the next pass would meet.
        told = await asyncio.gather(*(self._tell(channel) for channel in self._channels), return_exceptions=True)
        results = [result for result in told if isinstance(result, Notified)]
        for result in told:
            if isinstance(result, BaseException):
                raise result
        return Notified(
            sent=sum(result.sent for result in results),
            problems=tuple(problem for result in results for problem in result.problems),
            dead=sum(result.dead for result in results),
        )

    def _route(self, notice: DueNotice) -> tuple[Recipient, ...]:
        everybody = self._everybody
        if everybody is None:
            everybody = tuple((channel.name, address) for channel in self._channels for address in channel.addresses)
        told = self._rules.recipients(notice, everybody)
        if notice.kind != SUMMARY:
            return told
        # Who makes an alert of each notice has nothing to make of a summary.
        alerting = {channel.name for channel in self._channels if channel.alone}
        return tuple(one for one in told if one.channel not in alerting)

    async def _tell(self, channel: Channel) -> Notified:
        sent, problems, dead = 0, list[str](), 0
        collecting = ALONE if channel.alone else self._collecting
        while True:
            message = await self._outbox.take(self._tenant, channel.name, lease=self._lease, collecting=collecting)
            if message is None:
                break
            failpoint("notify.taken")
            answer = await self._try(channel, message)
            failpoint("notify.sent")
            now = after(message.head, answer)
            await self._outbox.settle(now)
            failpoint("notify.settled")
            sent += now.status is DeliveryStatus.SENT
            if not isinstance(answer, Taken):
                dead += now.status is DeliveryStatus.DEAD
                outcome = "given up" if now.status is DeliveryStatus.DEAD else f"tried again in {now.wait or 0:.0f} s"
                about = now.pipeline + (f" and {len(message.told) - 1:,} more" if len(message.told) > 1 else "")
                problems.append(f"{channel.name} to {now.address} about {about}: {answer.why}; {outcome}")
                pause = answer.retry_after if isinstance(answer, Failed) else None
                if answer.down:
                    break
                if pause is not None and pause <= PATIENCE:
                    await self._clock.sleep(pause)
        return Notified(sent=sent, problems=tuple(problems), dead=dead)

    async def _try(self, channel: Channel, message: Message) -> Answer:
        if message.head.address not in channel.addresses:
            return Refused("the address is not configured any more")
        try:
            announcement = await self._announce(message)
        except KubescribeError:  # RunLog is away: no matter of this message
            raise
        except Exception as error:
            return self._defect(error)
        failpoint("notify.composed")
        try:
            await channel.send(announcement, message.head.address, message.head.message_id)
        except NotDelivered as error:
            why = self._hidden(error.why)
            if error.permanent:
                return Refused(why, down=error.channel_down)
            moment = error.retry_after is not None and error.retry_after <= PATIENCE
            return Failed(why, error.retry_after, down=error.channel_down and not moment)
        except Exception as error:  # a defect at one message: the others are sent all the same
            return self._defect(error)
        return Taken()

    def _defect(self, error: Exception) -> Failed:
        return Failed(self._hidden(f"{type(error).__name__}: {error}"))
