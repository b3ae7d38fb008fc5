"""A worker on real databases: production is read, rows are staged, and nothing is said of passwords."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.support.addresses import asyncpg_address
from tests.support.clusters import PASSWORD, Cluster

from kubescribe.adapters.report.migrate import migrate

pytestmark = pytest.mark.integration

PIPELINE = """
from kubescribe import Context, pipeline, unique

@pipeline(reports=["doubled"])
def double(run: Context, low: int = 0):
    frame = run.read("SELECT id * 2 AS id, current_setting('application_name') AS app FROM t WHERE id > :low", low=low)
    print(frame["app"][0])
    run.source_done()
    run.report("doubled", run_frames(frame), key="id", checks=[unique("id")])

def run_frames(frame):
    yield from frame.select("id").iter_slices(2)
"""


def work(tmp_path: Path, **assignment: Any) -> tuple[int, list[dict[str, Any]], str, str]:
    (tmp_path / "etl.py").write_text(PIPELINE)
    events = tmp_path / "events"
    events.write_text("")  # a file does as well as a pipe
    full = {"run_id": str(uuid.uuid4()), "attempt_id": str(uuid.uuid4()), "may_stage": True, **assignment}
    found = subprocess.run(
        [sys.executable, "-m", "kubescribe.entrypoints.worker", "double"],
        input=json.dumps({"parameters": {"low": "1"}, "from_text": True}) + "\n" + json.dumps(full) + "\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(".import").absolute()),
            "KUBESCRIBE_EVENTS": str(events),
            "KUBESCRIBE_PIPELINES": "etl",
        },
    )
    words = [json.loads(line) for line in events.read_text().splitlines()]
    assert PASSWORD not in found.stdout + found.stderr + events.read_text()
    return found.returncode, words, found.stdout, found.stderr


@pytest.fixture
def report_url(server: Cluster) -> Iterator[str]:
    url = server.create_database("report")
    asyncio.run(migrate(asyncpg_address(url)))
    yield url
    server.drop_database("report")


def test_it_reads_and_stages(tmp_path: Path, url: str, admin: psycopg.Connection[Any], report_url: str) -> None:
    admin.execute("CREATE TABLE t AS SELECT generate_series(1, 5) AS id")
    code, words, out, err = work(tmp_path, production=url, report=report_url)
    assert (code, err) == (0, "")
    assert out.startswith("ks:") and len(out.strip()) == 63
    assert [word["type"] for word in words] == ["declared", "input", "output", "returned"]
    assert (words[1]["name"], words[1]["rows"]) == ("t", 4)
    assert (words[2]["report"], words[2]["rows"]) == ("doubled", 4)
    assert words[3]["reports"] == ["doubled"]


def test_a_database_that_is_away_is_temporary(tmp_path: Path, url: str, report_url: str) -> None:
    away = f"postgresql://u:{PASSWORD}@127.0.0.1:1/x"
    code, words, _, _ = work(tmp_path, production=away, report=report_url)
    assert (code, words[-1]["retry"]) == (75, True)
    code, words, _, _ = work(tmp_path, production=url, report=away)
    assert (code, words[-1]["retry"]) == (75, True)


def test_without_a_fence_it_does_not_begin(tmp_path: Path, url: str) -> None:
    code, words, out, _ = work(tmp_path, production=url, report=url, may_stage=False)
    assert (code, out) == (75, "")
    assert "the report database does not answer: it was away when this attempt started" in words[-1]["error"]
