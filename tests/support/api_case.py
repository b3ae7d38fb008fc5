"""Requests to the API under faults: who asked, what was answered, and what became of it."""

from __future__ import annotations

import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from .api_process import ApiProcess
from .command_line import CommandLine
from .invariants import check
from .story import Story, tell
from .three_databases import ThreeDatabases
from .waiting import wait_for
from .world import World

MOST = 4
"""Supervisors at once; further runs wait."""


class Answer(NamedTuple):
    """To one request."""

    status: int
    """0: none, or not the whole of it."""
    run_id: UUID | None


class ApiCase:
    """One API after another at the same address, and everybody who asks it for runs, always with a key."""

    def __init__(self, world: World, **settings: str) -> None:
        self.world, self._settings = world, settings
        self.answers: dict[str, list[Answer]] = {}
        """By key, in their order."""
        self._asked: dict[str, str] = {}
        self.cancels: dict[UUID, list[int]] = {}
        self.plot: list[str] = []
        self.up = threading.Event()
        """Whether an API is there to be asked."""
        self._token: str | None = None
        self._apis: list[ApiProcess] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]

    def __enter__(self) -> ApiCase:
        self.folder = Path(tempfile.mkdtemp(prefix="api-case-"))
        urls = ThreeDatabases(*(self.world.url(name) for name in ("runlog", "production", "report")))
        ours = {name: value for name, value in self.world.environment.items() if name.startswith("KUBESCRIBE_")}
        settings = {**ours, "KUBESCRIBE_MAX_RUNS": str(MOST), "KUBESCRIBE_API_RATE": "10000", **self._settings}
        self.commands = CommandLine(self.folder, urls, **settings)
        self._began = self.world.rows("runlog", "SELECT clock_timestamp() AS now")[0]["now"]
        return self

    def keys(self, count: int) -> list[str]:
        """Some that nobody has used yet."""
        return [f"{self.world.dice.getrandbits(64):016x}" for _ in range(count)]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for api in self._apis:
            if api.process.poll() is None:
                api.kill()
            api.output.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is not None:
            self.world.spoiled = True  # nobody knows what is still at work

    # -- the process ---------------------------------------------------------------------------------------------

    def start(self, **settings: str) -> None:
        """Start an API, and wait until it answers."""
        self.api = ApiProcess(self.commands, port=self._port, token=self._token, **settings).__enter__()
        self._apis.append(self.api)
        self._token = self.api.token
        self.up.set()

    def kill(self) -> None:
        self.api.kill()
        self.died("at some moment")

    def died(self, where: str) -> None:
        """The API was killed; so that nobody has to wait for it, its lease as a leader is over at once."""
        self.up.clear()
        self.plot.append(f"the API was killed {where}")
        self.world.acts["kills of the API"] += 1
        self.world.change("runlog", "DELETE FROM leader")

    def stop(self) -> None:
        """As an orderly deployment does."""
        self.up.clear()
        self.api.process.terminate()
        assert self.api.process.wait(30) == 0, self.api.output.read_text()
        said = self.api.output.read_text()
        assert "Traceback" not in said, said

    # -- asking --------------------------------------------------------------------------------------------------

    def trigger(self, key: str, pipeline: str = "brief") -> Answer:
        """Once, whatever comes of it; a key that was used before asks for what it asked for then."""
        body = {"pipeline": self._asked.setdefault(key, pipeline), "parameters": {}}
        status, _, told = self.api.ask("POST", "/runs/trigger", body, Idempotency_Key=key)
        answer = Answer(status, UUID(msgspec.json.decode(told)["id"]) if status in (200, 202) else None)
        self.answers.setdefault(key, []).append(answer)
        self.world.acts[f"triggers answered {status}"] += 1
        return answer

    def cancel(self, run_id: UUID) -> int:
        status = self.api.ask("POST", f"/runs/{run_id}/cancel", {"reason": "no more"})[0]
        self.cancels.setdefault(run_id, []).append(status)
        self.world.acts[f"cancels answered {status}"] += 1
        return status

    @contextmanager
    def stream(self, keys: list[str], *, cancelling: float = 0.0) -> Iterator[threading.Event]:
        """Somebody triggers with one key after the other, while there is an API; some of what is accepted is cancelled.

        ``cancelling``: how much of it, from 0 to 1. Gives what is set once every key was used, and waits for that.
        """
        over, dice = threading.Event(), self.world.dice
        draws = [dice.random() < cancelling for _ in keys]

        def ask() -> None:
            accepted: list[UUID] = []
            for key, one_goes in zip(keys, draws, strict=True):
                self.up.wait(60)
                answer = self.trigger(key)
                accepted += [] if answer.run_id is None else [answer.run_id]
                if one_goes and accepted:
                    self.cancel(accepted[-1])
            over.set()

        thread = threading.Thread(target=ask, name="client", daemon=True)
        thread.start()
        yield over
        thread.join(120)
        assert over.is_set(), "the client did not come to its end"

    def moment(self, most: float) -> None:
        """Some time, drawn, of at most so many seconds."""
        threading.Event().wait(self.world.dice.uniform(0, most))

    # -- judging -------------------------------------------------------------------------------------------------

    def status(self, run_id: UUID) -> str | None:
        rows = self.world.rows("runlog", "SELECT status FROM run WHERE id = %s", run_id)
        return str(rows[0]["status"]) if rows else None

    def until_ended(self) -> None:
        """Until the API alone has brought every run to its end."""
        wait_for(lambda: not self._open(), "every run to end", timeout=90, every=0.05)

    def judge(self) -> dict[str, Story]:
        """Ask again for everything; then all has to end, and hold; the stories by key."""
        for key, before in [(key, tuple(given)) for key, given in self.answers.items()]:
            again = self.trigger(key)
            promised = {answer.run_id for answer in before if answer.run_id is not None}
            assert again.status in ((200,) if promised else (200, 202)), (key, before, again, self.plot)
            assert promised <= {again.run_id}, f"{key} was {before}, and is {again}: {self.plot}"
        self.until_ended()
        self.stop()
        ids = {key: answers[-1].run_id for key, answers in self.answers.items()}
        mine = [str(run_id) for run_id in ids.values()]
        assert len(set(mine)) == len(mine), f"two keys have one run: {ids}"
        stray = self.world.rows("runlog", _STRAY, self._began, mine)
        assert not stray, f"runs that nobody asked for: {stray}; {self.plot}"
        stories = {}
        for key, run_id in ids.items():
            assert run_id is not None
            stories[key] = tell(self.world, run_id, plan=(), plot=self.plot)
            check(stories[key])
            assert len(stories[key].attempts) <= 1, f"{key} has run twice:\n{stories[key]}"
        for run_id, statuses in self.cancels.items():
            self._judge_cancel(run_id, statuses)
        return stories

    def _judge_cancel(self, run_id: UUID, statuses: list[int]) -> None:
        assert set(statuses) <= {0, 202, 409, 503}, (run_id, statuses)
        kinds = [row["kind"] for row in self.world.rows("runlog", _KINDS, run_id)]
        status = self.status(run_id)
        if 202 in statuses:
            assert "run.cancelling" in kinds or status == "cancelled", (statuses, kinds, self.plot)
        if status == "cancelled":
            assert kinds.count("run.cancelled") == 1 and {0, 202, 503} & set(statuses), (statuses, kinds, self.plot)
        elif 409 not in statuses:
            assert status == "succeeded" or 202 not in statuses, (status, statuses, kinds, self.plot)

    def _open(self) -> list[dict[str, Any]]:
        return self.world.rows("runlog", "SELECT id, status, message FROM run WHERE finished_at IS NULL")


_KINDS = "SELECT kind FROM event WHERE run_id = %s ORDER BY seq"
_STRAY = "SELECT id, pipeline, status FROM run WHERE trigger = 'api' AND created_at > %s AND NOT id = ANY(%s::uuid[])"
