"""Where the files of Swagger UI are: a package carries them, and none of its code is imported."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def swagger_file(name: str) -> Path | None:
    """One file; None where the package is not installed."""
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "static" / name
    return path if path.is_file() else None
