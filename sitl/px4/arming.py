"""PX4's health and arming checks, and what it says when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitl.px4.modes import NEEDS_POSITION, NEVER_RUNS, PREVENTS_ARMING, Mode

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

FORCE = 21196.0
"""Magic number of MAV_CMD_COMPONENT_ARM_DISARM: disarms in the air; from outside it does not skip checks."""
REPEAT_S = 10.0
"""Chosen: failed checks are told again this often while somebody asked to arm in vain."""


class Arming:
    """Decides whether the motors may start."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.ready = False
        """The prearm bit of SYS_STATUS."""

    def complaints(self) -> list[str]:
        """What speaks against arming in the present mode."""
        autopilot = self._autopilot
        found: list[str] = []
        if not autopilot.estimator_ready:
            found.append("Preflight Fail: ekf2 missing data")
        elif not autopilot.gps_ok:
            found.append("Preflight Fail: No valid data from GPS")
        if autopilot.parameters.integer("NAV_DLL_ACT") > 0 and autopilot.failsafes.gcs_lost:
            found.append("Preflight Fail: No connection to the GCS")
        lowest = autopilot.parameters["COM_ARM_BAT_MIN"]
        floor = lowest if lowest > 0 else autopilot.parameters["BAT_LOW_THR"]
        if autopilot.battery_remaining < floor:
            found.append("Preflight Fail: low battery")
        if autopilot.failsafes.crashed:
            found.append("Preflight Fail: Critical failure")
        found.extend(f"Preflight Fail: {each}" for each in autopilot.vehicle.faults.arming_complaints())
        return found

    def mode_complaint(self, mode: Mode) -> str | None:
        """What speaks against flying ``mode`` at all."""
        autopilot = self._autopilot
        if mode in NEVER_RUNS:
            return "Mode not available"
        if mode in NEEDS_POSITION and not autopilot.position_ok:
            return "Navigation error: No valid global position estimate"
        if mode is Mode.AUTO_MISSION and not autopilot.mission.valid:
            return "No valid mission available"
        return None

    def update(self) -> None:
        autopilot = self._autopilot
        self.ready = not self.complaints() and self.mode_complaint(autopilot.mode) is None

    def arm(self, by: str) -> bool:
        """False: refused; the words went out."""
        autopilot = self._autopilot
        if autopilot.armed:
            return True
        mode = autopilot.mode
        found = self.complaints()
        complaint = self.mode_complaint(mode)
        if complaint is not None:
            found.append(complaint)
        if mode in PREVENTS_ARMING:
            found.append("Mode not suitable for takeoff")
        for each in found:
            autopilot.say(2, each)
        if found:
            autopilot.say(2, "Arming denied: Resolve system health failures first")
            return False
        autopilot.on_armed(by)
        return True
