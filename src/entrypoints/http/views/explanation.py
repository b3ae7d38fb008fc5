"""Why something is as it is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ....domain.explanation import Explanation


class FactView(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of the evidence."""

    at: datetime | None
    """When; null for what holds all the time."""
    text: str


class ExplanationView(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence, what it rests on, and what to do next."""

    subject: str
    sentence: str
    facts: tuple[FactView, ...]
    next_step: str | None
    """A command; null where there is nothing to do."""

    @classmethod
    def of(cls, one: Explanation) -> ExplanationView:
        """The view of an explanation."""
        facts = tuple(FactView(at=fact.at, text=fact.text) for fact in one.facts)
        return cls(subject=one.subject, sentence=one.sentence, facts=facts, next_step=one.next_step)
