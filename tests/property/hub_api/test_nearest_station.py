"""The nearest station is the one that measuring every distance gives, wherever on earth."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from core.geodesy import Wgs84Point, geodesic_distance_m
from hub_api.dispatch.nearest import NearestStation
from planner.site import Site
from tests.unit.hub_api.played_planning import a_site

_SITE = a_site()

anywhere = st.builds(
    Wgs84Point, st.floats(-90.0, 90.0, allow_subnormal=False), st.floats(-180.0, 180.0, allow_subnormal=False)
)
offsets_deg = st.tuples(
    st.floats(-0.1, 0.1, allow_subnormal=False), st.floats(-0.1, 0.1, allow_subnormal=False)
)


def _site(places: list[Wgs84Point]) -> Site:
    one = _SITE.stations[0]
    stations = tuple(
        replace(one, station_id=f"station-{number}", position=place) for number, place in enumerate(places)
    )
    return replace(_SITE, stations=stations, drones=())


def _measured(site: Site, place: Wgs84Point) -> str:
    return min(site.stations, key=lambda each: geodesic_distance_m(each.position, place)).station_id


@settings(max_examples=200)
@given(st.lists(anywhere, min_size=1, max_size=30), anywhere)
def test_over_the_earth(places: list[Wgs84Point], patient: Wgs84Point) -> None:
    site = _site(places)
    assert NearestStation().of(site, patient) == _measured(site, patient)


@settings(max_examples=200)
@given(st.floats(-89.0, 89.0), st.lists(offsets_deg, min_size=1, max_size=30), offsets_deg)
def test_in_a_city_and_for_another_site(
    latitude_deg: float, offsets: list[tuple[float, float]], offset: tuple[float, float]
) -> None:
    def at(moved: tuple[float, float]) -> Wgs84Point:
        return Wgs84Point(latitude_deg + moved[0], 113.9 + moved[1])

    nearest = NearestStation()
    for some in (offsets, offsets[: 1 + len(offsets) // 2]):
        site = _site([at(each) for each in some])
        assert nearest.of(site, at(offset)) == _measured(site, at(offset))


def test_none_without_stations() -> None:
    assert NearestStation().of(_site([]), Wgs84Point(22.5, 113.9)) is None
