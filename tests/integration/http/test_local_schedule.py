"""Where there is no cluster the API starts what is due: two processes beside each other, one of them killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.api_process import ApiProcess
from tests.support.clusters import Cluster
from tests.support.command_line import ROOT, CommandLine
from tests.support.three_databases import three_databases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


def test_every_slot_has_one_run_and_every_run_its_slot(cluster: Cluster, tmp_path: Path) -> None:
    """FAULTS I-3, I-18."""
    with three_databases(cluster) as databases:
        commands = CommandLine(
            tmp_path,
            databases,
            KUBESCRIBE_PIPELINES="tests.support.slot_pipelines",
            PYTHONPATH=f"{ROOT / '.import'}:{ROOT}",
        )

        def slots() -> list[dict[str, Any]]:
            said = commands("slots", "tick", "--json")
            assert said.returncode == 0, said.stderr
            found: list[dict[str, Any]] = json.loads(said.stdout)
            return found

        def verdicts() -> list[str]:
            return [one["verdict"] for one in slots() if one["verdict"] is not None]

        with ApiProcess(commands) as first, ApiProcess(commands, token=first.token) as second:
            wait_for(lambda: len(verdicts()) >= 3, "three slots to have run", timeout=90)
            first.kill()
            before = len(verdicts())
            wait_for(lambda: len(verdicts()) >= before + 3, "three more, by the other process", timeout=90)
            status, _, body = second.ask("GET", "/pipelines/tick/slots?verdict=ran&verdict=late")
            assert status == 200 and len(json.loads(body)["items"]) >= 6
            status, _, body = second.ask("GET", "/metrics")
            assert status == 200 and b"kubescribe_slots_total{verdict=" in body
        decided = [one for one in slots() if one["verdict"] is not None]
        assert {one["verdict"] for one in decided} <= {"ran", "late"}, decided
        with psycopg.connect(databases.runlog) as connection:
            query = "SELECT slot, count(*) FROM run WHERE slot IS NOT NULL GROUP BY slot HAVING count(*) > 1"
            assert connection.execute(query).fetchall() == []
            query = "SELECT id FROM run WHERE slot IS NULL OR NOT EXISTS (SELECT FROM slot WHERE slot.at = run.slot)"
            assert connection.execute(query).fetchall() == []
        human = commands("slots", "tick")
        assert "ran" in human.stdout and "expected" in human.stdout, human.stdout
