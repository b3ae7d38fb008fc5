"""The product's own runner in a pod: with its variables, its databases and its termination message."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.kube.namespace import Namespace, state_of
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_container, a_job, a_pod_template
from tests.support.kube.resources import Json
from tests.support.three_databases import ThreeDatabases, three_databases
from tests.support.waiting import wait_for


@pytest.fixture
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    with three_databases(cluster) as databases:
        yield databases


@pytest.fixture
def commands(tmp_path: Path, databases: ThreeDatabases) -> CommandLine:
    return CommandLine(tmp_path, databases)


def a_run(namespace: Namespace, databases: ThreeDatabases, name: str, *payload: str) -> None:
    """A Job that runs a command under a supervisor; the databases' URLs are in a secret."""
    urls = {"RUNLOG_DB_URL": databases.runlog, "REPORT_DB_URL": databases.report}
    namespace.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "urls"}, "stringData": urls})
    env: dict[str, object] = {each: {"secretKeyRef": {"name": "urls", "key": each}} for each in urls}
    env |= {"KUBESCRIBE_TERMINATION_LOG": "/dev/termination-log", "KUBESCRIBE_HOME": "/tmp/home"}
    mounts = [{"name": "scratch", "mountPath": "/tmp"}]
    container = a_container("kubescribe", "exec", "--name", name, "--", *payload, env=env, volumeMounts=mounts)
    namespace.create(a_job(name, a_pod_template([container], volumes=[{"name": "scratch", "emptyDir": {}}])))


def summary(pod: Json) -> Json:
    said: Json = msgspec.json.decode(state_of(pod)["terminated"]["message"])
    return said


def test_a_run_in_a_pod_is_on_record(
    namespace: Namespace, node: Node, databases: ThreeDatabases, commands: CommandLine
) -> None:
    a_run(namespace, databases, "nightly", "sh", "-c", "echo hello from the payload")
    outcome, _ = namespace.finished("nightly")
    pod = namespace.pod("nightly")
    assert outcome == "Complete", namespace.api.log(namespace.name, pod["metadata"]["name"])
    assert "hello from the payload" in namespace.api.log(namespace.name, pod["metadata"]["name"])
    record = commands.newest()["run"]
    assert (summary(pod)["status"], record["status"]) == ("succeeded", "succeeded")
    assert summary(pod)["run_id"] == record["id"]


def test_a_pod_that_is_deleted_tells_its_run_to_go(
    namespace: Namespace, node: Node, databases: ThreeDatabases, commands: CommandLine
) -> None:
    a_run(namespace, databases, "doomed", "sh", "-c", "echo payload-began; exec sleep 300")
    name = namespace.running("doomed")
    process = node.pod(namespace.name, name)
    wait_for(lambda: "payload-began" in namespace.api.log(namespace.name, name).splitlines(), "the payload")
    assert len(process.pids()) == 2, "a supervisor and its payload"
    namespace.delete("jobs", "doomed")
    wait_for(lambda: not namespace.exists("pods", name), "the pod to go", every=0.05)
    assert process.pids() == []
    assert commands.newest()["run"]["status"] not in ("running", "pending", "succeeded")


def test_a_supervisor_that_is_killed_takes_its_payload_along(
    namespace: Namespace, node: Node, databases: ThreeDatabases
) -> None:
    a_run(namespace, databases, "killed", "sh", "-c", "echo payload-began; exec sleep 300")
    name = namespace.running("killed")
    process = node.pod(namespace.name, name)
    wait_for(lambda: "payload-began" in namespace.api.log(namespace.name, name).splitlines(), "the payload")
    assert len(process.pids()) == 2, "a supervisor and its payload"
    process.send(signal.SIGKILL)
    pod = namespace.pod("killed", lambda pod: pod["status"]["phase"] == "Failed")
    assert state_of(pod)["terminated"]["exitCode"] == 137
    assert process.pids() == []
