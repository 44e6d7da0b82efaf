"""From a chosen draft to the immutable plan with its times, energy and contingencies."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np

from core.geodesy import Wgs84Point
from planner import energy, legs
from planner.airframe import Airframe
from planner.contingency import RallySet
from planner.draft import Draft
from planner.fence import fence_region, to_autopilot_fence
from planner.flight_plan import (
    EnergyBudget,
    FlightPlan,
    Kinematics,
    Leg,
    LegContingency,
    LegKind,
    PointOfNoReturn,
    RoutePoint,
    Timing,
)
from planner.legs import VerticalPart
from planner.rally import Refuges
from planner.route import Way
from planner.site import PositionQuality
from planner.space import KeepIn, Mask
from planner.survey_notes import LANDING_POINT, PAD, not_surveyed
from planner.task import FlightTask

UNNAMED = "unnamed"
"""The id of a plan that nobody was given yet."""


@dataclass(frozen=True, slots=True)
class Sections:
    """The legs of a plan; ``retrace`` is the very tuple ``inbound`` where the way home is the way out."""

    outbound: tuple[Leg, ...]
    inbound: tuple[Leg, ...]
    retrace: tuple[Leg, ...]


def sections_of(draft: Draft) -> Sections:
    """Legs with positions. Points that a way out and a way back share are the same objects."""
    out = _points_along(draft, draft.out)
    outbound = _chain(draft.home, out, draft.delivery, draft.climb, draft.out, draft.descent)
    backwards = out[::-1]
    ends = (draft.delivery, draft.home)
    parts = (draft.back_climb, draft.landing)
    retrace = _chain(ends[0], backwards, ends[1], parts[0], draft.retrace, parts[1])
    if draft.back_is_out:
        return Sections(outbound, retrace, retrace)
    back = [backwards[0], *_points_along(draft, draft.back)[1:-1], backwards[-1]]
    return Sections(outbound, _chain(ends[0], back, ends[1], parts[0], draft.back, parts[1]), retrace)


def _points_along(draft: Draft, way: Way) -> list[RoutePoint]:
    """The corners of a way out or back at their altitudes; its ends stand over pad and hover point."""
    heights_m = draft.amsl_m if way is draft.out else (draft.cruise_amsl_m,) * len(way.points_xy_m)
    inner = way.points_xy_m[1:-1]
    corners = draft.space.plane.unproject(inner).tolist() if inner else []
    # The ends are the surveyed positions themselves, not their images.
    first, last = draft.home.position, draft.delivery.position
    if way is not draft.out:
        first, last = last, first
    positions = [first, *(Wgs84Point(latitude, longitude) for longitude, latitude in corners), last]
    return [RoutePoint(position, height) for position, height in zip(positions, heights_m, strict=True)]


def _chain(
    start: RoutePoint,
    along: Sequence[RoutePoint],
    end: RoutePoint,
    climb: VerticalPart,
    way: Way,
    descent: VerticalPart,
) -> tuple[Leg, ...]:
    return (
        legs.vertical_leg(LegKind.CLIMB, start, along[0], climb),
        *legs.cruise_legs(along, way.parts),
        legs.vertical_leg(LegKind.DESCENT, along[-1], end, descent),
    )


def assemble_plan(
    draft: Draft,
    *,
    standing: Mask,
    keep_in: KeepIn | None,
    rally: RallySet | None,
    refuges: Refuges,
    battery: energy.Battery,
    created_at: datetime,
    valid_s: float,
) -> FlightPlan | None:
    """The plan, still :data:`UNNAMED`; ``rally`` None where only planned ways back exist. None when no fence can be
    drawn.

    ``standing`` are the obstacles that the fence keeps clear of, ``keep_in`` the area that it stays inside.
    """
    task, airframe, space, height_m = draft.task, draft.airframe, draft.space, draft.cruise_amsl_m
    chosen = rally.chosen if rally else ()
    region = fence_region(
        space,
        ways=[way.points_xy_m for way in draft.ways],
        swept=rally.swept if rally else np.empty((0, 3, 2)),
        mask=standing,
        keep_in=keep_in,
    )
    if region is None:
        return None
    ceiling_amsl_m = height_m + space.corridor.altitude_error_m
    sections = sections_of(draft)
    return FlightPlan(
        plan_id=UNNAMED,
        drone_id=task.drone_id,
        station_id=task.station.station_id,
        landing_point_id=task.landing_point.landing_point_id,
        airframe_id=airframe.airframe_id,
        home=draft.home,
        delivery=draft.delivery,
        delivery_ground_amsl_m=task.landing_point.ground_amsl_m,
        delivery_method=draft.terms.method,
        hover_budget_s=draft.terms.hover_budget_s,
        outbound=sections.outbound,
        inbound=sections.inbound,
        retrace=() if draft.back_is_out else sections.retrace,
        rally_points=tuple(RoutePoint(refuges.positions[number], height_m) for number in chosen),
        autopilot_fence=to_autopilot_fence(space.plane, region, ceiling_amsl_m),
        wind=task.wind,
        route_objective=draft.out.objective,
        kinematics=kinematics_of(airframe),
        corridor_half_width_m=space.corridor.half_width_m,
        timing=timing_of(draft),
        energy=budget_of(draft, battery),
        airspace_version=space.airspace.version,
        terrain=space.airspace.terrain.description,
        authorisation_ids=(),
        conditions=(),
        created_at=created_at,
        valid_until=created_at + timedelta(seconds=valid_s),
        contingencies=contingencies_of(sections, rally),
        point_of_no_return=point_of_no_return(draft, sections, battery),
    )


def with_consent(
    plan: FlightPlan, task: FlightTask, conditions: tuple[str, ...], authorisation_ids: tuple[str, ...]
) -> FlightPlan:
    """The plan with what the airspace asks for, and with a warning where positions are not surveyed."""
    noted = list(conditions)
    for kind, place in ((PAD, task.station), (LANDING_POINT, task.landing_point)):
        if place.position_quality is not PositionQuality.SURVEYED:
            noted.append(not_surveyed(kind, place.name, place.position_quality))
    return dataclasses.replace(plan, conditions=tuple(noted), authorisation_ids=authorisation_ids)


def timing_of(draft: Draft) -> Timing:
    """Every span of the flight; see :class:`Timing` for what is in which."""
    airframe, terms, task = draft.airframe, draft.terms, draft.task
    climb_s, outbound_s, descent_s = draft.climb.duration_s, draft.out.duration_s, draft.descent.duration_s
    back_climb_s, inbound_s, landing_s = (
        draft.back_climb.duration_s,
        draft.back.duration_s,
        draft.landing.duration_s,
    )
    on_ground_s = airframe.preparation_s + climb_s + outbound_s + descent_s + terms.lower_s
    return Timing(
        preparation_s=airframe.preparation_s,
        climb_s=climb_s,
        outbound_s=outbound_s,
        descent_s=descent_s,
        lower_s=terms.lower_s,
        time_to_aed_on_ground_s=on_ground_s,
        carry_s=task.carry_s,
        time_to_patient_s=on_ground_s + task.carry_s,
        hover_s=terms.hover_budget_s,
        inbound_climb_s=back_climb_s,
        inbound_s=inbound_s,
        landing_s=landing_s,
        total_s=on_ground_s - terms.lower_s + terms.hover_budget_s + back_climb_s + inbound_s + landing_s,
    )


def budget_of(draft: Draft, battery: energy.Battery) -> EnergyBudget:
    """Energy with its uncertainty against what the charge yields."""
    total_wh = draft.total_wh
    return EnergyBudget(
        outbound_wh=draft.outbound_wh,
        hover_wh=draft.hover_wh,
        inbound_wh=draft.inbound_wh,
        total_wh=total_wh,
        uncertainty_wh=energy.uncertainty_wh(draft.airframe, total_wh),
        reserve_wh=battery.reserve_wh,
        usable_wh=battery.usable_wh,
    )


def contingencies_of(sections: Sections, rally: RallySet | None) -> tuple[LegContingency, ...]:
    """For every cruise leg the rally points of straight returns and the planned way back with its energy."""
    found = []
    outbound, inbound, retrace = sections.outbound, sections.inbound, sections.retrace
    last = len(outbound) - 1
    # The worst point of a leg is its far end: the leg backwards and all before it.
    home_wh = _summed_from(retrace)
    for index in range(1, last):
        found.append(
            LegContingency(
                section="outbound",
                leg_index=index,
                rally_indices=rally.by_leg[index - 1] if rally else (),
                planned_return="retrace",
                worst_return_energy_wh=home_wh[last - index],
            )
        )
    back_is_out = retrace is inbound
    on_wh = home_wh if back_is_out else _summed_from(inbound)
    last_in = len(inbound) - 1
    for index in range(1, last_in):
        place = last_in - 1 - index if back_is_out else last - 1 + index - 1
        found.append(
            LegContingency(
                section="inbound",
                leg_index=index,
                rally_indices=rally.by_leg[place] if rally else (),
                planned_return="continue",
                worst_return_energy_wh=on_wh[index],
            )
        )
    return tuple(found)


def point_of_no_return(draft: Draft, sections: Sections, battery: energy.Battery) -> PointOfNoReturn:
    """Where on the way out turning back stops being possible with reserve and uncertainty kept.

    Within a leg the energy is taken as even along it, both ways.
    """
    factor = 1.0 + energy.UNCERTAINTY_SIGMAS * draft.airframe.energy_uncertainty_fraction
    outbound, retrace = sections.outbound, sections.retrace
    spent_wh = outbound[0].energy_wh
    last = len(outbound) - 1
    # What is always needed at the end: the descent to the pad.
    home_wh = retrace[-1].energy_wh
    along_m = 0.0
    for index in range(1, last):
        leg, back = outbound[index], retrace[last - index]
        need_wh = factor * (spent_wh + leg.energy_wh + home_wh + back.energy_wh)
        if need_wh > battery.for_flight_wh:
            left_wh = battery.for_flight_wh / factor - spent_wh - home_wh
            share = max(0.0, left_wh / (leg.energy_wh + back.energy_wh))
            return PointOfNoReturn(distance_m=along_m + share * leg.length_m, beyond_delivery=False)
        spent_wh += leg.energy_wh
        home_wh += back.energy_wh
        along_m += leg.length_m
    return PointOfNoReturn(distance_m=along_m, beyond_delivery=True)


@cache
def kinematics_of(airframe: Airframe) -> Kinematics:
    """What the autopilot must be set to for this airframe's plans."""
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


def _summed_from(flown: Sequence[Leg]) -> list[float]:
    """For every leg the energy from its start to the end of all."""
    return list(itertools.accumulate(leg.energy_wh for leg in reversed(flown)))[::-1]
