"""Keeping secrets out of logs, events and errors."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

MASK = "•••"
_SHORTEST = 4  # a shorter secret would mask half of every log, and protects nothing
_SHORTEST_INNER = 8  # the same for the inner part of a base64 text, which is no word of its own


T = TypeVar("T")


class Redactor:
    """Replaces each secret by ``•••``, in the forms in which programs print it.

    The forms: as it is, percent-encoded, escaped as in JSON and in Python's ``repr``, base64 (both alphabets, with
    and without padding), and base64 of something longer that contains it (``user:password``). Where two forms
    begin at one place the longer one is replaced. Secrets of fewer than 4 characters are ignored.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        self._forms = tuple(sorted(found, key=lambda form: (-len(_bytes(form)), form)))
        self._pattern = re.compile("|".join(map(re.escape, self._forms))) if self._forms else None

    @property
    def forms(self) -> tuple[str, ...]:
        """Every text that is replaced, the longest first."""
        return self._forms

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def data(self, value: T) -> T:
        """The same of every text inside lists and mappings."""
        hidden: T = _walked(value, self.text)
        return hidden


class StreamRedactor:
    """The same for the bytes of a log (UTF-8), in chunks cut anywhere.

    The joined answers of ``feed`` and ``flush`` are those for the whole, however it was cut. Only bytes that may be
    the beginning of a secret are held back: fewer than its longest form has, none after any other text. One
    stream each; not for two threads.
    """

    def __init__(self, redactor: Redactor) -> None:
        forms = [_bytes(form) for form in redactor.forms]
        self._pattern = re.compile(b"|".join(map(re.escape, forms))) if forms else None
        self._longest = max(map(len, forms), default=0)
        self._starts: dict[int, list[bytes]] = {}
        for form in forms:
            self._starts.setdefault(form[0], []).append(form)
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """What can be said for certain after this chunk."""
        if self._pattern is None:
            return chunk
        data = self._held + chunk
        done: list[bytes] = []
        at = 0
        while True:
            undecided = self._undecided(data, at)
            match = self._pattern.search(data, at)
            # A form that begins earlier, or here and is longer, may still be completed by the next chunk.
            if match is None or match.start() >= undecided:
                break
            done += (data[at : match.start()], _MASK_BYTES)
            at = match.end()
        self._held = data[undecided:]
        return b"".join((*done, data[at:undecided]))

    def flush(self) -> bytes:
        """The rest, at the end of the stream."""
        rest, self._held = self._held, b""
        return self._pattern.sub(_MASK_BYTES, rest) if self._pattern else rest

    def _undecided(self, data: bytes, start: int) -> int:
        """Where the first text begins that the next chunk may complete to a form; the end if there is none."""
        for at in range(max(start, len(data) - self._longest + 1), len(data)):
            forms = self._starts.get(data[at])
            if forms:
                tail = data[at:]
                if any(len(form) > len(tail) and form.startswith(tail) for form in forms):
                    return at
        return len(data)


_MASK_BYTES = MASK.encode()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")  # as the environment gives undecodable bytes


def _forms(secret: str) -> Iterable[str]:
    from json import dumps  # only when there is a secret
    from urllib.parse import quote, quote_plus

    raw = _bytes(secret)
    yield secret
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield encoded
        yield re.sub("%..", lambda match: match[0].lower(), encoded)
    yield dumps(secret)[1:-1]
    yield dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        for before in range(3):
            # The characters that hold bits of the neighbours are unknown: ⌈8n/6⌉ before, a remainder behind.
            inner = encode(b"\0" * before + raw).decode()[-(-8 * before // 6) : 8 * (before + len(raw)) // 6]
            if len(inner) >= _SHORTEST_INNER:
                yield inner


def _walked(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {hide(key) if isinstance(key, str) else key: _walked(one, hide) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(one, hide) for one in value]
    return value
