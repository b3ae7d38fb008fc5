"""A run's output on somebody's terminal."""

from __future__ import annotations

import pytest

from kubescribe.entrypoints.cli.logs import shown


@pytest.mark.parametrize(
    ("text", "on_terminal"),
    [
        ("plain text, é and 漢字\tand a tab", "plain text, é and 漢字\tand a tab"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"),
        ("\x1b[31mred to the end", "\x1b[31mred to the end\x1b[0m"),
        ("\x1b]0;a new title\x07", "\\x1b]0;a new title\\x07"),
        ("\x1b[2J\x1b[H gone", "\\x1b[2J\\x1b[H gone"),
        ("\x1b]52;c;cm0gLXJm\x1b\\", "\\x1b]52;c;cm0gLXJm\\x1b\\"),
        ("\x9b2J and \x7f \x08 \x00", "\\x9b2J and \\x7f \\x08 \\x00"),
        ("10 %\r100 %", "10 %\\x0d100 %"),
        ("\x1b[31", "\\x1b[31"),
    ],
)
def test_only_colours_reach_a_terminal(text: str, on_terminal: str) -> None:
    assert shown(text) == on_terminal
