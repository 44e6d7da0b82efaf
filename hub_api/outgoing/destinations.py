"""Where the hub's own requests may go: never, unless somebody vouched for it, into the network it stands in.

A callback URL comes from outside. Without a rule it could name the hub's own database, a router, or a cloud's
metadata service, and the hub would knock there for a stranger (server-side request forgery, CWE-918). The
name is resolved here, every address is judged, and the connection goes to the very address that was judged, so
that a name which answers differently the second time gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx

from core.errors import ErrorCode, InternalError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_EMBEDDING = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""IPv6 addresses that carry an IPv4 address a translator would follow: RFC 6052, 8215, 3056, 4380."""


LONGEST_IN_LIMITS = 3.0
"""Chosen: a whole request may take so many times the limit of one of its steps (resolving, connecting, answering)."""


@cache
def certificates() -> ssl.SSLContext:
    """Whom we believe to be who they say. Read once a process: it takes as long as ten requests."""
    return httpx.create_ssl_context(trust_env=False)


class DestinationRefused(httpx.ConnectError):
    """The rule forbids this destination; the message names no address that the asker did not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """The rule. ``anywhere``: the demo's. Without a list every public address; with one nothing else than listed."""

    anywhere: bool = False
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str | None, *, field: str, anywhere: bool = False) -> Destinations:
        """``dispatch.example, *.example.cn, 10.20.0.0/16``. Raises 5002 for what is neither host nor network."""
        hosts, networks = set(), []
        for item in (part.strip().lower() for part in (text or "").split(",")):
            if not item:
                continue
            try:
                networks.append(ipaddress.ip_network(item))
                continue
            except ValueError:
                pass
            name = item.removeprefix("*.")
            labels_fine = all(
                label and len(label) < 64 and label.replace("-", "").isalnum() for label in name.split(".")
            )
            if not labels_fine:
                raise InternalError(
                    ErrorCode.SETTINGS_INVALID, f"{item!r} is neither a host nor a network", field=field
                )
            hosts.add(item)
        return cls(anywhere=anywhere, hosts=frozenset(hosts), networks=tuple(networks))

    @property
    def listed(self) -> bool:
        """Whether there is a list."""
        return bool(self.hosts or self.networks)

    def names(self, host: str) -> bool:
        """Whether the list vouches for this host by name."""
        plain = host.lower().rstrip(".")
        if plain in self.hosts:
            return True
        parts = plain.split(".")
        return any("*." + ".".join(parts[count:]) in self.hosts for count in range(1, len(parts)))

    def allows(self, host: str, address: Address) -> bool:
        """Whether a request to ``host`` may go to this address of it."""
        if self.anywhere or self.names(host):
            return True
        plain = _unmapped(address)
        if any(plain in network for network in self.networks):
            return True
        return not self.listed and is_public(plain)

    def objection(self, url: str) -> str | None:
        """What speaks against a URL before its name is resolved: an order is answered without asking a name server."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.username is not None or parts.password is not None:
            return "put no credentials into the address: every request is signed · 地址中不可含凭证，请求均已签名"
        if self.anywhere:
            return None
        literal = _literal(host)
        if literal is not None:
            return (
                None
                if self.allows(host, literal)
                else "this address is not one the hub may call · 系统不可访问该地址"
            )
        if self.names(host):
            return None
        if self.listed and not self.networks:
            return "this host is not one the hub may call"
        if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
            return "this host is not one the hub may call"
        return None


def is_public(address: Address) -> bool:
    """Whether an address belongs to everybody: no loopback, private, shared, link-local or multicast one."""
    plain = _unmapped(address)
    if any(plain in network for network in _EMBEDDING):
        return False
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def _unmapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _literal(host: str) -> Address | None:
    """The address that a host is written as, in any spelling that a resolver takes (``127.1``, ``0x7f000001``)."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if host and host[0].isdigit():
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    return None


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address that the system's resolver knows."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves, judges, and connects to an address that was judged; certificates are checked for the name."""

    def __init__(
        self,
        destinations: Destinations,
        inner: httpx.AsyncBaseTransport | None = None,
        *,
        resolver: Resolve = resolve,
    ) -> None:
        self._destinations = destinations
        # No connection is kept: one made for a name must not serve another name at the same address.
        self._inner = inner or httpx.AsyncHTTPTransport(
            verify=certificates(),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=0),
            trust_env=False,
        )
        self._resolve = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises :class:`DestinationRefused` where the rule forbids any of the name's addresses."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise httpx.ConnectError("the host name is not known", request=request) from None
        if not addresses:
            raise httpx.ConnectError("the host name is not known", request=request)
        for text in addresses:
            if not self._destinations.allows(host, ipaddress.ip_address(text.partition("%")[0])):
                raise DestinationRefused("this host is not one the hub may call", request=request)
        error: httpx.ConnectError | httpx.ConnectTimeout | None = None
        for text in addresses:
            try:
                return await self._inner.handle_async_request(_sent_to(request, host, text))
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                # Where one kind of address leads nowhere, nobody refuses: it is only silent.
                error = fault
        assert error is not None
        raise error

    async def aclose(self) -> None:
        await self._inner.aclose()


def _sent_to(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """The same request to one address; the Host header and the certificate's name stay the host's."""
    extensions = dict(request.extensions)
    if request.url.scheme == "https":
        extensions["sni_hostname"] = host
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )
