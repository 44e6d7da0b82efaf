"""What people and cabinets report about drones, AEDs and docks, and what follows for the next flight.

Pure: facts in, findings out. A finding that blocks keeps the drone on the ground and says so in every decision; one
that warns is shown. What nobody reported is «not known»: shown, and a block only where the settings ask for reports,
because not every AED model and not every dock reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from core.errors import DispatchError, ErrorCode
from core.spans import span, span_zh
from flight.model.preflight_world import SELF_TEST_AGE
from planner.reasons import Reason

AED_BATTERY_LOW = 0.2
"""Chosen: a primary cell near its end still passes self-tests; it is changed before it does not."""
AED_BATTERY_WATCH = 0.4
PADS_WATCH = timedelta(days=30)
"""Chosen: time to order new pads."""
DUE_SOON = 0.1
"""Chosen: maintenance is announced when a tenth of its interval is left."""

DoorState = Literal["open", "closed", "moving", "jammed", "unknown"]
DOORS_ZH: Mapping[DoorState, str] = {
    "open": "开启",
    "closed": "关闭",
    "moving": "动作中",
    "jammed": "卡滞",
    "unknown": "状态未知",
}


class Level(StrEnum):
    """What a finding means for the next flight."""

    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a drone that somebody should know."""

    level: Level
    reason: Reason


def found_zh(findings: Iterable[Finding]) -> str:
    """What was found, in one Chinese phrase."""
    return "；".join(finding.reason.detail_zh.rstrip("。") for finding in findings) or "正常"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfService:
    """A person took the drone out: it is never chosen until a person puts it back."""

    drone_id: str
    since: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AedReport:
    """The AED that hangs on a drone, as its cabinet or a person reported it. None: it was not said.

    ``pads_expire_on`` is the last day on which the pads may be used, in the site's own calendar.
    """

    drone_id: str
    serial: str
    model: str | None
    firmware: str | None
    battery_fraction: float | None
    pads_expire_on: date | None
    self_tested_at: datetime | None
    self_test_passed: bool | None
    self_test_detail: str
    reported_at: datetime
    reported_by: str

    def __post_init__(self) -> None:
        if (self.self_tested_at is None) != (self.self_test_passed is None):
            raise DispatchError(
                ErrorCode.ORDER_INVALID,
                "a self-test has a time and a result, or neither · 自检须同时给出时间和结果",
                field="self_test_passed",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class DockReport:
    """What a station's dock says about itself."""

    station_id: str
    door: DoorState
    mains_power: bool | None
    backup_fraction: float | None
    charging_drone_ids: tuple[str, ...]
    temperature_c: float | None
    measured_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceRule:
    """Work that an airframe needs after so many flights, hours in the air or days, whichever comes first.

    ``grounds``: a drone that is over it does not fly. ``set_at``: days of a drone that never had the work done are
    counted from then, flights and hours from its first stored flight.
    """

    airframe_id: str
    rule_id: str
    name: str
    name_zh: str
    every_flights: int | None
    every_air_h: float | None
    every_days: int | None
    grounds: bool
    set_at: datetime

    def __post_init__(self) -> None:
        if self.every_flights is None and self.every_air_h is None and self.every_days is None:
            raise DispatchError(
                ErrorCode.ORDER_INVALID,
                "say after how many flights, hours or days · 请说明间隔的架次、小时或天数",
                field="every_flights",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceDone:
    """The last time the work of a rule was done on a drone, and what the drone had flown by then."""

    drone_id: str
    rule_id: str
    done_at: datetime
    flights_then: int
    air_h_then: float
    by: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Where a drone stands with one rule; what is left is negative once it is over. None: the rule doesn't count it."""

    rule: MaintenanceRule
    flights_left: int | None
    air_h_left: float | None
    due_on: datetime | None
    last_done_at: datetime | None
    overdue: bool
    soon: bool


def judge_no_aed(*, required: bool) -> list[Finding]:
    """What is said of an AED that nobody reported."""
    return [Finding(Level.BLOCK if required else Level.WARN, _NOT_REPORTED)]


_NOT_REPORTED = Reason("aed_not_reported", "Nobody reported its AED.", "未上报AED状态。")


def judge_aed(report: AedReport | None, now: datetime, today: date, *, required: bool) -> list[Finding]:
    """What is wrong with a drone's AED. ``today`` in the site's calendar; ``required``: what nobody said blocks."""
    if report is None:
        return judge_no_aed(required=required)
    unknown = Level.BLOCK if required else Level.WARN
    return [
        *_judge_battery(report.battery_fraction, unknown),
        *_judge_pads(report.pads_expire_on, today, unknown),
        *_judge_self_test(report, now, unknown),
    ]


def _judge_battery(fraction: float | None, unknown: Level) -> list[Finding]:
    if fraction is None:
        said = Reason("aed_battery_unknown", "The AED's battery is not known.", "AED电池电量未知。")
        return [Finding(unknown, said)]
    if fraction >= AED_BATTERY_WATCH:
        return []
    level = Level.BLOCK if fraction < AED_BATTERY_LOW else Level.WARN
    return [
        Finding(
            level,
            Reason(
                "aed_battery_low",
                f"The AED's battery is at {fraction:.0%}; below {AED_BATTERY_LOW:.0%} it does not fly.",
                f"AED电池剩余{fraction:.0%}，低于{AED_BATTERY_LOW:.0%}不得起飞。",
            ),
        )
    ]


def _judge_pads(expire_on: date | None, today: date, unknown: Level) -> list[Finding]:
    if expire_on is None:
        said = Reason("aed_pads_unknown", "The expiry date of the pads is not known.", "电极片有效期未知。")
        return [Finding(unknown, said)]
    if expire_on < today:
        said = Reason("aed_pads_expired", f"The pads expired on {expire_on}.", f"电极片已于{expire_on}过期。")
        return [Finding(Level.BLOCK, said)]
    if expire_on - today <= PADS_WATCH:
        said = Reason(
            "aed_pads_expire_soon", f"The pads expire on {expire_on}.", f"电极片将于{expire_on}到期。"
        )
        return [Finding(Level.WARN, said)]
    return []


def _judge_self_test(report: AedReport, now: datetime, unknown: Level) -> list[Finding]:
    if report.self_tested_at is None:
        said = Reason("aed_self_test_unknown", "The AED reports no self-test.", "AED未回报自检。")
        return [Finding(unknown, said)]
    if report.self_test_passed is False:
        what = report.self_test_detail
        said = Reason(
            "aed_self_test_failed",
            f"The AED failed its self-test{': ' + what if what else ''}.",
            f"AED自检未通过{'：' + what if what else ''}。",
        )
        return [Finding(Level.BLOCK, said)]
    age = now - report.self_tested_at
    if age > SELF_TEST_AGE:
        hours = age.total_seconds() / 3600.0
        said = Reason(
            "aed_self_test_overdue",
            f"The AED's last self-test is {hours:.0f} h old; {SELF_TEST_AGE.total_seconds() / 3600.0:.0f} h are allowed.",
            f"AED上次自检已过{hours:.0f}小时，允许{SELF_TEST_AGE.total_seconds() / 3600.0:.0f}小时。",
        )
        return [Finding(Level.BLOCK, said)]
    return []


def judge_dock(report: DockReport | None, now: datetime, *, silent_s: float) -> list[Finding]:
    """What is wrong with a station's dock. One that never reported has no sensor, and nothing is said of it."""
    if report is None:
        return []
    found = []
    if report.door == "jammed":
        said = Reason("dock_door_jammed", "The dock's door is jammed.", "机库舱门卡滞。")
        found.append(Finding(Level.BLOCK, said))
    if report.mains_power is False:
        said = Reason("dock_on_backup", "The dock runs on its backup battery.", "机库由备用电源供电。")
        found.append(Finding(Level.WARN, said))
    age_s = (now - report.measured_at).total_seconds()
    if age_s > silent_s:
        said = Reason(
            "dock_silent",
            f"The dock has said nothing for {span(age_s)}.",
            f"机库已{span_zh(age_s)}未上报。",
        )
        found.append(Finding(Level.WARN, said))
    return found


def due_of(
    rule: MaintenanceRule, done: MaintenanceDone | None, *, flights: int, air_h: float, now: datetime
) -> Due:
    """Where a drone that has flown so much stands with a rule."""
    flights_left = air_h_left = None
    due_on = None
    shares = []
    if rule.every_flights is not None:
        flights_left = rule.every_flights - (flights - (done.flights_then if done else 0))
        shares.append(flights_left / rule.every_flights)
    if rule.every_air_h is not None:
        air_h_left = rule.every_air_h - (air_h - (done.air_h_then if done else 0.0))
        shares.append(air_h_left / rule.every_air_h)
    if rule.every_days is not None:
        due_on = (done.done_at if done else rule.set_at) + timedelta(days=rule.every_days)
        shares.append((due_on - now) / timedelta(days=rule.every_days))
    least = min(shares)
    return Due(
        rule=rule,
        flights_left=flights_left,
        air_h_left=air_h_left,
        due_on=due_on,
        last_done_at=None if done is None else done.done_at,
        overdue=least <= 0.0,
        soon=0.0 < least <= DUE_SOON,
    )


def judge_due(due: Due) -> list[Finding]:
    """Whether maintenance that is due keeps the drone on the ground."""
    rule = due.rule
    if due.overdue:
        level = Level.BLOCK if rule.grounds else Level.WARN
        said = Reason("maintenance_overdue", f"{rule.name} is overdue.", f"{rule.name_zh}已超期。")
        return [Finding(level, said)]
    if due.soon:
        said = Reason("maintenance_due_soon", f"{rule.name} is due soon.", f"{rule.name_zh}即将到期。")
        return [Finding(Level.WARN, said)]
    return []
