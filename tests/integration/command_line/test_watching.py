"""Traces and log lines of a real run."""

from __future__ import annotations

import json
import sys
from uuid import UUID

import pytest

from kubescribe.domain.trace import span_id
from tests.support.command_line import CommandLine
from tests.support.http_sink import http_sink

pytestmark = pytest.mark.integration


def test_a_run_is_told_to_a_collector(kubescribe: CommandLine) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with http_sink() as sink:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{sink.port}", "no_proxy": "127.0.0.1"}
        ended = kubescribe("exec", "--name", "traced", "--", "sh", "-c", "echo $TRACEPARENT", **settings)
    assert ended.returncode == 0, ended.stderr
    ((path, body),) = sink.posts
    assert path == "/v1/traces"
    request = ExportTraceServiceRequest.FromString(body)
    (resource,) = request.resource_spans
    assert ("service.name", "kubescribe") in [(one.key, one.value.string_value) for one in resource.resource.attributes]
    spans = {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert set(spans) == {"run", "attempt"}
    run_id = UUID(kubescribe.newest()["run"]["id"])
    assert spans["run"].trace_id == run_id.bytes and spans["run"].parent_span_id == b""
    assert spans["attempt"].parent_span_id == spans["run"].span_id == span_id(run_id, "run").to_bytes(8, "big")
    # What the payload was handed is the attempt's span.
    assert ended.stdout.strip() == f"00-{run_id.hex}-{spans['attempt'].span_id.hex()}-01"


def test_a_collector_that_is_away_harms_nothing(kubescribe: CommandLine) -> None:
    ended = kubescribe("exec", "--", "true", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", no_proxy="127.0.0.1")
    assert ended.returncode == 0 and "the trace was not sent" in ended.stderr
    assert kubescribe.newest()["run"]["status"] == "succeeded"


def test_without_a_collector_nothing_is_handed_on(kubescribe: CommandLine) -> None:
    ended = kubescribe("exec", "--", "sh", "-c", "echo [$TRACEPARENT]")
    assert ended.stdout.strip() == "[]"


def test_our_own_sentences_are_json_if_wanted(kubescribe: CommandLine) -> None:
    ended = kubescribe("exec", "--name", "said", "--", "sh", "-c", "echo theirs >&2; exit 3", KUBESCRIBE_LOG="json")
    assert ended.returncode == 3
    theirs, *ours = ended.stderr.splitlines()
    assert theirs == "theirs"
    run_id = kubescribe.newest()["run"]["id"]
    lines = [json.loads(line) for line in ours]
    assert lines and all(line["run_id"] == run_id and line["time"].endswith("+00:00") for line in lines)
    assert "failed" in lines[-1]["message"]


def test_nothing_of_it_is_imported_otherwise(kubescribe: CommandLine) -> None:
    import subprocess

    code = (
        "import sys, kubescribe.entrypoints.cli.execute, kubescribe.entrypoints.composition.execution\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('opentelemetry', 'smtplib', 'requests')])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=kubescribe.environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"
