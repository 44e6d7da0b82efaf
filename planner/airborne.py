"""From ways in the air to the immutable plan that begins there: legs, times, energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from core.geodesy import Wgs84Point
from geofences.airspace import Airspace
from planner import energy, legs
from planner.airframe import DeliveryTerms
from planner.assemble import kinematics_of
from planner.flight_plan import (
    AutopilotFence,
    EnergyBudget,
    FlightPlan,
    Leg,
    LegKind,
    PointOfNoReturn,
    RoutePoint,
    Timing,
)
from planner.route import Way
from planner.space import Space
from planner.task import FlightTask


@dataclass(frozen=True, kw_only=True)
class Airways:
    """What was found at one height. ``home`` leads from where the vehicle stands to where it lands; ``out`` to the
    landing point, ``back`` from there to the pad, and ``retrace`` is ``out`` backwards and then ``home``: None
    where ``back`` is that already, or where nothing is delivered."""

    cruise_amsl_m: float
    home: Way
    out: Way | None
    back: Way | None
    retrace: Way | None

    @property
    def all(self) -> tuple[Way, ...]:
        """Every way whose corners differ."""
        return tuple(way for way in (self.home, self.out, self.back) if way is not None)

    @property
    def first_s(self) -> float:
        """The cruise that matters: to the delivery, or home."""
        return self.home.duration_s if self.out is None else self.out.duration_s

    def draft(
        self,
        start: RoutePoint,
        task: FlightTask,
        terms: DeliveryTerms,
        space: Space,
        lands_at: RoutePoint | None,
    ) -> AirborneDraft:
        """The same as legs."""
        return AirborneDraft(ways=self, start=start, task=task, terms=terms, space=space, lands_at=lands_at)


@dataclass(frozen=True, kw_only=True)
class AirborneDraft:
    """The legs of a flight that begins in the air."""

    ways: Airways
    start: RoutePoint
    task: FlightTask
    terms: DeliveryTerms
    space: Space
    lands_at: RoutePoint | None

    @cached_property
    def home(self) -> RoutePoint:
        """On the pad."""
        return RoutePoint(self.task.station.position, self.task.station.ground_amsl_m)

    @property
    def landing(self) -> RoutePoint:
        """Where ``home`` of the ways ends: on the pad, or where the flight is diverted to."""
        return self.home if self.lands_at is None else self.lands_at

    @cached_property
    def delivery(self) -> RoutePoint:
        """The hover point over the landing point."""
        point = self.task.landing_point
        return RoutePoint(point.position, point.ground_amsl_m + self.terms.hover_height_agl_m)

    @cached_property
    def outbound(self) -> tuple[Leg, ...]:
        """To the delivery; empty where nothing is left to deliver."""
        out = self.ways.out
        return () if out is None else self._chain(self.start, out, self.delivery, landing=False)

    @cached_property
    def inbound(self) -> tuple[Leg, ...]:
        """From the delivery to the pad, or from here to the pad."""
        back = self.ways.back
        if back is None:
            return self._chain(self.start, self.ways.home, self.landing, landing=True)
        return self._chain(self.delivery, back, self.home, landing=True)

    @cached_property
    def retraced(self) -> tuple[Leg, ...]:
        """The way out backwards to where it began, and from there home."""
        retrace = self.ways.retrace
        return () if retrace is None else self._chain(self.delivery, retrace, self.home, landing=True)

    def _chain(self, start: RoutePoint, way: Way, end: RoutePoint, *, landing: bool) -> tuple[Leg, ...]:
        airframe, cruise_m = self.task.airframe, self.ways.cruise_amsl_m
        mass_kg = airframe.take_off_mass_kg
        inner = way.points_xy_m[1:-1]
        corners = [
            Wgs84Point(latitude_deg, longitude_deg)
            for longitude_deg, latitude_deg in (self.space.plane.unproject(inner).tolist() if inner else ())
        ]
        # The ends are the exact positions, and so is the place where the vehicle stands.
        for number, xy in enumerate(inner):
            if xy == self.ways.home.points_xy_m[0]:
                corners[number] = self.start.position
        along = [RoutePoint(position, cruise_m) for position in (start.position, *corners, end.position)]
        up_m = cruise_m - start.altitude_amsl_m
        wind = self.task.wind
        # The first leg of a chain is the vertical one, whichever way it leads.
        first = (
            legs.climb_part(airframe, up_m, mass_kg)
            if up_m >= 0.0
            else legs.descent_part(airframe, -up_m, mass_kg, wind=wind, landing=False)
        )
        down_m = cruise_m - end.altitude_amsl_m
        last = legs.descent_part(airframe, down_m, mass_kg, wind=wind, landing=landing)
        return (
            legs.vertical_leg(LegKind.CLIMB, start, along[0], first),
            *legs.cruise_legs(along, way.parts),
            legs.vertical_leg(LegKind.DESCENT, along[-1], end, last),
        )

    @cached_property
    def hover_wh(self) -> float:
        """The whole hover budget over the landing point."""
        if not self.outbound:
            return 0.0
        airframe = self.task.airframe
        power_w = energy.hover_power_w(airframe, airframe.take_off_mass_kg, self.task.wind.speed_m_s)
        return power_w * self.terms.hover_budget_s / energy.JOULES_PER_WH

    @cached_property
    def total_wh(self) -> float:
        """Out, hover and back."""
        return energy_wh(self.outbound) + self.hover_wh + energy_wh(self.inbound)

    @cached_property
    def most_wh(self) -> float:
        """The dearest flight that may come of it: delivered, or turned back just before the delivery."""
        return max(self.total_wh, energy_wh(self.outbound) + energy_wh(self.retraced))


def energy_wh(flown: Sequence[Leg]) -> float:
    """What some legs take from the battery."""
    return sum(leg.energy_wh for leg in flown)


def assemble_airborne(
    draft: AirborneDraft,
    *,
    plan_id: str,
    rally_points: tuple[RoutePoint, ...],
    fence: AutopilotFence,
    battery: energy.Battery,
    airspace: Airspace,
    created_at: datetime,
    valid_s: float,
) -> FlightPlan:
    """The plan. Conditions and authorisations follow from its verification."""
    task, airframe = draft.task, draft.task.airframe
    out = draft.ways.out
    distance_m = sum(leg.length_m for leg in draft.outbound[1:-1])
    return FlightPlan(
        plan_id=plan_id,
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
        retrace=draft.retraced,
        rally_points=rally_points,
        autopilot_fence=fence,
        wind=task.wind,
        route_objective=(draft.ways.home if out is None else out).objective,
        kinematics=kinematics_of(airframe),
        corridor_half_width_m=draft.space.corridor.half_width_m,
        timing=_timing(draft),
        energy=EnergyBudget(
            outbound_wh=energy_wh(draft.outbound),
            hover_wh=draft.hover_wh,
            inbound_wh=energy_wh(draft.inbound),
            total_wh=draft.total_wh,
            uncertainty_wh=energy.uncertainty_wh(airframe, draft.total_wh),
            reserve_wh=battery.reserve_wh,
            usable_wh=battery.usable_wh,
        ),
        airspace_version=airspace.version,
        terrain=airspace.terrain.description,
        authorisation_ids=(),
        conditions=(),
        created_at=created_at,
        valid_until=created_at + timedelta(seconds=valid_s),
        point_of_no_return=PointOfNoReturn(distance_m=distance_m, beyond_delivery=True),
        start=draft.start,
        lands_at=draft.lands_at,
    )


def _timing(draft: AirborneDraft) -> Timing:
    """As for a flight from the pad; the preparation is the exchange of the mission in the air."""
    task, terms = draft.task, draft.terms
    exchange_s = task.airframe.preparation_s
    up = down = cruise_s = lower_s = hover_s = 0.0
    if draft.outbound:
        up, down = draft.outbound[0].duration_s, draft.outbound[-1].duration_s
        cruise_s, lower_s, hover_s = _cruise_s(draft.outbound), terms.lower_s, terms.hover_budget_s
    on_ground_s = exchange_s + up + cruise_s + down + lower_s
    back_up, back_s, landing_s = (
        draft.inbound[0].duration_s,
        _cruise_s(draft.inbound),
        draft.inbound[-1].duration_s,
    )
    return Timing(
        preparation_s=exchange_s,
        climb_s=up,
        outbound_s=cruise_s,
        descent_s=down,
        lower_s=lower_s,
        time_to_aed_on_ground_s=on_ground_s,
        carry_s=task.carry_s if draft.outbound else 0.0,
        time_to_patient_s=on_ground_s + (task.carry_s if draft.outbound else 0.0),
        hover_s=hover_s,
        inbound_climb_s=back_up,
        inbound_s=back_s,
        landing_s=landing_s,
        total_s=on_ground_s - lower_s + hover_s + back_up + back_s + landing_s,
    )


def _cruise_s(chain: Sequence[Leg]) -> float:
    return sum(leg.duration_s for leg in chain[1:-1])
