"""What the Go library is asked: one line ``[expression, zone, start in ms]`` a case, always the same ones.

``python -m tests.support.schedule_cases | ./vectors > …``; docs/schedule-vectors.md has the rest.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from kubescribe.domain.cron_field import MONTH, WEEKDAY

Case = tuple[str, str, int]

ZONES = [
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Asuncion",
    "America/Caracas",
    "America/Godthab",
    "Atlantic/Azores",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Berlin",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Antarctica/Troll",
    "UTC",
]

SETTLED = datetime(2008, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
"""From when to when clock changes are taken: what is past, no government moves any more."""

FAR_ZONES = ("UTC", "Asia/Tokyo", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")

HAND_MADE = """
* * * * *|*/5 * * * *|0 0 29 2 *|0 0 30 2 *|0 0 31 2 *|0 0 31 4 *|59 23 31 12 *|0 0 29 2 MON|0 0 31 2 MON
0 0 */2 * MON|0 0 */2 * *|0 0 * * */2|0 0 1 * */2|0 0 1-31 * MON|0 0 */1 * MON|0 0 13 * FRI|0 0 ? * MON
0 0 13 * ?|0 0 1,15 * 1-5|0 0 *,5 * MON|0 0 *-5 * MON|0 0 *-x/2 * MON|0 0 ?/3 * 3|0 0 5/1 * *|5/15 * * * *
0 9-17/4 * * *|7-59/13 */7 * * *|0 0 1 JAN *|0 0 * jan-Mar sun,SAT|0 0 * * Mon-fri|*/61 * * * *
*/9999999999999999999 * * * *|*/9223372036854775807 * * * *|+5 +3 * * *|05 003 * * *
00000000000000000000000007 * * * *|0 0 , * *|0 0 , * MON|0 0 1 * ,|, * * * *|0 , * * *|0 0 1 , *|0 0 * * ,
5,,6 * * * *|,5 * * * *|5, * * * *| 0 0 * * * |0\t0\t*\t*\t*|0\xa00 * * *|0\u30000 * * *|0\x1f0 * * *
0 0 * * FRİ|@hourly|@daily|@midnight|@weekly|@monthly|@yearly|@annually|@Daily|@daily | @daily|@reboot|@|@every
@every |@every 90m|@every 1h30m|@every 1.5h|@every 0.1h|@every .5h|@every 1.h|@every .h|@every 0|@every +0
@every -0|@every -5m|@every 1ns|@every 999ms|@every 1999ms|@every 1500us|@every 3000000µs|@every 3000000μs
@every 5|@every 1d|@every 1w|@every 1h 30m|@every  1h|@every 1h |@Every 1h|@every 2562047h|@every 2562048h
@every 9223372036854775807ns|@every 9223372036854775808ns|@every -9223372036854775808ns
@every 1h0.123456789012345678901234567890h|@every 1.9999999999999999999s|@every ++1h|@every 1h-5m|@every 3.7s
@every 59.999999999s|@every 1H|@every 1m1m1m|@every 24h|@every 8760h|@every 1e3s|@every h|@every 1hh|@every 1µ
"""

_ODD = [*"*?/-,+@#LW: 07", "MON", "jan", "60", "31", "\x1f", "é", "1.5", "99999999999999999999", "**", "--", "//"]


def cases() -> Iterator[Case]:
    """All of them."""
    chance = random.Random(20240229)
    starts = [_ms(datetime(2024, 2, 28, 23, 59, 59, 500_000, UTC)), _ms(datetime(2023, 12, 31, 12, 1))]
    for expression in HAND_MADE.strip("\n").replace("\n", "|").split("|"):
        yield from ((expression, zone, start) for zone, start in zip(("UTC", "Europe/Berlin"), starts, strict=True))
    for zone in ZONES:
        for change in _chosen(list(changes(zone)), chance):
            yield from _around(change, zone, chance)
    for _ in range(2200):  # any fields, anywhere
        yield _random_expression(chance), chance.choice(ZONES), chance.randrange(*map(_ms, SETTLED))
    for _ in range(400):  # far from today, beyond the tables of the tz database
        yield (
            _random_expression(chance),
            chance.choice(FAR_ZONES),
            chance.randrange(2_200_000_000, 6_000_000_000) * 1000,
        )
    for _ in range(150):  # leap days, and the century that has none
        days = chance.choice(("29", "29", "29-31", "*/28", "30,29"))
        year = chance.choice((1999, 2000, 2023, 2096, 2097, 2099, 2103, 2399))
        start = datetime(year, chance.randint(1, 12), 1, tzinfo=UTC)
        expression = (
            f"{chance.randrange(60)} {chance.randrange(24)} {days} 2 {chance.choice(('*', '*', '?', 'MON', '*/3'))}"
        )
        yield expression, "UTC", _ms(start)
    for _ in range(1100):
        yield _broken(_random_expression(chance), chance), "UTC", starts[0]


def changes(zone: str) -> Iterator[datetime]:
    """The moments, in UTC and to the minute, at which the zone's offset changes within ``SETTLED``."""
    info = ZoneInfo(zone)
    day, end = SETTLED
    while day < end:
        low, high = day, day + timedelta(days=1)
        if low.astimezone(info).utcoffset() != high.astimezone(info).utcoffset():
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) // timedelta(minutes=2) * timedelta(minutes=1)
                same = middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield high
        day += timedelta(days=1)


def _chosen(found: list[datetime], chance: random.Random) -> list[datetime]:
    return sorted(chance.sample(found, min(8, len(found))))


def _around(change: datetime, zone: str, chance: random.Random) -> Iterator[Case]:
    info = ZoneInfo(zone)
    before, after = (change - timedelta(seconds=1)).astimezone(info), change.astimezone(info)
    hours = sorted({before.hour, after.hour, (before.hour + 1) % 24, (after.hour - 1) % 24, 0})
    for step in (-172800, -86400, -7200, -3600, -3599, -1800, -1, 0, 1, 900, 1800, 3599, 3600, 5400, 7200, 80000):
        start = _ms(change) + step * 1000 + chance.choice((0, 0, 1, 999))
        minute, hour = chance.choice(("0", "30", "15,45", "*/15", "59", "*", "20-40/7")), chance.choice(hours)
        day = chance.choice((before, after, after + timedelta(days=1)))
        yield (
            chance.choice(
                (
                    f"{minute} {hour} * * *",
                    f"{minute} {hour} * * *",
                    f"{minute} {hour},{(hour + 1) % 24} * * *",
                    f"{minute} */2 * * *",
                    f"{minute} * * * *",
                    f"{minute} {hour} {day.day} {day.month} *",
                    f"{minute} {hour} {day.day} * *",
                    f"{minute} {hour} * * {day.isoweekday() % 7}",
                    f"{minute} {hour} {day.day} * {(day.isoweekday() + 2) % 7}",
                    f"{minute} {hour} */2 {day.month} MON",
                    f"{minute} {hour} 1 {day.month % 12 + 1} *",
                    f"0 0 {day.day} * *",
                )
            ),
            zone,
            start,
        )


def _random_expression(chance: random.Random) -> str:
    names = [*MONTH.names], [*WEEKDAY.names]
    fields = (
        _field(chance, 0, 59, ()),
        _field(chance, 0, 23, ()),
        _field(chance, 1, 31, ()),
        _field(chance, 1, 12, names[0]),
        _field(chance, 0, 6, names[1]),
    )
    return chance.choice((" ", " ", " ", "  ", "\t")).join(fields)


def _field(chance: random.Random, low: int, high: int, names: list[str] | tuple[()]) -> str:
    def one(number: int) -> str:
        if names and chance.random() < 0.4:
            name = names[number - low]
            return chance.choice((name, name.upper(), name.capitalize()))
        return str(number)

    def part() -> str:
        first, last = sorted((chance.randint(low, high), chance.randint(low, high)))
        step = chance.choice((1, 2, 2, 3, 5, 7, 10, 15, 30, 99))
        return chance.choice(
            (
                one(first),
                one(first),
                f"{one(first)}-{one(last)}",
                f"{first}-{last}/{step}",
                f"{first}/{step}",
                f"*/{step}",
            )
        )

    if chance.random() < 0.35:
        return chance.choice("***?")
    return ",".join(part() for _ in range(chance.choice((1, 1, 1, 2, 3))))


def _broken(expression: str, chance: random.Random) -> str:
    """One to three small damages; not every one is an error, and Go decides which."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(expression) + 1)
        until = at + chance.choice((0, 0, 1, 2))
        expression = expression[:at] + chance.choice([*_ODD, ""]) + expression[until:]
    return expression


def _ms(moment: datetime) -> int:
    return round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


if __name__ == "__main__":
    for case in dict.fromkeys(cases()):
        print(json.dumps(case))
