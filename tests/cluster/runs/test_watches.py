"""Watches and lists of a real API server that are forgotten (410), or say nothing any more (A6)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from kubescribe.adapters.kubernetes import view as views
from kubescribe.adapters.kubernetes.connection import ApiServer
from kubescribe.adapters.kubernetes.view import ClusterView
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.domain.errors import ClusterRefused
from tests.support.kube.control_plane import ADMINISTRATOR, ControlPlane
from tests.support.kube.namespace import Namespace
from tests.support.kube.objects import a_container, a_job, a_pod_template
from tests.support.proxy import Proxy

FORGOTTEN = 1
"""A version of which no API server that has begun after it knows what followed."""


def a_new_job(namespace: Namespace, name: str) -> None:
    labels = {"kubescribe.io/pipeline": "flights"}
    namespace.create(a_job(name, a_pod_template([a_container("true")]), labels=labels))


class Api(ApiServer):
    """Counts what it is refused, and may hand on a page's token as if that page were an old one."""

    ages_pages = False
    refused = 0

    async def read(self, path: str, query: Mapping[str, object] | None = None) -> bytes | None:
        asked = dict(query or {})
        if self.ages_pages and "continue" in asked:
            self.ages_pages = False
            token = str(asked["continue"])
            page = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            aged = base64.urlsafe_b64encode(msgspec.json.encode({**page, "rv": FORGOTTEN})).rstrip(b"=")
            asked["continue"] = aged.decode()
        try:
            return await super().read(path, asked)
        except ClusterRefused as refused:
            self.refused += refused.status == 410
            raise


@pytest.fixture(scope="module", autouse=True)
def forgetful(control_plane: ControlPlane) -> None:
    """etcd is compacted, and the API server begins with a cache that knows nothing of before."""
    control_plane.compact()
    control_plane.apiserver.stop()
    control_plane.start()


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[Proxy]:
    with Proxy(control_plane.port) as proxy:
        yield proxy


@pytest.fixture
def api(control_plane: ControlPlane, proxy: Proxy, loop: asyncio.Runner, tmp_path: Path) -> Iterator[Api]:
    text = control_plane.kubeconfig(ADMINISTRATOR[0], *ADMINISTRATOR[1]).read_text()
    file = tmp_path / "kubeconfig"
    file.write_text(text.replace(control_plane.url, f"https://127.0.0.1:{proxy.port}"))
    made = Api(str(file), timeout=1.5)
    yield made
    loop.run(made.close())


def names(view: ClusterView) -> set[str]:
    return {job.name for job in view.jobs()}


async def until(view: ClusterView, *wanted: str) -> None:
    """Wait until just these are seen."""
    async with asyncio.timeout(40):
        while names(view) != set(wanted):  # noqa: ASYNC110 - the view tells nobody
            await asyncio.sleep(0.05)


def test_a6_a_page_that_is_forgotten_amid_a_list_begins_it_anew(
    api: Api, namespace: Namespace, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_PAGE", 2)
    wanted = [f"flights-{number}" for number in range(5)]
    for name in wanted:
        a_new_job(namespace, name)
    view = ClusterView(api, lambda: (namespace.name,), "default", SystemClock())
    api.ages_pages = True
    loop.run(view.refresh())
    assert api.refused == 1, "the API server was to have forgotten it"
    assert names(view) == set(wanted)


class OldVersions(ClusterView):
    """Its first watch begins at a version that the API server has forgotten."""

    lists = 0

    async def _list(self) -> None:
        await super()._list()
        self.lists += 1
        if self.lists == 1:
            self._versions = dict.fromkeys(self._versions, str(FORGOTTEN))


def test_a6_a_watch_that_is_forgotten_is_followed_by_a_list_and_a_watch(
    api: Api, namespace: Namespace, loop: asyncio.Runner
) -> None:
    view = OldVersions(api, lambda: (namespace.name,), "default", SystemClock())

    async def followed() -> None:
        following = asyncio.create_task(view.follow(lambda: None))
        while view.lists < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.to_thread(a_new_job, namespace, "first")
        await until(view, "first")
        assert view.lists == 2, "one list, and not one after the other"
        await asyncio.to_thread(a_new_job, namespace, "second")
        await until(view, "first", "second")
        assert view.lists == 2, "a watch has told of it"
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    loop.run(followed())


def test_a6_of_a_connection_that_says_nothing_any_more_nobody_is_called_gone_and_it_is_renewed(
    api: Api, namespace: Namespace, proxy: Proxy, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "LIST_EVERY", 3.0)
    monkeypatch.setattr(views, "_LONGEST_PAUSE", 1.0)
    view = ClusterView(api, lambda: (namespace.name,), "default", SystemClock())
    a_new_job(namespace, "first")

    async def followed() -> None:
        nudges = []
        following = asyncio.create_task(view.follow(lambda: nudges.append(1)))
        await until(view, "first")
        proxy.pause()  # whatever is sent goes nowhere, and nobody says so
        await asyncio.to_thread(a_new_job, namespace, "second")
        await asyncio.to_thread(namespace.delete, "jobs", "first")
        async with asyncio.timeout(40):
            while view._failure is None:  # noqa: ASYNC110 - a list was asked for in vain
                await asyncio.sleep(0.05)
        assert names(view) == {"first"} and not following.done()
        proxy.resume()
        await until(view, "second")
        assert not following.done()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    loop.run(followed())
