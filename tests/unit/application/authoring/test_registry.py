from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubescribe.application.authoring.registry import Registry
from kubescribe.domain.errors import BadDeclaration, PipelineNotFound

_NUMBERS = itertools.count()
HEAD = "from kubescribe import Context, pipeline\n"
PIPELINE = HEAD + "@pipeline\ndef {name}(run: Context) -> None: ...\n"

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a module, and get its name."""
    monkeypatch.syspath_prepend(tmp_path)
    written: list[str] = []

    def write_(text: str) -> str:
        name = f"etl_{next(_NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        written.append(name)
        return name

    yield write_
    for name in written:
        sys.modules.pop(name, None)


def test_pipelines_of_modules_are_found_defined_or_imported(write: Write) -> None:
    one = write(PIPELINE.format(name="one"))
    other = write(PIPELINE.format(name="other") + f"from {one} import one\nalias = one\n")
    registry = Registry.load([one, other], entry_points=False)
    assert [pipeline.name for pipeline in registry.pipelines()] == ["one", "other"]
    assert registry.get("one").pipeline.location.startswith(f"{one}:one (")


def test_two_of_one_name_are_refused_with_both_places(write: Write) -> None:
    one, other = write(PIPELINE.format(name="same")), write(PIPELINE.format(name="same"))
    with pytest.raises(BadDeclaration, match=rf"two pipelines are called same: {one}:same .*{other}:same "):
        Registry.load([one, other], entry_points=False)


def test_registries_know_nothing_of_each_other(write: Write) -> None:
    one, other = write(PIPELINE.format(name="one")), write(PIPELINE.format(name="other"))
    Registry.load([one], entry_points=False)
    with pytest.raises(PipelineNotFound):
        Registry.load([other], entry_points=False).get("one")


def test_an_unknown_name_gets_the_nearest(write: Write) -> None:
    registry = Registry.load([write(PIPELINE.format(name="airport_delays"))], entry_points=False)
    with pytest.raises(PipelineNotFound, match=r"there is no pipeline airport_delay; did you mean airport_delays\?"):
        registry.get("airport_delay")
    with pytest.raises(PipelineNotFound, match="no pipeline is known at all"):
        Registry().get("x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nowhere_at_all\n", r"ModuleNotFoundError: No module named 'nowhere_at_all' \(.*etl_\d+.py:1\)$"),
        ("\n\ndef f():\n  return 1/0\nf()\n", r"ZeroDivisionError: division by zero \(.*etl_\d+.py:4\)$"),
        ("import json\n\njson.loads('x')\n", r"JSONDecodeError: .* \(.*etl_\d+.py:3\)$"),
        ("def f(:\n", r"SyntaxError: .*etl_\d+.py:1\)$"),
        ("import sys\nsys.exit(3)\n", r"ended the process when it was imported \(.*etl_\d+.py:2\)$"),
        ("raise BaseException('panic')\n", r"BaseException: panic \(.*etl_\d+.py:1\)$"),
        (HEAD + "@pipeline\ndef f(run, x): ...\n", r"etl_\d+.py:2\): parameter x has no type"),
    ],
)
def test_a_broken_module_is_one_sentence(write: Write, text: str, message: str) -> None:
    with pytest.raises(BadDeclaration, match=message) as error:
        Registry.load([write(text)])
    assert "\n" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("name", ["nowhere_at_all", "nowhere_at_all.sub"])
def test_a_missing_module_says_where_it_was_looked_for(name: str) -> None:
    with pytest.raises(BadDeclaration, match=rf"there is no module {name}; modules are looked for in /"):
        Registry.load([name])


@pytest.mark.parametrize(
    ("value", "found"), [("{module}", ["one", "two"]), ("{module}:one", ["one"]), ("{module}:nothing", None)]
)
def test_entry_points_name_a_module_or_a_function(
    write: Write, tmp_path: Path, value: str, found: list[str] | None
) -> None:
    module = write(PIPELINE.format(name="one") + "@pipeline\ndef two(run: Context) -> None: ...\n")
    info = tmp_path / "etl-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: etl\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[kubescribe.pipelines]\nmine = {value.format(module=module)}\n")
    assert Registry.load([], entry_points=False).pipelines() == ()
    if found is None:
        with pytest.raises(BadDeclaration, match=r"entry point mine of kubescribe\.pipelines"):
            Registry.load([]).pipelines()
        return
    assert [pipeline.name for pipeline in Registry.load([]).pipelines()] == found
    assert Registry.load([]).get("one").pipeline.name == "one"
