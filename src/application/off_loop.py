"""Blocking work beside the event loop, with an end that comes whether the work ends or not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def off_loop(work: Callable[[], T], *, seconds: float) -> T:
    """The result of ``work`` in a thread of its own; raises :class:`TimeoutError` after ``seconds``.

    The thread is left to itself then, and keeps no process from ending, unlike one of a pool: a server that sends a
    byte a minute must not hold up anything of ours.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(settle: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(lambda: None if done.done() else settle())
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            failure = error
            tell(lambda: done.set_exception(failure))
        else:
            tell(lambda: done.set_result(result))

    threading.Thread(target=run, daemon=True).start()
    async with asyncio.timeout(seconds):
        return await done
