"""Two manoeuvres of missions: turning circles, and setting a load down by touching the ground."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

from sitl.payload import GripperState

if TYPE_CHECKING:
    from sitl.ardupilot.autopilot import ArduCopter

Local = tuple[float, float, float]
"""North, east, up in metres from the launch point."""
CAPTURE_1_S = 0.8
"""Chosen: how firmly the circle is kept, metres per second for each metre off it."""


class Circle:
    """LOITER_TURNS: to the nearest point of the circle, then round it so many times."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self._centre: Local = (0.0, 0.0, 0.0)
        self._radius_m = 1.0
        self._left_rad = 0.0
        self._sign = 1.0
        self._angle: float | None = None
        """Bearing from the centre while turning; None on the way to the circle."""
        self._seen_s = 0.0
        self.complete = False

    def start(self, centre: Local, radius_m: float, turns: float, *, clockwise: bool) -> None:
        """``turns`` full turns around ``centre``."""
        body = self._autopilot.body
        self._centre, self._radius_m = centre, max(radius_m, 1.0)
        self._left_rad = 2.0 * math.pi * turns
        self._sign = 1.0 if clockwise else -1.0
        self._angle = None
        self.complete = False
        north, east = self._autopilot.believed_local
        bearing = math.atan2(east - centre[1], north - centre[0])
        edge = (
            centre[0] + self._radius_m * math.cos(bearing),
            centre[1] + self._radius_m * math.sin(bearing),
            centre[2],
        )
        self._autopilot.tuning.apply_limits()
        body.next_leg(edge, None, reinitialise=True)
        body.nose_follows_track()

    @property
    def _rate_rad_s(self) -> float:
        """CIRCLE_RATE, no faster than speed and acceleration limits allow."""
        parameters = self._autopilot.parameters
        wanted = math.radians(abs(parameters["CIRCLE_RATE"]))
        by_speed = parameters["WPNAV_SPEED"] / 100.0 / self._radius_m
        by_acceleration = math.sqrt(parameters["WPNAV_ACCEL"] / 100.0 / self._radius_m)
        return min(wanted, by_speed, by_acceleration)

    def update(self) -> None:
        """One slow loop."""
        autopilot = self._autopilot
        body = autopilot.body
        north, east = autopilot.believed_local
        off_n, off_e = north - self._centre[0], east - self._centre[1]
        angle = math.atan2(off_e, off_n)
        if self._angle is None:
            if not body.reached:
                return
            self._angle = angle
            body.climb_to(self._centre[2])
        moved = math.remainder(angle - self._angle, 2.0 * math.pi) * self._sign
        self._angle = angle
        self._left_rad -= moved
        if self._left_rad <= 0.0:
            self.complete = True
            body.hold_horizontally()
            return
        distance_m = max(math.hypot(off_n, off_e), 0.1)
        inwards = CAPTURE_1_S * (self._radius_m - distance_m)
        speed = self._rate_rad_s * self._radius_m * self._sign
        # A step ahead, because the velocity is followed with a lag.
        ahead = angle + self._rate_rad_s * self._sign * 0.5
        body.fly_velocity(
            -speed * math.sin(ahead) + inwards * math.cos(angle),
            speed * math.cos(ahead) + inwards * math.sin(angle),
        )


class Stage(Enum):
    """Of a placement."""

    FLY = auto()
    DESCEND = auto()
    RELEASE = auto()
    WAIT = auto()
    ASCEND = auto()


class PayloadPlace:
    """NAV_PAYLOAD_PLACE: down until it stands, let go, back up. Too deep without ground: back up loaded."""

    def __init__(self, autopilot: ArduCopter) -> None:
        self._autopilot = autopilot
        self.stage = Stage.FLY
        self._from_up_m = 0.0
        self._deepest_m = 0.0
        self._wait_until_s = 0.0
        self.complete = False

    @property
    def on_ground_on_purpose(self) -> bool:
        """Standing, but not landed: the motors keep turning."""
        return not self.complete and self.stage is not Stage.FLY

    def start(self, spot: Local, deepest_m: float, *, fresh: bool) -> None:
        """``deepest_m``: largest descent below ``spot``; 0: no limit."""
        self._autopilot.tuning.apply_limits()
        self._autopilot.body.next_leg(spot, None, reinitialise=fresh)
        self._autopilot.body.nose_follows_track()
        self.stage = Stage.FLY
        self._deepest_m = deepest_m
        self.complete = False

    def update(self) -> None:
        """One slow loop."""
        autopilot = self._autopilot
        body, parameters = autopilot.body, autopilot.parameters
        now_s = autopilot.now_s
        if self.stage is Stage.FLY and body.reached:
            self.stage = Stage.DESCEND
            self._from_up_m = body.believed_up_m
            body.hold_horizontally()
            body.point_nose(body.yaw_rad)
        elif self.stage is Stage.DESCEND:
            body.climb_at(-(parameters["PLDP_SPEED_DN"] or parameters["LAND_SPEED"] / 100.0))
            if body.on_ground or autopilot.vehicle.payload.load_on_ground:
                autopilot.say(6, "PayloadPlace: landed")
                body.climb_at(0.0)
                autopilot.gear.grip(0)
                self.stage = Stage.RELEASE
            elif 0 < self._deepest_m <= self._from_up_m - body.believed_up_m:
                autopilot.say(4, "PayloadPlace: Reached maximum descent")
                self._ascend()
        elif self.stage is Stage.RELEASE:
            if autopilot.gear.gripper_type == 0 or autopilot.vehicle.payload.gripper is GripperState.RELEASED:
                self._wait_until_s = now_s + parameters["PLDP_DELAY"]
                self.stage = Stage.WAIT
        elif self.stage is Stage.WAIT and now_s >= self._wait_until_s:
            self._ascend()
        elif self.stage is Stage.ASCEND and body.believed_up_m >= self._from_up_m - 0.3:
            self.complete = True

    def _ascend(self) -> None:
        self.stage = Stage.ASCEND
        self._autopilot.body.climb_to(self._from_up_m)
