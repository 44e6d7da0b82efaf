"""The site changes while the hub runs: previewed, checked by field, applied between decisions, kept. Source: C1, H3."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hub_api.access.scopes import Scope
from hub_api.security import create_api_key
from planner.airframe import load_airframes, shipped_airframes
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.site_words import WHY, delete, landing_point, point_ids, put
from tests.unit.hub_api.world import play, world

pytestmark = pytest.mark.usefixtures("each_database")


def test_a_preview_changes_nothing_and_a_put_does_what_it_said(tmp_path: Path):
    async def first() -> str:
        async with world(tmp_path) as w:
            site = (await w.client.get("/v1/site")).json()
            assert site["version"] == site["base_version"]
            before = await point_ids(w)
            shown = (await put(w, "landing-points/lp-new", landing_point(), preview=True)).json()
            assert (shown["applied"], shown["action"], shown["before"]) == (False, "added", None)
            assert await point_ids(w) == before
            done = await put(w, "landing-points/lp-new", landing_point())
            assert done.status_code == 200, done.text
            assert done.json() | {"applied": False} == shown
            assert await point_ids(w) == [*before, "lp-new"]
            again = (await put(w, "landing-points/lp-new", landing_point())).json()
            assert (again["action"], again["applied"]) == ("unchanged", False)
            changed = (await put(w, "landing-points/lp-new", landing_point(slope_deg=3.0))).json()
            assert (changed["action"], changed["fields"]) == ("changed", ["slope_deg"])
            assert (changed["before"]["slope_deg"], changed["after"]["slope_deg"]) == (1.0, 3.0)
            stale = await put(
                w, "landing-points/lp-new", landing_point(), expected_version=done.json()["version"]
            )
            assert stale.status_code == 409
            moved = await put(
                w, "landing-points/lp-baoan-stadium", landing_point(), expected_version=changed["version"]
            )
            assert moved.json()["fields"], moved.text
            gone = await delete(w, "landing-points/lp-liutang-court")
            assert gone.status_code in (200, 404, 409)
            history = (await w.client.get("/v1/site/changes")).json()["changes"]
            assert [item["action"] for item in history][-3:] == ["changed", "changed", "added"]
            assert history[-1]["reason"] == WHY["reason"]
            site = (await w.client.get("/v1/site")).json()
            assert "landing_points/lp-new" in site["changed"]
            entries = (await w.client.get("/v1/audit", params={"subject": "landing_points/lp-new"})).json()[
                "entries"
            ]
            assert [entry["action"] for entry in entries] == ["site.changed", "site.added"]
            version: str = site["version"]
            return version

    version = play(first())

    async def after_a_restart() -> None:
        async with world(tmp_path, seed=2) as w:
            site = (await w.client.get("/v1/site")).json()
            assert site["version"] == version
            assert "lp-new" in await point_ids(w)

    play(after_a_restart())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"slope_deg": 60.0}, "slope_deg"),
        ({"clear_radius_m": 0.0}, "clear_radius_m"),
        ({"delivery_methods": []}, "delivery_methods"),
        ({"delivery_methods": ["THROW"]}, "delivery_methods.0"),
        ({"hours": [{"days": [8], "start": "00:00", "end": "24:00"}]}, "hours.0.days.0"),
        ({"hours": [{"days": [1], "start": "10:00", "end": "09:00"}]}, "hours.end"),
        ({"hours": [{"days": [1], "start": "25:00", "end": "26:00"}]}, "hours.start"),
        ({"surveyed_on": "11.02.2026"}, "surveyed_on"),
        ({"alternates": ["lp-nowhere"]}, "landing_points[12].alternates"),
        ({"position": {"latitude_deg": 22.55, "longitude_deg": 113.88}}, "position.reference_system"),
        (
            {"position": {"reference_system": "GCJ-02", "latitude_deg": 22.55, "longitude_deg": 113.88}},
            "position.reference_system",
        ),
        ({"colour": "green"}, "colour"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(tmp_path: Path, changes: dict[str, Any], field: str):
    async def main() -> None:
        async with world(tmp_path) as w:
            before = (await w.client.get("/v1/site")).json()
            answer = await put(w, "landing-points/lp-new", landing_point(**changes))
            assert answer.status_code == 422, answer.text
            assert field in [error["field"] for error in answer.json()["errors"]], answer.text
            assert (await w.client.get("/v1/site")).json() == before

    play(main())


def test_a_point_drawn_on_a_chinese_map_is_stored_in_wgs_84(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            drawn = {"reference_system": "GCJ-02", "latitude_deg": 22.5483, "longitude_deg": 113.8861}
            body = landing_point(position=drawn, position_quality="approximate", surveyed_on=None)
            after = (await put(w, "landing-points/lp-drawn", body)).json()["after"]["position"]
            assert after["latitude_deg"] == pytest.approx(22.5513, abs=3e-4)
            assert after["longitude_deg"] == pytest.approx(113.8812, abs=3e-4)

    play(main())


def test_decisions_use_the_site_in_force(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.hub.clock.sleep(3.0)
            station = {
                "name": "Second",
                "name_zh": "二号站",
                "position": {"reference_system": "WGS-84", "latitude_deg": 22.56, "longitude_deg": 113.89},
                "ground_amsl_m": 6.0,
                "position_quality": "surveyed",
            }
            assert (await put(w, "stations/st-new", station)).json()["action"] == "added"
            drone = {
                "station_id": "st-new",
                "airframe_id": "hex10",
                "system_id": 77,
                "link": "udpout:127.0.0.1:14650",
            }
            added = await put(w, "drones/new-01", drone)
            assert added.json()["notes"] == [], added.text
            views = (await w.client.get("/v1/drones")).json()["drones"]
            assert [view["ready"] for view in views if view["drone_id"] == "new-01"] == [False]
            # Its agent runs: after a moment it has reported and could be sent.
            await w.hub.clock.sleep(5.0)
            views = (await w.client.get("/v1/drones")).json()["drones"]
            assert [view["ready"] for view in views if view["drone_id"] == "new-01"] == [True]
            candidates = (await w.order("k1")).json()["decision"]["candidates"]
            assert "new-01" in {candidate["drone_id"] for candidate in candidates}
            # Moved to another station it keeps its agent and stays ready.
            away = await put(w, "drones/new-01", drone | {"station_id": "st-xixiang"})
            assert away.json()["fields"] == ["station_id"]
            shown = (await w.client.get("/v1/drones/new-01")).json()
            assert (shown["station_id"], shown["ready"]) == ("st-xixiang", True)
            gone = await delete(w, "drones/new-01")
            assert gone.json()["action"] == "removed"
            assert (await w.client.get("/v1/drones/new-01")).status_code == 404
            candidates = (await w.order("k2")).json()["decision"]["candidates"]
            assert "new-01" not in {candidate["drone_id"] for candidate in candidates}

    play(main())


def test_a_thing_in_use_is_not_taken_away_and_the_answer_says_by_whom(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts={"bao-01": Script(phase_s=30.0)}) as w:
            await w.hub.clock.sleep(3.0)
            site = (await w.client.get("/v1/site")).json()
            stands = await delete(w, "stations/st-baoan-centre")
            assert stands.status_code == 409
            assert "bao-01" in stands.json()["detail"]
            order = (await w.order()).json()
            flight_id, point = (
                order["decision"]["flight_id"],
                order["decision"]["landing_point"]["id"],
            )
            assert order["decision"]["drone_id"] == "bao-01"
            known = next(p for p in site["landing_points"] if p["landing_point_id"] == point)
            body = {k: v for k, v in known.items() if k not in ("landing_point_id", "photo")}
            body["position"] = {"reference_system": "WGS-84", **known["position"]}
            moved = body | {"position": body["position"] | {"latitude_deg": 22.5623}}
            for answer in (
                await put(w, f"landing-points/{point}", moved),
                await put(w, f"landing-points/{point}", moved, preview=True),
                await put(w, "drones/bao-01", site_drone(site, "bao-01") | {"station_id": "st-xixiang"}),
                await put(w, "airframes/hex10", {"profile": profile(wind_limit_m_s=9.0)}),
            ):
                assert answer.status_code == 409, answer.text
                assert flight_id in answer.json()["detail"] or "reports a flight" in answer.json()["detail"]
            # What a flight does not rely on may change under it.
            hours = body | {"obstacles": "a new lamp post"}
            assert (await put(w, f"landing-points/{point}", hours)).json()["fields"] == ["obstacles"]
            await w.until(order["order_id"], "CLOSED")
            await w.hub.clock.sleep(5.0)
            assert (await put(w, f"landing-points/{point}", moved)).status_code == 200
            named = await delete(w, f"landing-points/{point}")
            assert named.status_code == 409, "others name it as their alternate"
            assert (await delete(w, "landing-points/none")).status_code == 404
            assert (await delete(w, "airframes/hex10")).status_code == 409

    play(main())


def site_drone(site: dict[str, Any], drone_id: str) -> dict[str, Any]:
    found = next(drone for drone in site["drones"] if drone["drone_id"] == drone_id)
    return {name: value for name, value in found.items() if name != "drone_id"}


def profile(**changes: Any) -> dict[str, Any]:
    import json

    plain = json.loads(json.dumps(asdict(shipped_airframes()["hex10"])))
    del plain["airframe_id"]
    return plain | changes


def test_an_airframe_profile_is_data_for_planner_and_agents(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            done = await put(w, "airframes/hex10", {"profile": profile(wind_limit_m_s=9.0)})
            assert done.status_code == 200, done.text
            assert done.json()["fields"] == ["wind_limit_m_s"]
            assert load_airframes()["hex10"].wind_limit_m_s == 9.0
            made = await put(w, "airframes/hex12", {"profile": profile(name="Twelve")})
            assert made.json()["action"] == "added"
            for changes, field in (
                ({"wind_limit_m_s": 99.0}, "wind_limit_m_s"),
                ({"autopilot": "none"}, "autopilot"),
                ({"colour": 1}, "colour"),
                ({"battery_wh": "much"}, "battery_wh"),
            ):
                bad = await put(w, "airframes/hex10", {"profile": profile(**changes)})
                assert bad.status_code == 422, changes
                assert bad.json()["errors"][0]["field"] == field, bad.text
            wrong = await put(w, "drones/new-01", {**site_drone_of_base(), "airframe_id": "none"})
            assert wrong.status_code == 422
            assert wrong.json()["errors"][0]["field"] == "airframe_id"
            taken = await put(w, "drones/new-01", site_drone_of_base())
            assert taken.status_code == 422, "its system id belongs to another drone"

    play(main())
    assert load_airframes() == shipped_airframes(), "a hub that has stopped leaves nothing behind"


def test_a_drone_that_is_marked_for_patients_gets_an_agent_that_knows_it(tmp_path: Path):
    """Its agent refuses what it is not marked for: an old one would refuse patients until the hub is started again."""

    async def main() -> None:
        async with world(tmp_path) as w:
            drone_id = a_site().drones[0].drone_id
            before = w.drones[drone_id]
            done = await put(w, f"drones/{drone_id}", site_drone_of_base() | {"drills": "only"})
            assert done.json()["action"] == "changed", done.text
            assert w.drones[drone_id] is not before
            same = w.drones[drone_id]
            await put(w, f"drones/{drone_id}", site_drone_of_base() | {"drills": "only"})
            assert w.drones[drone_id] is same

    play(main())


def site_drone_of_base() -> dict[str, Any]:
    drone = a_site().drones[0]
    return {
        "station_id": drone.station_id,
        "airframe_id": drone.airframe_id,
        "system_id": drone.system_id,
        "link": drone.link,
    }


def test_who_only_looks_changes_nothing_and_sees_no_link(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            keys = {}
            for scope in (Scope.FLEET_READ, Scope.SITE_WRITE):
                keys[scope], _ = await create_api_key(
                    w.hub.database,
                    w.hub.ids,
                    w.hub.clock,
                    client="c",
                    name="k",
                    scopes=frozenset({Scope.FLEET_READ, scope}),
                )
            looking = {"X-API-Key": keys[Scope.FLEET_READ]}
            for method, path in (
                ("PUT", "landing-points/x"),
                ("DELETE", "landing-points/x"),
                ("PUT", "drones/x"),
                ("POST", "photos"),
            ):
                query = {"landing_point_id": "x"} if path == "photos" else WHY
                answer = await w.client.request(method, f"/v1/{path}", params=query, json={}, headers=looking)
                assert answer.status_code == 403, path
            site = (await w.client.get("/v1/site", headers=looking)).json()
            assert {drone["link"] for drone in site["drones"]} == {""}
            writing = {"X-API-Key": keys[Scope.SITE_WRITE]}
            site = (await w.client.get("/v1/site", headers=writing)).json()
            assert all(drone["link"] for drone in site["drones"])
            done = await w.client.put(
                "/v1/landing-points/lp-new", json=landing_point(), params=WHY, headers=writing
            )
            assert done.status_code == 200

    play(main())
