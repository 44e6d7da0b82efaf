"""QGroundControl's ``.plan`` file: mission, fence and rally points as ground stations open them.

Source of the layout: the «Plan file format» page of QGroundControl's developer guide
(``fileType`` Plan, version 1; mission 2, geoFence 2, rallyPoints 2).
"""

from __future__ import annotations

import math
from typing import Any

from planner.compile.dialects import DIALECTS
from planner.compile.mavlink import compile_mission
from planner.compile.mission_types import MissionItem
from planner.flight_plan import FlightPlan

_FIRMWARE = {"ardupilot": 3, "px4": 12}
"""MAV_AUTOPILOT: ARDUPILOTMEGA, PX4."""
_MAV_TYPE_QUADROTOR = 2
_ALTITUDE_MODE = {0: 2, 2: 1, 3: 1}
"""Frame → QGC altitude mode: 1 relative to home, 2 absolute (AMSL)."""


def to_qgc_plan(plan: FlightPlan, *, autopilot: str | None = None) -> dict[str, Any]:
    """The ``.plan`` document as a JSON-able dict; positions are (latitude, longitude), heights metres."""
    compiled = compile_mission(plan, autopilot=autopilot)
    items = compiled.items[1:] if DIALECTS[compiled.autopilot].home_first else compiled.items
    home = plan.home
    fence = plan.autopilot_fence
    polygons = [(True, fence.inclusion), *((False, ring) for ring in fence.exclusions)]
    return {
        "fileType": "Plan",
        "groundStation": "QGroundControl",
        "version": 1,
        "mission": {
            "version": 2,
            "firmwareType": _FIRMWARE[compiled.autopilot],
            "vehicleType": _MAV_TYPE_QUADROTOR,
            "cruiseSpeed": plan.kinematics.ground_speed_max_m_s,
            "hoverSpeed": plan.kinematics.ground_speed_max_m_s,
            "globalPlanAltitudeMode": 1,
            "plannedHomePosition": [
                home.position.latitude_deg,
                home.position.longitude_deg,
                home.altitude_amsl_m,
            ],
            "items": [_item(item, number) for number, item in enumerate(items, start=1)],
        },
        "geoFence": {
            "version": 2,
            "circles": [],
            "polygons": [
                {
                    "version": 1,
                    "inclusion": inclusion,
                    "polygon": [[point.latitude_deg, point.longitude_deg] for point in ring],
                }
                for inclusion, ring in polygons
            ],
        },
        "rallyPoints": {
            "version": 2,
            "points": [[point.latitude_deg, point.longitude_deg, point.height_m] for point in compiled.rally],
        },
    }


def _item(item: MissionItem, number: int) -> dict[str, Any]:
    numbers = (item.param1, item.param2, item.param3, item.param4)
    # JSON has no NaN; QGC writes null for it.
    params: list[float | None] = [None if math.isnan(number) else number for number in numbers]
    return {
        "type": "SimpleItem",
        "command": item.command,
        "frame": item.frame,
        "autoContinue": item.autocontinue,
        "doJumpId": number,
        "Altitude": item.height_m,
        "AltitudeMode": _ALTITUDE_MODE[item.frame],
        "AMSLAltAboveTerrain": None,
        "params": [*params, item.latitude_deg, item.longitude_deg, item.height_m],
    }
