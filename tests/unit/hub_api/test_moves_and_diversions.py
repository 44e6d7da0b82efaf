"""A patient who moves while a person diverts the flight to them: one of the two is followed, and it is said which."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flight.model.phases import Phase
from hub_api.dispatch.steering import stands_still
from hub_api.store.repositories import diversions, moves
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.test_console_pages import until_phase
from tests.unit.hub_api.test_diversions import divert, flying, other_station, settled
from tests.unit.hub_api.test_moves import move
from tests.unit.hub_api.world import World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

FIRST, SECOND, THIRD = a_site().landing_points[:3]


async def follows(w: World, order_id: str) -> list[str]:
    return [e["data"]["follows"] for e in await w.events(order_id) if e["kind"] == "patient_moved"]


def told(w: World, drone_id: str) -> list[str]:
    return [command.kind for command in w.drones[drone_id].commands]


async def nothing_open(w: World) -> bool:
    left: list[Any] = await w.hub.database.read(moves.open_moves)
    return not left and not await w.hub.database.read(diversions.open_diversions)


def test_where_a_person_sends_the_flight_to_land_stands(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            station = other_station(w, drone_id)
            assert (await divert(w, drone_id, "station", station)).json()["outcome"] == "accepted"
            assert (await move(w, order_id)).status_code == 200
            assert await follows(w, order_id) == ["diversion_stands"]
            assert (await settled(w, order_id))["data"]["outcome"] == "diverted"
            closed = await w.until(order_id, "CLOSED")
            assert "patient_moved" not in told(w, drone_id)
            first, second = closed["flights"]
            assert first["safe_state"] == "landed_at_rally"
            assert second["aed_on_ground_at"] is not None
            assert await nothing_open(w)

    play(main())


def test_another_landing_point_stands_while_it_serves_the_new_place(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            w.ways.reach_m = 1e6
            order_id, drone_id = await flying(w)
            await divert(w, drone_id, "landing_point", THIRD.landing_point_id)
            assert (await move(w, order_id)).status_code == 200
            assert await follows(w, order_id) == ["diversion_stands"]
            closed = await w.until(order_id, "CLOSED")
            assert closed["flights"][0]["landing_point_id"] == THIRD.landing_point_id
            assert "patient_moved" not in told(w, drone_id)
            assert await nothing_open(w)

    play(main())


def test_another_landing_point_that_does_not_serve_the_new_place_is_given_up(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            w.ways.reach_m = 1e6
            order_id, drone_id = await flying(w)
            await divert(w, drone_id, "landing_point", THIRD.landing_point_id)
            w.ways.reach_m = 1.0
            assert (await move(w, order_id)).status_code == 200
            assert await follows(w, order_id) == ["drone_told"]
            assert await w.hub.database.read(diversions.open_diversions) == []
            closed = await w.until(order_id, "CLOSED")
            (flight,) = closed["flights"]
            assert flight["landing_point_id"] == SECOND.landing_point_id
            assert flight["aed_on_ground_at"] is not None
            # Its stop was for the diversion: it goes on before it is told.
            kinds = told(w, drone_id)
            assert kinds.index("hold_flight") < kinds.index("continue_flight") < kinds.index("patient_moved")
            assert await nothing_open(w)

    play(main())


@pytest.mark.parametrize("moves_first", [False, True], ids=("diverted first", "moved first"))
def test_a_diversion_that_finds_no_way_leaves_the_flight_to_the_patient(tmp_path: Path, moves_first: bool):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            w.ways.diversions_found = 1
            w.ways.reach_m = 1.0
            if moves_first:
                assert (await move(w, order_id)).status_code == 200
            await divert(w, drone_id, "station", other_station(w, drone_id))
            if not moves_first:
                assert (await move(w, order_id)).status_code == 200
            assert (await settled(w, order_id))["data"]["outcome"] == "no_way"
            closed = await w.until(order_id, "CLOSED")
            assert closed["flights"][0]["landing_point_id"] == SECOND.landing_point_id
            assert closed["flights"][0]["aed_on_ground_at"] is not None
            assert await nothing_open(w)

    play(main())


@pytest.mark.parametrize("ahead_s", [-3600.0, 0.0, 3600.0])
def test_a_drone_whose_clock_is_off_stands_as_still_as_another(tmp_path: Path, ahead_s: float):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script()}) as w:
            await w.hub.clock.sleep(3.0)
            view = w.hub.fleet.view("bao-01", {})
            assert view is not None
            assert view.telemetry is not None
            now = w.hub.clock.now()
            sample = replace(
                view.telemetry,
                at=now + timedelta(seconds=ahead_s),
                phase=Phase.HOLDING,
                velocity_east_m_s=0.0,
                velocity_north_m_s=0.1,
                velocity_up_m_s=0.0,
            )
            view = replace(view, telemetry=sample, telemetry_age_s=1.0)
            holding = (Phase.HOLDING,)
            assert stands_still(view, now - timedelta(seconds=2.0), now, holding)
            # Heard before the command: it may be on its way by now.
            assert not stands_still(view, now - timedelta(seconds=0.5), now, holding)
            assert not stands_still(view, now - timedelta(seconds=2.0), now, (Phase.STANDING_OFF,))
            moving = replace(view, telemetry=replace(sample, velocity_up_m_s=-1.0))
            assert not stands_still(moving, now - timedelta(seconds=2.0), now, holding)

    play(main())


@pytest.mark.parametrize("command", ["continue_flight", "land_now"])
def test_a_person_who_lets_the_flight_go_on_is_not_overruled_by_the_move(tmp_path: Path, command: str):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            find, may_answer = w.hub.moves._driver._ways.find, asyncio.Event()

            async def slow(*given: Any) -> Any:
                await may_answer.wait()
                return await find(*given)

            w.hub.moves._driver._ways.find = slow  # type: ignore[method-assign]
            assert (await move(w, order_id)).status_code == 200
            await until_phase(w, drone_id, "standing_off")
            body = {"command": command, "reason": "the crew sees the patient here"}
            answer = await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)
            assert answer.status_code == 200, answer.text
            may_answer.set()
            await w.hub.clock.sleep(30.0)
            assert told(w, drone_id).count("patient_moved") == 1
            assert "reroute_flight" not in told(w, drone_id)
            assert await nothing_open(w)
            if command == "continue_flight":
                closed = await w.until(order_id, "CLOSED")
                assert closed["flights"][0]["landing_point_id"] == FIRST.landing_point_id

    play(main())


def test_a_person_who_only_holds_the_flight_leaves_the_move_open(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            body = {"command": "hold_flight", "reason": "a kite"}
            assert (await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)).status_code == 200
            await until_phase(w, drone_id, "holding")
            await w.hub.clock.sleep(2.0)
            assert (await move(w, order_id)).status_code == 200
            body = {"command": "continue_flight", "reason": "it is gone"}
            assert (await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)).status_code == 200
            closed = await w.until(order_id, "CLOSED")
            assert closed["flights"][0]["landing_point_id"] == SECOND.landing_point_id

    play(main())
