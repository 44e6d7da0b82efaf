"""Where the hub's own requests may go: an attacker's callback finds neither loopback nor the hub's network."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InternalError
from hub_api.outgoing.destinations import DestinationRefused, Destinations, GuardedTransport, is_public
from hub_api.security import Scope, create_api_key
from tests.unit.hub_api.world import BODY, World, play, world

OUTSIDE = Destinations()
INSIDE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::1", "2001:db8::1"),
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_does_not_belong_to_everybody_is_refused(address: str):
    assert not OUTSIDE.allows("evil.example", ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_allowed(address: str):
    assert OUTSIDE.allows("centre.example", ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_mapped_into_ipv6_an_address_is_judged_alike(address: ipaddress.IPv4Address):
    assert is_public(ipaddress.ip_address(f"::ffff:{address}")) == is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://127.0.0.1/",
            "http://localhost:8120/v1/keys",
            "http://[::1]/",
            "http://127.1/",
            "http://2130706433/",
        ),
        *("http://0x7f000001/", "http://0177.0.0.1/", "http://[::ffff:10.0.0.1]/", "http://db.internal/"),
        *(
            "http://printer.local/",
            "http://169.254.169.254/latest/meta-data",
            "https://user:pw@centre.example/",
        ),
    ],
)
def test_what_the_address_itself_gives_away_is_refused_with_the_order(tmp_path: Path, url: str):
    async def main() -> None:
        async with world(tmp_path, demo=False) as w:
            key = await a_key(w)
            answer = await w.client.post(
                "/v1/orders",
                json=BODY | {"callback_url": url},
                headers={"X-API-Key": key, "Idempotency-Key": "k"},
            )
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["field"] == "callback_url"
            assert (await w.client.get("/v1/orders", headers={"X-API-Key": key})).json()["orders"] == []

    play(main())


def test_a_list_vouches_for_a_private_network_and_for_nothing_else(tmp_path: Path):
    rule = Destinations.parse("dispatch.example, *.city.example ,10.20.0.0/16", field="callback_hosts")
    assert rule.objection("http://10.20.3.4/cb") is None
    assert rule.objection("https://dispatch.example/cb") is None
    assert rule.objection("https://a.b.city.example/cb") is None
    assert rule.objection("http://10.21.3.4/cb") is not None
    assert rule.objection("http://8.8.8.8/cb") is not None
    assert rule.allows("dispatch.example", ipaddress.ip_address("192.168.0.9"))
    assert not rule.allows("evilcity.example", ipaddress.ip_address("8.8.8.8"))
    assert not rule.allows("city.example", ipaddress.ip_address("8.8.8.8"))
    only_hosts = Destinations.parse("dispatch.example", field="callback_hosts")
    assert only_hosts.objection("https://other.example/") is not None


@pytest.mark.parametrize(
    "text", ["https://dispatch.example", "10.0.0.0/99", "a b", "*", "*.", "exa_mple..cn"]
)
def test_a_list_that_cannot_be_read_stops_the_start(text: str):
    with pytest.raises(InternalError, match="callback_hosts"):
        Destinations.parse(text, field="callback_hosts")


def get(
    url: str, answers: Sequence[Sequence[str]], rule: Destinations = OUTSIDE
) -> tuple[list[httpx.Request], Any]:
    """What reached the network, and how it ended. Each request resolves to the next of ``answers``."""
    reached: list[httpx.Request] = []
    left = list(answers)

    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0)

    def network(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        if str(request.url.host).endswith(".99"):
            raise httpx.ConnectError("unreachable")
        if str(request.url.host).endswith(".98"):
            raise httpx.ConnectTimeout("silent")
        return httpx.Response(204)

    async def main() -> Any:
        transport = GuardedTransport(rule, httpx.MockTransport(network), resolver=resolver)
        async with httpx.AsyncClient(transport=transport) as client:
            try:
                return await client.post(url, content=b"x")
            except httpx.TransportError as fault:
                return fault

    return reached, asyncio.run(main())


def test_a_name_that_leads_inside_is_refused_before_anything_is_sent():
    reached, ended = get("https://rebind.example/x", [["127.0.0.1"]])
    assert reached == []
    assert isinstance(ended, DestinationRefused)


def test_one_inner_address_among_public_ones_is_enough():
    reached, ended = get("https://rebind.example/x", [["8.8.8.8", "10.0.0.1"]])
    assert reached == []
    assert isinstance(ended, DestinationRefused)


def test_the_connection_goes_to_the_address_that_was_judged_under_the_host_s_name():
    reached, ended = get("https://centre.example:8443/cb?a=1", [["8.8.8.8"], ["127.0.0.1"]])
    assert ended.status_code == 204
    (request,) = reached
    assert str(request.url) == "https://8.8.8.8:8443/cb?a=1"
    assert request.headers["host"] == "centre.example:8443"
    assert request.extensions["sni_hostname"] == "centre.example"


@pytest.mark.parametrize("dead", ["8.8.8.99", "8.8.8.98"])
def test_the_next_address_is_tried_when_one_does_not_answer(dead: str):
    reached, ended = get("http://centre.example/", [[dead, "2606:4700::1111"]])
    assert ended.status_code == 204
    assert [request.url.host for request in reached] == [dead, "2606:4700::1111"]


def test_where_every_address_is_silent_that_is_said():
    reached, ended = get("http://centre.example/", [["8.8.8.98", "9.9.9.98"]])
    assert len(reached) == 2
    assert isinstance(ended, httpx.ConnectTimeout)


def test_a_real_request_to_loopback_needs_the_list(tmp_path: Path):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        allowed = Destinations.parse("127.0.0.0/8", field="callback_hosts")
        async with server:
            async with httpx.AsyncClient(transport=GuardedTransport(allowed)) as client:
                assert (await client.post(url)).status_code == 204
            async with httpx.AsyncClient(transport=GuardedTransport(OUTSIDE)) as client:
                with pytest.raises(DestinationRefused):
                    await client.post(url)

    asyncio.run(main())


async def a_key(w: World) -> str:
    """A key for a hub outside the demo, where the well-known one does not work."""
    hub = w.hub
    secret, _ = await create_api_key(
        hub.database,
        hub.ids,
        hub.clock,
        client="c",
        name="n",
        scopes=frozenset({Scope.ORDERS_WRITE, Scope.ORDERS_READ}),
    )
    return secret
