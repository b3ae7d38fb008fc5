"""Times as Kubernetes writes them."""

from __future__ import annotations

import datetime


def now() -> str:
    """To the second: what statuses hold."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_now() -> str:
    """To the microsecond: what Leases hold."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
