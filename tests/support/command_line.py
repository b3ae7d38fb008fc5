"""``kubescribe`` as a user has it: a process for every command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from .three_databases import ThreeDatabases

ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, "-m", "kubescribe.entrypoints.cli.main"]


class CommandLine:
    """Commands in one folder, with the settings of one environment."""

    def __init__(self, folder: Path, databases: ThreeDatabases | None, **settings: str) -> None:
        """``databases``: None for the embedded ones."""
        self.folder = folder
        ours = ("KUBESCRIBE_", "RUNLOG_", "OPSLOG_", "PROD_", "REPORT_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        if databases is not None:
            self.environment |= {
                "RUNLOG_DB_URL": databases.runlog,
                "PROD_DB_URL": databases.production,
                "REPORT_DB_URL": databases.report,
            }
        self.environment |= {
            "KUBESCRIBE_HOME": str(folder / "home"),
            "KUBESCRIBE_ACTOR": "user:ada",
            "PYTHONPATH": f"{ROOT / '.import'}{os.pathsep}{ROOT}",
            **settings,
        }

    def __call__(
        self, *arguments: str, standard_input: str | None = None, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*MAIN, *arguments],
            input=standard_input,
            env=self.environment | settings,
            cwd=self.folder,
            capture_output=True,
            text=True,
            errors="replace",
        )

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start a command, and leave it to itself."""
        return subprocess.Popen(
            [*MAIN, *arguments],
            env=self.environment | settings,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def json(self, *arguments: str) -> Any:
        """What a command says to programs; the command has to succeed."""
        ended = self(*arguments, "--json")
        assert ended.returncode == 0, ended.stderr
        return msgspec.json.decode(ended.stdout)

    def newest(self) -> dict[str, Any]:
        """The record of the newest run."""
        record: dict[str, Any] = self.json("show", self.json("runs")[0]["id"])
        return record
