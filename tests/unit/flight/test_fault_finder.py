"""Which faults follow from a view, one at a time, and which ways are open."""

from datetime import UTC, datetime

import pytest

from core.geodesy import Wgs84Point
from flight.closed_zones import ClosedZones
from flight.director import Director
from flight.model.failsafe import WaysOpen
from flight.model.faults import Fault
from flight.model.phases import Phase
from flight.model.view import LandedState, StatusText, VehicleView
from flight.motor_load import LOOKS_NEEDED
from geofences.model import Zone
from tests.unit.flight.plans import at_delivery, director, moved, plan, view
from tests.unit.flight.test_director import MISSION
from tests.unit.planner.helpers import box_zone

NOW_S = 100.0
NOW = datetime(2026, 11, 22, 4, 1, tzinfo=UTC)


def reader(*closed: Zone) -> Director:
    found = director()
    found.expect_mode(MISSION, 0.0)
    found.faults.zones = ClosedZones(closed, plan().home.position, None)
    return found


def faults(seen: VehicleView, phase: Phase, now_s: float = NOW_S, *closed: Zone) -> set[Fault]:
    return {each.fault for each in reader(*closed).faults.findings(seen, phase, now_s, NOW)}


def on_the_way(east_m: float, north_m: float = 0.0, **changes: object) -> VehicleView:
    here = moved(moved(plan().home.position, 90, east_m), 0, north_m)
    return view(position=here, **changes)


def test_a_healthy_flight_has_no_fault() -> None:
    assert faults(view(), Phase.OUTBOUND) == set()


def test_silence() -> None:
    assert faults(view(), Phase.OUTBOUND, NOW_S + 1.4) == set()
    assert faults(view(), Phase.OUTBOUND, NOW_S + 2.0) == {Fault.LINK_STALE}
    assert faults(view(), Phase.OUTBOUND, NOW_S + 6.0) == {Fault.LINK_STALE, Fault.LINK_LOST}


def test_position_loss_and_a_failed_estimator_are_two_things() -> None:
    assert faults(view(gps_fix_type=2), Phase.OUTBOUND) == {Fault.GPS_LOST}
    assert faults(view(ekf_flags=167), Phase.OUTBOUND) == {Fault.ESTIMATOR_FAILED}
    assert faults(view(ekf_flags=831 | 0x80), Phase.OUTBOUND) == {Fault.ESTIMATOR_FAILED}


def test_a_position_that_jumps_further_than_anything_flies() -> None:
    finder = reader().faults

    def seen(east_m: float, at_s: float) -> set[Fault]:
        here = on_the_way(east_m, position_s=at_s, heard_s=at_s)
        return {each.fault for each in finder.findings(here, Phase.OUTBOUND, at_s, NOW)}

    assert seen(100, 100.0) == set()
    assert seen(104, 100.2) == set(), "20 m/s"
    assert seen(136, 100.4) == {Fault.GPS_GLITCH}
    assert seen(140, 100.6) == {Fault.GPS_GLITCH}, "a jump counts for a while"
    assert seen(240, 106.0) == set(), "and is over"


def test_energy() -> None:
    assert faults(view(charge_fraction=0.5), Phase.OUTBOUND) == set()
    assert faults(view(charge_fraction=0.3), Phase.OUTBOUND) == {Fault.ENERGY_SHORT}
    land = reader().mission.indices.land
    assert faults(view(charge_fraction=0.3, mission_seq=land), Phase.INBOUND) == set()
    assert faults(view(charge_fraction=0.24, mission_seq=land), Phase.INBOUND) >= {Fault.BATTERY_LOW}
    assert faults(view(charge_fraction=0.15), Phase.OUTBOUND) == {Fault.BATTERY_CRITICAL}


def test_a_way_home_that_the_charge_does_not_cover_is_critical_before_half_the_reserve() -> None:
    first_home = reader().mission.indices.inbound_first
    needed_wh = sum(leg.energy_wh for leg in plan().inbound)
    charge = 0.1 + 0.9 * needed_wh / 780.0
    found = faults(at_delivery(charge_fraction=charge, mission_seq=first_home), Phase.INBOUND)
    usable_wh = (charge - 0.1) * 780.0
    expected = Fault.BATTERY_CRITICAL
    assert (expected in found) == (usable_wh < needed_wh or usable_wh < 0.5 * 0.15 * 780.0)


def test_wind_that_is_measured_in_the_air() -> None:
    assert faults(view(wind_from_deg=90.0, wind_speed_m_s=11.0), Phase.OUTBOUND) == set()
    assert faults(view(wind_from_deg=90.0, wind_speed_m_s=14.0), Phase.OUTBOUND) == {Fault.WIND_ABOVE_LIMIT}
    standing = view(wind_speed_m_s=14.0, wind_from_deg=0.0, landed_state=LandedState.ON_GROUND, armed=False)
    assert Fault.WIND_ABOVE_LIMIT not in faults(standing, Phase.PREPARING), "no measurement on the ground"


def test_deviation_sideways_is_measured_from_the_leg_not_from_its_end() -> None:
    half_way = moved(plan().home.position, 90, 400)
    assert faults(view(position=half_way), Phase.OUTBOUND) == set()
    off = moved(half_way, 0, plan().corridor_half_width_m + 5)
    assert faults(view(position=off), Phase.OUTBOUND) == {Fault.DEVIATION}
    drifted = at_delivery(position=moved(plan().delivery.position, 0, 12))
    assert faults(drifted, Phase.LOWERING) == {Fault.DEVIATION}


@pytest.mark.parametrize(("height_m", "strays"), [(60.0, False), (66.0, False), (68.0, True), (52.0, True)])
def test_deviation_in_height(height_m: float, strays: bool) -> None:
    cruise = next(i for i, n in enumerate(reader().mission.item_legs) if n and n.index == 1)
    seen = on_the_way(400, height_above_home_m=height_m, mission_seq=cruise)
    # The climb over the pad is one of the legs that count just after it; 400 m on it is not near.
    assert (Fault.DEVIATION in faults(seen, Phase.OUTBOUND)) == strays


@pytest.mark.parametrize(
    "changes",
    [
        {"velocity_up_m_s": -12.0},
        {"unhealthy_sensors": 0x8000},
        {"texts": [StatusText(99.0, 2, "Potential Thrust Loss (3)")]},
    ],
)
def test_motor_or_attitude_trouble(changes: dict[str, object]) -> None:
    assert faults(view(**changes), Phase.OUTBOUND) == {Fault.MOTOR_TROUBLE}
    assert faults(view(velocity_up_m_s=-4.5), Phase.RETURNING) == set(), "a planned descent"


def on_the_ground(
    then_a: float | None,
    *,
    flying_a: float | None = 30.0,
    phase: Phase = Phase.OUTBOUND,
    up_m_s: float = 0.0,
    **seen: object,
) -> set[Fault]:
    """Faults once a vehicle that flew with ``flying_a`` says that it stands, and draws ``then_a``."""
    finder = reader().faults
    for _ in range(LOOKS_NEEDED):
        finder.findings(view(battery_current_a=flying_a, velocity_up_m_s=up_m_s), phase, NOW_S, NOW)
    down = {"landed_state": LandedState.ON_GROUND, "battery_current_a": then_a, **seen}
    stands = view(**down) if "position" in seen else on_the_way(400, **down)
    return {each.fault for each in finder.findings(stands, phase, NOW_S, NOW)}


def test_lying_on_the_ground_with_turning_motors() -> None:
    assert Fault.CRASHED in on_the_ground(4.0)
    assert Fault.CRASHED not in on_the_ground(4.0, phase=Phase.ARMED)
    assert Fault.CRASHED not in on_the_ground(4.0, velocity_up_m_s=-2.0), "it moves"


def test_a_landed_detectors_word_alone_never_stops_motors() -> None:
    here = plan().delivery.position
    hover_m = plan().delivery.altitude_amsl_m - plan().home.altitude_amsl_m
    assert Fault.CRASHED not in on_the_ground(29.0), "its motors carry it"
    assert Fault.CRASHED not in on_the_ground(None), "nobody knows what they draw"
    assert Fault.CRASHED not in on_the_ground(4.0, flying_a=None), "nobody knows what flying draws"
    assert Fault.CRASHED not in on_the_ground(17.0, up_m_s=3.0), "only a climb was seen, which draws more"
    assert Fault.CRASHED not in on_the_ground(4.0, height_above_home_m=hover_m, position=here), (
        "it is high up"
    )
    ground_m = plan().delivery_ground_amsl_m - plan().home.altitude_amsl_m
    assert Fault.CRASHED in on_the_ground(4.0, height_above_home_m=ground_m + 1.0, position=here)


def test_a_reboot_in_flight() -> None:
    finder = reader().faults
    assert finder.findings(view(reboots=2, boot_time_s=900.0), Phase.ARMED, NOW_S, NOW) == []
    (found,) = finder.findings(view(reboots=3, boot_time_s=2.0), Phase.OUTBOUND, NOW_S, NOW)
    assert found.fault is Fault.AUTOPILOT_REBOOTED
    # Before the flight it is none of the flight's faults, however short ago: PX4 is ready after 4 s.
    assert faults(view(reboots=1, boot_time_s=5.0), Phase.PREPARING) == set()


def test_a_breach() -> None:
    assert faults(view(fence_breached=True), Phase.OUTBOUND) == {Fault.FENCE_BREACHED}


# --- zones closed after the plan was made: the way leads 800 m to the east -----------------------

AHEAD = box_zone("ahead", 500.0, -50.0, 600.0, 50.0)
BEHIND = box_zone("behind", 100.0, -50.0, 200.0, 50.0)
BESIDE = box_zone("beside", 300.0, 300.0, 500.0, 400.0)
AT_THE_END = box_zone("end", 750.0, -50.0, 850.0, 50.0)


def cruising() -> int:
    return next(i for i, n in enumerate(reader().mission.item_legs) if n and n.index == 1)


def test_a_zone_ahead_is_seen_from_afar_and_one_beside_the_way_is_not() -> None:
    seen = on_the_way(300, mission_seq=cruising())
    assert faults(seen, Phase.OUTBOUND, NOW_S, AHEAD) == {Fault.ZONE_AHEAD}
    assert faults(seen, Phase.OUTBOUND, NOW_S, BESIDE) == set()


def test_a_zone_behind_lies_on_the_way_home() -> None:
    seen = on_the_way(300, mission_seq=cruising())
    assert faults(seen, Phase.OUTBOUND, NOW_S, BEHIND) == {Fault.ZONE_AHEAD}, "the plan comes back through it"
    home = on_the_way(80, mission_seq=reader().mission.indices.land)
    assert faults(home, Phase.INBOUND, NOW_S, BEHIND) == set()


def test_inside_a_zone_the_shorter_way_out_decides() -> None:
    nearly_out = on_the_way(190, mission_seq=cruising())
    just_in = on_the_way(110, mission_seq=cruising())
    assert faults(nearly_out, Phase.OUTBOUND, NOW_S, BEHIND) == {Fault.ZONE_AROUND}
    assert faults(just_in, Phase.OUTBOUND, NOW_S, BEHIND) == {Fault.ZONE_TURN_BACK}
    assert faults(at_delivery(), Phase.HOVERING, NOW_S, AT_THE_END) <= {
        Fault.ZONE_AROUND,
        Fault.ZONE_TURN_BACK,
    }


def test_on_the_pad_any_zone_on_the_way_counts() -> None:
    on_pad = view(height_above_home_m=0.0, armed=False, landed_state=LandedState.ON_GROUND)
    assert faults(on_pad, Phase.WAITING, NOW_S, AHEAD) == {Fault.ZONE_AHEAD}


def test_which_ways_are_open() -> None:
    seen = on_the_way(300, mission_seq=cruising())
    assert reader().faults.ways_open(seen, Phase.OUTBOUND, NOW) == WaysOpen(True, True)
    assert reader(AHEAD).faults.ways_open(seen, Phase.OUTBOUND, NOW) == WaysOpen(True, True)
    assert not reader(BEHIND).faults.ways_open(seen, Phase.OUTBOUND, NOW).home
    between = box_zone("between", 320.0, 60.0, 420.0, 100.0)
    assert reader(between).faults.ways_open(seen, Phase.OUTBOUND, NOW).rally is False


def test_the_way_home_is_open_where_only_the_zone_that_one_stands_in_closes_it() -> None:
    """An approval for the whole area that is revoked must not leave a drone standing in the air for good."""
    everywhere = box_zone("EVERYWHERE", -5000, -5000, 20_000, 20_000)
    assert reader(everywhere).faults.ways_open(on_the_way(1000.0), Phase.OUTBOUND, NOW).home
    wall = box_zone("WALL", 300, -2000, 400, 2000)
    assert not reader(everywhere, wall).faults.ways_open(on_the_way(1000.0), Phase.OUTBOUND, NOW).home


def test_a_position_on_another_continent_is_a_glitch_and_no_exception() -> None:
    """A forged frame says such things."""
    found = reader()
    found.faults.findings(view(position_s=NOW_S), Phase.OUTBOUND, NOW_S, NOW)
    far = view(position=Wgs84Point(0.5, 0.5), position_s=NOW_S + 0.2)
    said = {each.fault for each in found.faults.findings(far, Phase.OUTBOUND, NOW_S + 0.2, NOW)}
    assert Fault.GPS_GLITCH in said
