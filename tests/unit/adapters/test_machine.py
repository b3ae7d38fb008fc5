"""Looking at processes, whatever they are called."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kubescribe.adapters.embedded.data import servers_in
from kubescribe.adapters.local import machine, process_tree
from kubescribe.adapters.local.process_payload import ProcessPayload
from kubescribe.application.ports.payload import Ended, Usage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

RENAMED = """
import sys
# the kernel cuts a name at 15 bytes, wherever that is in a character
open("/proc/self/comm", "wb").write("fourteen bytes".encode() + "é".encode())
print("renamed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def strange() -> Iterator[int]:
    """The pid of a process whose name is no UTF-8."""
    command = [sys.executable, "-c", RENAMED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(UnicodeDecodeError):
            Path(f"/proc/{process.pid}/comm").read_text(encoding="utf-8")
        yield process.pid


def test_a_name_that_is_no_text(strange: int, tmp_path: Path) -> None:
    stat = machine.read_stat(strange)
    assert stat is not None and stat.pid == strange and stat.rss > 0
    assert strange in [one.pid for one in machine.processes()]
    assert servers_in(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("no /proc"), ValueError("strange /proc")])
def test_the_end_comes_even_if_nobody_can_look_for_leftovers(
    error: Exception, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(process_tree, "end", fail)
    monkeypatch.setattr(process_tree, "usage", fail)

    async def end() -> int:
        payload = ProcessPayload(["/bin/sh", "-c", "exit 3"])
        await payload.start(run_id=UUID(int=1), attempt_id=uuid4())
        assert payload.usage() == Usage()
        async with asyncio.timeout(10):
            words = [word async for word in payload.words()]
        assert isinstance(words[-1], Ended)
        return words[-1].exit_code

    assert loop.run(end()) == 3
