"""Verdicts: each thing that is wrong is named, alone."""

from dataclasses import replace
from typing import Any

import pytest

from flight.model.preflight import (
    AedOnBoard,
    ParameterFinding,
    PreflightLevel,
    check_plan,
    check_vehicle,
    ready,
)
from flight.model.view import LandedState, StatusText
from planner.flight_plan import DeliveryMethod
from tests.unit.flight.plans import moved, plan, view

NOW_S = 100.0
STANDING: dict[str, Any] = {
    "armed": False,
    "custom_mode": 4,
    "height_above_home_m": 0.0,
    "altitude_amsl_m": 5.0,
    "landed_state": LandedState.ON_GROUND,
}


def verdicts(now_s: float = NOW_S, **options: Any) -> dict[str, Any]:
    checks = {"estimator_ready": True, "missing_streams": (), "parameters": (), "aed": AedOnBoard.CONFIRMED}
    seen = view(**(STANDING | options.pop("changes", {})))
    return {v.check: v for v in check_vehicle(seen, now_s, **(checks | options))}


def blocking(found: dict[str, Any]) -> dict[str, str]:
    return {check: v.code for check, v in found.items() if v.level is PreflightLevel.BLOCK}


def test_a_healthy_waiting_drone_is_ready() -> None:
    found = verdicts()
    assert blocking(found) == {}
    assert ready(tuple(found.values()))


@pytest.mark.parametrize(
    ("changes", "check", "code"),
    [
        ({"armed": True}, "disarmed", "armed"),
        ({"armed": None}, "disarmed", "unknown"),
        ({"landed_state": LandedState.IN_AIR}, "disarmed", "not_on_ground"),
        ({"gps_fix_type": 1}, "gps", "no_fix"),
        ({"gps_fix_type": None}, "gps", "unknown"),
        ({"hdop": 4.0}, "gps", "poor"),
        ({"prearm_ok": False}, "prearm", "failed"),
        ({"prearm_ok": None}, "prearm", "unknown"),
        ({"charge_fraction": 0.2}, "charge", "low"),
        ({"charge_fraction": None}, "charge", "unknown"),
        ({"winch_s": None}, "winch", "not_reported"),
        ({"winch_flags": 0}, "winch", "unhealthy"),
        ({"line_length_m": 4.0}, "winch", "line_out"),
    ],
)
def test_one_thing_wrong_is_one_verdict(changes: dict[str, Any], check: str, code: str) -> None:
    found = verdicts(changes=changes)
    assert blocking(found) == {check: code}
    assert found[check].detail
    assert found[check].detail_zh


def test_the_autopilots_own_reason_is_passed_on_while_it_is_fresh() -> None:
    said = [StatusText(90.0, 3, "PreArm: Compass not calibrated")]
    assert "Compass" in verdicts(changes={"prearm_ok": False, "texts": said})["prearm"].detail
    old = [StatusText(20.0, 3, "PreArm: Compass not calibrated")]
    assert "Compass" not in verdicts(changes={"prearm_ok": False, "texts": old})["prearm"].detail


def test_silence_is_the_only_verdict_about_a_silent_vehicle() -> None:
    assert blocking(verdicts(now_s=NOW_S + 5)) == {"link": "stale"}
    assert blocking(verdicts(changes={"heard_s": None})) == {"link": "not_heard"}


def test_other_sources() -> None:
    assert blocking(verdicts(estimator_ready=False)) == {"estimator": "not_ready"}
    assert blocking(verdicts(missing_streams=("WIND",))) == {"streams": "missing"}
    assert blocking(verdicts(parameters=None)) == {"parameters": "not_read"}
    assert blocking(verdicts(aed=AedOnBoard.MISSING)) == {"aed": "missing"}
    assert verdicts(aed=AedOnBoard.UNCONFIRMED)["aed"].level is PreflightLevel.WARN


def test_a_parameter_blocks_only_if_its_entry_says_so() -> None:
    wrong = ParameterFinding("FENCE_ENABLE", 0.0, False, True, "equal 1", "why", "为何")
    mild = replace(wrong, blocks=False)
    assert blocking(verdicts(parameters=(wrong,))) == {"parameters": "mismatch"}
    found = verdicts(parameters=(mild,))
    assert blocking(found) == {}
    assert found["parameters"].level is PreflightLevel.WARN
    assert "FENCE_ENABLE is 0" in found["parameters"].detail


def plan_blocks(flight: Any = None, **changes: Any) -> dict[str, str]:
    found = check_plan(view(**(STANDING | changes)), flight or plan())
    return {v.check: v.code for v in found if v.level is PreflightLevel.BLOCK}


def test_a_plan_for_this_pad_and_charge_is_fine() -> None:
    assert plan_blocks() == {}


def test_a_plan_for_somewhere_else_or_more_energy_is_not() -> None:
    assert plan_blocks(position=moved(plan().home.position, 0, 40)) == {"home": "elsewhere"}
    assert plan_blocks(altitude_amsl_m=80.0) == {"home": "altitude"}
    assert plan_blocks(position=None) == {"home": "unknown"}
    assert plan_blocks(charge_fraction=0.3) == {"energy": "short"}
    assert plan_blocks(charge_fraction=None) == {"energy": "unknown"}
    assert plan_blocks(replace(plan(), airframe_id="kite")) == {"energy": "airframe_unknown"}


def test_every_way_to_deliver_is_flown() -> None:
    for method in DeliveryMethod:
        assert plan_blocks(replace(plan(), delivery_method=method)) == {}
