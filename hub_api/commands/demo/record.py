"""The flight record folder: what the agent recorded, the order, the logs, and one map."""

from __future__ import annotations

import json
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from core.errors import ErrorCode, InternalError
from core.geodesy import Wgs84Point
from geofences.site_airspace import load_demo_airspace
from planner.export.png import draw_map
from planner.flight_plan import FlightPlan
from planner.site import load_site

FINISH_TIMEOUT_S = 10.0
"""Real seconds; it takes milliseconds unless the machine is overloaded."""


def save_record(
    records: Path, *, order: dict[str, Any], view: dict[str, Any], data_dir: Path, logs: Path, site_file: Path
) -> Path:
    """Write the record of an order below ``records`` and return its folder.

    ``request.json`` and ``order.json`` as sent and answered, ``logs/``, and per flight a folder with plan,
    track, ``.tlog``, events and ``map.png``.
    """
    received = datetime.fromisoformat(view["received_at"])
    folder = records / f"{received:%Y%m%dT%H%M%SZ}-{view['order_id']}"
    folder.mkdir(parents=True)
    _write_json(folder / "request.json", order)
    _write_json(folder / "order.json", view)
    (folder / "logs").mkdir()
    for log in logs.glob("*.log"):
        shutil.copy(log, folder / "logs")
    for flight in view["flights"]:
        recorded = data_dir / "flights" / flight["flight_id"]
        if recorded.is_dir():
            _wait_until_finished(recorded)
            shutil.copytree(recorded, folder / flight["flight_id"])
            _draw(folder / flight["flight_id"], view, flight, site_file)
    return folder


def _wait_until_finished(folder: Path) -> None:
    """The agent writes the readable files right after the flight's last event; the KML comes last."""
    deadline_s = time.monotonic() + FINISH_TIMEOUT_S
    while not (folder / "track.kml").exists():
        if time.monotonic() > deadline_s:
            raise InternalError(ErrorCode.BROKEN_INVARIANT, f"the record {folder.name} was not finished")
        time.sleep(0.05)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _draw(folder: Path, view: dict[str, Any], flight: dict[str, Any], site_file: Path) -> None:
    plan = TypeAdapter(FlightPlan).validate_json((folder / "plan.json").read_bytes())
    position = view["position"]
    draw_map(
        folder / "map.png",
        load_demo_airspace(),
        plan=plan,
        track=read_track(folder / "track.geojson"),
        site=load_site(site_file),
        incident=Wgs84Point(position["wgs84_latitude_deg"], position["wgs84_longitude_deg"]),
        title=f"AED delivery by {flight['drone_id']}: planned and flown",
    )


def read_track(path: Path) -> list[Wgs84Point]:
    """The flown positions of ``track.geojson``, in order."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for feature in document["features"]:
        if feature["geometry"]["type"] == "LineString":
            return [
                Wgs84Point(latitude_deg, longitude_deg)
                for longitude_deg, latitude_deg, *_ in feature["geometry"]["coordinates"]
            ]
    return []
