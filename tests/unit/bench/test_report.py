"""Figures are written as others read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.report import Report


def test_written_as_json(tmp_path: Path) -> None:
    report = Report()
    report.add("planner.route_1000.p50_ms", 0.06, "ms", 200, "best of 5")
    report.add("planner.prep_5000_s", 0.1, "s", 5)
    report.write(tmp_path / "bench.json")
    assert json.loads((tmp_path / "bench.json").read_text(encoding="utf-8")) == {
        "planner.route_1000.p50_ms": {"value": 0.06, "unit": "ms", "n": 200, "note": "best of 5"},
        "planner.prep_5000_s": {"value": 0.1, "unit": "s", "n": 5, "note": ""},
    }


def test_no_figure_twice_and_none_that_is_no_number() -> None:
    report = Report()
    report.add("a", 1.0, "s", 1)
    with pytest.raises(ValueError, match="twice"):
        report.add("a", 2.0, "s", 1)
    with pytest.raises(ValueError, match="not a figure"):
        report.add("b", float("nan"), "s", 1)
    assert [figure.name for figure in report.figures] == ["a"]
