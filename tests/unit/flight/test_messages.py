"""Messages survive the wire, and nothing else is taken for one."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InternalError
from core.geodesy import Altitude, Wgs84Point
from flight.messages import (
    AbortFlight,
    AedReleased,
    CommandRefused,
    Evidence,
    FlightRerouted,
    FlyMission,
    Message,
    PreflightChecked,
    Reason,
    SafetyActionTaken,
    TelemetrySample,
    WindReported,
    ZoneActivated,
    decode,
    decode_anew,
    encode,
)
from flight.model.faults import Fault, SafetyAction
from flight.model.phases import Phase
from flight.model.preflight import PreflightLevel, PreflightVerdict
from geofences.model import VerticalLimit
from tests.unit.flight.plans import plan
from tests.unit.planner.helpers import box_zone

_AT = datetime(2026, 3, 1, 4, 5, 6, 789000, tzinfo=UTC)

MESSAGES: list[Message] = [
    ZoneActivated(
        command_id="cmd_z",
        drone_id="d1",
        issued_at=_AT,
        zone=box_zone("z", 0.0, 0.0, 10.0, 10.0, ceiling=VerticalLimit(Altitude.agl(120.0))),
        airspace_version="a-2",
    ),
    FlyMission(
        command_id="cmd_f",
        drone_id="d1",
        flight_id="flt_1",
        order_id=None,
        plan=plan(),
        issued_at=_AT,
        not_before=_AT + timedelta(seconds=30),
    ),
    WindReported(
        command_id="cmd_w", drone_id="d1", issued_at=_AT, from_deg=10.0, speed_m_s=3.0, measured_at=_AT
    ),
    FlightRerouted(
        event_id="evt_r",
        drone_id="d1",
        flight_id="flt_1",
        at=_AT,
        previous_plan_id="plan_0",
        plan=plan(),
        reason="zone",
    ),
    AbortFlight(command_id="cmd_1", drone_id="d1", flight_id="flt_1", issued_at=_AT, reason="取消"),
    AedReleased(
        event_id="evt_1",
        drone_id="d1",
        flight_id="flt_1",
        at=_AT,
        position=Wgs84Point(22.55, 113.88),
        evidence=(Evidence("STATUSTEXT", "Gripper load released", _AT),),
    ),
    CommandRefused(
        event_id="evt_2",
        drone_id="d1",
        flight_id=None,
        at=_AT,
        command_id="cmd_2",
        command_kind="hold_flight",
        reasons=(Reason("no_flight", "there is no flight", "没有飞行"),),
    ),
    PreflightChecked(
        event_id="evt_3",
        drone_id="d1",
        at=_AT,
        ready=False,
        verdicts=(PreflightVerdict("gps", PreflightLevel.BLOCK, "no_fix", "no fix", "未定位"),),
        charge_fraction=0.97,
        wind_from_deg=None,
        wind_speed_m_s=None,
    ),
    SafetyActionTaken(
        event_id="evt_4",
        drone_id="d1",
        flight_id="flt_1",
        at=_AT,
        fault=Fault.WINCH_JAM,
        action=SafetyAction.RETURN,
        phase=Phase.LOWERING,
        detail="line stopped at 7 m",
    ),
    TelemetrySample(
        drone_id="d1",
        flight_id="flt_1",
        at=_AT,
        phase=Phase.OUTBOUND,
        position=Wgs84Point(22.55, 113.88),
        altitude_amsl_m=84.5,
        height_above_home_m=80.0,
        velocity_east_m_s=1.0,
        velocity_north_m_s=2.0,
        velocity_up_m_s=0.0,
        heading_deg=270.0,
        charge_fraction=0.9,
        battery_voltage_v=48.1,
        battery_current_a=31.0,
        mode="AUTO",
        armed=True,
        mission_seq=3,
        line_length_m=0.0,
        wind_from_deg=None,
        wind_speed_m_s=None,
        link_age_s=0.1,
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.kind)
def test_round_trip(message: Message) -> None:
    wire = encode(message)
    assert decode(wire) == message
    assert decode_anew(wire) == message
    assert json.loads(wire)["kind"] == message.kind


def test_a_flight_command_of_this_process_is_not_read_again() -> None:
    message = next(each for each in MESSAGES if each.kind == "fly_mission")
    wire = encode(message)
    assert decode(bytes(bytearray(wire))) is message
    other = decode(wire.replace(b'"kind":', b'"kind" :'))
    assert other == message
    assert other is not message


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"kind": "open_the_pod_bay"}',
        b'{"kind": "abort_flight", "command_id": "c"}',
        encode(next(each for each in MESSAGES if each.kind == "aed_released")).replace(b"22.55", b"95.0"),
    ],
)
def test_anything_else_is_refused_with_a_number(payload: bytes) -> None:
    with pytest.raises(InternalError) as caught:
        decode(payload)
    assert caught.value.code == 5003
