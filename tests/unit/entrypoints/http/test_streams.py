"""Streams end with their reader's rights, however much there is to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubescribe.application.authenticate import REMEMBERED
from kubescribe.domain.errors import NotAuthenticated
from kubescribe.entrypoints.http import streams
from kubescribe.entrypoints.http.streams import LOOK, Streams

MOST = 5_000


async def busy() -> AsyncIterator[bytes]:
    """A run that never stops talking; far more than is said between two looks."""
    for _ in range(MOST):
        await asyncio.sleep(0.001)
        yield b"data: more\n\n"


async def silent() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


@pytest.mark.parametrize("messages", [busy, silent])
def test_a_stream_ends_with_its_readers_rights(messages: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK", 0.02)
    looks = 0

    async def allowed() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise NotAuthenticated("revoked")

    async def read() -> list[bytes]:
        told = busy() if messages is busy else silent()
        answer = Streams().answer("token:x", told, stopping=asyncio.Event(), allowed=allowed)
        pieces: list[bytes] = []
        iterator = answer.iterator
        assert isinstance(iterator, AsyncIterator)
        async for piece in iterator:
            assert isinstance(piece, bytes)
            pieces.append(piece)
        return pieces

    pieces = asyncio.run(read())
    assert looks == 3
    assert len(pieces) < MOST and b"event: end" not in b"".join(pieces)


def test_a_revoked_token_reads_no_longer_than_five_seconds() -> None:
    assert REMEMBERED + LOOK <= 5
