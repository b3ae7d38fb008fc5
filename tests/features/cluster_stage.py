"""What the scenarios on a cluster have in common: it is built once, and swept between them."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import psycopg
import yaml
from psycopg import sql

from tests.support.api_process import ApiProcess
from tests.support.clusters import Cluster
from tests.support.command_line import ROOT, CommandLine
from tests.support.deployment import API
from tests.support.kube.api import Api
from tests.support.kube.control_plane import ControlPlane
from tests.support.kube.installed import api_account, install, runs_namespace, until_accepted
from tests.support.kube.namespace import Namespace
from tests.support.kube.node.image import Image
from tests.support.kube.node.node import Node
from tests.support.kube.resources import ApiError, Json
from tests.support.three_databases import ThreeDatabases, three_databases
from tests.support.waiting import wait_for

from . import markers
from .world import ORDERS

MODULE = "tests.features.pipelines"
NAMESPACE = "scenarios"
_KEPT = ("kubescribe_schema", "report_schema_version", "token", "web_session", "leader")
"""Tables that are no scenario's: the API goes on, and so does whoever asks it."""


class ClusterStage:
    """The base of ``deploy/``, the pipelines' rendered CronJobs, a node, and ``kubescribe api`` as its own account."""

    def __init__(self, plane: ControlPlane, cluster: Cluster, folder: Path) -> None:
        self.plane, self._cluster, self._folder = plane, cluster, folder
        self._closing = ExitStack()
        self._rendered: dict[str, Json] = {}
        self._changed: set[str] = set()

    def __enter__(self) -> ClusterStage:
        try:
            self._build()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def _build(self) -> None:
        install(self.plane)
        self.namespace: Namespace = runs_namespace(self.plane, NAMESPACE)
        self.databases: ThreeDatabases = self._closing.enter_context(three_databases(self._cluster))
        with psycopg.connect(self.databases.production) as connection:
            connection.execute("CREATE TABLE orders (day date, customer text, amount numeric(10, 2))")
            connection.cursor().executemany("INSERT INTO orders VALUES (%s, %s, %s)", ORDERS)
        self._report_began_with = _relations(self.databases.report)
        self.command = CommandLine(
            self._folder,
            self.databases,
            KUBESCRIBE_PIPELINES=MODULE,
            KUBESCRIBE_LAUNCHER="kubernetes",
            KUBESCRIBE_NAMESPACE=NAMESPACE,
            KUBECONFIG=str(self.plane.token_kubeconfig(*API)),
        )
        self._secret()
        self._apply()
        image = Image(
            variables={"PYTHONPATH": f"{ROOT / '.import'}{os.pathsep}{ROOT}", markers.VARIABLE: tempfile.gettempdir()}
        )
        self.node: Node = self._closing.enter_context(Node(self.plane, "scenarios", image=image))
        self._closing.callback(self.namespace.clear)
        self.api: ApiProcess = self._closing.enter_context(ApiProcess(self.command))
        self._asking: Api = self._closing.enter_context(api_account(self.plane))
        for manifest in self._rendered.values():
            until_accepted(self._asking, self.namespace, manifest)

    def _secret(self) -> None:
        """Where the pods find their databases: the Secret that every rendered template names."""
        urls = {
            "RUNLOG_DB_URL": self.databases.runlog,
            "PROD_DB_URL": self.databases.production,
            "REPORT_DB_URL": self.databases.report,
        }
        metadata = {"name": "kubescribe-runner"}
        self.namespace.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": urls})

    def _apply(self) -> None:
        """What ``kubescribe manifests`` prints, as it stands."""
        rendered = self.command("manifests")
        assert rendered.returncode == 0, rendered.stderr
        for thing in yaml.safe_load_all(rendered.stdout):
            self.namespace.create(thing)
            if thing["kind"] == "CronJob":
                self._rendered[thing["metadata"]["name"]] = thing

    # -- a scenario's own changes --------------------------------------------------------------------------------

    def cron_job(self, name: str) -> Json:
        """A CronJob as it is stored."""
        return self.namespace.get("cronjobs", name)

    def change(self, name: str, change: Callable[[Json], None]) -> None:
        """Apply a pipeline's CronJob with another template, as GitOps would; until the end of the scenario."""
        self._changed.add(name)
        self._put(name, change)

    def remove(self, name: str) -> None:
        """Delete a pipeline's CronJob; until the end of the scenario."""
        self._changed.add(name)
        self.namespace.delete("cronjobs", name)

    def _put(self, name: str, change: Callable[[Json], None]) -> None:
        manifest = copy.deepcopy(self._rendered[name])
        change(manifest)
        if self.namespace.exists("cronjobs", name):
            self.plane.api.call("PUT", f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs/{name}", manifest)
        else:
            self.namespace.create(manifest)
        until_accepted(self._asking, self.namespace, manifest)

    def sweep(self) -> None:
        """Take away what a scenario has left: Jobs, processes, records, reports.

        In this order, because a supervisor that ends writes a record, and a Job without a record gets one.
        """
        # Deleted until there is none: a run that was asked for last may be launched while we look.
        wait_for(self._cleared, "Jobs and pods of the scenario to go", timeout=60, every=0.05)
        for name in self._changed:
            self._put(name, lambda manifest: None)
        self._changed.clear()
        _empty(self.databases.runlog, _relations(self.databases.runlog))
        _drop(self.databases.report, _relations(self.databases.report) - self._report_began_with)
        _empty(self.databases.report, self._report_began_with)

    def _cleared(self) -> bool:
        left = 0
        for resource, grace in (("cronjobs", None), ("jobs", None), ("pods", 0)):
            for each in self.namespace.listed(resource):
                name = each["metadata"]["name"]
                if resource != "cronjobs" or name not in self._rendered:
                    left += 1
                    with suppress(ApiError):  # gone by itself
                        self.namespace.delete(resource, name, grace=grace)
        return not left and not self.node.pods()


Relation = tuple[str, str, str]
"""Schema, name, and ``r`` (table), ``p`` (partitioned), ``v`` (view)."""


def _relations(url: str) -> set[Relation]:
    query = (
        "SELECT nspname, relname, relkind::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE relkind IN ('r', 'p', 'v') AND NOT relispartition AND nspname !~ '^(pg_|information_schema)'"
    )
    with psycopg.connect(url) as connection:
        return set(connection.execute(query).fetchall())


def _empty(url: str, relations: set[Relation]) -> None:
    """Empty the tables past all guards, as an owner can."""
    tables = [
        sql.Identifier(schema, name) for schema, name, kind in sorted(relations) if kind != "v" and name not in _KEPT
    ]
    wait_for(lambda: _truncated(url, tables), f"the tables of {url.rpartition('/')[2]} to be emptied", timeout=60)


def _truncated(url: str, tables: list[sql.Identifier]) -> bool:
    """Whether the API, which goes on, and we did not wait for each other."""
    try:
        with psycopg.connect(url) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(tables)))
    except psycopg.errors.DeadlockDetected:
        return False
    return True


def _drop(url: str, relations: set[Relation]) -> None:
    """Drop what is there; views first, for they stand on the tables."""
    with psycopg.connect(url) as connection:
        for schema, name, kind in sorted(relations, key=lambda each: each[2] != "v"):
            what = sql.SQL("VIEW" if kind == "v" else "TABLE")
            statement = sql.SQL("DROP {} IF EXISTS {} CASCADE")
            connection.execute(statement.format(what, sql.Identifier(schema, name)))
