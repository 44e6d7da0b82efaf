"""Rally points from which every straight return is legal.

When the link, the battery or a fence fails, autopilots fly in a straight line to the nearest rally point
and land there. Nobody can steer that, so the set of rally points is chosen such that, from every point
of every cruise leg, the straight line to the rally point nearest to it is legal.

The choice is a greatest fixed point. Start from all candidates. Every leg falls into pieces, one for each
candidate that is nearest there; the area swept by the returns from one piece is a triangle (leg piece,
rally point). If a triangle comes closer than the flight geography to an obstacle, that candidate must go:
in any smaller set that contains it, it is still nearest to that piece. Removing it enlarges its
neighbours' pieces, so the rest is tested again. What remains is the largest legal set; if nothing
remains, none exists among the candidates. Candidates that are nearest to no piece are dropped at the end:
they change nothing.

Pieces are widened by what the drone may be off its leg, and legs prolonged at both ends by its stopping
distance, because a return starts from where it comes to rest. So a leg stands for both directions.

A triangle is clear when its two sides to the rally point are, and no obstacle lies inside it: its third
side is the leg, which keeps a corridor's half width from every obstacle, more than is asked here even
where it is prolonged.

A return must be possible against the wind with what the plan has not yet used and the reserve; rally
points further off don't count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.errors import ErrorCode, InternalError
from planner import energy, rally_kernels, sweep_kernels
from planner.airframe import Airframe, braking_distance_m
from planner.legs import landing_time_s
from planner.route import Way
from planner.sweep import SweepIndex
from planner.wind import Wind

XY = tuple[float, float]
LegXY = tuple[XY, XY]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RallySet:
    """``chosen``: indices of candidates kept; ``by_leg``: for every leg the chosen ones (as positions in
    ``chosen``) that are nearest somewhere on it; ``swept`` (n, 3, 2): the triangles of all straight returns."""

    chosen: tuple[int, ...]
    by_leg: tuple[tuple[int, ...], ...]
    swept: Floats

    def renumbered(self, numbers: npt.NDArray[np.int64]) -> RallySet:
        """The same set, ``chosen`` counted in the list that the candidates were taken from."""
        return RallySet(tuple(int(numbers[index]) for index in self.chosen), self.by_leg, self.swept)


@dataclass(frozen=True, slots=True)
class NoRallySet:
    """No set among the candidates is legal; ``leg_index`` is the leg where that became certain."""

    leg_index: int


def stopping_distance_m(airframe: Airframe) -> float:
    """How far the drone runs on along its leg before a return starts."""
    return braking_distance_m(airframe.ground_speed_max_m_s, airframe.corridor.braking_tilt_deg)


def return_cost_wh_per_m(airframe: Airframe, wind: Wind) -> float:
    """Energy for each metre of a straight return in the worst direction: against the wind."""
    power_w = energy.level_power_w(airframe, airframe.take_off_mass_kg, airframe.cruise_airspeed_m_s)
    speed_m_s = min(airframe.cruise_airspeed_m_s - wind.speed_m_s, airframe.ground_speed_max_m_s)
    return power_w / speed_m_s / energy.JOULES_PER_WH


def reaches_m(
    airframe: Airframe, wind: Wind, out: Way, back: Way, *, back_is_out: bool, height_m: float
) -> Floats:
    """How far a straight return may be from each leg: rows of (at its start, change for each metre along it).

    Legs are those of ``out``, then those of ``back`` unless ``back_is_out`` (the way out reversed). Left for
    a return are the reserve and what the plan has kept for the rest of the way home; ``height_m`` of landing
    are charged.
    """
    cost = return_cost_wh_per_m(airframe, wind)
    down_s = landing_time_s(airframe, height_m)
    down_w = energy.hover_power_w(airframe, airframe.take_off_mass_kg, wind.speed_m_s)
    base_wh = airframe.reserve_fraction * airframe.battery_wh - down_w * down_s / energy.JOULES_PER_WH
    rows: list[tuple[float, float]] = []
    rest_wh = back.energy_wh
    for part in back.parts:
        rate = part.energy_wh / max(part.length_m, 1.0)
        if back_is_out:
            # The same leg as on the way out, whose start is this leg's end.
            rows.append((base_wh + rest_wh - part.energy_wh, rate))
        else:
            rows.append((base_wh + rest_wh, -rate))
        rest_wh -= part.energy_wh
    if back_is_out:
        rows.reverse()
    else:
        rows = [(base_wh + back.energy_wh, 0.0)] * len(out.parts) + rows
    return np.array(rows) / cost


def leg_without_returns(
    index: SweepIndex,
    *,
    legs: Sequence[LegXY],
    candidates: Floats,
    mask: Mask,
    tolerance_m: float,
    run_on_m: float,
) -> int | None:
    """The number of a leg that has no legal straight return to any of ``candidates``, whatever the battery holds;
    None where each has.

    No choice among some of these candidates, for these legs and others, is possible then: what the fixed point leaves
    of a set is part of what it leaves of a larger one.
    """
    ends = np.array(legs, dtype=np.float64).reshape(-1, 4)
    status, leg = sweep_kernels.largest(
        ends, candidates, index.grid, index.cells, index.edges, index.owner, index.places, index.place_owner,
        index.standing(mask), index.clearance_m, tolerance_m, run_on_m, np.tile([np.inf, 0.0], (len(ends), 1)),
    )  # fmt: skip
    return None if status == sweep_kernels.PIECES else int(leg)


def choose_rally_points(
    index: SweepIndex,
    *,
    legs: Sequence[LegXY],
    candidates: Floats,
    mask: Mask,
    tolerance_m: float,
    run_on_m: float,
    reach_m: Floats,
    aim: int,
    limit: int,
) -> RallySet | NoRallySet:
    """The largest legal set of relevant rally points, thinned towards ``aim``; or the leg that has none.

    ``legs`` and ``candidates`` (n, 2) are in frame metres; candidates must already be fit to land on.
    ``mask`` says which obstacles stand; ``tolerance_m`` how much nearer another rally point may be than the
    one that the autopilot takes for the nearest; ``reach_m`` is as :func:`reaches_m` gives it. Thinning
    stops at ``aim``, or where no more can go; a set that still has more than ``limit`` is no answer.
    """
    ends = np.array(legs, dtype=np.float64).reshape(-1, 4)
    within = rally_kernels.within_reach(ends, candidates, reach_m, tolerance_m + run_on_m)
    points = candidates[within]
    room = len(ends) * len(points)
    leg, point = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    from_m, to_m = np.empty(room), np.empty(room)
    status, count = sweep_kernels.choose(
        ends, points, index.grid, index.cells, index.edges, index.owner, index.places, index.place_owner,
        index.standing(mask), index.clearance_m, tolerance_m, run_on_m, reach_m, aim, leg, point, from_m, to_m,
    )  # fmt: skip
    if status != sweep_kernels.PIECES:
        return NoRallySet(int(count))
    leg, point, from_m, to_m = leg[:count], within[point[:count]], from_m[:count], to_m[:count]
    of_leg: list[list[int]] = [[] for _ in range(len(ends))]
    chosen = sorted(set(point.tolist()))
    place = {number: position for position, number in enumerate(chosen)}
    for number, candidate in zip(leg.tolist(), point.tolist(), strict=True):
        of_leg[number].append(place[candidate])
    if not all(of_leg):
        raise InternalError(ErrorCode.BROKEN_INVARIANT, "a leg was left without a rally point")
    if len(chosen) > limit:
        return NoRallySet(0)
    return RallySet(
        chosen=tuple(chosen),
        by_leg=tuple(tuple(sorted(positions)) for positions in of_leg),
        swept=rally_kernels.swept(ends, candidates, leg, point, from_m, to_m),
    )
