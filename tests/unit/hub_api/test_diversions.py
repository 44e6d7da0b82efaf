"""A flight that a person sends to another place: what may be chosen, what is refused, what the drone says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from flight.model.phases import Phase
from hub_api.access.scopes import Role
from hub_api.dispatch.planning import PLAN
from hub_api.dispatch.refuges import place_of, places_for
from hub_api.store.repositories import diversions, missions
from planner.flight_plan import RoutePoint
from planner.reasons import Reason
from tests.unit.hub_api.played_drone import Memory, Script
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.test_access import an_account, bearer, log_in
from tests.unit.hub_api.test_console_pages import until_phase
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

FIRST, SECOND = a_site().landing_points[:2]
NO_WAY = Reason("no_route", "no way", "没有航路")


async def flying(w: World, phase: str = "outbound") -> tuple[str, str]:
    """An order in the air: (order, drone)."""
    view = (await w.order()).json()
    drone_id: str = view["decision"]["drone_id"]
    await until_phase(w, drone_id, phase)
    return view["order_id"], drone_id


async def divert(w: World, drone_id: str, kind: str, place_id: str) -> httpx.Response:
    body = {"command": "divert_flight", "reason": "crowd", "to": {"kind": kind, "id": place_id}}
    return await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)


def other_station(w: World, drone_id: str) -> str:
    own = next(drone.station_id for drone in w.hub.site.drones if drone.drone_id == drone_id)
    return next(s.station_id for s in w.hub.site.stations if s.station_id != own)


async def settled(w: World, order_id: str) -> dict[str, Any]:
    for _ in range(400):
        for event in await w.events(order_id):
            if event["kind"] == "diversion_settled":
                return event
        await w.hub.clock.sleep(0.5)
    raise AssertionError("never settled")


def test_every_kind_of_place_is_offered_once_and_says_what_is_known_against_it(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            shown = (await w.client.get(f"/v1/drones/{drone_id}/diversions")).json()
            kinds = [place["kind"] for place in shown["places"]]
            assert set(kinds) == {"station", "emergency_site", "landing_point"}
            lands = [place for place in shown["places"] if not place["delivers"]]
            assert shown["places"][: len(lands)] == lands
            assert [p["away_m"] for p in lands] == sorted(p["away_m"] for p in lands)
            assert FIRST.landing_point_id not in [place["id"] for place in shown["places"]], "it goes there"
            for reach_m, code in ((1e6, None), (0.0, "does_not_serve")):
                w.ways.reach_m = reach_m
                shown = (await w.client.get(f"/v1/drones/{drone_id}/diversions")).json()
                refused = [place["refused"] for place in shown["places"] if place["delivers"]]
                assert {reason and reason["code"] for reason in refused} == {code}
                assert {place["refused"] for place in shown["places"] if not place["delivers"]} == {None}
            await w.until(order_id, "CLOSED")
            idle = await w.client.get(f"/v1/drones/{drone_id}/diversions")
            assert (idle.status_code, idle.json()["code"]) == (409, 4004)

    play(main())


def test_it_holds_gets_the_proved_way_and_lands_at_the_other_station(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            station = other_station(w, drone_id)
            answer = await divert(w, drone_id, "station", station)
            assert answer.json()["outcome"] == "accepted", answer.text
            event = await settled(w, order_id)
            assert event["data"]["outcome"] == "diverted"
            assert event["data"]["to"] == {"kind": "station", "id": station}
            told = [command.kind for command in w.drones[drone_id].commands]
            assert told.index("hold_flight") < told.index("reroute_flight")
            for _ in range(200):
                order = (await w.client.get(f"/v1/orders/{order_id}")).json()
                first = order["flights"][0]
                if first["safe_state"]:
                    break
                await w.hub.clock.sleep(1.0)
            assert first["safe_state"] == "landed_at_rally"
            # The patient still waits: another drone brings the AED.
            closed = await w.until(order_id, "CLOSED")
            assert len(closed["flights"]) == 2
            assert closed["flights"][1]["drone_id"] != drone_id
            assert await w.hub.database.read(diversions.open_diversions) == []

    play(main())


def test_it_delivers_at_another_landing_point(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            assert (await divert(w, drone_id, "landing_point", SECOND.landing_point_id)).json()[
                "outcome"
            ] == "accepted"
            closed = await w.until(order_id, "CLOSED")
            (flight,) = closed["flights"]
            assert flight["landing_point_id"] == SECOND.landing_point_id
            assert flight["aed_on_ground_at"] is not None

    play(main())


def test_what_cannot_be_proved_is_refused_and_the_flight_is_left_alone(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            w.ways.none = NO_WAY
            answer = (await divert(w, drone_id, "station", other_station(w, drone_id))).json()
            assert answer["outcome"] == "refused"
            assert answer["reasons"] == [{"code": "no_route", "detail": "no way", "detail_zh": "没有航路"}]
            assert "hold_flight" not in [command.kind for command in w.drones[drone_id].commands]
            closed = await w.until(order_id, "CLOSED")
            assert closed["aed_on_ground_at"] is not None
            (event,) = [e for e in await w.events(order_id) if e["kind"] == "diversion_refused"]
            assert event["data"]["reasons"][0]["code"] == "no_route"

    play(main())


def test_a_way_that_is_gone_when_it_stands_lets_it_go_on(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            w.ways.diversions_found = 1
            await divert(w, drone_id, "station", other_station(w, drone_id))
            event = await settled(w, order_id)
            assert event["data"]["outcome"] == "no_way"
            assert "按原计划继续" in event["detail_zh"]
            closed = await w.until(order_id, "CLOSED")
            assert closed["flights"][0]["landing_point_id"] == FIRST.landing_point_id
            assert closed["aed_on_ground_at"] is not None

    play(main())


def test_a_drone_that_refuses_every_way_goes_on(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(refuses_ways=True)}) as w:
            order_id, drone_id = await flying(w)
            assert drone_id == "bao-01"
            await divert(w, drone_id, "station", other_station(w, drone_id))
            event = await settled(w, order_id)
            assert event["data"]["reasons"][0]["code"] == "reroute_refused"
            assert [c.kind for c in w.drones[drone_id].commands].count("reroute_flight") == 3

    play(main())


@pytest.mark.parametrize("phase", ["lowering", "landing"])
def test_what_the_phase_forbids_is_refused_with_its_reason(tmp_path: Path, phase: str):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w, phase)
            answer = (await divert(w, drone_id, "station", other_station(w, drone_id))).json()
            assert answer["outcome"] == "refused"
            assert answer["reasons"][0]["detail_zh"]
            assert w.ways.diverted == [], "nobody asked the planner"
            await w.until(order_id, "CLOSED")

    play(main())


def test_without_the_aed_nothing_is_delivered_elsewhere(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            _, drone_id = await flying(w, "inbound")
            answer = (await divert(w, drone_id, "landing_point", SECOND.landing_point_id)).json()
            assert [reason["code"] for reason in answer["reasons"]] == ["nothing_to_deliver"]

    play(main())


def test_a_later_command_takes_the_place_of_the_diversion(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(refuses_ways=True)}) as w:
            order_id, drone_id = await flying(w)
            await divert(w, drone_id, "station", other_station(w, drone_id))
            body = {"command": "abort_flight", "reason": "r"}
            assert (await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)).status_code == 200
            assert await w.hub.database.read(diversions.open_diversions) == []
            await w.until(order_id, "CLOSED")
            assert "diversion_settled" not in [event["kind"] for event in await w.events(order_id)]

    play(main())


def test_a_hub_killed_while_the_drone_stands_sends_the_way_afterwards(tmp_path: Path):
    async def first() -> tuple[str, str, dict[str, Memory]]:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            await divert(w, drone_id, "landing_point", SECOND.landing_point_id)
            return order_id, drone_id, w.memories()

    order_id, drone_id, memories = play(first())

    async def second() -> None:
        async with world(tmp_path, epoch=EPOCH + timedelta(seconds=60), seed=2, memories=memories) as w:
            drone = w.drones[drone_id]
            drone.stands_as = Phase.HOLDING
            drone.stop.set()  # As a restarted agent finds its vehicle: still holding.
            closed = await w.until(order_id, "CLOSED")
            assert closed["flights"][0]["landing_point_id"] == SECOND.landing_point_id

    play(second())


def test_unknown_places_and_places_of_other_commands_are_no_requests(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            _, drone_id = await flying(w)
            unknown = await divert(w, drone_id, "station", "nowhere")
            assert (unknown.status_code, unknown.json()["code"]) == (422, 4001)
            assert unknown.json()["errors"][0]["field"] == "to.id"
            kind = await divert(w, drone_id, "moon", "1")
            assert kind.status_code == 422
            body = {"command": "hold_flight", "reason": "r", "to": {"kind": "station", "id": "x"}}
            assert (await w.client.post(f"/v1/drones/{drone_id}/commands", json=body)).status_code == 422

    play(main())


def test_a_rally_point_is_the_place_under_its_number(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, _ = await flying(w)
            (mission,) = await w.hub.database.read(
                lambda session: [
                    missions.find_by_flight(session, f) for f, *_ in missions.in_progress(session)
                ]
            )
            assert mission is not None
            site = w.hub.site
            station, refuge = site.stations[1], site.emergency_sites[0]
            plan = PLAN.validate_python(
                {
                    **mission.plan,
                    "rally_points": [RoutePoint(place.position, 90.0) for place in (refuge, station)],
                }
            )
            second = place_of(site, plan, "rally_point", "1")
            assert second is not None
            assert (second.name, second.ground_amsl_m) == (station.name, station.ground_amsl_m)
            offered = places_for(site, plan)
            assert [place.position for place in offered].count(station.position) == 1
            assert place_of(site, plan, "rally_point", "2") is None
            assert order_id

    play(main())


def test_it_is_written_down_with_the_persons_name(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id, drone_id = await flying(w)
            await an_account(w, "li.na", Role.OPERATOR)
            token = (await log_in(w, "li.na")).json()["access_token"]
            body = {
                "command": "divert_flight",
                "reason": "a crowd at the landing point",
                "to": {"kind": "station", "id": other_station(w, drone_id)},
            }
            answer = await w.client.post(f"/v1/drones/{drone_id}/commands", json=body, headers=bearer(token))
            assert answer.json()["outcome"] == "accepted", answer.text
            (told,) = [event for event in await w.events(order_id) if event["kind"] == "operator_command"]
            assert told["data"]["by"] == "li.na"

    play(main())
