"""``make demo`` as a newcomer runs it: processes, UDP, HTTP, and the folder that it leaves."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import Image
from pyproj import Transformer

from core.geodesy import Wgs84Point, geodesic_distance_m

ROOT = Path(__file__).resolve().parents[2]
TO_PLANE = Transformer.from_crs(
    "EPSG:4326", "+proj=tmerc +lat_0=22.57 +lon_0=113.88 +ellps=WGS84", always_xy=True
)


@pytest.mark.processes
def test_the_demo_delivers_and_leaves_a_complete_record(tmp_path: Path) -> None:
    """One test for one run: workers would otherwise each run the demo for their share of the checks."""
    record = run_demo(tmp_path / "records")
    check_the_order_is_delivered_and_the_drone_is_back(record)
    check_the_track_bends_around_the_substation(record)
    check_the_record_is_complete_and_readable(record)
    check_a_foreign_reader_reads_the_tlog(record)


def run_demo(records: Path) -> Path:
    """One run of the demo; its record folder."""
    done = subprocess.run(
        [sys.executable, "-m", "hub_api.commands.main", "demo", "--speedup", "15", "--records", str(records)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CLOSED" in done.stdout
    assert "AED is on the ground and may be approached" in done.stdout
    (folder,) = records.iterdir()
    return folder


def flight_folder(record: Path) -> Path:
    (folder,) = record.glob("flt_*")
    return folder


def track_of(record: Path) -> np.ndarray:
    """(lon, lat, amsl) of the flown track."""
    document = json.loads((flight_folder(record) / "track.geojson").read_text(encoding="utf-8"))
    (line,) = [
        feature["geometry"] for feature in document["features"] if feature["geometry"]["type"] == "LineString"
    ]
    return np.array(line["coordinates"])


def check_the_order_is_delivered_and_the_drone_is_back(record: Path) -> None:
    order = json.loads((record / "order.json").read_text(encoding="utf-8"))
    assert order["state"] == "CLOSED"
    assert order["aed_on_ground_at"] < order["finished_at"]
    (flight,) = order["flights"]
    assert flight["safe_state"] == "on_pad"
    assert any(candidate["verdict"] == "refused" for candidate in order["decision"]["candidates"])
    track = track_of(record)
    pad, delivered = track[0], track[np.argmax(_metres_from(track, track[0]))]
    assert _metres_from(track[-1:], pad)[0] < 3
    assert _metres_from(delivered[None], pad)[0] > 500


def check_the_track_bends_around_the_substation(record: Path) -> None:
    """Judged on the published outline, read as plain JSON."""
    zones = json.loads(
        resources.files("geofences").joinpath("data", "baoan-zones.ed269.json").read_text("utf-8")
    )
    prohibited = [
        shapely.Polygon(
            np.column_stack(TO_PLANE.transform(*np.array(volume["horizontalProjection"]["coordinates"][0]).T))
        )
        for zone in zones["features"]
        if zone["restriction"] == "PROHIBITED"
        for volume in zone["geometry"]
        if volume["horizontalProjection"]["type"] == "Polygon"
    ]
    assert prohibited
    track = track_of(record)
    path = shapely.LineString(np.column_stack(TO_PLANE.transform(track[:, 0], track[:, 1])))
    straight = shapely.LineString([path.coords[0], path.interpolate(path.length / 2).coords[0]])
    assert any(zone.intersects(straight) for zone in prohibited), "the straight way would be forbidden"
    assert min(zone.distance(path) for zone in prohibited) > 40


def check_the_record_is_complete_and_readable(record: Path) -> None:
    folder = flight_folder(record)
    for name in (
        "plan.json",
        "mission.plan",
        "track.geojson",
        "track.kml",
        "flight.tlog",
        "events.json",
        "map.png",
    ):
        assert (folder / name).stat().st_size > 100, name
    with Image.open(folder / "map.png") as image:
        assert image.width >= 1200
        assert len(image.convert("RGB").resize((200, 150)).getcolors(30_000)) > 50, "the map is blank"
    qgc = json.loads((folder / "mission.plan").read_text(encoding="utf-8"))
    assert qgc["fileType"] == "Plan"
    assert len(qgc["mission"]["items"]) > 4
    assert qgc["rallyPoints"]["points"]
    kinds = {entry["kind"] for entry in json.loads((folder / "events.json").read_text(encoding="utf-8"))}
    assert {"command_accepted", "aed_released", "aed_on_ground", "flight_ended"} <= kinds


def check_a_foreign_reader_reads_the_tlog(record: Path) -> None:
    with warnings.catch_warnings():
        # mavutil's own leaks are not our fault.
        warnings.simplefilter("ignore", ResourceWarning)
        from pymavlink import mavutil

        log = mavutil.mavlink_connection(str(flight_folder(record) / "flight.tlog"))
        positions = []
        while (message := log.recv_match(type="GLOBAL_POSITION_INT")) is not None:
            positions.append((message.lon / 1e7, message.lat / 1e7))
        log.close()
    assert len(positions) > 100
    farthest_m = _metres_from(np.array(positions), np.array(positions[0])).max()
    assert farthest_m == pytest.approx(_metres_from(track_of(record), track_of(record)[0]).max(), abs=30)


def _metres_from(points: np.ndarray, origin: np.ndarray) -> np.ndarray:
    start = Wgs84Point(float(origin[1]), float(origin[0]))
    return np.array([geodesic_distance_m(start, Wgs84Point(float(p[1]), float(p[0]))) for p in points])
