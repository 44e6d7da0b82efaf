"""Which aircraft a drone gives way to, and what it reads of an ADS-B report."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from core.geodesy import destination
from flight.links.mavlink.framing import Message
from flight.links.mavlink.telemetry import TelemetryReader
from flight.model.faults import Fault
from flight.model.view import KEPT_AIRCRAFT, Aircraft, VehicleView
from flight.traffic import AHEAD_S, BUBBLE_M, FORGOTTEN_AFTER_S, TrafficWatch
from tests.unit.flight.plans import director, plan, view

NOW_S = 100.0
HERE = plan().home.position
OURS_M = 65.0
"""As :func:`view` has it."""


def aircraft(north_m: float, south_m_s: float | None = 45.0, **changes: object) -> Aircraft:
    """North of us, flying south."""
    values: dict[str, object] = {
        "address": 1,
        "callsign": "B-7008",
        "position": destination(HERE, 0.0, north_m),
        "altitude_amsl_m": OURS_M,
        "by_pressure": False,
        "velocity_east_m_s": None if south_m_s is None else 0.0,
        "velocity_north_m_s": None if south_m_s is None else -south_m_s,
        "climb_m_s": None,
        "heard_s": NOW_S,
    }
    return Aircraft(**(values | changes))  # type: ignore[arg-type]


def given_way(*seen: Aircraft, watch: TrafficWatch | None = None, now_s: float = NOW_S) -> bool:
    watch = watch or TrafficWatch(director().way)
    found = watch.findings(view(traffic={each.address: each for each in seen}), now_s)
    return [each.fault for each in found] == [Fault.INTRUDER]


@pytest.mark.parametrize(
    ("seen", "gives_way"),
    [
        (aircraft(0.8 * BUBBLE_M, 0.0), True),
        (aircraft(1.2 * BUBBLE_M, 0.0), False),
        (aircraft(45.0 * AHEAD_S), True),
        (aircraft(45.0 * AHEAD_S + 1.1 * BUBBLE_M), False),
        (aircraft(45.0 * AHEAD_S, -45.0), False),
        (aircraft(0.8 * BUBBLE_M, 45.0, altitude_amsl_m=OURS_M + 160.0), False),
        (aircraft(0.8 * BUBBLE_M, 45.0, altitude_amsl_m=OURS_M + 160.0, by_pressure=True), True),
        (aircraft(0.8 * BUBBLE_M, 45.0, altitude_amsl_m=OURS_M + 310.0, by_pressure=True), False),
        (aircraft(0.8 * BUBBLE_M, 45.0, altitude_amsl_m=OURS_M + 350.0, climb_m_s=-10.0), True),
        (aircraft(0.8 * BUBBLE_M, 45.0, altitude_amsl_m=None), True),
        (aircraft(3000.0, None), True),
        (aircraft(5000.0, None), False),
        (aircraft(1000.0, 45.0, heard_s=NOW_S - FORGOTTEN_AFTER_S - 1.0), False),
        (aircraft(45.0 * AHEAD_S + 450.0 + 45.0 * 10.0, 45.0, heard_s=NOW_S - 10.0), True),
    ],
)
def test_who_is_given_way_to(seen: Aircraft, gives_way: bool) -> None:
    assert given_way(seen) == gives_way


def test_the_nearest_is_named_and_others_do_not_hide_it() -> None:
    watch = TrafficWatch(director().way)
    far, near = aircraft(5000.0, 0.0, address=7), aircraft(100.0, 0.0, address=8, callsign="")
    (found,) = watch.findings(view(traffic={7: far, 8: near}), NOW_S)
    assert "000008" in found.detail


def test_one_that_was_given_way_to_must_be_well_past() -> None:
    watch = TrafficWatch(director().way)
    assert given_way(aircraft(0.9 * BUBBLE_M, 0.0), watch=watch)
    assert given_way(aircraft(1.3 * BUBBLE_M, 0.0), watch=watch)
    assert not given_way(aircraft(1.6 * BUBBLE_M, 0.0), watch=watch)
    assert not given_way(aircraft(1.3 * BUBBLE_M, 0.0), watch=watch), "it begins anew"


def test_without_a_place_of_our_own_nothing_is_said() -> None:
    watch = TrafficWatch(director().way)
    assert watch.findings(view(position=None, traffic={1: aircraft(10.0)}), NOW_S) == []


def report(**changes: object) -> Message:
    values: dict[str, object] = {
        "ICAO_address": 0x780A11,
        "lat": 225600000,
        "lon": 1138900000,
        "altitude_type": 0,
        "altitude": 120_000,
        "heading": 9000,
        "hor_velocity": 4500,
        "ver_velocity": -200,
        "callsign": "B-7008  ",
        "emitter_type": 7,
        "tslc": 2,
        "flags": 1 | 2 | 4 | 8 | 16 | 128,
    }
    return SimpleNamespace(name="ADSB_VEHICLE", fields=SimpleNamespace(**(values | changes)))  # type: ignore[return-value]


def test_a_report_is_read_and_what_it_does_not_vouch_for_is_left_out() -> None:
    seen = VehicleView()
    reader = TelemetryReader(seen)
    reader.read(report(), NOW_S)
    (heard,) = seen.traffic.values()
    assert (heard.callsign, heard.altitude_amsl_m, heard.by_pressure) == ("B-7008", 120.0, True)
    assert math.isclose(heard.velocity_east_m_s or 0.0, 45.0)
    assert math.isclose(heard.velocity_north_m_s or 0.0, 0.0, abs_tol=1e-9)
    assert (heard.climb_m_s, heard.heard_s) == (-2.0, NOW_S - 2.0)
    reader.read(report(flags=1, tslc=255), NOW_S)
    (heard,) = seen.traffic.values()
    assert (heard.callsign, heard.altitude_amsl_m, heard.velocity_east_m_s) == ("", None, None)
    assert (heard.climb_m_s, heard.heard_s) == (None, NOW_S)


def test_a_report_without_a_place_is_none_and_a_flood_fills_nothing() -> None:
    seen = VehicleView()
    reader = TelemetryReader(seen)
    reader.read(report(flags=2), NOW_S)
    reader.read(report(lat=910_000_000), NOW_S)
    assert not seen.traffic
    for address in range(3 * KEPT_AIRCRAFT):
        reader.read(report(ICAO_address=address), NOW_S)
    assert len(seen.traffic) == KEPT_AIRCRAFT
    assert max(seen.traffic) == 3 * KEPT_AIRCRAFT - 1
