"""Readiness as a list of verdicts, each with its reason, in English and Chinese.

Pure: the view, the plan (if there is one already) and what the journal knows come in, verdicts go
out. Run continuously while a drone waits, so that an order finds the answer ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.geodesy import geodesic_distance_m
from flight.model.view import VehicleView
from planner.airframe import load_airframes
from planner.energy import battery_at
from planner.flight_plan import DeliveryMethod, FlightPlan


class PreflightLevel(StrEnum):
    """How a verdict weighs."""

    OK = "ok"
    WARN = "warn"
    """Shown, and flown with."""
    BLOCK = "block"
    """No flight."""


@dataclass(frozen=True, slots=True)
class PreflightVerdict:
    """One check and what it found. ``check`` names the check, ``code`` the finding, for machines."""

    check: str
    level: PreflightLevel
    code: str
    detail: str
    detail_zh: str


@dataclass(frozen=True, slots=True)
class ParameterFinding:
    """One profile entry against the vehicle. ``actual`` None: the vehicle does not know it."""

    name: str
    actual: float | None
    holds: bool
    blocks: bool
    wanted: str
    reason: str
    reason_zh: str


class AedOnBoard(StrEnum):
    """What is known about the AED of a waiting drone."""

    CONFIRMED = "confirmed"
    """The hook states that it is closed, and nobody took the AED since it was loaded."""
    UNCONFIRMED = "unconfirmed"
    """The hook has not stated its state."""
    MISSING = "missing"
    """It was released, or may have been, and nobody confirmed a new one."""


LINK_FRESH_S = 1.5
POSITION_FRESH_S = 2.0
PREARM_TEXT_AGE_S = 35.0
"""ArduPilot repeats the reasons every 30 s while a check fails."""
_PREARM_WORDS = ("PreArm:", "Arm:", "Preflight Fail:", "Arming denied")
"""How ArduPilot (the first two) and PX4 begin the reasons for not arming."""
GPS_FIX_3D = 3
GPS_HDOP_LIMIT = 2.0
"""Chosen: ArduPilot's own arming limit (GPS_HDOP_GOOD 140) is stricter and part of its prearm check."""
HOME_TOLERANCE_M = 15.0
"""Chosen: a consumer GPS fix on the pad; farther, the plan was made for another place."""
ALTITUDE_TOLERANCE_M = 30.0
"""Chosen: the plan flies heights above home, so a constant offset does no harm; this catches a wrong site."""
CHARGE_TO_WAIT_FRACTION = 0.30
"""Below this charge a waiting drone is not offered for orders at all; chosen."""
CHARGE_RESOLUTION_FRACTION = 0.01
"""BATTERY_STATUS counts whole per cent, rounded down."""


def fine(check: str, detail: str, detail_zh: str) -> PreflightVerdict:
    """Nothing wrong."""
    return PreflightVerdict(check, PreflightLevel.OK, "ok", detail, detail_zh)


def blocked(check: str, code: str, detail: str, detail_zh: str) -> PreflightVerdict:
    """No flight, and why."""
    return PreflightVerdict(check, PreflightLevel.BLOCK, code, detail, detail_zh)


def warned(check: str, code: str, detail: str, detail_zh: str) -> PreflightVerdict:
    """Flown with, and shown."""
    return PreflightVerdict(check, PreflightLevel.WARN, code, detail, detail_zh)


def ready(verdicts: Sequence[PreflightVerdict]) -> bool:
    """Whether nothing blocks."""
    return all(verdict.level is not PreflightLevel.BLOCK for verdict in verdicts)


def check_vehicle(
    view: VehicleView,
    now_s: float,
    *,
    estimator_ready: bool | None,
    missing_streams: Sequence[str],
    parameters: Sequence[ParameterFinding] | None,
    aed: AedOnBoard,
    expects_winch: bool = True,
    expected_autopilot: int | None = None,
    conflict: str | None = None,
) -> tuple[PreflightVerdict, ...]:
    """What can be said of a waiting vehicle without a plan.

    ``conflict``: what says that two vehicles use this id; whose words are whose is then unknown.
    ``expected_autopilot``: MAV_AUTOPILOT of this type of drone; of another kind nothing else is judged.
    """
    silent_s = view.silent_for_s(now_s)
    if silent_s is None:
        return (blocked("link", "not_heard", "the vehicle was never heard", "尚未收到无人机信号"),)
    if silent_s > LINK_FRESH_S:
        return (
            blocked("link", "stale", f"nothing heard for {silent_s:.1f} s", f"{silent_s:.1f}秒未收到信号"),
        )
    if conflict is not None:
        return (blocked("link", "two_vehicles", conflict, "链路上有两架无人机使用同一编号"),)
    if expected_autopilot is not None and view.autopilot_type != expected_autopilot:
        return (fine("link", "heard", "链路正常"), _wrong_autopilot(view, expected_autopilot))
    return (
        fine("link", "heard", "链路正常"),
        _check_streams(missing_streams),
        _check_disarmed(view),
        _check_gps(view),
        _check_estimator(estimator_ready),
        _check_prearm(view, now_s),
        _check_charge(view),
        _check_parameters(parameters),
        _check_winch(view, expects_winch),
        _check_aed(aed),
    )


_METHODS_ZH = {
    DeliveryMethod.WINCH: "绞车吊放",
    DeliveryMethod.GRIPPER_LOW: "低空释放",
    DeliveryMethod.LAND: "降落交付",
}
_AUTOPILOT_NAMES = {3: "ArduPilot", 12: "PX4"}
"""MAV_AUTOPILOT (common.xml)."""


def _wrong_autopilot(view: VehicleView, expected: int) -> PreflightVerdict:
    wanted = _AUTOPILOT_NAMES.get(expected, str(expected))
    if view.autopilot_type is None:
        return blocked(
            "autopilot", "unknown", "the vehicle has not said which autopilot it has", "飞控类型未知"
        )
    found = _AUTOPILOT_NAMES.get(view.autopilot_type, str(view.autopilot_type))
    return blocked(
        "autopilot",
        "other_kind",
        f"the vehicle has {found}, its airframe has {wanted}",
        f"飞控为{found}，机型要求{wanted}",
    )


def _check_streams(missing: Sequence[str]) -> PreflightVerdict:
    if missing:
        names = ", ".join(missing)
        return blocked("streams", "missing", f"not received: {names}", f"未收到遥测: {names}")
    return fine("streams", "all telemetry is received", "遥测完整")


def _check_disarmed(view: VehicleView) -> PreflightVerdict:
    if view.armed is None:
        return blocked("disarmed", "unknown", "the vehicle has not said whether it is armed", "解锁状态未知")
    if view.armed:
        return blocked("disarmed", "armed", "the vehicle is armed and we did not arm it", "无人机已被解锁")
    if view.on_ground is False:
        return blocked("disarmed", "not_on_ground", "the vehicle is not on the ground", "无人机不在地面")
    return fine("disarmed", "disarmed on the ground", "已上锁停放")


def _check_gps(view: VehicleView) -> PreflightVerdict:
    if view.gps_fix_type is None:
        return blocked("gps", "unknown", "the vehicle has not reported its GPS", "未收到卫星定位状态")
    if view.gps_fix_type < GPS_FIX_3D:
        return blocked("gps", "no_fix", f"GPS fix type {view.gps_fix_type}", "卫星定位未达三维固定")
    if view.hdop is not None and view.hdop > GPS_HDOP_LIMIT:
        return blocked("gps", "poor", f"HDOP {view.hdop:.1f}", f"水平精度因子{view.hdop:.1f}，精度不足")
    return fine("gps", f"{view.satellites} satellites, HDOP {view.hdop}", f"{view.satellites}颗卫星")


def _check_estimator(estimator_ready: bool | None) -> PreflightVerdict:
    if estimator_ready is None:
        return blocked("estimator", "unknown", "the estimator has not reported", "未收到姿态估计状态")
    if not estimator_ready:
        return blocked("estimator", "not_ready", "no absolute position estimate yet", "位置估计未就绪")
    return fine("estimator", "absolute position", "位置估计正常")


def _check_prearm(view: VehicleView, now_s: float) -> PreflightVerdict:
    said = [
        text.text
        for text in view.texts
        if text.text.startswith(_PREARM_WORDS) and now_s - text.at_s <= PREARM_TEXT_AGE_S
    ]
    if view.prearm_ok is None:
        return blocked("prearm", "unknown", "the vehicle has not reported its checks", "未收到自检结果")
    if not view.prearm_ok:
        reason = said[-1] if said else "prearm checks fail"
        return blocked("prearm", "failed", reason, f"飞控自检未通过: {reason}")
    return fine("prearm", "the autopilot's own checks pass", "飞控自检通过")


def _check_charge(view: VehicleView) -> PreflightVerdict:
    charge = view.charge_fraction
    if charge is None:
        return blocked("charge", "unknown", "the charge is not reported", "未收到电量")
    if charge < CHARGE_TO_WAIT_FRACTION:
        return blocked("charge", "low", f"charge {charge:.0%}", f"电量{charge:.0%}，过低")
    return fine("charge", f"charge {charge:.0%}", f"电量{charge:.0%}")


def _check_parameters(findings: Sequence[ParameterFinding] | None) -> PreflightVerdict:
    if findings is None:
        return blocked("parameters", "not_read", "parameters are not read yet", "参数尚未读取")
    wrong = [finding for finding in findings if not finding.holds]
    if not wrong:
        return fine("parameters", "as the profile asks", "参数符合要求")
    detail = "; ".join(
        f"{finding.name} is {'unknown' if finding.actual is None else f'{finding.actual:g}'}, "
        f"wanted {finding.wanted}: {finding.reason}"
        for finding in wrong
    )
    detail_zh = "；".join(f"{finding.name}: {finding.reason_zh}" for finding in wrong)
    if any(finding.blocks for finding in wrong):
        return blocked("parameters", "mismatch", detail, detail_zh)
    return warned("parameters", "mismatch", detail, detail_zh)


def _check_winch(view: VehicleView, expected: bool) -> PreflightVerdict:
    if not expected:
        return fine("winch", "not needed", "无需绞车")
    if view.winch_s is None or view.line_length_m is None:
        return blocked("winch", "not_reported", "the winch does not report", "绞车无状态回报")
    if view.winch_flags is not None and not view.winch_flags & 1:
        return blocked("winch", "unhealthy", "the winch reports itself unhealthy", "绞车状态异常")
    if abs(view.line_length_m) > 0.5:
        return blocked(
            "winch",
            "line_out",
            f"the line is {view.line_length_m:.1f} m out",
            f"吊绳放出{view.line_length_m:.1f}米",
        )
    return fine("winch", "healthy, line in", "绞车正常，吊绳已收")


def _check_aed(aed: AedOnBoard) -> PreflightVerdict:
    match aed:
        case AedOnBoard.CONFIRMED:
            return fine("aed", "the hook states that it holds", "挂钩已确认锁定")
        case AedOnBoard.UNCONFIRMED:
            return warned("aed", "unconfirmed", "the hook has not stated that it holds", "挂钩状态未确认")
        case AedOnBoard.MISSING:
            return blocked(
                "aed", "missing", "the AED was released; confirm the new one", "AED已投放，须确认已重新装载"
            )


def check_plan(view: VehicleView, plan: FlightPlan) -> tuple[PreflightVerdict, ...]:
    """What can be said of this plan on this vehicle, now."""
    return (_check_home(view, plan), _check_energy(view, plan), _check_method(plan))


def _check_home(view: VehicleView, plan: FlightPlan) -> PreflightVerdict:
    if view.position is None or view.altitude_amsl_m is None:
        return blocked("home", "unknown", "the vehicle's position is not known", "位置未知")
    away_m = geodesic_distance_m(view.position, plan.home.position)
    if away_m > HOME_TOLERANCE_M:
        return blocked(
            "home",
            "elsewhere",
            f"the vehicle stands {away_m:.0f} m from the plan's pad",
            f"距起降坪{away_m:.0f}米",
        )
    off_m = abs(view.altitude_amsl_m - plan.home.altitude_amsl_m)
    if off_m > ALTITUDE_TOLERANCE_M:
        return blocked(
            "home",
            "altitude",
            f"altitude differs by {off_m:.0f} m from the plan's pad",
            f"高度相差{off_m:.0f}米",
        )
    return fine("home", f"on its pad, {away_m:.1f} m off", "位于起降坪")


def _check_energy(view: VehicleView, plan: FlightPlan) -> PreflightVerdict:
    """The plan was made for a charge; what the vehicle has now must still cover it, reserve included."""
    charge = view.charge_fraction
    if charge is None:
        return blocked("energy", "unknown", "the charge is not reported", "未收到电量")
    airframe = load_airframes().get(plan.airframe_id)
    if airframe is None:
        return blocked(
            "energy",
            "airframe_unknown",
            f"no airframe {plan.airframe_id!r} is known",
            f"未知机型{plan.airframe_id}",
        )
    energy = plan.energy
    needed_wh = energy.total_wh + energy.uncertainty_wh + energy.reserve_wh
    usable_wh = battery_at(airframe, min(1.0, charge + CHARGE_RESOLUTION_FRACTION)).usable_wh
    if needed_wh > usable_wh:
        return blocked(
            "energy",
            "short",
            f"the plan needs {needed_wh:.0f} Wh with its reserve, {usable_wh:.0f} Wh are usable",
            f"计划需{needed_wh:.0f}瓦时（含储备），可用{usable_wh:.0f}瓦时",
        )
    return fine("energy", f"{needed_wh:.0f} of {usable_wh:.0f} Wh", "电量满足计划")


def _check_method(plan: FlightPlan) -> PreflightVerdict:
    method = plan.delivery_method
    return fine("delivery", f"by {method.value}", f"投放方式：{_METHODS_ZH[method]}")
