"""The record of a flight is read as it was written; what was not said stays unsaid. Source: G5."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.geodesy import Wgs84Point
from flight.record import complete_lines
from flight.record_reading import FlightFolder, summary_of, thinned

FLIGHT = "flt_01KJM6JM008GQ741755PS246JR"
BEGAN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def line(second: float, *, phase: str = "outbound", **figures: float) -> str:
    return json.dumps(
        {
            "at": (BEGAN + timedelta(seconds=second)).isoformat(),
            "latitude_deg": 22.55 + second * 1e-4,
            "longitude_deg": 113.88,
            "altitude_amsl_m": 80.0,
            "height_above_home_m": 74.0,
            "phase": phase,
            **figures,
        }
    )


def folder(tmp_path: Path, text: str) -> FlightFolder:
    (tmp_path / FLIGHT).mkdir()
    (tmp_path / FLIGHT / "track.jsonl").write_text(text)
    return FlightFolder(tmp_path, FLIGHT)


def test_a_record_of_an_earlier_release_says_nothing_about_speed(tmp_path: Path):
    (sample,) = folder(tmp_path, line(0.0) + "\n").track()
    assert sample.position == Wgs84Point(22.55, 113.88)
    assert sample.figures["height_above_home_m"] == 74.0
    assert sample.ground_speed_m_s is None
    assert sample.figures["link_age_s"] is None
    assert summary_of([sample]).fastest_m_s is None


def test_a_torn_line_and_the_one_appended_to_it_are_left_out(tmp_path: Path):
    torn = line(0.0) + "\n" + line(1.0)[:40] + line(2.0) + "\n" + line(3.0) + "\n" + line(4.0)[:20]
    seconds = [(sample.at - BEGAN).total_seconds() for sample in folder(tmp_path, torn).track()]
    assert seconds == [0.0, 3.0]
    assert len(complete_lines(tmp_path / FLIGHT / "track.jsonl")) == 2


def test_thinning_keeps_every_change_of_phase_and_the_end(tmp_path: Path):
    phases = ["climbing"] * 5 + ["outbound"] * 10 + ["hovering"] + ["lowering"] * 4
    text = "".join(line(i * 0.25, phase=phase) + "\n" for i, phase in enumerate(phases))
    track = folder(tmp_path, text).track()
    kept = thinned(track, 2.0)
    assert [sample.phase for sample in kept] == [
        *("climbing", "outbound", "outbound", "hovering", "lowering", "lowering")
    ]
    assert kept[0] is track[0]
    assert kept[-1] is track[-1]
    assert thinned(track, 0.0) == track
    assert thinned([], 1.0) == []


def test_the_summary_is_of_the_whole_track(tmp_path: Path):
    text = "".join(
        line(
            second,
            velocity_east_m_s=3.0,
            velocity_north_m_s=second,
            charge_fraction=1.0 - second / 100,
            link_age_s=second / 10,
        )
        + "\n"
        for second in range(5)
    )
    summary = summary_of(folder(tmp_path, text).track())
    assert summary.flown_m == pytest.approx(4 * 11.075, abs=0.02)
    assert summary.fastest_m_s == 5.0
    assert summary.least_charge_fraction == 0.96
    assert summary.longest_silence_s == 0.4
    assert summary.highest_m == 74.0


@pytest.mark.parametrize("name", ["../secret", "..", "", "flt_x", f"{FLIGHT}/..", f"../{FLIGHT}"])
def test_no_name_leads_out_of_the_records(tmp_path: Path, name: str):
    records = tmp_path / "records"
    (records / FLIGHT).mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    assert not FlightFolder(records, name).here
    assert FlightFolder(records, name).files() == {}
    assert FlightFolder(records, name).track() == []
    here = FlightFolder(records, FLIGHT)
    assert here.here
    assert here.file("../../secret") is None
    assert here.file("track.kml") is None
    assert not here.finished


def test_plans_come_in_the_order_flown(tmp_path: Path):
    (tmp_path / FLIGHT).mkdir()
    for name in ("plan-10.json", "plan-2.json", "plan.json"):
        (tmp_path / FLIGHT / name).write_text("{}")
    assert [path.name for path in FlightFolder(tmp_path, FLIGHT).plans()] == [
        *("plan.json", "plan-2.json", "plan-10.json")
    ]
