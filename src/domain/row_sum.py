"""A checksum of rows whatever their order, which can be kept up to date as rows come and go."""

from __future__ import annotations

import msgspec

_HALF = 64
_MODULUS = 1 << _HALF
_PREFIX = "rowsum:"
_DIGITS = _HALF // 4


class RowSum(msgspec.Struct, frozen=True):
    """The sum of the rows' hashes: two of 64 bits a row, each added up modulo 2^64.

    It changes with any row that is edited, added or lost, short of an accident of one in 2^64. It is no defence
    against somebody who chooses rows so that the sum stays: that takes rights in the database, and little work.
    """

    first: int = 0
    second: int = 0

    def __add__(self, other: RowSum) -> RowSum:
        return RowSum((self.first + other.first) % _MODULUS, (self.second + other.second) % _MODULUS)

    def __sub__(self, other: RowSum) -> RowSum:
        return RowSum((self.first - other.first) % _MODULUS, (self.second - other.second) % _MODULUS)

    def __str__(self) -> str:
        return f"{_PREFIX}{self.first:0{_DIGITS}x}{self.second:0{_DIGITS}x}"

    @classmethod
    def of(cls, first: int, second: int) -> RowSum:
        """From two sums of any size and sign, as a database adds them up."""
        return cls(first % _MODULUS, second % _MODULUS)

    @classmethod
    def parse(cls, text: str) -> RowSum:
        """What ``str`` wrote; raises ValueError for anything else."""
        digits = text.removeprefix(_PREFIX)
        if digits == text or len(digits) != 2 * _DIGITS:
            raise ValueError(f"{text!r} is no sum of rows")
        return cls(int(digits[:_DIGITS], 16), int(digits[_DIGITS:], 16))
