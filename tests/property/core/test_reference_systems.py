"""GCJ-02 and BD-09 against an independent implementation (Rust, ``geocoordinates-rs``)."""

import geocoordinates_ffi as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AirspaceError
from core.gcj02 import (
    Bd09Point,
    Gcj02Point,
    ReferenceSystem,
    bd09_to_gcj02,
    gcj02_applies,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_wgs84,
    wgs84_to_gcj02,
)
from core.geodesy import Wgs84Point, geodesic_distance_m

SHENZHEN = st.builds(Wgs84Point, st.floats(22.58, 22.85), st.floats(113.76, 114.6))
MAINLAND = st.builds(Wgs84Point, st.floats(24.0, 45.0), st.floats(100.0, 118.0))
ONE_CM_DEG = 9e-8


@given(SHENZHEN | MAINLAND)
def test_forward_agrees_with_the_oracle(point: Wgs84Point) -> None:
    ours = wgs84_to_gcj02(point)
    theirs = oracle.wgs84_to_gcj02(oracle.Wgs84(lat=point.latitude_deg, lon=point.longitude_deg))
    assert ours.latitude_deg == pytest.approx(theirs.lat, abs=1e-9)
    assert ours.longitude_deg == pytest.approx(theirs.lon, abs=1e-9)


@given(SHENZHEN | MAINLAND)
def test_bd09_step_agrees_with_the_oracle(point: Wgs84Point) -> None:
    ours = gcj02_to_bd09(Gcj02Point(point.latitude_deg, point.longitude_deg))
    theirs = oracle.gcj02_to_bd09(oracle.Gcj02(lat=point.latitude_deg, lon=point.longitude_deg))
    assert ours.latitude_deg == pytest.approx(theirs.lat, abs=1e-9)
    assert ours.longitude_deg == pytest.approx(theirs.lon, abs=1e-9)


@given(SHENZHEN | MAINLAND)
def test_round_trips_stay_within_a_centimetre(point: Wgs84Point) -> None:
    gcj02 = wgs84_to_gcj02(point)
    assert geodesic_distance_m(gcj02_to_wgs84(gcj02), point) < 0.01
    bd09 = gcj02_to_bd09(gcj02)
    back = bd09_to_gcj02(bd09)
    assert abs(back.latitude_deg - gcj02.latitude_deg) < ONE_CM_DEG
    assert abs(back.longitude_deg - gcj02.longitude_deg) < ONE_CM_DEG
    assert (
        geodesic_distance_m(to_wgs84(ReferenceSystem.BD09, bd09.latitude_deg, bd09.longitude_deg), point)
        < 0.01
    )


@given(SHENZHEN)
def test_a_mix_up_would_miss_by_hundreds_of_metres(point: Wgs84Point) -> None:
    shifted = wgs84_to_gcj02(point)
    offset_m = geodesic_distance_m(point, Wgs84Point(shifted.latitude_deg, shifted.longitude_deg))
    assert 50 < offset_m < 1000


@pytest.mark.parametrize(
    ("name", "latitude_deg", "longitude_deg", "applies"),
    [
        ("Shenzhen Futian", 22.5410, 114.0550, True),
        ("Shenzhen Luohu station", 22.5330, 114.1130, True),
        ("Shenzhen Shekou", 22.4830, 113.9150, True),
        ("Shenzhen Yantian port", 22.5720, 114.2700, True),
        ("Hong Kong Central", 22.2819, 114.1580, False),
        ("Hong Kong airport", 22.3080, 113.9185, False),
        ("Hong Kong Sheung Shui", 22.5020, 114.1280, False),
        ("Macau Senado", 22.1937, 113.5400, False),
        ("Zhuhai Gongbei", 22.2210, 113.5510, True),
        ("Zhuhai Hengqin", 22.1320, 113.5200, True),
        ("Paris", 48.8566, 2.3522, False),
    ],
)
def test_where_the_shift_applies(name: str, latitude_deg: float, longitude_deg: float, applies: bool) -> None:
    assert gcj02_applies(latitude_deg, longitude_deg) is applies, name


@given(st.floats(22.40, 22.60), st.floats(113.85, 114.35))
def test_at_the_hong_kong_border_the_answer_is_right_or_refused(
    latitude_deg: float, longitude_deg: float
) -> None:
    given_point = Gcj02Point(latitude_deg, longitude_deg)
    try:
        wgs84 = gcj02_to_wgs84(given_point)
    except AirspaceError as refused:
        if refused.field != "position":
            raise
        return
    back = wgs84_to_gcj02(wgs84)
    assert back.latitude_deg == pytest.approx(latitude_deg, abs=ONE_CM_DEG)
    assert back.longitude_deg == pytest.approx(longitude_deg, abs=ONE_CM_DEG)


@pytest.mark.parametrize("point_type", [Wgs84Point, Gcj02Point, Bd09Point])
@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "field"),
    [
        (91, 0, "latitude_deg"),
        (-90.0001, 0, "latitude_deg"),
        (0, 180.5, "longitude_deg"),
        (float("nan"), 0, "latitude_deg"),
        (0, float("inf"), "longitude_deg"),
        (True, 0, "latitude_deg"),
        ("22", 0, "latitude_deg"),
    ],
)
def test_bad_positions_name_the_field(
    point_type: type, latitude_deg: float, longitude_deg: float, field: str
) -> None:
    with pytest.raises(AirspaceError) as caught:
        point_type(latitude_deg, longitude_deg)
    assert caught.value.field == field
    assert int(caught.value.code) == 3001
