"""Supervisors as local processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...application.ports.launcher import JobState, Sighting
from ...domain.attempt import Attempt, Whereabouts
from ...domain.errors import LauncherBusy, LaunchRefused
from ...domain.run import Run
from . import machine, process_tree
from .supervisor_slots import SupervisorSlots

_OF_A_PAYLOAD = (process_tree.ATTEMPT_VARIABLE, "KUBESCRIBE_EVENTS", "KUBESCRIBE_RUN_ID", "KUBESCRIBE_FAILPOINT")
"""What makes a process a part of another run: a supervisor that had it would be ended with that run's payload."""


class LocalLauncher:
    """The :class:`~kubescribe.application.ports.launcher.Launcher` of this machine."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        logs: Path,
        payloads: Path | None = None,
        limit: int | None = None,
    ) -> None:
        """``command``: what begins a supervisor's command line, up to the pipeline's name.

        ``logs``: for what supervisors print, and for the locks by which they are counted. ``payloads``: where they keep
        a folder for each attempt; None: they keep none that outlives them. ``limit``: how many may be there at once.
        """
        self._slots = SupervisorSlots(logs / "supervisors")
        self._limit = limit
        self._payloads = payloads
        self._command = list(command)
        self._environment = {name: value for name, value in environment.items() if name not in _OF_A_PAYLOAD}
        self._folder = folder
        self._logs = logs
        self._started: list[subprocess.Popen[bytes]] = []

    async def launch(self, run: Run) -> None:
        """Start a supervisor that outlives this process; the parameters wait for it in RunLog."""
        try:
            await asyncio.to_thread(self._launch, run)  # its turn may have to be waited for
        except TimeoutError as error:
            raise LauncherBusy(run.id, f"nothing can be launched on this machine: {error}") from error
        except OSError as error:
            raise LaunchRefused(run.id, str(error)) from error

    def _launch(self, run: Run) -> None:
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._slots.turn():
            self._started = [process for process in self._started if process.poll() is None]
            slot = self._slots.take(run.id)
            if slot is None:
                return
            try:
                if self._limit is not None and self._slots.taken() > self._limit:  # our own lock is among them
                    self._slots.give_back(run.id)
                    raise LauncherBusy(
                        run.id,
                        f"{self._limit} are at work on this machine, the most that KUBESCRIBE_MAX_RUNS allows",
                        for_all=True,
                    )
                self._started.append(self._start(run, slot))
            finally:
                os.close(slot)

    def _start(self, run: Run, slot: int) -> subprocess.Popen[bytes]:
        with (self._logs / f"{run.id}.log").open("ab") as log:
            return subprocess.Popen(
                [*self._command, run.pipeline, "--run-id", str(run.id)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**self._environment, "KUBESCRIBE_TENANT": run.tenant},
                cwd=self._folder,
                start_new_session=True,
                pass_fds=(slot,),  # it holds its slot until it ends
            )

    async def look(self, run: Run, attempt: Attempt | None) -> Sighting:
        """Compare the supervisor's process id and start with what this machine runs now."""
        if attempt is None:
            return await asyncio.to_thread(self._look_before, run)
        where, here = attempt.whereabouts, machine.whereabouts()
        if (where.host, where.machine) != (here.host, here.machine):
            return Sighting(state=JobState.UNKNOWN, detail=f"it runs on {where.host}, which cannot be seen from here")
        if where.boot_id != here.boot_id:
            detail = f"{where.host} was started anew since"
            return Sighting(state=JobState.GONE, detail=detail, machine_restarted=True)
        stat = machine.read_stat(where.pid) if where.pid else None
        if stat is None or stat.started_ticks != where.started_ticks:
            return Sighting(state=JobState.GONE, detail=f"its supervisor (process {where.pid}) is gone")
        stopped = ", and is stopped" if stat.state in "Tt" else ""
        return Sighting(state=JobState.ALIVE, detail=f"its supervisor (process {where.pid}) is there{stopped}")

    def _look_before(self, run: Run) -> Sighting:
        there = None
        with contextlib.suppress(OSError), self._slots.turn():
            there = self._slots.state(run.id)
        if there is None:
            return Sighting(state=JobState.UNKNOWN, detail="no attempt has taken the run yet")
        if there:
            return Sighting(state=JobState.ALIVE, detail="its supervisor is starting")
        what = f"its supervisor ended before it could take the run: see {self._logs / f'{run.id}.log'}"
        return Sighting(state=JobState.GONE, detail=what)

    async def stop(self, run: Run, attempt: Attempt | None) -> None:
        """SIGUSR1: a supervisor of ours takes it for the word that its run is being cancelled."""
        if attempt is None:
            return
        where, here = attempt.whereabouts, machine.whereabouts()
        if (where.host, where.machine, where.boot_id) != (here.host, here.machine, here.boot_id) or not where.pid:
            return
        stat = machine.read_stat(where.pid)
        if stat is not None and stat.started_ticks == where.started_ticks and stat.pid != os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(stat.pid, signal.SIGUSR1)

    async def clean(self, run: Run, attempt: Attempt | None) -> None:
        """End the payload's processes, and the supervisor if it is there still; then its folder is nobody's.

        One that has not taken its run yet is let be: it will be told that the run is closed.
        """
        if attempt is None:
            return
        where = attempt.whereabouts
        here = machine.whereabouts()
        if (where.host, where.machine) != (here.host, here.machine):
            return
        if where.boot_id == here.boot_id:
            await self._end(attempt, where)
        if self._payloads is not None:
            await asyncio.to_thread(shutil.rmtree, self._payloads / str(attempt.id), ignore_errors=True)

    async def _end(self, attempt: Attempt, where: Whereabouts) -> None:
        stat = machine.read_stat(where.pid) if where.pid else None
        if stat is not None and stat.started_ticks == where.started_ticks and stat.pid != os.getpid():
            # It has lost its right to publish; what it could still do is to hold a lock or memory.
            # It may end by itself at this moment, or be another user's; what the payload left is ended in any case.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(stat.pid, signal.SIGKILL)
        await asyncio.to_thread(process_tree.end, attempt.id)
