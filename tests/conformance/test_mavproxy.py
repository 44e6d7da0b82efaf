"""MAVProxy, which nobody here wrote, uploads, flies and lands the simulated vehicle in both personalities."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymavlink import mavutil

from tests.conformance.mavproxy_console import PROGRAM, Console
from tests.conformance.simulated_fleet import fleet

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not PROGRAM.exists(), reason="requirements/tools.txt is not installed in .tools"),
]
LATITUDE, LONGITUDE = 22.5806, 113.8830
LANDS_AT = 22.5810
"""44 m north of the launch point."""


def _mission(path: Path, *, home_first: bool) -> None:
    lines = [
        (22, LATITUDE, 15),
        (16, 22.5812, 20),
        (21, LANDS_AT, 0),
    ]
    rows = ["QGC WPL 110"]
    if home_first:
        rows.append(f"0\t0\t0\t16\t0\t0\t0\t0\t{LATITUDE}\t{LONGITUDE}\t5\t1")
    for command, latitude, height_m in lines:
        rows.append(f"{len(rows) - 1}\t0\t3\t{command}\t0\t0\t0\t0\t{latitude}\t{LONGITUDE}\t{height_m}\t1")
    path.write_text("\n".join(rows) + "\n", encoding="ascii")


def _place(port: int) -> tuple[float, float]:
    """Where the vehicle is (latitude, height above home), asked over a link of its own."""
    link = mavutil.mavlink_connection(f"udpout:127.0.0.1:{port}", source_system=254)
    try:
        for _ in range(20):
            link.mav.heartbeat_send(6, 8, 0, 0, 4)
            link.mav.command_long_send(1, 1, 512, 0, 33, 0, 0, 0, 0, 0, 0)
            message = link.recv_match(type="GLOBAL_POSITION_INT", blocking=True, timeout=0.5)
            if message is not None:
                return message.lat * 1e-7, message.relative_alt * 1e-3
    finally:
        link.close()
    raise AssertionError("no position")


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_mavproxy_uploads_flies_and_lands(autopilot: str, tmp_path: Path) -> None:
    mission = tmp_path / "mission.waypoints"
    _mission(mission, home_first=autopilot == "ardupilot")
    with fleet("--autopilot", autopilot, speedup=5) as port, Console(port, tmp_path) as console:
        console.expect(r"Received \d+ parameters", 30)
        console.type(f"wp load {mission}")
        console.expect("MISSION_ACK: TYPE_MISSION: ACCEPTED", 20)
        if autopilot == "ardupilot":
            console.insist("mode GUIDED", "GUIDED>")
            console.insist("arm throttle", r"\bARMED")
            console.insist("takeoff 12", "NAV_TAKEOFF: ACCEPTED")
            console.insist("mode AUTO", "AUTO>")
        else:
            # Its «mode» command can't pack PX4's modes (1.8.75), so the command is given by its number's name.
            console.insist("long DO_SET_MODE 1 4 4 0 0 0 0", "MISSION>")
            console.insist("arm throttle", r"\bARMED")
        console.expect("DISARMED", 60)
        latitude, height_m = _place(port)
    assert latitude == pytest.approx(LANDS_AT, abs=1.5e-5)
    assert height_m == pytest.approx(0.0, abs=1.8)
