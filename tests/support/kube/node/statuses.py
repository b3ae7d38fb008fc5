"""What a node says of its pods, in Kubernetes' words."""

from __future__ import annotations

from tests.support.kube.resources import Json
from tests.support.kube.times import now

from .downward import ADDRESS


def waiting(reason: str, message: str = "") -> Json:
    """A container that has not started."""
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def terminated(code: int, reason: str, *, started: str | None, message: str = "", identity: str = "") -> Json:
    """A container that has ended; ``code`` is 128 and the number for a signal."""
    said: Json = {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now()}
    return {"terminated": {**said, **({"message": message} if message else {}), "containerID": identity}}


LOST = {
    "terminated": {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
        "startedAt": None,
        "finishedAt": None,
    }
}
"""A container of a pod that was told to go before it had started."""


def container_status(spec: Json, state: Json, identity: str) -> Json:
    """One entry of ``containerStatuses``."""
    runs = "running" in state
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": "" if "waiting" in state else f"{spec['image']}@sha256:{'0' * 64}",
        "containerID": "" if "waiting" in state else identity,
        "state": {"running": None, "waiting": None, "terminated": None, **state},
        "ready": runs,
        "started": runs,
        "restartCount": 0,
    }


class Conditions:
    """The conditions of one pod; each remembers since when it is what it is."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[str, str]] = {}

    def made(self, kind: str, status: str, reason: str | None = None, message: str | None = None) -> Json:
        """One condition; a reason or message of None takes away what was there."""
        if self._since.get(kind, ("", ""))[0] != status:
            self._since[kind] = (status, now())
        since = self._since[kind][1]
        return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}


def pod_status(containers: list[Json], phase: str, started: str, conditions: Conditions) -> Json:
    """A pod's status, to be merged into that of the API server: conditions of others stay."""
    if phase == "Running" and all(each["ready"] for each in containers):
        ready: tuple[str, ...] = ("True",)
    elif phase in _OVER:
        ready = ("False", _OVER[phase])
    else:
        names = ", ".join(each["name"] for each in containers if not each["ready"])
        ready = ("False", "ContainersNotReady", f"containers with unready status: [{names}]")
    return {
        "phase": phase,
        "startTime": started,
        "hostIP": ADDRESS,
        "podIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        "podIPs": [{"ip": ADDRESS}],
        "conditions": [
            conditions.made("PodReadyToStartContainers", "True" if phase == "Running" else "False"),
            conditions.made("Initialized", "True", "PodCompleted" if phase == "Succeeded" else None),
            conditions.made("Ready", *ready),
            conditions.made("ContainersReady", *ready),
        ],
        "containerStatuses": containers,
    }


_OVER = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}


def phase_of(states: list[Json]) -> str:
    """By the containers' states, where nothing is restarted."""
    if any("waiting" in state for state in states):
        return "Pending"
    if any("running" in state for state in states):
        return "Running"
    return "Failed" if any(state["terminated"]["exitCode"] for state in states) else "Succeeded"
