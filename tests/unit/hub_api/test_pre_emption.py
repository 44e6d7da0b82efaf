"""A more urgent order takes the drone of a less urgent one that still stands on its pad, and nobody is left untold."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub_api.store.repositories import missions, pre_emptions
from planner.site import Site
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

FAR = {"reference_system": "WGS-84", "latitude_deg": 22.5901, "longitude_deg": 113.9001}
"""Another patient: not merged with the first."""


def one_drone_site(count: int = 1) -> Site:
    site = a_site()
    return replace(site, drones=site.drones[:count])


async def placed(w: World, key: str, severity: str, **changes: Any) -> dict[str, Any]:
    answer = await w.order(key, severity=severity, **changes)
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


async def kinds(w: World, order_id: str) -> list[str]:
    return [event["kind"] for event in await w.events(order_id)]


def flown(w: World) -> list[str]:
    return [flight for drone in w.drones.values() for flight in drone.flown]


def test_a_drone_on_its_pad_goes_to_the_more_urgent_patient(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site()) as w:
            calm = await placed(w, "calm", "IV", callback_url="https://dispatch.example/u")
            assert calm["decision"]["outcome"] == "accepted"
            await w.until(calm["order_id"], "LAUNCHING")
            urgent = await placed(w, "urgent", "I", position=FAR)
            assert (urgent["state"], urgent["decision"]) == ("RECEIVED", None)
            again = await placed_again(w, "urgent", "I", FAR)
            assert again["order_id"] == urgent["order_id"]
            closed = await w.until(urgent["order_id"], "CLOSED")
            assert closed["flights"][0]["drone_id"] == calm["decision"]["drone_id"]
            # Its drone comes back from the urgent patient in time.
            late = await w.until(calm["order_id"], "CLOSED")
            assert late["flights"][0]["withdrawn"] == "pre_empted"
            assert late["flights"][0]["safe_state"] == "never_left_ground"
            told = await kinds(w, calm["order_id"])
            story = ("pre_emption_asked", "pre_empted", "waiting_for_drone", "redecision_accepted")
            assert [told.index(kind) for kind in story] == sorted(told.index(kind) for kind in story)
            assert told.count("waiting_for_drone") == 1
            sent = [json.loads(request.content)["kind"] for request in w.callbacks]
            assert set(story) <= set(sent)
            assert len(flown(w)) == 3
            assert await w.hub.database.read(missions.reserved_drones) == {}
            assert await w.hub.database.read(pre_emptions.open_ones) == []

    play(main())


async def placed_again(w: World, key: str, severity: str, position: Mapping[str, Any]) -> dict[str, Any]:
    answer = await w.order(key, severity=severity, position=position)
    assert answer.status_code == 200
    order: dict[str, Any] = answer.json()
    return order


@asynccontextmanager
async def two_drones(folder: Path) -> AsyncIterator[tuple[World, dict[str, Any], dict[str, Any]]]:
    """A less urgent order has lost the only drone that was ready; a second drone is ready now."""
    scripts = {"bao-01": Script(answer_delay_s=2.0), "bao-02": Script(ready=False)}
    async with world(folder, site=one_drone_site(2), scripts=scripts, fleet_settle_s=1.0) as w:
        await w.hub.clock.sleep(2)
        calm = await placed(w, "calm", "III")
        assert calm["decision"]["drone_id"] == "bao-01"
        await w.until(calm["order_id"], "LAUNCHING")
        urgent = await placed(w, "urgent", "I", position=FAR)
        assert urgent["state"] == "RECEIVED"
        await w.drones["bao-02"]._preflight(ready=True)
        yield w, calm, urgent


def test_the_pre_empted_order_gets_another_drone(tmp_path: Path):
    async def main() -> None:
        async with two_drones(tmp_path) as (w, calm, urgent):
            closed = await w.until(calm["order_id"], "CLOSED")
            assert [f["drone_id"] for f in closed["flights"]] == ["bao-01", "bao-02"]
            assert (await w.until(urgent["order_id"], "CLOSED"))["flights"][0]["drone_id"] == "bao-01"

    play(main())


def test_a_drone_in_the_air_is_never_taken(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site()) as w:
            calm = await placed(w, "calm", "IV")
            await w.until(calm["order_id"], "AIRBORNE")
            urgent = await placed(w, "urgent", "I", position=FAR)
            assert urgent["state"] == "DECLINED"
            assert (await w.until(calm["order_id"], "CLOSED"))["aed_on_ground_at"] is not None

    play(main())


def test_one_that_takes_off_first_flies_on_and_the_urgent_order_is_decided_without_it(tmp_path: Path):
    async def main() -> None:
        scripts = {"bao-01": Script(phase_s=1.0, answer_delay_s=3.0)}
        async with world(tmp_path, site=one_drone_site(), scripts=scripts) as w:
            calm = await placed(w, "calm", "IV")
            await w.until(calm["order_id"], "LAUNCHING")
            urgent = await placed(w, "urgent", "I", position=FAR)
            assert urgent["state"] == "RECEIVED"
            over = await w.until(urgent["order_id"], "DECLINED")
            assert over["decision"]["outcome"] == "declined"
            assert "pre_emption_over" in await kinds(w, urgent["order_id"])
            closed = await w.until(calm["order_id"], "CLOSED")
            (flight,) = closed["flights"]
            assert flight["withdrawn"] is None
            assert "pre_empted" not in await kinds(w, calm["order_id"])

    play(main())


def test_a_proposed_flight_gives_its_drone_at_once(tmp_path: Path):
    async def main() -> None:
        # By plan the drone is home, and loaded again, within the wait.
        async with world(tmp_path, site=one_drone_site(), drone_wait_s=400.0) as w:
            calm = await placed(w, "calm", "III", mode="approve")
            assert calm["state"] == "AWAITING_APPROVAL"
            urgent = await placed(w, "urgent", "I", position=FAR)
            assert urgent["state"] == "DECIDED"
            assert urgent["decision"]["drone_id"] == calm["decision"]["drone_id"]
            waits = await w.until(calm["order_id"], "WAITING")
            assert waits["approval"]["answer"] == "withdrawn"
            assert "pre_empted" in await kinds(w, calm["order_id"])
            await w.until(urgent["order_id"], "CLOSED")
            # Approved was nothing yet: the drone that comes back is proposed again.
            again = await w.until(calm["order_id"], "AWAITING_APPROVAL")
            assert again["decision"]["drone_id"] == urgent["decision"]["drone_id"]
            assert again["waiting_until"] is None

    play(main())


def test_no_launch_is_stopped_for_a_flight_that_nobody_approved_yet(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site()) as w:
            calm = await placed(w, "calm", "IV")
            await w.until(calm["order_id"], "LAUNCHING")
            assert (await placed(w, "urgent", "I", mode="approve", position=FAR))["state"] == "DECLINED"
            await w.until(calm["order_id"], "CLOSED")

    play(main())


@pytest.mark.parametrize(
    ("settings", "severity"),
    [({"pre_emption": {}}, "I"), ({"pre_emption_limit": 0}, "I"), ({}, "IV"), ({}, "III")],
)
def test_the_policy_says_who_may_take_from_whom(tmp_path: Path, settings: dict[str, Any], severity: str):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site(), **settings) as w:
            calm = await placed(w, "calm", "III")
            await w.until(calm["order_id"], "LAUNCHING")
            assert (await placed(w, "other", severity, position=FAR))["state"] == "DECLINED"
            await w.until(calm["order_id"], "CLOSED")

    play(main())


def test_nobody_is_pre_empted_more_often_than_the_limit(tmp_path: Path):
    async def main() -> None:
        async with two_drones(tmp_path) as (w, calm, urgent):
            while (await w.until(calm["order_id"], "LAUNCHING"))["decision"]["drone_id"] != "bao-02":
                await w.hub.clock.sleep(0.5)
            there = {**FAR, "latitude_deg": 22.6101}
            assert (await placed(w, "second", "I", position=there))["state"] == "DECLINED"
            await w.until(calm["order_id"], "CLOSED")
            await w.until(urgent["order_id"], "CLOSED")

    play(main())


def test_a_drill_gives_way_to_everybody(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site()) as w:
            drill = await placed(w, "drill", "I", mode="drill")
            await w.until(drill["order_id"], "LAUNCHING")
            real = await placed(w, "real", "IV", position=FAR)
            await w.until(real["order_id"], "CLOSED")
            assert "pre_empted" in await kinds(w, drill["order_id"])
            another = await placed(w, "another", "I", mode="drill")
            assert another["state"] == "DECIDED"

    play(main())


def test_a_hub_killed_meanwhile_sees_it_through(tmp_path: Path):
    async def first() -> tuple[str, str, dict[str, Memory]]:
        async with world(tmp_path, site=one_drone_site()) as w:
            calm = await placed(w, "calm", "IV")
            await w.until(calm["order_id"], "LAUNCHING")
            urgent = await placed(w, "urgent", "I", position=FAR)
            return calm["order_id"], urgent["order_id"], w.memories()

    calm_id, urgent_id, memories = play(first())

    async def second() -> None:
        again = EPOCH + timedelta(seconds=6)
        async with world(tmp_path, site=one_drone_site(), epoch=again, seed=2, memories=memories) as w:
            await w.until(urgent_id, "CLOSED")
            await w.until(calm_id, "CLOSED")
            assert await w.hub.database.read(pre_emptions.open_ones) == []

    play(second())


def test_a_cancelled_taker_gives_the_drone_up(tmp_path: Path):
    async def main() -> None:
        async with world(
            tmp_path, site=one_drone_site(), scripts={"bao-01": Script(answer_delay_s=1.0)}
        ) as w:
            calm = await placed(w, "calm", "IV")
            await w.until(calm["order_id"], "LAUNCHING")
            urgent = await placed(w, "urgent", "I", position=FAR)
            url = f"/v1/orders/{urgent['order_id']}/cancel"
            assert (await w.client.post(url, json={"reason": "误报"})).json()["state"] == "CANCELLED"
            # Its drone was called off all the same, and is chosen again.
            closed = await w.until(calm["order_id"], "CLOSED")
            assert closed["aed_on_ground_at"] is not None

    play(main())


def test_a_proposed_drone_that_its_own_checks_keep_down_is_not_taken(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, site=one_drone_site()) as w:
            calm = await placed(w, "calm", "III", mode="approve")
            assert calm["state"] == "AWAITING_APPROVAL"
            await w.drones["bao-01"]._preflight(ready=False)
            await w.hub.clock.sleep(1.0)
            urgent = await placed(w, "urgent", "I", position=FAR)
            assert urgent["state"] == "DECLINED", "a drone that is not ready flies for nobody"
            assert await w.state(calm["order_id"]) == "AWAITING_APPROVAL"
            assert "pre_empted" not in await kinds(w, calm["order_id"])

    play(main())
