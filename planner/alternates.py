"""Where else the same flight can deliver when its landing point turns out to be occupied.

For the accepted plan only, the landing points of the same drone's other options are tried in the order of a lower
bound of their time to the patient: a legal way at the plan's own altitude from the occupied point's hover point to
the other's, a legal way home from there, and a battery that holds both with the whole hover budget at both points.
Rally points and fence are then chosen again around everything, so that nothing but the place in the mission has
to change in flight; an alternate that they can't take in is left out. The finished plan is judged again.

Only level plans get alternates: a way with a height profile has no straight returns to share. So do only drones
whose autopilot ends a mission with its first landing: alternates stand behind that in the mission.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from core.geodesy import Wgs84Point
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from planner import energy, legs
from planner.airframe import DeliveryTerms
from planner.compile.dialects import DIALECTS
from planner.completion import AIMED_RALLY_POINTS, MAX_RALLY_POINTS
from planner.contingency import RallySet, choose_rally_points, reaches_m, stopping_distance_m
from planner.corridor import corridor_of
from planner.fence import fence_region, to_autopilot_fence
from planner.flight_plan import Alternate, FlightPlan, Leg, LegContingency, LegKind, RoutePoint
from planner.heights import into_ground, legal_above_ground
from planner.legs import CruisePart, climb_time_s, descent_time_s, rest_to_rest_s
from planner.moment import Moment
from planner.policy import PlanningPolicy
from planner.rally import refuges_of
from planner.route import Way, find_way
from planner.site import LandingPoint, PositionQuality, Site
from planner.space import Space, space_for
from planner.survey_notes import LANDING_POINT, not_surveyed
from planner.task import FlightTask
from planner.verify import Failed, verify_plan

WANTED = 2
"""Two alternates for each flight."""

MAX_TRIES = 6
"""Chosen: landing points tried for a plan; each costs two searches."""

MAX_KEPT = 4
"""Chosen: of these, those for which rally points and a fence are sought; each costs some milliseconds."""

SLOWEST_M_S = 5.0
"""For the window in which zones are judged: no leg is flown more slowly over ground (chosen)."""

XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A landing point that the same drone may deliver to: how, and how long the AED is carried from it."""

    landing_point: LandingPoint
    terms: DeliveryTerms
    carry_s: float


@dataclass(frozen=True, slots=True)
class _Found:
    """An alternate with the ways that its legs were made of."""

    alternate: Alternate
    transfer: Way
    home: Way
    quality: PositionQuality
    name: str


def with_alternates(
    plan: FlightPlan,
    task: FlightTask,
    elsewhere: Iterable[Elsewhere],
    *,
    site: Site,
    airspace: Airspace,
    policy: PlanningPolicy,
) -> FlightPlan:
    """``plan`` with up to two alternates, fastest first, and the rally points and fence that serve them too.

    ``task`` is what the plan was made for. The very same plan where no other landing point can be added.
    """
    cruise = {leg.end.altitude_amsl_m for leg in (*plan.outbound[:-1], *plan.inbound[:-1])}
    # The mission carries alternates behind its landing on the pad.
    carried = DIALECTS[task.airframe.autopilot].lands_for_good
    if plan.start is not None or len(cruise) != 1 or not carried:
        return plan
    question = _Question(plan, task, list(elsewhere), site, airspace, policy)
    found = question.nearest()
    if not found:
        return plan
    both = question.extended(found[:WANTED])
    if both is not None:
        return both
    if len(found) == 1:
        return plan
    # Some of them have no legal returns, or make the fence too complicated: one after the other.
    best = plan
    chosen: list[_Found] = []
    for one in found:
        extended = question.extended([*chosen, one])
        if extended is not None:
            best, chosen = extended, [*chosen, one]
            if len(chosen) == WANTED:
                break
    return best


class _Question:
    def __init__(
        self,
        plan: FlightPlan,
        task: FlightTask,
        elsewhere: list[Elsewhere],
        site: Site,
        airspace: Airspace,
        policy: PlanningPolicy,
    ) -> None:
        self.plan, self.task, self.site, self.policy = plan, task, site, policy
        self.airframe = task.airframe
        self.elsewhere = [
            other for other in elsewhere if other.landing_point.landing_point_id != plan.landing_point_id
        ]
        self.space: Space = space_for(airspace, corridor_of(task.airframe))
        self.cruise_amsl_m = plan.inbound[0].end.altitude_amsl_m
        self.home_xy = self.space.place(plan.home.position)
        self.first_xy = self.space.place(plan.delivery.position)
        self.at = [self.space.place(other.landing_point.position) for other in self.elsewhere]
        around_m = max(
            (math.dist(self.first_xy, xy) + math.dist(xy, self.home_xy) for xy in self.at), default=0.0
        )
        hover_s = max((other.terms.hover_budget_s for other in self.elsewhere), default=0.0)
        last_s = plan.timing.total_s + hover_s + 2.0 * around_m / SLOWEST_M_S + 120.0
        self.window = TimeWindow(plan.created_at, plan.valid_until + timedelta(seconds=last_s))
        self.sky: Moment = self.space.moment(self.window)
        self.arrival_s = plan.timing.time_to_aed_on_ground_s - plan.timing.lower_s

    # Ways to other landing points

    def nearest(self) -> list[_Found]:
        """Those with legal ways that the battery holds, the first to reach the patient first."""
        order = sorted((self.bound_s(number), number) for number in range(len(self.elsewhere)))
        tried = (self.one(number) for _, number in order[:MAX_TRIES])
        found = [one for one in tried if one is not None]
        return sorted(found, key=lambda each: each.alternate.time_to_patient_s)[:MAX_KEPT]

    def bound_s(self, number: int) -> float:
        """The least time to the patient by way of this one: straight, at the largest ground speed."""
        airframe, other = self.airframe, self.elsewhere[number]
        hover_amsl_m = other.landing_point.ground_amsl_m + other.terms.hover_height_agl_m
        return (
            self.arrival_s
            + climb_time_s(airframe, self.cruise_amsl_m - self.plan.delivery.altitude_amsl_m)
            + rest_to_rest_s(
                math.dist(self.first_xy, self.at[number]),
                airframe.ground_speed_max_m_s,
                airframe.acceleration_m_s2,
            )
            + descent_time_s(airframe, self.cruise_amsl_m - hover_amsl_m)
            + other.terms.lower_s
            + other.carry_s
        )

    def one(self, number: int) -> _Found | None:
        """This landing point as an alternate; None where it is out of legal reach."""
        other, xy = self.elsewhere[number], self.at[number]
        point, terms = other.landing_point, other.terms
        hover = RoutePoint(point.position, point.ground_amsl_m + terms.hover_height_agl_m)
        low_m = min(point.ground_amsl_m, self.cruise_amsl_m)
        if hover.altitude_amsl_m >= self.cruise_amsl_m:
            return None
        if self.sky.beside_column(xy, low_m, self.cruise_amsl_m):
            return None
        transfer, home = self.way(self.first_xy, xy), self.way(xy, self.home_xy)
        if transfer is None or home is None:
            return None
        transfer_legs = self.chain(self.plan.delivery, transfer, hover, landing=False)
        home_legs = self.chain(hover, home, self.plan.home, landing=True)
        hover_wh = (
            energy.hover_power_w(self.airframe, self.airframe.take_off_mass_kg, self.task.wind.speed_m_s)
            * terms.hover_budget_s
            / energy.JOULES_PER_WH
        )
        extra_wh = _energy_wh(transfer_legs) + hover_wh + _energy_wh(home_legs)
        total_wh = self.plan.energy.outbound_wh + self.plan.energy.hover_wh + extra_wh
        battery = energy.battery_at(self.airframe, self.task.charge_fraction)
        if total_wh + energy.uncertainty_wh(self.airframe, total_wh) > battery.for_flight_wh:
            return None
        extra_s = sum(leg.duration_s for leg in transfer_legs) + terms.lower_s
        longest_s = (
            self.plan.timing.total_s
            + sum(leg.duration_s for leg in (*transfer_legs, *home_legs))
            + terms.hover_budget_s
        )
        if self.plan.valid_until + timedelta(seconds=longest_s) > self.window.end:
            return None
        alternate = Alternate(
            landing_point_id=point.landing_point_id,
            delivery=hover,
            delivery_ground_amsl_m=point.ground_amsl_m,
            delivery_method=terms.method,
            hover_budget_s=terms.hover_budget_s,
            transfer=transfer_legs,
            inbound=home_legs,
            carry_s=other.carry_s,
            extra_s=extra_s,
            time_to_patient_s=self.arrival_s + extra_s + other.carry_s,
            energy_wh=extra_wh,
        )
        return _Found(alternate, transfer, home, point.position_quality, point.name)

    def way(self, start: XY, goal: XY) -> Way | None:
        height_m = self.cruise_amsl_m
        keep_in = self.sky.keep_in(height_m)
        if keep_in is not None and keep_in.area.is_empty:
            return None
        found = find_way(
            self.space.world(keep_in),
            start,
            goal,
            mask=self.sky.mask(height_m, height_m),
            airframe=self.airframe,
            wind=self.task.wind,
            mass_kg=self.airframe.take_off_mass_kg,
        )
        space = self.space
        if not isinstance(found, Way) or not legal_above_ground(
            space.airspace.terrain, space.frame, self.policy, space.corridor, found.points_xy_m, height_m
        ):
            return None
        return found

    def chain(self, start: RoutePoint, way: Way, end: RoutePoint, *, landing: bool) -> tuple[Leg, ...]:
        airframe, mass_kg = self.airframe, self.airframe.take_off_mass_kg
        inner = way.points_xy_m[1:-1]
        corners = self.space.plane.unproject(inner).tolist() if inner else []
        positions = [
            start.position,
            *(Wgs84Point(latitude, longitude) for longitude, latitude in corners),
            end.position,
        ]
        along = [RoutePoint(position, self.cruise_amsl_m) for position in positions]
        climb = legs.climb_part(airframe, self.cruise_amsl_m - start.altitude_amsl_m, mass_kg)
        descent = legs.descent_part(
            airframe, self.cruise_amsl_m - end.altitude_amsl_m, mass_kg, wind=self.task.wind, landing=landing
        )
        return (
            legs.vertical_leg(LegKind.CLIMB, start, along[0], climb),
            *legs.cruise_legs(along, way.parts),
            legs.vertical_leg(LegKind.DESCENT, along[-1], end, descent),
        )

    # Rally points and fence around everything

    def extended(self, chosen: Sequence[_Found]) -> FlightPlan | None:
        """The plan with these alternates; None where no rally points or no fence serve all of it."""
        plan, space, height_m = self.plan, self.space, self.cruise_amsl_m
        out, back = self.flown(plan.outbound), self.flown(plan.inbound)
        back_is_out = not plan.retrace
        ways = [out] if back_is_out else [out, back]
        descent_m = self.policy.maximum_agl_m
        reach = [
            reaches_m(self.airframe, self.task.wind, out, back, back_is_out=back_is_out, height_m=descent_m)
        ]
        for each in chosen:
            ways += [each.transfer, each.home]
            reach.append(
                reaches_m(
                    self.airframe,
                    self.task.wind,
                    each.transfer,
                    each.home,
                    back_is_out=False,
                    height_m=descent_m,
                )
            )
        corners = [way.points_xy_m for way in ways]
        keep_in, mask = self.sky.keep_in(height_m), self.sky.mask(height_m, height_m)
        refuges = refuges_of(self.site, space)
        numbers = refuges.candidates(plan.station_id, corners, self.sky, height_m)
        for aim in AIMED_RALLY_POINTS:
            rally = RallySet((), (), np.empty((0, 3, 2)))
            if plan.rally_points:
                found = choose_rally_points(
                    space.sweep(keep_in),
                    legs=[pair for way in corners for pair in itertools.pairwise(way)],
                    candidates=refuges.xy_m[numbers],
                    mask=mask,
                    tolerance_m=2.0 * space.corridor.flight_geography_m,
                    run_on_m=stopping_distance_m(self.airframe),
                    reach_m=np.concatenate(reach),
                    aim=aim,
                    limit=MAX_RALLY_POINTS,
                )
                if (
                    not isinstance(found, RallySet)
                    or into_ground(space, self.policy, found.swept, height_m).any()
                ):
                    return None
                rally = found.renumbered(numbers)
            region = fence_region(space, ways=corners, swept=rally.swept, mask=mask, keep_in=keep_in)
            if region is not None:
                break
        else:
            return None
        extended = dataclasses.replace(
            plan,
            rally_points=tuple(RoutePoint(refuges.positions[number], height_m) for number in rally.chosen),
            autopilot_fence=to_autopilot_fence(space.plane, region, plan.autopilot_fence.ceiling_amsl_m),
            contingencies=_contingencies(plan, chosen, rally),
            alternates=tuple(each.alternate for each in chosen),
        )
        return self.judged(extended, chosen)

    def judged(self, extended: FlightPlan, chosen: Sequence[_Found]) -> FlightPlan | None:
        verified = verify_plan(
            extended,
            airspace=self.space.airspace,
            corridor=self.space.corridor,
            window=self.window,
            policy=self.policy,
        )
        if isinstance(verified, Failed):
            return None
        unsure = (
            not_surveyed(LANDING_POINT, each.name, each.quality)
            for each in chosen
            if each.quality is not PositionQuality.SURVEYED
        )
        return dataclasses.replace(
            extended,
            conditions=tuple(dict.fromkeys((*extended.conditions, *verified.conditions, *unsure))),
            authorisation_ids=tuple(
                dict.fromkeys((*extended.authorisation_ids, *verified.authorisation_ids))
            ),
        )

    def flown(self, chain: Sequence[Leg]) -> Way:
        """The cruise of a chain of the plan as the way that it was made of."""
        cruise = chain[1:-1]
        points = (cruise[0].start, *(leg.end for leg in cruise))
        parts = tuple(
            CruisePart(leg.length_m, leg.ground_speed_m_s, leg.duration_s, leg.energy_wh, False)
            for leg in cruise
        )
        return Way(
            tuple(self.space.place(point.position) for point in points), parts, self.plan.route_objective
        )


def _contingencies(plan: FlightPlan, chosen: Sequence[_Found], rally: RallySet) -> tuple[LegContingency, ...]:
    """Those of the plan with the new rally points, and those of the alternates' legs."""
    out_legs, in_legs = len(plan.outbound) - 2, len(plan.inbound) - 2

    def by_leg(place: int) -> tuple[int, ...]:
        return rally.by_leg[place] if rally.by_leg else ()

    found = []
    for entry in plan.contingencies:
        if entry.section == "outbound":
            place = entry.leg_index - 1
        elif plan.retrace:
            place = out_legs + entry.leg_index - 1
        else:
            place = in_legs - entry.leg_index
        found.append(dataclasses.replace(entry, rally_indices=by_leg(place)))
    place = out_legs + (in_legs if plan.retrace else 0)
    for number, each in enumerate(chosen, start=1):
        home_wh = _energy_wh(each.alternate.inbound)
        for section, chain, after_wh in (
            (f"transfer-{number}", each.alternate.transfer, home_wh),
            (f"home-{number}", each.alternate.inbound, 0.0),
        ):
            for index in range(1, len(chain) - 1):
                found.append(
                    LegContingency(
                        section=section,
                        leg_index=index,
                        rally_indices=by_leg(place),
                        planned_return="continue",
                        worst_return_energy_wh=_energy_wh(chain[index:]) + after_wh,
                    )
                )
                place += 1
    return tuple(found)


def _energy_wh(chain: Sequence[Leg]) -> float:
    return sum(leg.energy_wh for leg in chain)
