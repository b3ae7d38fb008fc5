"""Just enough of PostgreSQL's lexer to tell code from literals, comments and quoted names."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A string goes on after a line break: 'a' <newline> 'b' is one literal, of the first part's kind.
_CONTINUED = r"(?:(?:[ \t\f\v]|--[^\r\n]*)*[\r\n](?:\s|--[^\r\n]*[\r\n])*'{body}')*"
_PLAIN = r"(?:[^']|'')*"
_ESCAPED = r"(?:[^'\\]|''|\\.)*"

_TOKEN = re.compile(
    "|".join(
        (
            r"(?P<space>\s+|--[^\r\n]*)",
            rf"(?P<escaped>[eE]'{_ESCAPED}'{_CONTINUED.format(body=_ESCAPED)})",
            rf"(?P<string>(?:[bBxXnN]|[uU]&)?'{_PLAIN}'{_CONTINUED.format(body=_PLAIN)})",
            r'(?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")',
            r"(?P<dollar>(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag))",
            r"(?P<numbered>\$\d+)",
            r"(?P<word>[^\W\d][\w$]*)",
            r"(?P<number>\d[\w.]*|\.\d[\w.]*)",
            r"(?P<bind>:[A-Za-z_][A-Za-z0-9_]*)",
            r"(?P<colon>\\:)",
            r"(?P<cast>::|:=)",
            r"(?P<comment>/\*)",
            r"(?P<other>.)",
        )
    ),
    re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Token:
    """A piece of the text: its kind (a group's name above), its text and where it begins."""

    __slots__ = ("kind", "start", "text")

    def __init__(self, kind: str, text: str, start: int) -> None:
        self.kind, self.text, self.start = kind, text, start

    @property
    def end(self) -> int:
        """Where the next token begins."""
        return self.start + len(self.text)


def tokens(text: str) -> Iterator[Token]:
    """Cut the text into tokens that, joined, are the text again.

    What never ends (a quote without its partner) comes as single characters of kind ``other``: the server has
    the better error for it. Binds are recognised by shape alone: whether ``[1:n]`` holds one, the caller knows.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None  # "other" takes any character
        kind = match.lastgroup or "other"
        end = match.end()
        if kind == "tag":
            kind = "dollar"
        elif kind == "comment":
            end, kind = _comment_end(text, at), "space"
        elif kind == "number" and ".." in match.group():
            end = at + match.group().index("..")
        yield Token(kind, text[at:end], at)
        at = end


def _comment_end(text: str, start: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)
