"""The polynomial projection is the exact one to a micrometre, or is not used."""

from __future__ import annotations

import numpy as np
import pytest

from core.geodesy import LocalFrame, Wgs84Point
from geofences import plane
from geofences.shapes import reach_box_deg


@pytest.mark.parametrize("latitude_deg", [-60.0, -23.0, 0.0, 22.575, 47.0, 69.0])
def test_it_follows_the_exact_projection(latitude_deg):
    frame = LocalFrame(Wgs84Point(latitude_deg, 113.885))
    west, south, east, north = box = reach_box_deg(frame.origin, 0.62)
    rng = np.random.default_rng(5)
    points = np.column_stack([rng.uniform(west, east, 20_000), rng.uniform(south, north, 20_000)])
    assert plane._fit(frame, box) is not None
    error_m = np.abs(plane.project_many(frame, points, box) - frame.project(points))
    assert error_m.max() < 1e-6


def test_where_it_does_not_follow_the_exact_one_is_used(monkeypatch):
    frame = LocalFrame(Wgs84Point(22.575, 113.885))
    box = reach_box_deg(frame.origin, 0.62)
    monkeypatch.setattr(plane, "_DEGREE", 3)
    assert plane._fit(frame, box) is None
    rng = np.random.default_rng(5)
    points = np.column_stack([rng.uniform(113.5, 114.0, 3_000), rng.uniform(22.3, 22.8, 3_000)])
    assert np.array_equal(plane.project_many(frame, points, box), frame.project(points))
