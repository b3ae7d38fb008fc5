"""Who is told of what: rules by pipeline, tenant, kind and hours, and where each leads."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo
from fnmatch import fnmatchcase

import msgspec

from .incident import GREW, OPENED, RECOVERED

REPEATED = "incident.repeated"
"""The kind of the notice that an incident is still there, and nobody has acknowledged it."""
SUMMARY = "summary.weekly"
"""The kind of the notice that a week is to be summed up; it is about no pipeline."""
TOLD = (OPENED, REPEATED, RECOVERED, SUMMARY, "run.failed", "run.lost", "run.recovered")
"""What is told where no rule says otherwise; the last three are an older release's."""
KINDS = (OPENED, GREW, REPEATED, RECOVERED, SUMMARY, "run.failed", "run.lost", "run.recovered")
"""What there is to be told."""


class DueNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that nobody has been chosen for."""

    id: int
    kind: str
    pipeline: str
    tenant: str
    failures: int
    """How many runs failed since it began."""
    now: datetime
    """By the database's clock; aware."""


class Recipient(msgspec.Struct, frozen=True):
    """One address of one channel, to be told."""

    channel: str
    address: str
    wait: float = 0.0
    """Seconds before it may be told."""


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Times of the week, by the clock on the wall."""

    begin: time
    end: time
    """At or before ``begin``: of the next day."""
    days: frozenset[int]
    """0 is Monday; the day on which it begins."""
    zone: tzinfo

    def cover(self, at: datetime) -> bool:
        """Whether the moment is in them."""
        local = at.astimezone(self.zone)
        clock, day = local.time(), local.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= clock < self.end
        return (day in self.days and clock >= self.begin) or ((day - 1) % 7 in self.days and clock < self.end)

    def wait(self, at: datetime) -> float:
        """Seconds until they begin; 0 in them."""
        if self.cover(at):
            return 0.0
        today = at.astimezone(self.zone).date()
        begins = [
            datetime.combine(today + timedelta(days=day), self.begin, tzinfo=self.zone).astimezone(UTC)
            for day in range(8)
            if (today + timedelta(days=day)).weekday() in self.days
        ]
        return min((begin - at).total_seconds() for begin in begins if begin > at)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to tell, where everything that it asks for is so. Names may hold ``*``, ``?`` and ``[…]``."""

    to: tuple[tuple[str, str | None], ...]
    """Channels and addresses; without an address, all that the channel reaches anyway."""
    pipelines: tuple[str, ...] = ("*",)
    tenants: tuple[str, ...] = ("*",)
    kinds: tuple[str, ...] = TOLD
    hours: Hours | None = None
    later: bool = False
    """Outside of its hours, tell when they begin; else the rule does not hold then."""
    notify_after: int = 1
    """How many runs in a row have to fail before anybody is told: of the failures, and of the recovery."""
    attach: tuple[str, ...] = ()
    """Reports whose rows go with a mail."""

    def holds(self, notice: DueNotice) -> bool:
        """Whether it does, whatever the hour."""
        kind = notice.kind
        if kind == GREW and self.notify_after > 1 and notice.failures == self.notify_after:
            kind = OPENED  # when it opened, it was too early to tell
        return (
            (notice.failures >= self.notify_after or kind == SUMMARY)
            and _matches(self.pipelines, notice.pipeline)
            and _matches(self.tenants, notice.tenant)
            and _matches(self.kinds, kind)
        )


class Rules(msgspec.Struct, frozen=True):
    """Every rule that holds adds whom it names; nobody is told twice. Without rules everybody is told of everything."""

    rules: tuple[Rule, ...] = ()

    def recipients(self, notice: DueNotice, everybody: tuple[tuple[str, str], ...]) -> tuple[Recipient, ...]:
        """Who is told; ``everybody``: the channels' own addresses."""
        if not self.rules:
            if notice.kind not in TOLD:
                return ()
            return tuple(Recipient(channel, address) for channel, address in everybody)
        found: dict[tuple[str, str], float] = {}
        for rule in self.rules:
            if not rule.holds(notice):
                continue
            wait = 0.0 if rule.hours is None else rule.hours.wait(notice.now)
            if wait and not rule.later:
                continue
            for address in _addresses(rule, everybody):
                found[address] = min(wait, found.get(address, wait))
        return tuple(Recipient(channel, address, wait) for (channel, address), wait in found.items())

    def attached(self, pipeline: str, tenant: str, kind: str, address: str) -> tuple[str, ...]:
        """The reports whose rows go with a mail about it to this address."""
        return tuple(
            dict.fromkeys(
                report
                for rule in self.rules
                if _matches(rule.pipelines, pipeline) and _matches(rule.tenants, tenant) and _matches(rule.kinds, kind)
                if any(channel == "email" and named in (None, address) for channel, named in rule.to)
                for report in rule.attach
            )
        )

    def addresses(self, channel: str) -> tuple[str, ...]:
        """The addresses of a channel that the rules name."""
        return tuple(
            dict.fromkeys(
                address for rule in self.rules for name, address in rule.to if name == channel and address is not None
            )
        )


def _addresses(rule: Rule, everybody: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for channel, address in rule.to:
        found += [one for one in everybody if one[0] == channel] if address is None else [(channel, address)]
    return found


def _matches(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
