"""The settings of ``kubescribe api``."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network

import msgspec

from ..domain.claim_roles import ClaimRole, parse_claim_roles
from ..domain.errors import BadSetting
from ..domain.tenant import Tenant
from .environment import PREFIX, Environment

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
_HOSTS = "host names separated by commas, without ports: runs.example.org,10.0.0.7"

Network = IPv4Network | IPv6Network


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The identity provider whose bearer tokens are accepted."""

    issuer: str
    """``KUBESCRIBE_OIDC_ISSUER``: exactly as in the tokens."""
    audience: str
    """``KUBESCRIBE_OIDC_AUDIENCE``: what tokens for this API name."""
    keys: str | None
    """``KUBESCRIBE_OIDC_KEYS``: the address of its keys; None: where its discovery document says."""
    algorithms: tuple[str, ...]
    """``KUBESCRIBE_OIDC_ALGORITHMS``."""
    claim: str
    """``KUBESCRIBE_OIDC_CLAIM``: the claim that ``roles`` look at."""
    roles: tuple[ClaimRole, ...]
    """``KUBESCRIBE_OIDC_ROLES``."""


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the HTTP server holds its clients to."""

    hosts: tuple[str, ...] = LOCAL_HOSTS
    """``KUBESCRIBE_API_HOSTS``: the names under which it may be asked."""
    proxies: tuple[Network, ...] = ()
    """``KUBESCRIBE_API_PROXIES``: whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed."""
    rate: int = 100
    """``KUBESCRIBE_API_RATE``: requests a second for each principal; twice as many at once."""
    oidc: OidcSettings | None = None


def load_api_settings(env: Environment, tenant: Tenant) -> ApiSettings:
    """The settings of the environment; raises :class:`BadSetting`."""
    return ApiSettings(
        hosts=env.read("API_HOSTS", _hosts, _HOSTS, ",".join(LOCAL_HOSTS)),
        proxies=env.read("API_PROXIES", _networks, "addresses or networks separated by commas: 10.0.0.0/8"),
        rate=env.count("API_RATE", 100),
        oidc=_oidc(env, tenant),
    )


def _oidc(env: Environment, tenant: Tenant) -> OidcSettings | None:
    issuer = env.read("OIDC_ISSUER", _address, "an address that begins with https://")
    if not issuer:
        return None
    audience = env.read("OIDC_AUDIENCE", str, "text")
    roles = env.read(
        "OIDC_ROLES", lambda text: parse_claim_roles(text, tenant), "value=role pairs: ks-admins=admin,ops=operator"
    )
    for name, value in (("OIDC_AUDIENCE", audience), ("OIDC_ROLES", roles)):
        if not value:
            raise BadSetting(PREFIX + name, "KUBESCRIBE_OIDC_ISSUER is set, and needs it: it is empty")
    return OidcSettings(
        issuer=issuer,
        audience=audience,
        keys=env.read("OIDC_KEYS", _address, "an address that begins with https://") or None,
        algorithms=env.read("OIDC_ALGORITHMS", _algorithms, "some of RS256, PS256, ES256, EdDSA …", "RS256,ES256"),
        claim=env.read("OIDC_CLAIM", str, "a claim's name", "groups"),
        roles=roles,
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))


def _hosts(text: str) -> tuple[str, ...]:
    hosts = _parts(text.lower())
    if not hosts or not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError
    return hosts


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in _parts(text))


def _address(text: str) -> str:
    # Over http only to this machine, for trying it out.
    local = ("http://127.0.0.1", "http://localhost", "http://[::1]")
    if text and not text.startswith(("https://", *local)):
        raise ValueError
    return text


def _algorithms(text: str) -> tuple[str, ...]:
    algorithms = _parts(text)
    if not algorithms or not all(re.fullmatch(r"(RS|PS|ES)(256|384|512)|EdDSA", one) for one in algorithms):
        raise ValueError
    return algorithms
