"""``kubescribe token``: the API's bearer tokens."""

from __future__ import annotations

import argparse
import sys
from uuid import UUID

import msgspec

from ...application.manage_tokens import revoke_token
from ...domain.access import Role, Scope
from ...domain.duration import parse_duration
from ...domain.errors import BadSetting, TokenNotFound
from ..composition.container import Container
from ..settings import Settings
from . import terminal
from .reading import METHOD, reading


def main(args: argparse.Namespace, settings: Settings) -> int:
    """Create, list or revoke."""
    work = {"create": _create, "list": _list, "revoke": _revoke}[args.verb]
    return reading(settings, lambda container: work(args, settings, container), healing=False)


async def _create(args: argparse.Namespace, settings: Settings, container: Container) -> int:
    token, text = await container.create_token()(
        args.name,
        Role(args.role),
        actor=settings.actor,
        tenant=settings.tenant,
        scopes=_scopes(args.scope),
        lifetime=None if args.expires == "never" else parse_duration(args.expires).total_seconds(),
        method=METHOD,
    )
    if args.json:
        terminal.print_json({"token": text, **msgspec.to_builtins(token)})
    else:
        until = "until it is revoked" if token.expires_at is None else f"until {terminal.when(token.expires_at)}"
        print(f"kubescribe: token {token.id}, {token.role} of {token.tenant}, valid {until}.", file=sys.stderr)
        print("kubescribe: this is shown once; nobody can show it again:", file=sys.stderr)
        print(text)
    return 0


async def _list(args: argparse.Namespace, settings: Settings, container: Container) -> int:
    tokens = await container.tokens().all(tenant=settings.tenant)
    if args.json:
        terminal.print_json(tokens)
        return 0
    if not tokens:
        terminal.console().print("There is no token. `kubescribe token create NAME` makes one.")
        return 0
    rows = (
        (
            token.id,
            token.name,
            token.role if token.scopes == token.role.scopes else ", ".join(sorted(token.scopes)),
            terminal.when(token.created_at),
            f"revoked {terminal.when(token.revoked_at)}" if token.revoked_at else terminal.when(token.expires_at),
            terminal.when(token.last_used_at),
        )
        for token in tokens
    )
    columns = ("token", "name", "may", "created", "until", "last used")
    terminal.show(terminal.table(columns, rows, wrap=("name", "may")))
    return 0


async def _revoke(args: argparse.Namespace, settings: Settings, container: Container) -> int:
    try:
        token_id = UUID(args.token)
    except ValueError:
        raise TokenNotFound(args.token) from None
    token = await revoke_token(
        container.tokens(),
        token_id,
        tenant=settings.tenant,
        actor=settings.actor,
        reason=args.reason,
        method=METHOD,
    )
    if args.json:
        terminal.print_json(token)
    else:
        print(
            f"token {token.id} ({token.name}) is revoked; an API that has just seen it takes it for a few seconds more"
        )
    return 0


def _scopes(given: list[str] | None) -> frozenset[Scope] | None:
    if given is None:
        return None
    known = [scope.value for scope in Scope]
    for scope in given:
        if scope not in known:
            raise BadSetting("--scope", f"{scope!r} is none of {', '.join(known)}")
    return frozenset(map(Scope, given))
