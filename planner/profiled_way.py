"""A way that changes its height: for flights that no single altitude can fly.

The search is plane. It is first asked among the obstacles that close every allowed altitude above their own
ground; then a height profile is sought along its answer. Where the profile finds no height past some place,
the obstacles that close something there are added, and the search leads around them. Each round leaves
fewer ways, so this ends; it is no proof that no other way exists.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import shapely

from geofences.intervals import Intervals
from geofences.model import TimeWindow
from planner import energy
from planner.airframe import STANDARD_GRAVITY_M_S2, Airframe
from planner.height_bands import Bands, bands_of, boxes_deg, column_top_amsl_m
from planner.height_profile import HeightProfile, NoHeightProfile, climb_limits, height_profile
from planner.height_profile_kernels import ROUNDING_M
from planner.legs import CruisePart, cruise_parts
from planner.policy import PlanningPolicy
from planner.route import Way, WindWins, find_way
from planner.search import NoSearchRoute, SearchWorld
from planner.space import Mask, Space
from planner.wind import Wind

XY = tuple[float, float]

MAX_ROUNDS = 8
"""Chosen: ways tried before it is given up; a round costs about a millisecond."""

LEVEL_STEP_M = 5.0
"""Chosen: an obstacle counts as closing all altitudes when it closes each of those this far apart; a gap
lower than that is no room to fly in with the altitude error at both sides."""


@dataclass(frozen=True, slots=True)
class ProfiledWay:
    """A way with the altitude (m AMSL) of each of its points, the ends' included.

    ``passed`` are the obstacles within the corridor that the way passes over or under. ``covered_m`` is how far
    along it the first place is from which the drone may not climb to the way's highest altitude, at which
    straight returns are flown; None where there is no such place.
    """

    way: Way
    amsl_m: tuple[float, ...]
    passed: frozenset[int]
    covered_m: float | None


@dataclass(frozen=True, slots=True)
class NoProfiledWay:
    """None was found: the search's last refusal, or the obstacles at the place that no height gets past (none: the
    ground). ``column`` says that it was the vertical way over pad or landing point."""

    route: NoSearchRoute | WindWins | None
    obstacles: tuple[int, ...]
    column: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Pad or hover point: where, and the lowest altitude that the vertical way over it may turn into a cruise."""

    xy_m: XY
    ground_amsl_m: float
    lowest_amsl_m: float


def bend_m(airframe: Airframe) -> float:
    """How much height a bend between the steepest climb and descent may cut: twice the slope over the radius
    within which an autopilot takes a waypoint as reached."""
    return 2.0 * climb_limits(airframe).slope_max * airframe.corridor.acceptance_radius_m


def find_profiled_way(
    space: Space,
    world: SearchWorld,
    start: End,
    goal: End,
    *,
    airframe: Airframe,
    wind: Wind,
    policy: PlanningPolicy,
    window: TimeWindow,
) -> ProfiledWay | NoProfiledWay:
    """The way out with its heights; ``world`` is the space's world for the operating area of all heights."""
    reachable = [_above(space, end, window) for end in (start, goal)]
    if not reachable[0] or not reachable[1]:
        return NoProfiledWay(None, _near_column(space, start if not reachable[0] else goal), column=True)
    mask = always_closed(space, policy, window)
    for _ in range(MAX_ROUNDS):
        found = find_way(
            world,
            start.xy_m,
            goal.xy_m,
            mask=mask,
            airframe=airframe,
            wind=wind,
            mass_kg=airframe.take_off_mass_kg,
        )
        if not isinstance(found, Way):
            return NoProfiledWay(found, ())
        bands = bands_of(space, found.points_xy_m, policy=policy, window=window, bend_m=bend_m(airframe))
        profile = height_profile(
            bands.stretches,
            limits=climb_limits(airframe),
            start_amsl_m=reachable[0],
            end_amsl_m=reachable[1],
        )
        if isinstance(profile, HeightProfile):
            flown = with_heights(found, profile, airframe, wind)
            if flown is None:
                return NoProfiledWay(WindWins(), ())
            passed = frozenset(number for near in bands.near for number in near)
            return ProfiledWay(*flown, passed, _covered_m(bands, profile))
        blame = _blamed(bands, profile, mask)
        if not blame:
            return NoProfiledWay(None, ())
        mask = mask.copy()
        mask[list(blame)] = True
    return NoProfiledWay(None, tuple(sorted(blame)))


def with_heights(
    way: Way, profile: HeightProfile, airframe: Airframe, wind: Wind
) -> tuple[Way, tuple[float, ...]] | None:
    """The way with points added where its slope changes, its figures with the energy of climbing, and the
    altitudes of its points; None where the wind doesn't let it be flown."""
    corners = np.array(way.points_xy_m)
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    profile_end_m = profile.along_m[-1]
    added = [
        along
        for along in profile.along_m[1:-1]
        if np.abs(along_m - along).min() > 1e-3 and along < profile_end_m
    ]
    places = np.concatenate([along_m, added])
    order = np.argsort(places, kind="stable")
    x, y = (np.interp(places[order], along_m, corners[:, axis]) for axis in (0, 1))
    # The corners themselves, untouched by interpolation.
    for position, number in enumerate(order.tolist()):
        if number < len(corners):
            x[position], y[position] = corners[number]
    heights = tuple(round(profile.at(float(place)), 3) for place in places[order])
    return raised(tuple(zip(x.tolist(), y.tolist(), strict=True)), heights, way, airframe, wind)


def raised(
    points_xy_m: tuple[XY, ...], amsl_m: tuple[float, ...], like: Way, airframe: Airframe, wind: Wind
) -> tuple[Way, tuple[float, ...]] | None:
    """A way through these points at these altitudes, best of the same as ``like``; None against the wind."""
    parts = cruise_parts(airframe, points_xy_m, wind, airframe.take_off_mass_kg)
    if parts is None:
        return None
    rises = [after - before for before, after in itertools.pairwise(amsl_m)]
    climbing = tuple(_climbing(part, rise, airframe) for part, rise in zip(parts, rises, strict=True))
    return Way(points_xy_m, climbing, like.objective), amsl_m


def backwards(out: ProfiledWay, airframe: Airframe, wind: Wind) -> ProfiledWay | WindWins:
    """The same points and heights the other way round, with their own times and energy."""
    points, heights = tuple(reversed(out.way.points_xy_m)), tuple(reversed(out.amsl_m))
    found = raised(points, heights, out.way, airframe, wind)
    return WindWins() if found is None else ProfiledWay(*found, out.passed, out.covered_m)


def _covered_m(bands: Bands, profile: HeightProfile) -> float | None:
    top_m = max(profile.amsl_m)
    for stretch in bands.stretches:
        low_m = min(profile.at(stretch.from_m), profile.at(stretch.to_m))
        # Slopes change only where stretches do, so the ends are the lowest.
        if not any(low <= low_m + ROUNDING_M and top_m <= high for low, high in stretch.free_amsl_m):
            return stretch.from_m
    return None


def _climbing(part: CruisePart, rise_m: float, airframe: Airframe) -> CruisePart:
    """The part flown on a slope: ground speed and time stay, the climb's potential energy is added, its length is
    that in space. A descent gives nothing back."""
    return part._replace(
        length_m=math.hypot(part.length_m, rise_m),
        energy_wh=part.energy_wh + climb_wh_of(airframe, max(0.0, rise_m)),
    )


def climb_wh_of(airframe: Airframe, rise_m: float) -> float:
    """Potential energy through the electric chain: what climbing costs beside the power of flying level."""
    joules = airframe.take_off_mass_kg * STANDARD_GRAVITY_M_S2 * rise_m / airframe.power.efficiency
    return joules / energy.JOULES_PER_WH


def always_closed(space: Space, policy: PlanningPolicy, window: TimeWindow) -> Mask:
    """Obstacles that close every altitude that the policy allows above the ground around them."""
    sky = space.moment(window)
    return sky.always_closed(policy, lambda: _always_closed(space, policy, window))


def _always_closed(space: Space, policy: PlanningPolicy, window: TimeWindow) -> Mask:
    lowest_m, highest_m = _allowed(space, policy)
    known = np.isfinite(lowest_m) & np.isfinite(highest_m)
    if not known.any():
        return np.ones(len(space.zone_ids), dtype=np.bool_)
    low_m, high_m = float(lowest_m[known].min()), float(highest_m[known].max())
    if low_m > high_m:
        return np.ones(len(space.zone_ids), dtype=np.bool_)
    closed = np.ones(len(space.zone_ids), dtype=np.bool_)
    for level_m in np.linspace(
        low_m, high_m, max(2, math.ceil((high_m - low_m) / LEVEL_STEP_M) + 1)
    ).tolist():
        asked = (lowest_m <= level_m) & (level_m <= highest_m)
        closed &= space.mask(level_m, level_m, window) | ~asked
    return closed


_grounds: WeakKeyDictionary[Space, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = (
    WeakKeyDictionary()
)


def _allowed(space: Space, policy: PlanningPolicy) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Lowest and highest altitude that the policy allows somewhere around each obstacle, NaN-free."""
    terrain = space.airspace.terrain
    found = _grounds.get(space)
    if found is None:
        if math.isinf(terrain.resolution_m):
            # The same everywhere.
            ground = terrain.ground_range_amsl_m(0.0, 0.0, 0.0, 0.0)
            rows = [ground] * len(space.polygons)
        else:
            boxes = (
                boxes_deg(space, space.polygons, space.corridor.half_width_m) if len(space.polygons) else []
            )
            rows = [terrain.ground_range_amsl_m(*box) for box in boxes]
        table = np.array(rows, dtype=np.float64).reshape(-1, 2)
        found = _grounds[space] = (table[:, 0], table[:, 1])
    low_m, high_m = found
    return low_m + policy.minimum_agl_m, high_m + policy.maximum_agl_m - space.corridor.altitude_error_m


def _above(space: Space, end: End, window: TimeWindow) -> Intervals:
    """The altitudes that can be reached over a pad or left over a hover point."""
    top_m = column_top_amsl_m(space, end.xy_m, end.ground_amsl_m, window)
    return () if top_m is None or top_m < end.lowest_amsl_m else ((end.lowest_amsl_m, top_m),)


def _near_column(space: Space, end: End) -> tuple[int, ...]:
    found = space.tree.query(
        shapely.Point(end.xy_m), predicate="dwithin", distance=space.corridor.flight_geography_m
    )
    return tuple(int(number) for number in np.sort(found))


def _blamed(bands: Bands, failed: NoHeightProfile, mask: Mask) -> set[int]:
    """What closes something at the place that no height gets past, or next before it; not yet avoided."""
    for number in range(failed.stretch, -1, -1):
        found = {obstacle for obstacle in bands.near[number] if not mask[obstacle]}
        if found:
            return found
    return set()
