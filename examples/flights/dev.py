"""``make dev``: the API on the embedded databases (or on those of the settings), with the pipelines of the examples."""

from __future__ import annotations

import os
import sys

import psycopg

from kubescribe.domain.errors import KubescribeError
from kubescribe.entrypoints.cli.main import main as kubescribe

from .dataset import DatasetError, load
from .demo import PIPELINES, ROOT, databases


def main() -> int:
    """Load the flights where they are not there yet, then serve until Ctrl-C."""
    os.environ.setdefault("KUBESCRIBE_PIPELINES", PIPELINES)
    # The runs' own processes find the pipelines by it, wherever this was started.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    try:
        with databases() as production:
            load(production, lambda line: print(f"  {line}"))
            return kubescribe(["api", "--sign-in", *sys.argv[1:]])
    except KubescribeError as refused:
        print(f"kubescribe: {refused}", file=sys.stderr)
        return refused.exit_code
    except (DatasetError, psycopg.Error) as refused:
        print(f"The flights cannot be loaded: {refused}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
