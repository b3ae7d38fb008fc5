"""The main scenarios, one after the other, on a cluster where KubeScribe is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.kube.resources import Json
from tests.support.waiting import wait_for

from .client import Client
from .kubectl import Kubectl

STEPS = (
    "triggered",
    "repeated",
    "refused",
    "failed",
    "made_by_hand",
    "fired",
    "pod_deleted",
    "cancelled",
    "audited",
)
RUN_ID = "kubescribe.io/run-id"
_LONG = 300.0
"""Seconds: nodes pull images, and the controllers take their time."""


class Walk:
    """Each step is a method that raises AssertionError, and returns a sentence of what was seen."""

    def __init__(self, api: Client, kubectl: Kubectl, runs: str) -> None:
        """``runs``: the namespace of the runs."""
        self._api, self._kubectl, self._runs = api, kubectl, runs

    def steps(self) -> list[Callable[[], str]]:
        """In their order."""
        return [getattr(self, name) for name in STEPS]

    def triggered(self) -> str:
        """A run that somebody asks for publishes its report."""
        run = self._ended(self._trigger("walk"))
        assert (run["status"], run["evidence"]) == ("succeeded", "ledger"), run
        page = self._api.get("/reports/walk/rows")
        assert page["run_id"] == run["id"] and page["items"], page
        return f"the report walk has {len(page['items'])} rows of run {run['id']}"

    def repeated(self) -> str:
        """Who asks again with the same key gets the same run, and the cluster has one Job of it."""
        body = {"pipeline": "walk", "parameters": {"at_least": 1}}
        first, second = (self._api.post("/runs/trigger", body, key="the walk")["id"] for _ in range(2))
        assert first == second
        self._ended(first)
        jobs = self._kubectl.listed("jobs", self._runs, f"{RUN_ID}={first}")
        assert len(jobs) == 1, jobs
        return f"one Job for both requests: {jobs[0]['metadata']['name']}"

    def refused(self) -> str:
        """A bad parameter starts nothing."""
        status, problem = self._api.refused("/runs/trigger", {"pipeline": "walk", "parameters": {"at_least": "many"}})
        return f"{status}: {problem['detail']}"

    def failed(self) -> str:
        """A failure has its cause and its message on record, and the last report stays; so it is with a check."""
        run = self._ended(self._trigger("stumble"))
        assert (run["status"], run["cause"]) == ("failed", "error"), run
        assert "a stone is in the way" in run["message"], run
        checked = self._ended(self._trigger("walk", at_least=1_000_000))
        assert (checked["status"], checked["cause"]) == ("failed", "precondition"), checked
        assert self._api.get("/reports/walk/rows")["run_id"] != checked["id"]
        return str(run["message"])

    def made_by_hand(self) -> str:
        """``kubectl create job --from`` is a run without anybody having asked KubeScribe."""
        self._kubectl("--namespace", self._runs, "create", "job", "by-hand", "--from=cronjob/walk")
        uid = self._kubectl.json("--namespace", self._runs, "get", "job", "by-hand")["metadata"]["uid"]
        run = self._ended(uid)
        assert (run["status"], run["trigger"], run["actor"]) == ("succeeded", "manual", "cluster"), run
        return f"Job {uid} is a run of {run['actor']}"

    def fired(self) -> str:
        """The cluster's own schedule makes a Job, and it is a run with its slot."""

        def found() -> Json | None:
            runs = self._api.get("/runs?pipeline=step&trigger=schedule&status=succeeded")["items"]
            return runs[0] if runs else None

        run = self._wait(found, "a slot of `* * * * *` to come, and its run to succeed")
        assert run["slot"] is not None, run
        return f"the slot {run['slot']} is run {run['id']}"

    def pod_deleted(self) -> str:
        """A pod that somebody deletes is an attempt that has ended; its Job makes another one."""
        run_id = self._at_work("rest", attempt=1)
        (pod,) = self._kubectl.listed("pods", self._runs, f"{RUN_ID}={run_id}")
        self._kubectl("--namespace", self._runs, "delete", "pod", pod["metadata"]["name"], "--wait=false")
        self._until_at_work(run_id, attempt=2)
        first, second = self._record(run_id)["attempts"]
        assert first["ended_at"] and first["certificate"] and not second["ended_at"], (first, second)
        self._cancel(run_id)
        return f"attempt 1 of run {run_id} ended ({first['certificate']['message']}), attempt 2 went on"

    def cancelled(self) -> str:
        """Cancelled means gone: pod and Job before the record says so."""
        run_id = self._at_work("rest", attempt=1)
        run = self._cancel(run_id)
        pods = self._kubectl.listed("pods", self._runs, f"{RUN_ID}={run_id}")
        assert not pods, pods
        return str(run["message"])

    def audited(self) -> str:
        """All of it is in the chain of events."""
        runs = self._api.get("/runs?limit=50")["items"]
        for run in runs:
            kinds = [event["kind"] for event in self._record(run["id"])["events"]]
            assert kinds[0] == "run.created", kinds
        return f"{len(runs)} runs on record, each from its beginning"

    # -- inside --------------------------------------------------------------------------------------------------

    def _trigger(self, pipeline: str, **parameters: Any) -> str:
        accepted = self._api.post("/runs/trigger", {"pipeline": pipeline, "parameters": parameters})
        return str(accepted["id"])

    def _record(self, run_id: str) -> Json:
        record: Json = self._api.get(f"/runs/{run_id}")
        return record

    def _ended(self, run_id: str) -> Json:
        def found() -> Json | None:
            listed = {one["id"]: one for one in self._api.get("/runs?limit=100")["items"]}
            run = listed.get(run_id)
            return run if run is not None and run["finished_at"] is not None else None

        self._wait(found, f"run {run_id} to end")
        return self._record(run_id)

    def _at_work(self, pipeline: str, attempt: int) -> str:
        run_id = self._trigger(pipeline)
        self._until_at_work(run_id, attempt)
        return run_id

    def _until_at_work(self, run_id: str, attempt: int) -> None:
        def working() -> bool:
            attempts = self._record(run_id)["attempts"]
            return len(attempts) == attempt and attempts[-1]["progress"] is not None

        self._wait(working, f"attempt {attempt} of run {run_id} to be at work")

    def _cancel(self, run_id: str) -> Json:
        self._api.post(f"/runs/{run_id}/cancel", {"reason": "the walk is over"})
        run = self._ended(run_id)
        assert run["status"] == "cancelled", run
        return run

    def _wait(self, condition: Callable[[], Any], what: str) -> Any:
        return wait_for(condition, what, timeout=_LONG, every=0.5)
