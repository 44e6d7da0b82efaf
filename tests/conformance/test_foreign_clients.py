"""Ground stations that nobody here wrote fly the simulated vehicle unchanged."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pymavlink import mavutil

from tests.conformance.simulated_fleet import fleet

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("autopilot", ["ardupilot", "px4"])
def test_mavsdk_connects_uploads_flies_and_lands(autopilot: str) -> None:
    client = str(Path(__file__).with_name("mavsdk_client.py"))
    with fleet("--autopilot", autopilot, speedup=10) as port:
        done = subprocess.run(
            [sys.executable, client, f"udpout://127.0.0.1:{port}", autopilot],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    told = {
        entry["what"]: entry
        for entry in (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    }
    assert done.returncode == 0, done.stdout + done.stderr
    home = [16] if autopilot == "ardupilot" else []
    assert told["uploaded"]["commands"] == [*home, 22, 16, 16, 21]
    assert told["parameter"]["return_height_m"] == 25
    assert "airborne" in told
    assert told["landed"]["north_m"] == pytest.approx(60, abs=1.5)
    assert told["landed"]["height_m"] == pytest.approx(0, abs=0.2)


def _wait(link: Any, kind: str, timeout_s: float, condition: Any = lambda message: True) -> Any:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        message = link.recv_match(type=kind, blocking=True, timeout=1.0)
        if message is not None and condition(message):
            return message
    raise AssertionError(f"no {kind} within {timeout_s} s")


def test_mavutil_takes_off_in_guided_moves_and_lands() -> None:
    with fleet(speedup=20) as port:
        link = mavutil.mavlink_connection(f"udpout:127.0.0.1:{port}", source_system=255)
        try:
            link.mav.heartbeat_send(6, 8, 0, 0, 4)
            link.wait_heartbeat(timeout=10)
            link.mav.request_data_stream_send(1, 1, 0, 4, 1)
            _wait(link, "SYS_STATUS", 20, lambda m: m.onboard_control_sensors_health & 0x10000000)
            _wait(link, "EKF_STATUS_REPORT", 20, lambda m: m.flags & 0x10)
            link.set_mode("GUIDED")
            link.arducopter_arm()
            link.motors_armed_wait()
            link.mav.command_long_send(1, 1, 22, 0, 0, 0, 0, 0, 0, 0, 15)
            _wait(link, "GLOBAL_POSITION_INT", 20, lambda m: m.relative_alt > 14500)
            start = link.location(relative_alt=True)
            link.mav.set_position_target_global_int_send(
                0, 1, 1, 6, 0xDF8, round(start.lat * 1e7) + 4000, round(start.lng * 1e7), 20,
                0, 0, 0, 0, 0, 0, 0, 0,
            )  # fmt: skip
            _wait(link, "GLOBAL_POSITION_INT", 30, lambda m: m.lat > start.lat * 1e7 + 3900)
            link.set_mode("LAND")
            link.motors_disarmed_wait()
            landed = _wait(link, "GLOBAL_POSITION_INT", 10)
            assert abs(landed.relative_alt) < 300
        finally:
            link.close()
