"""What RunLog says, in the domain's errors."""

from __future__ import annotations

import asyncpg
import pytest

from kubescribe.adapters.postgres.failures import translated
from kubescribe.domain.errors import DatabaseRefused


@pytest.mark.parametrize("error", [asyncpg.ProgramLimitExceededError, asyncpg.StatementTooComplexError])
def test_what_is_too_large_for_the_server_is_refused_for_good(error: type[asyncpg.PostgresError]) -> None:
    known = translated(error("index row size 2720 exceeds btree version 4 maximum 2704"))
    assert isinstance(known, DatabaseRefused)
    assert "index row size" in str(known) and "shorter" in str(known)
