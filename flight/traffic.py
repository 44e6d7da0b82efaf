"""Other aircraft that the vehicle hears (ADS-B): which of them come so near that the drone must give way.

A drone gives way to everybody. What it can do without leaving what was proved is to stand where it is: that is
what the failsafe table asks for, and the controller goes on by itself when the aircraft is past (docs/decisions/0023).
"""

from __future__ import annotations

import math

from flight.model.faults import Fault, Finding
from flight.model.view import Aircraft, VehicleView
from flight.planned_way import PlannedWay

BUBBLE_M = 500.0
BUBBLE_HEIGHT_M = 150.0
"""No nearer than this, in both at once (chosen: what crewed aircraft keep from obstacles, 150 m, and the wake and the
look-out of a low helicopter)."""
PRESSURE_ERROR_M = 150.0
"""A pressure altitude by the standard atmosphere is off by this on a day of 18 hPa less (chosen)."""
AHEAD_S = 40.0
"""So long before the nearest point it stands: a drone brakes in 5 s, a pilot who sees it needs the rest (chosen)."""
STAY_FACTOR = 1.5
"""Going on needs so many bubbles, and so much more time ahead (chosen)."""
FASTEST_M_S = 80.0
"""For an aircraft that does not tell its speed: faster than what flies this low (chosen)."""
FORGOTTEN_AFTER_S = 15.0
"""Reports come once a second; until then it is thought to fly on as it did (chosen)."""


class TrafficWatch:
    """One flight's. Time is an argument."""

    def __init__(self, way: PlannedWay) -> None:
        self._way = way
        self._given_way_to: set[int] = set()
        """Addresses: for these it is looked farther, so that our own braking does not make one come and go."""

    def findings(self, view: VehicleView, now_s: float) -> list[Finding]:
        """At most one: the nearest of those that come too near."""
        if not view.traffic or view.position is None:
            return []
        near = [
            (away_m, aircraft)
            for aircraft in view.traffic.values()
            if (away_m := self._too_near_m(view, aircraft, now_s)) is not None
        ]
        self._given_way_to = {aircraft.address for _, aircraft in near}
        if not near:
            return []
        away_m, aircraft = min(near, key=lambda found: found[0])
        name = aircraft.callsign or f"{aircraft.address:06X}"
        return [Finding(Fault.INTRUDER, f"aircraft {name} passes within {max(10.0, away_m):.0f} m")]

    def _too_near_m(self, view: VehicleView, aircraft: Aircraft, now_s: float) -> float | None:
        """How near it is or comes within :data:`AHEAD_S`, if that is too near."""
        factor = STAY_FACTOR if aircraft.address in self._given_way_to else 1.0
        bubble_m, ahead_s = BUBBLE_M * factor, AHEAD_S * factor
        age_s = now_s - aircraft.heard_s
        if age_s > FORGOTTEN_AFTER_S or not self._is_at_our_height(view, aircraft):
            return None
        assert view.position is not None
        mine, its = self._way.place(view.position), self._way.place_of(aircraft.position)
        east_m, north_m = its.east_m - mine.east_m, its.north_m - mine.north_m
        away_m = math.hypot(east_m, north_m)
        if aircraft.velocity_east_m_s is None or aircraft.velocity_north_m_s is None:
            reached_m = max(0.0, away_m - FASTEST_M_S * ahead_s)
            return reached_m if reached_m <= bubble_m else None
        east_m += aircraft.velocity_east_m_s * age_s
        north_m += aircraft.velocity_north_m_s * age_s
        # Both if we fly on and if we stand: standing must not be what lets it come nearer.
        nearest_m = min(
            _nearest_m(
                east_m,
                north_m,
                aircraft.velocity_east_m_s - own_e,
                aircraft.velocity_north_m_s - own_n,
                ahead_s,
            )
            for own_e, own_n in (
                (0.0, 0.0),
                (view.velocity_east_m_s or 0.0, view.velocity_north_m_s or 0.0),
            )
        )
        return nearest_m if nearest_m <= bubble_m else None

    def _is_at_our_height(self, view: VehicleView, aircraft: Aircraft) -> bool:
        """Heights that nobody tells are no separation."""
        if aircraft.altitude_amsl_m is None or view.altitude_amsl_m is None:
            return True
        allowed_m = BUBBLE_HEIGHT_M + (PRESSURE_ERROR_M if aircraft.by_pressure else 0.0)
        climb_m = (aircraft.climb_m_s or 0.0) * AHEAD_S
        low_m, high_m = sorted((aircraft.altitude_amsl_m, aircraft.altitude_amsl_m + climb_m))
        return low_m - allowed_m <= view.altitude_amsl_m <= high_m + allowed_m


def _nearest_m(
    east_m: float, north_m: float, velocity_e_m_s: float, velocity_n_m_s: float, ahead_s: float
) -> float:
    """Of a straight line, from now on for ``ahead_s``."""
    square = velocity_e_m_s**2 + velocity_n_m_s**2
    when_s = 0.0
    if square > 0.0:
        when_s = -(east_m * velocity_e_m_s + north_m * velocity_n_m_s) / square
        when_s = min(ahead_s, max(0.0, when_s))
    return math.hypot(east_m + velocity_e_m_s * when_s, north_m + velocity_n_m_s * when_s)
