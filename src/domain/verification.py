"""What became of a report's rows since the ledger counted them."""

from __future__ import annotations

import msgspec

from .report import Publication


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """A report's rows counted and summed up anew, beside what the ledger says of them."""

    report: str
    publication: Publication
    """The ledger's last row."""
    version: int
    """That readers are shown."""
    rows: int
    """As there are now."""
    checksum: str
    """As it is now; of the same kind as ``expected_checksum``."""
    expected_version: int
    expected_rows: int
    expected_checksum: str
    strangers: int = 0
    """Rows with a value in a column that the version did not have when it was published."""
    problem: str | None = None
    """Why nothing could be counted."""

    @property
    def differences(self) -> tuple[str, ...]:
        """One sentence for each; empty: the rows are those that were published."""
        if self.problem is not None:
            return (self.problem,)
        found = []
        if self.version != self.expected_version:
            found.append(
                f"readers are shown version {self.version}, and the ledger's last word is {self.expected_version}"
            )
        if self.rows != self.expected_rows:
            found.append(f"there are {self.rows} rows, and the ledger counts {self.expected_rows}")
        if self.checksum != self.expected_checksum:
            found.append(f"the checksum is {self.checksum}, and the ledger has {self.expected_checksum}")
        if self.strangers:
            found.append(f"{self.strangers} rows have values in columns that came later")
        return tuple(found)
