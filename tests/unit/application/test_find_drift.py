"""What of a cluster is not as declared: every change is found, and what GitOps and a pause do is none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.support.manifests import INSTALLATION, REMOVED, a_pipeline, changed

from kubescribe.adapters.memory.cron_jobs import MemoryCronJobs
from kubescribe.application.find_drift import Drift, FindDrift
from kubescribe.application.manifests.cron_job import cron_job
from kubescribe.application.manifests.installation import Manifest
from kubescribe.application.manifests.rendering import manifests
from kubescribe.domain.concurrency import Concurrency
from kubescribe.domain.pipeline import Pipeline

HOURLY, ASKED = a_pipeline("hourly", schedule="0 * * * *"), a_pipeline("asked", schedule=None)
POD = "spec/jobTemplate/spec/template/spec"


def drift(cluster: MemoryCronJobs) -> Drift:
    return asyncio.run(FindDrift(cron_jobs=cluster)([HOURLY, ASKED], INSTALLATION))


def startable(*pipelines: Pipeline) -> Manifest:
    return manifests(pipelines, INSTALLATION)[0]


def a_cluster(changes: dict[str, Any] | None = None, pipeline: str = "hourly") -> MemoryCronJobs:
    cluster = MemoryCronJobs()
    cluster.put(startable(HOURLY, ASKED))
    for declared in (HOURLY, ASKED):
        manifest = cron_job(declared, INSTALLATION)
        for path, value in (changes or {}).items():
            if declared.name == pipeline:
                changed(manifest, path, value)
        cluster.put(manifest)
    return cluster


def test_what_is_as_declared_has_none() -> None:
    assert drift(a_cluster()) == Drift()
    assert not drift(a_cluster()).any


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec/suspend", True),
        ("metadata/annotations", {"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        ("metadata/labels/argocd.argoproj.io~instance", "jobs"),
    ],
)
def test_a_pause_and_the_marks_of_others_are_none(path: str, value: Any) -> None:
    assert not drift(a_cluster({path: value})).any


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec/schedule", "5 * * * *"),
        (f"{POD}/containers/0/image", "other"),
        (f"{POD}/containers/0/env/9", {"name": "DEBUG", "value": "1"}),
        (f"{POD}/nodeSelector", {"disk": "fast"}),
        (f"{POD}/tolerations", []),
        ("metadata/labels/kubescribe.io~tenant", "other"),
        ("metadata/labels/kubescribe.io~tenant", REMOVED),
    ],
)
def test_a_change_is_found_and_shown(path: str, value: Any) -> None:
    found = drift(a_cluster({path: value}))
    assert found.changed == ("hourly",)
    assert found.any
    assert "there/hourly" in found.difference


def test_a_pipeline_without_a_schedule_that_was_resumed_is_found() -> None:
    found = drift(a_cluster({"spec/suspend": False}, "asked"))
    assert found.changed == ("asked",)
    assert any(one.startswith("asked: spec.suspend") for one in found.problems)


def test_what_is_missing_and_what_is_left_over_are_named() -> None:
    cluster = MemoryCronJobs()
    cluster.put(startable(HOURLY, ASKED))
    cluster.put(cron_job(HOURLY, INSTALLATION))
    cluster.put(cron_job(a_pipeline("gone"), INSTALLATION))
    found = drift(cluster)
    assert (found.missing, found.undeclared, found.changed) == (("asked",), ("gone",), ())
    assert "+++ declared/asked" in found.difference
    assert "--- there/gone" in found.difference


def test_a_rule_that_is_broken_in_the_cluster_is_told() -> None:
    found = drift(a_cluster({f"{POD}/automountServiceAccountToken": True}))
    (problem,) = found.problems
    assert problem.startswith("hourly: pod.automountServiceAccountToken")


def test_a_list_of_what_may_be_started_that_is_an_old_one_is_found() -> None:
    cluster = a_cluster()
    cluster.put(startable(HOURLY))
    found = drift(cluster)
    assert (found.missing, found.changed) == ((), ("configmap/kubescribe-pipelines",))
    assert "+  asked: asked" in found.difference


def test_a_list_that_is_not_there_is_missing() -> None:
    cluster = MemoryCronJobs()
    for declared in (HOURLY, ASKED):
        cluster.put(cron_job(declared, INSTALLATION))
    assert drift(cluster).missing == ("configmap/kubescribe-pipelines",)


def test_how_runs_beside_each_other_are_handled_is_compared_too() -> None:
    queued = a_pipeline("queued", concurrency=Concurrency.QUEUE)
    cluster = MemoryCronJobs()
    cluster.put(startable(queued))
    cluster.put(changed(cron_job(queued, INSTALLATION), "metadata/annotations", {}))
    found = asyncio.run(FindDrift(cron_jobs=cluster)([queued], INSTALLATION))
    assert found.changed == ("queued",)
