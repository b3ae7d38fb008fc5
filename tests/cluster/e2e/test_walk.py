"""`make e2e` on the test's control plane: what is applied, what holds the API there, and each step of the walk.

Three things differ from a cluster with nodes, for the tests' node runs Jobs alone: the API is a process beside the
cluster, with its own account's token; PostgreSQL is the tests'; a slot is fired as soon as it is asked for.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from kubescribe.adapters.kubernetes.job_of_run import job_of_run
from tests.e2e import installation as parts
from tests.e2e.client import Client
from tests.e2e.installation import Installation
from tests.e2e.kubectl import HOW_TO_GET_IT, Kubectl
from tests.e2e.walk import STEPS, Walk
from tests.support.api_process import ApiProcess
from tests.support.builders import a_run
from tests.support.clusters import Cluster
from tests.support.command_line import CommandLine
from tests.support.kube.api import Api
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.installed import until_accepted
from tests.support.kube.namespace import Namespace
from tests.support.kube.node.node import Node
from tests.support.kube.resources import ApiError
from tests.support.manual_jobs import attempt
from tests.support.three_databases import ThreeDatabases

NAME = "ks-e2e-test"
IMAGE = "registry.example/kubescribe:test"

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason=HOW_TO_GET_IT),
]


@pytest.fixture(scope="module")
def databases(cluster: Cluster) -> Iterator[ThreeDatabases]:
    """Empty: the migration is the overlay's."""
    names = {name: f"walk_{name}" for name in ("runlog", "production", "report")}
    yield ThreeDatabases(**{name: cluster.create_database(database) for name, database in names.items()})
    for database in names.values():
        cluster.drop_database(database)


@pytest.fixture(scope="module")
def installation(control_plane: ControlPlane, databases: ThreeDatabases) -> Iterator[Installation]:
    kubectl = Kubectl(control_plane.kubeconfig("walker", "system:masters"), cache=control_plane.folder / "kubectl")
    installation = Installation(kubectl, NAME, IMAGE, databases=databases, replicas=0)
    with Node(control_plane, "walk"), installation.installed():
        yield installation
        Namespace(control_plane.api, installation.runs).clear()


@pytest.fixture(scope="module")
def as_api(control_plane: ControlPlane, installation: Installation) -> Iterator[Api]:
    """The cluster as the installation's API sees it, once its policies are in force."""
    runs = Namespace(control_plane.api, installation.runs)
    with control_plane.as_account(NAME, "kubescribe-api") as api:
        for cron_job in runs.listed("cronjobs"):
            until_accepted(api, runs, cron_job)
        yield api


@pytest.fixture(scope="module")
def walk(
    control_plane: ControlPlane,
    installation: Installation,
    as_api: Api,
    databases: ThreeDatabases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("walk")
    (folder / f"{parts.MODULE}.py").write_text(parts.PIPELINES.read_text())
    settings = Namespace(control_plane.api, NAME).get("configmaps", "kubescribe-api")["data"]
    beside = {
        "KUBESCRIBE_LAUNCHER": "kubernetes",
        "KUBECONFIG": str(control_plane.token_kubeconfig(NAME, "kubescribe-api")),
    }
    command = CommandLine(folder, databases, **settings, **beside)
    with ApiProcess(command) as api:
        yield Walk(Client(f"http://localhost:{api.port}", api.token), installation.kubectl, installation.runs)


def fire(control_plane: ControlPlane, runs: str) -> None:
    """Let the cron controller find a slot that it has not started yet: it looks every ten seconds."""
    before = (datetime.now(UTC) - timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    control_plane.api.patch("cronjobs", "step", {"status": {"lastScheduleTime": before}}, runs, subresource="status")


def test_the_policies_hold_the_account_under_its_other_name(
    control_plane: ControlPlane, installation: Installation, as_api: Api
) -> None:
    stored = control_plane.api.get("cronjobs", "walk", installation.runs)
    hostile = job_of_run(stored, a_run(uuid.uuid4(), pipeline="walk"), installation.runs)
    assert attempt(as_api, hostile) is None
    hostile["spec"]["template"]["spec"]["containers"][0]["image"] = "evil"
    error = attempt(as_api, hostile)
    assert error is not None and "to the letter" in str(error)


def test_nothing_of_it_has_the_name_of_another_installation(installation: Installation) -> None:
    for thing in installation.things():
        metadata = thing["metadata"]
        assert metadata.get("namespace", NAME) in (NAME, f"{NAME}-runs"), thing
        assert "namespace" in metadata or metadata["name"].startswith(NAME), thing
        assert "serviceaccount:kubescribe:" not in str(thing) and ".kubescribe.svc" not in str(thing)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_walk(step: str, walk: Walk, control_plane: ControlPlane, installation: Installation) -> None:
    if step == "fired":
        fire(control_plane, installation.runs)
    take: Callable[[], str] = getattr(walk, step)
    assert take()


def test_it_is_removed(control_plane: ControlPlane, installation: Installation) -> None:
    """Last, for it takes what the steps above stand on."""
    installation.remove()
    deleting = [control_plane.api.get("namespaces", name)["metadata"] for name in (NAME, f"{NAME}-runs")]
    assert all("deletionTimestamp" in metadata for metadata in deleting)
    with pytest.raises(ApiError):
        control_plane.api.get("validatingadmissionpolicies", f"{NAME}-jobs")
