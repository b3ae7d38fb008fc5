"""Rows of tokens and sessions, and the domain's types."""

from __future__ import annotations

from uuid import UUID

from ...domain.access import Role, Scope
from ...domain.token import Token
from ...domain.web_session import WebSession
from .rows import Row


def token_from(row: Row) -> Token:
    """The token of a row of ``token``; a scope that this release does not know is none."""
    known = frozenset(scope for scope in Scope if scope in row["scopes"])
    values = {name: row[name] for name in Token.__struct_fields__}
    return Token(**values | {"id": UUID(int=row["id"].int), "role": Role(row["role"]), "scopes": known})


def session_from(row: Row) -> WebSession:
    """The session of a row of ``web_session``."""
    values = {name: row[name] for name in WebSession.__struct_fields__}
    return WebSession(**values | {"id": UUID(int=row["id"].int), "role": Role(row["role"])})
