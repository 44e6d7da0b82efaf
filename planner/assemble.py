"""From a chosen way at a chosen height to the immutable plan with its times, energy and contingencies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from core.geodesy import LocalFrame, Wgs84Point
from core.ids import IdSource
from planner import energy, legs
from planner.airframe import Airframe, DeliveryTerms
from planner.contingency import RallySet
from planner.corridor import Corridor
from planner.fence import fence_region, to_autopilot_fence
from planner.flight_plan import (
    EnergyBudget,
    FlightPlan,
    Kinematics,
    Leg,
    LegContingency,
    PointOfNoReturn,
    RoutePoint,
    Timing,
)
from planner.rally import Refuges
from planner.route import Way
from planner.site import PositionQuality
from planner.space import KeepIn, Mask, Space
from planner.task import FlightTask

XY = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A way out and a way back at one height, with everything that follows from them alone.

    ``retrace`` is ``out`` backwards; ``back`` is the same object where it is also the way home.
    """

    task: FlightTask
    terms: DeliveryTerms
    corridor: Corridor
    frame: LocalFrame
    cruise_amsl_m: float
    out: Way
    back: Way
    retrace: Way

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways whose corners differ: out, and back where that isn't out reversed."""
        return (self.out,) if self.back is self.retrace else (self.out, self.back)

    @property
    def airframe(self) -> Airframe:
        return self.task.airframe

    @cached_property
    def home(self) -> RoutePoint:
        return RoutePoint(self.task.station.position, self.task.station.ground_amsl_m)

    @cached_property
    def delivery(self) -> RoutePoint:
        point = self.task.landing_point
        return RoutePoint(point.position, point.ground_amsl_m + self.terms.hover_height_agl_m)

    @cached_property
    def outbound(self) -> tuple[Leg, ...]:
        return self._chain(self.home, self.out, self.delivery, landing=False)

    @cached_property
    def inbound(self) -> tuple[Leg, ...]:
        return self._chain(self.delivery, self.back, self.home, landing=True)

    @cached_property
    def retraced(self) -> tuple[Leg, ...]:
        """The way out backwards as legs; the very same tuple as :attr:`inbound` where that is it."""
        if self.back is self.retrace:
            return self.inbound
        return self._chain(self.delivery, self.retrace, self.home, landing=True)

    def _chain(self, start: RoutePoint, way: Way, end: RoutePoint, *, landing: bool) -> tuple[Leg, ...]:
        airframe, mass_kg, wind = self.airframe, self.airframe.take_off_mass_kg, self.task.wind
        inner = way.points_xy_m[1:-1]
        corners = legs.to_wgs84(self.frame, inner) if inner else []
        # The ends are the surveyed positions themselves, not their images.
        points: list[Wgs84Point] = [start.position, *corners, end.position]
        above_start = RoutePoint(start.position, self.cruise_amsl_m)
        above_end = RoutePoint(end.position, self.cruise_amsl_m)
        return (
            legs.climb_leg(airframe, start, above_start, mass_kg),
            *legs.cruise_legs(points, self.cruise_amsl_m, way.parts),
            legs.descent_leg(airframe, above_end, end, mass_kg, wind=wind, landing=landing),
        )

    @cached_property
    def hover_wh(self) -> float:
        power_w = energy.hover_power_w(
            self.airframe, self.airframe.take_off_mass_kg, self.task.wind.speed_m_s
        )
        return power_w * self.terms.hover_budget_s / energy.JOULES_PER_WH

    @cached_property
    def total_wh(self) -> float:
        return _energy_wh(self.outbound) + self.hover_wh + _energy_wh(self.inbound)


def assemble_plan(
    draft: Draft,
    *,
    space: Space,
    mask: Mask,
    rally: RallySet | None,
    refuges: Refuges,
    battery: energy.Battery,
    ids: IdSource,
    created_at: datetime,
    valid_s: float,
    keep_in: KeepIn | None,
) -> FlightPlan | None:
    """The plan; ``rally`` None where only planned ways back exist. None when no fence can be drawn."""
    task, airframe = draft.task, draft.airframe
    chosen = rally.chosen if rally else ()
    region = fence_region(
        space,
        ways=[way.points_xy_m for way in draft.ways],
        swept=rally.swept if rally else np.empty((0, 3, 2)),
        mask=mask,
        keep_in=keep_in,
    )
    if region is None:
        return None
    ceiling_amsl_m = draft.cruise_amsl_m + draft.corridor.altitude_error_m
    return FlightPlan(
        plan_id=ids.new("plan"),
        drone_id=task.drone_id,
        station_id=task.station.station_id,
        landing_point_id=task.landing_point.landing_point_id,
        airframe_id=airframe.airframe_id,
        home=draft.home,
        delivery=draft.delivery,
        delivery_ground_amsl_m=task.landing_point.ground_amsl_m,
        delivery_method=draft.terms.method,
        hover_budget_s=draft.terms.hover_budget_s,
        outbound=draft.outbound,
        inbound=draft.inbound,
        retrace=() if draft.retraced is draft.inbound else draft.retraced,
        rally_points=tuple(RoutePoint(refuges.positions[number], draft.cruise_amsl_m) for number in chosen),
        autopilot_fence=to_autopilot_fence(space.frame, region, ceiling_amsl_m),
        wind=task.wind,
        route_objective=draft.out.objective,
        kinematics=_kinematics(airframe),
        corridor_half_width_m=draft.corridor.half_width_m,
        timing=timing_of(draft),
        energy=budget_of(draft, battery),
        airspace_version=space.airspace.version,
        terrain=space.airspace.terrain.description,
        authorisation_ids=(),
        conditions=(),
        created_at=created_at,
        valid_until=created_at + timedelta(seconds=valid_s),
        contingencies=contingencies_of(draft, rally),
        point_of_no_return=point_of_no_return(draft, battery),
        alternates=task.landing_point.alternates,
    )


def with_consent(
    plan: FlightPlan, draft: Draft, conditions: tuple[str, ...], authorisation_ids: tuple[str, ...]
) -> FlightPlan:
    """The plan with what the airspace asks for, and with a warning where positions are not surveyed."""
    noted = list(conditions)
    for name, quality in (
        (f"pad of {draft.task.station.name}", draft.task.station.position_quality),
        (f"landing point {draft.task.landing_point.name}", draft.task.landing_point.position_quality),
    ):
        if quality is not PositionQuality.SURVEYED:
            noted.append(f"position of {name} is {quality.value}, not surveyed")
    return dataclasses.replace(plan, conditions=tuple(noted), authorisation_ids=authorisation_ids)


def timing_of(draft: Draft) -> Timing:
    """Every span of the flight; see :class:`Timing` for what is in which."""
    airframe, terms, task = draft.airframe, draft.terms, draft.task
    climb, *cruise, descent = (leg.duration_s for leg in draft.outbound)
    back_climb, *back_cruise, landing = (leg.duration_s for leg in draft.inbound)
    on_ground_s = airframe.preparation_s + climb + sum(cruise) + descent + terms.lower_s
    return Timing(
        preparation_s=airframe.preparation_s,
        climb_s=climb,
        outbound_s=sum(cruise),
        descent_s=descent,
        lower_s=terms.lower_s,
        time_to_aed_on_ground_s=on_ground_s,
        carry_s=task.carry_s,
        time_to_patient_s=on_ground_s + task.carry_s,
        hover_s=terms.hover_budget_s,
        inbound_climb_s=back_climb,
        inbound_s=sum(back_cruise),
        landing_s=landing,
        total_s=on_ground_s - terms.lower_s + terms.hover_budget_s + back_climb + sum(back_cruise) + landing,
    )


def budget_of(draft: Draft, battery: energy.Battery) -> EnergyBudget:
    """Energy with its uncertainty against what the charge yields."""
    total_wh = draft.total_wh
    return EnergyBudget(
        outbound_wh=_energy_wh(draft.outbound),
        hover_wh=draft.hover_wh,
        inbound_wh=_energy_wh(draft.inbound),
        total_wh=total_wh,
        uncertainty_wh=energy.uncertainty_wh(draft.airframe, total_wh),
        reserve_wh=battery.reserve_wh,
        usable_wh=battery.usable_wh,
    )


def contingencies_of(draft: Draft, rally: RallySet | None) -> tuple[LegContingency, ...]:
    """For every cruise leg the rally points of straight returns and the planned way back with its energy."""
    found = []
    last = len(draft.outbound) - 1
    for index in range(1, last):
        found.append(
            LegContingency(
                section="outbound",
                leg_index=index,
                rally_indices=rally.by_leg[index - 1] if rally else (),
                planned_return="retrace",
                # The worst point is the leg's far end: this leg backwards and all before it.
                worst_return_energy_wh=_energy_wh(draft.retraced[last - index :]),
            )
        )
    inbound_offset = 0 if draft.retraced is draft.inbound else last - 1
    last_in = len(draft.inbound) - 1
    for index in range(1, last_in):
        place = last_in - 1 - index if draft.retraced is draft.inbound else inbound_offset + index - 1
        found.append(
            LegContingency(
                section="inbound",
                leg_index=index,
                rally_indices=rally.by_leg[place] if rally else (),
                planned_return="continue",
                worst_return_energy_wh=_energy_wh(draft.inbound[index:]),
            )
        )
    return tuple(found)


def point_of_no_return(draft: Draft, battery: energy.Battery) -> PointOfNoReturn:
    """Where on the way out turning back stops being possible with reserve and uncertainty kept.

    Within a leg the energy is taken as even along it, both ways.
    """
    factor = 1.0 + energy.UNCERTAINTY_SIGMAS * draft.airframe.energy_uncertainty_fraction
    spent_wh = draft.outbound[0].energy_wh
    last = len(draft.outbound) - 1
    # What is always needed at the end: the descent to the pad.
    home_wh = draft.retraced[-1].energy_wh
    along_m = 0.0
    for index in range(1, last):
        leg, back = draft.outbound[index], draft.retraced[last - index]
        need_wh = factor * (spent_wh + leg.energy_wh + home_wh + back.energy_wh)
        if need_wh > battery.for_flight_wh:
            left_wh = battery.for_flight_wh / factor - spent_wh - home_wh
            share = max(0.0, left_wh / (leg.energy_wh + back.energy_wh))
            return PointOfNoReturn(distance_m=along_m + share * leg.length_m, beyond_delivery=False)
        spent_wh += leg.energy_wh
        home_wh += back.energy_wh
        along_m += leg.length_m
    return PointOfNoReturn(distance_m=along_m, beyond_delivery=True)


def _kinematics(airframe: Airframe) -> Kinematics:
    return Kinematics(
        acceptance_radius_m=airframe.corridor.acceptance_radius_m,
        ground_speed_max_m_s=airframe.ground_speed_max_m_s,
        climb_rate_m_s=airframe.climb_rate_m_s,
        descent_rate_m_s=airframe.descent_rate_m_s,
        landing_rate_m_s=airframe.landing_rate_m_s,
        landing_slow_below_m=airframe.landing_slow_below_m,
        acceleration_m_s2=airframe.acceleration_m_s2,
        vertical_acceleration_m_s2=airframe.vertical_acceleration_m_s2,
    )


def _energy_wh(flown: Sequence[Leg]) -> float:
    return sum(leg.energy_wh for leg in flown)
