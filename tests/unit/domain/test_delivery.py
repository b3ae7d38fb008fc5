"""What a message is known by: the same at every try, and no other's of another RunLog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from kubescribe.application.announce_run import trouble_key
from kubescribe.domain.delivery import Delivery

AT = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)


def a_delivery(**changes: Any) -> Delivery:
    terms: dict[str, Any] = {
        "id": 7,
        "notice_id": 57,
        "kind": "incident.opened",
        "incident_id": 3,
        "pipeline": "sales",
        "channel": "email",
        "address": "ann@example.org",
        "created_at": AT,
        "since": AT,
    }
    return Delivery(**{**terms, **changes})


def test_two_runlogs_that_count_alike_make_no_two_messages_of_one_id() -> None:
    """A second installation, or one whose RunLog was lost or restored: a mail server drops what it takes for a copy,
    and PagerDuty ends an alert by its key."""
    ours, theirs = a_delivery(), a_delivery(created_at=AT + timedelta(hours=1), since=AT + timedelta(hours=1))
    assert ours.message_id != theirs.message_id and trouble_key(ours, "default") != trouble_key(theirs, "default")
    weekly = {"kind": "summary.weekly", "incident_id": None, "since": None, "pipeline": ""}
    assert a_delivery(**weekly).message_id != a_delivery(**weekly, created_at=AT + timedelta(days=7)).message_id
    for one in (ours, a_delivery(**weekly)):
        assert one.message_id.isascii() and " " not in one.message_id and "None" not in one.message_id


def test_a_run_has_an_id_that_nobody_else_has() -> None:
    run_id = UUID(int=8)
    assert a_delivery(run_id=run_id).message_id == f"57.{run_id}"


def test_every_try_and_every_notice_of_a_trouble_is_known_by_the_same() -> None:
    first = a_delivery(attempts=1)
    assert a_delivery(attempts=9, age=5.0, error="away").message_id == first.message_id
    over = a_delivery(id=9, notice_id=60, kind="incident.recovered", created_at=AT + timedelta(days=1))
    assert trouble_key(over, "default") == trouble_key(first, "default") != trouble_key(first, "other")
