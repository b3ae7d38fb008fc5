"""What may happen to the API while it is asked for runs, and to what it has accepted."""

from __future__ import annotations

from uuid import UUID

from .api_case import ApiCase
from .cuts import cutting
from .story import Story
from .waiting import wait_for
from .world import World

LAUNCHING = ("trigger.accepted", "launch.started", "launch.told")
CANCELLING = (
    "cancel.asked",
    "cancel.closed",
    "cancel.told",
    "cancel.processes_gone",
    "cancel.sessions_gone",
    "cancel.moved",
)


def killed_under_triggers(world: World, *, kills: int, triggers: int, cancelling: float = 0.0) -> dict[str, Story]:
    """SIGKILL at some moment of a stream of triggers, and another one is started; again and again."""
    with ApiCase(world) as case:
        case.start()
        with case.stream(case.keys(triggers), cancelling=cancelling) as over:
            for _ in range(kills):
                _answered(case, world.dice.randint(1, max(1, triggers // (kills + 1))), over.is_set)
                case.moment(0.03)
                case.kill()
                case.start()
        return case.judge()


def killed_at(world: World, step: str) -> Story:
    """SIGKILL at a step of accepting and launching one run: the next API does the rest."""
    with ApiCase(world) as case:
        (key,) = case.keys(1)
        case.start(KUBESCRIBE_FAILPOINT=f"{step}=kill")
        assert case.trigger(key, "unhurried").status == 0, f"it was answered, so {step} was not reached"
        _dead(case, step)
        case.start()
        return case.judge()[key]


def runlog_crashes(world: World, *, crashes: int, triggers: int, cancelling: float) -> dict[str, Story]:
    """RunLog's server stops without a word and comes back, again and again; the API is the same all the time."""
    with ApiCase(world) as case:
        case.start()
        with case.stream(case.keys(triggers), cancelling=cancelling) as over:
            for _ in range(crashes):
                _answered(case, world.dice.randint(1, max(1, triggers // (crashes + 1))), over.is_set)
                case.moment(0.03)
                case.plot.append("RunLog crashes")
                world.crash("runlog")
                world.acts["crashes of runlog"] += 1
                case.moment(0.3)
                world.up()
        assert case.api.process.poll() is None
        wait_for(lambda: case.api.ask("GET", "/readyz", token="")[0] == 200, "the API to be ready again")
        return case.judge()


def commits_are_cut(world: World, *, deliver: bool, cuts: int) -> dict[str, Story]:
    """A connection to RunLog breaks at a COMMIT: its answer is lost, or (``deliver`` False) the COMMIT itself."""
    port = world.clusters["runlog"].port
    with cutting(port, deliver=deliver) as cutter:
        url = world.url("runlog").replace(str(port), str(cutter.port))
        with ApiCase(world, RUNLOG_DB_URL=url) as case:
            case.start()
            for key in case.keys(cuts):
                before = cutter.cuts
                assert case.api.ask("GET", "/session")[0] == 200  # or the cut would be that of finding out who asks
                cutter.arm()
                case.trigger(key)
                world.wait(lambda before=before: cutter.cuts > before, "the cut")  # type: ignore[misc]
            world.acts["cuts of runlog"] += cutter.cuts
            case.plot.append(f"{cutter.cuts} commits cut")
            return case.judge()


def cancel_races_the_end(world: World, *, runs: int) -> dict[str, Story]:
    """Runs are cancelled at some moment of their short lives, twice each."""
    with ApiCase(world) as case:
        case.start()
        for key in case.keys(runs):
            run_id = case.trigger(key).run_id
            assert run_id is not None
            begun = world.dice.random() < 0.8
            if begun:
                _says(case, run_id, "running", "succeeded")
            case.moment(0.5 if begun else 0.3)
            for _ in range(2):
                assert case.cancel(run_id) in (202, 409)
        return case.judge()


def killed_while_cancelling(world: World, step: str) -> Story:
    """The API is killed at a step of a cancel: the next one sees to the end of it."""
    with ApiCase(world) as case:
        (key,) = case.keys(1)
        case.start(KUBESCRIBE_FAILPOINT=f"{step}=kill")
        run_id = case.trigger(key, "steady").run_id
        assert run_id is not None
        _at_work(case, run_id)
        status = case.cancel(run_id)
        assert status in (0, 202)
        _dead(case, step)
        case.start()
        story = case.judge()[key]
        assert story.status == "cancelled", story
        return story


def launcher_that_cannot(world: World) -> Story:
    """No supervisor can be started, and never will be: where its output would go is no folder."""
    with ApiCase(world) as case:
        (case.folder / "broken").mkdir()
        (case.folder / "broken" / "logs").touch()
        (key,) = case.keys(1)
        case.start(KUBESCRIBE_HOME=str(case.folder / "broken"))
        assert case.trigger(key).status == 202
        return case.judge()[key]


def supervisors_that_cannot_begin(world: World) -> Story:
    """The API knows the pipeline, and its supervisors do not: the module has gone since it started."""
    with ApiCase(world, KUBESCRIBE_PIPELINES="gone_later") as case:
        module = case.folder / "gone_later.py"
        module.write_text(_MODULE)
        (key,) = case.keys(1)
        case.start(PYTHONPATH=f"{case.commands.environment['PYTHONPATH']}:{case.folder}")
        module.unlink()
        assert case.trigger(key).status == 202
        return case.judge()[key]


_MODULE = """
from kubescribe import Context, pipeline

@pipeline(reports=(), start_deadline="4s")
def brief(run: Context) -> None:
    pass
"""


def _answered(case: ApiCase, more: int, over: object) -> None:
    """Wait for so many further answers, or until the client has no more questions."""
    before = sum(map(len, case.answers.values()))
    assert callable(over)
    wait_for(lambda: over() or sum(map(len, case.answers.values())) >= before + more, "answers", every=0.001)


def _dead(case: ApiCase, step: str) -> None:
    wait_for(lambda: case.api.process.poll() is not None, f"the API to come to {step}", timeout=60)
    case.died(f"at {step}")


def _says(case: ApiCase, run_id: UUID, *statuses: str) -> None:
    wait_for(lambda: case.status(run_id) in statuses, f"the run to be {statuses}", timeout=60, every=0.01)


def _at_work(case: ApiCase, run_id: UUID) -> None:
    query = "SELECT 1 FROM note JOIN attempt ON attempt.id = attempt_id WHERE run_id = %s AND kind = 'progress'"
    wait_for(lambda: case.world.rows("runlog", query, run_id), "its work", timeout=60, every=0.02)
