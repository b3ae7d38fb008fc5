"""A namespace of a test's own, and what tests do in it."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable

from tests.support.waiting import wait_for

from .api import STRATEGIC, Api, Parameter
from .resources import ApiError, Json
from .times import now


class Namespace:
    """Made by :meth:`~tests.support.kube.control_plane.ControlPlane.namespace`; everything is done as administrator."""

    def __init__(self, api: Api, name: str) -> None:
        self.api, self.name = api, name

    def create(self, thing: Json) -> Json:
        """Make an object here."""
        return self.api.create(thing, self.name)

    def get(self, resource: str, name: str) -> Json:
        """One object of here."""
        return self.api.get(resource, name, self.name)

    def exists(self, resource: str, name: str) -> bool:
        """Whether there is such an object."""
        try:
            return bool(self.get(resource, name))
        except ApiError as error:
            if error.status != 404:
                raise
            return False

    def listed(self, resource: str, **parameters: Parameter) -> list[Json]:
        """The objects of here."""
        return self.api.listed(resource, self.name, **parameters)

    def delete(self, resource: str, name: str, *, grace: int | None = None) -> Json:
        """Ask for an object's deletion, and for that of what it owns."""
        return self.api.delete(resource, name, self.name, grace=grace)

    def evict(self, pod: str) -> Json:
        """What a drain does: the pod goes by the Eviction API, with the condition ``DisruptionTarget``."""
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": self.name}}
        return self.api.call("POST", f"/api/v1/namespaces/{self.name}/pods/{pod}/eviction", body)

    def pods(self, job: str) -> list[Json]:
        """The pods of a Job, the oldest first."""
        found = self.listed("pods", labelSelector=f"batch.kubernetes.io/job-name={job}")
        return sorted(found, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["resourceVersion"]))

    def pod(self, job: str, where: Callable[[Json], bool] = lambda pod: True, timeout: float = 30) -> Json:
        """The first pod of a Job for which ``where`` holds, waited for."""
        what = f"a pod of the Job {job}"
        return wait_for(lambda: next(filter(where, self.pods(job)), None), what, timeout=timeout, every=0.05)

    def running(self, job: str, timeout: float = 30) -> str:
        """The name of a pod of a Job that runs and is ready, waited for."""
        name: str = self.pod(job, lambda pod: condition(pod, "Ready") == "True", timeout)["metadata"]["name"]
        return name

    def finished(self, job: str, timeout: float = 30) -> tuple[str, Json]:
        """``Complete`` or ``Failed``, and the Job, waited for."""

        def outcome() -> tuple[str, Json] | None:
            found = self.get("jobs", job)
            return next(((each, found) for each in ("Complete", "Failed") if condition(found, each) == "True"), None)

        return wait_for(outcome, f"the end of the Job {job}", timeout=timeout, every=0.05)

    def events(self, name: str) -> list[Json]:
        """What was said of an object."""
        return self.listed("events", fieldSelector=f"involvedObject.name={name}")

    def duplicate(self, pod: str, name: str) -> Json:
        """A second pod that its Job takes for its own, as a controller that lost its memory would make it."""
        copied = copy.deepcopy(self.get("pods", pod))
        kept = ("labels", "annotations", "ownerReferences", "finalizers")
        known = {key: value for key, value in copied["metadata"].items() if key in kept}
        copied["metadata"] = {"name": name, **known}
        copied.pop("status")
        copied["spec"].pop("nodeName", None)
        return self.create(copied)

    def give_up(self, pod: str) -> None:
        """What the pod garbage collector does (every 20 s) with a pod of a node that is declared out of service.

        The pod is Failed and its object goes at once, so that its Job makes another one, whatever its node still runs.
        """
        reason = {"reason": "DeletionByPodGC", "message": "PodGC: node is out of service"}
        condition = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": now(), **reason}
        status = {"phase": "Failed", "conditions": [condition]}
        self.api.patch("pods", pod, {"status": status}, self.name, subresource="status", content_type=STRATEGIC)
        self.delete("pods", pod, grace=0)

    def clear(self) -> None:
        """Have CronJobs, Jobs and pods deleted, the pods at once; does not wait."""
        for resource in ("cronjobs", "jobs", "deployments"):
            for each in self.listed(resource):
                with contextlib.suppress(ApiError):
                    self.delete(resource, each["metadata"]["name"])
        for pod in self.listed("pods"):
            with contextlib.suppress(ApiError):
                self.delete("pods", pod["metadata"]["name"], grace=0)


def condition(thing: Json, kind: str) -> str | None:
    """The status of a condition: ``True``, ``False``, ``Unknown``, or None where there is none."""
    found = condition_of(thing, kind)
    return None if found is None else str(found["status"])


def condition_of(thing: Json, kind: str) -> Json | None:
    """The whole condition, with reason and message."""
    conditions: list[Json] = thing.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), None)


def state_of(pod: Json, container: str = "main") -> Json:
    """``{"terminated": {…}}``, ``{"running": {…}}`` or ``{"waiting": {…}}``."""
    statuses: list[Json] = pod["status"].get("containerStatuses", [])
    state: Json = next(each["state"] for each in statuses if each["name"] == container)
    return state
