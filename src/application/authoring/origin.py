"""Where a pipeline is declared: for messages, and for telling versions of the code apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def place(function: Callable[..., Any]) -> str:
    """``module:function (file:line)``, the file relative to the working directory where it lies below."""
    code = function.__code__
    path = Path(code.co_filename)
    here = Path.cwd()
    if path.is_relative_to(here):
        path = path.relative_to(here)
    return f"{function.__module__}:{function.__qualname__} ({path}:{code.co_firstlineno})"


def code_version(function: Callable[..., Any]) -> str | None:
    """Sixteen hex digits of BLAKE2b over the source file that declares it; None where there is no file."""
    try:
        source = Path(function.__code__.co_filename).read_bytes()
    except (OSError, ValueError):
        return None
    return hashlib.blake2b(source, digest_size=8).hexdigest()
