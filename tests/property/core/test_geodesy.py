"""The local frame against geodesics, which share no code with the projection."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AirspaceError, ErrorCode
from core.geodesy import (
    Altitude,
    EnuOffset,
    LocalFrame,
    Wgs84Point,
    destination,
    geodesic_distance_m,
    initial_bearing_deg,
)

ORIGIN = Wgs84Point(22.58, 113.89)
FRAME = LocalFrame(ORIGIN)


def offsets(reach_m: float) -> st.SearchStrategy[EnuOffset]:
    return st.builds(
        lambda bearing, distance: EnuOffset(distance * math.sin(bearing), distance * math.cos(bearing)),
        st.floats(0, 2 * math.pi),
        st.floats(0, reach_m),
    )


@pytest.mark.parametrize(("reach_m", "worst_ppm"), [(15_000, 1.0), (32_000, 4.3), (99_000, 41.5)])
def test_stated_length_error_holds(reach_m: float, worst_ppm: float) -> None:
    @given(offsets(reach_m), offsets(reach_m))
    def check(start: EnuOffset, end: EnuOffset) -> None:
        plane_m = math.hypot(end.east_m - start.east_m, end.north_m - start.north_m)
        geodesic_m = geodesic_distance_m(FRAME.to_wgs84(start), FRAME.to_wgs84(end))
        assert abs(plane_m - geodesic_m) <= worst_ppm * 1e-6 * geodesic_m + 1e-3

    check()


@given(offsets(90_000))
def test_round_trip_stays_below_a_millimetre(offset: EnuOffset) -> None:
    back = FRAME.to_enu(FRAME.to_wgs84(offset))
    assert math.hypot(back.east_m - offset.east_m, back.north_m - offset.north_m) < 1e-3


@given(st.floats(0, 359.9), st.floats(0.5, 50_000))
def test_bearing_and_distance_agree(bearing_deg: float, distance_m: float) -> None:
    end = destination(ORIGIN, bearing_deg, distance_m)
    assert geodesic_distance_m(ORIGIN, end) == pytest.approx(distance_m, abs=1e-6)
    turn_deg = (initial_bearing_deg(ORIGIN, end) - bearing_deg + 180) % 360 - 180
    assert abs(turn_deg) < 1e-5


def test_beyond_its_reach_the_frame_refuses() -> None:
    far = destination(ORIGIN, 45, 101_000)
    with pytest.raises(AirspaceError) as caught:
        FRAME.to_enu(far)
    assert caught.value.code is ErrorCode.OUTSIDE_LOCAL_FRAME
    with pytest.raises(AirspaceError):
        FRAME.project([(far.longitude_deg, far.latitude_deg)])


def test_an_altitude_is_read_only_by_its_datum() -> None:
    altitude = Altitude.amsl(80)
    assert altitude.amsl_m == 80.0
    for other in ("agl_m", "ellipsoid_m", "home_m"):
        with pytest.raises(AirspaceError) as caught:
            getattr(altitude, other)
        assert caught.value.code is ErrorCode.DATUM_MISMATCH
    with pytest.raises(AirspaceError):
        Altitude.agl(float("nan"))
