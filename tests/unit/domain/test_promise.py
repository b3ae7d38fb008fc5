"""By when a slot's work is due, whatever the clocks do; and what a declaration may promise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from kubescribe import Context, pipeline
from kubescribe.domain.errors import BadDeclaration
from kubescribe.domain.incident import IncidentTerms
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.promise import Promises
from kubescribe.domain.schedule import find_zone

BERLIN = find_zone("Europe/Berlin")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text + ":00+00:00")


@pytest.mark.parametrize(
    ("slot", "finish_at", "due"),
    [
        ("2026-01-10T04:15", "07:00", "2026-01-10T06:00"),
        ("2026-07-10T03:15", "07:00", "2026-07-10T05:00"),
        ("2026-01-10T06:00", "07:00", "2026-01-11T06:00"),  # at the very minute: the next day's
        ("2026-01-10T21:00", "07:00", "2026-01-11T06:00"),
        ("2026-03-28T21:00", "07:00", "2026-03-29T05:00"),  # over the night that is an hour shorter
        ("2026-03-28T23:30", "02:30", "2026-03-29T01:30"),  # a time that the clock jumps over: the hour after
        ("2026-10-24T22:00", "02:30", "2026-10-25T00:30"),  # one that it shows twice: the first
        ("2026-10-25T00:45", "02:30", "2026-10-25T01:30"),  # 02:45 before the clock goes back: the second
        ("2026-10-25T01:10", "02:30", "2026-10-25T01:30"),
        ("2026-10-25T01:45", "02:30", "2026-10-26T01:30"),
        ("2026-10-25T01:15", "07:00", "2026-10-25T06:00"),
    ],
)
def test_a_time_on_the_wall(slot: str, finish_at: str, due: str) -> None:
    promises = Promises(finish_at=finish_at)
    assert promises.due_of(moment(slot), BERLIN) == moment(due)
    assert promises.due_of(moment(slot).astimezone(BERLIN), BERLIN) == moment(due), "whatever clock it is written by"


def test_a_time_after_the_slot() -> None:
    assert Promises(finish_after=5400.0).due_of(moment("2026-10-25T00:00"), BERLIN) == moment("2026-10-25T01:30")


def declared(**how: Any) -> Pipeline:
    @pipeline(**how)
    def sales(run: Context) -> None: ...

    return sales.pipeline


def test_a_declaration_promises() -> None:
    made = declared(
        schedule="15 5 * * *",
        reports=("one", "two"),
        finish_by="07:00",
        run_at_most="20m",
        fresh_within="26h",
        rows_between={"one": (1000, None), "two": [0, 5]},
        incident_after=3,
        recover_after=2,
    )
    assert made.promises == Promises(
        finish_at="07:00",
        run_at_most=1200.0,
        fresh_within={"one": 93_600.0, "two": 93_600.0},
        rows_between={"one": (1000, None), "two": (0, 5)},
    )
    assert made.incidents == IncidentTerms(incident_after=3, recover_after=2)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Pipeline) == made, "as it goes to the supervisor"
    assert declared(schedule="@daily", finish_by="2h").promises == Promises(finish_after=7200.0)
    assert declared(fresh_within={"other": 60}).promises == Promises(fresh_within={"other": 60.0})
    assert declared().promises.kinds == frozenset() and len(made.promises.kinds) == 4


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"finish_by": "07:00"}, "without a schedule"),
        ({"schedule": "@daily", "finish_by": "24:00"}, "a time like 07:00"),
        ({"schedule": "@daily", "finish_by": "7:00"}, "a time like 07:00"),
        ({"schedule": "@daily", "finish_by": "soon"}, "no duration"),
        ({"run_at_most": 0}, "leaves no time"),
        ({"run_at_most": "-1s"}, "no duration"),
        ({"run_at_most": float("inf")}, "leaves no time"),
        ({"fresh_within": "26h"}, "name them in reports="),
        ({"reports": ("a",), "fresh_within": {"b": "26h"}}, "not among those that it writes"),
        ({"reports": ("a",), "fresh_within": {"a": "old"}}, "fresh_within of a"),
        ({"fresh_within": {"A b": "1h"}}, "cannot name a report"),
        ({"rows_between": {"a": (None, None)}}, "promises nothing"),
        ({"rows_between": {"a": (5, 4)}}, "no report can keep"),
        ({"rows_between": {"a": (-1, 4)}}, "no report can keep"),
        ({"rows_between": {"a": (1.5, None)}}, "whole numbers"),
        ({"rows_between": {"a": 5}}, "no two bounds"),
        ({"rows_between": (1, 2)}, "write it like"),
        ({"incident_after": 0}, "incident_after is 0"),
        ({"incident_after": True}, "incident_after is True"),
        ({"recover_after": 2000}, "recover_after is 2000"),
    ],
)
def test_what_nobody_could_keep_is_refused_where_it_is_declared(how: dict[str, Any], why: str) -> None:
    with pytest.raises(BadDeclaration, match=why) as refused:
        declared(**how)
    assert "test_promise" in str(refused.value)
