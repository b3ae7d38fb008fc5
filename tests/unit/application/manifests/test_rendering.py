"""What the manifests of declared pipelines say."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from tests.support.manifests import INSTALLATION, a_cron_job, a_pipeline

from kubescribe.application.manifests.cron_job import history, starting_deadline
from kubescribe.application.manifests.difference import difference
from kubescribe.application.manifests.job_template import termination_grace
from kubescribe.application.manifests.lint import problems
from kubescribe.application.manifests.rendering import files, manifests
from kubescribe.domain.concurrency import Concurrency
from kubescribe.domain.errors import BadDeclaration
from kubescribe.domain.pod_needs import PodNeeds


def test_the_order_of_declarations_is_nobodys_business() -> None:
    one, two = a_pipeline("one"), a_pipeline("two", schedule=None)
    assert files([one, two], INSTALLATION) == files([two, one], INSTALLATION)
    assert list(files([two, one], INSTALLATION)) == [
        "configmap-kubescribe-pipelines.yaml",
        "cronjob-one.yaml",
        "cronjob-two.yaml",
        "kustomization.yaml",
    ]


def test_two_names_that_are_one_in_the_cluster_are_refused() -> None:
    with pytest.raises(BadDeclaration, match="pipelines a_b and a-b would both be the CronJob a-b"):
        manifests([a_pipeline("a_b"), a_pipeline("a-b")], INSTALLATION)


def test_more_retries_than_a_job_makes_are_refused() -> None:
    with pytest.raises(BadDeclaration, match="retries is 4"):
        a_cron_job(retries=4)


def test_the_api_may_start_what_is_listed() -> None:
    listed, *_ = manifests([a_pipeline("a_b"), a_pipeline("c")], INSTALLATION)
    assert listed["data"] == {"a-b": "a_b", "c": "c"}


def test_a_pause_is_nothing_that_manifests_take_back() -> None:
    assert "suspend" not in a_cron_job()["spec"]


@pytest.mark.parametrize(
    ("concurrency", "policy"), [("allow", "Forbid"), ("forbid", "Forbid"), ("queue", "Allow"), ("replace", "Allow")]
)
def test_a_run_that_is_to_queue_or_to_replace_another_may_begin(concurrency: str, policy: str) -> None:
    manifest = a_cron_job(concurrency=Concurrency(concurrency))
    assert manifest["spec"]["concurrencyPolicy"] == policy
    assert problems(manifest) == ()
    manifest["spec"]["concurrencyPolicy"] = "Replace"
    assert problems(manifest) != (), "Kubernetes would end a run that nobody has cancelled"


def test_a_pipeline_without_a_schedule_never_fires() -> None:
    spec = a_cron_job(schedule=None)["spec"]
    assert (spec["schedule"], spec["suspend"]) == ("0 0 31 2 *", True)


def test_the_job_outlives_the_deadline_that_the_supervisor_keeps() -> None:
    job = a_cron_job(start_deadline=300, run_deadline=600)["spec"]["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] == 300 + 600 + 60 + 60


def test_the_pods_grace_has_room_for_the_workers_and_for_the_record() -> None:
    assert termination_grace(timedelta(seconds=5)) == timedelta(seconds=60)
    assert termination_grace(timedelta(minutes=5)) == timedelta(minutes=5, seconds=30)


@pytest.mark.parametrize(
    ("schedule", "start_deadline", "seconds"),
    [
        ("15 5 * * *", 300, 300),
        ("15 5 * * *", 1, 60),
        ("*/2 * * * *", 300, 119),
        ("* * * * *", 300, 59),
        ("@every 10s", 300, 10),
        (None, 300, 300),
    ],
)
def test_a_slot_is_not_started_after_the_next_one(schedule: str | None, start_deadline: float, seconds: int) -> None:
    assert starting_deadline(a_pipeline(schedule=schedule, start_deadline=start_deadline)) == seconds


@pytest.mark.parametrize(("schedule", "jobs"), [("* * * * *", 63), ("*/5 * * * *", 15), ("@daily", 4), (None, 3)])
def test_an_hour_without_runlog_deletes_no_evidence(schedule: str | None, jobs: int) -> None:
    assert history(schedule) == jobs


def test_what_the_pod_needs_is_what_the_pipeline_says() -> None:
    needs = PodNeeds(memory="3Gi", cpu="2", image="other:1", secrets=("crm", "kubescribe-runner"))
    (container,) = a_cron_job(pod=needs)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "other:1"
    assert container["resources"] == {"limits": {"memory": "3Gi"}, "requests": {"cpu": "2", "memory": "3Gi"}}
    secrets = [one["secretRef"]["name"] for one in container["envFrom"] if "secretRef" in one]
    assert secrets == ["kubescribe-runner", "crm"]


def test_a_difference_is_one_of_names_and_of_lines() -> None:
    found = difference(
        {"gone": "a\n", "same": "b\n", "other": "c\nd\n"}, {"same": "b\n", "other": "c\ne\n", "new": "f\n"}
    )
    assert [line for line in found.splitlines() if line[:1] in "+-"] == [
        "--- there/gone", "+++ /dev/null", "-a",
        "--- /dev/null", "+++ declared/new", "+f",
        "--- there/other", "+++ declared/other", "-d", "+e",
    ]  # fmt: skip
    assert difference({"a": "b"}, {"a": "b"}) == ""


def test_the_installations_words_are_in_every_pod() -> None:
    installation = msgspec.structs.replace(INSTALLATION, tenant="sales", namespace="sales-runs", secrets=("one",))
    _, job = manifests([a_pipeline()], installation)
    pod = job["spec"]["jobTemplate"]["spec"]["template"]
    variables = {one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]}
    assert job["metadata"]["namespace"] == "sales-runs"
    assert pod["metadata"]["labels"]["kubescribe.io/tenant"] == variables["KUBESCRIBE_TENANT"] == "sales"
