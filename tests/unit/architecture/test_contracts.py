"""Each architecture contract is seen to fail on a planted violation, or nobody would know that it can."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RINGS = "the rings point inwards"
DOMAIN = "the domain knows the standard library and msgspec"
APPLICATION = "the application knows no drivers"
STRANGERS = "adapters are strangers to each other"
COMPOSITION = "only the composition root names adapters"
ALL = {RINGS, DOMAIN, APPLICATION, STRANGERS, COMPOSITION}

PLANTED = [
    ("domain/actor.py", "from ..application import event_stream", {RINGS}),
    (
        "domain/actor.py",
        "def later():\n    from ..adapters.system import clock",
        {RINGS, STRANGERS},
    ),  # whoever knows the domain knows it now
    ("application/notebook.py", "from ..adapters.memory import ids", {RINGS}),
    ("adapters/system/clock.py", "import kubescribe.entrypoints.settings", {RINGS}),
    ("plugins/__init__.py", '"""A fifth ring."""', {RINGS}),
    ("domain/actor.py", "import polars", {DOMAIN}),
    ("application/claims.py", "import asyncpg", {APPLICATION}),
    ("adapters/report/names.py", "from ..postgres import engine", {STRANGERS}),
    ("entrypoints/cli/runs.py", "def later():\n    from ...adapters.postgres import engine", {COMPOSITION}),
    ("entrypoints/settings.py", "from ..adapters.local import cgroup", {COMPOSITION}),
]


class Tree:
    """A copy of the package, to plant something in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "kubescribe"
        shutil.copytree(ROOT / "src", self.package, ignore=shutil.ignore_patterns("__pycache__"))

    def lint(self) -> tuple[int, set[str], str]:
        """The exit code, the broken contracts, and everything that was said."""
        done = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--config", ROOT / "pyproject.toml", "--no-cache"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        told = done.stdout + done.stderr
        return done.returncode, {name for name in ALL if f"{name} BROKEN" in told}, told


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    yield Tree(tmp_path)


def test_unplanted_all_are_kept(tree: Tree) -> None:
    code, broken, told = tree.lint()
    assert (code, broken) == (0, set()), told
    assert "Contracts: 5 kept, 0 broken." in told


@pytest.mark.parametrize(("file", "line", "contracts"), PLANTED)
def test_a_planted_violation_is_found(tree: Tree, file: str, line: str, contracts: set[str]) -> None:
    path = tree.package / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as module:
        module.write(f"\n{line}\n")
    code, broken, told = tree.lint()
    assert code != 0, told
    assert broken == contracts, told


def third_party(ring: str) -> set[str]:
    """The roots of what the ring's modules import, ourselves and the standard library apart."""
    found: set[str] = set()
    for path in (ROOT / "src" / ring).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names


@pytest.mark.parametrize(("ring", "known"), [("domain", {"msgspec"}), ("application", {"msgspec", "polars"})])
def test_the_inside_knows_nothing_that_no_contract_names(ring: str, known: set[str]) -> None:
    """The contracts list what they forbid; a library that is new in the house is on no such list."""
    assert third_party(ring) == known
