"""Leg times against step-by-step integration, corners against circle geometry, wind against vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from planner import motion
from tests.unit.planner.helpers import wind


def integrated_s(length_m: float, start: float, end: float, cruise: float, a: float) -> float:
    """Drive in 1 ms steps: full throttle until the braking distance is reached, then brake."""
    step, s, v, t = 1e-3, 0.0, start, 0.0
    while s < length_m and t < 1e4:
        brake_m = (v * v - end * end) / (2 * a)
        v = max(end, v - a * step) if length_m - s <= brake_m else min(cruise, v + a * step)
        s += v * step
        t += step
        if v <= 1e-9:
            break
    return t


@pytest.mark.parametrize(
    ("length", "start", "end", "cruise"),
    [(500.0, 0.0, 0.0, 20.0), (30.0, 0.0, 0.0, 20.0), (200.0, 12.0, 5.0, 20.0), (60.0, 4.0, 15.0, 18.0)],
)
def test_leg_time_matches_integration(length: float, start: float, end: float, cruise: float) -> None:
    duration, peak = motion.leg_time_s(length, start, end, cruise, 4.0)
    assert duration == pytest.approx(integrated_s(length, start, end, cruise, 4.0), rel=0.015, abs=0.1)
    assert peak <= cruise + 1e-9


def test_corner_arc_passes_the_waypoint_at_the_acceptance_radius() -> None:
    for turn_deg in (10.0, 45.0, 90.0, 135.0):
        speed = motion.corner_speed_m_s(math.cos(math.radians(turn_deg)), 5.0, 4.0)
        radius = speed * speed / 4.0
        # The arc touches both legs; its middle is R(1/cos(φ/2) − 1) from the corner.
        assert radius * (1 / math.cos(math.radians(turn_deg) / 2) - 1) == pytest.approx(5.0)
    assert motion.corner_speed_m_s(1.0, 5.0, 4.0) == math.inf
    assert motion.corner_speed_m_s(-1.0, 5.0, 4.0) == pytest.approx(0.0, abs=1e-6)


def test_corner_speeds_can_be_reached_and_left() -> None:
    lengths, cruise = np.array([500.0, 8.0, 500.0]), np.array([20.0, 20.0, 20.0])
    speeds = motion.speeds_at_ends_m_s(lengths, cruise, np.array([15.0, 2.0]), 4.0)
    assert speeds[0] == speeds[-1] == 0.0
    assert speeds[2] == 2.0
    # 8 m before the slow corner: no faster than what can be braked away.
    assert speeds[1] == pytest.approx(math.sqrt(2.0**2 + 2 * 4.0 * 8.0))


@pytest.mark.parametrize("from_deg", [0.0, 37.0, 90.0, 200.0, 359.0])
@pytest.mark.parametrize("track_deg", [0.0, 45.0, 180.0, 271.0])
def test_wind_triangle_closes(from_deg: float, track_deg: float) -> None:
    blowing = wind(from_deg, 9.0).towards_xy_m_s
    direction = (math.sin(math.radians(track_deg)), math.cos(math.radians(track_deg)))
    ground = motion.ground_speed_m_s(*direction, *blowing, 20.0)
    air = (direction[0] * ground - blowing[0], direction[1] * ground - blowing[1])
    assert math.hypot(*air) == pytest.approx(20.0)
    assert motion.airspeed_for_m_s(*direction, *blowing, ground) == pytest.approx(20.0)


def test_wind_from_the_west_pushes_east() -> None:
    east, north = wind(270.0, 10.0).towards_xy_m_s
    assert east == pytest.approx(10.0)
    assert north == pytest.approx(0.0, abs=1e-9)
    assert motion.ground_speed_m_s(1.0, 0.0, east, north, 20.0) == pytest.approx(30.0)
    assert motion.ground_speed_m_s(-1.0, 0.0, east, north, 20.0) == pytest.approx(10.0)


def test_wind_can_win() -> None:
    assert math.isnan(motion.ground_speed_m_s(0.0, 1.0, 25.0, 0.0, 20.0))
    assert math.isnan(motion.ground_speed_m_s(0.0, 1.0, 0.0, -21.0, 20.0))
