"""Addresses for mail: the plain ones, and no other form that RFC 5322 allows."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


def may_be_an_address(text: str) -> bool:
    """Whether it is one address and nothing else: no name, comment, list, encoded word or control character."""
    return _ADDRESS.fullmatch(text) is not None and "=?" not in text and ".." not in text
