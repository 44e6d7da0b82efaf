"""Wrong passwords are counted by account and by network, and nobody is locked out by a stranger. Source: G6."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub_api.access.accounts import (
    GUARDED_S,
    KNOWN_S,
    LOCKED_S,
    MOST_FAILURES,
    MOST_FAILURES_ANYWHERE,
)
from hub_api.access.networks import host_of, neighbourhood_of, network_of
from hub_api.access.passwords import Passwords
from hub_api.access.scopes import Role
from hub_api.wiring.ground import FAILURES_AT_ONCE, NEARBY_FAILURES_AT_ONCE
from tests.unit.hub_api.test_access import PASSWORD, an_account
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database", "quick_passwords")
DESK = "10.20.30.7"


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing is slow on purpose; who may try is another matter."""

    async def matches(_passwords: Passwords, password: str, stored: str | None) -> bool:
        return stored is not None and password == PASSWORD

    monkeypatch.setattr(Passwords, "matches", matches)


async def log_in(w: World, address: str, password: str = PASSWORD, name: str = "li.na") -> int:
    transport: Any = w.client._transport
    transport.client = (address, 40_000)
    return (await w.client.post("/v1/auth/login", json={"name": name, "password": password})).status_code


async def guess(w: World, address: str, times: int = MOST_FAILURES) -> None:
    for _ in range(times):
        assert await log_in(w, address, "wrong password") == 401


@pytest.mark.parametrize(
    ("address", "host", "network", "neighbourhood"),
    [
        ("203.0.113.77", "203.0.113.77/32", "203.0.113.0/24", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.77/32", "203.0.113.0/24", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/64", "fe80::/48"),
        ("unknown", "unknown", "unknown", "unknown"),
    ],
)
def test_where_an_address_is(address: str, host: str, network: str, neighbourhood: str) -> None:
    assert (host_of(address), network_of(address), neighbourhood_of(address)) == (
        host,
        network,
        neighbourhood,
    )


def test_a_stranger_locks_nobody_out(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await an_account(w, "li.na", Role.OPERATOR)
            await guess(w, "198.51.100.9")
            # That network is locked out, for every address in it and with the right password too.
            assert await log_in(w, "198.51.100.250") == 401
            # The operator, even one who never logged in before, is not.
            assert await log_in(w, DESK) == 200
            # And the guesses of one network are not forgotten because the operator logged in.
            assert await log_in(w, "198.51.100.9") == 401
            await w.hub.clock.sleep(LOCKED_S)
            assert await log_in(w, "198.51.100.9") == 200

    play(main())


def test_guesses_from_many_networks_leave_the_networks_of_the_person_open(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            account_id = await an_account(w, "li.na", Role.OPERATOR)
            assert await log_in(w, DESK) == 200
            networks = MOST_FAILURES_ANYWHERE // MOST_FAILURES
            for number in range(networks):
                await guess(w, f"198.51.{number}.9")
            # Nobody new may try, right or wrong; the person at the desk and its neighbour may.
            assert await log_in(w, "192.0.2.1") == 401
            assert await log_in(w, DESK) == 200
            assert await log_in(w, "10.20.30.99") == 200
            assert await log_in(w, "192.0.2.1") == 401
            shown = (await w.client.get("/v1/accounts")).json()["accounts"]
            (account,) = (a for a in shown if a["account_id"] == account_id)
            assert account["locked_until"] is not None
            entries = (await w.client.get("/v1/audit", params={"subject": account_id})).json()["entries"]
            assert [e["action"] for e in entries].count("account_guarded") == 1
            # While it is guarded strangers leave no rows: what is stored doesn't grow with them.
            for number in range(40):
                assert await log_in(w, f"203.0.{number}.1", "wrong password") == 401
            count = text("SELECT count(*) FROM login_networks")
            stored = await w.hub.database.read(lambda s: s.execute(count).scalar_one())
            assert stored == networks + 1
            await w.hub.clock.sleep(GUARDED_S)
            assert await log_in(w, "192.0.2.1") == 200
            await guess(w, "192.0.2.1", 1)
            stored = await w.hub.database.read(lambda s: s.execute(count).scalar_one())
            assert stored == 2, "what guessed an hour ago is forgotten"

    play(main())


def test_an_administrator_lifts_both_locks(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            account_id = await an_account(w, "li.na", Role.OPERATOR)
            for number in range(MOST_FAILURES_ANYWHERE // MOST_FAILURES):
                await guess(w, f"198.51.{number}.9")
            answer = await w.client.patch(f"/v1/accounts/{account_id}", json={"unlock": True})
            assert answer.json()["locked_until"] is None
            assert await log_in(w, "198.51.0.9") == 200
            assert await log_in(w, DESK) == 200

    play(main())


def test_a_network_is_the_person_s_own_for_a_quarter_of_a_year(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await an_account(w, "li.na", Role.OPERATOR)
            assert await log_in(w, DESK) == 200

    async def later() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=KNOWN_S + 1.0)) as w:
            for number in range(MOST_FAILURES_ANYWHERE // MOST_FAILURES):
                await guess(w, f"198.51.{number}.9")
            assert await log_in(w, DESK) == 401

    play(main())
    play(later())


def test_addresses_are_counted_with_their_neighbours(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            # One machine has all addresses of an IPv6 /64.
            seen = [
                await log_in(w, f"2001:db8::{n:x}", "wrong password") for n in range(FAILURES_AT_ONCE + 5)
            ]
            assert (seen.count(401), seen.count(429)) == (FAILURES_AT_ONCE, 5)
            # A customer has all networks of a /48, or a rented /24.
            for address in ("2001:db8:7:{:x}::1", "198.51.100.{}"):
                seen = [await log_in(w, address.format(n), "wrong password") for n in range(250)]
                assert seen.count(401) == NEARBY_FAILURES_AT_ONCE
                assert seen.count(429) == 250 - NEARBY_FAILURES_AT_ONCE
            # Whoever is stopped by itself takes nothing from its neighbours.
            seen = [await log_in(w, "192.0.2.1", "wrong password") for _ in range(NEARBY_FAILURES_AT_ONCE)]
            assert seen.count(401) == FAILURES_AT_ONCE
            assert await log_in(w, "192.0.2.2", "wrong password") == 401

    play(main())
