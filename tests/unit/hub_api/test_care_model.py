"""What follows from reports about AEDs, docks and maintenance. Source: B4, C9, F3."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from core.errors import DispatchError
from hub_api.care.model import (
    AedReport,
    DockReport,
    Level,
    MaintenanceDone,
    MaintenanceRule,
    due_of,
    judge_aed,
    judge_dock,
    judge_due,
)

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TODAY = date(2026, 3, 1)
GOOD = AedReport(
    drone_id="d",
    serial="S1",
    model="HS1",
    firmware="7",
    battery_fraction=0.9,
    pads_expire_on=date(2027, 1, 1),
    self_tested_at=NOW - timedelta(hours=5),
    self_test_passed=True,
    self_test_detail="",
    reported_at=NOW,
    reported_by="cabinet",
)


def said(report: AedReport | None, *, required: bool = False) -> dict[str, Level]:
    return {f.reason.code: f.level for f in judge_aed(report, NOW, TODAY, required=required)}


def test_an_aed_in_order_is_no_finding():
    assert said(GOOD, required=True) == {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"battery_fraction": 0.19}, {"aed_battery_low": Level.BLOCK}),
        ({"battery_fraction": 0.2}, {"aed_battery_low": Level.WARN}),
        ({"battery_fraction": 0.4}, {}),
        ({"pads_expire_on": TODAY - timedelta(days=1)}, {"aed_pads_expired": Level.BLOCK}),
        # The last day is a day on which they may be used.
        ({"pads_expire_on": TODAY}, {"aed_pads_expire_soon": Level.WARN}),
        ({"pads_expire_on": TODAY + timedelta(days=31)}, {}),
        ({"self_test_passed": False}, {"aed_self_test_failed": Level.BLOCK}),
        ({"self_tested_at": NOW - timedelta(hours=48)}, {}),
        ({"self_tested_at": NOW - timedelta(hours=48, seconds=1)}, {"aed_self_test_overdue": Level.BLOCK}),
    ],
)
def test_what_is_wrong_is_said_with_its_weight(changes: dict[str, object], found: dict[str, Level]):
    assert said(replace(GOOD, **changes)) == found


def test_what_nobody_said_is_shown_and_blocks_only_where_reports_are_asked_for():
    unknown = replace(
        GOOD, battery_fraction=None, pads_expire_on=None, self_tested_at=None, self_test_passed=None
    )
    codes = {"aed_battery_unknown", "aed_pads_unknown", "aed_self_test_unknown"}
    assert said(unknown) == dict.fromkeys(codes, Level.WARN)
    assert said(unknown, required=True) == dict.fromkeys(codes, Level.BLOCK)
    assert said(None) == {"aed_not_reported": Level.WARN}
    assert said(None, required=True) == {"aed_not_reported": Level.BLOCK}


def test_a_result_without_a_time_is_no_self_test():
    with pytest.raises(DispatchError, match="neither"):
        replace(GOOD, self_tested_at=None)


def test_a_jammed_door_blocks_and_a_silent_dock_warns():
    dock = DockReport(
        station_id="s",
        door="closed",
        mains_power=True,
        backup_fraction=1.0,
        charging_drone_ids=(),
        temperature_c=None,
        measured_at=NOW - timedelta(seconds=10),
    )

    def found(report: DockReport | None, silent_s: float = 60.0) -> dict[str, Level]:
        return {f.reason.code: f.level for f in judge_dock(report, NOW, silent_s=silent_s)}

    assert found(None) == found(dock) == {}
    assert found(replace(dock, door="jammed")) == {"dock_door_jammed": Level.BLOCK}
    assert found(replace(dock, mains_power=False)) == {"dock_on_backup": Level.WARN}
    assert found(dock, silent_s=9.0) == {"dock_silent": Level.WARN}


RULE = MaintenanceRule(
    airframe_id="hex10",
    rule_id="propellers",
    name="Propellers",
    name_zh="桨叶",
    every_flights=50,
    every_air_h=10.0,
    every_days=90,
    grounds=True,
    set_at=NOW - timedelta(days=10),
)


def test_whichever_comes_first_makes_it_due():
    due = due_of(RULE, None, flights=20, air_h=2.0, now=NOW)
    assert (due.flights_left, due.air_h_left, due.overdue, due.soon) == (30, 8.0, False, False)
    assert due.due_on == RULE.set_at + timedelta(days=90)
    assert judge_due(due) == []
    soon = due_of(RULE, None, flights=45, air_h=2.0, now=NOW)
    assert [f.level for f in judge_due(soon)] == [Level.WARN]
    for flights, air_h, now in ((50, 0.0, NOW), (0, 10.0, NOW), (0, 0.0, NOW + timedelta(days=80))):
        over = due_of(RULE, None, flights=flights, air_h=air_h, now=now)
        assert over.overdue, (flights, air_h, now)
        assert [f.level for f in judge_due(over)] == [Level.BLOCK]
    shown = due_of(replace(RULE, grounds=False), None, flights=99, air_h=0.0, now=NOW)
    assert [f.level for f in judge_due(shown)] == [Level.WARN]


def test_work_done_counts_anew_from_then():
    done = MaintenanceDone(
        drone_id="d", rule_id="propellers", done_at=NOW, flights_then=50, air_h_then=9.0, by="王", note=""
    )
    due = due_of(RULE, done, flights=60, air_h=10.0, now=NOW + timedelta(days=1))
    assert (due.flights_left, due.air_h_left) == (40, 9.0)
    assert due.due_on == NOW + timedelta(days=90)


def test_a_rule_that_counts_nothing_is_refused():
    with pytest.raises(DispatchError, match="flights, hours or days"):
        replace(RULE, every_flights=None, every_air_h=None, every_days=None)
