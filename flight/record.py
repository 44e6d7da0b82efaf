"""The record of one flight: a folder that people and tools can read afterwards.

    flight.json     which flight, for which order, drill or not
    plan.json       the plan as flown          mission.plan    the same for QGroundControl
    plan-2.json …   after a re-route           mission-2.plan …
    flight.tlog     every frame, both ways     events.json     what was said on the bus
    track.geojson   where it was               track.kml       the same for Google Earth

Everything is appended while it happens, so a crash loses at most the last line; the readable files are
made from it when the flight ends, or by the next agent that takes the flight up.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pydantic import TypeAdapter
from pydantic_core import to_json

from flight.messages import Event, FlyMission, TelemetrySample, encode
from planner.export.qgc_plan import to_qgc_plan
from planner.flight_plan import FlightPlan

_PLAN: TypeAdapter[FlightPlan] = TypeAdapter(FlightPlan)
_KML = "http://www.opengis.net/kml/2.2"


class FlightRecord:
    """Writes one folder. A second writer of the same flight (after a restart) continues it."""

    def __init__(self, directory: Path, command: FlyMission) -> None:
        flight_id, plan = command.flight_id, command.plan
        self.folder = directory / flight_id
        self.folder.mkdir(parents=True, exist_ok=True)
        self._flight_id = flight_id
        about = {
            "flight_id": flight_id,
            "order_id": command.order_id,
            "drone_id": command.drone_id,
            "drill": command.drill,
        }
        self._write("flight.json", json.dumps(about, indent=1).encode())
        self._write("plan.json", _PLAN.dump_json(plan, indent=1))
        self._write("mission.plan", json.dumps(to_qgc_plan(plan), indent=1).encode())
        self._stamped: tuple[datetime | None, bytes] = (None, b"")
        self._tlog = (self.folder / "flight.tlog").open("ab")
        self._events = (self.folder / "events.jsonl").open("ab")
        self._track = (self.folder / "track.jsonl").open("ab")

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all: a kill must not leave half a plan, and people look while the flight is recorded."""
        part = self.folder / f".{name}.part"
        part.write_bytes(data)
        os.replace(part, self.folder / name)

    def rerouted(self, plan: FlightPlan) -> None:
        """Another plan is flown from now on; each is kept under its number, the first without one."""
        number = 2 + len(list(self.folder.glob("plan-*.json")))
        self._write(f"plan-{number}.json", _PLAN.dump_json(plan, indent=1))
        self._write(f"mission-{number}.plan", json.dumps(to_qgc_plan(plan), indent=1).encode())

    def frame(self, data: bytes, at: datetime) -> None:
        """One MAVLink frame in .tlog form: microseconds since 1970 as a big-endian integer, then the frame."""
        if not self.open:
            return
        if at is not self._stamped[0]:
            # Frames come in datagrams: many have one time.
            self._stamped = (at, struct.pack(">Q", int(at.timestamp() * 1e6)))
        self._tlog.write(self._stamped[1] + data)

    def event(self, event: Event) -> None:
        if self.open:
            self._events.write(encode(event) + b"\n")
            self._events.flush()

    def sample(self, sample: TelemetrySample) -> None:
        """One point of the track; samples without a position are not part of it."""
        if not self.open or sample.position is None or sample.altitude_amsl_m is None:
            return
        record = {
            "at": sample.at.isoformat(),
            "latitude_deg": sample.position.latitude_deg,
            "longitude_deg": sample.position.longitude_deg,
            "altitude_amsl_m": sample.altitude_amsl_m,
            "height_above_home_m": sample.height_above_home_m,
            "velocity_east_m_s": sample.velocity_east_m_s,
            "velocity_north_m_s": sample.velocity_north_m_s,
            "velocity_up_m_s": sample.velocity_up_m_s,
            "heading_deg": sample.heading_deg,
            "phase": sample.phase.value,
            "charge_fraction": sample.charge_fraction,
            "battery_voltage_v": sample.battery_voltage_v,
            "line_length_m": sample.line_length_m,
            "wind_from_deg": sample.wind_from_deg,
            "wind_speed_m_s": sample.wind_speed_m_s,
            "link_age_s": sample.link_age_s,
            "eta_s": sample.eta_s,
        }
        self._track.write(to_json(record) + b"\n")

    @property
    def open(self) -> bool:
        """Whether the record still takes anything."""
        return not self._tlog.closed

    def finish(self) -> Path:
        """Close and write the readable files; returns the folder. Idempotent."""
        for file in (self._tlog, self._events, self._track):
            file.close()
        events = _unique_events(complete_lines(self.folder / "events.jsonl"))
        self._write("events.json", json.dumps(events, ensure_ascii=False, indent=1).encode())
        points = complete_lines(self.folder / "track.jsonl")
        self._write("track.geojson", json.dumps(_geojson(self._flight_id, points), indent=1).encode())
        self._write("track.kml", _kml(self._flight_id, points))
        return self.folder


def complete_lines(path: Path) -> list[dict[str, Any]]:
    """Complete JSON lines. A last one torn by a crash is left out, and with it the line that the next agent
    appended to it."""
    found = []
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found


def _unique_events(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A restarted agent says again what it said before, with the same id."""
    return list({event["event_id"]: event for event in events}.values())


def _geojson(flight_id: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    """One LineString of the whole track and one Point for each change of phase (RFC 7946)."""
    line = [[p["longitude_deg"], p["latitude_deg"], p["altitude_amsl_m"]] for p in points]
    features: list[dict[str, Any]] = []
    if len(line) >= 2:
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "kind": "track",
                    "flight_id": flight_id,
                    "times": [p["at"] for p in points],
                    "phases": [p["phase"] for p in points],
                },
                "geometry": {"type": "LineString", "coordinates": line},
            }
        )
    previous = None
    for point, position in zip(points, line, strict=True):
        if point["phase"] != previous:
            previous = point["phase"]
            features.append(
                {
                    "type": "Feature",
                    "properties": {"kind": "phase", "phase": previous, "at": point["at"]},
                    "geometry": {"type": "Point", "coordinates": position},
                }
            )
    return {"type": "FeatureCollection", "features": features}


def _kml(flight_id: str, points: list[dict[str, Any]]) -> bytes:
    ElementTree.register_namespace("", _KML)
    root = ElementTree.Element(f"{{{_KML}}}kml")
    document = ElementTree.SubElement(root, f"{{{_KML}}}Document")
    ElementTree.SubElement(document, f"{{{_KML}}}name").text = flight_id
    placemark = ElementTree.SubElement(document, f"{{{_KML}}}Placemark")
    ElementTree.SubElement(placemark, f"{{{_KML}}}name").text = "track"
    line = ElementTree.SubElement(placemark, f"{{{_KML}}}LineString")
    ElementTree.SubElement(line, f"{{{_KML}}}altitudeMode").text = "absolute"
    ElementTree.SubElement(line, f"{{{_KML}}}coordinates").text = " ".join(
        f"{p['longitude_deg']:.7f},{p['latitude_deg']:.7f},{p['altitude_amsl_m']:.2f}" for p in points
    )
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
