"""What all command lines share."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ....domain.exit_code import ExitCode

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints end with the exit code of DESIGN section 4."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Say it, and end with 64."""
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


def json_flag(command: argparse.ArgumentParser) -> None:
    """Let a command answer programs."""
    command.add_argument("--json", action="store_true", help="for programs")
