"""A patient who is somewhere else, at every stage of the order."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub_api.store.repositories import missions, moves
from planner.reasons import Reason
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

FIRST, SECOND = a_site().landing_points[:2]
NO_WAY = Reason("no_route", "no way", "没有航路")


async def move(
    w: World, order_id: str, point: Any = SECOND, key: str = "m1", **changes: Any
) -> httpx.Response:
    body = {
        "position": {
            "reference_system": "WGS-84",
            "latitude_deg": point.position.latitude_deg,
            "longitude_deg": point.position.longitude_deg,
        },
        "floor": 1,
        "reason": "the other gate",
        **changes,
    }
    return await w.client.post(f"/v1/orders/{order_id}/position", json=body, headers={"Idempotency-Key": key})


async def kinds(w: World, order_id: str) -> list[str]:
    return [event["kind"] for event in await w.events(order_id)]


def flown(w: World) -> list[str]:
    return [flight for drone in w.drones.values() for flight in drone.flown]


def test_in_the_air_the_drone_gets_another_way_and_delivers_there(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order(callback_url="https://dispatch.example/u")).json()
            order_id = order["order_id"]
            assert order["decision"]["landing_point"]["id"] == FIRST.landing_point_id
            await w.until(order_id, "AIRBORNE")
            answer = await move(w, order_id)
            assert answer.status_code == 200, answer.text
            shown = answer.json()["position"]
            assert shown["wgs84_latitude_deg"] == SECOND.position.latitude_deg
            closed = await w.until(order_id, "CLOSED")
            (flight,) = closed["flights"]
            assert flight["landing_point_id"] == SECOND.landing_point_id
            assert flight["aed_on_ground_at"] is not None
            told = await kinds(w, order_id)
            assert [kind for kind in told if "move" in kind or kind == "flight_rerouted"] == [
                "patient_moved",
                "move_rerouting",
                "flight_rerouted",
                "move_settled",
            ]
            sent = [json.loads(request.content)["kind"] for request in w.callbacks]
            assert {"patient_moved", "move_rerouting", "move_settled"} <= set(sent)
            assert await w.hub.database.read(moves.open_moves) == []

    play(main())


def test_a_drone_whose_report_of_the_new_way_is_late_is_not_stopped_again(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(reports_way_after_s=15.0)}) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await move(w, order_id)
            closed = await w.until(order_id, "CLOSED")
            (flight,) = closed["flights"]
            assert flight["landing_point_id"] == SECOND.landing_point_id
            commands = [command.kind for command in w.drones["bao-01"].commands]
            assert commands.count("patient_moved") == 1, (
                "told again it would stop for a way that nobody makes"
            )

    play(main())


def test_a_landing_point_that_stays_the_nearest_is_flown_to_without_a_stop(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            assert (await move(w, order_id, FIRST)).status_code == 200
            closed = await w.until(order_id, "CLOSED")
            (event,) = [e for e in await w.events(order_id) if e["kind"] == "patient_moved"]
            assert event["data"]["follows"] == "flight_kept"
            drone = w.drones[closed["flights"][0]["drone_id"]]
            assert "patient_moved" not in [command.kind for command in drone.commands]

    play(main())


def test_without_a_way_it_goes_on_where_that_still_helps(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            w.ways.none, w.ways.reach_m = NO_WAY, 1e6
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await move(w, order_id)
            closed = await w.until(order_id, "CLOSED")
            (flight,) = closed["flights"]
            assert flight["landing_point_id"] == FIRST.landing_point_id
            (event,) = [e for e in await w.events(order_id) if e["kind"] == "move_not_served"]
            assert event["data"]["outcome"] == "kept_on"
            assert event["data"]["reasons"][0]["code"] == "no_route"

    play(main())


def test_without_a_way_and_too_far_it_comes_home_and_another_drone_flies(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            w.ways.none, w.ways.reach_m = NO_WAY, 1.0
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await move(w, order_id)
            closed = await w.until(order_id, "CLOSED")
            first, second = closed["flights"]
            assert (first["safe_state"], first["aed_on_ground_at"]) == ("on_pad", None)
            assert second["drone_id"] != first["drone_id"]
            assert second["aed_on_ground_at"] is not None
            assert w.planner.questions[-1].patient == SECOND.position

    play(main())


def test_a_drone_that_refuses_every_way_goes_on(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(refuses_ways=True)}) as w:
            w.ways.reach_m = 1e6
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await move(w, order_id)
            closed = await w.until(order_id, "CLOSED")
            assert len(closed["flights"]) == 1
            told = await kinds(w, order_id)
            assert told.count("move_rerouting") == 3
            assert told.count("move_not_served") == 1

    play(main())


@pytest.mark.parametrize("state", ["DECIDED", "LAUNCHING"])
def test_on_the_pad_it_is_called_off_and_decided_again_with_the_same_drone(tmp_path: Path, state: str):
    async def main() -> None:
        scripts = {d.drone_id: Script(answer_delay_s=1.0) for d in a_site().drones[:1]}
        scripts |= {d.drone_id: Script(ready=False) for d in a_site().drones[1:]}
        async with world(tmp_path, scripts=scripts, fleet_settle_s=2.0) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, state)
            assert (await move(w, order_id)).status_code == 200
            closed = await w.until(order_id, "CLOSED")
            first, second = closed["flights"]
            assert (first["withdrawn"], first["airborne_at"]) == ("patient_moved", None)
            assert second["drone_id"] == first["drone_id"]
            assert w.planner.questions[-1].patient == SECOND.position
            assert await w.hub.database.read(missions.reserved_drones) == {}

    play(main())


def test_a_proposed_flight_is_proposed_anew_and_its_alarms_go_on(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, default_mode="approve", approval_chain=["account:a", "account:b"]) as w:
            order = (await w.order()).json()
            await w.hub.clock.sleep(16)
            await move(w, order["order_id"])
            again = await w.until(order["order_id"], "AWAITING_APPROVAL")
            assert again["decision"]["flight_id"] != order["decision"]["flight_id"]
            assert (again["approval"]["level"], again["approval"]["recipient"]) == (1, "account:b")
            assert again["approval"]["asked_at"] == order["approval"]["asked_at"]
            assert w.planner.questions[-1].patient == SECOND.position
            assert flown(w) == []

    play(main())


@pytest.mark.parametrize("state", ["DELIVERING", "DELIVERED", "CLOSED"])
def test_too_late_is_refused_with_the_reason_and_changes_nothing(tmp_path: Path, state: str):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, state)
            answer = await move(w, order_id)
            assert (answer.status_code, answer.json()["code"]) == (409, 4004)
            shown = (await w.client.get(f"/v1/orders/{order_id}")).json()["position"]
            assert shown["latitude_deg"] != SECOND.position.latitude_deg
            await w.until(order_id, "CLOSED")

    play(main())


def test_the_same_request_again_is_one_and_the_key_belongs_to_it(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            assert "Idempotent-Replay" not in (await move(w, order_id)).headers
            again = await move(w, order_id)
            assert again.headers["Idempotent-Replay"] == "true"
            other = await move(w, order_id, reason="something else")
            assert (other.status_code, other.json()["code"]) == (409, 4003)
            as_order = await w.order("m1")
            assert as_order.status_code == 409
            # After the order is over a repeat is still the same answer.
            await w.until(order_id, "CLOSED")
            assert (await move(w, order_id)).status_code == 200
            assert (await kinds(w, order_id)).count("patient_moved") == 1

    play(main())


def test_a_second_place_takes_the_place_of_the_first(tmp_path: Path):
    async def main() -> None:
        third = a_site().landing_points[2]
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await move(w, order_id)
            await w.hub.clock.sleep(0.1)
            await move(w, order_id, third, key="m2")
            closed = await w.until(order_id, "CLOSED")
            assert closed["flights"][0]["landing_point_id"] == third.landing_point_id
            assert len(closed["flights"]) == 1

    play(main())


def test_a_hub_killed_while_the_drone_stands_sends_the_way_afterwards(tmp_path: Path):
    async def first() -> tuple[str, dict[str, Memory]]:
        async with world(tmp_path) as w:
            order_id: str = (await w.order()).json()["order_id"]
            await w.until(order_id, "AIRBORNE")
            await move(w, order_id)
            return order_id, w.memories()

    order_id, memories = play(first())

    async def second() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=45), seed=2, memories=memories) as w:
            closed = await w.until(order_id, "CLOSED")
            (flight,) = closed["flights"]
            assert flight["landing_point_id"] == SECOND.landing_point_id

    play(second())
