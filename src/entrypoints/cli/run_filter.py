"""The filters of ``kubescribe runs``."""

from __future__ import annotations

import argparse
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from ...application.ports.run_log import RunFilter
from ...domain.errors import BadSetting
from ...domain.run import Trigger
from ...domain.run_status import RunStatus
from ...domain.tenant import Tenant

E = TypeVar("E", bound=StrEnum)


def run_filter(args: argparse.Namespace, tenant: Tenant, retry_of: UUID | None) -> RunFilter:
    """What the options ask for; raises :class:`BadSetting`."""
    return RunFilter(
        tenant=tenant,
        pipeline=args.pipeline,
        statuses=tuple(_one_of(RunStatus, "--status", text) for text in args.status) if args.status else None,
        trigger=None if args.trigger is None else _one_of(Trigger, "--trigger", args.trigger),
        actor=args.actor,
        created_from=_time("--since", args.since),
        created_until=_time("--until", args.until),
        parameters=_parameters(args.param),
        retry_of=retry_of,
    )


def page_key(text: str | None) -> tuple[datetime, UUID] | None:
    """What ``--before`` gives: the place that the page before has printed."""
    if text is None:
        return None
    moment, _, run_id = text.partition("/")
    try:
        time = datetime.fromisoformat(moment)
        if time.tzinfo is None:
            raise ValueError
        return time, UUID(run_id)
    except ValueError:
        raise BadSetting("--before", f"{text!r} is no place; give what the page before has printed") from None


def place(key: tuple[datetime, UUID]) -> str:
    """A page's key as :func:`page_key` reads it."""
    return f"{key[0].isoformat()}/{key[1]}"


def _one_of(kind: type[E], option: str, text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise BadSetting(option, f"{text!r} is none of {', '.join(kind)}") from None


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise BadSetting(option, f"{text!r} is no ISO time, like 2026-11-21T05:00:00Z") from None
    return time.astimezone() if time.tzinfo is None else time


def _parameters(pairs: list[str]) -> dict[str, Any] | None:
    """``NAME=VALUE``: the value is JSON where it can be read as such, else text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise BadSetting("--param", f"{pair!r} has no '='; write NAME=VALUE")
        try:
            found[name] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            found[name] = text
    return found or None
