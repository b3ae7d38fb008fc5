"""The control plane's own parts: stopped, frozen, forgetful, and all gone at the end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace, condition
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_job, a_script
from tests.support.kube.sweeper import dying_with_this_thread, marked
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[3]
UNTIL_TOLD = "trap 'exit 0' USR1; echo up; while :; do sleep 0.05; done"


@pytest.fixture(autouse=True)
def _whole_again(control_plane: ControlPlane) -> Iterator[None]:
    yield
    for each in (
        control_plane.etcd,
        control_plane.apiserver,
        control_plane.controller_manager,
        control_plane.scheduler,
    ):
        each.resume()
    control_plane.start()


def test_work_goes_on_without_the_api_server(control_plane: ControlPlane, namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("alone", a_script(UNTIL_TOLD)))
    name = namespace.running("alone")
    wait_for(lambda: namespace.api.log(namespace.name, name), "its trap to be set")
    process = node.pod(namespace.name, name)
    control_plane.apiserver.stop()
    with pytest.raises(httpx.TransportError):
        namespace.get("jobs", "alone")
    process.send(signal.SIGUSR1)
    wait_for(lambda: not process.pids(), "it to end")
    control_plane.start()
    assert namespace.finished("alone")[0] == "Complete"


def test_an_api_server_that_hangs(control_plane: ControlPlane, namespace: Namespace, node: Node) -> None:
    control_plane.apiserver.pause()
    answered = threading.Event()

    def ask() -> None:
        namespace.create(a_job("slow", a_script("exit 0")))
        answered.set()

    asking = threading.Thread(target=ask)
    asking.start()
    assert not answered.wait(0.5)
    control_plane.apiserver.resume()
    asking.join(30)
    assert answered.is_set()
    assert namespace.finished("slow")[0] == "Complete"


def test_without_the_controllers_a_job_stays_open(
    control_plane: ControlPlane, namespace: Namespace, node: Node
) -> None:
    namespace.create(a_job("open", a_script(UNTIL_TOLD)))
    name = namespace.running("open")
    wait_for(lambda: namespace.api.log(namespace.name, name), "its trap to be set")
    control_plane.controller_manager.pause()
    node.pod(namespace.name, name).send(signal.SIGUSR1)
    wait_for(lambda: namespace.get("pods", name)["status"]["phase"] == "Succeeded", "the pod's end")
    assert condition(namespace.get("jobs", "open"), "Complete") is None
    control_plane.controller_manager.resume()
    assert namespace.finished("open")[0] == "Complete"


def test_controllers_that_were_killed_take_up_their_work(
    control_plane: ControlPlane, namespace: Namespace, node: Node
) -> None:
    control_plane.controller_manager.stop()
    namespace.create(a_job("later", a_script("exit 0")))
    assert namespace.pods("later") == []
    control_plane.controller_manager.start()
    assert namespace.finished("later")[0] == "Complete"


def test_a_watch_from_before_a_restart_has_expired(control_plane: ControlPlane, namespace: Namespace) -> None:
    old = control_plane.api.call("GET", "/api/v1/namespaces/default/configmaps")["metadata"]["resourceVersion"]
    namespace.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "news"}})
    control_plane.apiserver.stop()
    control_plane.start()
    with control_plane.api.watch("configmaps", resourceVersion=old) as changes:
        said = next(changes)
    assert (said["type"], said["object"]["code"]) == ("ERROR", 410)


@pytest.mark.parametrize("kind", ["certificate", "token"])
def test_the_kubernetes_client_takes_the_kubeconfig(
    control_plane: ControlPlane, namespace: Namespace, kind: str
) -> None:
    from kubernetes.aio import client, config

    if kind == "certificate":
        file = control_plane.kubeconfig("somebody", "system:masters")
    else:
        file = control_plane.token_kubeconfig(namespace.name, "default")

    async def who_am_i() -> str:
        configuration = client.Configuration()
        await config.load_kube_config(str(file), client_configuration=configuration)
        review: Any = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        async with client.ApiClient(configuration) as api:
            asking = client.AuthenticationV1Api(api).create_self_subject_review_without_preload_content
            answer = msgspec.json.decode(await (await asking(review)).read())
        return str(answer["status"]["userInfo"]["username"])

    expected = "somebody" if kind == "certificate" else f"system:serviceaccount:{namespace.name}:default"
    assert asyncio.run(who_am_i()) == expected


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_the_owner_ends(control_plane: ControlPlane, number: signal.Signals) -> None:
    """The fixture is asked for only so that the test is skipped without the programs."""
    owner = subprocess.Popen(
        dying_with_this_thread([sys.executable, "-m", "tests.cluster.world.owner"]),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with owner:
        try:
            assert owner.stdout is not None
            mark, folder = owner.stdout.readline().decode().split()
            wait_for(lambda: len(marked(mark)) >= 7, "four programs, the pod's shell and two sleeps")
            owner.send_signal(number)
            owner.wait(60)
        finally:
            owner.kill()
        wait_for(lambda: not marked(mark), "its processes to be gone")
        wait_for(lambda: not Path(folder).exists(), "its folder to be gone")
