"""S-5: of an identity provider's tokens the good ones are taken, and forty forged ones are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.warnings import InsecureKeyLengthWarning
from tests.support.api_world import ApiWorld
from tests.support.identity_provider import AUDIENCE, ISSUER, FakeProvider

from kubescribe.adapters.oidc import key_set
from kubescribe.adapters.oidc.key_set import fetch_json
from kubescribe.adapters.oidc.provider import OidcProvider
from kubescribe.application.authenticate import Trust
from kubescribe.domain.access import Role
from kubescribe.domain.claim_roles import parse_claim_roles
from kubescribe.domain.errors import IdentityProviderUnavailable, NotAuthenticated

NOW = int(time.time())
FORGER = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)
CURVE = ec.generate_private_key(ec.SECP256R1())
IDP = FakeProvider()
ROLES = parse_claim_roles("ks-admins=admin,ks-ops=operator,ks-b=viewer@team-b")
EXTRA = {"jku": "https://evil.example/keys", "x5u": "https://evil.example/cert"}


def oidc(idp: FakeProvider = IDP, **settings: Any) -> OidcProvider:
    return OidcProvider(ISSUER, AUDIENCE, fetch=idp.fetch, **settings)


def broken(part: int, change: Callable[[str], str]) -> str:
    parts = IDP.token().split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def flipped(text: str) -> str:
    return ("A" if text[5] != "A" else "B").join((text[:5], text[6:]))


FORGED: dict[str, Callable[[], str]] = {
    "another's key under our key id": lambda: IDP.token(signer=FORGER),
    "another's curve under our key id": lambda: IDP.token("ec", signer=CURVE),
    "an unknown key id": lambda: IDP.token(signer=FORGER, header={"kid": "nobody"}),
    "no key id": lambda: jwt.encode(IDP.claims(), IDP.keys["rsa"], "RS256"),
    "a key id that is a number": lambda: IDP.by_hand({"alg": "RS256", "kid": 7}, IDP.claims(), b"x" * 256),
    "a key id that is a path": lambda: IDP.token(signer=FORGER, header={"kid": "../../dev/null"}),
    "a key id that is SQL": lambda: IDP.token(signer=FORGER, header={"kid": "' UNION SELECT 'x'; --"}),
    "alg none": lambda: IDP.by_hand({"alg": "none", "kid": "rsa"}, IDP.claims()),
    "alg None": lambda: IDP.by_hand({"alg": "None", "kid": "rsa"}, IDP.claims()),
    "alg NONE with a signature": lambda: IDP.by_hand({"alg": "NONE", "kid": "rsa"}, IDP.claims(), b"x"),
    "no alg": lambda: IDP.by_hand({"kid": "rsa"}, IDP.claims(), b"x"),
    "an alg that is a list": lambda: IDP.by_hand({"alg": ["RS256"], "kid": "rsa"}, IDP.claims(), b"x"),
    "HS256 by the public key": lambda: IDP.confused("rsa", IDP.pem("rsa")),
    "HS384 by the public key": lambda: IDP.confused("rsa", IDP.pem("rsa"), "HS384"),
    "HS512 by the public key": lambda: IDP.confused("ec", IDP.pem("ec"), "HS512"),
    "HS256 by the public key without its newline": lambda: IDP.confused("rsa", IDP.pem("rsa").strip()),
    "HS256 by nothing": lambda: IDP.confused("rsa", b""),
    "an algorithm that is not allowed": lambda: IDP.token(algorithm="RS384"),
    "PS256 by a key for RS256": lambda: IDP.token(algorithm="PS256"),
    "RS256 said of a curve's key": lambda: IDP.token("ec", signer=FORGER),
    "a key in its own header": lambda: IDP.token(signer=FORGER, header={"jwk": {"kty": "RSA", "n": "x", "e": "AQAB"}}),
    "addresses of keys in its header": lambda: IDP.token(signer=FORGER, header=EXTRA),
    "a critical header": lambda: IDP.token(header={"crit": ["exp"], "exp": NOW}),
    "an unencoded payload": lambda: IDP.token(header={"b64": False}),
    "a type of its own": lambda: IDP.token(header={"typ": "secevent+jwt"}),
    "another issuer": lambda: IDP.token(iss="https://id.example.org/other"),
    "an issuer that ours begins with": lambda: IDP.token(iss=ISSUER[:-1]),
    "an issuer with a slash": lambda: IDP.token(iss=ISSUER + "/"),
    "no issuer": lambda: IDP.token(iss=None),
    "another audience": lambda: IDP.token(aud="grafana"),
    "an audience that begins with ours": lambda: IDP.token(aud=[AUDIENCE + "-x", "x"]),
    "no audience": lambda: IDP.token(aud=None),
    "expired": lambda: IDP.token(iat=NOW - 900, exp=NOW - 120),
    "no end": lambda: IDP.token(exp=None),
    "not yet": lambda: IDP.token(nbf=NOW + 900),
    "issued in the future": lambda: IDP.token(iat=NOW + 900, exp=NOW + 1800),
    "no subject": lambda: IDP.token(sub=None),
    "another payload": lambda: broken(1, flipped),
    "another signature": lambda: broken(2, flipped),
    "no signature": lambda: broken(2, lambda _: ""),
    "a fourth part": lambda: IDP.token() + ".AAAA",
    "no token at all": lambda: "a.b.c",
    "a payload that is a list": lambda: jwt.api_jws.encode(b"[1]", IDP.keys["rsa"], "RS256", {"kid": "rsa"}),
    "a deep payload": lambda: jwt.api_jws.encode(b"[" * 9000, IDP.keys["rsa"], "RS256", {"kid": "rsa"}),
    "an end that is no number": lambda: IDP.token(exp="never"),
}


def test_there_are_forty_of_them() -> None:
    assert len(FORGED) >= 40


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(name: str) -> None:
    IDP.fetched.clear()
    with pytest.raises(NotAuthenticated):
        asyncio.run(oidc().claims(FORGED[name]()))
    assert all(address.startswith(ISSUER) for address in IDP.fetched), "a token has sent us elsewhere"


@pytest.mark.parametrize("key_id", ["rsa", "ec"])
def test_a_good_token_is_taken(key_id: str) -> None:
    claims = asyncio.run(oidc().claims(IDP.token(key_id, aud=["x", AUDIENCE], header={"typ": "at+jwt"})))
    assert claims["sub"] == "ann"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"groups": "ks-admins"}, 200),
        ({"groups": ["somebody"]}, 401),
        ({"groups": None}, 401),
        ({"groups": {"ks-admins": True}}, 401),
        ({"sub": "line\nbreak"}, 401),
        ({"sub": "x" * 300}, 401),
    ],
)
def test_what_the_claims_give(changes: dict[str, Any], status: int) -> None:
    world = ApiWorld(trust=Trust(oidc(), "groups", ROLES))
    with world.client() as client:
        answer = client.get("/session", headers={"Authorization": f"Bearer {IDP.token(**changes)}"})
    assert answer.status_code == status
    if status == 200:
        role = Role.ADMIN if changes else Role.OPERATOR
        assert (answer.json()["role"], answer.json()["actor"]) == (role, "oidc:ann")


def test_a_group_can_be_bound_to_another_tenant() -> None:
    world = ApiWorld(trust=Trust(oidc(), "groups", ROLES))
    world.run()
    with world.client() as client:
        headers = {"Authorization": f"Bearer {IDP.token(groups=['ks-b'])}"}
        assert client.get("/session", headers=headers).json()["tenant"] == "team-b"
        assert client.get("/runs", headers=headers).json()["items"] == []


def test_without_a_provider_nobody_is_believed() -> None:
    with ApiWorld().client() as client:
        assert client.get("/runs", headers={"Authorization": f"Bearer {IDP.token()}"}).status_code == 401


def test_a_new_key_is_fetched_and_a_withdrawn_one_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(key_set, "monotonic", lambda: now[0])
    idp = FakeProvider()
    provider = oidc(idp)

    async def story() -> None:
        await provider.claims(idp.token())
        old = idp.keys.pop("rsa")
        idp.keys["new"] = FORGER
        now[0] += 11
        await provider.claims(idp.token("new"))  # an unknown id is worth a look
        with pytest.raises(NotAuthenticated):
            await provider.claims(idp.token(signer=old, header={"kid": "rsa"}))

    asyncio.run(story())


def test_made_up_key_ids_make_us_no_nuisance() -> None:
    idp = FakeProvider()
    provider = oidc(idp)

    async def storm() -> None:
        for number in range(200):
            with pytest.raises(NotAuthenticated):
                await provider.claims(idp.token(signer=FORGER, header={"kid": f"made-up-{number}"}))

    asyncio.run(storm())
    assert len(idp.fetched) == 2  # the discovery document and the keys, once


def test_a_provider_that_is_away_for_a_while_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(key_set, "monotonic", lambda: now[0])
    idp = FakeProvider()
    provider = oidc(idp)

    async def story() -> None:
        await provider.claims(idp.token())
        idp.fails = OSError("connection refused")
        now[0] += 1200
        await provider.claims(idp.token())
        now[0] += 3600
        with pytest.raises(IdentityProviderUnavailable):
            await provider.claims(idp.token())

    asyncio.run(story())


def test_a_provider_that_is_away_from_the_beginning_is_no_verdict() -> None:
    idp = FakeProvider()
    idp.fails = OSError("connection refused")
    with ApiWorld(trust=Trust(oidc(idp), "groups", ROLES)).client() as client:
        answer = client.get("/runs", headers={"Authorization": f"Bearer {IDP.token()}"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "refused" not in answer.text


def test_keys_that_are_not_for_us_are_left_alone() -> None:
    idp = FakeProvider()
    idp.keys["short"] = SHORT
    idp.more = [
        idp.public("rsa", kid="for encryption", use="enc"),
        idp.public("rsa", kid="HS", alg="HS256"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct", "alg": "HS256"},
        {"kty": "RSA", "kid": "nothing in it"},
        {"kty": "EC", "crv": "P-999", "kid": "odd"},
        {"kid": 7},
        "text",  # type: ignore[list-item]
    ]

    async def story() -> None:
        await oidc(idp).claims(idp.token())
        for key_id in ("for encryption", "HS", "nothing in it", "odd"):
            with pytest.raises(NotAuthenticated):
                await oidc(idp).claims(idp.token(signer=idp.keys["rsa"], header={"kid": key_id}))
        with pytest.warns(InsecureKeyLengthWarning):
            by_a_short_key = idp.token("short")
        with pytest.raises(NotAuthenticated):
            await oidc(idp).claims(by_a_short_key)

    asyncio.run(story())


def test_a_discovery_document_of_another_issuer_is_none() -> None:
    provider = OidcProvider("https://id.example.org/other", AUDIENCE, fetch=IDP.fetch)
    with pytest.raises(IdentityProviderUnavailable):
        asyncio.run(provider.claims(IDP.token()))


@pytest.mark.parametrize("address", ["http://id.example.org/keys", "file:///etc/passwd", "ftp://x/keys", "data:,{}"])
def test_keys_come_over_https_alone(address: str) -> None:
    with pytest.raises(ValueError, match="not safe for keys"):
        fetch_json(address)


@pytest.mark.parametrize("algorithms", [(), ("HS256",), ("RS256", "none"), ("rs256",)])
def test_an_algorithm_that_proves_nothing_cannot_be_allowed(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        oidc(algorithms=algorithms)
