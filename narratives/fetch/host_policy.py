"""Which schemes, hosts and IP addresses a request may use."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from urllib3.util import parse_url

from narratives.fetch.records import FetchError
from narratives.model import UsageError

DEFAULT_PORTS = {"http": 80, "https": 443}
# (host, port) -> the (address, port) pairs to connect to; the port changes only in tests.
ResolveHost = Callable[[str, int], Sequence[tuple[str, int]]]

# The characters of RFC 3986 and the percent sign: all others in an address are escaped.
_UNESCAPED = "!#$%&'()*+,-./:;=?@[]_~"
_FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\\]")
_HOST_NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/?#@\s]+)(:(?P<port>\d{1,5}))?")

# Networks of the IANA special-purpose registries that `is_global` does not cover in every supported Python:
# for v4, relays and protocol assignments; for v6, everything outside the global unicast block, and inside it
# protocol assignments, documentation, and tunnels that hide their destination.
_SPECIAL_V4 = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24"))
_UNICAST_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class ConnectionTarget:
    """A checked web address. Only the IP addresses in `addresses` may be connected to."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[tuple[str, int], ...]

    @property
    def authority(self) -> str:
        """The value of the Host header: the host, and the port unless it is the default."""
        return format_authority(self.scheme, self.host, self.port)


def resolve_host(host: str, port: int) -> list[tuple[str, int]]:
    """Resolve a host to all its IP addresses; raises OSError or UnicodeError."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((str(entry[4][0]), port) for entry in entries))


def is_public(address: str) -> bool:
    """Return whether an IP address (text) belongs to the public internet: unicast, and assigned to hosts.

    For an IPv4 address inside an IPv6 one (mapped, NAT64), the IPv4 address decides. Forms that hide their
    destination (6to4, Teredo, IPv4-compatible) are not public. Raises ValueError if the text is no IP address.
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is None:
            return ip in _UNICAST_V6 and not any(ip in network for network in _SPECIAL_V6)
        ip = inner
    is_special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _SPECIAL_V4)
    return ip.is_global and not is_special


def normalise_url(address: str, base: str = "") -> str:
    """Normalise a web address: absolute, escaped, host in lower-case ASCII, without fragment.

    Raises FetchError if it is no web address, has another scheme, or contains a user name.
    """
    text = address.strip()
    try:
        if not text:
            raise ValueError("nothing")
        if _FORBIDDEN_CHARACTERS.search(text):
            raise ValueError("a control character or backslash")
        parts = urlsplit(urljoin(base, text))
        scheme = parts.scheme.lower()
        if scheme not in DEFAULT_PORTS:
            raise ValueError(f"the scheme {scheme or '(none)'}")
        if "@" in parts.netloc:
            raise ValueError("a user name")
        host = _normalise_host_name(parts.hostname or "")
        authority = format_authority(scheme, host, parts.port or DEFAULT_PORTS[scheme])
        path, query = (quote(part, safe=_UNESCAPED) for part in (parts.path, parts.query))
        # urllib3 resolves `..` and escapes here, so that robots.txt is checked for the path that is requested.
        asked = parse_url(f"http://host{path or '/'}?{query}")
    except ValueError as error:
        raise FetchError("an http or https address", f"{text[:200]!r} ({error})", "Correct the address.") from error
    return urlunsplit((scheme, authority, asked.path or "/", asked.query or "", ""))


def format_authority(scheme: str, host: str, port: int) -> str:
    """Format host and port for an address, without the default port of the scheme."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port == DEFAULT_PORTS[scheme] else f"{shown}:{port}"


def get_host(url: str) -> str:
    """Return host and port of a normalised address."""
    return urlsplit(url).netloc


class HostPolicy:
    """Allow the hosts of the source and those of --allow-host; refuse all others and private addresses."""

    def __init__(self, allow_hosts: Sequence[str] = (), resolve: ResolveHost = resolve_host) -> None:
        """Parse `allow_hosts`; raises UsageError if an entry is not `host` or `host:port`."""
        self._allowed = {_parse_allowed_host(entry) for entry in allow_hosts}
        self._source_hosts: set[tuple[str, int]] = set()
        self._resolve = resolve

    def allow(self, url: str) -> None:
        """Allow requests to the host of a normalised address, at its port and at ports 80 and 443."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
        self._source_hosts |= {(_drop_www(host), each) for each in (port, *DEFAULT_PORTS.values())}

    def check(self, url: str) -> ConnectionTarget:
        """Return where to connect for a normalised address; raises FetchError if the request is not allowed.

        The host is resolved once, here, and the connection goes to one of these IP addresses. So it does not
        matter if the name server gives another answer a moment later.
        """
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
        shown = format_authority(scheme, host, port)
        is_allowed = (host, port) in self._allowed or (host, 0) in self._allowed
        if not is_allowed and (_drop_www(host), port) not in self._source_hosts:
            hint = f"To fetch from this host as well, add --allow-host {shown}."
            raise FetchError("a host of the source", shown, hint)
        try:
            addresses = tuple(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            got, hint = f"{host} ({error})", "Check the name and the network."
            is_passing = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            raise FetchError("a host that exists", got, hint, passing=is_passing) from error
        hidden = [address for address, _ in addresses if not is_public(address)]
        if hidden and not is_allowed:
            got = f"{host} at {hidden[0]}, which is private, local or reserved"
            hint = f"If you trust this host, add --allow-host {shown}."
            raise FetchError("a host on the public internet", got, hint)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return ConnectionTarget(scheme, host, port, path, addresses)


def _normalise_host_name(host: str) -> str:
    if ":" in host:
        return str(IPv6Address(host))
    name = host.encode("idna").decode("ascii").lower().removesuffix(".")
    if not _HOST_NAME_PATTERN.fullmatch(name):
        raise ValueError("no host" if not host else "an invalid host name")
    return name


def _drop_www(host: str) -> str:
    # A site with and without www. is one site: each often redirects to the other.
    return host.removeprefix("www.")


def _parse_allowed_host(entry: str) -> tuple[str, int]:
    match = _HOST_AND_PORT.fullmatch(entry.strip())
    try:
        if match is None or int(match["port"] or 0) > 65535:
            raise ValueError
        return _normalise_host_name(match["host"].strip("[]")), int(match["port"] or 0)
    except ValueError as error:
        hint = "Use the form --allow-host 127.0.0.1:8000."
        raise UsageError("host or host:port", repr(entry), hint) from error
