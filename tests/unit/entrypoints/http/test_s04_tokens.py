"""S-4: tokens are long, kept as digests, shown once, and end when they are told to."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.support.api_world import ApiWorld

from kubescribe.adapters.system.randomness import SystemRandomness
from kubescribe.domain.access import Role, Scope
from kubescribe.domain.errors import ConfigurationError
from kubescribe.domain.token import PREFIX, SECRET_BYTES, digest, may_be_a_token, token_text


def test_a_token_holds_256_bits_of_the_systems_randomness() -> None:
    texts = {token_text(SystemRandomness().secret(SECRET_BYTES)) for _ in range(1000)}
    assert len(texts) == 1000
    for text in texts:
        assert text.startswith("ks_") and may_be_a_token(text)
        assert len(base64.urlsafe_b64decode(text.removeprefix(PREFIX) + "=")) == 32


def test_nothing_that_is_kept_holds_the_text(world: ApiWorld) -> None:
    token, text = world.token(Role.ADMIN)
    kept = repr((token, world.tokens.__dict__, world.database.__dict__, world.authenticate.__dict__))
    assert text not in kept and text.removeprefix(PREFIX) not in kept
    assert digest(text) in world.tokens._tokens


def test_a_token_works_and_a_changed_one_does_not(world: ApiWorld, client: TestClient[Any]) -> None:
    text = world.token()[1]
    assert client.get("/runs", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    assert client.get("/runs", headers={"Authorization": f"bearer {text}"}).status_code == 200
    changed = text[:-1] + ("A" if text[-1] != "A" else "B")
    for wrong in (changed, text[:-1], text + "A", text.upper(), f" {text} {text}", "", "ks_", "null", text[3:]):
        assert client.get("/runs", headers={"Authorization": f"Bearer {wrong}"}).status_code == 401, wrong
    for header in (text, f"Basic {text}", f"Token {text}", "Bearer"):
        assert client.get("/runs", headers={"Authorization": header}).status_code == 401, header
    assert client.get(f"/runs?token={text}&access_token={text}").status_code == 401


def test_a_revoked_token_is_worth_nothing_within_five_seconds(world: ApiWorld, client: TestClient[Any]) -> None:
    token, text = world.token()
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/runs", headers=headers).status_code == 200
    world.revoke(token.id)
    world.clock.advance(5)
    assert client.get("/runs", headers=headers).status_code == 401


def test_a_token_ends_with_its_lifetime(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = {"Authorization": f"Bearer {world.token(lifetime=60)[1]}"}
    assert client.get("/runs", headers=headers).status_code == 200
    world.database.advance(61)
    world.clock.advance(5)
    assert client.get("/runs", headers=headers).status_code == 401


def test_many_requests_ask_runlog_once_in_a_while(world: ApiWorld, client: TestClient[Any]) -> None:
    headers = {"Authorization": f"Bearer {world.token()[1]}"}
    asked: list[bytes] = []
    find = world.tokens.find

    async def counted(key: bytes) -> Any:
        asked.append(key)
        return await find(key)

    world.tokens.find = counted  # type: ignore[assignment, method-assign]
    for _ in range(50):
        client.get("/session", headers=headers)
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "a\0b"])
def test_a_name_that_cannot_be_shown_is_refused(name: str, world: ApiWorld) -> None:
    with pytest.raises(ConfigurationError):
        world.token(name=name)


def test_a_scope_beyond_the_role_is_refused(world: ApiWorld) -> None:
    with pytest.raises(ConfigurationError, match="role viewer has not runs:cancel"):
        world.token(Role.VIEWER, scopes=frozenset({Scope.RUNS_CANCEL}))
