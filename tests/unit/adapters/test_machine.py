"""Other people's processes are looked at, and may be called anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from kubescribe.adapters.local import machine

# The kernel cuts names after 15 bytes: here in the middle of an é.
_RENAMED = """
import ctypes, sys
ctypes.CDLL(None).prctl(15, "(a) bcdefghijk\\u00e9".encode(), 0, 0, 0)
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def pid() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", _RENAMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the names are those of Linux")
def test_a_name_that_is_no_text_hides_nobody(pid: int) -> None:
    stat = machine.read_stat(pid)
    assert stat is not None and stat.pid == pid and stat.state in "RS"
    assert pid in {one.pid for one in machine.processes()}
