"""What schemathesis asks, as each role: no 5xx, and no answer that the document lacks. ``make fuzz`` asks more."""

from __future__ import annotations

import pytest
from tests.support.fuzzing import a_world, fuzz

from kubescribe.domain.access import Role

REQUESTS = 60


@pytest.mark.parametrize("role", [None, *Role])
def test_no_answer_is_out_of_the_document(role: Role | None) -> None:
    world = a_world()
    headers = {} if role is None else world.as_(role)
    statuses, wrong = fuzz(world, headers, REQUESTS, 1, world.as_(Role.ADMIN))
    assert wrong == []
    assert statuses.total() > REQUESTS // 2
    if role is not None:
        assert 200 in statuses
    if role in (Role.OPERATOR, Role.ADMIN):
        assert 202 in statuses
