"""PX4's home: where it is set, and the correction of its altitude in the first minutes of a flight.

Read in 1.17: the altitude follows GNSS, whose height wanders. When barometer and integrated GNSS speed agree with each
other and not with it, by more than a metre, within 120 s after take-off, home's altitude is moved by the difference.
Until then a vehicle that keeps its altitude is truly so much too high or too low; afterwards its height above home is
right again. 1.16 and earlier do not have this, nor the fall it can cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitl.px4.autopilot import Px4

CORRECTED_WITHIN_S = 120.0
MOVES_WITH_VEHICLE_M = 1.0
"""Disarmed on the ground, home follows the vehicle when it is this far off."""
WANDER_MAX_M = 1.6
_WANDER_M = (1.05, WANDER_MAX_M)
"""Chosen: the corrections observed were between one metre and somewhat more."""


class HomeKeeper:
    """Sets home, and corrects its altitude."""

    def __init__(self, autopilot: Px4) -> None:
        self._autopilot = autopilot
        self.manual = False
        """Set by command: no longer moved by itself."""
        self._corrections: list[tuple[float, float]] = []
        """When home's altitude will be corrected, and by what; until then the altitude wanders so far."""
        self._last = (0.0, 0.0)
        """The latest correction: when, and how far the altitude was then off."""

    def refresh(self) -> None:
        """Home is here, unless a command said otherwise."""
        autopilot = self._autopilot
        if autopilot.position_ok and not self.manual and autopilot.parameters.integer("COM_HOME_EN"):
            autopilot.set_home(autopilot.believed_position, autopilot.believed_amsl_m)

    def on_takeoff(self, now_s: float) -> None:
        """Plans the corrections of this flight from the vehicle's own random stream."""
        autopilot = self._autopilot
        if not autopilot.mission_in_progress:
            self.refresh()
        if not autopilot.vehicle.settings.gnss_height_wanders:
            return
        chance = autopilot.vehicle.random
        sign = chance.choice((-1.0, 1.0))
        self._corrections = []
        self._last = (now_s, autopilot.body.height_wander_m)
        at_s = now_s
        for _ in range(3):
            at_s += chance.uniform(8.0, 35.0)
            self._corrections.append((at_s, sign * chance.uniform(*_WANDER_M)))
            sign = -sign

    def update(self, now_s: float) -> None:
        autopilot = self._autopilot
        if not autopilot.armed:
            self._corrections = []
            if autopilot.landed:
                autopilot.body.set_height_wander(0.0)
            if autopilot.landed and autopilot.position_source_ok and not autopilot.mission_in_progress:
                self._follow_vehicle()
            elif not autopilot.home_set and autopilot.position_source_ok:
                self.refresh()
            return
        while self._corrections and now_s >= self._corrections[0][0]:
            at_s, by_m = self._corrections.pop(0)
            self._last = (at_s, self._last[1] + by_m)
            autopilot.body.set_height_wander(self._last[1])
            if not autopilot.landed and not self.manual:
                self.correct_altitude(by_m)
        if self._corrections:
            since_s, from_m = self._last
            at_s, by_m = self._corrections[0]
            autopilot.body.set_height_wander(from_m + by_m * (now_s - since_s) / (at_s - since_s))

    def _follow_vehicle(self) -> None:
        autopilot = self._autopilot
        if autopilot.home_set:
            north, east = autopilot.home_local
            here_n, here_e = autopilot.believed_local
            far = max(abs(north - here_n), abs(east - here_e)) > MOVES_WITH_VEHICLE_M
            if not far and abs(autopilot.height_above_home_m) <= MOVES_WITH_VEHICLE_M:
                return
        self.refresh()

    def correct_altitude(self, by_m: float) -> None:
        """Move home's altitude, and let the mission do with its set-point what PX4 does."""
        autopilot = self._autopilot
        autopilot.home_amsl_m += by_m
        autopilot.home_changed = True
        autopilot.mission.home_altitude_corrected(by_m)
        autopilot.vehicle.witness("home altitude corrected", f"{by_m:+.2f} m")
