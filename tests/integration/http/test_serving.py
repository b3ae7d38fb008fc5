"""``kubescribe api`` as a process: its beginning, its end, its work."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.api_process import ApiProcess
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.injected import injected
from tests.support.three_databases import three_databases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


def record(api: ApiProcess, run: str) -> dict[str, Any]:
    status, _, body = api.ask("GET", f"/runs/{run}")
    assert status == 200, body
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


def trigger(api: ApiProcess, pipeline: str, **parameters: object) -> str:
    status, _, body = api.ask("POST", "/runs/trigger", {"pipeline": pipeline, "parameters": parameters})
    assert status == 202, body
    run: str = msgspec.json.decode(body)["id"]
    return run


def test_a_triggered_run_runs_and_its_record_is_whole(api: ApiProcess) -> None:
    text = "$(id) {{7*7}} ' 😀"
    run = trigger(api, "quick", text=text, tags=["a", text])
    wait_for(lambda: record(api, run)["status"] == "succeeded", "the run to succeed", timeout=60)
    found = record(api, run)
    assert found["parameters"] == {"text": text, "tags": ["a", text]}
    assert [note["data"]["text"] for note in found["notes"]] == [text]
    assert [attempt["number"] for attempt in found["attempts"]] == [1]
    assert found["trigger"] == "api" and found["actor"].startswith("token:")


def test_five_thousand_hostile_texts_arrive_in_the_worker_as_they_were_sent(api: ApiProcess, tmp_path: Path) -> None:
    """S-13: through the API, RunLog, supervisor and worker. Those of the unit test come as far as the record."""
    texts = injected(5_000)
    run = trigger(api, "keep", file=str(tmp_path / "kept"), tags=texts)
    wait_for(lambda: record(api, run)["status"] == "succeeded", "the run to succeed", timeout=60)
    assert json.loads((tmp_path / "kept").read_text()) == texts


def test_a_run_is_cancelled_and_gone(api: ApiProcess, tmp_path: Path) -> None:
    run = trigger(api, "until", file=str(tmp_path / "never"))
    wait_for(lambda: record(api, run)["status"] == "running", "the run to begin", timeout=60)
    status, _, body = api.ask("POST", f"/runs/{run}/cancel", {"reason": "enough"})
    assert (status, msgspec.json.decode(body)["status"]) == (202, "cancelling")
    wait_for(lambda: record(api, run)["status"] == "cancelled", "the run to be gone", timeout=60)


def test_of_two_processes_one_leads_and_both_answer(api: ApiProcess, commands: CommandLine) -> None:
    with ApiProcess(commands) as other:
        run = trigger(other, "quick")
        wait_for(lambda: record(api, run)["status"] == "succeeded", "the run to succeed", timeout=60)


def test_a_term_ends_it_well_and_answers_what_is_under_way(commands: CommandLine) -> None:
    with ApiProcess(commands) as api:
        assert api.ask("GET", "/runs")[0] == 200
        api.process.send_signal(signal.SIGTERM)
        assert api.process.wait(30) == 0
        assert "Traceback" not in api.output.read_text()


def test_runlog_away_is_said_and_lived_through(tmp_path: Path) -> None:
    with Cluster() as cluster, three_databases(cluster) as databases:
        commands = CommandLine(tmp_path, databases, KUBESCRIBE_PIPELINES="tests.support.api_pipelines")
        with ApiProcess(commands) as api:
            status, _, body = api.ask("GET", "/readyz")
            assert (status, msgspec.json.decode(body)["dependencies"]) == (200, {"runlog": "ok", "report": "ok"})
            cluster.stop("immediate")
            wait_for(lambda: api.ask("GET", "/readyz")[0] == 503, "RunLog to be missed")
            dependencies = msgspec.json.decode(api.ask("GET", "/readyz")[2])["dependencies"]
            assert dependencies == {"runlog": "away", "report": "away"}
            status, headers, body = api.ask("GET", "/runs")
            assert (status, headers["retry-after"]) == (503, "5")
            assert str(cluster.port).encode() not in body
            assert api.ask("GET", "/healthz")[0] == 200
            cluster.start()
            wait_for(lambda: api.ask("GET", "/readyz")[0] == 200, "RunLog to be back")
            assert api.ask("GET", "/runs")[0] == 200


def test_an_address_that_is_taken_is_said(api: ApiProcess, commands: CommandLine) -> None:
    ended = commands("api", "--port", str(api.port))
    assert ended.returncode == 64
    assert f"127.0.0.1:{api.port} cannot be listened on" in ended.stderr
    assert commands("api", "--port", "70000").returncode == 64


def test_a_pipeline_that_cannot_be_read_is_said_at_the_beginning(commands: CommandLine) -> None:
    ended = commands("api", "--port", "0", KUBESCRIBE_PIPELINES="no_such_module")
    assert (ended.returncode, "no module no_such_module" in ended.stderr) == (64, True)
