"""Height profiles against a dense grid: never in what is closed, never too steep, never dearer than the grid's best."""

from __future__ import annotations

import itertools
import math

from hypothesis import event, given, settings
from hypothesis import strategies as st

from planner.height_profile import (
    CLIMB_S_PER_M,
    CORNER_S,
    ClimbLimits,
    HeightProfile,
    NoHeightProfile,
    Stretch,
    height_profile,
)

SLOPE, STEP_M = 0.1, 25.0
RISE_M = SLOPE * STEP_M
LIMITS = ClimbLimits(slope_max=SLOPE, climb_s_per_m=1 / 6, descent_s_per_m=1 / 4.5)
LEVELS = 40

Bands = tuple[tuple[float, float], ...]


@st.composite
def bands(draw: st.DrawFn) -> Bands:
    edges = sorted(draw(st.sets(st.integers(0, LEVELS), min_size=2, max_size=4)))
    if len(edges) == 3:
        edges.pop()
    return tuple((low * RISE_M, high * RISE_M) for low, high in zip(edges[::2], edges[1::2], strict=True))


@st.composite
def ways(draw: st.DrawFn) -> tuple[Stretch, ...]:
    along, found = 0.0, []
    for _ in range(draw(st.integers(1, 7))):
        end = along + STEP_M * draw(st.integers(1, 16))
        found.append(Stretch(along, end, draw(bands())))
        along = end
    return tuple(found)


def cheapest_on_grid(way: tuple[Stretch, ...], start: Bands, end: Bands) -> float:
    """Moves of one step along and at most one level up or down; infinite where there is no way."""

    def free(stretch: Stretch, level: int) -> bool:
        return any(low <= level * RISE_M <= high for low, high in stretch.free_amsl_m)

    def reach(area: Bands, level: int) -> bool:
        return any(low <= level * RISE_M <= high for low, high in area)

    def gap_between(stretch: Stretch, one: int, other: int) -> bool:
        return not any(
            low <= min(one, other) * RISE_M and max(one, other) * RISE_M <= high
            for low, high in stretch.free_amsl_m
        )

    cost = {
        level: level * RISE_M * LIMITS.climb_s_per_m
        for level in range(LEVELS + 1)
        if free(way[0], level) and reach(start, level)
    }
    for stretch in way:
        for _ in range(round((stretch.to_m - stretch.from_m) / STEP_M)):
            following: dict[int, float] = {}
            for level, so_far in cost.items():
                for other in (level - 1, level, level + 1):
                    if not (0 <= other <= LEVELS) or not (free(stretch, level) and free(stretch, other)):
                        continue
                    if gap_between(stretch, level, other):
                        continue
                    total = so_far + CLIMB_S_PER_M * RISE_M * abs(other - level)
                    if total < following.get(other, math.inf):
                        following[other] = total
            cost = following
    found = [
        so_far + level * RISE_M * LIMITS.descent_s_per_m
        for level, so_far in cost.items()
        if reach(end, level)
    ]
    return min(found, default=math.inf)


def cost_of(profile: HeightProfile) -> float:
    climbs = sum(abs(b - a) for a, b in zip(profile.amsl_m, profile.amsl_m[1:], strict=False))
    return (
        profile.amsl_m[0] * LIMITS.climb_s_per_m
        + profile.amsl_m[-1] * LIMITS.descent_s_per_m
        + CLIMB_S_PER_M * climbs
    )


@settings(max_examples=300, deadline=None)
@given(way=ways(), start=bands(), end=bands())
def test_a_profile_is_legal_flyable_and_as_cheap_as_any(
    way: tuple[Stretch, ...], start: Bands, end: Bands
) -> None:
    best = cheapest_on_grid(way, start, end)
    found = height_profile(way, limits=LIMITS, start_amsl_m=start, end_amsl_m=end)
    event(f"{type(found).__name__}, grid {'has none' if math.isinf(best) else 'has one'}")
    if isinstance(found, NoHeightProfile):
        assert math.isinf(best), "the grid found a way"
        assert 0 <= found.stretch < len(way)
        return
    corners = list(zip(found.along_m, found.amsl_m, strict=True))
    for (here, low), (there, high) in itertools.pairwise(corners):
        assert abs(high - low) <= SLOPE * (there - here) + 1e-4
    assert any(low - 1e-4 <= found.amsl_m[0] <= high + 1e-4 for low, high in start)
    assert any(low - 1e-4 <= found.amsl_m[-1] <= high + 1e-4 for low, high in end)
    for stretch in way:
        heights = [
            found.at(stretch.from_m + share / 40 * (stretch.to_m - stretch.from_m)) for share in range(41)
        ]
        assert any(
            all(low - 1e-4 <= height <= high + 1e-4 for height in heights)
            for low, high in stretch.free_amsl_m
        ), stretch
    assert cost_of(found) <= best + CORNER_S * len(corners) + 1e-4


@given(way=ways(), level=st.integers(0, LEVELS))
def test_a_level_that_is_free_all_the_way_is_the_answer_itself(way: tuple[Stretch, ...], level: int) -> None:
    height = level * RISE_M
    if not all(any(low <= height <= high for low, high in stretch.free_amsl_m) for stretch in way):
        return
    everywhere = ((-1.0, 1000.0),)
    found = height_profile(
        way, limits=LIMITS, start_amsl_m=everywhere, end_amsl_m=everywhere, level_amsl_m=height
    )
    assert found == HeightProfile((way[0].from_m, way[-1].to_m), (height, height))
