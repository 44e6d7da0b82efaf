"""The flight time that siting uses before anything is surveyed: straight, calm, only as far as the battery goes."""

from __future__ import annotations

from dataclasses import dataclass

from core.geodesy import Wgs84Point, geodesic_distance_m
from planner.airframe import Airframe, DeliveryTerms
from planner.checks import check_number
from planner.energy import (
    JOULES_PER_WH,
    battery_at,
    climb_power_w,
    hover_power_w,
    level_power_w,
    uncertainty_wh,
)
from planner.legs import climb_time_s, descent_time_s, landing_time_s
from planner.motion import leg_time_s
from planner.planning import least_time_to_aed_s
from planner.policy import DEFAULT_POLICY


@dataclass(frozen=True, slots=True, kw_only=True)
class StraightFlight:
    """Preparation + climb + straight cruise + descent + lowering, over level ground, in calm air, full battery.

    A lower bound of the real time: zones, wind and terrain come on top. None where out, hover and back with
    the model's uncertainty need more than the battery gives above its reserve.
    """

    airframe: Airframe
    terms: DeliveryTerms
    cruise_agl_m: float = DEFAULT_POLICY.minimum_agl_m

    def __post_init__(self) -> None:
        check_number("cruise_agl_m", self.cruise_agl_m, minimum=self.terms.hover_height_agl_m)

    def __call__(self, start: Wgs84Point, end: Wgs84Point) -> float | None:
        distance_m = geodesic_distance_m(start, end)
        if not self.in_range(distance_m):
            return None
        descent_m = self.cruise_agl_m - self.terms.hover_height_agl_m
        return least_time_to_aed_s(self.airframe, self.terms, distance_m, self.cruise_agl_m, descent_m)

    def in_range(self, distance_m: float) -> bool:
        """Whether the battery lasts there and back."""
        need_wh = self.energy_wh(distance_m)
        battery = battery_at(self.airframe, 1.0)
        return need_wh + uncertainty_wh(self.airframe, need_wh) <= battery.for_flight_wh

    def energy_wh(self, distance_m: float) -> float:
        """From the battery, at take-off mass all the way (the way back is lighter)."""
        airframe, mass_kg = self.airframe, self.airframe.take_off_mass_kg
        over_point_m = self.cruise_agl_m - self.terms.hover_height_agl_m
        cruise_s = leg_time_s(
            distance_m, 0.0, 0.0, airframe.ground_speed_max_m_s, airframe.acceleration_m_s2
        )[0]
        hover_w = hover_power_w(airframe, mass_kg, 0.0)
        cruise_w = max(hover_w, level_power_w(airframe, mass_kg, airframe.ground_speed_max_m_s))
        climbing_s = climb_time_s(airframe, self.cruise_agl_m) + climb_time_s(airframe, over_point_m)
        sinking_s = descent_time_s(airframe, over_point_m) + landing_time_s(airframe, self.cruise_agl_m)
        joules = (
            climb_power_w(airframe, mass_kg, airframe.climb_rate_m_s) * climbing_s
            + 2.0 * cruise_w * cruise_s
            + hover_w * (sinking_s + self.terms.hover_budget_s)
        )
        return joules / JOULES_PER_WH
