"""S-14, S-15: whoever has the API's token can start what GitOps has put there, and nothing else."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from kubescribe.application.manifests.installation import RUNNER
from kubescribe.domain.job_names import PIPELINE, RUN_ID
from tests.support.deployment import API, RUNS, base
from tests.support.kube.api import Api
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.namespace import Namespace
from tests.support.kube.objects import a_container, a_job, a_pod_template
from tests.support.kube.resources import ApiError, Json
from tests.support.manifests import REMOVED, changed
from tests.support.manual_jobs import attempt, manual_job
from tests.support.waiting import wait_for

JOB = "spec"
POD = "spec/template/spec"
LABELS = "spec/template/metadata/labels"
CONTAINER = f"{POD}/containers/0"
OWNER = "metadata/ownerReferences"
RUN, LABEL = RUN_ID.replace("/", "~"), PIPELINE.replace("/", "~")
A_RUN = "0192f0c1-0000-7000-8000-000000000000"
TOKEN = {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}
RBAC = "rbac.authorization.k8s.io/v1"
NAMESPACE_RULE = (
    "the API makes Jobs in namespaces with the label kubescribe.io/runs=true, where all of its policies hold"
)
ACCOUNT_RULE = "pods of runs are the service account kubescribe-runner's, without its token"
NOBODY = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nobody", "uid": str(uuid.UUID(int=2))}
SIDECAR = {"name": "other", "image": "evil"}

HOSTILE: list[tuple[str, Any]] = [
    # what runs
    (f"{CONTAINER}/image", "evil"),
    (f"{CONTAINER}/image", "registry.example.org/jobs:2"),
    (f"{CONTAINER}/image", "registry.example.org/jobs@sha256:" + "0" * 64),
    (f"{CONTAINER}/imagePullPolicy", "Always"),
    (f"{CONTAINER}/command", ["sh", "-c", "env"]),
    (f"{CONTAINER}/command", ["kubescribe", "--"]),
    (f"{CONTAINER}/args", ["exec", "--", "sh"]),
    (f"{CONTAINER}/args", ["run", "other"]),
    (f"{CONTAINER}/args/1", "hourly; id"),
    (f"{CONTAINER}/workingDir", "/tmp"),
    (f"{CONTAINER}/lifecycle", {"postStart": {"exec": {"command": ["id"]}}}),
    (f"{POD}/containers/1", SIDECAR),
    (f"{POD}/initContainers", [SIDECAR]),
    # what it knows
    (f"{CONTAINER}/env/0/value", "/root"),
    (f"{CONTAINER}/env/0", {"name": "LD_PRELOAD", "value": "/tmp/x.so"}),
    (f"{CONTAINER}/env/0", {"name": "X", "valueFrom": {"secretKeyRef": {"name": "other", "key": "k"}}}),
    (f"{CONTAINER}/env", REMOVED),
    (f"{CONTAINER}/envFrom/1/secretRef/name", "other"),
    (f"{CONTAINER}/envFrom/2", {"secretRef": {"name": "kubescribe-api"}}),
    (f"{CONTAINER}/envFrom/0/configMapRef/name", "other"),
    (f"{POD}/volumes/1", {"name": "s", "secret": {"secretName": "other"}}),
    (f"{POD}/volumes/1", {"name": "h", "hostPath": {"path": "/"}}),
    (f"{POD}/volumes/1", TOKEN),
    (f"{POD}/volumes/1", {"name": "p", "persistentVolumeClaim": {"claimName": "other"}}),
    (f"{POD}/volumes/0/emptyDir/medium", "Memory"),
    (f"{POD}/volumes/0/emptyDir/sizeLimit", "1Ti"),
    (f"{POD}/imagePullSecrets", [{"name": "other"}]),
    # as whom it runs
    (f"{POD}/serviceAccountName", "kubescribe-api"),
    (f"{POD}/serviceAccountName", "default"),
    (f"{POD}/automountServiceAccountToken", True),
    (f"{POD}/automountServiceAccountToken", REMOVED),
    (f"{POD}/securityContext/runAsNonRoot", False),
    (f"{POD}/securityContext/runAsUser", 0),
    (f"{POD}/securityContext/fsGroup", 0),
    (f"{POD}/securityContext/seccompProfile/type", "Unconfined"),
    (f"{CONTAINER}/securityContext", {"runAsUser": 0}),
    (f"{CONTAINER}/securityContext/readOnlyRootFilesystem", False),
    (f"{CONTAINER}/securityContext/capabilities", {"add": ["SYS_ADMIN"]}),
    (f"{CONTAINER}/securityContext", REMOVED),
    (f"{POD}/hostNetwork", True),
    (f"{POD}/hostPID", True),
    (f"{POD}/shareProcessNamespace", True),
    (f"{POD}/hostAliases", [{"ip": "127.0.0.1", "hostnames": ["postgres"]}]),
    (f"{POD}/dnsPolicy", "Default"),
    (f"{POD}/nodeName", "some-node"),
    (f"{POD}/nodeSelector", {"kubernetes.io/hostname": "some-node"}),
    (f"{POD}/tolerations", [{"operator": "Exists"}]),
    (f"{POD}/priorityClassName", "system-cluster-critical"),
    (f"{POD}/terminationGracePeriodSeconds", 0),
    # how much of it
    (f"{CONTAINER}/resources/limits/memory", "64Gi"),
    (f"{CONTAINER}/resources", {}),
    (f"{JOB}/parallelism", 100),
    (f"{JOB}/completions", 100),
    (f"{JOB}/backoffLimit", 100),
    (f"{JOB}/activeDeadlineSeconds", REMOVED),
    (f"{JOB}/activeDeadlineSeconds", 10**7),
    (f"{JOB}/podFailurePolicy", REMOVED),
    (f"{JOB}/ttlSecondsAfterFinished", 0),
    (f"{JOB}/suspend", True),
    (f"{JOB}/managedBy", "example.org/other"),
    # whose it is
    (OWNER, REMOVED),
    (OWNER, []),
    (f"{OWNER}/0/controller", True),
    (f"{OWNER}/0/name", "asked"),
    (f"{OWNER}/0/name", "nobody"),
    (f"{OWNER}/0/uid", str(uuid.UUID(int=1))),
    (f"{OWNER}/0/kind", "Job"),
    (f"{OWNER}/0", NOBODY),
    (f"metadata/labels/{LABEL}", "asked"),
    (f"metadata/labels/{RUN}", REMOVED),
    (f"metadata/labels/{RUN}", "x"),
    (f"metadata/labels/{RUN}", A_RUN),
    (f"{LABELS}/{RUN}", A_RUN),
    (f"{LABELS}/{LABEL}", "asked"),
    (f"{LABELS}/app.kubernetes.io~component", "database"),
    (f"{LABELS}/app.kubernetes.io~component", REMOVED),
    (f"{LABELS}/other", "label"),
    ("spec/template/metadata/annotations", {"sidecar.istio.io/inject": "true"}),
]  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 60
    assert len({f"{path}={value!r}" for path, value in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize(("path", "value"), HOSTILE, ids=[f"{path}={value!r}"[:100] for path, value in HOSTILE])
def test_a_job_that_is_not_its_cron_jobs_is_refused(
    installed: ControlPlane, as_api: Api, path: str, value: Any
) -> None:
    job = manual_job(installed.api, "hourly")
    refused = attempt(as_api, changed(job, path, value))
    assert refused is not None
    assert "ValidatingAdmissionPolicy 'kubescribe-job" in refused.message, refused.message
    assert "denied request" in refused.message


def test_each_rule_refuses_one_of_them(installed: ControlPlane, as_api: Api) -> None:
    policies = [one for one in base() if one["kind"] == "ValidatingAdmissionPolicy"]
    unheard = {
        rule["message"]
        for one in policies
        if one["metadata"]["name"].startswith("kubescribe-job")
        for rule in one["spec"]["validations"]
    }
    assert len(unheard) == 12
    unheard.remove(NAMESPACE_RULE)
    unheard.remove(ACCOUNT_RULE)  # another account is another template, too: which policy speaks is a matter of chance
    for one in HOSTILE:
        refused = attempt(as_api, changed(manual_job(installed.api, "hourly"), *one))
        unheard -= {rule for rule in unheard if refused and rule in refused.message}
    assert unheard == set()


def test_not_even_a_cron_job_that_is_listed_lends_another_account(installed: ControlPlane, as_api: Api) -> None:
    pod = {"spec": {"serviceAccountName": "other", "serviceAccount": None}}
    change = {"spec": {"jobTemplate": {"spec": {"template": pod}}}}
    installed.api.patch("cronjobs", "asked", change, RUNS)
    try:

        def refused_by_the_rule() -> bool:
            refused = attempt(as_api, manual_job(installed.api, "asked"))
            return refused is not None and ACCOUNT_RULE in refused.message

        wait_for(refused_by_the_rule, "the rule of the service account to refuse", timeout=30)
    finally:
        pod["spec"]["serviceAccountName"] = RUNNER
        installed.api.patch("cronjobs", "asked", change, RUNS)
        wait_for(lambda: attempt(as_api, manual_job(installed.api, "asked")) is None, "it to be as before", timeout=30)


@pytest.mark.parametrize("pipeline", ["nightly_totals", "hourly", "asked"])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"metadata/annotations": {}},
        {"metadata/annotations": {"kubescribe.io/actor": "token:ci", "cronjob.kubernetes.io/instantiate": "manual"}},
        {f"{OWNER}/0/blockOwnerDeletion": False},
    ],
    ids=lambda change: ",".join(change) or "as it is",
)
def test_a_job_as_the_api_makes_it_is_taken(
    installed: ControlPlane, as_api: Api, pipeline: str, change: dict[str, Any]
) -> None:
    job = manual_job(installed.api, pipeline)
    for path, value in change.items():
        changed(job, path, value)
    refused = attempt(as_api, job)
    assert refused is None, refused


def test_nothing_is_started_without_the_list_and_nobody_else_is_hindered(installed: ControlPlane, as_api: Api) -> None:
    job = manual_job(installed.api, "hourly")
    of_the_schedule = changed(manual_job(installed.api, "hourly"), f"metadata/labels/{RUN}", REMOVED)
    listed = installed.api.get("configmaps", "kubescribe-pipelines", RUNS)
    installed.api.delete("configmaps", "kubescribe-pipelines", RUNS)
    try:
        refused = wait_for(lambda: attempt(as_api, job), "the policy to miss its list", timeout=30)
        assert "'kubescribe-job-owners'" in refused.message
        assert attempt(installed.api, of_the_schedule) is None
    finally:
        metadata = {key: listed["metadata"][key] for key in ("name", "namespace", "labels")}
        installed.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": listed["data"]})
        wait_for(lambda: attempt(as_api, job) is None, "the policy to have its list again", timeout=30)


def test_jobs_of_namespaces_that_have_nothing_to_do_with_it_are_made(
    installed: ControlPlane, namespace: Namespace
) -> None:
    of_another_installation = a_job("theirs", a_pod_template([a_container("true")]))
    of_another_installation["metadata"]["labels"] = {RUN_ID: A_RUN}
    namespace.create(of_another_installation)
    assert namespace.exists("jobs", "theirs")


def test_the_api_makes_none_where_its_policies_do_not_hold(installed: ControlPlane, namespace: Namespace) -> None:
    """Whatever rights it may have been given there."""
    verbs: list[Json] = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}]
    namespace.create({"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "more"}, "rules": verbs})
    api = {"kind": "ServiceAccount", "namespace": API[0], "name": API[1]}
    role = {"apiGroup": RBAC.partition("/")[0], "kind": "Role", "name": "more"}
    binding = {"apiVersion": RBAC, "kind": "RoleBinding", "metadata": {"name": "more"}}
    namespace.create({**binding, "roleRef": role, "subjects": [api]})
    job = manual_job(installed.api, "hourly")
    job["metadata"]["namespace"] = namespace.name
    with installed.as_account(*API) as asking:

        def refused_by_the_rule() -> bool:
            refused = attempt(asking, job)
            assert refused is not None
            return NAMESPACE_RULE in refused.message

        wait_for(refused_by_the_rule, "the rule of the namespace to refuse", timeout=30)


def test_others_are_not_held_to_it(installed: ControlPlane) -> None:
    job = changed(manual_job(installed.api, "hourly"), f"{CONTAINER}/image", "debug")
    assert attempt(installed.api, job) is None


def test_the_api_cannot_make_one_elsewhere(installed: ControlPlane, as_api: Api) -> None:
    job = manual_job(installed.api, "hourly")
    job["metadata"]["namespace"] = "kubescribe"
    refused = attempt(as_api, job)
    assert isinstance(refused, ApiError)
    assert refused.status == 403
