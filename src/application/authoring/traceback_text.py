"""A traceback for the author: their own frames, without ours."""

from __future__ import annotations

from pathlib import Path
from traceback import TracebackException

OURS = str(Path(__file__).parents[2])
LIMIT = 65_536
"""Characters; of a longer one the middle is left out."""


def traceback_text(error: BaseException) -> str:
    """The error with its causes, as Python prints it, without KubeScribe's frames."""
    trace = TracebackException.from_exception(error, compact=True)
    _without_ours(trace, set())
    text = "".join(trace.format(chain=True))
    if len(text) <= LIMIT:
        return text
    return f"{text[: LIMIT // 2]}\n… {len(text) - LIMIT} characters left out …\n{text[-LIMIT // 2 :]}"


def _without_ours(trace: TracebackException | None, seen: set[int]) -> None:
    if trace is None or id(trace) in seen:
        return
    seen.add(id(trace))
    trace.stack[:] = [frame for frame in trace.stack if not frame.filename.startswith(OURS)]
    for other in (trace.__cause__, trace.__context__, *(trace.exceptions or ())):
        _without_ours(other, seen)
