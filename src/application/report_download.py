"""What a download of rows is called, and how a client asks whether it has it already. The words are HTTP's."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from ..domain.report import Column
from ..domain.report_query import RowQuery
from .ports.report_reader import ReportVersion

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\uffff]*")')
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 150


def etag(source: ReportVersion, columns: tuple[Column, ...], query: RowQuery, *parts: object) -> str:
    """A strong tag for an answer: the same tag means the same bytes.

    It is made of which rows the report has, of the question, and of ``parts``: the format's variant, a page's size
    and cursor. Which version was asked for does not count, only which one answers.
    """
    asked = (query.report, columns, query.filters, query.sort, source.state, source.publication.run_id, parts)
    return f'"{hashlib.blake2b(repr(asked).encode(), digest_size=16).hexdigest()}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Whether the header ``If-None-Match`` says that the client has it; compared weakly, as RFC 9110 wants it."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in (match[1] for match in _TAG.finditer(if_none_match))


def content_disposition(report: str, version: int, extension: str) -> str:
    """The header for a file that is saved as ``<report>_v<version>.<extension>``, whatever the report's name holds."""
    name = f"{report[:_LONGEST_NAME]}_v{version}.{extension}"
    plain = _UNSAFE.sub("_", name).lstrip(".") or "report"
    header = f'attachment; filename="{plain}"'
    if plain != name:
        text = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|\ud800-\udfff]', "_", name).lstrip(".")
        header += f"; filename*=UTF-8''{quote(text, safe='')}"
    return header
