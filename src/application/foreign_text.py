"""What programs print that know nothing of KubeScribe: nobody has told us their secrets, so these go by their looks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .redaction import MASK, Redactor

_NAMES = r"pass(?:word|wd|phrase)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
_LOOKS = (
    # scheme://user:PASSWORD@host, with whatever the password is made of
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)[^\s'\"]+(?=@)"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[a-z0-9._~+/=-]{8,}"), rf"\1{MASK}"),
    # NAME=value, "name": "value", --name value is not one: too many sentences look like it
    (
        re.compile(rf"(?i)(\b[\w.-]*?(?:{_NAMES})[\w.-]*['\"]?\s*[=:]\s*)(?:\"[^\"]*\"?|'[^']*'?|[^\s,;&'\"}}]+)"),
        rf"\1{MASK}",
    ),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), MASK),  # a JSON web token
    (re.compile(r"\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_\w{20,}|xox[abeprs]-[\w-]{10,})"), MASK),
)
_KEY_BEGINS, _KEY_ENDS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), re.compile(r"-----END [A-Z ]*PRIVATE KEY")


class ForeignText:
    """Hides our own secrets, in every form, and what looks like somebody's: passwords in URLs and after their names,
    authorization headers, web tokens, well-known kinds of keys, private keys. A secret without such a look stays."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """``secrets``: our own."""
        self._ours = Redactor(secrets)

    def text(self, text: str) -> str:
        """The text without them."""
        text = self._ours.text(text)
        for look, hidden in _LOOKS:
            text = look.sub(hidden, text)
        return text

    def lines(self, lines: Iterable[str]) -> tuple[str, ...]:
        """The same for lines that follow one another: a private key takes several."""
        found, in_key = [], False
        for line in lines:
            in_key = in_key or _KEY_BEGINS.search(line) is not None
            found.append(MASK if in_key else self.text(line))
            in_key = in_key and _KEY_ENDS.search(line) is None
        return tuple(found)
