"""Network identification: every flying drone at least every 2 s, signed, none lost in an outage, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from core.errors import InternalError
from hub_api.identification.batches import BatchSigner, is_signed
from hub_api.keyring import keyring
from hub_api.store.repositories import identification as store
from tests.unit.hub_api.world import EPOCH, TEST_KEYS, World, play, world

EXAMPLE = Path(__file__).parents[3] / "examples" / "gateways" / "identification.json"
ON: dict[str, Any] = {"identification": True}
PUBLIC_KEY = BatchSigner(
    keyring(SecretStr(TEST_KEYS["identification_keys"]), field="identification_keys", demo=False)
).public_key


class Authority:
    """Takes batches while its link is up, once for each id."""

    def __init__(self) -> None:
        self.up = True
        self.batches: dict[str, dict[str, Any]] = {}
        self.taken_at: dict[str, datetime] = {}
        self.requests = 0
        self.world: World | None = None

    async def send(self, batches: Sequence[dict[str, str]]) -> str | None:
        self.requests += 1
        if not self.up:
            return "status 503"
        assert self.world is not None
        for batch in batches:
            assert is_signed(batch, PUBLIC_KEY)
            self.batches.setdefault(batch["batch_id"], json.loads(batch["payload"]))
            self.taken_at.setdefault(batch["batch_id"], self.world.hub.clock.now())
        return None

    @property
    def reports(self) -> list[dict[str, Any]]:
        """Every report in the order in which it was taken."""
        return [report for batch in self.batches.values() for report in batch["reports"]]


async def fly(w: World, authority: Authority) -> dict[str, Any]:
    authority.world = w
    order = (await w.order()).json()
    closed = await w.until(order["order_id"], "CLOSED")
    await w.hub.clock.sleep(15.0)
    return closed


def gaps_s(authority: Authority) -> list[float]:
    made = [datetime.fromisoformat(batch["made_at"]) for batch in authority.batches.values()]
    assert made == sorted(made)
    return [(later - earlier).total_seconds() for earlier, later in pairwise(made)]


@pytest.mark.usefixtures("each_database")
def test_a_flight_is_told_from_its_first_second_to_its_last_and_no_other_drone_is(tmp_path: Path):
    async def main() -> None:
        authority = Authority()
        async with world(tmp_path, identification_port=authority, **ON) as w:
            await w.hub.clock.sleep(20.0)
            assert authority.requests == 0
            closed = await fly(w, authority)
            flight = closed["flights"][0]
            assert {report["flight_id"] for report in authority.reports} == {flight["flight_id"]}
            assert {report["uas_id"] for report in authority.reports} == {flight["drone_id"]}
            assert max(gaps_s(authority)) <= 2.0
            delays_s = [
                (authority.taken_at[key] - datetime.fromisoformat(batch["made_at"])).total_seconds()
                for key, batch in authority.batches.items()
            ]
            assert max(delays_s) <= 1.0
            assert await w.hub.database.read(store.owed) == (0, None)
            text = (await w.client.get("/metrics")).text
            assert f"drone_aed_identification_reports_total {float(len(authority.reports))}" in text
            assert "drone_aed_identification_owed 0.0" in text
            told = json.dumps(authority.reports)
            assert closed["order_id"] not in told

    play(main())


@pytest.mark.usefixtures("each_database")
def test_an_outage_is_back_filled_in_order_without_a_gap(tmp_path: Path):
    async def main() -> None:
        authority = Authority()
        async with world(tmp_path, identification_port=authority, **ON) as w:
            authority.world = w
            order = (await w.order()).json()
            await w.until(order["order_id"], "AIRBORNE")
            authority.up, asked = False, authority.requests
            await w.hub.clock.sleep(30.0)
            assert w.hub.identification is not None
            assert w.hub.identification.down_since is not None
            kept, _ = await w.hub.database.read(store.owed)
            assert kept >= 25
            # A dead link is not hammered.
            assert authority.requests - asked < 12
            authority.up = True
            await w.until(order["order_id"], "CLOSED")
            await w.hub.clock.sleep(15.0)
            assert w.hub.identification.down_since is None
            assert max(gaps_s(authority)) <= 2.0
            assert await w.hub.database.read(store.owed) == (0, None)

    play(main())


@pytest.mark.usefixtures("each_database")
def test_what_a_killed_hub_owed_is_sent_by_the_next_one(tmp_path: Path):
    authority = Authority()

    async def before() -> None:
        async with world(tmp_path, identification_port=authority, **ON) as w:
            authority.world, authority.up = w, False
            order = (await w.order()).json()
            await w.until(order["order_id"], "DELIVERED")

    async def after() -> None:
        async with world(
            tmp_path, seed=2, epoch=EPOCH + timedelta(seconds=300), identification_port=authority, **ON
        ) as w:
            authority.world, authority.up = w, True
            await w.hub.clock.sleep(15.0)
            assert await w.hub.database.read(store.owed) == (0, None)
            assert len(authority.batches) > 30

    play(before())
    play(after())


def test_a_drone_that_falls_silent_in_flight_stays_in_the_reports_and_says_so(tmp_path: Path):
    async def main() -> None:
        authority = Authority()
        async with world(tmp_path, identification_port=authority, **ON) as w:
            authority.world = w
            order = (await w.order()).json()
            shown = await w.until(order["order_id"], "AIRBORNE")
            w.drones[shown["flights"][0]["drone_id"]].script.silent_from_start = True
            await w.hub.clock.sleep(10.0)
            assert authority.reports[-1]["state"] == "telemetry_lost"
            assert authority.reports[-1]["latitude_deg"] is not None
            assert authority.reports[0]["state"] == "reported"

    play(main())


def test_without_an_authority_reports_are_recorded(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, **ON) as w:
            order = (await w.order()).json()
            await w.until(order["order_id"], "CLOSED")
            await w.hub.clock.sleep(5.0)

    play(main())
    (path,) = (tmp_path / "identification").iterdir()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) > 30
    assert all(is_signed(line, PUBLIC_KEY) for line in lines)
    changed = lines[0] | {"payload": lines[0]["payload"].replace("bao-01", "bao-09")}
    assert not is_signed(changed, PUBLIC_KEY)


def test_the_authority_s_interface_is_described_by_a_file(tmp_path: Path):
    reached: list[httpx.Request] = []

    def network(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        return httpx.Response(503 if len(reached) == 1 else 202)

    async def main() -> None:
        async with world(
            tmp_path,
            gateway_transport=httpx.MockTransport(network),
            gateway_hosts="uom.example",
            identification_gateway_file=EXAMPLE,
            identification_gateway_secret="s",
            **ON,
        ) as w:
            order = (await w.order()).json()
            await w.until(order["order_id"], "CLOSED")
            await w.hub.clock.sleep(15.0)
            assert await w.hub.database.read(store.owed) == (0, None)

    play(main())
    batches = [batch for request in reached[1:] for batch in json.loads(request.content)["batches"]]
    assert batches
    assert all(is_signed(batch, PUBLIC_KEY) for batch in batches)
    assert len({batch["batch_id"] for batch in batches}) == len(batches)
    assert reached[0].headers["Authorization"] == "Bearer s"


def test_outside_the_demo_it_is_on_and_needs_a_key(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, demo=False, identification_keys=None):
            raise AssertionError("it started")

    with pytest.raises(InternalError, match="identification_keys"):
        play(main())
