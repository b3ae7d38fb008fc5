"""The product with a planted bug: a copy of ``src`` with one text changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .family_plans import AGAIN
from .faults import Action, Fault, play
from .races import taken_during_the_verdict, wakes_beside_its_successor, wakes_during_the_verdict
from .story import Story
from .supervised import ROOT
from .world import World


@dataclass(frozen=True)
class Mutant:
    """``old`` is found exactly once in the file: who changes the product there has to change the mutant too."""

    name: str
    file: str
    old: str
    new: str
    case: Callable[[World], Story]
    """In which the bug shows, and the product passes."""
    breaks: tuple[str, ...]
    """The checks of which one has to say so."""


def copied(folder: Path, mutant: Mutant | None = None) -> Path:
    """A folder to be put in PYTHONPATH. Compiled files come along, so that nothing is compiled twice."""
    package = folder / "kubescribe"
    shutil.copytree(ROOT / "src", package)
    if mutant is not None:
        file = package / mutant.file
        text = file.read_text()
        assert text.count(mutant.old) == 1, f"{mutant.file} has changed: plant {mutant.name!r} anew"
        file.write_text(text.replace(mutant.old, mutant.new))
    return folder


def _played(step: str, action: Action) -> Callable[[World], Story]:
    return lambda world: play(world, Fault(step, action))


def _in_every_mode(step: str, action: Action) -> Callable[[World], Story]:
    """A run after another one, both in every mode."""

    def case(world: World) -> Story:
        play(world, Fault("attempt.started", Action.NOTHING), AGAIN)
        return play(world, Fault(step, action), AGAIN)

    return case


MUTANTS = (
    Mutant(
        "the fence is not checked when publishing",
        "adapters/report/publication.py",
        "        self._check_fence(fence)\n",
        "",
        _played("attempt.checked", Action.STOP_AND_GIVE_UP),
        ("the dead do not write",),
    ),
    Mutant(
        "the fence is not checked where rows change in place",
        "adapters/report/publication.py",
        "        self._check_fence(fence)\n",
        "        if not self._in_place:\n            self._check_fence(fence)\n",
        _in_every_mode("attempt.checked", Action.STOP_AND_GIVE_UP),
        ("the dead do not write",),
    ),
    Mutant(
        "rows that go stay in the sum",
        "application/report_account.py",
        "content=str(_content(before.content) - gone.sum + _content(staged.content)),",
        "content=str(_content(before.content) + _content(staged.content)),",
        _in_every_mode("attempt.started", Action.NOTHING),
        ("verify",),
    ),
    Mutant(
        "rows change before the transaction that publishes them",
        "adapters/report/publication.py",
        '        failpoint("publish.changed")\n',
        '        await self._connection.execute("COMMIT; BEGIN")\n        failpoint("publish.changed")\n',
        _in_every_mode("publish.changed", Action.KILL_SUPERVISOR),
        ("the model", "every moment"),
    ),
    Mutant(
        "a merge adds rows and takes none away",
        "adapters/report/row_changes.py",
        '            left = await self._delete(spec.key, "=")\n        elif spec.mode',
        "            pass\n        elif spec.mode",
        _in_every_mode("attempt.started", Action.NOTHING),
        ("the model",),
    ),
    Mutant(
        "a publication whose answer was lost is made again",
        "adapters/report/publication.py",
        "        published = await ledger.published(self._connection, self._request.run_id)\n",
        "        published: tuple[Publication, ...] = ()\n",
        _in_every_mode("publish.pointed", Action.CUT_REPORT),
        ("I-11", "I-15", "liveness"),
    ),
    Mutant(
        "a verdict does not compare before it sets",
        "adapters/postgres/run_log.py",
        "            if run.status is not expected or attempt_id not in (None, run.attempt_id):\n"
        "                return None\n",
        "",
        taken_during_the_verdict,
        ("liveness", "I-4", "I-15"),
    ),
    Mutant(
        "the reconciler does not look into the ledger",
        "application/closed_ledger.py",
        '    publications = await fences.publications(run.id)\n    failpoint("reconcile.looked_up")\n',
        "    publications: tuple[Publication, ...] = ()\n",
        _played("publish.committed", Action.KILL_SUPERVISOR),
        ("I-11",),
    ),
    Mutant(
        "the verdict comes before the fence is closed",
        "application/reconcile_runs.py",
        """        try:
            publications = await closed_ledger(self._fences, run, finding.status)
        except DatabaseUnavailable as away:
            return await self._uncertain(run, f"{finding.message}; {away}")
        return await self._move(run, attempt, step_of(finding, publications), finding)
""",
        """        assert self._fences is not None
        publications = await self._fences.publications(run.id)
        after = await self._move(run, attempt, step_of(finding, publications), finding)
        await closed_ledger(self._fences, run, finding.status)
        return after
""",
        lambda world: wakes_during_the_verdict(world, "reconcile.moved"),
        ("I-11",),
    ),
    Mutant(
        "a run is judged by its lease alone",
        "application/reconcile_runs.py",
        "                return await self._give_up(run, attempt, sighting)\n",
        "                silent = Finding(\n"
        "                    status=RunStatus.LOST,\n"
        "                    cause=FailureCause.LEASE_EXPIRED,\n"
        '                    message="it is silent",\n'
        "                    evidence=Evidence.PROCESS_GONE,\n"
        "                )\n"
        "                return await self._verdict(run, attempt, silent)\n",
        _played("worker.read", Action.STOP_AND_RETRY_LATE),
        ("I-15", "liveness"),
    ),
    Mutant(
        "an exit code of 0 is success, whatever the ledger says",
        "application/attempt_publication.py",
        "        except KubescribeError as error:\n            return refused(end, error)\n        for one in",
        "        except KubescribeError:\n            return outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE), False\n"
        "        for one in",
        _played("attempt.checked", Action.AWAY_REPORT),
        ("I-10",),
    ),
    Mutant(
        "any attempt decides, not the newest alone",
        "domain/conclusion.py",
        "    if run.attempt_id != attempt_id or run.status not in",
        "    if run.status not in",
        lambda world: wakes_beside_its_successor(world, "attempt.payload_ended"),
        ("the newest decides",),
    ),
    Mutant(
        "an attempt with an older fence takes the run",
        "application/claims.py",
        "claim.fence < newest.fence:",
        "claim.fence < 0:",
        lambda world: wakes_beside_its_successor(world, "attempt.fenced", command=()),
        ("I-6", "liveness"),
    ),
)
