"""From a way out at one height to a verified plan: way home, energy, rally points, fence, last word."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from geofences.model import TimeWindow
from planner import reasons
from planner.airframe import Airframe, DeliveryTerms
from planner.assemble import assemble_plan, with_consent
from planner.compile.dialects import DIALECTS, returns_are_proved
from planner.contingency import (
    NoRallySet,
    RallySet,
    choose_rally_points,
    leg_without_returns,
    reaches_m,
    return_cost_wh_per_m,
    stopping_distance_m,
)
from planner.draft import Draft
from planner.energy import Battery, battery_at, uncertainty_wh
from planner.fence import MAX_VERTICES
from planner.flight_plan import FlightPlan
from planner.heights import into_ground, legal_above_ground
from planner.moment import Moment
from planner.policy import PlanningPolicy
from planner.profiled_way import ProfiledWay, backwards, climb_wh_of
from planner.rally import Refuges, refuges_of
from planner.route import CALM_M_S, Way, WindWins, find_way, reversed_way
from planner.site import Site
from planner.space import KeepIn, Mask
from planner.task import FlightTask
from planner.verify import Failed, verify_plan
from planner.wind import Wind
from planner.wording import Refusals

MAX_RALLY_POINTS = 32
"""The smaller of what ArduPilot (46) and PX4 (32) take."""

AIMED_RALLY_POINTS = (6, 2)
"""Chosen: about six keep returns short and the fence simple; where the fence gets too many corners, two."""

HOME_WORTH = 0.05
"""Chosen: a way home of its own that saves less than a twentieth of the time isn't worth a second corridor
with its own returns, a larger fence and a longer mission. Nobody waits for the drone at home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One task under one sky; completes ways and notes what is against them."""

    task: FlightTask
    terms: DeliveryTerms
    site: Site
    sky: Moment
    window: TimeWindow
    at: datetime
    policy: PlanningPolicy
    against: Refusals

    @property
    def airframe(self) -> Airframe:
        return self.task.airframe

    def complete(self, cruise_amsl_m: float, out: Way) -> FlightPlan | None:
        """The plan with this way out at this height; None adds a reason."""
        if self._without_returns(cruise_amsl_m, out):
            return None
        back, retrace = self._ways_back(cruise_amsl_m, out)
        if back is None or retrace is None:
            return None
        draft = Draft(
            task=self.task,
            terms=self.terms,
            space=self.sky.space,
            cruise_amsl_m=cruise_amsl_m,
            out=out,
            back=back,
            retrace=retrace,
        )
        return self._finished(draft, self.sky.keep_in(cruise_amsl_m))

    def _without_returns(self, cruise_amsl_m: float, out: Way) -> bool:
        """Whether some leg out has no straight return to any refuge that is offered to the way out; that is a reason.

        Most refused ways fail here, and a search for the way home costs as much as the one for the way out. A refuge
        that only the way home comes near would be no good answer to a failure on the way out.
        """
        if self.policy.accept_planned_return:
            return False
        space = self.sky.space
        refuges = refuges_of(self.site, space)
        offered = refuges.candidates(self.task.station.station_id, [out.points_xy_m], self.sky, cruise_amsl_m)
        leg = leg_without_returns(
            space.sweep(self.sky.keep_in(cruise_amsl_m)),
            legs=list(itertools.pairwise(out.points_xy_m)),
            candidates=refuges.xy_m[offered],
            mask=self.sky.mask(cruise_amsl_m, cruise_amsl_m),
            tolerance_m=2.0 * space.corridor.flight_geography_m,
            run_on_m=stopping_distance_m(self.airframe),
        )
        if leg is None:
            return False
        self.against.add_no_contingency(leg, len(out.parts))
        return True

    def complete_profiled(self, out: ProfiledWay, keep_in: KeepIn | None) -> FlightPlan | None:
        """The plan with this climbing and descending way out, and home the same way; None adds a reason."""
        back = backwards(out, self.airframe, self.task.wind)
        if isinstance(back, WindWins):
            self.against.accepted(back)
            return None
        draft = Draft(
            task=self.task,
            terms=self.terms,
            space=self.sky.space,
            cruise_amsl_m=max(out.amsl_m),
            out=out.way,
            back=back.way,
            retrace=back.way,
            profile=out,
        )
        return self._finished(draft, keep_in)

    def _finished(self, draft: Draft, keep_in: KeepIn | None) -> FlightPlan | None:
        """Energy, rally points, fence and verification of a draft inside ``keep_in``."""
        need_wh = draft.total_wh + uncertainty_wh(self.airframe, draft.total_wh)
        battery = battery_at(self.airframe, self.task.charge_fraction)
        if need_wh > battery.for_flight_wh:
            self.against.add(reasons.not_enough_energy(need_wh, battery.for_flight_wh))
            return None
        plan = self._with_contingencies(draft, keep_in, battery)
        if plan is None:
            return None
        if not returns_are_proved(plan, self.airframe.autopilot):
            # An autopilot that may choose the pad itself would fly there straight, and nobody has proved that.
            self.against.add_no_contingency(0, len(draft.out.parts))
            return None
        verified = verify_plan(
            plan,
            airspace=self.sky.space.airspace,
            corridor=self.sky.space.corridor,
            window=self.window,
            policy=self.policy,
        )
        if isinstance(verified, Failed):
            said = verified.verdict and reasons.from_verdict("The way", "航路", verified.verdict)
            self.against.add(said or reasons.verification_failed(verified.detail))
            return None
        return with_consent(plan, self.task, verified.conditions, verified.authorisation_ids)

    def _with_contingencies(
        self, draft: Draft, keep_in: KeepIn | None, battery: Battery
    ) -> FlightPlan | None:
        """Rally points and the fence around everything; fewer rally points where it needs too many corners."""
        height_m = draft.cruise_amsl_m
        refuges = refuges_of(self.site, self.sky.space)
        numbers = refuges.candidates(
            self.task.station.station_id, [way.points_xy_m for way in draft.ways], self.sky, height_m
        )
        for aim in AIMED_RALLY_POINTS:
            rally = self._rally(draft, keep_in, refuges, numbers, aim)
            if isinstance(rally, NoRallySet) and not self.policy.accept_planned_return:
                self.against.add_no_contingency(rally.leg_index, len(draft.out.parts))
                return None
            plan = assemble_plan(
                draft,
                standing=self._kept_clear(draft),
                keep_in=keep_in,
                rally=rally if isinstance(rally, RallySet) else None,
                refuges=refuges,
                battery=battery,
                created_at=self.at,
                valid_s=self.policy.valid_s,
            )
            if plan is not None:
                return plan
        self.against.add(reasons.no_fence(MAX_VERTICES))
        return None

    def _rally(
        self,
        draft: Draft,
        keep_in: KeepIn | None,
        refuges: Refuges,
        numbers: npt.NDArray[np.int64],
        aim: int,
    ) -> RallySet | NoRallySet:
        """Rally points among the refuges ``numbers``, all straight returns at the highest altitude of the cruise."""
        covered = draft.covered_leg
        if covered is not None:
            return NoRallySet(covered)
        space, height_m = self.sky.space, draft.cruise_amsl_m
        legs = [pair for way in draft.ways for pair in itertools.pairwise(way.points_xy_m)]
        reach_m = reaches_m(
            self.airframe,
            self.task.wind,
            draft.out,
            draft.back,
            back_is_out=draft.back_is_out,
            height_m=self.policy.maximum_agl_m,
        )
        if draft.profile is not None:
            # A return from below first climbs to the altitude of returns.
            climb_wh = climb_wh_of(self.airframe, height_m - min(draft.amsl_m))
            reach_m[:, 0] -= climb_wh / return_cost_wh_per_m(self.airframe, self.task.wind)
        while True:
            rally = choose_rally_points(
                space.sweep(keep_in),
                legs=legs,
                candidates=refuges.xy_m[numbers],
                mask=self.sky.mask(height_m, height_m),
                tolerance_m=2.0 * space.corridor.flight_geography_m,
                run_on_m=stopping_distance_m(self.airframe),
                reach_m=reach_m,
                aim=aim,
                limit=MAX_RALLY_POINTS,
            )
            if isinstance(rally, NoRallySet):
                return rally
            # As with zones: what the ground forbids from some leg can't be a rally point of any larger set.
            bad = into_ground(space, self.policy, rally.swept, height_m)
            if not bad.any():
                return rally.renumbered(numbers)
            at = refuges.xy_m[numbers]
            gone = (at[:, None, :] == rally.swept[bad][None, :, 2, :]).all(axis=2).any(axis=1)
            numbers = numbers[~gone]

    def _kept_clear(self, draft: Draft) -> Mask:
        """The obstacles that the fence keeps clear of. It has one ceiling and no floor: what a way without straight
        returns passes over or under at its own height, the fence can't keep the drone out of."""
        top_m = draft.cruise_amsl_m
        if draft.profile is None or draft.covered_leg is None:
            return self.sky.mask(top_m, top_m)
        standing = self.sky.mask(min(draft.amsl_m), top_m).copy()
        standing[list(draft.profile.passed)] = False
        return standing

    def _ways_back(self, cruise_amsl_m: float, out: Way) -> tuple[Way | None, Way | None]:
        """The way home and the way out backwards; mostly one and the same."""
        airframe, wind, mass_kg = self.airframe, self.task.wind, self.airframe.take_off_mass_kg
        retrace = self.against.accepted(reversed_way(out, airframe, wind, mass_kg))
        if retrace is None or wind.speed_m_s <= CALM_M_S or not DIALECTS[airframe.autopilot].lands_for_good:
            # Two ways home are two landings, and behind the first one such an autopilot takes off again.
            return retrace, retrace
        if (1.0 - HOME_WORTH) * cruise_s(retrace) <= least_home_s(out, airframe, wind):
            return retrace, retrace
        space = self.sky.space
        points = out.points_xy_m
        back = self.against.accepted(
            find_way(
                space.world(self.sky.keep_in(cruise_amsl_m)),
                points[-1],
                points[0],
                mask=self.sky.mask(cruise_amsl_m, cruise_amsl_m),
                airframe=airframe,
                wind=wind,
                mass_kg=mass_kg,
            )
        )
        if back is None:
            return None, None
        worth_it = back.duration_s < (1.0 - HOME_WORTH) * retrace.duration_s and legal_above_ground(
            space.airspace.terrain,
            space.frame,
            self.policy,
            space.corridor,
            back.points_xy_m,
            cruise_amsl_m,
        )
        return (back if worth_it else retrace), retrace


def cruise_s(way: Way) -> float:
    """Seconds at cruise speeds, corners and acceleration left out."""
    return sum(part.length_m / part.ground_speed_m_s for part in way.parts)


def least_home_s(out: Way, airframe: Airframe, wind: Wind) -> float:
    """A lower bound of the cruise of any legal way home, found without a search.

    With airspeed v in wind w a straight piece d takes T(d) = (r(d) - w·d) / (v² - w²), where
    r(d) = √((w·d)² + |d|²(v² - w²)) is the same for d and -d, and the sum of w·d over a way is fixed by its
    ends. So where no leg of the optimal way out is limited by the largest ground speed g, no way at all has a
    smaller sum of r, home included; and since r(d) ≤ v|d|, none is shorter than that sum ÷ v. Where some leg
    is limited, the straight line is the bound, since time is a convex gauge.
    """
    x, y = wind.towards_xy_m_s
    speed, limit = airframe.cruise_airspeed_m_s, airframe.ground_speed_max_m_s
    rest = speed * speed - x * x - y * y
    points = out.points_xy_m
    if any(part.limited for part in out.parts):
        points = (points[0], points[-1])
    root = total = 0.0
    for (from_x, from_y), (to_x, to_y) in itertools.pairwise(points):
        step_x, step_y = to_x - from_x, to_y - from_y
        along = step_x * x + step_y * y
        root += math.sqrt(along * along + (step_x * step_x + step_y * step_y) * rest)
        total += along
    # Homewards every step is flown the other way.
    return max((root + total) / rest, root / speed / limit, math.dist(points[0], points[-1]) / limit)
