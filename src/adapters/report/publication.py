"""The publishing transaction: plain DML under the fence, except where a report is made or its columns change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...application.failpoints import failpoint
from ...application.ports.publisher import PublishRequest
from ...application.report_fit import Fit, Shape, fit
from ...domain.errors import Fenced, ReportMismatch, Superseded
from ...domain.mode import Mode
from ...domain.report import Publication, Staged
from . import ledger, relations
from .placement import Placement, table_of
from .row_sums import SETTINGS
from .rows import as_json, shape
from .shaping import commit, fitted, widen

LOCK_MILLISECONDS = 1000
"""How long a publisher waits for another one, before it lets go of all it holds and tries again."""

_STATEMENT_MILLISECONDS = 10_000


class Publishing:
    """One try to publish. ``change_timeout``: seconds for one statement that changes rows in place.

    ``commit_sent`` says whether the server may have been told to commit, ``is_unpublished`` whether the ledger, asked
    under the fence's lock, knew of nothing: then no earlier try has come through, or ever will.
    """

    def __init__(
        self,
        connection: Any,
        request: PublishRequest,
        staged: tuple[Staged, ...],
        *,
        schema: str,
        idle_timeout: float,
        change_timeout: float,
    ) -> None:
        self._connection, self._request, self._schema = connection, request, schema
        self._staged = tuple(sorted(staged, key=lambda item: item.spec.name))
        self._by_version = {item.version: item for item in staged}
        self._idle_milliseconds = int(idle_timeout * 1000)
        self._in_place = any(item.spec.mode.in_place for item in staged)
        self._statement_milliseconds = int(change_timeout * 1000) if self._in_place else _STATEMENT_MILLISECONDS
        self.commit_sent = False
        self.is_unpublished = False

    async def prepare(self) -> None:
        """What no reader notices: attach new versions to their reports, and give tables further columns.

        Reports yet to be made come later. What does not fit is refused later, after the fence had its say.
        """
        for row in await self._locations():
            item = self._by_version[row["version"]]
            if row["report_schema"] is None:
                continue
            try:
                how = fit(shape(row), item.spec, item.columns)
            except ReportMismatch:
                continue
            if item.spec.mode.in_place:
                if how is Fit.EXTEND:
                    await self._widen(item, row["report_schema"])
            elif how is Fit.SAME and row["parent"] is None:
                async with self._connection.transaction():
                    await self._connection.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
                    await self._connection.execute(
                        relations.attach(item, row["report_schema"], row["generation"], table_of(row))
                    )
        failpoint("publish.attached")

    async def publish(self) -> tuple[Publication, ...]:
        """Everything or nothing. Raises the driver's errors, the port's, :class:`NotReady` and :class:`InTheWay`."""
        await self._begin()
        fence = await self._connection.fetchrow(_LOCK_FENCE, self._request.run_id)
        # in a statement after the lock, so that it sees whatever the transaction waited for has written
        published = await ledger.published(self._connection, self._request.run_id)
        if published or not self._staged:
            await self._connection.execute("ROLLBACK")
            return published
        self.is_unpublished = True
        self._check_fence(fence)
        failpoint("publish.fence_checked")
        places = [await place.fill() for place in await self._lock_reports()]
        failpoint("publish.changed")
        published = await self._write_ledger(places)
        failpoint("publish.ledger_written")
        await self._point(places)
        failpoint("publish.pointed")
        self.commit_sent = True
        await commit(self._connection, [statement for place in places for statement in place.last])
        failpoint("publish.committed")
        return published

    async def _begin(self) -> None:
        await self._connection.execute(
            f"BEGIN; SET LOCAL lock_timeout = {LOCK_MILLISECONDS}; "
            f"SET LOCAL statement_timeout = {self._statement_milliseconds}; "
            # a publisher that is stopped here must not keep its successor waiting
            f"SET LOCAL idle_in_transaction_session_timeout = {self._idle_milliseconds}"
        )

    def _check_fence(self, fence: Mapping[str, Any] | None) -> None:
        request = self._request
        if fence is not None and fence["closed_as"] is not None:
            raise Fenced(request.run_id, f"the run was closed as {fence['closed_as']}")
        if fence is None or (fence["fence"], fence["attempt_id"]) != (request.fence, request.attempt_id):
            raise Fenced(request.run_id, "a newer attempt holds the fence")

    async def _locations(self) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = await self._connection.fetch(_LOCATIONS, list(self._by_version))
        return rows

    async def _widen(self, item: Staged, schema: str) -> None:
        async def read_shape() -> Shape:
            return shape((await self._connection.fetch(_LOCK_REPORTS, [item.spec.name]))[0])

        await self._begin()
        await widen(self._connection, item, schema, read_shape)

    async def _lock_reports(self) -> list[Placement]:
        """Make sure of every report: locked in name order, and fit for the rows."""
        names = [item.spec.name for item in self._staged]
        made = await self._connection.fetch(
            _MAKE_REPORTS,
            names,
            [as_json(item.columns) for item in self._staged],
            [as_json(item.spec.key) for item in self._staged],
            [item.spec.mode.value for item in self._staged],
            self._schema,
        )
        new = {row["name"] for row in made}
        reports = {row["name"]: row for row in await self._connection.fetch(_LOCK_REPORTS, names)}
        shown = {row["report"]: row for row in await self._connection.fetch(_SHOWN, names)}
        locations = {row["version"]: row for row in await self._locations()}
        if self._in_place:
            await self._connection.execute(SETTINGS)
        before = await ledger.last_rows(self._connection, names) if self._in_place else {}
        places = []
        for item in self._staged:
            name, location = item.spec.name, locations.get(item.version)
            if name not in new:
                await self._check_fit(item, shape(reports[name]), shown.get(name), reports[name]["schema_name"])
            if location is None:
                raise Fenced(self._request.run_id, f"what it had staged for report {name} was discarded")
            now = None if name in new else shown[name]
            places.append(Placement(self._connection, item, reports[name], location, now, before.get(name)))
        return places

    async def _check_fit(self, item: Staged, now: Shape, shown: Mapping[str, Any] | None, schema: str) -> None:
        slot, newest = self._request.slot, None if shown is None else shown["slot"]
        versions = item.spec.mode is Mode.REPLACE is now.mode  # where rows are added, the order of slots is no matter
        if versions and newest is not None and slot is not None and newest > slot:
            raise Superseded(item.spec.name, slot, newest)
        await fitted(self._connection, now, item, schema)

    async def _write_ledger(self, places: list[Placement]) -> tuple[Publication, ...]:
        written = [
            await ledger.write(self._connection, self._request, place.item, place.after.generation, place.account)
            for place in places
        ]
        await self._connection.executemany(
            "UPDATE kubescribe.report SET columns = $2, key = $3, mode = $4, generation = $5 WHERE name = $1",
            [
                (
                    place.item.spec.name,
                    as_json(place.after.columns),
                    as_json(place.after.key),
                    place.after.mode.value,
                    place.after.generation,
                )
                for place in places
            ],
        )
        return tuple(written)

    async def _point(self, places: list[Placement]) -> None:
        await self._connection.executemany(
            _POINT,
            [(place.item.spec.name, place.version, self._request.slot, place.after.generation) for place in places],
        )
        moved = [place.item.version for place in places if place.version != place.item.version]
        if moved:  # their rows are in the report now: whoever retires next drops what they were staged in
            await self._connection.execute(_CONDEMN, moved)


_LOCK_FENCE = "SELECT fence, attempt_id, closed_as FROM kubescribe.fence WHERE run_id = $1 AND part = 0 FOR UPDATE"
_SHAPE = "r.columns AS report_columns, r.mode AS report_mode, r.key AS report_key, r.generation"
_LOCATIONS = f"""
SELECT s.version, s.report, s.schema_name, s.table_name, r.schema_name AS report_schema, {_SHAPE},
       (SELECT p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = t.oid) AS parent
FROM kubescribe.staged s
JOIN pg_namespace n ON n.nspname = s.schema_name
JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = s.table_name
LEFT JOIN kubescribe.report r ON r.name = s.report
WHERE s.version = ANY ($1) AND s.condemned_at IS NULL
ORDER BY s.report COLLATE "C"
"""  # noqa: S608
# Reports are made and locked in one order, so that runs which publish overlapping sets wait and never deadlock.
_MAKE_REPORTS = """
INSERT INTO kubescribe.report (name, columns, key, mode, schema_name)
SELECT name, columns::jsonb, key::jsonb, mode, $5
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new (name, columns, key, mode)
ORDER BY name COLLATE "C"
ON CONFLICT (name) DO NOTHING
RETURNING name
"""
_LOCK_REPORTS = f"""
SELECT r.name, r.schema_name, {_SHAPE}, EXISTS (
         SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = r.schema_name AND c.relname = r.name AND c.relkind = 'v') AS has_view
FROM kubescribe.report r WHERE name = ANY ($1) ORDER BY name COLLATE "C" FOR UPDATE OF r
"""  # noqa: S608
_SHOWN = """
SELECT c.report, c.version, c.slot, s.schema_name, s.table_name
FROM kubescribe.current c LEFT JOIN kubescribe.staged s ON s.version = c.version WHERE c.report = ANY ($1)
"""
# A run without a slot leaves the slot as it is: what it published is not older than what it replaced.
_POINT = """
INSERT INTO kubescribe.current AS c (report, version, slot, generation) VALUES ($1, $2, $3, $4)
ON CONFLICT (report) DO UPDATE
  SET version = excluded.version, slot = coalesce(excluded.slot, c.slot), generation = excluded.generation
"""
_CONDEMN = "UPDATE kubescribe.staged SET condemned_at = clock_timestamp() WHERE version = ANY ($1)"
