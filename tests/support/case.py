"""One run under faults: what may be done to it, how the world recovers afterwards, and when all is quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from .family import TWINS, Plan
from .family_plans import AGAIN
from .invariants import Broken, check
from .story import Story, tell
from .supervised import Supervised
from .world import FAMILY, World

PASSES = 6
"""Within so many passes of the reconciler a world without faults has to be quiet."""


@dataclass
class Case:
    """A run under faults."""

    world: World
    command: tuple[str, ...] = ()
    plan: Plan | None = None
    """What it publishes; None: something that is drawn."""
    plot: list[str] = field(default_factory=list)
    work: tuple[str, ...] = FAMILY
    """What ``kubescribe`` is asked for, where it is no command: ``run NAME`` or ``publish REPORT FILE …``."""
    run_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.run_id = UUID(int=self.world.dice.getrandbits(128), version=4)
        if self.plan is not None:
            self.world.history.plans[self.run_id] = self.plan
        elif not self.command:
            self.world.plan(self.run_id)

    def start(self, *options: str, hold: str | None = None, **environment: str) -> Supervised:
        self.plot.append(f"start, held at {hold}" if hold else "start")
        return self.world.start(
            self.run_id, *options, hold=hold, command=self.command, work=self.work, environment=environment
        )

    def retry(self) -> Supervised:
        """Another supervisor of the same run, from start to end."""
        self.plot.append("retry")
        process = self.start()
        process.ended()
        return process

    def kill(self, process: Supervised, how: Callable[[Supervised], None] = Supervised.kill) -> None:
        """SIGKILL to the supervisor or, with another ``how``, to its worker or both."""
        how(process)
        self.world.acts["kills"] += 1

    def wake(self, process: Supervised) -> None:
        """SIGCONT to who was stopped, if it is still there."""
        self.plot.append("wake")
        if process.exit_code is not None:
            return
        process.thaw()
        mine = [one for one in self.world.processes if str(self.run_id) in one.arguments]
        self.world.acts["stops with a retry" if mine[-1] is not process else "stops without one"] += 1

    def reconcile(self) -> None:
        self.plot.append("reconcile")
        self.world.reconciler()

    def crash(self, database: str, *, away: bool = False) -> None:
        self.plot.append(f"crash {database}" + (", for long" if away else ""))
        self.world.crash(database)
        self.world.acts[f"crashes of {database}"] += 1
        if not away:
            self.world.up()

    def lose_sight(self) -> None:
        """Let the newest attempt's supervisor look as if it had gone, though it lives."""
        self.plot.append("lose sight")
        self.world.change(
            "runlog",
            "UPDATE attempt SET whereabouts = whereabouts || '{\"started_ticks\": 1}' FROM run "
            "WHERE run.id = %s AND attempt.id = run.attempt_id",
            self.run_id,
        )

    def settle(self) -> None:
        """Everything up again, everybody ended, and the reconciler at work until all is quiet."""
        self.world.up()
        for process in self.world.processes:
            process.ended()
        for passes in range(1, PASSES + 1):
            before, spooled = footprint(self.world), self.world.spooled()
            done = self.world.reconciler()
            after = footprint(self.world)
            if not done.changed and not spooled and after["runlog"] != before["runlog"]:
                rows = "\n  ".join(sorted(after["runlog"] ^ before["runlog"]))
                why = f"a pass that says it changed nothing has changed RunLog, before and after:\n  {rows}"
                raise Broken("I-25", why, self.story())
            if after == before and not done.problems and not done.errors:
                break
            if passes == PASSES:
                raise Broken("I-25", f"the reconciler does not come to an end: {done}", self.story())
        published = self.world.rows("report", "SELECT FROM kubescribe.publication WHERE run_id = %s", self.run_id)
        self.world.wait(lambda: not published or self._is_shown(), "the reader to look again")

    def _is_shown(self) -> bool:
        last = self.world.reader.last
        newest = self.world.rows("report", _NEWEST, list(TWINS))
        return last is not None and last.marker == str(newest[0]["run_id"])

    def story(self) -> Story:
        plan = self.world.history.plans.get(self.run_id, ())
        return tell(self.world, self.run_id, plan=plan, plot=self.plot)

    def judge(self) -> Story:
        """Hold the story against every invariant; the world has to have settled."""
        story = self.story()
        self.world.spoiled |= bool(story.misplaced or story.impossible or story.unverified or story.orphans)
        check(story)
        return story

    def check(self, *, must_succeed: bool = False) -> Story:
        """Settle, and hold the story against every invariant."""
        self.settle()
        story = self.judge()
        self.world.processes.clear()
        if must_succeed and story.status != "succeeded":
            raise Broken("liveness", f"it should have survived this, and it is {story.status}", story)
        return story


def left_over(world: World) -> list[str]:
    """What a last run of every report, with no reader in its way, leaves of those before it. Ends the reader.

    What is in the way of it is told too.
    """
    case = Case(world, plan=AGAIN)
    case.start().ended()
    case.check(must_succeed=True)
    world.reader.stop()
    last = Case(world, plan=AGAIN)
    assert last.start().ended() == 0
    world.processes.clear()
    left = [row["what"] for row in world.rows("report", _LEFT_OVER, world.keep)]
    return left + [row["what"] for row in world.rows("report", _IN_THE_WAY)] if left else []


def footprint(world: World) -> dict[str, frozenset[str]]:
    """For each database everything that a reconciler could change: each row with its version."""
    return {
        database: frozenset(
            f"{table} {row['xmin']} {row['t']}"
            for table in tables
            for row in world.rows(database, f"SELECT xmin::text, t::text FROM {table} t")
        )
        for database, tables in _TABLES.items()
    }


_NEWEST = "SELECT run_id FROM kubescribe.publication WHERE report = ANY(%s) ORDER BY id DESC LIMIT 1"
_LEFT_OVER = """
SELECT format('%%s versions of %%s', count(*), report) AS what
FROM kubescribe.staged s JOIN kubescribe.report r ON r.name = s.report
GROUP BY report, mode HAVING count(*) > CASE mode WHEN 'replace' THEN %s ELSE 1 END
UNION ALL
SELECT 'parent ' || relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'reports' AND relkind = 'p'
  AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = pg_class.oid)
UNION ALL
SELECT 'table ' || relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'reports' AND relkind = 'r'
  AND NOT EXISTS (SELECT FROM kubescribe.staged WHERE table_name = relname)
"""
_IN_THE_WAY = """
SELECT format('session %%s (%%s): %%s', pid, backend_type, query) AS what
FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
UNION ALL
SELECT format('%%s is being detached', inhrelid::regclass) FROM pg_inherits WHERE inhdetachpending
"""
_TABLES = {
    "runlog": ("run", "attempt", "event", "outbox", "run_figures", "incident"),
    "report": tuple(f"kubescribe.{name}" for name in ("fence", "staged", "current", "publication")),
}
