"""What is imported when: the public API is light, and a supervisor stays small whatever its worker does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clusters import Cluster

ROOT = Path(__file__).parents[3]
HEAVY = {
    "adbc_driver_manager",
    "alembic",
    "connectorx",
    "kubernetes",
    "litestar",
    "pandas",
    "polars",
    "psycopg",
    "pyarrow",
    "rich",
    "sqlalchemy",
}
PRINT_MODULES = "print('modules:', *sorted(sys.modules))"


def modules_after(code: str, *arguments: str, folder: Path | None = None, **environment: str) -> set[str]:
    """What a fresh process has imported after the code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{PRINT_MODULES}", *arguments],
        cwd=folder or ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1].split()
    assert last[0] == "modules:", done.stdout
    return set(last[1:])


def roots(modules: set[str]) -> set[str]:
    return {name.split(".")[0] for name in modules}


def test_import_kubescribe_is_light() -> None:
    more = modules_after("import kubescribe") - modules_after("")
    assert {name for name in more if not name.startswith("kubescribe")} <= {"__future__"}


@pytest.mark.parametrize("names", ["Context, pipeline, GiveUp, Retry", "between, not_null, rows, sql, unique"])
def test_declaring_imports_no_adapter_and_no_driver(names: str) -> None:
    modules = modules_after(f"from kubescribe import {names}")
    assert not roots(modules) & (HEAVY | {"asyncpg", "dependency_injector"})
    assert not {name for name in modules if name.startswith("kubescribe.adapters")}


def test_help_is_quick() -> None:
    modules = modules_after("from kubescribe.entrypoints.cli.main import parser\nparser().format_help()")
    assert not roots(modules) & (HEAVY | {"asyncpg", "asyncio", "msgspec", "dependency_injector"})


@pytest.mark.integration
def test_a_supervisor_imports_neither_data_libraries_nor_user_code(cluster: Cluster, tmp_path: Path) -> None:
    """A whole run, with every database configured and a report published."""
    urls = {
        variable: cluster.create_database(f"supervisor_{name}")
        for variable, name in (("RUNLOG_DB_URL", "runlog"), ("PROD_DB_URL", "production"), ("REPORT_DB_URL", "report"))
    }
    code = "from kubescribe.entrypoints.cli.main import main\nassert main(sys.argv[1:]) == 0"
    settings = {**urls, "KUBESCRIBE_PIPELINES": "tests.support.payload_pipelines", "HOME": str(tmp_path)}
    modules_after(code, "migrate", folder=tmp_path, **settings)
    modules = modules_after(code, "run", "publishes", folder=tmp_path, **settings)
    assert {"asyncpg", "msgspec"} <= roots(modules)
    assert "kubescribe.adapters.report.publisher" in modules, "it did not publish at all"
    assert roots(modules) & HEAVY == set()
    assert not {name for name in modules if name.startswith(("tests", "kubescribe.adapters.embedded"))}
    # The worker's parts and the reconciler's are not the supervisor's.
    assert not {name for name in modules if name.startswith("kubescribe.adapters.source")}
    assert "kubescribe.adapters.postgres.run_log" not in modules
