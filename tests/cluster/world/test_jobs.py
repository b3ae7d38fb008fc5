"""Jobs and CronJobs: the controllers are the real ones, and so is what they see of the pods."""

from __future__ import annotations

import datetime

import pytest

from tests.support.kube.namespace import Namespace, condition, condition_of, state_of
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_cron_job, a_job, a_script, fired, made_by_hand
from tests.support.kube.resources import Json
from tests.support.waiting import wait_for

FAIL_AT_ONCE = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [64, 78]}}]}


def test_a_job_runs_a_process_to_its_end(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("hello", a_script("echo all done > /dev/termination-log")))
    outcome, job = namespace.finished("hello")
    (pod,) = namespace.pods("hello")
    assert outcome == "Complete", job["status"]
    assert job["status"]["succeeded"] == 1
    assert pod["status"]["phase"] == "Succeeded"
    assert pod["spec"]["nodeName"] == node.name
    ended = state_of(pod)["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (0, "Completed", "all done\n")
    assert [condition(pod, each) for each in ("PodScheduled", "Initialized", "Ready")] == ["True", "True", "False"]


def test_a_failed_pod_is_tried_again_until_the_budget_is_spent(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("stubborn", a_script("exit 3"), backoff_limit=1))
    outcome, job = namespace.finished("stubborn", timeout=60)  # ten seconds between the tries are the controller's
    assert outcome == "Failed"
    assert condition_of(job, "Failed")["reason"] == "BackoffLimitExceeded"  # type: ignore[index]
    pods = namespace.pods("stubborn")
    assert [state_of(pod)["terminated"]["exitCode"] for pod in pods] == [3, 3]
    assert len({pod["metadata"]["uid"] for pod in pods}) == 2


def test_an_exit_code_can_say_that_trying_again_is_no_use(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("refused", a_script("exit 78"), backoff_limit=3, podFailurePolicy=FAIL_AT_ONCE))
    outcome, job = namespace.finished("refused")
    assert outcome == "Failed"
    assert condition_of(job, "Failed")["reason"] == "PodFailurePolicy"  # type: ignore[index]
    assert len(namespace.pods("refused")) == 1


def test_a_deadline_ends_the_process(namespace: Namespace, node: Node) -> None:
    script = "trap 'echo told to go; exit 7' TERM; echo up; while :; do sleep 0.05; done"
    namespace.create(a_job("late", a_script(script, grace=20), activeDeadlineSeconds=3))
    process = node.pod(namespace.name, namespace.running("late"))
    outcome, job = namespace.finished("late")
    assert outcome == "Failed"
    assert condition_of(job, "Failed")["reason"] == "DeadlineExceeded"  # type: ignore[index]
    assert process.pids() == []


def test_a_deleted_job_takes_its_process_along(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("unwanted", a_script("sleep 300 & wait")))
    pod = namespace.running("unwanted")
    process = node.pod(namespace.name, pod)
    assert len(process.pids()) == 2
    namespace.delete("jobs", "unwanted")
    wait_for(lambda: not namespace.exists("pods", pod), "the pod to go", every=0.05)
    assert process.pids() == []


def test_a_second_pod_of_a_job_runs_beside_the_first(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("doubled", a_script("trap 'sleep 1; exit 0' TERM; while :; do sleep 0.05; done")))
    first = node.pod(namespace.name, namespace.running("doubled"))
    namespace.duplicate(first.object["metadata"]["name"], "doubled-again")
    second = node.pod(namespace.name, "doubled-again")
    assert first.pids()
    assert second.pids()
    wait_for(lambda: not (first.pids() and second.pids()), "the controller to end one of them")


def missed(namespace: Namespace, name: str, schedule: str = "* * * * *") -> Json:
    """A CronJob that the controller takes to have been away for two minutes."""
    stored = namespace.create(a_cron_job(name, a_job("", a_script("exit 0"), labels={"who": name}), schedule=schedule))
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=2)
    status = {"status": {"lastScheduleTime": before.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    namespace.api.patch("cronjobs", name, status, namespace.name, subresource="status")
    return stored


def jobs_of(namespace: Namespace, cron_job: Json) -> list[Json]:
    def owned(job: Json) -> bool:
        owners = job["metadata"].get("ownerReferences", [])
        return any(owner["uid"] == cron_job["metadata"]["uid"] for owner in owners)

    return [job for job in namespace.listed("jobs") if owned(job)]


def test_a_cron_job_fires_and_its_pod_runs(namespace: Namespace, node: Node) -> None:
    cron_job = missed(namespace, "minutely")
    job = wait_for(lambda: jobs_of(namespace, cron_job), "the cron controller", timeout=30, every=0.05)[0]
    assert namespace.finished(job["metadata"]["name"])[0] == "Complete"


def test_what_we_fire_is_what_the_controller_fires(namespace: Namespace) -> None:
    cron_job = missed(namespace, "model")
    real = wait_for(lambda: jobs_of(namespace, cron_job), "the cron controller", timeout=30, every=0.05)[0]
    minutes = int(real["metadata"]["name"].removeprefix("model-"))
    ours = fired(cron_job, datetime.datetime.fromtimestamp(minutes * 60, datetime.UTC))
    made = namespace.api.create(ours | {"metadata": ours["metadata"] | {"name": "ours"}}, namespace.name, dryRun="All")
    assert ours["metadata"]["name"] == real["metadata"]["name"]
    for field in ("annotations", "ownerReferences"):
        assert made["metadata"][field] == real["metadata"][field]
    assert made["metadata"]["labels"]["who"] == real["metadata"]["labels"]["who"]
    assert _without_identity(made) == _without_identity(real)


def _without_identity(job: Json) -> Json:
    spec = job["spec"] | {"selector": None}
    labels = {name: value for name, value in spec["template"]["metadata"]["labels"].items() if "job" not in name}
    template = spec["template"] | {"metadata": {"labels": {k: v for k, v in labels.items() if "uid" not in k}}}
    return {**spec, "template": template}


@pytest.mark.timeout(150)
def test_a_tick_is_waited_for_and_comes(namespace: Namespace, node: Node) -> None:
    """The one test that waits for the clock: up to a minute."""
    job = a_job("", a_script("exit 0"))
    cron_job = namespace.create(a_cron_job("ticking", job, schedule="* * * * *"))
    made = wait_for(lambda: jobs_of(namespace, cron_job), "the next minute", timeout=90, every=0.2)[0]
    slot = made["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    assert int(datetime.datetime.fromisoformat(slot).timestamp()) // 60 == int(made["metadata"]["name"].split("-")[-1])
    assert namespace.finished(made["metadata"]["name"])[0] == "Complete"


def test_forbid_does_not_see_what_was_started_by_hand(namespace: Namespace, node: Node) -> None:
    """A trap of Kubernetes itself, for which the product keeps a lease of its own: here it can be stepped into."""
    cron_job = namespace.create(a_cron_job("trap", a_job("", a_script("sleep 300"))))
    namespace.create(made_by_hand(cron_job, "by-hand"))
    namespace.running("by-hand")
    due = {"spec": {"schedule": "* * * * *"}}
    namespace.api.patch("cronjobs", "trap", due, namespace.name)
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=2)
    status = {"status": {"lastScheduleTime": before.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    namespace.api.patch("cronjobs", "trap", status, namespace.name, subresource="status")
    wait_for(lambda: len(jobs_of(namespace, cron_job)) == 2, "the scheduled Job beside the other one", every=0.05)
