"""S-9: who asks too often is told so, whatever they say of themselves."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from tests.support.api_world import ApiWorld
from tests.support.identity_provider import AUDIENCE, ISSUER, FakeProvider

from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.adapters.oidc.provider import OidcProvider
from kubescribe.application.authenticate import Trust
from kubescribe.domain.access import Role
from kubescribe.domain.claim_roles import parse_claim_roles
from kubescribe.entrypoints.api_settings import ApiSettings
from kubescribe.entrypoints.http.gate.rate import Rate
from kubescribe.entrypoints.http.problems import Refused

IDP = FakeProvider()
ROLES = parse_claim_roles("ks-ops=operator")
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_a_principal_is_held_to_its_rate_and_others_are_not() -> None:
    world = ApiWorld(ApiSettings(rate=5))
    one, other = world.as_(Role.VIEWER), world.as_(Role.VIEWER)
    with world.client() as client:
        statuses = [client.get("/session", headers=one).status_code for _ in range(15)]
        assert statuses == [200] * 10 + [429] * 5
        assert client.get("/session", headers=other).status_code == 200
        refused = client.get("/session", headers=one)
        assert refused.json()["type"].endswith("too-many-requests")
        assert int(refused.headers["retry-after"]) >= 1
        world.clock.advance(1)
        assert [client.get("/session", headers=one).status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.0.1", "fd00::7"])
def test_a_thousand_forged_addresses_are_one_stranger(peer: str) -> None:
    """The peer is a stranger, or a proxy that hands on what a stranger has written before its address."""
    world = ApiWorld(ApiSettings(proxies=PROXIES))
    statuses = []
    for number in range(1000):
        forged = f"192.0.2.{number % 250}, 198.51.100.{number // 250}"
        told = forged if peer.startswith("203") else f"{forged}, 203.0.113.9"
        status, _, _ = world.exchange("GET", "/runs", ("x-forwarded-for", told), peer=peer)
        statuses.append(status)
    assert set(statuses) == {401, 429}
    assert statuses.count(401) == 40  # what may be asked at once
    assert set(statuses[40:]) == {429}


def test_what_a_proxy_writes_into_a_line_of_its_own_comes_last() -> None:
    """Some proxies add a header, and leave the stranger's own before it."""
    world = ApiWorld(ApiSettings(proxies=PROXIES))
    statuses = []
    for number in range(100):
        forged = ("x-forwarded-for", f"192.0.2.{number}")
        status, _, _ = world.exchange("GET", "/runs", forged, ("x-forwarded-for", "203.0.113.9"), peer="10.0.0.1")
        statuses.append(status)
    assert statuses == [401] * 40 + [429] * 60


def test_a_scheme_is_what_the_proxy_said_last() -> None:
    world = ApiWorld(ApiSettings(proxies=PROXIES))
    for told, protected in ((("https", "http"), False), (("http", "https"), True)):
        lines = [("x-forwarded-proto", one) for one in told]
        _, headers, _ = world.exchange("GET", "/sign-in", *lines, peer="10.0.0.1")
        assert ("strict-transport-security" in headers) is protected


def test_a_proxy_of_ours_tells_strangers_apart() -> None:
    world = ApiWorld(ApiSettings(proxies=PROXIES))
    for number in range(100):
        status, _, _ = world.exchange("GET", "/runs", ("x-forwarded-for", f"203.0.113.{number}"), peer="10.0.0.1")
        assert status == 401


def test_one_address_cannot_be_two_by_another_spelling() -> None:
    world = ApiWorld(ApiSettings(proxies=(ip_network("10.0.0.0/8"),)))
    told, spellings = ("x-forwarded-for", "203.0.113.9"), ("::ffff:10.0.0.1", "10.0.0.1")
    statuses = [world.exchange("GET", "/runs", told, peer=spellings[n % 2])[0] for n in range(100)]
    assert statuses.count(401) == 40


def test_guessing_tokens_is_held_up_and_a_known_token_is_not() -> None:
    world = ApiWorld()
    good = world.as_(Role.VIEWER)
    with world.client() as client:
        assert client.get("/session", headers=good).status_code == 200
        guesses = [
            client.get("/session", headers={"Authorization": f"Bearer ks_{number:043}"}).status_code
            for number in range(100)
        ]
        assert 429 in guesses and 200 not in guesses
        assert client.get("/session", headers=good).status_code == 200


def test_many_who_are_known_may_come_from_one_address() -> None:
    world = ApiWorld()
    with world.client() as client:
        assert {client.get("/session", headers=world.as_(Role.VIEWER)).status_code for _ in range(100)} == {200}
        assert {client.get("/session").status_code for _ in range(40)} == {401}, "strangers have all of theirs"
        assert client.get("/session").status_code == 429


def test_whoever_an_identity_provider_vouches_for_is_held_to_the_same_rate_as_others() -> None:
    world = ApiWorld(trust=Trust(OidcProvider(ISSUER, AUDIENCE, fetch=IDP.fetch), "groups", ROLES))
    good = {"Authorization": f"Bearer {IDP.token()}"}
    forged = {"Authorization": f"Bearer {IDP.token(aud='another')}"}
    with world.client() as client:
        assert {client.get("/session", headers=good).status_code for _ in range(100)} == {200}
        assert [client.get("/session", headers=forged).status_code for _ in range(60)] == [401] * 40 + [429] * 20


def test_a_good_cookie_is_no_leave_to_guess_tokens() -> None:
    world = ApiWorld()
    with world.client() as client:
        assert client.post("/sign-in", json={"code": world.link()}).status_code == 200
        assert client.get("/session").status_code == 200
        guesses = [
            client.get("/session", headers={"Authorization": f"Bearer ks_{number:043}"}).status_code
            for number in range(100)
        ]
    assert guesses.count(401) <= 40 and guesses[-1] == 429


def test_the_buckets_of_a_hundred_thousand_strangers_fit_into_memory() -> None:
    clock = MemoryClock()
    rate = Rate(20, clock)
    for number in range(100_000):
        rate.take(str(number))
    assert len(rate._buckets) <= 10_000


def test_a_bucket_that_was_emptied_is_not_forgotten_for_newer_ones() -> None:
    clock = MemoryClock()
    rate = Rate(1, clock)
    for _ in range(2):
        rate.take("greedy")

    def refused() -> bool:
        try:
            rate.take("greedy")
        except Refused:
            return True
        return False

    assert refused()
    for number in range(4_000):
        rate.take(str(number))
    assert refused()


def test_probes_are_not_counted(world: ApiWorld) -> None:
    assert {world.raw("GET", "/healthz")[0] for _ in range(200)} == {200}
