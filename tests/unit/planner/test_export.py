"""Exported files say what the plan says, in the layout their readers expect."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import shapely
from matplotlib.image import imread

from planner.airframe import load_airframes
from planner.compile.mavlink import compile_mission
from planner.export.geojson import to_geojson
from planner.export.kml import to_kml
from planner.export.png import draw_map
from planner.export.qgc_plan import to_qgc_plan
from planner.flight_plan import DeliveryMethod, FlightPlan
from tests.unit.planner.helpers import (
    airspace,
    at_m,
    box_zone,
    circle_zone,
    landing_point,
    planned,
    refuge,
    site,
    station,
)

START, GOAL = station("a", 0, 0), landing_point("p", 3000, 0)
SKY = airspace(box_zone("wall", 1400, -800, 1600, 600), circle_zone("c", 2300, -450, 300))
REFUGES = (refuge("r1", 1000, 900), refuge("r2", 2000, 900))


@pytest.fixture(scope="module")
def plan() -> FlightPlan:
    return planned(SKY, START, GOAL, refuges=REFUGES)


@pytest.fixture(scope="module")
def px4_plan() -> FlightPlan:
    low = landing_point("p", 3000, 0, delivery_methods=(DeliveryMethod.GRIPPER_LOW,))
    return planned(SKY, START, low, refuges=REFUGES, airframe=load_airframes()["quad8_px4"])


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_qgc_plan(autopilot: str, request: pytest.FixtureRequest) -> None:
    plan: FlightPlan = request.getfixturevalue("plan" if autopilot == "ardupilot" else "px4_plan")
    document = json.loads(json.dumps(to_qgc_plan(plan), allow_nan=False))
    assert document["mission"]["firmwareType"] == {"ardupilot": 3, "px4": 12}[autopilot]
    assert (document["fileType"], document["version"]) == ("Plan", 1)
    mission = document["mission"]
    compiled = compile_mission(plan)
    without_home = compiled.items[1:] if autopilot == "ardupilot" else compiled.items
    assert [item["command"] for item in mission["items"]] == [item.command for item in without_home]
    assert [item["doJumpId"] for item in mission["items"]] == list(range(1, len(without_home) + 1))
    assert mission["items"][0]["params"][4:] == pytest.approx(
        [plan.home.position.latitude_deg, plan.home.position.longitude_deg, 60.0]
    )
    assert all(len(item["params"]) == 7 for item in mission["items"])
    assert mission["plannedHomePosition"][2] == plan.home.altitude_amsl_m
    assert document["geoFence"]["polygons"][0]["inclusion"] is True
    assert len(document["rallyPoints"]["points"]) == len(plan.rally_points)


def test_geojson(plan: FlightPlan) -> None:
    document = json.loads(json.dumps(to_geojson(plan), allow_nan=False))
    kinds = [feature["properties"]["kind"] for feature in document["features"]]
    assert kinds[:3] == ["outbound", "inbound", "autopilot_fence"]
    way = document["features"][0]["geometry"]["coordinates"]
    assert way[0] == [
        plan.home.position.longitude_deg,
        plan.home.position.latitude_deg,
        plan.home.altitude_amsl_m,
    ]
    assert len(way) == len(plan.outbound) + 1
    fence = shapely.from_geojson(json.dumps(document["features"][2]["geometry"]))
    assert fence.is_valid
    assert fence.contains(shapely.LineString([point[:2] for point in way]))


def test_kml(plan: FlightPlan) -> None:
    root = ElementTree.fromstring(to_kml(plan))
    space = {"k": "http://www.opengis.net/kml/2.2"}
    lines = root.findall(".//k:LineString", space)
    assert len(lines) == 2
    assert lines[0].findtext("k:altitudeMode", namespaces=space) == "absolute"
    first = (lines[0].findtext("k:coordinates", namespaces=space) or "").split()[0].split(",")
    assert float(first[0]) == pytest.approx(plan.home.position.longitude_deg, abs=1e-7)
    assert float(first[2]) == plan.home.altitude_amsl_m
    assert len(root.findall(".//k:Polygon", space)) == 1


def test_map_is_drawn_with_and_without_a_plan(plan: FlightPlan, tmp_path: Path) -> None:
    place = site((START,), (GOAL,), REFUGES)
    track = [leg.end.position for leg in plan.outbound]
    full, bare = tmp_path / "full.png", tmp_path / "bare.png"
    draw_map(full, SKY, plan=plan, track=track, site=place, incident=at_m(3050, 20), title="test")
    draw_map(bare, SKY, width_px=800)
    picture = imread(full)
    assert picture.shape[:2] == (1152, 1600)
    # The way out is drawn in its colour (#0b57d0), the zones in theirs.
    blue = (picture[..., 2] > 0.75) & (picture[..., 0] < 0.1) & (picture[..., 1] < 0.4)
    assert blue.sum() > 500
    assert imread(bare).shape[1] == 800
