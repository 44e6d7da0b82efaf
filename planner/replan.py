"""Another plan for a vehicle that stands in the air: round a closed zone, to another place, or home.

The same search, the same proof (out, back, straight returns to rally points, fence, verification by other
code) as for a flight from the pad, with three differences: it begins where the vehicle stands, with the
charge that it has; there is no take-off; and «retrace» leads back to that place and from there home, so
turning back is legal at every moment here too.

A vehicle that stands closer to a closed zone than the corridor's half width gets no plan: its way back
along the old legs leads away from the zone, a new way would have to begin inside the margin.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import shapely

from core.geodesy import Wgs84Point
from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from planner import reasons
from planner.airborne import Airways, assemble_airborne
from planner.airframe import DeliveryTerms
from planner.compile.dialects import DIALECTS, returns_are_proved
from planner.completion import AIMED_RALLY_POINTS, MAX_RALLY_POINTS
from planner.contingency import NoRallySet, RallySet, choose_rally_points, reaches_m, stopping_distance_m
from planner.corridor import corridor_of
from planner.energy import battery_at, uncertainty_wh
from planner.fence import MAX_VERTICES, fence_region, to_autopilot_fence
from planner.flight_plan import FlightPlan, RoutePoint
from planner.heights import layers_amsl_m, legal_above_ground
from planner.legs import climb_time_s, cruise_parts
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.rally import refuges_of
from planner.reasons import Reason
from planner.route import Way, find_way
from planner.site import Site
from planner.space import KeepIn, Mask, Space, space_for
from planner.task import FlightTask, NoPlan
from planner.verify import Failed, verify_plan

SLOWEST_M_S = 5.0
"""For the window in which zones are judged: no leg is flown more slowly over ground (chosen)."""

XY = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Airborne:
    """Where the vehicle stands in the air, and what it has left."""

    position: Wgs84Point
    altitude_amsl_m: float
    charge_fraction: float

    @property
    def point(self) -> RoutePoint:
        """As the beginning of a plan."""
        return RoutePoint(self.position, self.altitude_amsl_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuge:
    """Where a flight is diverted to: another station's pad, an emergency site, a rally point. On the ground there."""

    name: str
    name_zh: str
    position: Wgs84Point
    ground_amsl_m: float

    @property
    def point(self) -> RoutePoint:
        """As the end of a plan."""
        return RoutePoint(self.position, self.ground_amsl_m)


def replan_flight(
    standing: Airborne,
    task: FlightTask,
    *,
    deliver: bool,
    site: Site,
    airspace: Airspace,
    ids: IdSource,
    at: datetime,
    policy: PlanningPolicy = DEFAULT_POLICY,
    extra_obstacles: Sequence[tuple[str, shapely.Polygon]] = (),
    refuge: Refuge | None = None,
) -> FlightPlan | NoPlan:
    """The legal flight from ``standing`` with the shortest time to the AED on the ground and home; with
    ``deliver`` False the shortest legal way home, or to ``refuge`` to land there. Or every reason against it.

    ``task`` names the landing point (where it is, or was, to be delivered), the pad to come home to and the
    wind; its charge is not used. ``at`` is now. ``extra_obstacles`` as in
    :func:`planner.planning.plan_flight`.
    """
    task = replace(task, charge_fraction=standing.charge_fraction)
    terms = task.airframe.delivery(task.method)
    if terms is None or (deliver and task.method not in task.landing_point.delivery_methods):
        return NoPlan((reasons.no_common_delivery_method(),))
    if deliver and task.wind.strongest_m_s > task.airframe.wind_limit_m_s:
        return NoPlan((reasons.wind_above_limit(task.wind.strongest_m_s, task.airframe.wind_limit_m_s),))
    space = space_for(airspace, corridor_of(task.airframe))
    if extra_obstacles:
        space = space.with_extra(extra_obstacles)
    return _Question(standing, task, terms, deliver, site, space, at, policy, refuge).answer(ids)


class _Question:
    """One replanning; collects the reasons on the way."""

    def __init__(
        self,
        standing: Airborne,
        task: FlightTask,
        terms: DeliveryTerms,
        deliver: bool,
        site: Site,
        space: Space,
        at: datetime,
        policy: PlanningPolicy,
        refuge: Refuge | None,
    ) -> None:
        assert refuge is None or not deliver
        self.standing, self.task, self.terms, self.deliver = standing, task, terms, deliver
        self.refuge = refuge
        station = task.station
        #: Where it comes down in the end, and how that place is called.
        self.landing = RoutePoint(station.position, station.ground_amsl_m) if refuge is None else refuge.point
        self.landing_names = (
            (f"The pad of {station.name}", f"{station.name_zh}的起降坪")
            if refuge is None
            else (refuge.name, refuge.name_zh)
        )
        self.site, self.space, self.at, self.policy = site, space, at, policy
        self.airspace, self.airframe, self.corridor = space.airspace, task.airframe, space.corridor
        places = (standing.position, task.landing_point.position, self.landing.position)
        ends = space.plane.project([(place.longitude_deg, place.latitude_deg) for place in places])
        self.start, self.goal, self.pad = ((float(x), float(y)) for x, y in ends)
        around_m = sum(
            float(np.hypot(a[0] - b[0], a[1] - b[1]))
            for a, b in itertools.pairwise((self.start, self.goal, self.pad, self.start))
        )
        # Judged until long after any answer has landed; verified below.
        last_s = policy.valid_s + terms.hover_budget_s + 2.0 * around_m / SLOWEST_M_S + 600.0
        self.window = TimeWindow(at, at + timedelta(seconds=last_s))
        self.sky = space.moment(self.window)
        self.against: dict[tuple[str, str], Reason] = {}

    def refuse(self, reason: Reason) -> None:
        self.against.setdefault((reason.code, reason.detail), reason)

    def answer(self, ids: IdSource) -> FlightPlan | NoPlan:
        """The fastest height whose plan is proved; ties go to the present height."""
        found: list[tuple[float, float, Airways]] = []
        for cruise_amsl_m in self.heights():
            ways = self.open(cruise_amsl_m)
            if ways is not None:
                change_s = climb_time_s(self.airframe, abs(cruise_amsl_m - self.standing.altitude_amsl_m))
                found.append((change_s + ways.first_s, cruise_amsl_m, ways))
        found.sort(key=lambda each: each[:2])
        for straight_returns in (True, False):
            for _, _, ways in found:
                plan = self.finish(ways, ids, straight_returns=straight_returns)
                if plan is not None:
                    return plan
        return NoPlan(tuple(self.against.values()))

    def heights(self) -> list[float]:
        """The present height where it is one to cruise at, and the layers."""
        point, landing = self.task.landing_point, self.landing
        # On its way to a refuge it comes nowhere near its landing point.
        ends = [(landing.position, landing.altitude_amsl_m)]
        if self.refuge is None:
            ends.append((point.position, point.ground_amsl_m))
        layers = layers_amsl_m(
            self.airspace.terrain,
            self.policy,
            self.corridor,
            points=(self.standing.position, *(position for position, _ in ends)),
            grounds_amsl_m=tuple(ground_m for _, ground_m in ends),
        )
        if not layers:
            self.refuse(reasons.no_legal_height(self.policy.minimum_agl_m, self.policy.maximum_agl_m))
            return []
        present_m = round(self.standing.altitude_amsl_m, 1)
        error_m = self.corridor.altitude_error_m
        held = next((layer for layer in layers if abs(layer - present_m) <= error_m), None)
        if held is None and layers[0] <= present_m <= layers[-1]:
            return [present_m, *layers]
        return list(layers)

    def mask(self, low_amsl_m: float, high_amsl_m: float) -> Mask:
        """Standing obstacles between two altitudes during the whole window."""
        return self.sky.mask(low_amsl_m, high_amsl_m)

    def open(self, cruise_amsl_m: float) -> Airways | None:
        """The ways at one height: out, back, and from here home."""
        keep_in = self.sky.keep_in(cruise_amsl_m)
        if keep_in is not None and keep_in.area.is_empty:
            self.refuse(reasons.operating_area_closed())
            return None
        if not self.columns_free(cruise_amsl_m):
            return None
        home = self.way(self.start, self.pad, cruise_amsl_m, keep_in)
        if home is None:
            return None
        if not self.deliver:
            return Airways(cruise_amsl_m=cruise_amsl_m, home=home, out=None, back=None, retrace=None)
        out = self.way(self.start, self.goal, cruise_amsl_m, keep_in)
        back = self.way(self.goal, self.pad, cruise_amsl_m, keep_in)
        if out is None or back is None:
            return None
        corners = (*reversed(out.points_xy_m), *home.points_xy_m[1:])
        parts = cruise_parts(self.airframe, corners, self.task.wind, self.airframe.take_off_mass_kg)
        if parts is None:
            self.refuse(reasons.wind_too_strong_on_leg())
            return None
        retrace = Way(corners, parts, out.objective)
        if not DIALECTS[self.airframe.autopilot].lands_for_good:
            # Nothing may stand behind the landing in its mission: it would take off again. So the way home is
            # the way out backwards too, and there is one landing.
            return Airways(cruise_amsl_m=cruise_amsl_m, home=home, out=out, back=retrace, retrace=None)
        return Airways(cruise_amsl_m=cruise_amsl_m, home=home, out=out, back=back, retrace=retrace)

    def way(self, start: XY, goal: XY, cruise_amsl_m: float, keep_in: KeepIn | None) -> Way | None:
        found = find_way(
            self.space.world(keep_in),
            start,
            goal,
            mask=self.mask(cruise_amsl_m, cruise_amsl_m),
            airframe=self.airframe,
            wind=self.task.wind,
            mass_kg=self.airframe.take_off_mass_kg,
        )
        if not isinstance(found, Way):
            zones = getattr(found, "obstacle_ids", None)
            if zones is None:
                self.refuse(reasons.wind_too_strong_on_leg())
            else:
                self.refuse(reasons.no_route(self.zone_names(zones)))
            return None
        ground = (self.airspace.terrain, self.space.frame, self.policy, self.corridor)
        if not legal_above_ground(*ground, found.points_xy_m, cruise_amsl_m):
            self.refuse(reasons.no_legal_height(self.policy.minimum_agl_m, self.policy.maximum_agl_m))
            return None
        return found

    def columns_free(self, cruise_amsl_m: float) -> bool:
        """The vertical ways: here to the cruise height, over the landing point, over the pad."""
        point = self.task.landing_point
        columns = [
            (
                self.start,
                self.standing.altitude_amsl_m,
                ("The place where the vehicle stands", "无人机当前位置"),
            ),
            (self.pad, self.landing.altitude_amsl_m, self.landing_names),
        ]
        if self.deliver:
            names = (f"The landing point {point.name}", f"投放点{point.name_zh}")
            columns.append((self.goal, point.ground_amsl_m, names))
        free = True
        width_m = self.corridor.flight_geography_m
        for xy, other_end_m, names in columns:
            mask = self.mask(min(other_end_m, cruise_amsl_m), max(other_end_m, cruise_amsl_m))
            near = self.space.near(shapely.Point(xy), width_m, mask)
            if len(near):
                free = False
                zones = self.zone_names(self.space.names(near))
                self.refuse(reasons.too_close_to_zone(*names, zones, width_m))
        return free

    def zone_names(self, zone_ids: Sequence[str]) -> tuple[str, ...]:
        named = {zone.zone_id: zone.name for zone in self.airspace.zones}
        return tuple(named.get(zone_id) or zone_id for zone_id in zone_ids)

    def finish(self, ways: Airways, ids: IdSource, *, straight_returns: bool) -> FlightPlan | None:
        """Energy, rally points, fence and verification; None adds a reason.

        Without ``straight_returns`` a way is taken from which no straight return is legal everywhere: in the
        air a proved way without them is better than none, and the plan then has no rally points at all.
        """
        battery = battery_at(self.airframe, self.standing.charge_fraction)
        draft = ways.draft(
            self.standing.point,
            self.task,
            self.terms,
            self.space,
            None if self.refuge is None else self.landing,
        )
        need_wh = draft.most_wh + uncertainty_wh(self.airframe, draft.most_wh)
        if need_wh > battery.for_flight_wh:
            self.refuse(reasons.not_enough_energy(need_wh, battery.for_flight_wh))
            return None
        cruise_m = ways.cruise_amsl_m
        keep_in = self.sky.keep_in(cruise_m)
        mask = self.mask(min(cruise_m, self.standing.altitude_amsl_m), cruise_m)
        refuges = refuges_of(self.site, self.space)
        numbers = refuges.candidates(
            self.task.station.station_id,
            [way.points_xy_m for way in ways.all],
            self.sky,
            cruise_m,
        )
        for aim in AIMED_RALLY_POINTS:
            rally: RallySet | NoRallySet = RallySet((), (), np.empty((0, 3, 2)))
            if straight_returns:
                rally = self.rally(ways, refuges.xy_m[numbers], mask, keep_in, aim)
            if isinstance(rally, NoRallySet):
                self.refuse(reasons.no_legal_contingency("inbound", rally.leg_index + 1))
                return None
            region = fence_region(
                self.space,
                ways=[way.points_xy_m for way in ways.all],
                swept=rally.swept,
                mask=mask,
                keep_in=keep_in,
            )
            if region is not None:
                break
        else:
            self.refuse(reasons.no_fence(MAX_VERTICES))
            return None
        ceiling_m = max(cruise_m, self.standing.altitude_amsl_m) + self.corridor.altitude_error_m
        plan = assemble_airborne(
            draft,
            plan_id=ids.new("plan"),
            rally_points=tuple(
                RoutePoint(refuges.positions[int(numbers[index])], cruise_m) for index in rally.chosen
            ),
            fence=to_autopilot_fence(self.space.plane, region, ceiling_m),
            battery=battery,
            airspace=self.airspace,
            created_at=self.at,
            valid_s=self.policy.valid_s,
        )
        if not returns_are_proved(plan, self.airframe.autopilot):
            # An autopilot that may choose the pad itself would fly there straight, and nobody has proved that.
            self.refuse(reasons.no_legal_contingency("inbound", 1))
            return None
        if self.at + timedelta(seconds=self.policy.valid_s + plan.timing.total_s) > self.window.end:
            self.refuse(reasons.verification_failed("the flight outlasts the window it was judged in"))
            return None
        verified = verify_plan(
            plan, airspace=self.airspace, corridor=self.corridor, window=self.window, policy=self.policy
        )
        if isinstance(verified, Failed):
            said = verified.verdict and reasons.from_verdict("The way", "航路", verified.verdict)
            self.refuse(said or reasons.verification_failed(verified.detail))
            return None
        return replace(plan, conditions=verified.conditions, authorisation_ids=verified.authorisation_ids)

    def rally(
        self, ways: Airways, candidates: np.ndarray, mask: Mask, keep_in: KeepIn | None, aim: int
    ) -> RallySet | NoRallySet:
        """Straight returns from every leg of every way must be legal, as for a flight from the pad."""
        airframe, wind = self.airframe, self.task.wind
        legs = [pair for way in ways.all for pair in itertools.pairwise(way.points_xy_m)]
        home_m = reaches_m(
            airframe, wind, ways.home, ways.home, back_is_out=False, height_m=self.policy.maximum_agl_m
        )[len(ways.home.parts) :]
        rows = [home_m]
        if ways.out is not None and ways.back is not None:
            rows.append(
                reaches_m(
                    airframe, wind, ways.out, ways.back, back_is_out=False, height_m=self.policy.maximum_agl_m
                )
            )
        return choose_rally_points(
            self.space.sweep(keep_in),
            legs=legs,
            candidates=candidates,
            mask=mask,
            tolerance_m=2.0 * self.corridor.flight_geography_m,
            run_on_m=stopping_distance_m(airframe),
            reach_m=np.concatenate(rows),
            aim=aim,
            limit=MAX_RALLY_POINTS,
        )
