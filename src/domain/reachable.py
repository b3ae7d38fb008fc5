"""Where something may be posted to that only a setting names: no address in it leads into our own network."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import msgspec

from .errors import BadSetting
from .webhook_url import WebhookUrl

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Nothing but these characters: what one parser takes for a separator is for no other a part of a name.
_WHOLE = re.compile(r"https?://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?P<port>:[0-9]{1,5})?(?P<path>[/?][!-~]*)?")
_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_HEX = re.compile(r"0x[0-9a-f]*")

_NEVER: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            # What a cloud tells its machines, passwords included: whatever is allowed, nobody posts there.
            *("169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::/32"),
            *("fe80::/10", "0.0.0.0/8", "::/128", "224.0.0.0/4", "ff00::/8", "240.0.0.0/4"),
        ),
    )
)
_EMBEDDING: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            # An IPv4 address inside: mapped, compatible, translated, 6to4 and its relays, NAT64, Teredo, ISATAP's kin.
            *("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "2002::/16", "192.88.99.0/24"),
            *("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "fec0::/10"),
        ),
    )
)
_LOOPBACK = IPv6Address("::1")


class Target(msgspec.Struct, frozen=True):
    """A URL, read in the one way in which it is used."""

    scheme: str
    host: str
    """In lower case, without brackets."""
    port: int
    path: str
    """With its query; begins with a slash."""


class Reachable(msgspec.Struct, frozen=True):
    """Which hosts and addresses may be posted to."""

    hosts: tuple[str, ...] = ("*",)
    """Names, in which ``*`` may stand for anything."""
    networks: tuple[Network, ...] = ()
    """Networks of our own that may be reached, too."""

    def target(self, url: WebhookUrl, name: str) -> Target:
        """The URL's parts; raises :class:`BadSetting` for the setting ``name`` where nothing may be posted there."""
        found = read_target(url, name)
        if not any(fnmatchcase(found.host, pattern) for pattern in self.hosts):
            raise BadSetting(name, f"{found.host} is none of the hosts that KUBESCRIBE_WEBHOOK_HOSTS allows")
        literal = _literal(found.host)
        if literal is not None and not self.allows(literal):
            raise BadSetting(name, f"{found.host} {NOT_ALLOWED}")
        if found.scheme == "http" and (literal is None or not any(literal in network for network in self.networks)):
            raise BadSetting(name, "it must begin with https://: what is posted could be read and changed on its way")
        return found

    def allows(self, address: Address) -> bool:
        """Whether a connection to it may be opened."""
        allowed = any(address in network for network in self.networks)
        if address == _LOOPBACK:  # it is in ::/96, and whoever allowed it meant nothing else
            return allowed
        if any(address in network for network in (*_NEVER, *_EMBEDDING)):
            return False
        return allowed or address.is_global


NOT_ALLOWED = "is an address of a network that is not posted to; KUBESCRIBE_WEBHOOK_NETWORKS can allow one"


def read_target(url: WebhookUrl, name: str) -> Target:
    """The parts of a URL of which no two programs may think differently; raises :class:`BadSetting`."""
    match = _WHOLE.fullmatch(url.url)
    if match is None or "\\" in url.url or "#" in url.url or "@" in url.url.partition("?")[0]:
        raise BadSetting(name, "it is not written as https://host/path, with plain characters alone")
    port = int(match["port"][1:]) if match["port"] else (443 if url.url.startswith("https") else 80)
    host = match["host"].lower()
    if not 0 < port < 65536:
        raise BadSetting(name, f"{port} is no port")
    if host.startswith("["):
        host = host[1:-1]
    if _literal(host) is None and not _is_name(host):
        raise BadSetting(name, f"{host[:80]} is no host name, and no address as it is usually written")
    parts = urlsplit(url.url)
    assert parts.hostname == host  # what others make of it
    path = match["path"] or "/"
    return Target(parts.scheme, host, port, path if path.startswith("/") else f"/{path}")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    # Some resolvers take 2130706433, 0x7f.1 and 0177.0.0.1 for addresses; a name's last label begins with a letter.
    labels = host.split(".")
    return len(host) <= 253 and _NAME.fullmatch(host) is not None and not any(map(_HEX.fullmatch, labels))
