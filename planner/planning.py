"""One drone, one landing point, one moment: the best legal flight, or the reasons why there is none."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import shapely

from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from planner import reasons
from planner.airframe import Airframe, DeliveryTerms
from planner.assemble import with_consent
from planner.completion import Completion
from planner.corridor import corridor_of
from planner.flight_plan import FlightPlan
from planner.heights import layers_amsl_m, legal_above_ground
from planner.legs import climb_time_s, descent_time_s, landing_time_s, rest_to_rest_s
from planner.moment import KnownAnswer, Moment
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.profiled_way import End, NoProfiledWay, always_closed, find_profiled_way
from planner.reasons import Reason
from planner.route import Way, find_way, least_time_s
from planner.site import Site
from planner.space import Mask, Space, space_for
from planner.task import FlightTask, NoPlan
from planner.verify import Failed, verify_plan
from planner.wording import Refusals

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
    before_s: float = math.inf,
    objection: Callable[[FlightPlan], Reason | None] | None = None,
    flown: Callable[[FlightPlan], bool] = lambda _plan: True,
) -> FlightPlan | NoPlan:
    """The flight with the shortest time to the AED on the ground, verified, or every reason against it.

    ``at`` is the moment of acceptance; the plan may take off until ``at`` + ``policy.valid_s``. Zones count
    when they are active at any moment from then until the drone is back. ``extra_obstacles`` (name,
    polygon in the airspace frame's metres) are kept away from like prohibited zones at all heights.
    ``before_s``: a flight that needs as long as that until the AED is on the ground is of no use, and is not
    finished once its ways at single heights show it: then :attr:`NoPlan.least_time_to_aed_s` says how long.
    ``objection``: what somebody else has against a plan, whatever the airspace says of it; a remembered plan that meets
    one is not judged again. ``flown``: whether a remembered plan may be flown as it is; one that will not be is given
    back as it was judged when it was made, for others to be asked about its times and places.
    """
    terms = task.airframe.delivery(task.method)
    if terms is None or task.method not in task.landing_point.delivery_methods:
        return NoPlan((reasons.no_common_delivery_method(),))
    if task.wind.strongest_m_s > task.airframe.wind_limit_m_s:
        return NoPlan((reasons.wind_above_limit(task.wind.strongest_m_s, task.airframe.wind_limit_m_s),))
    space = space_for(airspace, corridor_of(task.airframe))
    if extra_obstacles:
        space = space.with_extra(extra_obstacles)
    question = _Question(task, terms, site, space, at, policy, objection, flown)
    duration_s = question.first_duration_s()
    for _ in range(3):
        found = question.plan(ids, duration_s, before_s)
        if isinstance(found, NoPlan):
            return found
        if found.timing.total_s <= duration_s:
            return question.objected(found) or found
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
        objection: Callable[[FlightPlan], Reason | None] | None,
        flown: Callable[[FlightPlan], bool],
    ) -> None:
        self.task, self.terms, self.site, self.space = task, terms, site, space
        self.at, self.policy, self.airframe = at, policy, task.airframe
        self.objection, self.flown = objection, flown
        self.start: XY = space.place(task.station.position)
        self.goal: XY = space.place(task.landing_point.position)
        self.straight_s = _straight_s(task.airframe, math.dist(self.start, self.goal))
        # Set by plan(), for as long a flight as it is asked about.
        self.window: TimeWindow
        self.sky: Moment
        self.against = Refusals(task, space.airspace, space.corridor)

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

    def plan(self, ids: IdSource, duration_s: float, before_s: float) -> FlightPlan | NoPlan:
        """The plan; a question that was answered before under the same sky and wind is not searched again.

        A landing point is asked about by every order near it, from dozens of stations. A remembered plan gets its own
        times and is judged anew for them.
        """
        end = self.at + timedelta(seconds=self.policy.valid_s + duration_s)
        self.window = TimeWindow(self.at, end)
        self.sky = self.space.moment(self.window)
        about = (self.site, self.task.station, self.task.landing_point, self.airframe)
        wind = self.task.wind
        key = (
            *map(id, about),
            *(self.task.method, wind.from_deg, wind.speed_m_s, wind.gust_m_s, self.policy),
        )
        # Where the battery was not against it, a refusal holds for any charge.
        keys = (key, (*key, self.task.charge_fraction))
        if not self.space.has_extra:
            for known in filter(None, map(self.sky.answer, keys)):
                answer = self.as_known(known, ids, duration_s, before_s)
                if answer is not None:
                    return answer
        bounds_s: list[float] = []
        found = self.best(before_s, bounds_s)
        if not self.space.has_extra:
            cut = isinstance(found, NoPlan) and found.least_time_to_aed_s is not None
            whatever = isinstance(found, NoPlan) and all(
                reason.code != "not_enough_energy" for reason in found.reasons
            )
            kept = KnownAnswer(tuple(bounds_s), None if cut else found)
            self.sky.remember(keys[0] if whatever and not cut else keys[1], about, kept)
        return found if isinstance(found, NoPlan) else replace(found, plan_id=ids.new("plan"))

    def objected(self, plan: FlightPlan) -> NoPlan | None:
        """The objection to it, if there is one."""
        why = None if self.objection is None else self.objection(plan)
        return None if why is None else NoPlan((why,))

    def as_known(
        self, known: KnownAnswer, ids: IdSource, duration_s: float, before_s: float
    ) -> FlightPlan | NoPlan | None:
        """What the search would say now; None where it has to be asked."""
        bound_s = known.bound_from(before_s)
        if bound_s is not None:
            return self.slower(bound_s)
        if not isinstance(known.found, FlightPlan):
            return known.found
        task, timing = self.task, known.found.timing
        plan = replace(
            known.found,
            drone_id=task.drone_id,
            wind=task.wind,
            timing=replace(
                timing,
                carry_s=task.carry_s,
                time_to_patient_s=timing.time_to_aed_on_ground_s + task.carry_s,
            ),
            created_at=self.at,
            valid_until=self.at + timedelta(seconds=self.policy.valid_s),
        )
        if timing.total_s <= duration_s:
            objected = self.objected(plan)
            if objected is not None:
                return objected
            if not self.flown(plan):
                return replace(plan, plan_id=ids.new("plan"))
        judged = verify_plan(
            plan,
            airspace=self.space.airspace,
            corridor=self.space.corridor,
            window=self.window,
            policy=self.policy,
        )
        if isinstance(judged, Failed):
            return None
        agreed = with_consent(plan, task, judged.conditions, judged.authorisation_ids)
        return replace(agreed, plan_id=ids.new("plan"))

    def slower(self, to_aed_s: float) -> NoPlan:
        """There is nothing earlier than this."""
        return NoPlan((reasons.slower_by_bound(math.floor(to_aed_s + self.task.carry_s)),), to_aed_s)

    def best(self, before_s: float, bounds_s: list[float]) -> FlightPlan | NoPlan:
        """Best first over heights: a height is opened at its lower bound, finished at its true time.

        The plan is nobody's yet. ``bounds_s`` takes the lower bounds on the way.
        """
        self.against = Refusals(self.task, self.space.airspace, self.space.corridor)
        completion = Completion(
            task=self.task,
            terms=self.terms,
            site=self.site,
            sky=self.sky,
            window=self.window,
            at=self.at,
            policy=self.policy,
            against=self.against,
        )
        layers = self.layers()
        if self.shut_in(layers):
            return NoPlan(self.against.all)
        queue: list[tuple[float, int, Way | None]] = [
            (self.vertical_s(layer) + self.straight_s, number, None) for number, layer in enumerate(layers)
        ]
        heapq.heapify(queue)
        least_s: float | None = None
        opened = 0
        while queue:
            bound_s, number, way = heapq.heappop(queue)
            layer = layers[number]
            # The queue's first is the lower bound of all that it holds.
            to_aed_s = self.airframe.preparation_s + bound_s + self.terms.lower_s
            bounds_s.append(to_aed_s)
            if before_s <= to_aed_s < math.inf:
                return self.slower(to_aed_s)
            if way is not None:
                plan = completion.complete(layer, way)
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
        return self.profiled(completion) or NoPlan(self.against.all)

    def shut_in(self, layers: Sequence[float]) -> bool:
        """Whether pad or landing point is too near to zones at every height, and which zones these are: what the
        search would find at each of them, without a search."""
        if not layers or not all(self.columns_legal(layer) for layer in layers):
            return False
        for xy, where in ((self.start, self.against.pad), (self.goal, self.against.point)):
            near = [self.sky.too_near(xy, layer) for layer in layers]
            if all(near) and self.sky.always_too_near(xy, self.policy, self.always_closed):
                for zones in near:
                    self.against.add_too_near(where, zones)
                return True
        return False

    def always_closed(self) -> Mask:
        """The obstacles that a way which climbs and descends can't pass either."""
        return always_closed(self.space, self.policy, self.window)

    def profiled(self, completion: Completion) -> FlightPlan | None:
        """No single height is legal: a way that climbs and descends; None adds a reason."""
        if not self.against.may_be_height:
            return None
        keep_in = self.space.keep_in_at_any_height(self.window)
        if keep_in is not None and keep_in.area.is_empty:
            return None
        station, point = self.task.station, self.task.landing_point
        hover_amsl_m = point.ground_amsl_m + self.terms.hover_height_agl_m
        found = find_profiled_way(
            self.space,
            self.space.world(keep_in),
            End(
                xy_m=self.start,
                ground_amsl_m=station.ground_amsl_m,
                lowest_amsl_m=station.ground_amsl_m + self.policy.minimum_agl_m,
            ),
            End(
                xy_m=self.goal,
                ground_amsl_m=point.ground_amsl_m,
                lowest_amsl_m=max(point.ground_amsl_m + self.policy.minimum_agl_m, hover_amsl_m),
            ),
            airframe=self.airframe,
            wind=self.task.wind,
            policy=self.policy,
            window=self.window,
        )
        if isinstance(found, NoProfiledWay):
            # What is in the way of the columns has been said for every single height.
            if not found.column:
                self.against.add_no_profile(found, self.space.names(found.obstacles))
            return None
        return completion.complete_profiled(found, keep_in)

    def layers(self) -> tuple[float, ...]:
        """The heights worth trying; none is a reason."""
        station, point = self.task.station, self.task.landing_point
        layers = layers_amsl_m(
            self.space.airspace.terrain,
            self.policy,
            self.space.corridor,
            points=(station.position, point.position),
            grounds_amsl_m=(station.ground_amsl_m, point.ground_amsl_m),
        )
        if not layers:
            self.against.add(self._no_legal_height())
        return self.sky.undominated(layers)

    def least_cruise_s(self, layers: Sequence[float]) -> float:
        """Lower bound of the cruise at any of these heights: among what stands at all of them."""
        keep_in = self.sky.keep_in(layers[0])
        closed = keep_in is not None and keep_in.area.is_empty
        if closed or any(self.sky.keep_in(layer) is not keep_in for layer in layers):
            return self.straight_s
        mask = np.logical_and.reduce([self.sky.mask(layer, layer) for layer in layers])
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
        keep_in = self.sky.keep_in(cruise_amsl_m)
        if keep_in is not None and keep_in.area.is_empty:
            self.against.add(reasons.operating_area_closed())
            return None
        if not self.columns_legal(cruise_amsl_m):
            return None
        way = self.against.accepted(
            find_way(
                self.space.world(keep_in),
                self.start,
                self.goal,
                mask=self.sky.mask(cruise_amsl_m, cruise_amsl_m),
                airframe=self.airframe,
                wind=self.task.wind,
                mass_kg=self.airframe.take_off_mass_kg,
            )
        )
        if way is None:
            return None
        if legal_above_ground(
            self.space.airspace.terrain,
            self.space.frame,
            self.policy,
            self.space.corridor,
            way.points_xy_m,
            cruise_amsl_m,
        ):
            return way
        self.against.add(self._no_legal_height())
        return None

    def columns_legal(self, cruise_amsl_m: float) -> bool:
        """Whether the vertical ways over pad and landing point keep the flight geography free."""
        legal = True
        for xy, place, where in (
            (self.start, self.task.station, self.against.pad),
            (self.goal, self.task.landing_point, self.against.point),
        ):
            low_m = min(place.ground_amsl_m, cruise_amsl_m)
            near = self.sky.beside_column(xy, low_m, cruise_amsl_m)
            if near:
                legal = False
                verdict = self.space.airspace.check_segment(
                    place.position, low_m, place.position, cruise_amsl_m, self.window
                )
                self.against.add_column(where, verdict, self.space.names(near))
        return legal

    def _no_legal_height(self) -> Reason:
        return reasons.no_legal_height(self.policy.minimum_agl_m, self.policy.maximum_agl_m)
