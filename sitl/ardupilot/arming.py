"""Arming and disarming: what is checked, and the words of each refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitl.ardupilot.modes import ARMABLE, MANUAL_THROTTLE, NEEDS_POSITION, Mode

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

FORCE_ARM, FORCE_DISARM = 2989.0, 21196.0
"""Magic numbers of MAV_CMD_COMPONENT_ARM_DISARM. Observed: 21196 disarms in the air at once."""
AUTO_ALLOW_ARMING = 1
SEVERITY_CRITICAL, SEVERITY_INFO = 2, 6
REPEAT_S = 30.0
"""Pre-arm complaints are repeated this often while disarmed (ArduPilot's PREARM_DISPLAY_PERIOD)."""


class Arming:
    """Decides whether the motors may start."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self._told_s = 0.0
        self.ready = False
        """The prearm bit of SYS_STATUS."""

    def pre_arm_complaints(self) -> list[str]:
        """What speaks against arming in any mode, in the order the vehicle checks."""
        autopilot = self._autopilot
        complaints: list[str] = []
        if not autopilot.attitude_ready:
            complaints.append("AHRS: EKF3 still initialising")
        elif not autopilot.position_ok:
            if autopilot.mode in NEEDS_POSITION:
                complaints.append("Need Position Estimate")
            elif autopilot.fence.enabled:
                complaints.append("Fence enabled, need position estimate")
        if not autopilot.gps_ok:
            complaints.append("GPS 1: Bad fix")
        if autopilot.gear.winch_type and not autopilot.vehicle.payload.driven:
            complaints.append("winch unhealthy")
        battery = autopilot.battery.pre_arm_complaint()
        if battery:
            complaints.append(battery)
        fence = autopilot.fence.pre_arm_complaint()
        if fence and autopilot.position_ok:
            complaints.append(fence)
        if autopilot.failsafes.gcs:
            complaints.append("GCS failsafe on")
        if autopilot.parameters["FS_GCS_ENABLE"] == 2:
            complaints.append("FS_GCS_ENABLE=2 removed, see FS_OPTIONS")
        if not 1000 <= autopilot.parameters["ANGLE_MAX"] <= 8000:
            complaints.append("Check ANGLE_MAX")
        complaints.extend(autopilot.vehicle.faults.arming_complaints())
        return complaints

    def update(self, now_s: float) -> None:
        autopilot = self._autopilot
        if autopilot.armed:
            self.ready = True
            return
        complaints = self.pre_arm_complaints()
        self.ready = not complaints
        if complaints and now_s - self._told_s >= REPEAT_S:
            self._told_s = now_s
            for complaint in complaints:
                autopilot.say(SEVERITY_CRITICAL, f"PreArm: {complaint}")

    def arm(self, *, force: bool) -> bool:
        autopilot = self._autopilot
        if autopilot.armed:
            return True
        if not force:
            complaints = self.pre_arm_complaints()
            mode = autopilot.mode
            allowed = mode in ARMABLE or (
                mode is Mode.AUTO and autopilot.parameters.integer("AUTO_OPTIONS") & AUTO_ALLOW_ARMING
            )
            for complaint in complaints:
                autopilot.say(SEVERITY_CRITICAL, f"PreArm: {complaint}")
            if complaints:
                return False
            if not allowed:
                autopilot.say(SEVERITY_CRITICAL, f"Arm: {mode.name} mode not armable")
                return False
        autopilot.say(SEVERITY_INFO, "Arming motors")
        autopilot.on_armed()
        return True

    def disarm_by_command(self, *, force: bool) -> bool:
        autopilot = self._autopilot
        if not autopilot.armed:
            return True
        on_ground = autopilot.landed or autopilot.mode in MANUAL_THROTTLE
        if not force and not on_ground:
            return False
        autopilot.disarm("command")
        return True
