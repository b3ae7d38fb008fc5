"""Signs that tests and pipelines, which are other processes, leave for each other."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from uuid import UUID

VARIABLE = "FEATURE_MARKERS"
"""The folder where they are; without it, the temporary one."""


def let_go(run_id: UUID) -> None:
    """Let the pipeline ``talkative`` go on."""
    marker_of(run_id).touch()


def marker_of(run_id: UUID) -> Path:
    """The sign of a run."""
    return Path(os.environ.get(VARIABLE) or tempfile.gettempdir()) / f"kubescribe-feature-{run_id}"
