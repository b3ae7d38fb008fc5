"""What people write instead of a run, in a venv of its own (``make bench`` makes it; requirements-peers.lock)."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_HERE = Path(__file__).resolve().parent
ROOT = _HERE.parents[1]
VENV = ROOT / ".venv-peers"
_PYTHON = VENV / "bin" / "python"
_NAMES = ("dlt", "pandas", "sqlalchemy", "psycopg2-binary", "pyarrow")

ENVIRONMENT = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",  # nobody is told of it
    "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD": "any",  # dlt insists on one; the server asks for none
}


def installed() -> bool:
    """Whether their venv is there."""
    return _PYTHON.exists()


def commands(source: str, target: str, folder: Path) -> dict[str, list[str]]:
    """A command for each; it writes into a table of its own."""
    return {
        "dlt, backend pyarrow": [str(_PYTHON), str(_HERE / "peer_dlt.py"), source, target, str(folder / "dlt")],
        "pandas, read_sql and to_sql in chunks": [str(_PYTHON), str(_HERE / "peer_pandas.py"), source, target],
    }


def versions(names: Sequence[str] = _NAMES) -> str:
    """Of the parts that they are made of."""
    program = "import sys; from importlib.metadata import version; [print(n, version(n)) for n in sys.argv[1:]]"
    asked = subprocess.run([_PYTHON, "-c", program, *names], check=True, capture_output=True, text=True)
    return ", ".join(asked.stdout.splitlines())
