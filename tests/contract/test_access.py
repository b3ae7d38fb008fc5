"""Tokens, sessions and leadership: what every RunLog promises."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kubescribe.adapters.memory.leadership import MemoryLeadership
from kubescribe.adapters.memory.tokens import MemoryTokens
from kubescribe.adapters.memory.web_sessions import MemoryWebSessions
from kubescribe.adapters.postgres.leadership import PostgresLeadership
from kubescribe.adapters.postgres.tokens import PostgresTokens
from kubescribe.adapters.postgres.web_sessions import PostgresWebSessions
from kubescribe.application.ports.leadership import Leadership
from kubescribe.application.ports.tokens import Tokens
from kubescribe.application.ports.web_sessions import WebSessions
from kubescribe.domain.access import Role, Scope
from kubescribe.domain.errors import TokenNotFound
from kubescribe.domain.token import Token, digest
from kubescribe.domain.web_session import WebSession
from tests.support.builders import LONG_AGO
from tests.support.runlogs import MemoryWorld, World
from tests.support.waiting import wait_for

ONE, TWO = digest("one"), digest("two")


class Access:
    """The three ports over one RunLog."""

    def __init__(self, world: World) -> None:
        self.world, self.run = world, world.run
        self.tokens: Tokens
        self.sessions: WebSessions
        self.leadership: Leadership
        if isinstance(world, MemoryWorld):
            self.tokens, self.sessions = MemoryTokens(world.database), MemoryWebSessions(world.database)
            self.leadership = MemoryLeadership(world.database)
        else:
            engine = world.engine  # type: ignore[attr-defined]
            self.tokens, self.sessions = PostgresTokens(engine), PostgresWebSessions(engine)
            self.leadership = PostgresLeadership(engine)

    def token(self, **changes: Any) -> Token:
        given: dict[str, Any] = {
            "id": self.world.ids.new(),
            "name": "ci",
            "role": Role.OPERATOR,
            "scopes": frozenset({Scope.RUNS_READ, Scope.RUNS_TRIGGER}),
            "created_by": "user:ann",
            "created_at": LONG_AGO,
            "expires_at": None,
        }
        return Token(**given | changes)

    def session(self, **changes: Any) -> WebSession:
        given: dict[str, Any] = {
            "id": self.world.ids.new(),
            "actor": "user:ann",
            "role": Role.ADMIN,
            "created_at": LONG_AGO,
            "expires_at": LONG_AGO,
        }
        return WebSession(**given | changes)

    def events(self, subject: str) -> list[tuple[str, str]]:
        """Kind and actor of what was written about a subject."""
        if isinstance(self.world, MemoryWorld):
            return [(event.kind, event.actor) for event in self.world.database.events if event.subject == subject]
        return self.run(_events(self.world.engine, subject))  # type: ignore[attr-defined]

    def asked(self, subject: str) -> list[tuple[Any, ...]]:
        """How and why, what was before, and what is after."""
        if isinstance(self.world, MemoryWorld):
            found: list[Any] = [event for event in self.world.database.events if event.subject == subject]
        else:
            found = self.run(_rows(self.world.engine, subject))  # type: ignore[attr-defined]
        return [(one.method, one.reason, one.before, one.after) for one in found]

    def passes(self, seconds: float) -> None:
        """Let time pass, where it can be told to; else it is waited for."""
        if isinstance(self.world, MemoryWorld):
            self.world.database.advance(seconds)


async def _events(engine: Any, subject: str) -> list[tuple[str, str]]:
    return [(row.kind, row.actor) for row in await _rows(engine, subject)]


async def _rows(engine: Any, subject: str) -> list[Any]:
    from sqlalchemy import select

    from kubescribe.adapters.postgres import tables

    query = select(tables.event).where(tables.event.c.subject == subject).order_by(tables.event.c.seq)
    async with engine.connect() as connection:
        return list(await connection.execute(query))


@pytest.fixture
def access(world: World) -> Iterator[Access]:
    yield Access(world)


def test_a_token_is_found_by_its_digest_alone(access: Access) -> None:
    made = access.run(access.tokens.add(access.token(), ONE, lifetime=None))
    found = access.run(access.tokens.find(ONE))
    assert found is not None
    assert (found.id, found.role) == (made.id, Role.OPERATOR)
    assert set(found.scopes) == {Scope.RUNS_READ, Scope.RUNS_TRIGGER}
    assert found.created_at > LONG_AGO
    assert access.run(access.tokens.find(TWO)) is None


def test_a_token_leaves_an_event_when_it_is_made_and_one_when_it_ends(access: Access) -> None:
    made = access.run(access.tokens.add(access.token(), ONE, lifetime=None, method="cli"))
    for _ in range(2):
        access.run(access.tokens.revoke(made.id, tenant="default", actor="user:bob", reason="leaked", method="cli"))
    valid, ended = {"valid": True}, {"valid": False}
    assert access.asked(f"token:{made.id}") == [("cli", None, None, valid), ("cli", "leaked", valid, ended)]
    assert access.events(f"token:{made.id}") == [("token.created", "user:ann"), ("token.revoked", "user:bob")]


def test_a_revoked_token_is_not_found_and_still_listed(access: Access) -> None:
    made = access.run(access.tokens.add(access.token(), ONE, lifetime=None))
    ended = access.run(access.tokens.revoke(made.id, tenant="default", actor="user:bob", reason=None))
    assert ended.revoked_at is not None
    assert access.run(access.tokens.find(ONE)) is None
    assert [token.revoked_at for token in access.run(access.tokens.all(tenant="default"))] == [ended.revoked_at]


def test_a_token_ends_with_its_lifetime(access: Access) -> None:
    made = access.run(access.tokens.add(access.token(), ONE, lifetime=0.3))
    assert made.expires_at == made.created_at + timedelta(seconds=0.3)
    access.passes(1)
    wait_for(lambda: access.run(access.tokens.find(ONE)) is None, "the token to expire")


def test_the_use_of_a_token_is_noted_once_a_minute(access: Access) -> None:
    access.run(access.tokens.add(access.token(), ONE, lifetime=None))

    def noted() -> object:
        access.run(access.tokens.find(ONE))
        return access.run(access.tokens.all(tenant="default"))[0].last_used_at

    assert access.run(access.tokens.all(tenant="default"))[0].last_used_at is None
    first = noted()
    assert first is not None
    assert noted() == first


def test_tokens_of_another_tenant_are_none(access: Access) -> None:
    made = access.run(access.tokens.add(access.token(tenant="team"), ONE, lifetime=None))
    assert access.run(access.tokens.all(tenant="default")) == ()
    assert access.run(access.tokens.all(tenant="tea")) == ()
    with pytest.raises(TokenNotFound):
        access.run(access.tokens.revoke(made.id, tenant="default", actor="user:bob", reason=None))
    found = access.run(access.tokens.find(ONE))
    assert found is not None
    assert found.tenant == "team"


def test_the_newest_token_is_listed_first(access: Access) -> None:
    for name, key in (("first", ONE), ("second", TWO)):
        access.run(access.tokens.add(access.token(name=name), key, lifetime=None))
        access.passes(1)
    assert [token.name for token in access.run(access.tokens.all(tenant="default"))] == ["second", "first"]


def test_a_link_works_once_whoever_is_first(access: Access) -> None:
    invited = access.run(access.sessions.invite(access.session(), ONE, lifetime=60))

    async def rush() -> list[WebSession | None]:
        return await asyncio.gather(
            *(access.sessions.redeem(ONE, digest(f"secret {n}"), lifetime=600) for n in range(8))
        )

    began = [session for session in access.run(rush()) if session is not None]
    assert [session.id for session in began] == [invited.id]
    assert began[0].expires_at > invited.expires_at
    kinds = [kind for kind, _ in access.events(f"session:{invited.id}")]
    assert kinds == ["session.invited", "session.began"]


def test_a_link_is_no_session_and_a_session_no_link(access: Access) -> None:
    access.run(access.sessions.invite(access.session(), ONE, lifetime=60))
    assert access.run(access.sessions.find(ONE)) is None
    assert access.run(access.sessions.redeem(ONE, TWO, lifetime=60)) is not None
    assert access.run(access.sessions.find(ONE)) is None
    assert access.run(access.sessions.redeem(TWO, ONE, lifetime=60)) is None
    found = access.run(access.sessions.find(TWO))
    assert found is not None
    assert (found.actor, found.role) == ("user:ann", Role.ADMIN)


def test_a_session_ends_when_it_is_told_to(access: Access) -> None:
    access.run(access.sessions.invite(access.session(), ONE, lifetime=60))
    session = access.run(access.sessions.redeem(ONE, TWO, lifetime=60))
    assert session is not None
    for _ in range(2):
        access.run(access.sessions.end(session.id, method="DELETE /session"))
    assert access.run(access.sessions.find(TWO)) is None
    assert [kind for kind, _ in access.events(f"session:{session.id}")][2:] == ["session.ended"]
    assert access.asked(f"session:{session.id}") == [
        (None, None, None, {"state": "invited"}),
        (None, None, {"state": "invited"}, {"state": "signed in"}),
        ("DELETE /session", None, {"state": "signed in"}, {"state": "ended"}),
    ]


def test_links_and_sessions_expire(access: Access) -> None:
    access.run(access.sessions.invite(access.session(), ONE, lifetime=0))
    assert access.run(access.sessions.redeem(ONE, TWO, lifetime=60)) is None
    access.run(access.sessions.invite(access.session(), TWO, lifetime=60))
    assert access.run(access.sessions.redeem(TWO, digest("three"), lifetime=0)) is not None
    assert access.run(access.sessions.find(digest("three"))) is None


def test_one_leads_until_it_leaves_or_its_lease_is_over(access: Access) -> None:
    first, second = UUID(int=1), UUID(int=2)
    hold, leave = access.leadership.hold, access.leadership.leave
    assert access.run(hold("reconcile", first, seconds=60))
    assert not access.run(hold("reconcile", second, seconds=60))
    assert access.run(hold("other", second, seconds=60))
    assert access.run(hold("reconcile", first, seconds=60))  # renewed
    access.run(leave("reconcile", second))  # not its own
    assert not access.run(hold("reconcile", second, seconds=60))
    access.run(leave("reconcile", first))
    assert access.run(hold("reconcile", second, seconds=0.05))
    access.passes(1)
    wait_for(lambda: access.run(hold("reconcile", first, seconds=60)), "the lease to be over")


def test_of_many_at_once_one_leads(access: Access) -> None:
    async def rush() -> list[bool]:
        return await asyncio.gather(*(access.leadership.hold("x", UUID(int=n + 1), seconds=60) for n in range(8)))

    assert access.run(rush()).count(True) == 1
