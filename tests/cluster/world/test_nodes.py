"""Nodes that evict, vanish, come back, or are shut down; with the controllers' own answers to it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace, condition_of, state_of
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_job, a_pod, a_script
from tests.support.kube.resources import ApiError, Json
from tests.support.waiting import wait_for

DISRUPTIONS_ARE_FREE = {
    "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
}
ENDLESS = "while :; do sleep 0.05; done"


def disrupted(pod: Json) -> Json:
    found = condition_of(pod, "DisruptionTarget")
    assert found is not None, pod["status"]["conditions"]
    return found


def states(pids: list[int]) -> set[str]:
    """``T`` is stopped."""
    return {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids}


def test_an_evicted_pod_is_replaced_and_costs_no_try(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("moved", a_script(ENDLESS), podFailurePolicy=DISRUPTIONS_ARE_FREE))
    first = namespace.running("moved")
    node.evict(namespace.name, first)
    second = namespace.pod("moved", lambda pod: pod["metadata"]["name"] != first)
    evicted = namespace.get("pods", first)
    assert (evicted["status"]["phase"], evicted["status"]["reason"]) == ("Failed", "Evicted")
    assert "low on resource: memory" in evicted["status"]["message"]
    assert disrupted(evicted)["reason"] == "TerminationByKubelet"
    assert "Evicted" in [event["reason"] for event in namespace.events(first)]
    assert namespace.get("jobs", "moved")["status"].get("failed", 0) == 0
    node.pod(namespace.name, second["metadata"]["name"])


def test_a_drain_asks_politely(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("drained", a_script("trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done")))
    name = namespace.running("drained")
    wait_for(lambda: namespace.api.log(namespace.name, name), "its trap to be set")
    with namespace.api.watch("pods", namespace.name) as changes:
        namespace.evict(name)
        last = {}
        for change in changes:
            if change["type"] == "DELETED":
                break
            last = change["object"]
    assert disrupted(last)["reason"] == "EvictionByEvictionAPI"
    assert state_of(last)["terminated"]["exitCode"] == 5


def test_a_node_that_is_shut_down_ends_its_pods(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("night", a_script(ENDLESS)))
    namespace.running("night")
    node.shut_down()
    pod = namespace.pod("night", lambda pod: pod["status"]["phase"] == "Failed")
    assert (pod["status"]["reason"], disrupted(pod)["reason"]) == ("Terminated", "TerminationByKubelet")


def test_a_late_word_of_a_pod_is_not_taken_for_that_of_another(namespace: Namespace, node: Node) -> None:
    namespace.create(a_pod("twice", a_script(ENDLESS)))
    process = node.pod(namespace.name, "twice")
    node.lose("killed")
    wait_for(lambda: not process.pids(), "it to end")
    namespace.delete("pods", "twice", grace=0)
    namespace.create(a_pod("twice", a_script("exit 0")))
    node.come_back()

    def outcome() -> str | None:
        phase: str = namespace.get("pods", "twice")["status"]["phase"]
        return phase if phase in ("Succeeded", "Failed") else None

    assert wait_for(outcome, "the second one's end", every=0.05) == "Succeeded"


def test_a_node_that_is_taken_away_leaves_no_process(control_plane: ControlPlane, namespace: Namespace) -> None:
    with Node(control_plane, "short-lived") as node:
        namespace.create(a_job("left", a_script(f"(setsid sleep 300 &); trap '' TERM; {ENDLESS}")))
        process = node.pod(namespace.name, namespace.running("left"))
        wait_for(lambda: len(process.pids()) >= 2, "the child")
    assert process.pids() == []
    with pytest.raises(ApiError, match="not found"):
        control_plane.api.get("nodes", "short-lived")


class TestLostNodes:
    @pytest.fixture
    def two(self, nodes: Callable[..., Node]) -> tuple[Node, Node]:
        return nodes(), nodes()

    def lost(self, namespace: Namespace, two: tuple[Node, Node], job: str) -> tuple[Node, str]:
        """The node of the job's pod, and the pod's name."""
        name = namespace.running(job)
        where = namespace.get("pods", name)["spec"]["nodeName"]
        return next(node for node in two if node.name == where), name

    def test_a_pod_of_a_node_that_hangs_is_told_to_go_and_stays(
        self, control_plane: ControlPlane, namespace: Namespace, two: tuple[Node, Node]
    ) -> None:
        script = "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"
        namespace.create(a_job("lost", a_script(script), podFailurePolicy=DISRUPTIONS_ARE_FREE))
        node, name = self.lost(namespace, two, "lost")
        process = node.pod(namespace.name, name)
        node.lose()
        pod = namespace.pod("lost", lambda pod: "deletionTimestamp" in pod["metadata"])
        assert disrupted(pod)["reason"] == "DeletionByTaintManager"
        ready = condition_of(control_plane.api.get("nodes", node.name), "Ready")
        assert ready is not None
        assert ready["status"] == "Unknown"
        assert len(namespace.pods("lost")) == 1
        assert states(process.pids()) == {"T"}, "stopped, not gone"
        node.come_back()
        wait_for(lambda: not namespace.exists("pods", name), "the node to end it", every=0.05)
        wait_for(node.schedulable, "the node to be taken back", every=0.05)

    def test_nothing_replaces_a_pod_that_may_be_alive(self, namespace: Namespace, two: tuple[Node, Node]) -> None:
        namespace.create(a_job("waiting", a_script(ENDLESS, grace=5), podFailurePolicy=DISRUPTIONS_ARE_FREE))
        node, name = self.lost(namespace, two, "waiting")
        node.lose()
        namespace.pod("waiting", lambda pod: "deletionTimestamp" in pod["metadata"])
        namespace.delete("pods", name, grace=0)
        wait_for(lambda: namespace.get("jobs", "waiting")["status"].get("terminating"), "the controller", every=0.05)
        assert [pod["metadata"]["name"] for pod in namespace.pods("waiting")] == [name]

    @pytest.mark.parametrize("by", ["controller", "us"])
    def test_two_pods_are_alive_when_the_node_is_declared_dead(
        self, control_plane: ControlPlane, namespace: Namespace, two: tuple[Node, Node], by: str
    ) -> None:
        namespace.create(a_job("doubled", a_script(ENDLESS, grace=5), podFailurePolicy=DISRUPTIONS_ARE_FREE))
        node, name = self.lost(namespace, two, "doubled")
        process = node.pod(namespace.name, name)
        node.lose()
        namespace.pod("doubled", lambda pod: "deletionTimestamp" in pod["metadata"])
        if by == "us":
            namespace.give_up(name)
        else:
            taints = control_plane.api.get("nodes", node.name)["spec"]["taints"]
            dead = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
            control_plane.api.patch("nodes", node.name, {"spec": {"taints": [*taints, dead]}})
        second = namespace.pod("doubled", lambda pod: pod["metadata"]["name"] != name, timeout=60)["metadata"]["name"]
        other = next(each for each in two if each is not node)
        assert other.pod(namespace.name, second).pids()
        assert process.pids()
        node.come_back()
        wait_for(lambda: not process.pids(), "the node to end what it should not have")
        assert other.pod(namespace.name, second).pids()

    def test_a_machine_that_was_switched_off_tells_so_when_it_is_back(
        self, namespace: Namespace, two: tuple[Node, Node]
    ) -> None:
        namespace.create(a_job("dark", a_script(ENDLESS)))
        node, name = self.lost(namespace, two, "dark")
        process = node.pod(namespace.name, name)
        node.lose("killed")
        assert process.pids() == []
        assert namespace.get("pods", name)["status"]["phase"] == "Running"
        node.come_back()
        pod = namespace.pod("dark", lambda pod: pod["status"]["phase"] == "Failed")
        assert state_of(pod)["terminated"]["exitCode"] == 137

    def test_work_that_goes_on_without_the_network_is_told_of_later(
        self, namespace: Namespace, two: tuple[Node, Node]
    ) -> None:
        namespace.create(a_job("alone", a_script("trap 'exit 0' USR1; echo up; while :; do sleep 0.05; done")))
        node, name = self.lost(namespace, two, "alone")
        wait_for(lambda: namespace.api.log(namespace.name, name), "its trap to be set")
        process = node.pod(namespace.name, name)
        node.lose("running")
        process.send(signal.SIGUSR1)
        wait_for(process.worker.finished.is_set, "it to end")
        assert {namespace.get("pods", name)["status"]["phase"] for _ in range(30)} == {"Running"}
        node.come_back()
        assert namespace.finished("alone")[0] == "Complete"
