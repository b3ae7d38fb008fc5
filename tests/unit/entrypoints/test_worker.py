"""The worker as a process, spoken to as a supervisor does: a FIFO for events, lines on standard input."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_for

ASSIGNMENT = {
    "run_id": "01890000-0000-7000-8000-000000000001",
    "attempt_id": "01890000-0000-7000-8000-000000000002",
}
HEAD = "import os, sys\nfrom kubescribe import Context, GiveUp, Retry, pipeline\n"
IMPORT = str(Path(".import").absolute())


class Worker:
    """A worker process and everything that it says."""

    def __init__(self, folder: Path, body: str, name: str = "job", **environment: str) -> None:
        (folder / "etl.py").write_text(HEAD + textwrap.dedent(body))
        self.pipe = folder / "events"
        os.mkfifo(self.pipe)
        self.events = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        self.words: list[dict[str, Any]] = []
        self._rest = b""
        self._lock = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kubescribe.entrypoints.worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={
                **{key: value for key, value in os.environ.items() if not key.startswith("KUBESCRIBE")},
                "PYTHONPATH": IMPORT,
                "PYTHONUNBUFFERED": "1",
                "KUBESCRIBE_EVENTS": str(self.pipe),
                "KUBESCRIBE_PIPELINES": "etl",
                **environment,
            },
        )

    def send(self, line: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> list[dict[str, Any]]:
        with self._lock:
            while True:
                try:
                    self._rest += os.read(self.events, 65_536)
                except BlockingIOError:
                    break
            *lines, self._rest = self._rest.split(b"\n")
            self.words += [json.loads(line) for line in lines]
            return self.words

    def heard(self, kind: str) -> dict[str, Any]:
        return wait_for(lambda: next((word for word in self.hear() if word["type"] == kind), None), kind)

    def run(self, parameters: dict[str, Any] | None = None, **assignment: Any) -> tuple[int, str, str]:
        """From the first line to the end: the exit code, and what was printed."""
        self.send({"parameters": parameters or {}, "from_text": True})
        self.send({**ASSIGNMENT, **assignment})
        return self.end()

    def end(self) -> tuple[int, str, str]:
        stop = threading.Event()

        def drain() -> None:  # the pipe holds 64 KiB
            while not stop.wait(0.005):
                self.hear()

        thread = threading.Thread(target=drain)
        thread.start()
        try:
            out, err = self.process.communicate(timeout=30)
        finally:
            stop.set()
            thread.join()
        self.hear()
        return self.process.returncode, out.decode(), err.decode()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        os.close(self.events)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    workers: list[Worker] = []

    def start_(body: str, name: str = "job", **environment: str) -> Worker:
        workers.append(Worker(tmp_path, body, name, **environment))
        return workers[-1]

    yield start_
    for worker in workers:
        worker.close()


def test_it_declares_itself_waits_and_works(start: Any) -> None:
    worker = start(
        """
        @pipeline
        def job(run: Context, month: int, day: str = "x"):
            print("month", month, repr(sys.stdin.read()), run.run_id, dict(run.parameters))
            run.note("working")
        """
    )
    worker.send({"parameters": {"month": "3"}, "from_text": True})
    declared = worker.heard("declared")
    assert declared["parameters"] == {"month": 3, "day": "x"}
    assert declared["pipeline"]["name"] == "job"
    assert worker.hear() == [declared]
    worker.send(ASSIGNMENT)
    code, out, err = worker.end()
    assert (code, err) == (0, "")
    assert out == f"month 3 '' {ASSIGNMENT['run_id']} {{'month': 3, 'day': 'x'}}\n"
    assert worker.words[1:] == [{"type": "note", "text": "working"}, {"type": "returned", "reports": []}]


@pytest.mark.parametrize(
    ("body", "name", "parameters", "message"),
    [
        ("@pipeline\ndef job(run: Context): ...", "jib", {}, "there is no pipeline jib; did you mean job?"),
        ("@pipeline\ndef job(run: Context): ...", "job", {"x": "1"}, "there is no parameter x"),
        ("@pipeline\ndef job(run: Context, x: int): ...", "job", {"x": "y"}, "parameter x cannot be 'y'"),
        ("1/0", "job", {}, "module etl cannot be imported: ZeroDivisionError: division by zero ("),
        ("@pipeline\ndef job(run, x): ...", "job", {}, "parameter x has no type"),
    ],
)
def test_what_is_wrong_from_the_start_is_refused(
    start: Any, body: str, name: str, parameters: dict[str, Any], message: str
) -> None:
    worker = start(body, name)
    worker.send({"parameters": parameters, "from_text": True})
    assert worker.end() == (64, "", "")  # the supervisor says it
    assert [word["type"] for word in worker.words] == ["refused"]
    assert message in worker.words[0]["message"]


def test_a_first_line_that_is_none_is_refused(start: Any) -> None:
    worker = start("@pipeline\ndef job(run: Context): ...")
    worker.send([1])
    assert worker.end()[0] == 64
    assert "first line cannot be read" in worker.words[0]["message"]


def test_recorded_parameters_are_read_strictly(start: Any) -> None:
    worker = start("@pipeline\ndef job(run: Context, month: int): ...")
    worker.send({"parameters": {"month": "3"}, "from_text": False})
    assert worker.end()[0] == 64
    assert "expected `int`, got `str`" in worker.words[0]["message"]


@pytest.mark.parametrize("introduced", [False, True])
def test_it_ends_quietly_when_nobody_wants_its_work(start: Any, introduced: bool) -> None:
    worker = start("@pipeline\ndef job(run: Context): print('worked')")
    if introduced:
        worker.send({"parameters": {}, "from_text": True})
        worker.heard("declared")
    assert worker.end() == (0, "", "")
    assert len(worker.words) == introduced


def test_an_error_is_told_with_the_users_frames_alone(start: Any) -> None:
    worker = start(
        """
        def deeper(run):
            try:
                run.metric("x", float("nan"))
            except ValueError as error:
                raise RuntimeError("half\\0way") from error

        @pipeline
        def job(run: Context):
            deeper(run)
        """
    )
    code, _, err = worker.run()
    assert code == 1
    word = worker.heard("raised")
    assert word == {
        "type": "raised",
        "error": "RuntimeError: half\\0way",
        "exit_code": 1,
        "retry": True,
        "after": None,
    }
    assert "metric x is nan" in err and "deeper(run)" in err and "direct cause" in err
    assert "/kubescribe/" not in err


@pytest.mark.parametrize(
    ("statement", "code", "retry"),
    [
        ("raise Retry('later', after=5)", 1, True),
        ("raise GiveUp('never')", 1, False),
        ("raise MemoryError", 1, True),
        ("raise KeyboardInterrupt", 130, False),
        ("class P(BaseException): pass\n    raise P('panic')", 1, True),
        ("run.read('SELECT 1')", 64, False),
        ("run.report('x', None)", 64, False),
        ("sys.exit('no')", 1, True),
        ("raise ValueError('x' * 10_000_000)", 1, True),
        ("raise ValueError(chr(0xd800))", 1, True),
        ("raise ExceptionGroup('g', [ValueError('a')])", 1, True),
    ],
)
def test_each_failure_has_its_code(start: Any, statement: str, code: int, retry: bool) -> None:
    worker = start(f"@pipeline\ndef job(run: Context):\n    {statement}\n")
    found, _, err = worker.run()
    word = worker.heard("raised")
    assert (found, word["exit_code"], word["retry"]) == (code, code, retry)
    assert len(word["error"].encode()) <= 16_384
    assert 0 < len(err) < 100_000


@pytest.mark.parametrize(("statement", "code"), [("sys.exit(3)", 3), ("sys.exit(65)", 65), ("os._exit(0)", 0)])
def test_a_code_of_the_payloads_own_is_not_told_as_ours(start: Any, statement: str, code: int) -> None:
    worker = start(f"@pipeline\ndef job(run: Context):\n    {statement}\n")
    assert worker.run() == (code, "", "")
    assert [word["type"] for word in worker.words] == ["declared"]


def test_sigterm_runs_the_finally_blocks(start: Any) -> None:
    worker = start(
        """
        import time
        @pipeline
        def job(run: Context):
            try:
                run.note("ready")
                time.sleep(60)
            finally:
                print("tidied up")
        """
    )
    worker.send({"parameters": {}})
    worker.send(ASSIGNMENT)
    worker.heard("note")
    worker.process.send_signal(signal.SIGTERM)
    assert worker.end() == (143, "tidied up\n", "")
    assert [word["type"] for word in worker.words] == ["declared", "note"]


def test_lines_of_many_threads_never_mix(start: Any) -> None:
    worker = start(
        """
        import threading
        @pipeline
        def job(run: Context):
            def tell(n):
                for _ in range(20):
                    run.note(str(n) * 10_000)
            threads = [threading.Thread(target=tell, args=(n,)) for n in range(8)]
            [t.start() for t in threads]
            [t.join() for t in threads]
        """
    )
    assert worker.run()[0] == 0
    notes = [word["text"] for word in worker.words if word["type"] == "note"]
    assert len(notes) == 160
    assert all(note == note[0] * 10_000 for note in notes)


@pytest.mark.parametrize(
    ("point", "heard"),
    [
        ("worker.declared", ["declared"]),
        ("worker.assigned", ["declared"]),
        ("worker.first_read", ["declared", "note"]),
        ("worker.returned", ["declared", "note"]),
    ],
)
def test_it_can_be_broken_at_each_step(start: Any, point: str, heard: list[str]) -> None:
    read = "run.read('SELECT 1')" if point == "worker.first_read" else ""
    worker = start(
        f"@pipeline\ndef job(run: Context):\n    run.note('here')\n    {read}\n", KUBESCRIBE_FAILPOINT=f"{point}=kill"
    )
    code, _, _ = worker.run(production="host=127.0.0.1 port=1")
    assert code == -signal.SIGKILL
    assert [word["type"] for word in worker.words] == heard


def test_nothing_heavy_is_imported_before_it_is_needed(start: Any) -> None:
    worker = start(
        """
        @pipeline
        def job(run: Context):
            heavy = {"polars", "psycopg", "asyncio", "sqlalchemy", "asyncpg", "rich", "importlib.metadata", "ssl"}
            print(sorted(heavy & set(sys.modules)))
        """
    )
    assert worker.run() == (0, "[]\n", "")


def test_importing_kubescribe_imports_next_to_nothing() -> None:
    script = """
import sys
before = set(sys.modules)
import kubescribe
new = {name for name in set(sys.modules) - before if not name.startswith("kubescribe")}
assert not new - {"__future__"}, new
assert set(kubescribe.__all__) <= set(dir(kubescribe))
kubescribe.pipeline, kubescribe.Context, kubescribe.unique
print(sorted({"polars", "psycopg", "asyncio", "sqlalchemy"} & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": IMPORT},
    )
    assert found.stdout == "[]\n"
