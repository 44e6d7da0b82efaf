"""What must hold for every leg, mission, flight and pack."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitl import columns as p
from sitl.airframe import GRAVITY_M_S2, load_airframe
from sitl.physics import FleetArrays, step_fleet
from sitl.trajectory import L_TOTAL_S, LEG_COLUMNS, corner_overlap_s, leg_state, plan_leg
from tests.unit.sitl.ground_station import GroundStation, make_vehicle

metres = st.floats(-3000, 3000, allow_nan=False)


@settings(deadline=None)
@given(
    metres, metres, st.floats(-200, 200), st.floats(0.5, 25), st.floats(0.5, 6), st.floats(0.5, 10),
    st.floats(0, 0.5), st.floats(0, 1),
)  # fmt: skip
def test_a_leg_ends_exactly_at_rest_within_its_limits(
    north: float,
    east: float,
    up: float,
    speed: float,
    acceleration: float,
    jerk: float,
    rise: float,
    start: float,
) -> None:
    leg = np.zeros(LEG_COLUMNS)
    length = math.sqrt(north**2 + east**2 + up**2)
    # A start speed that can still be braked away on this leg.
    entry = start * min(speed, math.sqrt(acceleration * length) * 0.3, (jerk * length**2) ** (1 / 3) * 0.3)
    plan_leg(leg, north, east, up, entry, speed, acceleration, jerk, rise)
    total = leg[L_TOTAL_S]
    distance, at_end, _ = leg_state(total, leg)
    assert distance == pytest.approx(length, abs=1e-6 * max(length, 1.0))
    assert at_end == pytest.approx(0.0, abs=1e-6)
    before = 0.0
    for time_s in np.linspace(0.0, total, 60):
        distance, velocity, accel = leg_state(time_s, leg)
        assert distance >= before - 1e-6
        assert -1e-9 <= velocity <= max(speed, entry) + 1e-6
        assert abs(accel) <= acceleration + 1e-6
        before = distance


@settings(deadline=None)
@given(metres, metres, metres, metres, st.floats(2, 20), st.floats(0.5, 10))
def test_a_rounded_corner_stays_within_the_radius(
    n1: float, e1: float, n2: float, e2: float, speed: float, radius: float
) -> None:
    first, second = np.zeros(LEG_COLUMNS), np.zeros(LEG_COLUMNS)
    plan_leg(first, n1, e1, 0.0, 0.0, speed, 2.5, 1.0, 0.3)
    plan_leg(second, n2, e2, 0.0, 0.0, speed, 2.5, 1.0, 0.3)
    if first[L_TOTAL_S] == 0 or second[L_TOTAL_S] == 0:
        return
    overlap = corner_overlap_s(first, second, radius, 5.0)
    assert 0.0 <= overlap <= first[L_TOTAL_S]
    s1, _, _ = leg_state(first[L_TOTAL_S] - overlap / 2, first)
    s2, _, _ = leg_state(overlap / 2, second)
    gap = s1 - first[4]
    cut = math.hypot(first[1] * gap + second[1] * s2, first[2] * gap + second[2] * s2)
    assert cut <= radius + 1e-9


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from([16, 19, 21, 22, 82]),
            st.floats(-5000, 5000),
            st.floats(-5000, 5000),
            st.floats(-100, 500),
            st.sampled_from([0, 3, 5, 6, 10, 11]),
            st.integers(0, 600),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_a_mission_comes_back_as_it_was_sent_but_for_the_known_losses(rows: list[tuple[int, ...]]) -> None:
    station = GroundStation(make_vehicle())
    station.run(0.2)
    items = [station.item(16, 0)] + [
        station.item(command, north, east, up, frame=frame, p=(seconds, 0, 0, 0))
        for command, north, east, up, frame, seconds in rows
    ]
    assert station.upload(items) == 0
    back = station.download()
    assert len(back) == len(items)
    for sent, kept in zip(items[1:], back[1:], strict=True):
        assert kept.command == sent.command
        assert (kept.x, kept.y) == (sent.x, sent.y)
        assert kept.frame == {0: 0, 5: 0, 3: 3, 6: 3, 10: 10, 11: 10}[sent.frame]
        assert kept.z == pytest.approx(sent.z, abs=0.011)
        assert kept.param1 == sent.param1


def one(airframe: str, seed: int = 1) -> FleetArrays:
    arrays = FleetArrays.empty(1)
    arrays.place(0, load_airframe(airframe), seed)
    return arrays


def run(arrays: FleetArrays, seconds: float) -> None:
    step_fleet(
        arrays.states, arrays.commands, arrays.airframes, arrays.legs, arrays.random_words, round(seconds / p.TICK_S)
    )  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["hex10", "delivery_quad", "arducopter_sitl_quad"]),
    st.floats(-15, 15),
    st.floats(-15, 15),
    st.floats(0, 3),
    st.floats(-300, 300),
    st.integers(0, 2**32),
)
def test_charge_only_falls_and_power_matches_current_and_voltage(
    airframe: str, wind_n: float, wind_e: float, gusts: float, north: float, seed: int
) -> None:
    arrays = one(airframe, seed)
    state, command = arrays.states[0], arrays.commands[0]
    command[p.C_MOTORS_ON] = 1.0
    command[p.C_XY_MODE], command[p.C_Z_MODE] = p.XY_POINT, p.Z_HEIGHT
    command[p.C_NORTH], command[p.C_UP] = north, 40.0
    command[p.C_WIND_NORTH], command[p.C_WIND_EAST], command[p.C_TURBULENCE_M_S] = wind_n, wind_e, gusts
    charge = energy = 0.0
    for _ in range(30):
        run(arrays, 1.0)
        assert np.all(np.isfinite(state))
        assert state[p.S_CONSUMED_AH] >= charge
        assert state[p.S_ENERGY_WH] >= energy
        # A pack never gives more energy than its charge at full voltage.
        assert state[p.S_ENERGY_WH] <= state[p.S_CONSUMED_AH] * arrays.airframes[0, p.A_FULL_V] + 1e-9
        charge, energy = state[p.S_CONSUMED_AH], state[p.S_ENERGY_WH]
    assert charge > 0


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(["hex10", "delivery_quad", "arducopter_sitl_quad"]), st.floats(0.5, 2.0))
def test_falling_with_motors_off_gains_no_energy(airframe: str, mass_factor: float) -> None:
    arrays = one(airframe)
    state, command = arrays.states[0], arrays.commands[0]
    command[p.C_MASS_KG] *= mass_factor
    state[p.S_UP], state[p.S_ON_GROUND] = 200.0, 0.0
    state[p.S_VEL_NORTH] = 12.0
    mass = command[p.C_MASS_KG]

    def mechanical() -> float:
        speed_sq = sum(float(state[p.S_VEL_NORTH + axis]) ** 2 for axis in range(3))
        return float(mass * (GRAVITY_M_S2 * state[p.S_UP] + 0.5 * speed_sq))

    before = mechanical()
    for _ in range(40):
        run(arrays, 0.1)
        now = mechanical()
        assert now <= before + 1e-6
        before = now


@settings(deadline=None, max_examples=20)
@given(st.floats(0, 14), st.floats(0, 2 * math.pi), st.sampled_from(["hex10", "delivery_quad"]))
def test_it_holds_its_place_in_any_wind_it_can_fly_in(speed: float, towards: float, airframe: str) -> None:
    arrays = one(airframe)
    state, command = arrays.states[0], arrays.commands[0]
    command[p.C_MOTORS_ON] = 1.0
    command[p.C_XY_MODE], command[p.C_Z_MODE] = p.XY_POINT, p.Z_HEIGHT
    command[p.C_UP], command[p.C_LEAN_MAX_RAD] = 60.0, math.radians(35)
    command[p.C_WIND_NORTH] = speed * math.cos(towards)
    command[p.C_WIND_EAST] = speed * math.sin(towards)
    run(arrays, 90)
    assert math.hypot(state[p.S_NORTH], state[p.S_EAST]) < 0.5
    assert state[p.S_UP] == pytest.approx(60, abs=0.3)


def test_turbulence_has_the_strength_it_was_given() -> None:
    """Dryden at low altitude: vertical deviation as set; horizontal 1/(0.177 + 0.000823·h)^0.4 times it."""
    arrays = one("delivery_quad", 7)
    state, command = arrays.states[0], arrays.commands[0]
    command[p.C_TURBULENCE_M_S] = 1.0
    command[p.C_MOTORS_ON] = 1.0
    command[p.C_XY_MODE], command[p.C_Z_MODE] = p.XY_VELOCITY, p.Z_HEIGHT
    command[p.C_UP], command[p.C_VEL_NORTH] = 60.0, 12.0
    command[p.C_LEAN_MAX_RAD] = math.radians(35)
    run(arrays, 60)
    samples = []
    for _ in range(20000):
        run(arrays, 0.1)
        samples.append((state[p.S_WIND_NORTH], state[p.S_WIND_EAST], state[p.S_WIND_UP]))
    north, east, up = np.std(np.array(samples), axis=0)
    height_ft = 60 * 3.28084
    horizontal = 1.0 / (0.177 + 0.000823 * height_ft) ** 0.4
    assert up == pytest.approx(1.0, rel=0.12)
    assert north == pytest.approx(horizontal, rel=0.12)
    assert east == pytest.approx(horizontal, rel=0.12)


def test_hovering_takes_the_published_power() -> None:
    """hex10: 1231 W at 10 kg (38 min from 780 Wh); the planner counts with the same figure."""
    vehicle = make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0})
    station = GroundStation(vehicle)
    station.take_off(20)
    station.run(15)
    before_wh, since_s = vehicle.body.energy_wh, vehicle.time_s
    station.run(60)
    power_w = (vehicle.body.energy_wh - before_wh) / (vehicle.time_s - since_s) * 3600.0
    assert power_w == pytest.approx(1231, rel=0.03)
