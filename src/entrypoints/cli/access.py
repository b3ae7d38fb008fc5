"""The part of the command line that is about tokens and signing in."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

ROLES = ("viewer", "operator", "admin")


def add_commands(commands: argparse._SubParsersAction[Any], json: Callable[..., None]) -> None:
    """``kubescribe token`` and ``kubescribe sign-in``."""
    token = commands.add_parser("token", help="make, list and revoke the API's bearer tokens")
    verbs = token.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=type(token))

    create = verbs.add_parser("create", help="make a token, and print it: this once")
    create.add_argument("name", help="what it is for")
    create.add_argument("--role", choices=ROLES, default="viewer", help="(default: viewer)")
    create.add_argument("--scope", action="append", metavar="SCOPE", help="only this of the role's; repeatable")
    create.add_argument("--expires", metavar="TIME", default="90d", help="after this time, or never (default: 90d)")
    json(create)

    listed = verbs.add_parser("list", help="all tokens, the newest first")
    json(listed)

    revoke = verbs.add_parser("revoke", help="end a token's validity")
    revoke.add_argument("token", help="its id, as `kubescribe token list` shows it")
    revoke.add_argument("--reason", help="kept on record")
    json(revoke)

    sign_in = commands.add_parser("sign-in", help="make a link that signs in once, within 15 minutes")
    sign_in.add_argument("--role", choices=ROLES, default="viewer", help="(default: viewer)")
    sign_in.add_argument(
        "--url", default="http://127.0.0.1:8000", help="where the API is (default: http://127.0.0.1:8000)"
    )
