"""What schemathesis asks, as each role: no 5xx, and no answer that the document lacks. ``make fuzz`` asks more."""

from __future__ import annotations

import pytest
from tests.support.fuzzing import MemoryTarget, fuzz

from kubescribe.domain.access import Role

REQUESTS = 60


@pytest.mark.parametrize("role", [None, *Role])
def test_no_answer_is_out_of_the_document(role: Role | None) -> None:
    target = MemoryTarget()
    headers = {} if role is None else target.world.as_(role)
    statuses, wrong = fuzz(target, headers, REQUESTS, 1)
    assert wrong == []
    assert statuses.total() > REQUESTS // 2
    if role is not None:
        assert 200 in statuses
    if role in (Role.OPERATOR, Role.ADMIN):
        assert 202 in statuses
