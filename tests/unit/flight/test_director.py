"""What follows from a view: triggers, endings, faults and times."""

import pytest

from flight.autopilots.ardupilot import AUTO, BRAKE, GUIDED, LAND, RTL
from flight.autopilots.base import ModeClass
from flight.model.phases import Phase, Trigger
from flight.model.view import LandedState
from tests.unit.flight.plans import at_delivery, director, moved, plan, view

NOW_S = 100.0
MISSION = frozenset({ModeClass.MISSION})


def in_mission() -> "object":
    reader = director()
    reader.expect_mode(MISSION, 0.0)
    return reader


def test_arming_is_seen_in_the_heartbeat() -> None:
    assert director().observe(view(armed=False), Phase.ARMING, NOW_S) is None
    assert director().observe(view(armed=True), Phase.ARMING, NOW_S) is Trigger.ARMED


def test_leaving_the_ground_needs_height_and_no_contrary_word() -> None:
    reader = in_mission()
    low = view(height_above_home_m=0.3)
    contrary = view(height_above_home_m=3.0, landed_state=LandedState.ON_GROUND)
    assert reader.observe(low, Phase.ARMED, NOW_S) is None
    assert reader.observe(contrary, Phase.ARMED, NOW_S) is None
    assert reader.observe(view(height_above_home_m=1.0), Phase.ARMED, NOW_S) is Trigger.AIRBORNE


def test_the_delivery_point_is_reached_by_place_and_height_not_by_item_alone() -> None:
    reader = in_mission()
    far = at_delivery(position=moved(plan().delivery.position, 0.0, 8.0))
    high = at_delivery(height_above_home_m=60.0)
    assert reader.observe(far, Phase.OUTBOUND, NOW_S) is None
    assert reader.observe(high, Phase.OUTBOUND, NOW_S) is None
    assert reader.observe(at_delivery(), Phase.OUTBOUND, NOW_S) is Trigger.AT_DELIVERY


def test_settling_must_last() -> None:
    reader = in_mission()
    calm, swinging = at_delivery(), at_delivery(velocity_east_m_s=1.2)
    assert reader.observe(calm, Phase.HOVERING, 100.0) is None
    assert reader.observe(swinging, Phase.HOVERING, 100.8) is None
    assert reader.observe(calm, Phase.HOVERING, 101.2) is None
    assert reader.observe(calm, Phase.HOVERING, 102.1) is None
    assert reader.observe(calm, Phase.HOVERING, 102.3) is Trigger.SETTLED


@pytest.mark.parametrize("phase", [Phase.OUTBOUND, Phase.HOVERING, Phase.LOWERING, Phase.RETRACTING])
def test_a_hover_that_ends_by_itself_is_noticed(phase: Phase) -> None:
    reader = in_mission()
    seen = at_delivery(mission_seq=reader.mission.indices.inbound_first)
    assert reader.observe(seen, phase, NOW_S) is Trigger.WAY_HOME_STARTED


@pytest.mark.parametrize(
    ("mode", "trigger"),
    [
        (RTL, Trigger.AUTOPILOT_RETURNS),
        (LAND, Trigger.AUTOPILOT_LANDS),
        (BRAKE, Trigger.CONTROL_TAKEN),
        (GUIDED, Trigger.CONTROL_TAKEN),
        (0, Trigger.CONTROL_TAKEN),
        (99, Trigger.CONTROL_TAKEN),
        (AUTO, None),
    ],
)
def test_a_mode_that_we_did_not_command(mode: int, trigger: Trigger | None) -> None:
    assert in_mission().observe(view(custom_mode=mode), Phase.OUTBOUND, NOW_S) is trigger


def test_our_own_mode_change_is_no_takeover_while_it_is_on_its_way() -> None:
    reader = director()
    reader.expect_mode(frozenset({ModeClass.HOLD}), NOW_S)
    assert reader.observe(view(custom_mode=AUTO), Phase.HOLDING, NOW_S + 1) is None
    assert reader.observe(view(custom_mode=BRAKE), Phase.HOLDING, NOW_S + 2) is None
    assert reader.observe(view(custom_mode=0), Phase.HOLDING, NOW_S + 3) is Trigger.CONTROL_TAKEN


def test_where_the_motors_stop_names_the_ending() -> None:
    reader, flight = in_mission(), plan()
    home, rally = flight.home.position, flight.rally_points[0].position
    endings = {
        Trigger.DISARMED_ON_PAD: moved(home, 90, 5),
        Trigger.DISARMED_ELSEWHERE: moved(home, 180, 60),
    }
    if min(r.altitude_amsl_m for r in flight.rally_points) and rally != home:
        endings[Trigger.DISARMED_AT_RALLY] = moved(rally, 0, 10)
    for trigger, position in endings.items():
        stopped = view(armed=False, position=position)
        assert reader.observe(stopped, Phase.LANDING, NOW_S) is trigger
    unknown = view(armed=False, position=None)
    assert reader.observe(unknown, Phase.LANDING, NOW_S) is Trigger.DISARMED_ELSEWHERE


def test_people_may_come_once_the_hook_is_clear_above_heads() -> None:
    reader = director()
    height_m = plan().delivery.altitude_amsl_m - plan().delivery_ground_amsl_m
    clear, phase = at_delivery(line_length_m=height_m - 3.5), Phase.RETRACTING
    assert not reader.is_clear_to_approach(at_delivery(line_length_m=height_m - 2.5), phase)
    assert not reader.is_clear_to_approach(at_delivery(line_length_m=None), phase)
    assert reader.is_clear_to_approach(clear, phase)
    for comes_down in (Phase.LANDING_HERE, Phase.HANDED_OVER):
        assert not reader.is_clear_to_approach(clear, comes_down)
        away = view(position=moved(plan().delivery.position, 90, 11))
        assert reader.is_clear_to_approach(away, comes_down)
    reader.announced_approach()
    assert not reader.is_clear_to_approach(clear, phase), "said once"


def test_return_follows_the_plans_table() -> None:
    reader = director()
    for seq, entry in enumerate(reader.mission.return_entry):
        assert reader.return_seq(view(mission_seq=seq)) == entry
    assert reader.return_seq(view(mission_seq=None)) == reader.mission.indices.retrace_first


def test_times_run_down_along_the_way() -> None:
    reader, timing = in_mission(), plan().timing
    at_start = reader.way.eta_s(view(height_above_home_m=0.0, mission_seq=1), Phase.CLIMBING)
    half_way = reader.way.eta_s(view(position=moved(plan().home.position, 90, 400)), Phase.OUTBOUND)
    assert reader.way.eta_s(view(), Phase.PREPARING) == timing.time_to_aed_on_ground_s
    assert at_start == pytest.approx(timing.time_to_aed_on_ground_s - timing.preparation_s, abs=2)
    assert half_way is not None
    assert at_start is not None
    assert timing.lower_s < half_way < at_start
    assert reader.way.eta_s(at_delivery(), Phase.LOWERING) == timing.lower_s
    jumping = reader.way.eta_s(at_delivery(), Phase.INBOUND)
    assert jumping == pytest.approx(sum(leg.duration_s for leg in plan().inbound))


def test_one_word_of_stopped_motors_ends_no_flight_in_the_air() -> None:
    reader = in_mission()
    away = moved(plan().home.position, 90.0, 300.0)
    stopped = view(armed=False, position=away)
    assert reader.observe(stopped, Phase.OUTBOUND, 100.0) is None
    assert reader.observe(view(position=away), Phase.OUTBOUND, 100.6) is None
    assert reader.observe(stopped, Phase.OUTBOUND, 101.2) is None
    assert reader.observe(stopped, Phase.OUTBOUND, 102.5) is None
    assert reader.observe(stopped, Phase.OUTBOUND, 102.8) is Trigger.DISARMED_ELSEWHERE


def test_where_a_landing_ends_motors_are_expected_to_stop() -> None:
    assert in_mission().observe(view(armed=False), Phase.LANDING_HERE, NOW_S) is Trigger.DISARMED_ON_PAD
