"""What must hold of every run after recovery, whatever was done to it: the invariants of the fault catalogue.

One function an invariant, named by its number there. Each raises :class:`Broken`, which tells the whole story.
I-2, I-3, I-13, I-16 to I-18 and I-20 to I-24 speak of Jobs, slots, requests, tenants and messages, which come with
those parts; I-25 is looked at while the world settles (``tests.support.faults``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

from kubescribe.domain.incident import QUIET

from .family import TWINS
from .story import TERMINAL, Story

RACED = ("lease_expired", "fenced")
"""Causes that say: this attempt was given up, and may not publish any more."""


class Broken(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: str, why: str, story: Story) -> None:
        self.invariant = invariant
        super().__init__(f"{invariant}: {why}\n{story}")


def i_1(story: Story) -> str | None:
    """Each attempt that took the run has exactly one row, which ends with a death certificate."""
    if [one["number"] for one in story.attempts] != list(range(1, len(story.attempts) + 1)):
        return "attempts are not numbered 1, 2, …"
    run = story.run or {"attempt_id": None, "attempts": 0}
    newest = next((one["number"] for one in story.attempts if one["id"] == run["attempt_id"]), 0)
    if run["attempts"] != newest:
        return f"the run says that attempt {run['attempts']} is its newest, and it is {newest}"
    open_ones = [one["number"] for one in story.attempts if not one["ended_at"] or not one["certificate"]]
    return f"attempts {open_ones} have no end or no certificate" if open_ones else None


def i_4(story: Story) -> str | None:
    """Terminal states never change: the record is what its one terminal event says, and nothing comes after."""
    kinds = [event["kind"].removeprefix("run.") for event in story.events]
    ends = [kind for kind in kinds if kind in TERMINAL]
    if story.status in TERMINAL and (ends != [story.status] or kinds[-1] != story.status):
        return f"it is {story.status}, and its events are {kinds}"
    return None


def i_5(story: Story) -> str | None:
    """No run stays without a verdict."""
    return None if story.run is None or story.status in TERMINAL else f"it is {story.status} after recovery"


def i_6(story: Story) -> str | None:
    """Fences increase in the order of the claims, and at most one attempt holds the run."""
    took = {event["data"]["attempt"] for event in story.events if event["kind"] == "run.running"}
    fences = [one["fence"] for one in story.attempts if one["fence"] is not None and str(one["id"]) in took]
    if fences != sorted(set(fences)):
        return f"the attempts' fences are {fences}"
    if story.fence is not None and any(fence > story.fence["fence"] for fence in fences):
        return f"an attempt holds a fence above the run's, which is {story.fence}"
    return None


def i_7(story: Story) -> str | None:
    """Times are in order."""
    run = story.run
    if run is None:
        return None
    times = [run[name] for name in ("created_at", "started_at", "finished_at") if run[name] is not None]
    if times != sorted(times):
        return f"created, started and finished at {times}"
    wrong = [one["number"] for one in story.attempts if one["ended_at"] and one["ended_at"] < one["started_at"]]
    return f"attempts {wrong} end before they begin" if wrong else None


def i_8(story: Story) -> str | None:
    """Every record names who wrote it and on which evidence."""
    if story.status in TERMINAL and story.run is not None and not story.run["evidence"]:
        return "its verdict names no evidence"
    nameless = [one["number"] for one in story.attempts if one["certificate"] and not one["certificate"]["recorded_by"]]
    if nameless or any(not event["actor"] for event in story.events):
        return f"certificates of attempts {nameless}, or events, name nobody"
    return None


def i_9(story: Story) -> str | None:
    """What is visible is what the ledger's last row says, for every report."""
    newest = [{"report": row["report"], "version": row["version"]} for row in story.newest]
    if story.current != newest:
        return "the pointer and the ledger differ"
    markers = {str(row["run_id"]) for row in story.newest if row["report"] in TWINS}
    if story.shown is None or {story.shown.marker} != markers:
        return f"readers see {story.shown}, and the ledger's last rows are of {markers}"
    return None


def i_10(story: Story) -> str | None:
    """SUCCEEDED means published: by one attempt of this run, under its fence, with these rows and this checksum."""
    due = {part.report for part in story.plan}
    if story.status == "succeeded" and {row["report"] for row in story.ledger} != due:
        return f"it has succeeded, and not all of its reports, {due}, are in the ledger"
    attempts = {one["id"]: one for one in story.attempts}
    for row in story.ledger:
        attempt = attempts.get(row["attempt_id"])
        if attempt is None or attempt["fence"] != row["fence"]:
            return f"the ledger names attempt {row['attempt_id']} with fence {row['fence']}, the record does not"
    if len({row["attempt_id"] for row in story.ledger}) > 1:
        return "two attempts share the publication"
    known = {(row["report"], row["version"], row["rows"], row["checksum"]) for row in story.ledger}
    told = {tuple(row["data"][name] for name in ("report", "version", "rows", "checksum")) for row in story.outputs}
    return None if told <= known else f"the record tells of publications {told - known}"


def i_11(story: Story) -> str | None:
    """What is in the ledger has succeeded, and was never called anything else."""
    if not story.ledger or story.status == "succeeded":
        return None
    return f"it has published, and its record says {story.status}"


def i_12(story: Story) -> str | None:
    """One publication a report, whole: its version holds the rows that the ledger counted and digested."""
    if len({row["report"] for row in story.ledger}) != len(story.ledger):
        return "a report was published twice"
    for row in story.ledger:
        content = story.contents.get(row["version"])
        if content is not None and content != (row["rows"], row["checksum"]):
            return f"version {row['version']} of {row['report']} holds {content}"
    return "; ".join(story.faults[:5]) or None


def model(story: Story) -> str | None:
    """Every report holds what its publications add up to, in whatever mode each was: nothing twice, nothing half."""
    return "; ".join(story.misplaced) or None


def moments(story: Story) -> str | None:
    """At every moment readers see the reports as they were after some run, and never in the midst of one."""
    return "; ".join(story.impossible) or None


def verified(story: Story) -> str | None:
    """``kubescribe verify`` has nothing against any report."""
    return "; ".join(story.unverified) or None


def i_14(story: Story) -> str | None:
    """Only a run that has succeeded changes what a reader sees, and only by the attempt in the ledger."""
    published = {str(row["attempt_id"]) for row in story.ledger}
    wrong = [one for one in story.seen if story.status != "succeeded" or one.attempt not in published]
    return f"readers saw {wrong}" if wrong else None


def i_15(story: Story) -> str | None:
    """Exit code 0 if and only if the run has succeeded; 77 and 78 have published nothing; nobody was killed by us."""
    ledger = {row["attempt_id"] for row in story.ledger}
    for one in story.endings:
        if not one.by_itself or one.what.startswith("reconcile"):
            continue
        if one.exit_code < 0:
            return f"supervisor {one.pid} was ended by signal {-one.exit_code}, and not by the test"
        published = any(attempt["id"] in ledger for attempt in story.attempts_of(one))
        if one.exit_code == 0 and story.status not in ("succeeded", "skipped"):
            return f"supervisor {one.pid} ended with 0, and the run is {story.status}"
        if one.exit_code not in (0, 75) and published:
            return f"supervisor {one.pid} has published, and ended with {one.exit_code}"
    return None


def decider(story: Story) -> str | None:
    """An exit is the word of the newest attempt alone; the ledger may speak for any."""
    if story.run is None or story.run["evidence"] != "exit":
        return None
    last = story.events[-1]["actor"]
    return None if last == f"attempt:{story.run['attempt_id']}" else f"{last} decided, and is not the newest attempt"


def the_dead(story: Story) -> str | None:
    """An attempt that was given up has published nothing (promise 3)."""
    ledger = {row["attempt_id"] for row in story.ledger}
    for one in story.attempts:
        if one["id"] in ledger and (one["certificate"] or {}).get("cause") in RACED:
            return f"attempt {one['number']} was given up, and has published"
    return None


def i_19(story: Story) -> str | None:
    """Every failure is its pipeline's incident, and told unless it came back within the hour; so is its end, once."""
    told = [row["kind"] for row in story.outbox]
    if story.status != "succeeded":
        if story.status not in ("failed", "lost"):
            return f"it is {story.status}, and its outbox holds {told}" if told else None
        return (
            None
            if told in (["incident.opened"], ["incident.grew"]) or (not told and _quiet(story))
            else (f"it is {story.status}, and its outbox holds {told}")
        )
    if told not in ([], ["incident.recovered"]):
        return f"it is {story.status}, and its outbox holds {told}"
    assert story.run is not None
    # What was told at the very moment may have been committed before or after it: a failure that this success did not
    # see, or the recovery that another success told of.
    before = story.run["finished_at"] - timedelta(seconds=1)
    earlier = [row["kind"] for row in story.notices if row["created_at"] < before]
    meanwhile = any(row["kind"] == "incident.recovered" and row["created_at"] >= before for row in story.notices)
    if not told and earlier and earlier[-1] != "incident.recovered" and not meanwhile:
        return f"the pipeline had failed before it, and nobody is told that it works again: {earlier}"
    return None


def _quiet(story: Story) -> bool:
    """Whether people were told, within the hour before the run's end, that its pipeline works again."""
    assert story.run is not None
    end, slack = story.run["finished_at"], timedelta(seconds=1)
    ends = [row["created_at"] for row in story.notices if row["kind"] == "incident.recovered"]
    return any(end - QUIET - slack <= at <= end + slack for at in ends)


def i_20(story: Story) -> str | None:
    """Of each incident that was told people hear the end once: openings and ends take turns."""
    kinds = [row["kind"] for row in story.notices]
    for before, kind in pairwise([None, *(kind for kind in kinds if kind != "incident.grew")]):
        if (kind == "incident.recovered") is not (before == "incident.opened"):
            return f"an end was told that no beginning comes before, or a beginning before the end: {kinds}"
    return None


def cleared(story: Story) -> str | None:
    """Nothing is left behind: no process, and no staged version that nobody will ever drop."""
    if story.alive:
        return f"processes {story.alive} of its attempts are still there"
    if story.leftovers:
        return "it has left staged versions behind"
    return f"orphans: {story.orphans}" if story.orphans else None


CHECKS: dict[str, Callable[[Story], str | None]] = {
    "I-1": i_1,
    "I-4": i_4,
    "I-5": i_5,
    "I-6": i_6,
    "I-7": i_7,
    "I-8": i_8,
    "I-9": i_9,
    "I-10": i_10,
    "I-11": i_11,
    "I-12": i_12,
    "the model": model,
    "every moment": moments,
    "verify": verified,
    "I-14": i_14,
    "I-15": i_15,
    "the newest decides": decider,
    "the dead do not write": the_dead,
    "I-19": i_19,
    "I-20": i_20,
    "cleared": cleared,
}


def check(story: Story) -> None:
    """Raise :class:`Broken` for the first that does not hold."""
    for name, holds in CHECKS.items():
        why = holds(story)
        if why is not None:
            raise Broken(name, why, story)
