"""The sum of rows comes and goes with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubescribe.domain.row_sum import RowSum

SUMS = st.builds(RowSum.of, st.integers(), st.integers())


@given(SUMS, SUMS, SUMS)
def test_rows_in_any_order_and_out_again(one: RowSum, two: RowSum, three: RowSum) -> None:
    assert one + two + three == three + one + two
    assert one + two - two == one
    assert one - one == RowSum()


@given(SUMS)
def test_it_can_be_written_and_read(one: RowSum) -> None:
    assert RowSum.parse(str(one)) == one
    assert len(str(one)) == len("rowsum:") + 32


@pytest.mark.parametrize("text", ["", "rowsum:", "blake2b:" + "0" * 32, "rowsum:" + "0" * 31, "rowsum:" + "x" * 32])
def test_anything_else_is_no_sum(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no sum of rows|invalid literal"):
        RowSum.parse(text)


def test_large_sums_of_a_database_are_taken_modulo() -> None:
    assert RowSum.of(-1, 2**64 + 5) == RowSum(2**64 - 1, 5)
