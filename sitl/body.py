"""One vehicle's body: its row of the physics arrays, in words instead of column numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

from core.errors import AirspaceError
from core.geodesy import EnuOffset, LocalFrame, Wgs84Point
from sitl import columns as p
from sitl.airframe import Airframe
from sitl.physics import FleetArrays, step_fleet
from sitl.steering import Steering
from sitl.weather import Weather, Wind

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (IUGG)."""
GROUND_STEP_M = 0.2
GROUND_STEP_SHARE = 0.1
"""Chosen: the ground is looked up anew after so much of flight; high above it, after this share of the height."""
OBSTACLE_RADIUS_M = 1.5
"""Chosen: half the width of a launch pad."""
Terrain = Callable[[Wgs84Point], float]
"""Ground height above mean sea level at a point, metres."""


class Body(Steering):
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
        self._placed_m = (0.0, 0.0)
        self._place = self.frame.to_wgs84(EnuOffset(0.0, 0.0))
        self._ground_asked_m = (math.inf, math.inf)
        self._terrain_up_m = 0.0
        self._obstacle: tuple[float, float, float] | None = None
        self._weather = Weather()
        self._resistance_factor = 1.0
        self._cells_lost = 0.0
        self._height_error_m = self._height_wander_m = 0.0
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
    def position(self) -> Wgs84Point:
        """Where it truly is."""
        return self.place_of(self.north_m, self.east_m)

    def place_of(self, north_m: float, east_m: float) -> Wgs84Point:
        """The geographic place of local coordinates; asked many times for one place, it is computed once."""
        if (north_m, east_m) != self._placed_m:
            self._placed_m = (north_m, east_m)
            self._place = self.frame.to_wgs84(EnuOffset(east_m, north_m))
        return self._place

    @property
    def altitude_amsl_m(self) -> float:
        return self.launch_amsl_m + self.up_m

    @property
    def height_above_ground_m(self) -> float:
        return self.up_m - float(self.c[p.C_GROUND_UP])

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
    def shown_heading_rad(self) -> float:
        """What the compass says."""
        return self.yaw_rad + float(self.c[p.C_HEADING_ERROR])

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
        here_m = (self.north_m, self.east_m)
        step_m = max(GROUND_STEP_M, GROUND_STEP_SHARE * self.height_above_ground_m)
        if self._terrain is not None and math.dist(here_m, self._ground_asked_m) >= step_m:
            self._ground_asked_m = here_m
            self._terrain_up_m = self._terrain(self.position) - self.launch_amsl_m
        up_m = self._terrain_up_m
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
        """That of faults alone."""
        return self._height_error_m

    @property
    def height_wander_m(self) -> float:
        return self._height_wander_m

    def set_heading_error(self, error_rad: float) -> None:
        """How far clockwise of the true heading the compass shows."""
        self.c[p.C_HEADING_ERROR] = error_rad

    def set_height_error(self, up_m: float) -> None:
        """How far above the true height a fault makes the autopilot believe itself to be."""
        self._height_error_m = up_m
        self.c[p.C_POSITION_ERROR_UP] = up_m + self._height_wander_m

    def set_height_wander(self, up_m: float) -> None:
        """The same by what is no fault: the estimate's own reference wanders."""
        self._height_wander_m = up_m
        self.c[p.C_POSITION_ERROR_UP] = self._height_error_m + up_m

    def set_position_error(self, north_m: float, east_m: float) -> None:
        """How far the position the autopilot believes in is from the true one."""
        self.c[p.C_POSITION_ERROR_NORTH] = north_m
        self.c[p.C_POSITION_ERROR_EAST] = east_m

    def open_parachute(self) -> bool:
        """Motors off and the parachute out. False: there is none on board."""
        self.motors_off()
        area_m2 = self.airframe.parachute_drag_area_m2
        if area_m2 <= 0:
            return False
        self.set_extra_drag_area(area_m2)
        return True

    def set_extra_drag_area(self, area_m2: float) -> None:
        """Drag area of what hangs outside (load on the line, open parachute)."""
        self.c[p.C_EXTRA_DRAG_AREA_M2] = area_m2
