"""The file of rules that ``KUBESCRIBE_NOTIFY_RULES`` names: TOML, without any secret in it."""

from __future__ import annotations

import re
from datetime import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import msgspec

from ..domain.collecting import Collecting
from ..domain.duration import parse_duration
from ..domain.errors import BadDuration, BadSetting, UnknownTimezone
from ..domain.mail_address import may_be_an_address
from ..domain.nearest import did_you_mean
from ..domain.notify_rules import KINDS, TOLD, Hours, Rule, Rules
from ..domain.schedule import find_zone

NAME = "KUBESCRIBE_NOTIFY_RULES"
CHANNELS = ("email", "slack", "webhook", "pagerduty", "apprise")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TARGET = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MAX_BYTES = 1_000_000


class TargetEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[target.NAME]``: an address of a channel; each value is the name of the variable that has it."""

    channel: Literal["slack", "webhook", "pagerduty", "apprise"]
    url_from: str | None = None
    secret_from: str | None = None
    """Of a webhook: what its posts are signed with."""
    key_from: str | None = None
    """Of PagerDuty: the routing key."""


class _Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    begin: str = msgspec.field(name="from")
    end: str = msgspec.field(name="until")
    days: str = "mon-sun"
    zone: str


class _Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    to: tuple[str, ...]
    pipelines: tuple[str, ...] = ("*",)
    tenants: tuple[str, ...] = ("*",)
    kinds: tuple[str, ...] | None = None
    hours: _Hours | None = None
    outside: Literal["skip", "wait"] = "skip"
    notify_after: int = 1
    attach: tuple[str, ...] = ()


class _Collect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    first: str = "30s"
    interval: str = "5m"
    together: int = 10_000
    repeat: str = "4h"


class _Summary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    day: str = "mon"
    at: str = "08:00"
    zone: str = "UTC"


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rule: tuple[_Rule, ...] = ()
    target: dict[str, TargetEntry] = {}
    collect: _Collect = _Collect()
    summary: _Summary | None = None


class NotifyFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says, read and checked but for the addresses, which are elsewhere."""

    rules: Rules = Rules()
    targets: dict[str, TargetEntry] = {}
    collecting: Collecting = Collecting()
    repeat: float = 4 * 3600.0
    """Seconds between two messages about an incident that is still there."""
    summary: Hours | None = None
    """When the summary of a week is due: it begins then."""


def read_notify_file(path: Path) -> NotifyFile:
    """Read it; raises :class:`BadSetting`, which says where in the file and what is expected."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise BadSetting(NAME, f"{path} cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise BadSetting(NAME, f"{path} has more than {_MAX_BYTES:,} bytes")
    import tomllib

    try:
        file = msgspec.convert(tomllib.loads(data.decode()), _File)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSetting(NAME, f"{path} is no TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise BadSetting(NAME, f"{path}: {error}") from None
    for name in file.target:
        if not _TARGET.fullmatch(name):
            raise BadSetting(NAME, f"{path}: [target.{name[:80]}]: a name has small letters, digits, - and _")
    rules = tuple(_rule(rule, f"{path}: rule {number}") for number, rule in enumerate(file.rule, 1))
    where = f"{path}: [collect]"
    if not 1 <= file.collect.together <= 10_000:
        raise BadSetting(NAME, f"{where}: together is a number from 1 to 10000")
    collecting = Collecting(
        first=_seconds(file.collect.first, f"{where} first"),
        interval=_seconds(file.collect.interval, f"{where} interval"),
        most=file.collect.together,
    )
    repeat = _seconds(file.collect.repeat, f"{where} repeat")
    summary = None
    if file.summary is not None:
        one = file.summary
        summary = _hours(_Hours(begin=one.at, end=one.at, days=one.day, zone=one.zone), f"{path}: [summary]")
    return NotifyFile(rules=Rules(rules), targets=file.target, collecting=collecting, repeat=repeat, summary=summary)


def _rule(rule: _Rule, where: str) -> Rule:
    if not rule.to:
        raise BadSetting(NAME, f"{where}: to is empty; write it like to = ['email', 'slack']")
    if not 1 <= rule.notify_after <= 1000:
        raise BadSetting(NAME, f"{where}: notify_after is a number from 1 to 1000")
    for pattern in rule.kinds or ():
        if not any(fnmatchcase(kind, pattern) for kind in KINDS):
            hint = did_you_mean(pattern, KINDS)
            raise BadSetting(
                NAME, f"{where}: nothing is of the kind {pattern[:80]!r}{hint}; there are {', '.join(KINDS)}"
            )
    return Rule(
        to=tuple(_address(one, where) for one in rule.to),
        pipelines=tuple(rule.pipelines),
        tenants=tuple(rule.tenants),
        kinds=TOLD if rule.kinds is None else tuple(rule.kinds),
        hours=None if rule.hours is None else _hours(rule.hours, f"{where}: hours"),
        later=rule.outside == "wait",
        notify_after=rule.notify_after,
        attach=tuple(rule.attach),
    )


def _address(text: str, where: str) -> tuple[str, str | None]:
    channel, colon, address = text.partition(":")
    if channel not in CHANNELS:
        hint = did_you_mean(channel, CHANNELS)
        raise BadSetting(NAME, f"{where}: there is no channel {channel[:80]!r}{hint}; there are {', '.join(CHANNELS)}")
    if colon and channel == "email" and not may_be_an_address(address):
        raise BadSetting(NAME, f"{where}: {address[:80]!r} is no address; write it like email:ann@example.org")
    return (channel, address if colon else None)


def _hours(hours: _Hours, where: str) -> Hours:
    try:
        return Hours(
            begin=_clock(hours.begin), end=_clock(hours.end), days=_days(hours.days), zone=find_zone(hours.zone)
        )
    except (UnknownTimezone, ValueError) as error:
        raise BadSetting(NAME, f"{where}: {error}") from None


def _clock(text: str) -> time:
    if not re.fullmatch(r"[0-2]?\d:[0-5]\d", text) or int(text.partition(":")[0]) > 23:
        raise ValueError(f"{text[:80]!r} is no time of day; write it like 08:30")
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError(f"{text[:80]!r} names no days; write them like mon-fri or sat,sun")
        begin = _DAYS.index(first)
        found.update((begin + day) % 7 for day in range((_DAYS.index(last or first) - begin) % 7 + 1))
    return frozenset(found)


def _seconds(text: str, where: str) -> float:
    try:
        return parse_duration(text).total_seconds()
    except BadDuration as error:
        raise BadSetting(NAME, f"{where}: {error}") from None
