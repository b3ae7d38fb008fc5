"""Answers that are none, and objects that no cluster should hold: nothing is believed of them, and nothing stops."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubescribe.adapters.kubernetes.connection import Answer, ApiServer
from kubescribe.adapters.kubernetes.launcher import KubernetesLauncher
from kubescribe.adapters.kubernetes.view import ClusterView
from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.application.ports.launcher import JobState
from kubescribe.domain.errors import ClusterUnavailable, LauncherBusy
from tests.support.builders import a_run

from .test_view import GOOD, OTHER, Server, job, places, pod

HOSTILE = st.sampled_from(
    [
        None,
        True,
        -1,
        2**63 - 1,
        10**400,
        "",
        "\x00",
        "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
        "9" * 400 + "Ei",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "not a time",
        "../../etc/passwd",
        "x" * 70_000,
        [],
        [None],
        {},
        {"": None},
        {"kubescribe.io/run-id": str(GOOD)},
    ]
)


def looked(server: Server) -> tuple[set[UUID], int]:
    """The Jobs that are seen, and how many objects are passed over."""

    async def look() -> tuple[set[UUID], int]:
        view = ClusterView(server, lambda: ("runs",), "default", MemoryClock())
        await view.refresh()
        return {one.uid for one in view.jobs()}, len(view.quarantined())

    with asyncio.Runner() as runner:
        return runner.run(look())


@settings(max_examples=2000, deadline=None)
@given(st.data())
def test_a9_two_thousand_odd_objects_stop_nothing(data: st.DataObject) -> None:
    odd = copy.deepcopy(data.draw(st.sampled_from([job(OTHER), pod(UUID(int=8), OTHER)])))
    kind = "pods" if "nodeName" in odd["spec"] else "jobs"
    for way in data.draw(st.lists(st.sampled_from(places(odd)), min_size=1, max_size=3)):
        place = odd
        try:
            for key in way[:-1]:
                place = place[key]
            place[way[-1]] = copy.deepcopy(data.draw(HOSTILE))
        except (KeyError, IndexError, TypeError):
            continue  # it was taken out by an earlier one
    server = Server()
    server.held[kind] += [odd]
    server.held["jobs"] += [job()]
    assert GOOD in looked(server)[0]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a9_a_moment_that_is_none_of_ours_keeps_no_other_job_back(moment: str) -> None:
    odd = job(OTHER)
    odd["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"] = moment
    server = Server()
    server.held["jobs"] = [odd, job()]
    assert looked(server) == ({GOOD}, 1)


def test_a9_a_limit_that_is_no_number_keeps_no_job_back() -> None:
    odd = pod(UUID(int=8))
    odd["spec"]["containers"][0]["resources"] = {"limits": {"memory": "9" * 400 + "Ei"}}
    server = Server()
    server.held["pods"], server.held["jobs"] = [odd], [job(), job(OTHER)]
    assert OTHER in looked(server)[0]


class Answers(ApiServer):
    """Gives these answers, by method, one after the other; the last one again and again."""

    def __init__(self, **answers: list[Answer]) -> None:
        super().__init__(environ={})
        self.answers = {method.upper(): some for method, some in answers.items()}

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: object = None,
        *,
        content_type: str = "application/json",
    ) -> Answer:
        some = self.answers[method]
        return some.pop(0) if len(some) > 1 else some[0]


EMPTY_LIST = Answer(200, b'{"metadata": {"resourceVersion": "9"}, "items": []}')


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b""),
        Answer(200, b"<html>Bad gateway</html>"),
        Answer(200, b'{"kind": "Status", "metadata": {}}'),
        Answer(200, b'{"metadata": {"resourceVersion": "9"}, "items": [{"metadata": '),
        Answer(404, b"<html>no such page</html>"),
        Answer(404, b'{"message": "the server could not find the requested resource"}'),
    ],
)
def test_a6_an_answer_that_is_no_list_is_no_list_without_jobs(answer: Answer, loop: asyncio.Runner) -> None:
    listed = {"metadata": {"resourceVersion": "9"}, "items": [job(GOOD, **{"kubescribe.io/run-id": str(GOOD)})]}
    api = Answers(get=[EMPTY_LIST, Answer(200, msgspec.json.encode(listed)), EMPTY_LIST, answer])
    view = ClusterView(api, lambda: ("runs",), "default", MemoryClock())
    launcher = KubernetesLauncher(api, view, lambda tenant: "runs")
    loop.run(view.refresh())
    with pytest.raises(ClusterUnavailable, match="no list"):
        loop.run(view.refresh(0.0))
    assert loop.run(launcher.look(a_run(GOOD), None)).state is JobState.ALIVE
    assert view.gone_of_run(GOOD) is None


CRON_JOB = {
    "metadata": {"name": "flights", "uid": "c", "labels": {"kubescribe.io/pipeline": "flights"}},
    "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}},
}


def launching(api: ApiServer, loop: asyncio.Runner) -> list[float]:
    """What a launch waits for in vain, which stays to be done."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    view = ClusterView(api, lambda: ("runs",), "default", MemoryClock())
    launcher = KubernetesLauncher(api, view, lambda tenant: "runs", sleep=sleep)
    with pytest.raises(LauncherBusy):
        loop.run(launcher.launch(a_run(GOOD)))
    return waited


def test_a1_an_answer_that_nobody_can_read_is_none(loop: asyncio.Runner) -> None:
    launching(Answers(get=[Answer(200, b"<html>maintenance</html>")]), loop)
    cron_job = Answer(200, msgspec.json.encode(CRON_JOB))
    launching(Answers(post=[Answer(503, b"")], get=[cron_job, Answer(200, b"<html>maintenance</html>")]), loop)


def test_a5_who_is_told_to_come_back_in_an_hour_does_not_wait_for_it(loop: asyncio.Runner) -> None:
    cron_job, absent = Answer(200, msgspec.json.encode(CRON_JOB)), Answer(404, b"{}")
    api = Answers(post=[Answer(429, b"", retry_after=3600.0)], get=[cron_job, absent] * 6)
    assert sum(launching(api, loop)) <= 60.0, "others wait for this pass"
