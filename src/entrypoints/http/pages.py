"""The files of our own pages, out of this package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def page(name: str) -> bytes:
    """A file's content."""
    return (files("kubescribe.entrypoints.http") / "static" / name).read_bytes()
