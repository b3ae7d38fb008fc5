"""A tenant: a team, with its pipelines, runs and tokens. On a cluster it is a namespace."""

from __future__ import annotations

import re
from typing import TypeAlias

Tenant: TypeAlias = str
"""Its name. Two are the same when they are equal: never by a prefix, a suffix or a pattern."""

DEFAULT_TENANT: Tenant = "default"
"""Where nobody says another."""

TENANT_RULE = "lower-case letters, digits and '-', at most 63 characters, the first and the last no '-'"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def may_be_a_tenant(text: str) -> bool:
    """Whether a tenant, and so a namespace, may be called so."""
    return _NAME.fullmatch(text) is not None
