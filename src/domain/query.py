"""A query as an author writes it: SQL with ``:name`` binds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import QueryFailed
from .sql_tokens import Token, tokens

READS = frozenset({"select", "with", "values", "table"})
"""What a query may begin with: everything else is no query, or writes."""

# After one of these an operand follows, so that a colon in brackets is a bind's and not a slice's.
_KEYWORDS = """all and any between by case distinct else exists from having ilike in is like limit not offset on or
select similar some then to when where"""
_BEFORE_OPERAND = frozenset(_KEYWORDS.split())
_TAKES_FROM = frozenset({"extract", "substring", "trim", "overlay"})


class Query:
    """The text, cut at its binds.

    ``:name`` is a bind unless it stands in a literal, a quoted name, a comment, a dollar quote, or is the upper
    bound of an array slice (``a[1:n]``); ``\\:`` is a colon, ``::`` a cast. Raises
    :class:`~kubescribe.domain.errors.QueryFailed` where the text is not exactly one query, or numbers its binds.
    """

    def __init__(self, text: str, *, name: str) -> None:
        self.name = name
        self.text = text
        self._tokens = _without_semicolon(text, name)
        first = next((token for token in self._tokens if token.kind == "word"), None)
        if first is None:
            raise QueryFailed(name, "it is empty")
        if first.text.lower() not in READS:
            raise QueryFailed(
                name, f"only SELECT, WITH, VALUES or TABLE can be read, and this begins with {first.text.upper()[:40]}"
            )
        binds = _binds(self._tokens)
        self._binds = binds
        self.names = tuple(dict.fromkeys(self._tokens[index].text[1:] for index in binds))
        """The binds' names, each once, in the order of the text."""

    @property
    def hash(self) -> str:
        """Sixteen hex digits of BLAKE2b over the text."""
        import hashlib

        return hashlib.blake2b(self.text.encode(errors="surrogatepass"), digest_size=8).hexdigest()

    def check(self, given: Iterable[str]) -> None:
        """Raise :class:`QueryFailed` unless exactly the query's binds are given."""
        given = set(given)
        missing = [name for name in self.names if name not in given]
        unused = sorted(given.difference(self.names))
        problems = [f"the bind :{name} has no value{_hint(name)}" for name in missing]
        problems += [f"a value is given for {name}, and there is no bind :{name} in the query" for name in unused]
        if problems:
            raise QueryFailed(self.name, "; ".join(problems))

    def render(self, placeholders: Mapping[str, str]) -> tuple[str, list[tuple[int, int]]]:
        """The text with each bind replaced, and ``(place in it, place in the original)`` pairs, ascending."""
        out: list[str] = []
        places: list[tuple[int, int]] = []
        length = 0
        for index, token in enumerate(self._tokens):
            text = token.text
            if index in self._binds:
                # `LIMIT:n` must not become the identifier `LIMIT$1`.
                glued = index > 0 and self._tokens[index - 1].kind in ("word", "number", "bind")
                text = (" " if glued else "") + placeholders[text[1:]]
            elif token.kind == "colon":
                text = ":"
            places.append((length, token.start))
            out.append(text)
            length += len(text)
        return "".join(out), places

    def position(self, place: int) -> str:
        """``line 3, column 7`` of a place in the original text (counted from 0)."""
        before = self.text[:place]
        return f"line {before.count(chr(10)) + 1}, column {place - (before.rfind(chr(10)) + 1) + 1}"

    def first_table(self) -> str | None:
        """The name after the first FROM that names a table, as written but for quotes; None where there is none."""
        code = [token for token in self._tokens if token.kind != "space"]
        opened: list[str] = []
        for index, token in enumerate(code):
            before = code[index - 1].text.lower() if index else ""
            if token.text == "(":
                opened.append(before)
            elif token.text == ")" and opened:
                opened.pop()
            elif token.kind == "word" and token.text.lower() == "from":
                if before == "distinct" or (opened and opened[-1] in _TAKES_FROM):
                    continue
                name = _dotted_name(code[index + 1 :])
                if name:
                    return name
        return None


def _hint(name: str) -> str:
    return (
        f" ({name}= is an argument of its own here: call the bind something else)" if name in ("name", "batch") else ""
    )


def _without_semicolon(text: str, name: str) -> list[Token]:
    found = list(tokens(text))
    for index, token in enumerate(found):
        if token.kind == "numbered":
            raise QueryFailed(name, f"it holds {token.text}; binds are written by name, like :month")
        if token.kind == "other" and token.text == ";":
            if any(later.kind != "space" and later.text != ";" for later in found[index:]):
                raise QueryFailed(name, "it holds several statements; read them one by one")
            return found[:index]
    return found


def _binds(found: list[Token]) -> frozenset[int]:
    binds = set()
    brackets: list[str] = []
    before: Token | None = None  # the last token that is not space
    for index, token in enumerate(found):
        if token.kind == "bind" and not (brackets and brackets[-1] == "[" and _is_operand(before)):
            binds.add(index)
        elif token.text in ("(", "["):
            brackets.append(token.text)
        elif token.text in (")", "]") and brackets:
            brackets.pop()
        if token.kind != "space":
            before = token
    return frozenset(binds)


def _is_operand(token: Token | None) -> bool:
    if token is None:
        return False
    if token.kind == "word":
        return token.text.lower() not in _BEFORE_OPERAND
    return token.kind in ("number", "quoted", "string", "escaped", "dollar", "bind") or token.text in (")", "]")


def _dotted_name(code: list[Token]) -> str | None:
    parts: list[str] = []
    for token in code:
        if len(parts) % 2 == 0:
            if token.kind == "word" and not (not parts and token.text.lower() in ("only", "lateral")):
                parts.append(token.text)
            elif token.kind == "quoted":
                parts.append(token.text.partition('"')[2][:-1].replace('""', '"'))
            elif parts or token.kind != "word":
                return None
        elif token.text == ".":
            parts.append(".")
        else:
            break
    return "".join(parts) if len(parts) % 2 else None
