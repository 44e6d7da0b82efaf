"""Failsafes in vehicle time: ground station lost, battery, position estimate, fence, crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitl.ardupilot import battery as battery_levels
from sitl.ardupilot.fence import GIVE_UP_M
from sitl.ardupilot.modes import AUTOPILOT_FLIES, NEEDS_POSITION, Mode

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

GCS_CONTINUE_IF_AUTO, CONTINUE_IF_LANDING, GCS_CONTINUE_IF_PILOT, RELEASE_GRIPPER = 2, 8, 16, 32
"""Bits of FS_OPTIONS."""
NONE, LAND, RTL, SMART_RTL, SMART_RTL_OR_LAND, TERMINATE, AUTO_LAND_START, BRAKE_OR_LAND = range(8)
"""Actions, as in BATT_FS_*_ACT."""
_GCS_ACTION = {
    1: RTL,
    2: RTL,
    3: SMART_RTL,
    4: SMART_RTL_OR_LAND,
    5: LAND,
    6: AUTO_LAND_START,
    7: BRAKE_OR_LAND,
}
ESTIMATOR_GIVES_UP_S = 8.0
"""Observed: without GPS the vehicle lands after 8 s."""
CRASH_SPEED_M_S = 4.0
"""Chosen: a harder touch-down than this breaks the vehicle (5 m/s is a fall from 1.3 m)."""
LAND_PAUSE_S = 4.0
"""LAND_WITH_DELAY_MS of ArduCopter: a failsafe landing waits this long before it descends."""


class Failsafes:
    """Which failsafes are on, and what they do."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.gcs = False
        self.ekf = False
        self.gcs_heard_s: float | None = None
        self._position_lost_s: float | None = None
        self.crashed = False

    def heard_gcs(self, now_s: float) -> None:
        self.gcs_heard_s = now_s

    def update(self, now_s: float) -> None:
        self._check_gcs(now_s)
        self._check_position(now_s)
        self._check_battery(now_s)
        self._check_fence(now_s)
        self._check_crash()

    def _announce(self, kind: str, doing: str = "") -> None:
        self._autopilot.say(4, f"{kind} Failsafe" + (f" - {doing}" if doing else ""))

    def _act(self, action: int) -> None:
        autopilot = self._autopilot
        if action == NONE:
            return
        if autopilot.parameters.integer("FS_OPTIONS") & RELEASE_GRIPPER:
            autopilot.gear.grip(0)
        if action == TERMINATE:
            autopilot.disarm("terminated")
            return
        if action in (SMART_RTL, AUTO_LAND_START):
            autopilot.say(
                4, "SmartRTL Unavailable, Trying RTL Mode" if action == SMART_RTL else "Trying RTL Mode"
            )
            action = RTL
        if action == SMART_RTL_OR_LAND:
            autopilot.say(4, "SmartRTL Unavailable, Using Land Mode")
            action = LAND
        if action == BRAKE_OR_LAND and autopilot.set_mode(Mode.BRAKE):
            return
        if action == RTL and autopilot.set_mode(Mode.RTL):
            return
        if action == RTL:
            autopilot.say(4, "Trying Land Mode")
        autopilot.set_mode(Mode.LAND, land_pause_s=LAND_PAUSE_S)

    @property
    def _is_landing(self) -> bool:
        return self._autopilot.is_landing

    def _disarm_instead(self) -> bool:
        """On the ground with motors armed the failsafe stops the motors."""
        return self._autopilot.landed

    def _check_gcs(self, now_s: float) -> None:
        autopilot = self._autopilot
        enabled = autopilot.parameters.integer("FS_GCS_ENABLE")
        if not enabled or self.gcs_heard_s is None:
            return
        lost = now_s - self.gcs_heard_s > autopilot.parameters["FS_GCS_TIMEOUT"]
        if not lost:
            if self.gcs:
                self.gcs = False
                autopilot.say(4, "GCS Failsafe Cleared")
            return
        if self.gcs:
            return
        self.gcs = True
        options = autopilot.parameters.integer("FS_OPTIONS")
        if not autopilot.armed:
            self._announce("GCS")
        elif self._disarm_instead():
            self._announce("GCS", "Disarming")
            autopilot.disarm("GCS failsafe")
        elif self._is_landing and autopilot.battery.level != battery_levels.NONE:
            self._announce("GCS + Battery", "Continuing Landing")
        elif self._is_landing and options & CONTINUE_IF_LANDING:
            self._announce("GCS", "Continuing Landing")
        elif autopilot.mode is Mode.AUTO and options & GCS_CONTINUE_IF_AUTO:
            self._announce("GCS", "Continuing Auto Mode")
        elif options & GCS_CONTINUE_IF_PILOT and autopilot.mode not in AUTOPILOT_FLIES:
            self._announce("GCS", "Continuing Pilot Control")
        else:
            self._announce("GCS")
            self._act(_GCS_ACTION.get(enabled, RTL))

    def _check_battery(self, now_s: float) -> None:
        autopilot = self._autopilot
        level = autopilot.battery.update(now_s)
        if level == battery_levels.NONE:
            return
        parameters = autopilot.parameters
        kind = "low" if level == battery_levels.LOW else "critical"
        voltage_v, used_mah = autopilot.body.voltage_v, autopilot.battery.consumed_mah
        autopilot.say(4, f"Battery 1 is {kind} {voltage_v:.2f}V used {used_mah:.0f} mAh")
        if not autopilot.armed:
            return
        action = parameters.integer("BATT_FS_LOW_ACT" if level == battery_levels.LOW else "BATT_FS_CRT_ACT")
        if self._disarm_instead():
            autopilot.disarm("battery failsafe")
            self._announce("Battery", "Disarming")
            return
        if self._is_landing and parameters.integer("FS_OPTIONS") & CONTINUE_IF_LANDING and action != NONE:
            self._announce("Battery", "Continuing Landing")
            return
        self._announce("Battery")
        self._act(action)

    def _check_position(self, now_s: float) -> None:
        autopilot = self._autopilot
        if autopilot.position_source_ok:
            self._position_lost_s = None
            if self.ekf:
                self.ekf = False
                autopilot.say(2, "EKF Failsafe Cleared")
            return
        if self._position_lost_s is None:
            self._position_lost_s = now_s
        if self.ekf or not autopilot.armed or now_s - self._position_lost_s < ESTIMATOR_GIVES_UP_S:
            return
        self.ekf = True
        autopilot.say(2, "EKF variance")
        if autopilot.mode not in NEEDS_POSITION or autopilot.parameters["FS_EKF_ACTION"] == 0:
            return
        autopilot.set_mode(Mode.LAND)
        autopilot.say(2, f"EKF Failsafe: changed to {autopilot.mode.name} Mode")

    @property
    def position_lost_for_s(self) -> float:
        if self._position_lost_s is None:
            return 0.0
        return self._autopilot.now_s - self._position_lost_s

    def _check_fence(self, now_s: float) -> None:
        autopilot = self._autopilot
        new, excess_m = autopilot.fence.update(now_s)
        if not new or not autopilot.armed:
            return
        if not autopilot.landed:
            autopilot.say(5, "Fence Breached")
        action = autopilot.parameters.integer("FENCE_ACTION")
        if action == 0:
            return
        if autopilot.landed:
            autopilot.disarm("fence breach")
        elif excess_m > GIVE_UP_M or action == 2:
            autopilot.set_mode(Mode.LAND)
        elif action == 4:
            if not autopilot.set_mode(Mode.BRAKE):
                autopilot.set_mode(Mode.LAND)
        elif action in (3, 5):
            autopilot.say(4, "SmartRTL Unavailable, Trying RTL Mode")
            if action == 5 or not autopilot.set_mode(Mode.RTL):
                autopilot.set_mode(Mode.LAND)
        elif not autopilot.set_mode(Mode.RTL):
            autopilot.set_mode(Mode.LAND)

    def _check_crash(self) -> None:
        """A hard fall is witnessed; the motors are left running, as observed on the real autopilot."""
        autopilot = self._autopilot
        if not self.crashed and autopilot.body.impact_m_s > CRASH_SPEED_M_S:
            self.crashed = True
            autopilot.vehicle.witness("crashed", f"{autopilot.body.impact_m_s:.1f} m/s")
