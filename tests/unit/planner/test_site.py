"""Site files: the demonstration site loads; anything doubtful is refused with its field."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.errors import AirspaceError, ErrorCode
from planner.airframe import load_airframes, read_airframe
from planner.site import UsableHours, load_site
from tests.unit.planner.helpers import landing_point

BAOAN = Path(__file__).parents[3] / "examples" / "sites" / "baoan.json"
RAW = json.loads(BAOAN.read_bytes())


def test_demonstration_site_is_complete() -> None:
    site = load_site(BAOAN)
    assert len(site.stations) == 4
    assert len(site.landing_points) >= 12
    assert {drone.airframe_id for drone in site.drones} <= set(load_airframes())
    assert len({drone.link for drone in site.drones}) == len(site.drones)
    assert all(len(point.alternates) == 2 for point in site.landing_points)
    assert all(point.position_quality == "approximate" for point in site.landing_points)


def change(*path: str | int, to: object) -> bytes:
    raw = copy.deepcopy(RAW)
    at = raw
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return json.dumps(raw).encode()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (change("reference_system", to="GCJ-02"), "reference_system"),
        (change("stations", 1, "position", "latitude_deg", to=91.0), "stations[1].latitude_deg"),
        (change("stations", 0, "ground_amsl_m", to="high"), "stations[0].ground_amsl_m"),
        (change("stations", 0, "altitude", to=3), "stations[0].altitude"),
        (change("drones", 2, "station_id", to="nowhere"), "drones[2].station_id"),
        (change("drones", 1, "system_id", to=1), "drones"),
        (change("drones", 1, "system_id", to=255), "drones[1].system_id"),
        (change("landing_points", 3, "alternates", to=["lp-none"]), "landing_points[3].alternates"),
        (change("landing_points", 0, "delivery_methods", to=[]), "landing_points[0].delivery_methods"),
        (change("landing_points", 0, "hours", 0, "end", to="25:00"), "landing_points[0].hours.end"),
        (change("timezone", to="Shenzhen"), "timezone"),
        (change("owner", to="me"), "owner"),
        (b"{", None),
        (b"[]", None),
    ],
)
def test_refusals_name_the_field(data: bytes, field: str | None) -> None:
    with pytest.raises(AirspaceError) as refusal:
        load_site(data)
    assert refusal.value.code == ErrorCode.SITE_FILE_INVALID
    assert refusal.value.field == field


def test_missing_section_and_file_are_refused(tmp_path: Path) -> None:
    raw = {key: value for key, value in RAW.items() if key != "drones"}
    with pytest.raises(AirspaceError, match="missing"):
        load_site(json.dumps(raw).encode())
    with pytest.raises(AirspaceError, match="can't be read"):
        load_site(tmp_path / "none.json")


def test_usable_hours_are_local_and_end_exclusive() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    point = landing_point("a", 0, 0, hours=(UsableHours(days=(7,), start="06:00", end="22:30"),))
    # 2026-11-22 is a Sunday; Shanghai is UTC+8.
    assert point.usable_at(datetime(2026, 11, 22, 4, 0, tzinfo=UTC), shanghai)
    assert not point.usable_at(datetime(2026, 11, 21, 21, 59, tzinfo=UTC), shanghai)
    assert point.usable_at(datetime(2026, 11, 21, 22, 0, tzinfo=UTC), shanghai)
    assert not point.usable_at(datetime(2026, 11, 22, 14, 30, tzinfo=UTC), shanghai)
    assert not point.usable_at(datetime(2026, 11, 23, 4, 0, tzinfo=UTC), shanghai)
    assert not point.usable_throughout(
        datetime(2026, 11, 22, 14, 20, tzinfo=UTC), datetime(2026, 11, 22, 14, 40, tzinfo=UTC), shanghai
    )


def test_a_break_between_two_usable_moments_is_noticed() -> None:
    """Both ends of the quarter of an hour are usable; ten minutes in the middle are not."""
    shanghai = ZoneInfo("Asia/Shanghai")
    every = (1, 2, 3, 4, 5, 6, 7)
    halves = (
        UsableHours(days=every, start="00:00", end="12:00"),
        UsableHours(days=every, start="12:10", end="24:00"),
    )
    point = landing_point("a", 0, 0, hours=halves)
    noon = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
    before, after = noon - timedelta(minutes=1), noon + timedelta(minutes=14)
    assert point.usable_at(before, shanghai)
    assert point.usable_at(after, shanghai)
    assert not point.usable_throughout(before, after, shanghai)
    assert (
        point.usable_throughout(noon + timedelta(minutes=10), noon + timedelta(hours=30), shanghai) is False
    )
    midnight = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert point.usable_throughout(midnight - timedelta(minutes=5), midnight + timedelta(minutes=5), shanghai)


@pytest.mark.parametrize("surveyed_on", ["yesterday", "2026-13-01", "01.10.2026", ""])
def test_a_survey_has_a_date(surveyed_on: str) -> None:
    with pytest.raises(AirspaceError, match="ISO date"):
        landing_point("a", 0, 0, surveyed_on=surveyed_on)


@pytest.mark.parametrize("start", ["²2:00", "0²:00", "٠٦:٠٠", "6:000", "ab:cd"])
def test_times_of_day_are_plain_digits(start: str) -> None:
    with pytest.raises(AirspaceError, match="is not HH:MM"):
        UsableHours(days=(1,), start=start, end="24:00")


def test_airframe_files_are_checked() -> None:
    path = Path(__file__).parents[3] / "planner" / "airframes" / "hex10.json"
    raw = json.loads(path.read_bytes())
    assert read_airframe(json.dumps(raw)) == load_airframes()["hex10"]
    for field, value in (("power", {}), ("climb_rate_m_s", -1), ("colour", "red"), ("sources", [])):
        with pytest.raises(AirspaceError, match=field):
            read_airframe(json.dumps({**raw, field: value}))
    # PX4 drives no winch: an airframe that promises one is refused, before anybody waits below it.
    with pytest.raises(AirspaceError, match="px4 drives no winch"):
        read_airframe(json.dumps({**raw, "autopilot": "px4"}))
    with pytest.raises(AirspaceError, match="betaflight"):
        read_airframe(json.dumps({**raw, "autopilot": "betaflight"}))
