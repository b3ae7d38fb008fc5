"""Starting supervisors, seeing them, and clearing away what they leave."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.local import machine, supervisor_slots
from kubescribe.adapters.local.launcher import LocalLauncher
from kubescribe.adapters.local.process_tree import ATTEMPT_VARIABLE, members
from kubescribe.adapters.local.supervisor_slots import SupervisorSlots
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.application.ports.launcher import JobState, Launcher
from kubescribe.domain.attempt import Attempt, Whereabouts
from kubescribe.domain.errors import LauncherBusy
from kubescribe.domain.run import Run
from tests.support.builders import HERE, LONG_AGO, a_run
from tests.support.waiting import wait_for

RUN, ATTEMPT, OTHER = UUID(int=0xF00D), UUID(int=0xA77E), UUID(int=0x07)


def an_attempt(attempt_id: UUID, whereabouts: Whereabouts = HERE) -> Attempt:
    return Attempt(
        id=attempt_id, run_id=RUN, number=1, whereabouts=whereabouts, started_at=LONG_AGO, lease_until=LONG_AGO
    )


class World(Protocol):
    starts_anew: bool
    """A supervisor that ended before it took its run can be followed by another: a Job that has failed cannot."""
    limited: bool
    """No more than two at once."""

    @property
    def launcher(self) -> Launcher: ...

    def attempt(self) -> Attempt:
        """One whose supervisor is there."""
        ...

    def end(self, attempt: Attempt) -> None:
        """Its supervisor ends."""
        ...

    def started(self) -> int:
        """How many supervisors were launched."""
        ...

    def leave(self, run_id: UUID) -> None:
        """The launched supervisor of a run ends."""
        ...

    def close(self) -> None: ...


class MemoryWorld:
    starts_anew = limited = True

    def __init__(self) -> None:
        self.launcher = MemoryLauncher(limit=2)

    def started(self) -> int:
        return len(self.launcher.launched)

    def leave(self, run_id: UUID) -> None:
        self.launcher.leave(run_id)

    def attempt(self) -> Attempt:
        return an_attempt(ATTEMPT)

    def end(self, attempt: Attempt) -> None:
        self.launcher.end(attempt.id)

    def close(self) -> None:
        pass


class LocalWorld:
    """Supervisors that only print what they were given; of some tests they wait to be ended."""

    starts_anew = limited = True

    def __init__(self, folder: Path, *, waiting: bool = False) -> None:
        self.logs = folder / "logs"
        echo = "import os, sys; print(sys.argv[1:], os.getcwd(), os.environ['MARK'], sys.stdin.read())"
        command = [sys.executable, "-c", echo]
        if waiting:
            command = ["sh", "-c", "exec sleep 60", "sh"]
        environment = {**os.environ, "MARK": "a mark"}
        self.folder = folder
        self.launcher = LocalLauncher(command, environment=environment, folder=folder, logs=self.logs, limit=2)
        self._starts, self._start = 0, self.launcher._start
        self.launcher._start = self._counted  # type: ignore[method-assign]
        self.processes: list[subprocess.Popen[bytes]] = []

    def process(self, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["sleep", "60"], env={**os.environ, **environment}, start_new_session=True)
        self.processes.append(process)
        return process

    def attempt(self, **changes: Any) -> Attempt:
        process = self.process()
        stat = machine.read_stat(process.pid)
        assert stat is not None
        where = msgspec.structs.replace(machine.whereabouts(), pid=process.pid, started_ticks=stat.started_ticks)
        return an_attempt(ATTEMPT, msgspec.structs.replace(where, **changes))

    def end(self, attempt: Attempt) -> None:
        self.close()

    def started(self) -> int:
        return self._starts

    def _counted(self, run: Run, slot: int) -> subprocess.Popen[bytes]:
        self._starts += 1
        return self._start(run, slot)

    def leave(self, run_id: UUID) -> None:
        for process in self.launcher._started:
            if str(run_id) in process.args:  # type: ignore[operator]
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def close(self) -> None:
        for process in self.launcher._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(params=["memory", "local", pytest.param("kubernetes", marks=pytest.mark.cluster)])
def world(request: pytest.FixtureRequest, tmp_path: Path, loop: asyncio.Runner) -> Iterator[World]:
    world: World
    if request.param == "kubernetes":
        from tests.support.kube.launching import KubernetesWorld

        plane, node = request.getfixturevalue("control_plane"), request.getfixturevalue("node")
        world = KubernetesWorld(loop, plane, request.getfixturevalue("namespace"), node, RUN)
    else:
        world = MemoryWorld() if request.param == "memory" else LocalWorld(tmp_path, waiting=True)
    yield world
    world.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalWorld]:
    world = LocalWorld(tmp_path)
    yield world
    world.close()


def test_a_run_without_an_attempt_cannot_be_seen(world: World, loop: asyncio.Runner) -> None:
    assert loop.run(world.launcher.look(a_run(RUN), None)).state is JobState.UNKNOWN


def test_alive_until_it_is_gone(world: World, loop: asyncio.Runner) -> None:
    attempt = world.attempt()
    assert loop.run(world.launcher.look(a_run(RUN), attempt)).state is JobState.ALIVE
    world.end(attempt)
    sighting = loop.run(world.launcher.look(a_run(RUN), attempt))
    assert (sighting.state, sighting.machine_restarted) == (JobState.GONE, False)
    assert sighting.detail


def test_a_run_that_is_launched_again_has_one_supervisor(world: World, loop: asyncio.Runner) -> None:
    run = a_run(RUN)

    async def many() -> None:
        await asyncio.gather(*(world.launcher.launch(run) for _ in range(20)))

    loop.run(many())
    assert world.started() == 1
    assert loop.run(world.launcher.look(run, None)).state is JobState.ALIVE


def test_a_supervisor_that_ends_before_it_takes_its_run_is_seen_gone(world: World, loop: asyncio.Runner) -> None:
    run = a_run(RUN)
    loop.run(world.launcher.launch(run))
    world.leave(RUN)
    wait_for(lambda: loop.run(world.launcher.look(run, None)).state is JobState.GONE, "the supervisor to go")
    loop.run(world.launcher.launch(run))
    assert world.started() == (2 if world.starts_anew else 1)


def test_more_than_the_limit_wait_until_one_ends(world: World, loop: asyncio.Runner) -> None:
    if not world.limited:
        pytest.skip("a cluster's limits are its quotas: see tests/cluster/runs/test_api_server.py")
    first, second, third = (a_run(UUID(int=number)) for number in (1, 2, 3))
    loop.run(world.launcher.launch(first))
    loop.run(world.launcher.launch(second))
    loop.run(world.launcher.launch(second))  # it is there already, and needs no further place
    with pytest.raises(LauncherBusy, match=f"{third.id} waits for its supervisor: 2"):
        loop.run(world.launcher.launch(third))
    assert loop.run(world.launcher.look(third, None)).state is JobState.UNKNOWN
    world.leave(first.id)

    def launched() -> bool:
        try:
            loop.run(world.launcher.launch(third))
        except LauncherBusy:
            return False
        return True

    wait_for(launched, "a place to be free")
    assert world.started() == 3


def test_telling_what_is_gone_or_was_never_there_does_nothing(world: World, loop: asyncio.Runner) -> None:
    attempt = world.attempt()
    world.end(attempt)
    loop.run(world.launcher.stop(a_run(RUN), attempt))
    loop.run(world.launcher.stop(a_run(RUN), None))


def test_what_was_cleaned_is_gone(world: World, loop: asyncio.Runner) -> None:
    attempt = world.attempt()
    for _ in range(2):  # cleaning what is gone does nothing
        loop.run(world.launcher.clean(a_run(RUN), attempt))
        wait_for(lambda: loop.run(world.launcher.look(a_run(RUN), attempt)).state is JobState.GONE, "the attempt to go")


class TestLocal:
    """What only processes can do."""

    def test_a_process_id_that_was_used_again_is_not_mistaken(self, local: LocalWorld, loop: asyncio.Runner) -> None:
        attempt = local.attempt(started_ticks=1)
        assert loop.run(local.launcher.look(a_run(RUN), attempt)).state is JobState.GONE
        loop.run(local.launcher.clean(a_run(RUN), attempt))
        assert local.processes[0].poll() is None, "a stranger was killed"

    def test_another_boot_is_the_end_of_all(self, local: LocalWorld, loop: asyncio.Runner) -> None:
        attempt = local.attempt(boot_id="another")
        sighting = loop.run(local.launcher.look(a_run(RUN), attempt))
        assert (sighting.state, sighting.machine_restarted) == (JobState.GONE, True)
        loop.run(local.launcher.clean(a_run(RUN), attempt))
        assert local.processes[0].poll() is None

    def test_another_machine_cannot_be_seen_from_here(self, local: LocalWorld, loop: asyncio.Runner) -> None:
        attempt = local.attempt(host="elsewhere")
        sighting = loop.run(local.launcher.look(a_run(RUN), attempt))
        assert sighting.state is JobState.UNKNOWN and "elsewhere" in sighting.detail
        loop.run(local.launcher.clean(a_run(RUN), attempt))
        assert local.processes[0].poll() is None

    def test_one_that_is_stopped_is_there_and_said_to_be_stopped(self, local: LocalWorld, loop: asyncio.Runner) -> None:
        attempt = local.attempt()
        local.processes[0].send_signal(signal.SIGSTOP)

        def stopped() -> bool:
            sighting = loop.run(local.launcher.look(a_run(RUN), attempt))
            assert sighting.state is JobState.ALIVE
            return "stopped" in sighting.detail

        wait_for(stopped, "the stop to be seen")

    def test_a_zombie_is_gone(self, local: LocalWorld, loop: asyncio.Runner) -> None:
        attempt = local.attempt()
        os.kill(local.processes[0].pid, signal.SIGKILL)  # and nobody waits for it
        wait_for(lambda: loop.run(local.launcher.look(a_run(RUN), attempt)).state is JobState.GONE, "its end")

    def test_cleaning_ends_what_the_payload_left_and_nothing_else(
        self, local: LocalWorld, loop: asyncio.Runner
    ) -> None:
        attempt = local.attempt()
        left = [local.process(**{ATTEMPT_VARIABLE: str(ATTEMPT)}) for _ in range(3)]
        anothers = local.process(**{ATTEMPT_VARIABLE: str(OTHER)})
        stranger = local.process()
        wait_for(lambda: len(members(ATTEMPT)) == 3, "the processes to have their environment")
        loop.run(local.launcher.clean(a_run(RUN), attempt))
        assert [process.wait() for process in left] == [-9, -9, -9]
        assert members(ATTEMPT) == []
        assert anothers.poll() is stranger.poll() is None

    def test_a_supervisor_is_started_and_left_alone(self, local: LocalWorld, loop: asyncio.Runner) -> None:
        loop.run(local.launcher.launch(a_run(RUN)))
        log = local.logs / f"{RUN}.log"
        wait_for(lambda: local.launcher._started[0].poll() == 0, "it to end")
        text = log.read_text()
        assert text == f"['flights', '--run-id', '{RUN}'] {local.folder} a mark \n"

    def test_a_supervisor_is_no_part_of_the_payload_that_asked_for_it(
        self, local: LocalWorld, loop: asyncio.Runner
    ) -> None:
        command = [sys.executable, "-c", "import os; print(sorted(n for n in os.environ if n.startswith('KUBESC')))"]
        inherited = ("ATTEMPT_ID", "EVENTS", "RUN_ID", "FAILPOINT", "GRACE")
        environment = {**os.environ, **{f"KUBESCRIBE_{name}": "theirs" for name in inherited}}
        launcher = LocalLauncher(command, environment=environment, folder=local.folder, logs=local.logs)
        loop.run(launcher.launch(a_run(RUN)))
        wait_for(lambda: launcher._started[0].poll() == 0, "it to end")
        assert (local.logs / f"{RUN}.log").read_text() == "['KUBESCRIBE_GRACE', 'KUBESCRIBE_TENANT']\n"

    @pytest.mark.parametrize("error", [ProcessLookupError, PermissionError])
    def test_a_supervisor_that_cannot_be_killed_does_not_keep_its_payload_alive(
        self, error: type[OSError], local: LocalWorld, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attempt = local.attempt()
        left = local.process(**{ATTEMPT_VARIABLE: str(ATTEMPT)})
        wait_for(lambda: members(ATTEMPT), "the process to have its environment")
        kill = os.kill

        def refused(pid: int, number: int) -> None:
            if pid == attempt.whereabouts.pid:
                raise error
            kill(pid, number)

        monkeypatch.setattr(os, "kill", refused)
        loop.run(local.launcher.clean(a_run(RUN), attempt))
        assert left.wait() == -9


def test_somebody_who_is_stopped_in_its_turn_holds_nobody_up(
    tmp_path: Path, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API launches in its event loop's process: were that to wait, nobody would get an answer."""
    monkeypatch.setattr(supervisor_slots, "PATIENCE", 0.2)
    local = LocalWorld(tmp_path, waiting=True)
    run, ticks = a_run(RUN), 0

    async def launch() -> None:
        nonlocal ticks
        launching = asyncio.create_task(local.launcher.launch(run))
        while not launching.done():
            ticks += 1
            await asyncio.wait({launching}, timeout=0.01)
        await launching

    try:
        with SupervisorSlots(local.logs / "supervisors").turn():  # and is stopped there
            with pytest.raises(LauncherBusy, match="another process has its turn"):
                loop.run(launch())
            assert ticks > 3, "the loop went on"
            assert loop.run(local.launcher.look(run, None)).state is JobState.UNKNOWN
        assert local.started() == 0
        loop.run(launch())
        assert local.started() == 1
    finally:
        local.close()
