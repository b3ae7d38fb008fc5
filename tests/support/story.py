"""Everything that is on record about one run, and what was seen of it: the whole story, for a check or a reader."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from kubescribe.adapters.local import process_tree
from kubescribe.adapters.report.catalogue import PostgresReportCatalogue

from .addresses import asyncpg_address
from .family import REPORTS, Plan
from .report_reader import Seen
from .supervised import Supervised
from .world import World

Row = dict[str, Any]
TERMINAL = ("succeeded", "failed", "lost", "cancelled", "skipped")


@dataclass(frozen=True)
class Ending:
    """How one of the run's supervisors ended."""

    pid: int
    exit_code: int
    sent: tuple[str, ...]
    """The signals that the test sent to it."""
    what: str
    output: str

    @property
    def by_itself(self) -> bool:
        return "SIGKILL" not in self.sent


@dataclass(frozen=True)
class Story:
    """One run, after recovery."""

    run_id: UUID
    plan: Plan
    """What it publishes, as the pipeline; a command publishes nothing."""
    run: Row | None
    attempts: list[Row]
    events: list[Row]
    outbox: list[Row]
    notices: list[Row]
    """Everything that is to be told of its pipeline, in the order in which it was written."""
    outputs: list[Row]
    ledger: list[Row]
    fence: Row | None
    leftovers: list[Row]
    """Versions that it staged, and that nobody will ever publish or clear away."""
    endings: list[Ending]
    alive: list[int]
    seen: list[Seen]
    """What readers saw of this run."""
    shown: Seen | None
    """What the reports show now."""
    current: list[Row]
    newest: list[Row]
    """The ledger's last row of each report."""
    contents: dict[int, tuple[int, str]]
    """Rows and checksum of each version of this run that is still there, in mode ``replace``."""
    misplaced: list[str]
    """Reports, of whatever run, that do not hold what the model of all publications says."""
    impossible: list[str]
    """What readers saw of the reports, in one moment, and that never was."""
    unverified: list[str]
    """What ``kubescribe verify`` says against a report."""
    orphans: list[str]
    """Tables that nobody will ever look at or drop, and records of tables that are not there."""
    faults: list[str]
    """What the reader complained about."""
    plot: list[str] = field(default_factory=list)
    """What the test did."""

    @property
    def status(self) -> str | None:
        return None if self.run is None else str(self.run["status"])

    def attempts_of(self, ending: Ending) -> list[Row]:
        return [one for one in self.attempts if one["whereabouts"]["pid"] == ending.pid]

    def __str__(self) -> str:
        def listed(rows: list[Row]) -> str:
            return "".join(f"\n    {json.dumps(row, default=str)}" for row in rows) or " none"

        endings = "".join(
            f"\n    {one.what}\n      pid {one.pid}, sent {one.sent}, exit code {one.exit_code}; it said:\n"
            + "".join(f"        {line}\n" for line in one.output.splitlines()[-12:])
            for one in self.endings
        )
        return (
            f"run {self.run_id}\n  plot: {'; '.join(self.plot)}\n  record: {json.dumps(self.run, default=str)}"
            f"\n  attempts:{listed(self.attempts)}\n  events:{listed(self.events)}\n  outbox:{listed(self.outbox)}"
            f"\n  outputs:{listed(self.outputs)}\n  ledger:{listed(self.ledger)}\n  fence: {self.fence}"
            f"\n  left over:{listed(self.leftovers)}\n  current:{listed(self.current)}\n  newest:{listed(self.newest)}"
            f"\n  shown: {self.shown}\n  seen of it: {self.seen}\n  processes alive: {self.alive}"
            f"\n  plan:{listed([msgspec.structs.asdict(part) for part in self.plan])}"
            f"\n  supervisors:{endings}\n  reader: {self.faults}"
        )


def tell(world: World, run_id: UUID, *, plan: Plan, plot: list[str]) -> Story:
    """Collect the story of a run, when everything is quiet."""
    runs = world.rows("runlog", "SELECT * FROM run WHERE id = %s", run_id)
    attempts = world.rows("runlog", "SELECT * FROM attempt WHERE run_id = %s ORDER BY number", run_id)
    ledger = world.rows("report", f"{_LEDGER} WHERE run_id = %s AND kind = 'publish' ORDER BY report", run_id)
    fences = world.rows("report", "SELECT * FROM kubescribe.fence WHERE run_id = %s", run_id)
    seen = [one for one in world.reader.seen if one.marker == str(run_id)]
    return Story(
        run_id=run_id,
        plan=plan,
        run=runs[0] if runs else None,
        attempts=attempts,
        events=world.rows("runlog", "SELECT * FROM event WHERE run_id = %s ORDER BY seq", run_id),
        outbox=world.rows("runlog", "SELECT * FROM outbox WHERE run_id = %s", run_id),
        notices=world.rows("runlog", _NOTICES, run_id),
        outputs=world.rows("runlog", _OUTPUTS, run_id),
        ledger=ledger,
        fence=fences[0] if fences else None,
        leftovers=world.rows("report", _LEFTOVERS, run_id),
        endings=[_ending(one) for one in world.processes if {str(run_id), "reconcile"} & set(one.arguments)],
        alive=[stat.pid for one in attempts for stat in process_tree.members(one["id"])],
        seen=seen,
        shown=world.reader.last,
        current=world.rows("report", "SELECT report, version FROM kubescribe.current ORDER BY report"),
        newest=world.rows("report", _NEWEST),
        contents={row["version"]: content for row in ledger if (content := _content(world, row))},
        misplaced=world.history.differences(),
        impossible=world.history.unknown(world.reader.moments.copy()),
        unverified=_unverified(world),
        orphans=[row["what"] for row in world.rows("report", _ORPHANS)],
        faults=list(world.reader.faults),
        plot=plot,
    )


def _ending(process: Supervised) -> Ending:
    code = process.exit_code
    assert code is not None
    return Ending(process.pid, code, tuple(process.sent), " ".join(process.arguments), process.output)


def _content(world: World, published: Row) -> tuple[int, str] | None:
    """Counted and digested anew, as DESIGN section 6 describes it."""
    found = world.rows("report", _STAGED, published["version"])
    if not found or published["mode"] != "replace":
        return None
    table = f'"{found[0]["schema_name"]}"."{found[0]["table_name"]}"'
    digest = hashlib.sha256()
    statement = f"COPY {table} ({', '.join(found[0]['names'])}) TO STDOUT (FORMAT binary)"
    with world.connection("report").cursor().copy(statement.encode()) as copy:
        for block in copy:
            digest.update(block)
    count = world.rows("report", f"SELECT count(*) AS rows FROM {table}")
    return count[0]["rows"], f"sha256:{digest.hexdigest()}"


def _unverified(world: World) -> list[str]:
    catalogue = PostgresReportCatalogue(asyncpg_address(world.url("report")))

    async def verify() -> list[str]:
        found = await asyncio.gather(*(catalogue.verify(report) for report in REPORTS))
        return [f"{one.report}: {difference}" for one in found for difference in one.differences]

    return asyncio.run(verify())


_LEDGER = (
    "SELECT id, report, run_id, version, kind, mode, generation, attempt_id, fence, rows, checksum "
    "FROM kubescribe.publication"
)
# Where rows change in place, the pointer stays at the first version of the report's generation.
_NEWEST = f"""
SELECT DISTINCT ON (report) report, run_id, CASE mode WHEN 'replace' THEN version ELSE (
  SELECT min(f.version) FROM kubescribe.publication f WHERE f.report = p.report AND f.generation = p.generation
) END AS version
FROM ({_LEDGER}) p ORDER BY report, id DESC
"""
_STAGED = """
SELECT schema_name, table_name, ARRAY(SELECT c ->> 'name' FROM jsonb_array_elements(columns) c) AS names
FROM kubescribe.staged WHERE version = %s
"""
_ORPHANS = """
SELECT 'table ' || relname AS what FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'reports' AND relkind = 'r'
  AND NOT EXISTS (SELECT FROM kubescribe.staged WHERE schema_name = nspname AND table_name = relname)
UNION ALL
SELECT 'record of ' || table_name FROM kubescribe.staged
WHERE condemned_at IS NULL AND to_regclass(format('%%I.%%I', schema_name, table_name)) IS NULL
UNION ALL
SELECT 'staged ' || table_name FROM kubescribe.staged s
WHERE condemned_at IS NULL AND NOT EXISTS (SELECT FROM kubescribe.publication p WHERE p.version = s.version)
"""
_LEFTOVERS = """
SELECT version, report, attempt_id, condemned_at FROM kubescribe.staged s WHERE run_id = %s AND condemned_at IS NULL
  AND NOT EXISTS (SELECT FROM kubescribe.publication p WHERE p.version = s.version)
"""
_NOTICES = """
SELECT outbox.* FROM outbox JOIN run USING (tenant, pipeline) WHERE run.id = %s ORDER BY outbox.id
"""
_OUTPUTS = """
SELECT attempt_id, data FROM note JOIN attempt ON attempt.id = note.attempt_id
WHERE run_id = %s AND kind = 'output' AND data ->> 'published' = 'true'
"""
