"""One execution of the work: everything it says, in order, and at its end nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from kubescribe.adapters.local.process_payload import ProcessPayload
from kubescribe.adapters.local.process_tree import members
from kubescribe.adapters.memory.payload import MemoryPayload
from kubescribe.application.event_stream import LINE_LIMIT
from kubescribe.application.ports.payload import (
    Assignment,
    Declared,
    Ended,
    Payload,
    Printed,
    Raised,
    Refused,
    Returned,
    Told,
    Word,
)
from kubescribe.domain.errors import CommandNotFound
from kubescribe.domain.note import NoteKind
from tests.support import payload_pipelines
from tests.support.processes import children
from tests.support.waiting import wait_for

RUN = UUID(int=1)
ROOT = Path(__file__).parents[2]
W = TypeVar("W", bound=Word)


class Execution:
    """A payload that is listened to from its first word to its last."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload
        self.attempt_id = uuid4()
        self.words: list[Word] = []
        self.on: dict[type[Word], Callable[[], Any]] = {}
        self.on_text: dict[bytes, Callable[[], Any]] = {}

    async def start(self) -> None:
        await self.payload.start(run_id=RUN, attempt_id=self.attempt_id)

    async def listen(self) -> Ended:
        async for word in self.payload.words():
            self.words.append(word)
            action = self.on.pop(type(word), None)
            if action is not None:
                action()
            if isinstance(word, Printed):
                for text in [text for text in self.on_text if text in word.data]:
                    self.on_text.pop(text)()
        assert isinstance(self.words[-1], Ended)
        assert not any(isinstance(word, Ended) for word in self.words[:-1])
        assert members(self.attempt_id) == []
        return self.words[-1]

    def output(self, stream: str = "out") -> bytes:
        return b"".join(word.data for word in self.words if isinstance(word, Printed) and word.stream == stream)

    def all(self, kind: type[W]) -> list[W]:
        return [word for word in self.words if isinstance(word, kind)]

    def notes(self) -> list[str]:
        return [word.data["text"] for word in self.all(Told) if word.kind is NoteKind.NOTE]


@asynccontextmanager
async def execution(payload: Payload) -> AsyncIterator[Execution]:
    one = Execution(payload)
    await one.start()
    try:
        yield one
    finally:
        payload.kill()


def performed(loop: asyncio.Runner, payload: Payload, prepare: Callable[[Execution], Any] = id) -> Execution:
    async def perform() -> Execution:
        async with execution(payload) as one:
            prepare(one)
            await asyncio.wait_for(one.listen(), 60)
        return one

    return loop.run(perform())


def command(script: str, **environment: str) -> ProcessPayload:
    return ProcessPayload(["/bin/sh", "-c", script], environment={**os.environ, **environment})


def python(code: str) -> ProcessPayload:
    return command(f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)}")


def end_of(execution: Execution) -> Ended:
    ended = execution.words[-1]
    assert isinstance(ended, Ended)
    return ended


# -- a pipeline's worker, as a process and as a thread ---------------------------------------------------------------


def worker(kind: str, name: str, **parameters: object) -> Payload:
    if kind == "memory":
        return MemoryPayload(getattr(payload_pipelines, name), parameters)
    from kubescribe.entrypoints.composition.execution import introduction_of, worker_command

    environment = {**os.environ, "KUBESCRIBE_PIPELINES": payload_pipelines.__name__, "PYTHONPATH": str(ROOT)}
    introduction = introduction_of(parameters, from_text=False)
    return ProcessPayload(worker_command(name), introduction=introduction, environment=environment)


def assigned(payload: Payload) -> Callable[[Execution], None]:
    """Let the worker begin as soon as it has declared itself."""

    def prepare(one: Execution) -> None:
        assignment = Assignment(run_id=RUN, attempt_id=one.attempt_id)
        tasks: list[asyncio.Task[None]] = []
        one.on[Declared] = lambda: tasks.append(asyncio.create_task(payload.assign(assignment)))

    return prepare


@pytest.fixture(params=["memory", "local"])
def kind(request: pytest.FixtureRequest) -> str:
    made: str = request.param
    return made


class TestWorker:
    def test_it_declares_itself_works_and_returns(self, kind: str, loop: asyncio.Runner) -> None:
        payload = worker(kind, "quick", count=3)
        one = performed(loop, payload, assigned(payload))
        (declared,) = one.all(Declared)
        assert (declared.pipeline.name, declared.parameters) == ("quick", {"count": 3, "name": "nobody"})
        assert one.words[0] is declared
        told = [(word.kind, word.data) for word in one.all(Told)]
        assert told[0] == (NoteKind.METRIC, {"name": "count", "value": 3})
        assert b"hello nobody\n" in one.output("out")
        assert [word.reports for word in one.all(Returned)] == [()]
        assert end_of(one).exit_code == 0

    def test_bad_parameters_are_refused(self, kind: str, loop: asyncio.Runner) -> None:
        one = performed(loop, worker(kind, "quick", count="many"))
        (refused,) = one.all(Refused)
        assert "count" in refused.message
        assert end_of(one).exit_code == 64
        assert one.all(Declared) == []

    def test_an_error_is_told_before_the_end(self, kind: str, loop: asyncio.Runner) -> None:
        payload = worker(kind, "broken")
        one = performed(loop, payload, assigned(payload))
        (raised,) = one.all(Raised)
        assert "ValueError: it broke" in raised.error
        assert raised.retry
        assert b"ValueError: it broke" in one.output("err")
        assert one.all(Returned) == []
        assert end_of(one).exit_code == 1

    def test_giving_up_says_that_another_attempt_is_useless(self, kind: str, loop: asyncio.Runner) -> None:
        payload = worker(kind, "gives_up")
        (raised,) = performed(loop, payload, assigned(payload)).all(Raised)
        assert not raised.retry

    def test_without_an_assignment_it_only_waits_and_may_be_ended(self, kind: str, loop: asyncio.Runner) -> None:
        payload = worker(kind, "quick", count=1)
        one = performed(loop, payload, lambda one: one.on.update({Declared: payload.terminate}))
        assert end_of(one).exit_code in (143, -15)
        assert one.output() == b""

    def test_one_that_is_killed_says_nothing_more(self, kind: str, loop: asyncio.Runner) -> None:
        payload = worker(kind, "quick", count=1)
        one = performed(loop, payload, lambda one: one.on.update({Declared: payload.kill}))
        assert end_of(one).exit_code == -9
        payload.kill()
        payload.terminate()

    def test_leaving_halfway_is_not_returning(self, loop: asyncio.Runner) -> None:
        payload = worker("local", "leaves")
        one = performed(loop, payload, assigned(payload))
        assert one.all(Returned) == [] and end_of(one).exit_code == 0


# -- any command -------------------------------------------------------------------------------------------------------


class TestCommand:
    def test_what_it_prints_comes_as_it_was(self, loop: asyncio.Runner) -> None:
        one = performed(loop, command(r"printf 'a\0b\377'; printf 'oh\n' >&2; exit 3"))
        assert (one.output("out"), one.output("err")) == (b"a\0b\xff", b"oh\n")
        ended = end_of(one)
        assert ended.exit_code == 3
        assert ended.cpu_seconds is not None and ended.cpu_seconds < 5
        assert not ended.oom_killed

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_is_a_negative_code(self, loop: asyncio.Runner, number: signal.Signals) -> None:
        assert end_of(performed(loop, command(f"kill -{number.value} $$"))).exit_code == -number

    def test_it_knows_its_run_and_its_attempt(self, loop: asyncio.Runner) -> None:
        one = performed(loop, command("echo $KUBESCRIBE_RUN_ID $KUBESCRIBE_ATTEMPT_ID $MARK", MARK="a mark"))
        assert one.output().decode() == f"{RUN} {one.attempt_id} a mark\n"

    def test_an_assignment_is_not_for_a_command(self, loop: asyncio.Runner) -> None:
        payload = command("echo done")

        async def perform() -> Execution:
            async with execution(payload) as one:
                await payload.assign(Assignment(run_id=RUN, attempt_id=one.attempt_id, production="secret"))
                await one.listen()
            return one

        assert loop.run(perform()).output() == b"done\n"

    @pytest.mark.parametrize(
        ("argv", "why"),
        [(["/no/such/thing"], "No such file"), (["/etc"], "denied"), (["a\0b"], "null byte")],
        ids=["missing", "folder", "nul"],
    )
    def test_what_cannot_be_started(self, loop: asyncio.Runner, argv: list[str], why: str) -> None:
        with pytest.raises(CommandNotFound, match=why):
            loop.run(ProcessPayload(argv).start(run_id=RUN, attempt_id=uuid4()))

    def test_usage_is_of_the_whole_tree(self, loop: asyncio.Runner) -> None:
        """Twice 60 MB, of which only one is the leader's."""
        hold = "b = bytearray(60_000_000); print('held', flush=True); __import__('signal').pause()"
        twice = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}"
        payload = python(twice)
        seen: list[int] = []

        async def perform() -> Execution:
            async with execution(payload) as one:
                listening = asyncio.create_task(one.listen())
                while one.output().count(b"held") < 2:
                    await asyncio.wait({listening}, timeout=0.01)
                seen.append(payload.usage().memory or 0)
                payload.kill()
                await listening
            return one

        ended = end_of(loop.run(perform()))
        assert seen[0] > 120_000_000
        assert ended.memory_peak is not None and ended.memory_peak >= seen[0]

    def test_a_name_that_is_no_text_hides_nothing(self, loop: asyncio.Runner) -> None:
        """The system cuts a name at 15 bytes, in the middle of a character if need be."""
        code = "open('/proc/self/comm', 'wb').write(b'12345678901234\\xd0'); print('named', flush=True); input()"
        stranger = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with stranger:
            assert stranger.stdout is not None and stranger.stdout.readline() == b"named\n"
            assert end_of(performed(loop, command("sleep 60 & exit 3"))).exit_code == 3
            stranger.kill()

    def test_a_small_command_is_not_charged_with_our_memory(self, loop: asyncio.Runner) -> None:
        peak = end_of(performed(loop, command("true"))).memory_peak
        assert peak is None or peak < 30_000_000


class TestFlood:
    def test_fifty_megabytes_arrive_whole_and_nothing_is_held(self, loop: asyncio.Runner) -> None:
        """Whoever listens slowly makes the payload wait: the words that wait stay few."""
        payload = command("head -c 50000000 /dev/zero")
        waiting: list[int] = []
        size = 0

        async def perform() -> None:
            nonlocal size
            async with execution(payload) as one:
                async for word in one.payload.words():
                    if isinstance(word, Printed):
                        size += len(word.data)
                    waiting.append(payload._words.qsize())

        loop.run(asyncio.wait_for(perform(), 60))
        assert size == 50_000_000
        assert max(waiting) < 200

    def test_output_that_is_closed_early_is_no_end(self, loop: asyncio.Runner) -> None:
        one = performed(loop, command("echo last; exec >&- 2>&-; kill -0 $$ && exit 5"))
        assert (one.output(), end_of(one).exit_code) == (b"last\n", 5)

    def test_what_was_printed_last_is_heard(self, loop: asyncio.Runner) -> None:
        one = performed(loop, command("head -c 300000 /dev/zero; printf the-end; kill -9 $$"))
        assert one.output() == b"\0" * 300_000 + b"the-end"


class TestLeftovers:
    """At its end everything that it started is gone; ``listen`` looks for it."""

    @pytest.mark.parametrize(
        "start",
        [
            "sleep 60 &",
            "nohup sleep 60 >/dev/null 2>&1 &",
            "setsid sleep 60 &",
            "(setsid setsid sleep 60 </dev/null >/dev/null 2>&1 &) &",
            "env -i setsid sleep 60 >/dev/null 2>&1 &",
            "env -i setsid sh -c 'sleep 60 & sleep 60' >/dev/null 2>&1 &",
            "trap '' TERM; sleep 60 &",
            "sleep 60 & kill -STOP $!",
            "for i in 1 2 3 4 5 6 7 8; do sleep 60 & done",
        ],
    )
    def test_background_children_end_with_it(self, loop: asyncio.Runner, start: str) -> None:
        began = time.monotonic()
        before = set(children(os.getpid()))
        one = performed(loop, command(f"{start}\necho started"))
        assert end_of(one).exit_code == 0
        assert one.output() == b"started\n"
        assert set(children(os.getpid())) <= before, "a zombie is left, or more"
        assert time.monotonic() - began < 20

    def test_ended_is_said_only_when_they_are_gone(self, loop: asyncio.Runner) -> None:
        one = performed(loop, command("setsid sh -c 'echo $$; exec sleep 60' & sleep 0.1"))
        pid = int(one.output())
        assert not Path(f"/proc/{pid}").exists() or "zombie" in Path(f"/proc/{pid}/status").read_text()

    def test_the_events_folder_is_gone_too(self, loop: asyncio.Runner) -> None:
        one = performed(loop, command("echo $KUBESCRIBE_EVENTS"))
        assert not Path(one.output().decode().strip()).parent.exists()


class TestStopping:
    def test_terminate_asks_the_whole_group(self, loop: asyncio.Runner) -> None:
        script = "trap 'echo bye; exit 7' TERM; (trap 'echo child' TERM; echo ready; sleep 60 & wait) & wait; wait"
        payload = command(script)
        one = performed(loop, payload, lambda one: one.on_text.update({b"ready": payload.terminate}))
        assert end_of(one).exit_code == 7
        assert b"bye" in one.output()

    def test_who_ignores_the_asking_is_killed(self, loop: asyncio.Runner) -> None:
        payload = command("trap '' TERM; echo ready; while :; do sleep 60; done")

        def both() -> None:
            payload.terminate()
            payload.kill()

        one = performed(loop, payload, lambda one: one.on_text.update({b"ready": both}))
        assert end_of(one).exit_code == -signal.SIGKILL

    @pytest.mark.parametrize(("verb", "code"), [("terminate", -signal.SIGTERM), ("kill", -signal.SIGKILL)])
    def test_one_that_is_stopped_is_ended_too(self, loop: asyncio.Runner, verb: str, code: int) -> None:
        payload = command("echo $$; kill -STOP $$; echo on")
        one = performed(loop, payload, lambda one: one.on_text.update({b"\n": getattr(payload, verb)}))
        assert end_of(one).exit_code == code

    def test_ending_what_has_ended_does_nothing(self, loop: asyncio.Runner) -> None:
        payload = command("true")
        performed(loop, payload)
        payload.terminate()
        payload.kill()
        assert payload.usage().memory is None


class TestEvents:
    def test_any_language_tells(self, loop: asyncio.Runner) -> None:
        one = performed(
            loop,
            command("""echo '{"type":"metric","name":"rows","value":42}' > $KUBESCRIBE_EVENTS
                       printf '{"type":"progress","fraction":0.5}' > $KUBESCRIBE_EVENTS"""),
        )
        assert [(word.kind, word.data) for word in one.all(Told)] == [
            (NoteKind.METRIC, {"name": "rows", "value": 42}),
            (NoteKind.PROGRESS, {"fraction": 0.5}),
        ]

    def test_lines_that_say_nothing_are_quoted_and_the_next_is_heard(self, loop: asyncio.Runner) -> None:
        one = performed(
            loop,
            python("""
import os
with open(os.environ["KUBESCRIBE_EVENTS"], "wb") as events:
    for line in (b"nonsense", b"\\xff\\0", b"", b"[" * 50_000, b'{"type": "returned", "reports": ["a"]}'):
        events.write(line + b"\\n")
    events.write(b'{"type": "note", "text": "heard"}\\n')
"""),
        )
        assert one.all(Returned) == [], "a command cannot say that it returned"
        *bad, heard = one.notes()
        assert len(bad) == 4 and heard == "heard"

    def test_a_line_without_end_is_left_out_once_and_the_next_is_heard(self, loop: asyncio.Runner) -> None:
        one = performed(
            loop,
            python(f"""
import os
with open(os.environ["KUBESCRIBE_EVENTS"], "wb") as events:
    events.write(b'{{"type": "note", "text": "' + b"x" * {5 * LINE_LIMIT} + b'"}}\\n')
    events.write(b'{{"type": "note", "text": "' + b"y" * {LINE_LIMIT // 2} + b'"}}\\n')
"""),
        )
        too_long, whole = one.notes()
        assert "too long" in too_long
        assert set(whole) <= set("y… charters lft ou\n0123456789") and whole.startswith("y")

    def test_a_flood_of_lines_arrives_in_order(self, loop: asyncio.Runner) -> None:
        one = performed(
            loop,
            python("""
import os
with open(os.environ["KUBESCRIBE_EVENTS"], "w") as events:
    for number in range(20_000):
        events.write('{"type": "metric", "name": "n", "value": %d}\\n' % number)
"""),
        )
        assert [word.data["value"] for word in one.all(Told)] == list(range(20_000))


def test_it_dies_with_its_supervisor() -> None:
    """Nobody would be left to end it at its deadline."""
    code = """
import asyncio, sys, uuid
from kubescribe.adapters.local.process_payload import ProcessPayload
async def main():
    payload = ProcessPayload(["/bin/sh", "-c", "trap '' TERM HUP; echo $$; exec sleep 60"])
    await payload.start(run_id=uuid.uuid4(), attempt_id=uuid.UUID(sys.argv[1]))
    async for word in payload.words():
        print(word.data.decode(), end="", flush=True)
asyncio.run(main())
"""
    attempt_id = uuid4()
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code, str(attempt_id)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ""}
    )
    with supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        supervisor.kill()
    wait_for(lambda: members(attempt_id) == [], "the payload to die")
