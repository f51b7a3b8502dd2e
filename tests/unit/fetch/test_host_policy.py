"""Where a request may go: public hosts that were named, whatever the address looks like."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narratives.fetch.host_policy import HostPolicy, is_public, normalise_url, resolve_host
from narratives.fetch.records import FetchError
from narratives.model import UsageError

PRIVATE_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
PRIVATE_V6 = [
    "::/128",
    "::1/128",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "64:ff9b:1::/48",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
private_v4 = st.sampled_from(PRIVATE_V4).flatmap(lambda net: st.ip_addresses(network=net))
private_v6 = st.sampled_from(PRIVATE_V6).flatmap(lambda net: st.ip_addresses(network=net))
public_v4 = st.ip_addresses(v=4).filter(lambda ip: not any(ip in ip_network(net) for net in PRIVATE_V4))


def inside(ip: IPv4Address, prefix: str) -> IPv6Address:
    return IPv6Address(int(IPv6Address(prefix)) | int(ip))


def spellings(ip: IPv4Address) -> list[str]:
    """An address as inet_aton reads it: whole or in parts; decimal, octal, hexadecimal."""
    a, b, c, d = ip.packed
    whole = int(ip)
    return [
        str(ip),
        str(whole),
        hex(whole),
        f"0{whole:o}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{hex(a)}.{hex(b)}.{hex(c)}.{hex(d)}",
        f"{a}.{b}.{(c << 8) + d}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"{ip}.",
        "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else "。" for char in str(ip)),
    ]


@given(private_v4)
def test_no_private_address_is_public_in_any_wrapping(ip):
    for wrapped in (ip, *(inside(ip, p) for p in ("::", "::ffff:0:0", "64:ff9b::", "2002::"))):
        assert not is_public(str(wrapped)), wrapped


@given(private_v6)
def test_no_private_ipv6_address_is_public(ip):
    assert not is_public(str(ip))
    assert not is_public(f"{ip}%eth0")


@given(public_v4)
def test_the_others_are_public(ip):
    assert is_public(str(ip))
    assert is_public(str(inside(ip, "::ffff:0:0")))
    assert is_public(str(inside(ip, "64:ff9b::")))


def test_public_ipv6():
    assert is_public("2606:4700::1111")
    assert is_public("2a00:1450:4001:80b::200e")


@given(private_v4)
def test_no_spelling_of_a_private_address_gets_through(ip):
    for host in spellings(ip):
        guard = HostPolicy()
        try:
            url = normalise_url(f"http://{host}/")
        except FetchError:
            continue
        guard.allow(url)
        with pytest.raises(FetchError):
            guard.check(url)


@given(public_v4.flatmap(lambda ip: st.sampled_from(spellings(ip)).map(lambda host: (ip, host))))
def test_spellings_of_a_public_address_lead_to_it(pair):
    ip, host = pair
    guard = HostPolicy()
    url = normalise_url(f"http://{host}/")
    guard.allow(url)
    assert [ip_address(address) for address, _ in guard.check(url).addresses] == [ip]


@given(st.text(max_size=40), st.sampled_from(["", "http://example.org/a/b"]))
def test_any_text_becomes_one_spelling_or_is_refused(text, base):
    try:
        url = normalise_url(text, base)
    except FetchError:
        return
    assert url.startswith(("http://", "https://"))
    assert url.isascii() and not set(url) & set(" \t\r\n\\#\x7f")
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "data:text/html,hello",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://user@example.org/",
        "http://user:word@example.org/",
        "http://example.org:99999/",
        "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/",
        "http://127%2e0%2e0%2e1/",
        "http://[::1/",
        "http://a\x00b/",
        "//example.org",
        "",
    ],
)
def test_what_is_no_address_of_the_web_is_refused(url):
    with pytest.raises(FetchError):
        normalise_url(url)


def test_one_spelling():
    assert normalise_url("HTTP://Example.ORG:80/ä b?q=ü#part") == "http://example.org/%C3%A4%20b?q=%C3%BC"
    assert normalise_url("https://Bücher.example") == "https://xn--bcher-kva.example/"
    assert normalise_url("../c?x=1", "http://example.org/a/b") == "http://example.org/c?x=1"
    assert normalise_url("http://[0:0:0:0:0:0:0:1]:8080/") == "http://[::1]:8080/"
    assert normalise_url("http://example.org/a%20b%2fc") == "http://example.org/a%20b%2Fc"
    assert normalise_url("http://example.org/open/../private/./b") == "http://example.org/private/b"
    assert normalise_url("http://example.org//a//?x=/../y") == "http://example.org//a//?x=/../y"


def fixed(*addresses):
    return lambda host, port: [(address, port) for address in addresses]


def test_one_private_address_among_public_ones_refuses_the_host():
    guard = HostPolicy(resolve=fixed("93.184.215.14", "10.0.0.1"))
    guard.allow("http://example.org/")
    with pytest.raises(FetchError, match=r"example.org at 10\.0\.0\.1.*--allow-host example.org"):
        guard.check("http://example.org/")


def test_only_named_hosts_at_named_ports():
    guard = HostPolicy(resolve=fixed("93.184.215.14"))
    guard.allow("http://example.org:8080/")
    for url in ("http://example.org:8080/a", "https://example.org/", "http://www.example.org/"):
        assert guard.check(url).addresses
    for url in ("http://example.org:22/", "http://sub.example.org/", "http://example.org.evil.example/"):
        with pytest.raises(FetchError, match="a host of the source"):
            guard.check(url)


def test_an_allowed_host_may_be_private_and_only_at_its_port():
    guard = HostPolicy(["127.0.0.1:8000", "[::1]:80", "intranet"], resolve=lambda host, port: [("127.0.0.1", port)])
    assert guard.check("http://127.0.0.1:8000/").path == "/"
    assert guard.check("http://intranet:99/")
    assert guard.check("http://[::1]/").authority == "[::1]"
    for url in ("http://127.0.0.1:8001/", "http://127.0.0.1/", "http://localhost:8000/"):
        with pytest.raises(FetchError):
            guard.check(url)


@pytest.mark.parametrize("entry", ["", "http://a/", "a:b", "a:99999", "a/b", "a b", "u@h", "::1"])
def test_an_allowed_host_is_written_as_such(entry):
    with pytest.raises(UsageError, match="host or host:port"):
        HostPolicy([entry])


def test_a_name_that_is_not_found_is_a_reason():
    def fail(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    guard = HostPolicy(resolve=fail)
    guard.allow("http://nowhere.example/")
    with pytest.raises(FetchError, match=r"nowhere\.example") as caught:
        guard.check("http://nowhere.example/")
    assert not caught.value.passing


def test_the_system_resolves_numbers_without_asking_anybody():
    assert resolve_host("127.0.0.1", 80) == [("127.0.0.1", 80)]
