"""A program that owns a control plane and a node with a pod, says so, and waits to be ended."""

from __future__ import annotations

import signal

from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_pod, a_script

if __name__ == "__main__":
    with ControlPlane() as plane, Node(plane) as node:
        namespace = plane.namespace("owned")
        namespace.create(a_pod("left", a_script("(setsid sleep 300 &); trap '' TERM; while :; do sleep 1; done")))
        node.pod("owned", "left")
        print(plane.mark, plane.folder, flush=True)
        signal.pause()
