"""One drone, one landing point, one moment: the best legal flight, or the reasons why there is none."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import shapely

from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from planner import reasons
from planner.airframe import Airframe, DeliveryTerms
from planner.assemble import Draft, assemble_plan, with_consent
from planner.contingency import NoRallySet, choose_rally_points, reaches_m, stopping_distance_m
from planner.corridor import corridor_of
from planner.energy import battery_at, uncertainty_wh
from planner.fence import MAX_VERTICES
from planner.flight_plan import FlightPlan
from planner.heights import layers_amsl_m, legal_above_ground
from planner.legs import climb_time_s, descent_time_s, landing_time_s, rest_to_rest_s
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.rally import refuges_of
from planner.reasons import Reason
from planner.route import Way, WindWins, find_way, least_time_s, reversed_way
from planner.search import NoSearchRoute
from planner.site import LandingPoint, Site, Station
from planner.space import KeepIn, Mask, Space, space_for
from planner.task import FlightTask, NoPlan
from planner.verify import Failed, verify_plan

MAX_RALLY_POINTS = 32
"""The smaller of what ArduPilot (46) and PX4 (32) take."""

AIMED_RALLY_POINTS = (6, 2)
"""Chosen: about six keep returns short and the fence simple; where the fence gets too many corners, two."""

XY = tuple[float, float]


def least_time_to_aed_s(
    airframe: Airframe, terms: DeliveryTerms, distance_m: float, climb_m: float, descent_m: float
) -> float:
    """Lower bound of the time to the AED on the ground: straight, at the largest ground speed."""
    return (
        airframe.preparation_s
        + climb_time_s(airframe, climb_m)
        + _straight_s(airframe, distance_m)
        + descent_time_s(airframe, descent_m)
        + terms.lower_s
    )


def _straight_s(airframe: Airframe, distance_m: float) -> float:
    return rest_to_rest_s(distance_m, airframe.ground_speed_max_m_s, airframe.acceleration_m_s2)


def plan_flight(
    task: FlightTask,
    *,
    site: Site,
    airspace: Airspace,
    ids: IdSource,
    at: datetime,
    policy: PlanningPolicy = DEFAULT_POLICY,
    extra_obstacles: Sequence[tuple[str, shapely.Polygon]] = (),
) -> FlightPlan | NoPlan:
    """The flight with the shortest time to the AED on the ground, verified, or every reason against it.

    ``at`` is the moment of acceptance; the plan may take off until ``at`` + ``policy.valid_s``. Zones count
    when they are active at any moment from then until the drone is back. ``extra_obstacles`` (name,
    polygon in the airspace frame's metres) are kept away from like prohibited zones at all heights.
    """
    terms = task.airframe.delivery(task.method)
    if terms is None or task.method not in task.landing_point.delivery_methods:
        return NoPlan((reasons.no_common_delivery_method(),))
    if task.wind.strongest_m_s > task.airframe.wind_limit_m_s:
        return NoPlan((reasons.wind_above_limit(task.wind.strongest_m_s, task.airframe.wind_limit_m_s),))
    space = space_for(airspace, corridor_of(task.airframe))
    if extra_obstacles:
        space = space.with_extra(extra_obstacles)
    question = _Question(task, terms, site, space, at, policy)
    duration_s = question.first_duration_s()
    for _ in range(3):
        found = question.plan(ids, duration_s)
        if isinstance(found, NoPlan) or found.timing.total_s <= duration_s:
            return found
        # The flight outlasts the window that its zones were judged in: judge again in a longer one.
        duration_s = 1.1 * found.timing.total_s
    return NoPlan((reasons.verification_failed("the flight keeps outlasting the window it is judged in"),))


class _Question:
    """One task being answered; collects the reasons on the way."""

    def __init__(
        self,
        task: FlightTask,
        terms: DeliveryTerms,
        site: Site,
        space: Space,
        at: datetime,
        policy: PlanningPolicy,
    ) -> None:
        self.task, self.terms, self.site, self.space = task, terms, site, space
        self.at, self.policy = at, policy
        self.airframe, self.corridor, self.airspace = task.airframe, space.corridor, space.airspace
        positions = (task.station.position, task.landing_point.position)
        ends = space.frame.project([(point.longitude_deg, point.latitude_deg) for point in positions])
        self.start: XY = (float(ends[0, 0]), float(ends[0, 1]))
        self.goal: XY = (float(ends[1, 0]), float(ends[1, 1]))
        self.straight_s = _straight_s(task.airframe, math.dist(self.start, self.goal))
        self.window = TimeWindow.at(at)
        self.against: dict[tuple[str, str], Reason] = {}
        self._masks: dict[tuple[float, float], Mask] = {}
        self._keep_ins: dict[float, KeepIn | None] = {}

    def mask(self, low_amsl_m: float, high_amsl_m: float) -> Mask:
        """Standing obstacles between two altitudes during the whole window."""
        key = (low_amsl_m, high_amsl_m)
        if key not in self._masks:
            self._masks[key] = self.space.mask(low_amsl_m, high_amsl_m, self.window)
        return self._masks[key]

    def keep_in(self, cruise_amsl_m: float) -> KeepIn | None:
        """The operating area that holds at this height during the whole window."""
        if cruise_amsl_m not in self._keep_ins:
            self._keep_ins[cruise_amsl_m] = self.space.keep_in(cruise_amsl_m, cruise_amsl_m, self.window)
        return self._keep_ins[cruise_amsl_m]

    def first_duration_s(self) -> float:
        """A generous first guess of the whole flight: four straight ways, full height four times."""
        height_m = self.policy.maximum_agl_m
        return (
            4.0 * self.straight_s
            + 2.0 * climb_time_s(self.airframe, height_m)
            + 2.0 * landing_time_s(self.airframe, height_m)
            + self.airframe.preparation_s
            + self.terms.hover_budget_s
        )

    def refuse(self, reason: Reason) -> None:
        self.against.setdefault((reason.code, reason.detail), reason)

    def plan(self, ids: IdSource, duration_s: float) -> FlightPlan | NoPlan:
        """Best first over heights: a height is opened at its lower bound, finished at its true time."""
        self.against, self._masks, self._keep_ins = {}, {}, {}
        end = self.at + timedelta(seconds=self.policy.valid_s + duration_s)
        self.window = TimeWindow(self.at, end)
        station, point = self.task.station, self.task.landing_point
        layers = layers_amsl_m(
            self.airspace.terrain,
            self.policy,
            self.corridor,
            points=(station.position, point.position),
            grounds_amsl_m=(station.ground_amsl_m, point.ground_amsl_m),
        )
        if not layers:
            self.refuse(self._no_legal_height())
        layers = self.undominated(layers)
        queue: list[tuple[float, int, Way | None]] = [
            (self.vertical_s(layer) + self.straight_s, number, None) for number, layer in enumerate(layers)
        ]
        heapq.heapify(queue)
        least_s: float | None = None
        opened = 0
        while queue:
            bound_s, number, way = heapq.heappop(queue)
            layer = layers[number]
            if way is not None:
                plan = self.finish(layer, way, ids)
                if plan is not None:
                    return plan
                continue
            if opened and least_s is None and len(layers) > opened + 1:
                closed = [layers[other] for _, other, found in queue if found is None]
                least_s = self.least_cruise_s([layer, *closed])
            if least_s is not None and self.vertical_s(layer) + least_s > bound_s:
                heapq.heappush(queue, (self.vertical_s(layer) + least_s, number, None))
                continue
            found = self.open(layer)
            opened += 1
            if found is not None:
                heapq.heappush(queue, (self.vertical_s(layer) + found.duration_s, number, found))
        return NoPlan(tuple(self.against.values()))

    def undominated(self, layers: tuple[float, ...]) -> tuple[float, ...]:
        """Without heights at which everything stands that stands at a lower one: the climb buys nothing.

        Over uneven ground height itself may be what is needed, so there all are kept.
        """
        if not math.isinf(self.airspace.terrain.resolution_m):
            return layers
        kept: list[float] = []
        for layer in layers:
            mask, keep_in = self.mask(layer, layer), self.keep_in(layer)
            if not any(
                self.keep_in(lower) is keep_in and not (self.mask(lower, lower) & ~mask).any()
                for lower in kept
            ):
                kept.append(layer)
        return tuple(kept)

    def least_cruise_s(self, layers: Sequence[float]) -> float:
        """Lower bound of the cruise at any of these heights: among what stands at all of them."""
        keep_in = self.keep_in(layers[0])
        closed = keep_in is not None and keep_in.area.is_empty
        if closed or any(self.keep_in(layer) is not keep_in for layer in layers):
            return self.straight_s
        mask = np.logical_and.reduce([self.mask(layer, layer) for layer in layers])
        return least_time_s(
            self.space.world(keep_in),
            self.start,
            self.goal,
            mask=mask,
            airframe=self.airframe,
            wind=self.task.wind,
        )

    def vertical_s(self, cruise_amsl_m: float) -> float:
        """Climb and descent of the way out at this height."""
        hover_amsl_m = self.task.landing_point.ground_amsl_m + self.terms.hover_height_agl_m
        climb_s = climb_time_s(self.airframe, cruise_amsl_m - self.task.station.ground_amsl_m)
        return climb_s + descent_time_s(self.airframe, cruise_amsl_m - hover_amsl_m)

    def open(self, cruise_amsl_m: float) -> Way | None:
        """The way out at this height, if pad and landing point can be reached from it."""
        keep_in = self.keep_in(cruise_amsl_m)
        if keep_in is not None and keep_in.area.is_empty:
            self.refuse(reasons.operating_area_closed())
            return None
        if not self.columns_legal(cruise_amsl_m):
            return None
        way = self.accepted(
            find_way(
                self.space.world(keep_in),
                self.start,
                self.goal,
                mask=self.mask(cruise_amsl_m, cruise_amsl_m),
                airframe=self.airframe,
                wind=self.task.wind,
                mass_kg=self.airframe.take_off_mass_kg,
            )
        )
        return way if way is not None and self.over_ground(way, cruise_amsl_m) else None

    def over_ground(self, way: Way, cruise_amsl_m: float) -> bool:
        legal = legal_above_ground(
            self.airspace.terrain,
            self.space.frame,
            self.policy,
            self.corridor,
            way.points_xy_m,
            cruise_amsl_m,
        )
        if not legal:
            self.refuse(self._no_legal_height())
        return legal

    def columns_legal(self, cruise_amsl_m: float) -> bool:
        """Whether the vertical ways over pad and landing point keep the flight geography free."""
        legal = True
        width_m = self.corridor.flight_geography_m
        station, point = self.task.station, self.task.landing_point
        for xy, place, where in (
            (self.start, station, _pad(station)),
            (self.goal, point, _point(point)),
        ):
            low_m = min(place.ground_amsl_m, cruise_amsl_m)
            mask = self.mask(low_m, cruise_amsl_m)
            near = self.space.near(shapely.Point(xy), width_m, mask)
            if not len(near):
                continue
            legal = False
            verdict = self.airspace.check_segment(
                place.position, low_m, place.position, cruise_amsl_m, self.window
            )
            zones = self.zone_names(self.space.names(near))
            self.refuse(
                reasons.from_verdict(*where, verdict) or reasons.too_close_to_zone(*where, zones, width_m)
            )
        return legal

    def finish(self, cruise_amsl_m: float, out: Way, ids: IdSource) -> FlightPlan | None:
        """Way back, energy, rally points, fence and verification at one height; None adds a reason."""
        airframe = self.airframe
        back, retrace = self.ways_back(cruise_amsl_m, out)
        if back is None or retrace is None:
            return None
        draft = Draft(
            task=self.task,
            terms=self.terms,
            corridor=self.corridor,
            frame=self.space.frame,
            cruise_amsl_m=cruise_amsl_m,
            out=out,
            back=back,
            retrace=retrace,
        )
        need_wh = draft.total_wh + uncertainty_wh(airframe, draft.total_wh)
        battery = battery_at(airframe, self.task.charge_fraction)
        if need_wh > battery.for_flight_wh:
            self.refuse(reasons.not_enough_energy(need_wh, battery.for_flight_wh))
            return None
        mask, keep_in = self.mask(cruise_amsl_m, cruise_amsl_m), self.keep_in(cruise_amsl_m)
        legs = [pair for way in draft.ways for pair in itertools.pairwise(way.points_xy_m)]
        refuges = refuges_of(self.site, self.space)
        to_ground = self.mask(min(refuges.lowest_ground_amsl_m, cruise_amsl_m), cruise_amsl_m)
        numbers = refuges.candidates(
            self.task.station.station_id, [way.points_xy_m for way in draft.ways], to_ground, keep_in
        )
        plan = None
        for aim in AIMED_RALLY_POINTS:
            rally = choose_rally_points(
                self.space.sweep(keep_in),
                legs=legs,
                candidates=refuges.xy_m[numbers],
                mask=mask,
                tolerance_m=2.0 * self.corridor.flight_geography_m,
                run_on_m=stopping_distance_m(airframe),
                reach_m=reaches_m(
                    airframe,
                    self.task.wind,
                    out,
                    back,
                    back_is_out=back is retrace,
                    height_m=self.policy.maximum_agl_m,
                ),
                aim=aim,
                limit=MAX_RALLY_POINTS,
            )
            if isinstance(rally, NoRallySet) and not self.policy.accept_planned_return:
                self.refuse(_no_contingency(rally.leg_index, len(out.parts)))
                return None
            plan = assemble_plan(
                draft,
                space=self.space,
                mask=mask,
                keep_in=keep_in,
                rally=None if isinstance(rally, NoRallySet) else rally.renumbered(numbers),
                refuges=refuges,
                battery=battery,
                ids=ids,
                created_at=self.at,
                valid_s=self.policy.valid_s,
            )
            if plan is not None or isinstance(rally, NoRallySet):
                break
        if plan is None:
            self.refuse(reasons.no_fence(MAX_VERTICES))
            return None
        verified = verify_plan(plan, airspace=self.airspace, corridor=self.corridor, window=self.window)
        if isinstance(verified, Failed):
            said = verified.verdict and reasons.from_verdict("The way", "航路", verified.verdict)
            self.refuse(said or reasons.verification_failed(verified.detail))
            return None
        return with_consent(plan, draft, verified.conditions, verified.authorisation_ids)

    def ways_back(self, cruise_amsl_m: float, out: Way) -> tuple[Way | None, Way | None]:
        """The best way home and the way out backwards; one and the same in calm air."""
        airframe, wind, mass_kg = self.airframe, self.task.wind, self.airframe.take_off_mass_kg
        retrace = self.accepted(reversed_way(out, airframe, wind, mass_kg))
        if retrace is None or wind.speed_m_s == 0.0:
            return retrace, retrace
        keep_in = self.keep_in(cruise_amsl_m)
        back = self.accepted(
            find_way(
                self.space.world(keep_in),
                self.goal,
                self.start,
                mask=self.mask(cruise_amsl_m, cruise_amsl_m),
                airframe=airframe,
                wind=wind,
                mass_kg=mass_kg,
            )
        )
        if back is None or not self.over_ground(back, cruise_amsl_m):
            return None, None
        same = back.points_xy_m == retrace.points_xy_m or retrace.duration_s <= back.duration_s
        return (retrace if same else back), retrace

    def accepted(self, way: Way | NoSearchRoute | WindWins) -> Way | None:
        if isinstance(way, Way):
            return way
        self.refuse(reasons.wind_too_strong_on_leg() if isinstance(way, WindWins) else self.explain(way))
        return None

    def explain(self, refusal: NoSearchRoute) -> Reason:
        """The search's geometry in words about places and zones."""
        zones = self.zone_names(refusal.obstacle_ids)
        pad, point = _pad(self.task.station), _point(self.task.landing_point)
        width_m = self.corridor.half_width_m
        match refusal.reason:
            case "start_inside":
                return reasons.too_close_to_zone(*pad, zones, width_m)
            case "goal_inside":
                return reasons.too_close_to_zone(*point, zones, width_m)
            case "start_outside_keep_in":
                return reasons.outside_operating_area(*pad, width_m)
            case "goal_outside_keep_in":
                return reasons.outside_operating_area(*point, width_m)
            case "sealed":
                return reasons.no_route(zones)
            case _:
                return reasons.search_gave_up()

    def zone_names(self, zone_ids: Sequence[str]) -> tuple[str, ...]:
        named = []
        for zone_id in zone_ids:
            zone = next((zone for zone in self.airspace.zones if zone.zone_id == zone_id), None)
            named.append((zone.name if zone else "") or zone_id)
        return tuple(named)

    def _no_legal_height(self) -> Reason:
        return reasons.no_legal_height(self.policy.minimum_agl_m, self.policy.maximum_agl_m)


def _no_contingency(leg_index: int, out_legs: int) -> Reason:
    inbound = leg_index >= out_legs
    number = leg_index - out_legs if inbound else leg_index
    return reasons.no_legal_contingency("inbound" if inbound else "outbound", number + 1)


def _pad(station: Station) -> tuple[str, str]:
    return f"The pad of {station.name}", f"{station.name_zh}的起降坪"


def _point(point: LandingPoint) -> tuple[str, str]:
    return f"The landing point {point.name}", f"投放点{point.name_zh}"
