"""Tricks with addresses (FAULTS S-23): whatever a URL is made of, it leads nowhere that is ours."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from kubescribe.domain.errors import BadSetting
from kubescribe.domain.reachable import Reachable, Target, read_target
from kubescribe.domain.webhook_url import WebhookUrl

PUBLIC = "93.184.215.14"

FORBIDDEN = (
    *("127.0.0.1", "127.1.2.3", "127.255.255.255", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255"),
    *("172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "169.254.0.1", "169.254.169.254"),
    *("100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1"),
    *("198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "168.63.129.16", "192.88.99.1"),
    *("::", "::1", "fe80::1", "febf::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", f"::ffff:{PUBLIC}", "::ffff:0:127.0.0.1"),
    *("::127.0.0.1", "::10.0.0.1", "2002:7f00:1::", "2002:a00:1::", "2002:a9fe:a9fe::", "64:ff9b::127.0.0.1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001::1", "2001:0:a00:1::", "2001:db8::1", "100::1"),
)
"""What stands for none of the Internet's machines, or for one by way of another address."""

SPELT = (
    # Numbers in other bases and lengths, which some resolvers take for 127.0.0.1 or 169.254.169.254.
    *("2130706433", "2852039166", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "10.1"),
    *("0177.1", "017700000001", "0251.0376.0251.0376", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "169.254.43518"),
    *("127.0.0.01", "127.00.0.1", "127.0.0.1.", "127.0.0.1.1", "127.0.0", "1", "0", "256.0.0.1", "0x", "1.0x7f"),
    *("00000000177.0.0.1", "4294967295", "-1.0.0.1", "127.0.0.1e0"),
    # Names and brackets that are none.
    *("[127.0.0.1]", "[::1", "::1]", "[::1%25lo]", "[fe80::1%eth0]", "[::ffff:7f00:1]x", "[]", "[v1.fe80]"),
    *("a..b", ".a", "a.", "-a.org", "a-.org", "a_b.org", "a,b", "a*b", "a;b", "(a)", "a|b", "a`b", "a'b", 'a"b'),
    # Characters of which parsers think differently.
    *(
        "①②⑦.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "ⓔxample.org",
        "exa\u00admple.org",
        "example.org\u200b",
        "ex\u0430mple.org",
    ),
    *("example.org\\@10.0.0.1", "example.org\\.evil.org", "a b.org", "a\tb.org", "a\nb.org", "a\r\nHost: b", "a\0b"),
    *("127%2e0%2e0%2e1", "%31%32%37.0.0.1", "example.org%00.evil.org", "example.org%23@10.0.0.1", "a%2fb"),
    # Who asks whom.
    *("user@10.0.0.1", "user:password@example.org", "example.org@10.0.0.1", "@10.0.0.1", ":@10.0.0.1"),
    *("example.org#@10.0.0.1", "10.0.0.1#example.org", "example.org:80@10.0.0.1", "a&@b@c"),
    # Ports.
    *(
        "example.org:0",
        "example.org:65536",
        "example.org:-1",
        "example.org:99999999999",
        "example.org:44a",
        "example.org:",
    ),
    *("example.org:443:443", "example.org: 443", "example.org:٤٤٣"),
    *("x" * 254 + ".org", "x" * 64 + ".org", ""),
)
"""What is written in place of a host, and refused as it is written."""

OTHER = (
    *(
        "http://example.org/",
        "ftp://example.org/",
        "gopher://127.0.0.1:25/",
        "file:///etc/passwd",
        "dict://a/",
        "ldap://a/",
    ),
    *(
        "//example.org/",
        "example.org/",
        "https:/example.org/",
        "https:example.org",
        "https:///example.org/",
        "https://",
    ),
    *("HTTPS:\\\\example.org", "https:\\\\10.0.0.1", "https://https://example.org/", "jar:https://a!/", " https://a/"),
    *("javascript:alert(1)", "https://example.org/a b", "https://example.org/\r\nX: y", "https://example.org/é", "\0"),
)
"""Whole addresses that are none of ours."""


ANYWHERE = Reachable()


def refused(url: str, reachable: Reachable = ANYWHERE) -> str:
    with pytest.raises(BadSetting) as caught:
        reachable.target(WebhookUrl.parse(url, "X"), "X")
    return str(caught.value)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_address_of_ours_is_reached(address: str) -> None:
    assert not ANYWHERE.allows(ip_address(address))
    shown = f"[{address}]" if ":" in address else address
    assert "sesame" not in refused(f"https://{shown}/sesame")


@pytest.mark.parametrize("host", SPELT)
def test_what_is_spelt_strangely_is_refused(host: str) -> None:
    assert "sesame" not in refused(f"https://{host}/sesame")


@pytest.mark.parametrize("url", OTHER)
def test_what_is_no_address_is_refused(url: str) -> None:
    refused(url)


def test_there_are_a_hundred_and_fifty() -> None:
    assert len({*FORBIDDEN, *SPELT, *OTHER}) >= 150


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.org/a?b=c%20d", ("https", "hooks.example.org", 443, "/a?b=c%20d")),
        ("https://Hooks.Example.ORG:8443", ("https", "hooks.example.org", 8443, "/")),
        ("https://a.example.org?x@y", ("https", "a.example.org", 443, "/?x@y")),
        ("https://xn--bcher-kva.example/", ("https", "xn--bcher-kva.example", 443, "/")),
        ("https://0xdeadbeef.example.org/", None),
        (f"https://{PUBLIC}/", ("https", PUBLIC, 443, "/")),
        ("https://[2606:2800:21f:cb07::1]:8443/", ("https", "2606:2800:21f:cb07::1", 8443, "/")),
    ],
)
def test_what_is_meant_is_read(url: str, target: tuple[str, str, int, str] | None) -> None:
    if target is None:
        refused(url)
    else:
        assert Reachable().target(WebhookUrl.parse(url, "X"), "X") == Target(*target)


def test_networks_of_ours_can_be_allowed_and_the_clouds_own_cannot() -> None:
    reachable = Reachable(
        networks=tuple(
            map(ip_network, ("10.1.0.0/16", "fd01::/16", "127.0.0.0/8", "::1/128", "169.254.0.0/16", "::/0"))
        )
    )
    for address in ("10.1.2.3", "fd01::1", "127.0.0.1", "::1"):
        assert reachable.allows(ip_address(address)), address
    for address in ("10.2.0.1", "169.254.169.254", "fe80::1", "::ffff:10.1.2.3", "fd00:ec2::254", "64:ff9b::a01:203"):
        assert not reachable.allows(ip_address(address)), address
    assert reachable.target(WebhookUrl.parse("http://127.0.0.1:8080/x", "X"), "X").port == 8080
    assert "KUBESCRIBE_WEBHOOK_NETWORKS" in refused("http://127.0.0.1:8080/x")
    assert "https://" in refused("http://localhost/x", reachable)


def test_hosts_can_be_few() -> None:
    reachable = Reachable(hosts=("hooks.example.org", "*.example.com"))
    for host in ("hooks.example.org", "HOOKS.example.org", "a.b.example.com"):
        assert reachable.target(WebhookUrl.parse(f"https://{host}/", "X"), "X")
    for host in ("example.org", "hooks.example.org.evil.net", "example.com", PUBLIC):
        assert "KUBESCRIBE_WEBHOOK_HOSTS" in refused(f"https://{host}/", reachable)


def test_reading_needs_no_network() -> None:
    assert read_target(WebhookUrl("https://a.example.org/x"), "X").host == "a.example.org"
