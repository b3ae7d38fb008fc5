"""Why something is as it is: a sentence, what it rests on, and what to do next."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Fact(msgspec.Struct, frozen=True):
    """One piece of the evidence."""

    at: datetime | None
    """When; None for what holds all the time."""
    text: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "why"."""

    subject: str
    """``run:<id>`` or ``pipeline:<name>``."""
    sentence: str
    facts: tuple[Fact, ...] = ()
    """In the order of time; those without one come last."""
    next_step: str | None = None
    """A command, or None where there is nothing to do."""


def in_order(facts: list[Fact]) -> tuple[Fact, ...]:
    """Sorted for an explanation."""
    timed = sorted((fact for fact in facts if fact.at is not None), key=lambda fact: fact.at)  # type: ignore[arg-type,return-value]
    return (*timed, *(fact for fact in facts if fact.at is None))
