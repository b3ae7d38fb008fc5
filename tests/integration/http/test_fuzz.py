"""What schemathesis asks of a process on PostgreSQL: types, collations and limits that the adapters in memory lack."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis

from tests.support.api_process import ApiProcess
from tests.support.command_line import CommandLine
from tests.support.fuzzing import fuzz
from tests.support.waiting import wait_for

from .test_serving import record, trigger

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

REQUESTS = 400


class ProcessTarget:
    """A process, over loopback."""

    def __init__(self, api: ApiProcess) -> None:
        self._api = api
        for day in (1, 2):  # three rows, and then two
            self._run = trigger(api, "totals", day=day)
            wait_for(lambda: record(api, self._run)["status"] == "succeeded", "the run to succeed", timeout=60)

    def schema(self) -> Any:
        """See the protocol."""
        url, headers = f"http://127.0.0.1:{self._api.port}/schema", {"Authorization": f"Bearer {self._api.token}"}
        return schemathesis.openapi.from_url(url, headers=headers)

    def run(self) -> str:
        """See the protocol."""
        return self._run

    def asked(self) -> None:
        """See the protocol."""


def test_no_answer_is_out_of_the_document(commands: CommandLine) -> None:
    with ApiProcess(commands, KUBESCRIBE_API_RATE="100000", KUBESCRIBE_MAX_RUNS="1") as api:
        headers = {"Authorization": f"Bearer {api.token}"}
        statuses, wrong = fuzz(ProcessTarget(api), headers, REQUESTS, 1)
        log = api.output.read_text()
    assert wrong == [], log[-4000:]
    assert {200, 202, 404, 409} <= set(statuses)
    assert "Traceback" not in log
