"""S-3: names are compared by equality: never by a prefix, a suffix, or a set of characters."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.support.api_world import ApiWorld

from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain.access import Role
from kubescribe.domain.claim_roles import ClaimRole, principal_of
from kubescribe.domain.tenant import may_be_a_tenant


def pairs(count: int) -> list[tuple[str, str]]:
    """Names that share beginnings, ends and characters, and are not equal."""
    dice = random.Random(20_261_121)
    made: list[tuple[str, str]] = []
    while len(made) < count:
        letters = "".join(dice.choices("ab-c0", k=dice.randint(1, 6)))
        one = f"team{letters}z"
        other = dice.choice(
            [one + dice.choice("a-z0"), one[:-1], one[1:], one[::-1], "x" + one, "".join(dice.sample(one, len(one)))]
        )
        if one != other and may_be_a_tenant(one) and may_be_a_tenant(other):
            made.append((one, other))
    return made


def test_ten_thousand_pairs_of_tenants_see_nothing_of_each_other() -> None:
    world = ApiWorld()
    names = pairs(10_000)

    async def look() -> list[tuple[str, str]]:
        leaks = []
        for one, other in names:
            world.database.runs.clear()
            run = world.run_record(tenant=one)
            world.database.runs[run.id] = run
            seen = await world.run_log.find(RunFilter(tenant=other))
            own = await world.run_log.find(RunFilter(tenant=one))
            if seen.runs or len(own.runs) != 1:
                leaks.append((one, other))
        return leaks

    assert asyncio.run(look()) == []


@pytest.mark.parametrize(
    "claim", ["ks-admin", "ks-adminss", "xks-admins", "KS-ADMINS", "ks-admins ", "ks.admins", "*", ""]
)
def test_a_group_that_is_almost_the_admins_is_nobody(claim: str) -> None:
    roles = (ClaimRole("ks-admins", Role.ADMIN),)
    assert principal_of({"sub": "ann", "groups": [claim]}, "groups", roles) is None
    assert principal_of({"sub": "ann", "groups": ["ks-admins"]}, "groups", roles) is not None
