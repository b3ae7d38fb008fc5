"""Our own log lines."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from kubescribe.entrypoints.log_lines import bound, configure_logging

log = logging.getLogger("kubescribe.loop")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    logger = logging.getLogger("kubescribe")
    before = (list(logger.handlers), logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def lines(kind: str = "json") -> tuple[io.StringIO, Any]:
    stream = io.StringIO()
    configure_logging(kind, ("hunter22", "p@ss word"), stream=stream)
    return stream, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_run() -> None:
    stream, read = lines()
    with bound(run_id="0192"):
        log.warning("it is %s", "late", extra={"loop": "seal", "count": 3})
    log.info("two\nlines")
    first, second = read()
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "warning",
        "logger": "kubescribe.loop",
        "message": "it is late",
        "run_id": "0192",
        "loop": "seal",
        "count": 3,
    }
    assert second["message"] == "two\nlines" and "run_id" not in second
    assert stream.getvalue().count("\n") == 2


@pytest.mark.parametrize("kind", ["json", "text"])
def test_secrets_are_in_no_line(kind: str) -> None:
    stream, _ = lines(kind)
    with bound(run_id="hunter22"):
        try:
            raise ValueError("hunter22 and p%40ss%20word")
        except ValueError:
            log.exception("p@ss word", extra={"url": "https://u:hunter22@h"})
    assert "hunter22" not in stream.getvalue() and "p@ss" not in stream.getvalue() and "40ss" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_tasks_do_not_see_each_others_runs() -> None:
    _, read = lines()

    async def task(name: str) -> None:
        with bound(run_id=name):
            await asyncio.sleep(0)
            log.info(name)

    async def both() -> None:
        await asyncio.gather(task("a"), task("b"))

    asyncio.run(both())
    assert [(line["message"], line["run_id"]) for line in read()] == [("a", "a"), ("b", "b")]


@pytest.mark.parametrize("text", ["\x1b[31m", "\ud800", "a\u2028b", "x" * 100_000, "%d %s", '"}\n{"forged": 1}'])
def test_hostile_text_is_one_line(text: str) -> None:
    stream, read = lines()
    log.info(text)
    log.info("%s", text)
    log.info("%d", text)
    assert len(read()) == 3 and len(stream.getvalue()) < 40_000
    assert all(ord(character) < 128 for character in stream.getvalue())


def test_text_is_as_every_command_says_it() -> None:
    stream, _ = lines("text")
    log.info("it\nis")
    with bound(run_id="7"):
        log.info("so")
    assert stream.getvalue() == "kubescribe: it is\nkubescribe: so [run_id=7]\n"


def test_said_again_it_takes_the_place_of_before() -> None:
    first, _ = lines("text")
    second, read = lines()
    log.info("once")
    assert first.getvalue() == "" and len(read()) == 1 and second.getvalue()


def test_others_are_left_alone() -> None:
    lines()
    assert logging.getLogger().handlers == [] or logging.getLogger().handlers[0].formatter is not None
    stream, _ = lines()
    logging.getLogger("somebody.else").warning("not ours")
    assert stream.getvalue() == ""
