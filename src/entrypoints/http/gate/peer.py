"""Who is at the other end of the connection; a proxy's word counts only if it is one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from litestar.types import HTTPScope

from ...api_settings import Network
from .request_shape import header_lines

_UNKNOWN = "unknown"


class Peer(NamedTuple):
    """Where a request comes from."""

    address: str
    scheme: str


def peer_of(scope: HTTPScope, proxies: Sequence[Network]) -> Peer:
    """The last address that none of our proxies has."""
    client = scope["client"]
    address, scheme = client[0] if client else _UNKNOWN, scope["scheme"]
    if not proxies or not _within(address, proxies):
        return Peer(address, scheme)
    # Each proxy writes at the end, some into a line of their own: what stands before the first stranger, anybody may
    # have written.
    for hop in reversed(",".join(header_lines(scope, b"x-forwarded-for")).split(",")):
        hop = hop.strip()
        if _parsed(hop) is None:
            break
        address = hop
        if not _within(hop, proxies):
            break
    told = (header_lines(scope, b"x-forwarded-proto") or [""])[-1]
    return Peer(address, told if told in ("http", "https") else scheme)


def _within(address: str, networks: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    # The same host must not count twice because it can be written in two ways.
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
