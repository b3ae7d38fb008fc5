"""The command line of tokens and signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parser import Parser, json_flag

if TYPE_CHECKING:
    from .parser import Commands

ROLES = ("viewer", "operator", "admin")


def add_commands(commands: Commands) -> None:
    """``kubescribe token`` and ``kubescribe sign-in``."""
    token = commands.add_parser("token", help="make, list and revoke the API's bearer tokens")
    verbs = token.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)

    create = verbs.add_parser("create", help="make a token, and print it: this once")
    create.add_argument("name", help="what it is for")
    create.add_argument("--role", choices=ROLES, default="viewer", help="(default: viewer)")
    create.add_argument("--scope", action="append", metavar="SCOPE", help="only this of the role's; repeatable")
    create.add_argument("--expires", metavar="TIME", default="90d", help="after this time, or never (default: 90d)")
    json_flag(create)

    listed = verbs.add_parser("list", help="all tokens, the newest first")
    json_flag(listed)

    revoke = verbs.add_parser("revoke", help="end a token's validity")
    revoke.add_argument("token", help="its id, as `kubescribe token list` shows it")
    revoke.add_argument("--reason", help="kept on record")
    json_flag(revoke)

    sign_in = commands.add_parser("sign-in", help="make a link that signs in once, within 15 minutes")
    sign_in.add_argument("--role", choices=ROLES, default="viewer", help="(default: viewer)")
    sign_in.add_argument(
        "--url", help="where people reach the API (default: KUBESCRIBE_PUBLIC_URL, else http://127.0.0.1:8000)"
    )
