"""``kubescribe incidents``, on real databases."""

from __future__ import annotations

import json

import pytest

from tests.support.command_line import CommandLine

pytestmark = pytest.mark.integration


def test_a_failing_pipeline_is_an_incident_that_is_looked_after_and_ends(kubescribe: CommandLine) -> None:
    assert kubescribe("incidents").stdout == "No incident is open.\n"
    assert kubescribe("incidents", "--all").stdout == "There is no incident.\n"
    for _ in range(2):
        assert kubescribe("exec", "--name", "stock", "--", "sh", "-c", "exit 3").returncode == 3
    listed = json.loads(kubescribe("incidents", "--json").stdout)
    assert [(one["id"], one["pipeline"], one["kind"], one["count"], one["why"]) for one in listed] == [
        (1, "stock", "failing", 2, "exit_code")
    ]
    assert "stock" in kubescribe("incidents").stdout
    for _ in range(2):
        done = kubescribe("incidents", "ack", "1", "--reason", "on it")
        assert done.returncode == 0 and done.stdout.startswith("incident 1 of stock is looked after by ")
        assert kubescribe("incidents", "assign", "1", "Ann").stdout == "incident 1 of stock is Ann's\n"
        assert kubescribe("incidents", "note", "1", "the disk").stdout == "incident 1 of stock has the note\n"
    assert kubescribe("incidents", "snooze", "1", "2h").returncode == 0
    assert kubescribe("incidents", "assign", "1", "--nobody").stdout == "incident 1 of stock is nobody's\n"
    assert kubescribe("exec", "--name", "stock", "--", "true").returncode == 0
    assert kubescribe("incidents").stdout == "No incident is open.\n"
    record = json.loads(kubescribe("incidents", "show", "1", "--json").stdout)
    assert record["incident"]["status"] == "recovered"
    assert [event["kind"].removeprefix("incident.") for event in record["events"]] == [
        *("opened", "acknowledged", "assigned", "noted", "snoozed", "assigned", "recovered")
    ]
    shown = kubescribe("incidents", "show", "1").stdout
    assert "incident 1: failing of stock is recovered" in shown and "the disk" in shown and "on it" in shown
    over = kubescribe("incidents", "ack", "1")
    assert over.returncode == 64 and "not open any more" in over.stderr
    assert kubescribe("reconcile").returncode == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "7"), "there is no incident 7"),
        (("ack", "seven"), "there is no incident seven"),
        (("snooze", "1", "tomorrow"), "neither a time with an offset"),
        (("assign", "1"), "give a name, or --nobody"),
        (("assign", "1", "Ann", "--nobody"), "give a name, or --nobody"),
        (("note", "1", " "), "nothing to write down"),
        (("--limit", "0"), "not between 1 and 500"),
    ],
)
def test_bad_input_is_told(kubescribe: CommandLine, words: tuple[str, ...], why: str) -> None:
    done = kubescribe("incidents", *words)
    assert done.returncode == 64 and why in done.stderr


def test_broken_promises_are_incidents_of_whoever_reconciles(kubescribe: CommandLine) -> None:
    assert kubescribe("reconcile").returncode == 0, "from now on it is promised"
    assert kubescribe("run", "promises_much").returncode == 0
    assert kubescribe("incidents").stdout == "No incident is open.\n"
    for _ in range(2):
        assert kubescribe("reconcile").returncode == 0
    listed = json.loads(kubescribe("incidents", "--json").stdout)
    assert sorted((one["kind"], one["count"]) for one in listed) == [("rows_between", 1), ("run_at_most", 1)]
    rows = next(one for one in listed if one["kind"] == "rows_between")
    assert rows["why"].startswith("report numbers was promised to have at least 1,000 rows; it has ")
