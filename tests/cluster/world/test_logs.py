"""Logs, through the API server."""

from __future__ import annotations

import pytest

from tests.support.kube.namespace import Namespace
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_job, a_script
from tests.support.kube.resources import ApiError


def test_logs_of_a_pod_that_has_ended(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("printer", a_script("for n in 1 2 3 4; do echo line $n; done; echo oops >&2; printf end")))
    assert namespace.finished("printer")[0] == "Complete"
    name = namespace.pod("printer")["metadata"]["name"]

    def log(**parameters: int) -> str:
        return namespace.api.log(namespace.name, name, **parameters)

    assert log() == "line 1\nline 2\nline 3\nline 4\noops\nend"
    assert log(tailLines=2) == "oops\nend"
    assert log(tailLines=99) == log()
    assert log(tailLines=0) == ""
    assert log(limitBytes=10) == "line 1\nlin"


def test_following_a_log(namespace: Namespace, node: Node) -> None:
    script = "echo one; trap 'echo two; echo three; exit 0' TERM; while :; do sleep 0.05; done"
    namespace.create(a_job("talker", a_script(script)))
    name = namespace.running("talker")
    with namespace.api.follow(namespace.name, name) as lines:
        assert next(lines) == "one"
        namespace.delete("pods", name)
        assert list(lines) == ["two", "three"]


def test_a_container_that_waits_has_no_log(namespace: Namespace, node: Node) -> None:
    node.hold("ImagePullBackOff")
    namespace.create(a_job("held", a_script("exit 0")))
    name = namespace.pod("held", lambda pod: pod["status"].get("containerStatuses"))["metadata"]["name"]
    with pytest.raises(ApiError, match="waiting to start"):
        namespace.api.log(namespace.name, name)


def test_options_that_are_not_imitated_are_refused(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("printer", a_script("echo hello")))
    namespace.finished("printer")
    with pytest.raises(ApiError, match="this node's logs have no timestamps"):
        namespace.api.log(namespace.name, namespace.pod("printer")["metadata"]["name"], timestamps=True)
