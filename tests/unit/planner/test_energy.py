"""Power and energy against momentum theory, published endurance and plain arithmetic."""

from __future__ import annotations

import math

import pytest

from planner import energy
from planner.airframe import braking_distance_m
from planner.corridor import corridor_of
from tests.unit.planner.helpers import HEX10


def test_hover_takes_the_published_endurance_of_the_pattern() -> None:
    # 780 Wh in 38 min at 10 kg.
    assert energy.level_power_w(HEX10, 10.0, 0.0) == pytest.approx(780.0 / (38.0 / 60.0), rel=0.005)


def test_induced_velocity_is_momentum_theory() -> None:
    disc_m2 = 6 * math.pi * (21 * 0.0254 / 2) ** 2
    v0 = math.sqrt(10.0 * 9.80665 / (2 * 1.225 * disc_m2))
    assert HEX10.power.induced_velocity_m_s == pytest.approx(v0, rel=0.01)
    assert HEX10.power.induced_w == pytest.approx(1.2 * 10.0 * 9.80665 * v0, rel=0.01)


@pytest.mark.parametrize("airspeed", [0.5, 3.0, 7.0, 12.0, 20.0, 25.0])
def test_level_power_is_zengs_formula(airspeed: float) -> None:
    p, v = HEX10.power, airspeed
    v0 = p.induced_velocity_m_s
    induced = p.induced_w * math.sqrt(math.sqrt(1 + v**4 / (4 * v0**4)) - v**2 / (2 * v0**2))
    profile = p.profile_w * (1 + 3 * v**2 / p.tip_speed_m_s**2)
    drag = 0.5 * p.air_density_kg_m3 * p.drag_area_m2 * v**3
    expected = (profile + induced + drag) / p.efficiency + p.avionics_w
    assert energy.level_power_w(HEX10, 10.0, v) == pytest.approx(expected, rel=1e-9)


def test_power_has_its_minimum_at_a_moderate_speed() -> None:
    powers = {v: energy.level_power_w(HEX10, 10.0, float(v)) for v in range(31)}
    best = min(powers, key=lambda v: powers[v])
    assert 5 <= best <= 15
    assert powers[best] < powers[0] < powers[30]


def test_climb_adds_at_least_half_of_the_work_against_gravity() -> None:
    extra_w = energy.climb_power_w(HEX10, 10.0, 6.0) - energy.level_power_w(HEX10, 10.0, 0.0)
    gravity_w = 10.0 * 9.80665 * 6.0
    assert 0.5 * gravity_w < extra_w < 2.0 * gravity_w
    assert energy.climb_power_w(HEX10, 10.0, 0.0) == pytest.approx(energy.level_power_w(HEX10, 10.0, 0.0))


def test_heavier_costs_more() -> None:
    assert energy.level_power_w(HEX10, 12.0, 10.0) > energy.level_power_w(HEX10, 10.0, 10.0)


def test_battery_leaves_what_cannot_be_used_and_the_reserve() -> None:
    full = energy.battery_at(HEX10, 1.0)
    assert full.usable_wh == pytest.approx(702.0)
    assert full.for_flight_wh == pytest.approx(702.0 - 117.0)
    assert energy.battery_at(HEX10, 0.05).usable_wh == 0.0
    assert energy.battery_at(HEX10, 0.5).usable_wh == pytest.approx(0.4 * 780.0)


def test_corridor_adds_up() -> None:
    corridor = corridor_of(HEX10)
    assert corridor.flight_geography_m == pytest.approx(3 + 3 + 1 + 5)
    braking = 20.0**2 / (2 * 9.80665 * math.tan(math.radians(35)))
    assert corridor.contingency_m == pytest.approx(20.0 * 1.0 + braking)
    assert braking_distance_m(20.0, 35.0) == pytest.approx(braking)
