"""An API server that loses requests and answers, refuses, or is away: no run is lost, and none has two Jobs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from kubescribe.adapters.kubernetes.connection import ApiServer
from kubescribe.adapters.kubernetes.launcher import KubernetesLauncher
from kubescribe.adapters.kubernetes.view import ClusterView
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.domain.errors import LauncherBusy, LaunchRefused
from kubescribe.domain.job_names import job_name
from kubescribe.domain.run import Run
from tests.support.builders import a_run
from tests.support.kube.control_plane import ADMINISTRATOR, ControlPlane
from tests.support.kube.fault_proxy import FaultProxy
from tests.support.kube.namespace import Namespace
from tests.support.kube.objects import a_container, a_cron_job, a_job, a_pod_template
from tests.support.waiting import wait_for

RUN = UUID(int=0xF00D)


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[FaultProxy]:
    identity = control_plane.authority.issue(*ADMINISTRATOR)
    with FaultProxy(control_plane.url, control_plane.authority.file, identity) as proxy:
        yield proxy


class Launching:
    """A launcher of its own, which waits for nothing; and the pipeline that it launches."""

    def __init__(self, loop: asyncio.Runner, kubeconfig: Path, namespace: Namespace) -> None:
        self.namespace, self._loop = namespace, loop
        self.api = ApiServer(str(kubeconfig), timeout=5.0)
        self.view = ClusterView(self.api, lambda: (namespace.name,), "default", SystemClock())
        self.waited: list[float] = []

        async def sleep(seconds: float) -> None:
            self.waited.append(seconds)
            await asyncio.sleep(0)

        self.launcher = KubernetesLauncher(self.api, self.view, lambda tenant: namespace.name, sleep=sleep)

    def launch(self, run: Run) -> None:
        self._loop.run(self.launcher.launch(run))

    def jobs(self) -> list[str]:
        return [job["metadata"]["name"] for job in self.namespace.listed("jobs")]


@pytest.fixture
def launching(loop: asyncio.Runner, proxy: FaultProxy, namespace: Namespace, tmp_path: Path) -> Iterator[Launching]:
    job = a_job("flights", a_pod_template([a_container("true")]), labels={"kubescribe.io/pipeline": "flights"})
    namespace.create(a_cron_job("flights", job))
    launching = Launching(loop, proxy.kubeconfig(tmp_path), namespace)
    yield launching
    loop.run(launching.api.close())


def posts(fault: str, times: int = 1) -> object:
    left = [times]

    def faults(method: str, path: str) -> str | None:
        if method == "POST" and left[0]:
            left[0] -= 1
            return fault
        return None

    return faults


@pytest.mark.parametrize("fault", ["lost", "unanswered", "429", "500", "503"])
def test_a1_a_post_with_an_answer_that_says_nothing_is_looked_for_by_name(
    fault: str, launching: Launching, proxy: FaultProxy
) -> None:
    proxy.faults = posts(fault)  # type: ignore[assignment]
    launching.launch(a_run(RUN))
    assert launching.jobs() == [job_name("flights", RUN)]
    assert proxy.seen[fault] == 1
    assert proxy.seen["POST"] == (1 if fault == "unanswered" else 2), "what has arrived is not said again"


def test_a2_a_run_that_has_its_job_has_it_once(launching: Launching) -> None:
    for _ in range(3):
        launching.launch(a_run(RUN))
    assert launching.jobs() == [job_name("flights", RUN)]


def test_a2_a_job_of_that_name_which_is_anothers_is_not_taken_for_its_own(launching: Launching) -> None:
    anothers = a_job(
        job_name("flights", RUN),
        a_pod_template([a_container("true")]),
        labels={"kubescribe.io/run-id": str(UUID(int=1))},
    )
    launching.namespace.create(anothers)
    with pytest.raises(LaunchRefused, match="is not this run's"):
        launching.launch(a_run(RUN))


def quota(namespace: Namespace, jobs: int) -> None:
    hard = {"count/jobs.batch": str(jobs)}
    made = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": hard}}
    namespace.create(made)
    wait_for(lambda: namespace.get("resourcequotas", "few").get("status", {}).get("hard") == hard, "the quota to hold")


def test_a3_a_full_quota_is_no_answer_about_a_job_that_is_there(launching: Launching) -> None:
    quota(launching.namespace, 1)
    launching.launch(a_run(RUN))
    launching.launch(a_run(RUN))  # the quota is used up by the Job itself
    assert launching.jobs() == [job_name("flights", RUN)]
    with pytest.raises(LauncherBusy, match="exceeded quota"):
        launching.launch(a_run(UUID(int=2)))


def test_a4_a_post_that_arrives_when_nobody_waits_any_more_makes_no_second_job(
    launching: Launching, proxy: FaultProxy
) -> None:
    proxy.faults = posts("late:1.0", 6)  # type: ignore[assignment]
    with pytest.raises(LauncherBusy):
        launching.launch(a_run(RUN))
    launching.launch(a_run(RUN))  # the next pass
    for late in proxy._held:
        late.join()
    assert launching.jobs() == [job_name("flights", RUN)]


def test_a5_who_is_told_to_wait_waits_longer_each_time_and_gives_up_for_this_pass(
    launching: Launching, proxy: FaultProxy
) -> None:
    proxy.faults = lambda method, path: "503"
    with pytest.raises(LauncherBusy, match="does not take its Job yet: a fault: 503"):
        launching.launch(a_run(RUN))
    assert len(launching.waited) == 5
    assert all(pause <= limit for pause, limit in zip(launching.waited, (0.2, 0.4, 0.8, 1.6, 3.2), strict=True))


def test_a5_of_many_runs_under_faults_none_is_lost_and_none_has_two_jobs(
    launching: Launching, proxy: FaultProxy, loop: asyncio.Runner
) -> None:
    seed = 20261122
    proxy.at_random(0.3, seed)
    waiting = [a_run(UUID(int=number)) for number in range(1, 61)]

    async def one(run: Run) -> Run | None:
        try:
            await launching.launcher.launch(run)
        except LauncherBusy:
            return run
        return None

    async def one_pass(runs: list[Run]) -> list[Run]:
        left: list[Run] = []
        for start in range(0, len(runs), 8):
            # Each by two at once, as two processes that accept and reconcile might.
            several = [run for run in runs[start : start + 8] for _ in range(2)]
            left += [run for run in await asyncio.gather(*map(one, several)) if run is not None]
        return left

    passes = 0
    while waiting and passes < 20:
        waiting, passes = loop.run(one_pass(waiting)), passes + 1
    made = Counter(launching.jobs())
    assert not waiting, f"seed {seed}"
    assert made == Counter(job_name("flights", UUID(int=number)) for number in range(1, 61)), f"seed {seed}"
    assert all(proxy.seen[fault] for fault in ("lost", "unanswered", "429", "500", "503"))


def test_without_the_pipelines_cron_job_the_run_says_what_to_do(launching: Launching) -> None:
    launching.namespace.delete("cronjobs", "flights")
    wait_for(lambda: not launching.namespace.listed("cronjobs"), "the CronJob to go")
    with pytest.raises(LaunchRefused, match="kubescribe manifests"):
        launching.launch(a_run(RUN))
