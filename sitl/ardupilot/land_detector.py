"""On the ground or not, as ArduCopter finds it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitl.ardupilot.modes import Mode
from sitl.ardupilot.navigation import Submode

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

LANDED_AFTER_S = 1.2
"""Touch-down to «landed»: 1 s of the detector and the throttle's ramp, as in the recorded flights."""


class LandDetector:
    """Sets ``landed`` and ``taken_off`` of its autopilot."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.touched_s: float | None = None
        """Since when it touches the ground."""

    def update(self, now_s: float) -> None:
        """Every 0.1 s."""
        autopilot = self._autopilot
        if not autopilot.body.on_ground:
            self.touched_s = None
            if autopilot.landed:
                autopilot.landed = False
                autopilot.taken_off = True
            return
        if self._stands_to_place():
            return
        if self.touched_s is None:
            self.touched_s = now_s
        climbing = autopilot.armed and autopilot.taken_off and autopilot.landed
        unnoticed = autopilot.armed and "landing_unnoticed" in autopilot.vehicle.faults
        if autopilot.landed or climbing or unnoticed or now_s - self.touched_s < LANDED_AFTER_S:
            return
        autopilot.landed = True
        autopilot.taken_off = False
        autopilot.vehicle.witness("landed")

    def _stands_to_place(self) -> bool:
        """Put down on purpose by PAYLOAD_PLACE, which goes on by itself."""
        autopilot = self._autopilot
        if autopilot.mode is not Mode.AUTO:
            return False
        navigation = autopilot.mission.navigation
        return navigation.submode is Submode.PLACE and navigation.place.on_ground_on_purpose
