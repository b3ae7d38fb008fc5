"""The base of ``deploy/`` on a test's control plane, and namespaces in which its API may make Jobs."""

from __future__ import annotations

import copy
import uuid

from kubescribe.adapters.kubernetes.job_of_run import job_of_run
from kubescribe.application.manifests.installation import RUNNER
from tests.support.builders import a_run
from tests.support.deployment import API, RUNS, Applying, base
from tests.support.manual_jobs import attempt
from tests.support.waiting import wait_for

from .api import Api
from .control_plane import ControlPlane
from .namespace import Namespace
from .resources import Json


def install(plane: ControlPlane) -> None:
    """The API's service account, its rights and the admission policies; of workloads, a dry run."""
    with Applying(plane) as administrator:
        administrator.apply(base())


def runs_namespace(plane: ControlPlane, name: str) -> Namespace:
    """Another team's namespace: a copy of the base's for runs, in which the API's account has the same rights."""
    things = base()
    (ours,) = (one for one in things if one["kind"] == "Namespace" and one["metadata"]["name"] == RUNS)
    namespace = plane.namespace(name, **ours["metadata"]["labels"])
    for thing in things:
        if thing["kind"] in ("Role", "RoleBinding") and thing["metadata"].get("namespace") == RUNS:
            moved = copy.deepcopy(thing)
            moved["metadata"]["namespace"] = name
            namespace.create(moved)
    namespace.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": RUNNER}})
    return namespace


def until_accepted(asking: Api, namespace: Namespace, cron_job: Json) -> None:
    """Wait until the admission policies know the CronJob as it is now: they hear of it a moment later than we do."""
    name = cron_job["metadata"]["labels"]["kubescribe.io/pipeline"]

    def refused() -> bool:
        stored = namespace.get("cronjobs", cron_job["metadata"]["name"])
        return attempt(asking, job_of_run(stored, a_run(uuid.uuid4(), pipeline=name), namespace.name)) is not None

    wait_for(lambda: not refused(), f"the policies to take Jobs of {name}", timeout=30, every=0.1)


def api_account(plane: ControlPlane) -> Api:
    """The API server as the API's service account sees it; to be closed."""
    return plane.as_account(*API)
