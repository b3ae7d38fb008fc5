"""The world of the cluster tests itself: what jobs and pods meet in it is what they meet in a cluster."""

from __future__ import annotations

from tests.support.kube.namespace import Namespace, condition, state_of
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_container, a_job, a_pod_template


def shell(script: str, **container: object) -> list[dict[str, object]]:
    return [a_container("sh", "-c", script, **container)]  # type: ignore[arg-type]


class TestJobs:
    def test_a_job_runs_a_process_to_its_end(self, namespace: Namespace, node: Node) -> None:
        template = a_pod_template(shell("echo all done > /dev/termination-log"))
        namespace.create(a_job("hello", template))
        outcome, job = namespace.finished("hello")
        (pod,) = namespace.pods("hello")
        assert outcome == "Complete", job["status"]
        assert job["status"]["succeeded"] == 1
        assert pod["status"]["phase"] == "Succeeded"
        assert pod["spec"]["nodeName"] == node.name
        ended = state_of(pod)["terminated"]
        assert (ended["exitCode"], ended["reason"], ended["message"]) == (0, "Completed", "all done\n")
        assert [condition(pod, each) for each in ("PodScheduled", "Initialized", "Ready")] == ["True", "True", "False"]
