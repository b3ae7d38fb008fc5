"""Both worlds with the API before them."""

from __future__ import annotations

from pathlib import Path

import psycopg

from kubescribe.domain.access import Role
from tests.support.api_process import ApiProcess
from tests.support.api_world import ApiWorld, Stores
from tests.support.app_client import AppClient
from tests.support.three_databases import ThreeDatabases
from tests.support.waiting import wait_for

from .api_door import ThroughApi
from .memory_world import MemoryWorld
from .postgres_world import PostgresWorld


class MemoryApiWorld(ThroughApi, MemoryWorld):
    """The application over the same adapters."""

    def __init__(self) -> None:
        super().__init__()
        over = Stores(self.runlog, self.reports, self.launcher)
        api = ApiWorld(stores=over, pipelines=self.registry)
        self._client = AppClient(api.app, api.token(Role.ADMIN)[1])

    @property
    def client(self) -> AppClient:
        return self._client


class PostgresApiWorld(ThroughApi, PostgresWorld):
    """``kubescribe api``, which also looks after the runs."""

    def __init__(self, folder: Path, databases: ThreeDatabases) -> None:
        super().__init__(folder, databases)
        self._client = ApiProcess(self.command)

    @property
    def client(self) -> ApiProcess:
        return self._client

    def seal(self) -> None:
        query = "SELECT NOT EXISTS (SELECT FROM event WHERE position IS NULL)"
        with psycopg.connect(self.databases.runlog, autocommit=True) as connection:
            wait_for(lambda: connection.execute(query).fetchone() == (True,), "the API to seal all events", every=0.1)
