"""The cases must stay those on which other planners were measured: pinned bit by bit."""

from __future__ import annotations

import hashlib

import pytest
import shapely

from bench.planner_cases import GAP_M, city_case

CHECKSUMS = {
    50: "0e3710dafd7304267ff3d07470276e4c4ea404442ac1b239924cd3ef061cd3eb",
    200: "98945bd11728005ce63b335ae5b454d1dff05c170e889485df747558d3e72551",
    1000: "d8c161f60b16d5011e6e9ba660dde89b43a38162e7eac84bc508039d40e2c956",
    5000: "4de75e091e212b112ebd994a898e4cc21aba5bd30e78a4abb646cc6d4554b4af",
}


@pytest.mark.parametrize("count", [50, 200, 1000])
def test_cases_are_the_published_ones(count: int) -> None:
    case = city_case(count)
    content = b"".join(zone.tobytes() for zone in case.zones) + case.pairs.tobytes()
    assert hashlib.sha256(content).hexdigest() == CHECKSUMS[count]


def test_zones_keep_their_gap() -> None:
    polygons = city_case(50).polygons
    pairs = shapely.STRtree(polygons).query(polygons, predicate="dwithin", distance=GAP_M)
    assert (pairs[0] == pairs[1]).all()
