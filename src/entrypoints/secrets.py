"""Passwords of ours where they must not be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..application.redaction import Redactor
from ..domain.database_url import DatabaseUrl
from ..domain.errors import BadParameters


class Urls(Protocol):
    """Settings, or the databases that are open."""

    @property
    def runlog_url(self) -> DatabaseUrl | None: ...  # noqa: D102
    @property
    def production_url(self) -> DatabaseUrl | None: ...  # noqa: D102
    @property
    def report_url(self) -> DatabaseUrl | None: ...  # noqa: D102


def refuse_secrets(pipeline: str, parameters: Mapping[str, object], urls: Urls) -> None:
    """Raise :class:`BadParameters` where one holds a password of ours.

    Parameters are on record for everybody to read. Hidden there, the run could not be compared with its record, and
    another attempt would get the mask for the value.
    """
    known = [url for url in (urls.runlog_url, urls.production_url, urls.report_url) if url is not None]
    problems = []
    for name, value in parameters.items():
        found = [url.name for url in known if Redactor(url.secrets()).data([name, value]) != [name, value]]
        if found:
            problems.append(
                f"parameter {name} contains the password of {found[0]}; parameters are kept on record, so let the "
                "pipeline take secrets from its environment"
            )
    if problems:
        raise BadParameters(pipeline, tuple(problems))
