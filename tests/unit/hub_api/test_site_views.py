"""Stations, weather, landing points, zones, health and the documentation page."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import shapely

from core.geodesy import Wgs84Point, geodesic_distance_m
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.played_planning import a_site, an_airspace
from tests.unit.hub_api.world import play, world


def test_a_station_shows_its_drones_and_the_wind_it_measured(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            site = a_site()
            station_id = site.stations[0].station_id
            await w.hub.clock.sleep(5.0)

            async def station() -> dict[str, object]:
                shown = (await w.client.get("/v1/stations")).json()["stations"]
                assert [s["station_id"] for s in shown] == [s.station_id for s in site.stations]
                first: dict[str, object] = shown[0]
                return first

            shown = await station()
            assert shown["wind"] is None
            assert shown["ready_drone_ids"] == shown["drone_ids"] != []

            async def report(**changes: object) -> int:
                body = {"from_deg": 45.0, "speed_m_s": 4.0, "measured_at": w.hub.clock.now().isoformat()}
                url = f"/v1/stations/{station_id}/weather"
                return (await w.client.post(url, json=body | changes)).status_code

            assert await report() == 204
            wind = (await station())["wind"]
            assert isinstance(wind, dict)
            assert (wind["from_deg"], wind["speed_m_s"], wind["usable"]) == (45.0, 4.0, True)
            # An older reading that arrives late changes nothing.
            earlier = (w.hub.clock.now() - timedelta(seconds=30)).isoformat()
            assert await report(speed_m_s=9.0, measured_at=earlier) == 204
            assert (await station())["wind"] == wind
            await w.hub.clock.sleep(601.0)
            stale = (await station())["wind"]
            assert isinstance(stale, dict)
            assert stale["usable"] is False
            later = (w.hub.clock.now() + timedelta(seconds=60)).isoformat()
            assert await report(measured_at=later) == 422
            assert await report(measured_at="2026-03-01T08:00:00") == 422
            assert await report(gust_m_s=1.0) == 422
            assert await report(from_deg=361.0) == 422
            unknown = await w.client.post(
                "/v1/stations/none/weather",
                json={"from_deg": 0.0, "speed_m_s": 0.0, "measured_at": w.hub.clock.now().isoformat()},
            )
            assert unknown.status_code == 404

    play(main())


def test_landing_points_and_zones_are_shown_as_they_are(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            points = (await w.client.get("/v1/landing-points")).json()["landing_points"]
            assert [p["landing_point_id"] for p in points] == [
                p.landing_point_id for p in a_site().landing_points
            ]
            assert all(p["position_quality"] for p in points)
            answer = await w.client.get("/v1/zones")
            zones = answer.json()
            assert (zones["type"], zones["version"]) == ("FeatureCollection", an_airspace().version)
            (feature,) = zones["features"]
            ring = shapely.geometry.shape(feature["geometry"]).exterior
            assert ring.is_ccw
            circle = feature["properties"]["circle"]
            centre = Wgs84Point(circle["latitude_deg"], circle["longitude_deg"])
            for longitude_deg, latitude_deg in ring.coords:
                distance_m = geodesic_distance_m(centre, Wgs84Point(latitude_deg, longitude_deg))
                assert abs(distance_m - circle["radius_m"]) < 0.01
            again = await w.client.get("/v1/zones", headers={"If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")

    play(main())


def test_the_documentation_page_needs_nothing_from_outside(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            front = await w.client.get("/")
            assert front.headers["location"] == "/docs"
            page = (await w.client.get("/docs")).text
            linked = re.findall(r'(?:src|href)="([^"]+)"', page)
            assert linked
            for target in linked:
                assert not target.startswith(("http", "//")), target
                if target.startswith("/"):
                    assert (await w.client.get(target)).status_code == 200
            assert (await w.client.get("/docs/other")).status_code == 404
            assert (await w.client.get("/openapi.json")).json()["openapi"].startswith("3.")

    play(main())


def test_health_tells_starting_then_ok(tmp_path: Path):
    async def main() -> None:
        slow = {f"bao-0{number}": Script(boot_s=1.0) for number in range(1, 5)}
        async with world(tmp_path, scripts=slow) as w:
            first = (await w.client.get("/v1/health")).json()
            assert first["status"] == "starting"
            await w.hub.clock.sleep(3.0)
            later = (await w.client.get("/v1/health")).json()
            assert (later["status"], later["drones"], later["drones_ready"]) == ("ok", 4, 4)
            assert later["open_orders"] == 0
            await w.order()
            assert (await w.client.get("/v1/health")).json()["open_orders"] == 1

    play(main())
