"""How a publication changes a report."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How a publication changes what readers see. A report keeps the mode of its first publication.

    A crash before the commit leaves the report as it was, in every mode.
    """

    REPLACE = "replace"
    """The staged rows become the whole report, as a new version."""
    APPEND = "append"
    """The staged rows are added."""
    MERGE = "merge"
    """The staged rows take the place of those of the same key; the others are added."""
    REPLACE_PARTITION = "replace_partition"
    """The staged rows take the place of all rows of the partitions that occur in them: an empty frame takes none."""

    @property
    def in_place(self) -> bool:
        """Whether a publication changes the rows of the version that is shown."""
        return self is not Mode.REPLACE


class SchemaRule(StrEnum):
    """What happens where the rows' columns are not the report's."""

    EXTEND = "extend"
    """Further columns at the end are added to the report; any other difference is refused."""
    RECREATE = "recreate"
    """A difference that cannot be added makes the report anew: this run's rows, in a new generation of tables."""
