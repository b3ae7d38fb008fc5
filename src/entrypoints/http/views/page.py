"""A page of a list, and where the next one begins."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some of the items. Nobody counts how many there are."""

    items: tuple[T, ...]
    next: str | None
    """The ``cursor`` of the next page; null: this is the last."""
