"""One container of a pod: its state, its process, its message."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.support.kube.resources import Json
from tests.support.kube.times import now

from .environment import environment, expanded
from .image import Image
from .process import NotStarted, Process
from .sources import NotThere, Sources
from .statuses import LOST, container_status, terminated, waiting
from .volumes import Paths

_MESSAGE, _TAIL_LINES, _TAIL = 4096, 80, 2048
"""How much of a termination message Kubernetes keeps, and of a log in its place."""


class Container:
    """Runs once: what restarts containers is not imitated."""

    def __init__(self, pod: Json, spec: Json, folder: Path, mark: str) -> None:
        self.spec = spec
        self.state = waiting("ContainerCreating")
        self.process: Process | None = None
        self.out_of_memory = False
        """Its end is said to be that of a container that took too much."""
        self.log = folder / f"{spec['name']}.log"
        self._pod = pod
        self._folder = folder / spec["name"]
        self._message = folder / f"{spec['name']}.message"
        self._mark = mark
        self._identity = f"process://{pod['metadata']['uid']}/{spec['name']}"
        self._surroundings: tuple[dict[str, str], Path] | None = None
        self._hook: Process | None = None

    def status(self) -> Json:
        """Its entry in the pod's status."""
        return container_status(self.spec, self.state, self._identity)

    def wait_for(self, reason: str, message: str = "") -> None:
        """It cannot start yet."""
        self.state = waiting(reason, message)

    async def start(
        self, sources: Sources, volumes: Mapping[str, Path], image: Image, inherited: dict[str, str]
    ) -> None:
        """Start its process, or end as a container does whose command is none. Raises :class:`NotThere`."""
        self._folder.mkdir(exist_ok=True)
        self._message.touch()
        self.log.touch()
        paths = Paths(self.spec, volumes, self._message)
        base = {**image.environment, **inherited}
        said = await environment(self._pod, self.spec, sources, base)
        command = [*(self.spec.get("command") or image.entrypoint), *self.spec.get("args", [])]
        if not command:
            raise NotThere("no command specified")
        # The container's own variables are seen by its command; where a path is mounted is not theirs to know.
        words = [paths.true(expanded(word, {**base, **said})) for word in command]
        variables = {**base, **{name: paths.true(value) for name, value in said.items()}}
        temporary = paths.place("/tmp")
        if temporary is not None:
            variables.setdefault("TMPDIR", str(temporary))
        folder = self._working_folder(paths, image)
        self._surroundings = (variables, folder)
        try:
            self.process = Process(words, environment=variables, folder=folder, log=self.log, mark=self._mark)
        except NotStarted as error:
            said_so = f"failed to create containerd task: failed to create shim task: {error}"
            self.state = terminated(128, "StartError", started="1970-01-01T00:00:00Z", message=said_so)
            return
        self.state = {"running": {"startedAt": now()}}

    def _working_folder(self, paths: Paths, image: Image) -> Path:
        wanted = self.spec.get("workingDir")
        if wanted is None:
            return image.folder or self._folder
        return paths.place(wanted) or Path(wanted)

    async def ended(self) -> None:
        """Wait for its end, and know why it ended."""
        if self.process is None:
            return
        code = await self.process.wait()
        started = self.state["running"]["startedAt"]
        reason = "OOMKilled" if self.out_of_memory else ("Error" if code else "Completed")
        message = self._said(code)
        self.state = terminated(code, reason, started=started, message=message, identity=self._identity)

    def _said(self, code: int) -> str:
        message = self._message.read_bytes()[-_MESSAGE:]
        if not message and code and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            message = b"".join(self.log.read_bytes().splitlines(keepends=True)[-_TAIL_LINES:])[-_TAIL:]
        return message.decode(errors="replace")

    async def stop(self, deadline: Callable[[], float]) -> None:
        """Ask it to end, and end it when the loop's time is past ``deadline``, which may come nearer meanwhile.

        A ``preStop`` command comes before SIGTERM, within the same time, and gets two seconds more.
        """
        if self.process is None or "running" not in self.state:
            return
        await self._before_stop(deadline)
        self.process.send(signal.SIGTERM)
        await _until(lambda: "running" not in self.state, deadline)
        if "running" in self.state:
            self.process.kill()

    async def _before_stop(self, deadline: Callable[[], float]) -> None:
        hook = self.spec.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            until = asyncio.get_running_loop().time() + hook["sleep"]["seconds"]
            await _until(lambda: "running" not in self.state, lambda: min(until, deadline()))
        if "exec" in hook and self._surroundings is not None:
            variables, folder = self._surroundings
            try:
                asked = self._hook = Process(
                    hook["exec"]["command"],
                    environment=variables,
                    folder=folder,
                    log=self.log,
                    mark=f"{self._mark}/hook",
                )
            except NotStarted:
                return
            waited = asyncio.ensure_future(asked.wait())
            await _until(lambda: waited.done() or "running" not in self.state, lambda: deadline() + 2)
            asked.kill()
            await waited

    def end_now(self) -> None:
        """Kill everything of it, without a word."""
        for each in (self.process, self._hook):
            if each is not None:
                each.kill()
                each.reap()

    def lose(self) -> None:
        """It has not started, and will not."""
        if "waiting" in self.state:
            self.state = LOST


async def _until(condition: Callable[[], bool], deadline: Callable[[], float]) -> None:
    loop = asyncio.get_running_loop()
    while not condition() and loop.time() < deadline():  # noqa: ASYNC110 - the deadline may move
        await asyncio.sleep(0.01)
