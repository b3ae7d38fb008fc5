"""S-34: nothing that was stored or received is ever evaluated or unpickled."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "src"
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal", "yaml", "jsonpickle", "joblib"}
BUILTINS = {"eval", "exec", "compile", "__import__"}


def evaluations(text: str) -> list[str]:
    """What evaluates or unpickles, with its line."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [f"{node.lineno}: {one.name}" for one in node.names if one.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in MODULES:
            found.append(f"{node.lineno}: {node.module}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
            found.append(f"{node.lineno}: {node.func.id}")
        elif isinstance(node, ast.keyword) and node.arg == "shell" and not _is_false(node.value):
            found.append(f"{node.value.lineno}: shell=")
    return found


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_module_evaluates_nothing(file: Path) -> None:
    assert evaluations(file.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from yaml import load",
        "eval('1')",
        "exec(x)",
        "subprocess.run(x, shell=True)",
        "import shelve as s",
    ],
)
def test_the_look_sees_it(text: str) -> None:
    assert evaluations(text)
