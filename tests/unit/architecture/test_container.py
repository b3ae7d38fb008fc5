"""Every provider can be built: a keyword that is wrong escapes the type checkers, and waits for the first user."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from dependency_injector import providers

from kubescribe.application.authoring.registry import Registry
from kubescribe.application.metrics import Registry as Figures
from kubescribe.entrypoints.composition.container import Container, container_for
from kubescribe.entrypoints.composition.databases import Databases
from kubescribe.entrypoints.composition.serving import services
from kubescribe.entrypoints.settings import load_settings

URLS = {
    name: f"postgresql://u:correct-horse@127.0.0.1:1/{name.lower()}"
    for name in ("RUNLOG_DB_URL", "PROD_DB_URL", "REPORT_DB_URL")
}
NOT_CONFIGURED = {"fences", "publisher", "rehearsals"}


def databases_of(urls: dict[str, str], folder: Path) -> tuple[object, Databases]:
    settings = load_settings({"USER": "ana", **urls}, folder)
    databases = Databases(
        runlog_url=settings.runlog_url,
        production_url=settings.production_url,
        report_url=settings.report_url,
        embedded=False,
    )
    return settings, databases


def names() -> list[str]:
    return sorted(name for name, one in Container.providers.items() if not isinstance(one, providers.Dependency))


@pytest.mark.parametrize("name", names())
def test_a_provider_can_be_built_without_any_server(name: str, tmp_path: Path) -> None:
    settings, databases = databases_of(URLS, tmp_path)

    async def build() -> None:
        async with container_for(settings, databases) as container:  # type: ignore[arg-type]
            provider = container.providers[name]
            one = provider()
            assert one is not None
            # None of it is a coroutine or a Future, which an asynchronous resource would make of its dependants.
            assert not asyncio.isfuture(one) and not asyncio.iscoroutine(one)
            assert (provider() is one) is isinstance(provider, providers.Singleton | providers.Selector)

    asyncio.run(build())


def test_without_a_report_database_nothing_publishes(tmp_path: Path) -> None:
    settings, databases = databases_of({"RUNLOG_DB_URL": URLS["RUNLOG_DB_URL"]}, tmp_path)

    async def build() -> None:
        async with container_for(settings, databases) as container:  # type: ignore[arg-type]
            for name in NOT_CONFIGURED:
                assert container.providers[name]() is None
            assert container.reconcile_runs() is not None

    asyncio.run(build())


def test_who_looks_at_slots_delays_nobody_who_starts_them(tmp_path: Path) -> None:
    settings, databases = databases_of(URLS, tmp_path)

    async def build() -> None:
        async with container_for(settings, databases) as container:  # type: ignore[arg-type]
            shown = services(container, Registry([]), lambda: None, Figures(), ())
            assert shown.slots is not container.slots(), "one connection does one thing after the other"

    asyncio.run(build())


@pytest.mark.parametrize(
    ("query", "seconds"), [("", 3.0), ("?connect_timeout=7", 7.0), ("?connect_timeout=0", 86_400.0)]
)
def test_a_timeout_in_the_url_comes_first(query: str, seconds: float, tmp_path: Path) -> None:
    settings, databases = databases_of({name: url + query for name, url in URLS.items()}, tmp_path)
    container = Container(settings=settings, databases=databases)
    assert container.attempt_log()._session._address["timeout"] == seconds
    for adapter in (container.fences(), container.publisher(), container.catalogue()):
        assert adapter is not None and adapter._database._kwargs["timeout"] == seconds
