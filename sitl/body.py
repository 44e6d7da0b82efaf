"""One vehicle's body: its row of the physics arrays, in words instead of column numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

from core.errors import AirspaceError
from core.geodesy import EnuOffset, LocalFrame, Wgs84Point
from sitl import columns as p
from sitl.airframe import Airframe
from sitl.physics import FleetArrays, step_fleet
from sitl.trajectory import L_ACTIVE, L_TIME_S, corner_overlap_s, leg_state, plan_leg
from sitl.weather import Weather, Wind

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""
OBSTACLE_RADIUS_M = 1.5
"""Chosen: half the width of a launch pad."""
Terrain = Callable[[Wgs84Point], float]
"""Ground height above mean sea level at a point, metres."""


class Body:
    """Position, motion, energy, and the set-points the autopilot gives to the controllers.

    Local coordinates are metres north, east and up from the launch point.
    """

    def __init__(
        self,
        airframe: Airframe,
        *,
        launch: Wgs84Point,
        launch_amsl_m: float,
        heading_deg: float = 0.0,
        seed: int = 0,
        terrain: Terrain | None = None,
    ) -> None:
        self.airframe = airframe
        self.frame = LocalFrame(launch)
        self.launch_amsl_m = launch_amsl_m
        self._terrain = terrain
        self._obstacle: tuple[float, float, float] | None = None
        self._weather = Weather()
        self._resistance_factor = 1.0
        self._cells_lost = 0.0
        self.arrays = FleetArrays.empty(1)
        self.arrays.place(0, airframe, seed)
        self.s = self.arrays.states[0]
        self.c = self.arrays.commands[0]
        self.legs = self.arrays.legs[0]
        self.s[p.S_YAW] = math.radians(heading_deg) % (2 * math.pi)
        self.c[p.C_YAW] = self.s[p.S_YAW]

    def run(self, ticks: int) -> None:
        arrays = self.arrays
        step_fleet(arrays.states, arrays.commands, arrays.airframes, arrays.legs, arrays.random_words, ticks)

    # --- where and how fast -------------------------------------------------------------------
    @property
    def north_m(self) -> float:
        return float(self.s[p.S_NORTH])

    @property
    def east_m(self) -> float:
        return float(self.s[p.S_EAST])

    @property
    def believed_north_east_m(self) -> tuple[float, float]:
        """Where the estimator puts the vehicle: the true position plus whatever deceives it."""
        s, c = self.s, self.c
        return (
            float(s[p.S_NORTH] + c[p.C_POSITION_ERROR_NORTH]),
            float(s[p.S_EAST] + c[p.C_POSITION_ERROR_EAST]),
        )

    @property
    def up_m(self) -> float:
        return float(self.s[p.S_UP])

    @property
    def believed_up_m(self) -> float:
        """Where the estimator puts the height: the true one plus whatever deceives the barometer."""
        return float(self.s[p.S_UP] + self.c[p.C_POSITION_ERROR_UP])

    @property
    def velocity_m_s(self) -> tuple[float, float, float]:
        """North, east, up."""
        return float(self.s[p.S_VEL_NORTH]), float(self.s[p.S_VEL_EAST]), float(self.s[p.S_VEL_UP])

    @property
    def position(self) -> Wgs84Point:
        return self.frame.to_wgs84(EnuOffset(self.east_m, self.north_m))

    @property
    def altitude_amsl_m(self) -> float:
        return self.launch_amsl_m + self.up_m

    @property
    def height_above_ground_m(self) -> float:
        return self.up_m - float(self.c[p.C_GROUND_UP])

    @property
    def yaw_rad(self) -> float:
        """The heading the controllers hold; Euler yaw differs a little when leaning in both axes."""
        return float(self.s[p.S_YAW])

    @property
    def roll_pitch_yaw_rad(self) -> tuple[float, float, float]:
        """Euler angles (yaw, pitch, roll order): pitch negative leaning forward, roll positive to the right."""
        north, east = float(self.s[p.S_LEAN_NORTH]), float(self.s[p.S_LEAN_EAST])
        norm = math.sqrt(1.0 + north * north + east * east)
        up = 1.0 / norm
        cosine, sine = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        # The body's forward and right axes, as in the physics kernel, in north, east, up.
        share = (cosine * north + sine * east) / norm / (1.0 + up)
        forward = (cosine - share * north / norm, sine - share * east / norm, -share * (1.0 + up))
        share = (-sine * north + cosine * east) / norm / (1.0 + up)
        right_up = -share * (1.0 + up)
        pitch = math.asin(min(max(forward[2], -1.0), 1.0))
        return math.atan2(-right_up, up), pitch, math.atan2(forward[1], forward[0])

    @property
    def on_ground(self) -> bool:
        return bool(self.s[p.S_ON_GROUND] > 0)

    @property
    def impact_m_s(self) -> float:
        """Hardest touch-down so far."""
        return float(self.s[p.S_IMPACT_M_S])

    @property
    def wind_m_s(self) -> tuple[float, float, float]:
        return float(self.s[p.S_WIND_NORTH]), float(self.s[p.S_WIND_EAST]), float(self.s[p.S_WIND_UP])

    @property
    def throttle_fraction(self) -> float:
        most = float(self.arrays.airframes[0, p.A_THRUST_MAX_N]) / float(self.c[p.C_MASS_KG])
        return min(1.0, math.sqrt(max(0.0, float(self.s[p.S_THRUST]) / most)))

    # --- battery ------------------------------------------------------------------------------
    @property
    def voltage_v(self) -> float:
        return float(self.s[p.S_VOLTAGE_V])

    @property
    def current_a(self) -> float:
        return float(self.s[p.S_CURRENT_A])

    @property
    def consumed_ah(self) -> float:
        return float(self.s[p.S_CONSUMED_AH])

    @property
    def energy_wh(self) -> float:
        """Drawn since power-on."""
        return float(self.s[p.S_ENERGY_WH])

    # --- surroundings -------------------------------------------------------------------------
    def set_wind(self, wind: Wind) -> None:
        self.c[p.C_WIND_NORTH], self.c[p.C_WIND_EAST] = wind.velocity_north_east_m_s
        self.c[p.C_WIND_EXPONENT] = wind.profile_exponent
        self.c[p.C_WIND_FULL_HEIGHT_M] = wind.full_height_m
        self.c[p.C_TURBULENCE_M_S] = wind.turbulence_m_s

    def set_weather(self, weather: Weather) -> None:
        """Wind, rising air, rain and temperature, with what they do to rotors and battery."""
        self.set_wind(weather.wind)
        self.c[p.C_WIND_UP] = weather.updraught_m_s
        self.c[p.C_DENSITY_RATIO] = weather.density_ratio
        self.c[p.C_POWER_FACTOR] = weather.power_factor
        self._weather = weather
        self._apply_battery()

    def wear_battery(
        self, *, resistance_factor: float | None = None, cells_lost: float | None = None
    ) -> None:
        """Make the pack worse than new; None leaves a figure as it is."""
        if resistance_factor is not None:
            self._resistance_factor = resistance_factor
        if cells_lost is not None:
            self._cells_lost = cells_lost
        self._apply_battery()

    def _apply_battery(self) -> None:
        airframe, row = self.airframe, self.arrays.airframes[0]
        factor = self._resistance_factor * self._weather.battery_resistance_factor
        row[p.A_RESISTANCE_OHM] = airframe.battery_resistance_ohm * factor
        row[p.A_CAPACITY_AH] = airframe.battery_capacity_ah * self._weather.battery_capacity_factor
        left = max(airframe.battery_cells - self._cells_lost, 1.0) / airframe.battery_cells
        row[p.A_FULL_V] = airframe.battery_full_v * left
        row[p.A_IDEAL_BATTERY] = float(airframe.battery_ideal and factor == 1.0)

    def place_obstacle(self, place: Wgs84Point, height_m: float) -> None:
        """Something stands there, as wide as a pad: who lands on it stands that much higher."""
        self._obstacle = (*self.local_of(place), height_m)

    def remove_obstacle(self) -> None:
        self._obstacle = None
        self.c[p.C_GROUND_UP] = 0.0

    def update_ground(self) -> None:
        """Where the ground is below the vehicle now."""
        if self._terrain is None and self._obstacle is None:
            return
        up_m = 0.0 if self._terrain is None else self._terrain(self.position) - self.launch_amsl_m
        if self._obstacle is not None:
            north_m, east_m, height_m = self._obstacle
            if math.hypot(north_m - self.north_m, east_m - self.east_m) <= OBSTACLE_RADIUS_M:
                # It does not lift who stands there already.
                up_m += height_m if self.up_m - up_m >= 0.5 * height_m else 0.0
        self.c[p.C_GROUND_UP] = up_m

    def local_of(self, place: Wgs84Point) -> tuple[float, float]:
        """North and east of a place. Beyond the frame's reach (100 km) a sphere is good enough to fly towards."""
        try:
            offset = self.frame.to_enu(place)
            return offset.north_m, offset.east_m
        except AirspaceError:
            origin = self.frame.origin
            east_deg = math.remainder(place.longitude_deg - origin.longitude_deg, 360.0)
            return (
                math.radians(place.latitude_deg - origin.latitude_deg) * EARTH_RADIUS_M,
                math.radians(east_deg) * EARTH_RADIUS_M * math.cos(math.radians(origin.latitude_deg)),
            )

    def set_mass(self, mass_kg: float) -> None:
        self.c[p.C_MASS_KG] = mass_kg

    def set_thrust_factor(self, factor: float) -> None:
        """Share of commanded thrust that the motors still give."""
        self.c[p.C_THRUST_FACTOR] = factor

    @property
    def position_error_m(self) -> tuple[float, float]:
        """North and east of the believed position from the true one."""
        return float(self.c[p.C_POSITION_ERROR_NORTH]), float(self.c[p.C_POSITION_ERROR_EAST])

    @property
    def height_error_m(self) -> float:
        return float(self.c[p.C_POSITION_ERROR_UP])

    def set_heading_error(self, error_rad: float) -> None:
        """How far clockwise of the true heading the compass shows."""
        self.c[p.C_HEADING_ERROR] = error_rad

    def set_height_error(self, up_m: float) -> None:
        """How far above the true height the autopilot believes itself to be."""
        self.c[p.C_POSITION_ERROR_UP] = up_m

    def set_position_error(self, north_m: float, east_m: float) -> None:
        """How far the position the autopilot believes in is from the true one."""
        self.c[p.C_POSITION_ERROR_NORTH] = north_m
        self.c[p.C_POSITION_ERROR_EAST] = east_m

    def set_extra_drag_area(self, area_m2: float) -> None:
        """Drag area of what hangs outside (load on the line, open parachute)."""
        self.c[p.C_EXTRA_DRAG_AREA_M2] = area_m2

    # --- set-points ---------------------------------------------------------------------------
    def set_limits(
        self,
        *,
        lean_max_rad: float,
        speed_m_s: float,
        climb_m_s: float,
        descent_m_s: float,
        acceleration_m_s2: float,
        vertical_acceleration_m_s2: float,
        jerk_m_s3: float,
        waypoint_radius_m: float,
    ) -> None:
        c = self.c
        c[p.C_LEAN_MAX_RAD] = lean_max_rad
        c[p.C_SPEED_XY] = speed_m_s
        c[p.C_SPEED_UP] = climb_m_s
        c[p.C_SPEED_DOWN] = descent_m_s
        c[p.C_ACCELERATION_XY] = acceleration_m_s2
        c[p.C_ACCELERATION_Z] = vertical_acceleration_m_s2
        c[p.C_JERK_XY] = jerk_m_s3
        c[p.C_WAYPOINT_RADIUS_M] = waypoint_radius_m

    def motors_off(self) -> None:
        self.c[p.C_MOTORS_ON] = 0.0
        self.c[p.C_XY_MODE] = p.XY_IDLE
        self.c[p.C_Z_MODE] = p.Z_IDLE

    def motors_idle(self) -> None:
        """Armed, propellers turning at idle, no thrust."""
        self.c[p.C_MOTORS_ON] = 1.0
        self.c[p.C_XY_MODE] = p.XY_IDLE
        self.c[p.C_Z_MODE] = p.Z_IDLE

    def _take_over_targets(self) -> None:
        """Start a new controller from where the vehicle is, at its present velocity."""
        s = self.s
        s[p.S_TARGET_NORTH] = s[p.S_NORTH] + self.c[p.C_POSITION_ERROR_NORTH]
        s[p.S_TARGET_EAST] = s[p.S_EAST] + self.c[p.C_POSITION_ERROR_EAST]
        s[p.S_TARGET_VEL_NORTH] = s[p.S_VEL_NORTH]
        s[p.S_TARGET_VEL_EAST] = s[p.S_VEL_EAST]

    def _take_over_height(self) -> None:
        self.s[p.S_TARGET_UP] = self.s[p.S_UP] + self.c[p.C_POSITION_ERROR_UP]
        self.s[p.S_TARGET_VEL_UP] = self.s[p.S_VEL_UP]
        self.s[p.S_TARGET_ACC_UP] = 0.0

    def hold_horizontally(self) -> None:
        """Brake and stay where that ends; at the end of a leg, stay at its end."""
        if self.c[p.C_XY_MODE] == p.XY_LEGS and self.reached and self.legs[1][L_ACTIVE] > 0:
            north_m, east_m, _ = self.leg_end_m
            self.c[p.C_XY_MODE] = p.XY_POINT
            self.c[p.C_NORTH], self.c[p.C_EAST] = north_m, east_m
            return
        if self.c[p.C_XY_MODE] == p.XY_POINT and self._rests_at_point:
            return
        if self.c[p.C_XY_MODE] != p.XY_VELOCITY:
            self._take_over_targets()
        self.fly_velocity(0.0, 0.0)

    @property
    def _rests_at_point(self) -> bool:
        near = math.hypot(
            float(self.c[p.C_NORTH] - self.s[p.S_TARGET_NORTH]),
            float(self.c[p.C_EAST] - self.s[p.S_TARGET_EAST]),
        )
        return near < 0.1

    def fly_velocity(self, north_m_s: float, east_m_s: float) -> None:
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_XY_MODE] != p.XY_VELOCITY:
            self._take_over_targets()
        self.c[p.C_XY_MODE] = p.XY_VELOCITY
        self.c[p.C_VEL_NORTH] = north_m_s
        self.c[p.C_VEL_EAST] = east_m_s

    def fly_to(self, north_m: float, east_m: float) -> None:
        """Straight to a point and stay there, starting from the present velocity."""
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_XY_MODE] != p.XY_POINT:
            self._take_over_targets()
        self.c[p.C_XY_MODE] = p.XY_POINT
        self.c[p.C_NORTH] = north_m
        self.c[p.C_EAST] = east_m

    def climb_to(self, up_m: float) -> None:
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_Z_MODE] not in (p.Z_HEIGHT, p.Z_RATE):
            self._take_over_height()
        self.c[p.C_Z_MODE] = p.Z_HEIGHT
        self.c[p.C_UP] = up_m

    def climb_at(self, rate_m_s: float) -> None:
        """Negative to descend."""
        self.c[p.C_MOTORS_ON] = 1.0
        if self.c[p.C_Z_MODE] not in (p.Z_HEIGHT, p.Z_RATE):
            self._take_over_height()
        self.c[p.C_Z_MODE] = p.Z_RATE
        self.c[p.C_VEL_UP] = rate_m_s

    def point_nose(self, heading_rad: float) -> None:
        self.c[p.C_YAW_FOLLOWS_TRACK] = 0.0
        self.c[p.C_YAW] = heading_rad

    def nose_follows_track(self) -> None:
        self.c[p.C_YAW_FOLLOWS_TRACK] = 1.0

    # --- legs (waypoint flight) ---------------------------------------------------------------
    def stopping_point(self) -> tuple[float, float, float]:
        """Where the vehicle, as far as it knows, would come to rest if it braked now: v/P near, v²/(2a) + a/(2P²) faster."""
        vn, ve, vu = self.velocity_m_s
        acceleration = float(self.c[p.C_ACCELERATION_XY])

        def reach(speed: float, limit: float) -> float:
            return speed if speed <= limit else 0.5 * speed * speed / limit + 0.5 * limit

        speed = math.hypot(vn, ve)
        ahead = reach(speed, acceleration) / speed if speed > 0.1 else 0.0
        rise = math.copysign(reach(abs(vu), float(self.c[p.C_ACCELERATION_Z])), vu) if abs(vu) > 0.1 else 0.0
        north_m, east_m = self.believed_north_east_m
        return north_m + vn * ahead, east_m + ve * ahead, self.believed_up_m + rise

    def start_legs(self) -> None:
        """Begin waypoint flight from the stopping point, at rest as far as the legs are concerned."""
        self.legs[:] = 0.0
        c, s = self.c, self.s
        c[p.C_MOTORS_ON] = 1.0
        c[p.C_XY_MODE] = p.XY_LEGS
        c[p.C_Z_MODE] = p.Z_LEGS
        c[p.C_SPEED_SCALE] = 1.0
        c[p.C_ORIGIN_NORTH], c[p.C_ORIGIN_EAST], c[p.C_ORIGIN_UP] = self.stopping_point()
        s[p.S_TARGET_NORTH], s[p.S_TARGET_EAST], s[p.S_TARGET_UP] = self.stopping_point()
        s[p.S_TARGET_VEL_NORTH : p.S_TARGET_VEL_UP + 1] = 0.0
        s[p.S_TARGET_ACC_NORTH : p.S_TARGET_ACC_UP + 1] = 0.0
        s[p.S_TRACK_SCALE] = 1.0
        s[p.S_SPEED_SCALE] = 1.0
        s[p.S_REACHED] = 1.0

    @property
    def leg_end_m(self) -> tuple[float, float, float]:
        leg, c = self.legs[1], self.c
        return (
            float(c[p.C_ORIGIN_NORTH] + leg[1] * leg[4]),
            float(c[p.C_ORIGIN_EAST] + leg[2] * leg[4]),
            float(c[p.C_ORIGIN_UP] + leg[3] * leg[4]),
        )

    def _plan(self, index: int, start: tuple[float, float, float], end: tuple[float, float, float]) -> None:
        north, east, up = (b - a for a, b in zip(start, end, strict=True))
        horizontal, length = math.hypot(north, east), math.hypot(north, east, up)
        c = self.c
        vertical_speed = float(c[p.C_SPEED_UP] if up >= 0 else c[p.C_SPEED_DOWN])
        speed, acceleration = float(c[p.C_SPEED_XY]), float(c[p.C_ACCELERATION_XY])
        if length > 0:
            slope_xy, slope_z = horizontal / length, abs(up) / length
            if slope_z > 0:
                speed = min(speed / slope_xy if slope_xy > 0 else math.inf, vertical_speed / slope_z)
                acceleration = min(
                    acceleration / slope_xy if slope_xy > 0 else math.inf,
                    float(c[p.C_ACCELERATION_Z]) / slope_z,
                )
        plan_leg(
            self.legs[index], north, east, up, 0.0, speed, acceleration, float(c[p.C_JERK_XY]), _JERK_RISE_S
        )

    def next_leg(
        self, end: tuple[float, float, float], after: tuple[float, float, float] | None, *, reinitialise: bool
    ) -> None:
        """Fly to ``end``; with ``after`` known, do not stop there but round the corner towards it.

        ``reinitialise`` when the present leg is broken off or another controller flew: start anew from the
        stopping point, as the autopilot does.
        """
        if reinitialise or self.c[p.C_XY_MODE] != p.XY_LEGS or self.s[p.S_REACHED] == 0.0:
            self.start_legs()
            origin = self.stopping_point()
        else:
            origin = self.leg_end_m
        prepared = self.legs[2].copy()
        self.legs[0] = self.legs[1]
        usable = prepared[L_ACTIVE] > 0 and self._same_displacement(prepared, origin, end)
        if usable:
            self.legs[1] = prepared
        else:
            self._plan(1, origin, end)
        self.c[p.C_ORIGIN_NORTH], self.c[p.C_ORIGIN_EAST], self.c[p.C_ORIGIN_UP] = origin
        self.legs[2] = 0.0
        self.c[p.C_CORNER_OVERLAP_S] = 0.0
        if after is not None:
            self._plan(2, end, after)
            self.c[p.C_CORNER_OVERLAP_S] = corner_overlap_s(
                self.legs[1],
                self.legs[2],
                float(self.c[p.C_WAYPOINT_RADIUS_M]),
                2.0 * float(self.c[p.C_ACCELERATION_XY]),
            )
        self.s[p.S_REACHED] = 0.0

    @staticmethod
    def _same_displacement(
        leg: p.FloatArray, origin: tuple[float, float, float], end: tuple[float, float, float]
    ) -> bool:
        return all(
            abs(float(leg[1 + axis] * leg[4]) - (end[axis] - origin[axis])) < 0.01 for axis in range(3)
        )

    def shift_heights(self, by_m: float) -> None:
        """Move the height being flown to, and that of the legs, by ``by_m``."""
        self.c[p.C_ORIGIN_UP] += by_m
        self.c[p.C_UP] += by_m

    @property
    def reached(self) -> bool:
        return bool(self.s[p.S_REACHED] > 0)

    def scale_speed(self, factor: float) -> None:
        """Slow the legs' clock down (0 pauses) or back up to 1."""
        self.c[p.C_SPEED_SCALE] = factor

    def change_speed(self, speed_m_s: float) -> None:
        """New cruise speed for the leg being flown and all that follow."""
        self.c[p.C_SPEED_XY] = speed_m_s
        leg = self.legs[1]
        if self.c[p.C_XY_MODE] != p.XY_LEGS or leg[L_ACTIVE] == 0 or self.reached:
            return
        distance, speed, _ = leg_state(leg[L_TIME_S], leg)
        if abs(leg[3]) > 0.5 or leg[4] - distance < 1.0:
            return
        # Re-plan what is left from the present target, which keeps its speed.
        position = tuple(float(self.s[p.S_TARGET_NORTH + axis]) for axis in range(3))
        end = self.leg_end_m
        after = None
        if self.legs[2][L_ACTIVE] > 0:
            nxt = self.legs[2]
            after = tuple(end[axis] + float(nxt[1 + axis] * nxt[4]) for axis in range(3))
            if nxt[L_TIME_S] > 0:
                return
        self.legs[0] = 0.0
        north, east, up = (b - a for a, b in zip(position, end, strict=True))
        plan_leg(
            leg, north, east, up, float(speed), speed_m_s,
            float(self.c[p.C_ACCELERATION_XY]), float(self.c[p.C_JERK_XY]), _JERK_RISE_S,
        )  # fmt: skip
        self.c[p.C_ORIGIN_NORTH], self.c[p.C_ORIGIN_EAST], self.c[p.C_ORIGIN_UP] = position
        if after is not None:
            self._plan(2, end, after)  # type: ignore[arg-type]
            self.c[p.C_CORNER_OVERLAP_S] = corner_overlap_s(
                leg,
                self.legs[2],
                float(self.c[p.C_WAYPOINT_RADIUS_M]),
                2.0 * float(self.c[p.C_ACCELERATION_XY]),
            )


_JERK_RISE_S = 0.3
"""Rise time of ArduCopter's jerk with default parameters: snap = jerk·π/(2·ATC_INPUT_TC)/2, half-sine."""
