"""A MAVSDK program, run as a process of its own: connect, upload, fly, land.

``python mavsdk_client.py CONNECTION ardupilot|px4``; prints what it saw, one JSON object a line. It imports nothing of this
project: MAVSDK is the foreign ground station here.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from mavsdk.asyncio import ComponentType, Configuration, Mavsdk
from mavsdk.asyncio.plugins.action import ActionAsync
from mavsdk.asyncio.plugins.mission_raw import MissionRawAsync
from mavsdk.asyncio.plugins.param import ParamAsync
from mavsdk.asyncio.plugins.telemetry import TelemetryAsync
from mavsdk.plugins.mission_raw import MissionItem
from mavsdk.plugins.mission_raw.mission_raw import MissionRawError

TAKEOFF, WAYPOINT, LAND = 22, 16, 21
FENCE_INCLUSION, RALLY_POINT = 5001, 5100
METRE_1E7_DEG = 1e7 / 111_320.0


def tell(what: str, **details: Any) -> None:
    print(json.dumps({"what": what, **details}), flush=True)


async def first(stream: Any, wanted: Any, timeout_s: float) -> Any:
    async with asyncio.timeout(timeout_s):
        async for value in stream:
            if wanted(value):
                return value
    raise AssertionError("the stream ended")


async def set_return_height(parameters: Any, autopilot: str) -> None:
    """25 m, in each firmware's own parameter and unit."""
    if autopilot == "px4":
        await parameters.set_param_float("RTL_RETURN_ALT", 25.0)
        tell("parameter", return_height_m=await parameters.get_param_float("RTL_RETURN_ALT"))
        await parameters.set_param_int("NAV_DLL_ACT", 2)
        assert await parameters.get_param_int("NAV_DLL_ACT") == 2
        return
    await parameters.set_param_int("RTL_ALT", 2500)
    tell("parameter", return_height_m=await parameters.get_param_int("RTL_ALT") / 100.0)


async def main(connection: str, autopilot: str) -> None:
    configuration = Configuration.create_with_component_type(ComponentType.GROUND_STATION)
    async with Mavsdk(configuration) as mavsdk:
        await mavsdk.add_any_connection(connection)
        system = await mavsdk.first_autopilot(timeout_s=15.0)
        assert system is not None, "no autopilot was heard"
        tell("connected")
        telemetry, action = TelemetryAsync(system), ActionAsync(system)
        mission, parameters = MissionRawAsync(system), ParamAsync(system)
        await telemetry.set_rate_position(10.0)
        await telemetry.set_rate_landed_state(5.0)
        await first(telemetry.subscribe_health(), lambda health: health.is_home_position_ok, 30.0)
        home = await first(telemetry.subscribe_position(), lambda place: abs(place.latitude_deg) > 1, 10.0)
        north, east = round(home.latitude_deg * 1e7), round(home.longitude_deg * 1e7)
        tell("ready", latitude_deg=home.latitude_deg, longitude_deg=home.longitude_deg)

        await set_return_height(parameters, autopilot)

        def item(seq: int, command: int, north_m: float, up_m: float, kind: int = 0, p1: float = 0.0) -> Any:
            return MissionItem(
                seq=seq, frame=3 if kind != 1 else 0, command=command, current=int(seq == 0), autocontinue=1,
                param1=p1, x=north + round(north_m * METRE_1E7_DEG), y=east, z=up_m, mission_type=kind,
            )  # fmt: skip

        corner = round(500 * METRE_1E7_DEG)
        fence = [item(index, FENCE_INCLUSION, 0, 0, 1, 4.0) for index in range(4)]
        for entry, (up, right) in zip(fence, ((1, 1), (1, -1), (-1, -1), (-1, 1)), strict=True):
            entry.x, entry.y = north + up * corner, east + right * corner
        await mission.upload_geofence(fence)
        await mission.upload_rally_points([item(0, RALLY_POINT, 0, 20, 2)])
        # ArduPilot keeps home at seq 0; PX4 flies what stands there.
        first_seq = 0 if autopilot == "px4" else 1
        legs = ((TAKEOFF, 0, 20), (WAYPOINT, 120, 20), (WAYPOINT, 60, 25), (LAND, 60, 0))
        flown = [item(first_seq + index, *leg) for index, leg in enumerate(legs)]
        if first_seq:
            flown.insert(0, item(0, WAYPOINT, 0, 0))
        await mission.upload_mission(flown)
        read_back = await mission.download_mission()
        tell("uploaded", commands=[entry.command for entry in read_back])

        if autopilot == "px4":
            # With NAV_DLL_ACT a ground station that it has heard for a moment only is none yet (observed, 1.17).
            await first(telemetry.subscribe_health(), lambda health: health.is_armable, 30.0)
        await action.arm()
        await first(telemetry.subscribe_armed(), bool, 10.0)
        # PX4 judges a mission after it has acknowledged it; until then it denies the mode.
        for attempt in range(5):
            try:
                await mission.start_mission()
                break
            except MissionRawError:
                if attempt == 4:
                    raise
                await asyncio.sleep(0.3)
        await first(telemetry.subscribe_in_air(), bool, 20.0)
        tell("airborne")
        await first(telemetry.subscribe_armed(), lambda armed: not armed, 60.0)
        place = await telemetry.position() if hasattr(telemetry, "position") else None
        assert place is not None
        tell(
            "landed",
            north_m=(place.latitude_deg * 1e7 - north) / METRE_1E7_DEG,
            height_m=place.relative_altitude_m,
        )


asyncio.run(main(sys.argv[1], sys.argv[2]))
