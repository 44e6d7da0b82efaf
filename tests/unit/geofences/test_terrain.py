"""Ground models, and what they do to limits above ground."""

from __future__ import annotations

import builtins
import math

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from core.errors import AirspaceError, ErrorCode
from core.geodesy import Altitude, AltitudeDatum, Wgs84Point
from geofences.applicability import TimeWindow
from geofences.geotiff import GeoTiffTerrain, load_terrain
from geofences.model import Restriction, VerticalLimit
from geofences.terrain import FlatTerrain
from geofences.verdict import Allowed, Forbidden
from geofences.vertical import GeoidRange
from tests.unit.geofences.builders import NOON, ORIGIN, agl, airspace, amsl, at, authorisation, square, zone

WEST, NORTH, CELL = 113.85, 22.61, 0.0005


def from_origin(west, north, width, height):
    return Affine(width, 0.0, west, 0.0, -height, north)


WINDOW = TimeWindow.lasting(NOON, 600)


def write(path, heights, *, nodata=None, crs="EPSG:4326", transform=None, **values):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=heights.shape[1],
        height=heights.shape[0],
        count=1,
        dtype="float32",
        crs=crs,
        transform=transform or from_origin(WEST, NORTH, CELL, CELL),
        nodata=nodata,
    ) as dataset:
        dataset.write(heights.astype("float32"), 1)
        for name, value in values.items():
            setattr(dataset, name, value)
    return path


@pytest.fixture
def slope(tmp_path):
    """Ground that rises eastwards by 1 m a cell from 0 in the middle of the first column."""
    return write(tmp_path / "slope.tif", np.tile(np.arange(140.0), (140, 1)))


def ground(path, **values):
    return GeoTiffTerrain(path, datum=AltitudeDatum.AMSL, **values)


def test_heights_are_interpolated_between_cell_centres(slope):
    terrain = ground(slope)
    for cells in (0.01, 3.0, 20.25, 100.5):
        point = Wgs84Point(22.58, WEST + (cells + 0.5) * CELL)
        assert terrain.ground_amsl_m(point) == pytest.approx(cells, abs=1e-4)
    assert terrain.description == "ground from slope.tif, 51 m raster, above mean sea level"
    assert terrain.resolution_m == pytest.approx(CELL * 111_195 * math.cos(math.radians(NORTH)), rel=1e-6)


def test_bounds_of_a_box_hold_everywhere_in_it(tmp_path):
    rng = np.random.default_rng(7)
    terrain = ground(write(tmp_path / "rough.tif", rng.uniform(0, 100, (140, 140))))
    for _ in range(200):
        west, south = rng.uniform(113.852, 113.90), rng.uniform(22.545, 22.60)
        east, north = west + rng.uniform(0, 0.01), south + rng.uniform(0, 0.005)
        low, high = terrain.ground_range_amsl_m(west, south, east, north)
        for _ in range(10):
            point = Wgs84Point(rng.uniform(south, north), rng.uniform(west, east))
            assert low <= terrain.ground_amsl_m(point) <= high


def test_outside_and_without_data_nothing_is_known(tmp_path):
    heights = np.zeros((140, 140))
    heights[70, 70] = -9999
    terrain = ground(write(tmp_path / "holes.tif", heights, nodata=-9999))
    hole = Wgs84Point(NORTH - 70.5 * CELL, WEST + 70.5 * CELL)
    for point in (hole, Wgs84Point(22.9, 113.9)):
        with pytest.raises(AirspaceError) as caught:
            terrain.ground_amsl_m(point)
        assert caught.value.code is ErrorCode.DATUM_MISMATCH
        box = (point.longitude_deg, point.latitude_deg) * 2
        assert terrain.ground_range_amsl_m(*box) == (-math.inf, math.inf)
    assert terrain.ground_range_amsl_m(WEST - 1, 22.58, WEST + 0.01, 22.59) == (-math.inf, math.inf)


def test_a_projected_raster_is_asked_in_degrees(tmp_path):
    heights = np.tile(np.arange(200.0), (200, 1))
    path = write(
        tmp_path / "utm.tif", heights, crs="EPSG:32649", transform=from_origin(795_000, 2_502_000, 30, 30)
    )
    terrain = ground(path)
    from pyproj import Transformer

    longitude, latitude = Transformer.from_crs("EPSG:32649", "EPSG:4326", always_xy=True).transform(
        795_000 + 30 * 50.5, 2_500_000
    )
    assert terrain.ground_amsl_m(Wgs84Point(latitude, longitude)) == pytest.approx(50.0, abs=1e-3)
    assert terrain.resolution_m == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("values", "words"),
    [({"crs": None}, "no reference system"), ({"units": ("ft",)}, "heights in ft")],
)
def test_unusable_rasters_are_refused(tmp_path, values, words):
    with pytest.raises(AirspaceError, match=words):
        ground(write(tmp_path / "bad.tif", np.zeros((4, 4)), **values))


def test_another_datum_is_refused(slope):
    with pytest.raises(AirspaceError, match="above ELLIPSOID"):
        GeoTiffTerrain(slope, datum=AltitudeDatum.ELLIPSOID)


def test_without_rasterio_the_ground_is_flat_and_says_why(slope, monkeypatch):
    real_import = builtins.__import__

    def no_rasterio(name, *args, **kwargs):
        if name.startswith("rasterio"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_rasterio)
    terrain = load_terrain(slope, flat_ground_amsl_m=5.0, datum=AltitudeDatum.AMSL)
    assert terrain.description == (
        "flat ground assumed at 5 m above mean sea level (rasterio is not installed, slope.tif was not read)"
    )
    assert load_terrain(None, flat_ground_amsl_m=5.0, datum=AltitudeDatum.AMSL).ground_amsl_m(ORIGIN) == 5.0


def test_with_rasterio_the_file_is_read(slope):
    terrain = load_terrain(slope, flat_ground_amsl_m=5.0, datum=AltitudeDatum.AMSL)
    assert terrain.description.startswith("ground from slope.tif")


def test_limits_above_ground_follow_the_ground(slope):
    space = airspace(zone(square(1000, floor=agl(50), ceiling=agl(100))), terrain=ground(slope))
    for east_m in (-900.0, 0.0, 900.0):
        here_m = space.terrain.ground_amsl_m(at(east_m, 0))
        for above_m, held in ((49.9, False), (50.1, True), (99.9, True), (100.1, False)):
            verdict = space.check_point(at(east_m, 0), here_m + above_m, NOON)
            assert isinstance(verdict, Forbidden) is held
            assert "slope.tif" in verdict.terrain
    # The ground rises about 39 m over the square: level flight passes under the floor in the east only.
    west_m, east_m = (space.terrain.ground_amsl_m(at(x, 0)) for x in (-1000, 1000))
    level_m = west_m + 52
    assert level_m < east_m + 48
    assert isinstance(space.check_segment(at(-900, 0), level_m, at(900, 0), level_m, WINDOW), Forbidden)
    assert isinstance(space.check_segment(at(200, 0), level_m, at(900, 0), level_m, WINDOW), Allowed)
    # Parallel to the ground, 5 m under the floor or over the ceiling, is allowed all the way.
    for above_m in (45.0, 105.0):
        verdict = space.check_segment(
            at(-900, 0),
            space.terrain.ground_amsl_m(at(-900, 0)) + above_m,
            at(900, 0),
            space.terrain.ground_amsl_m(at(900, 0)) + above_m,
            WINDOW,
        )
        assert isinstance(verdict, Allowed), verdict


def test_unknown_ground_closes_zones_and_shuts_what_opens(tmp_path):
    far_away = ground(
        write(tmp_path / "elsewhere.tif", np.zeros((9, 9)), transform=from_origin(0, 1, 0.1, 0.1))
    )
    closed = airspace(zone(square(floor=agl(100))), terrain=far_away)
    assert isinstance(closed.check_point(at(0, 0), 5, NOON), Forbidden)
    area = airspace(zone(square(ceiling=agl(100)), restriction=Restriction.KEEP_IN), terrain=far_away)
    assert isinstance(area.check_point(at(0, 0), 5, NOON), Forbidden)
    held = authorisation(ceiling=agl(100))
    asked = zone(restriction=Restriction.REQ_AUTHORISATION)
    assert isinstance(
        airspace(asked, terrain=far_away, authorisations=(held,)).check_point(at(0, 0), 5, NOON), Forbidden
    )
    # Limits above sea level need no ground.
    low = airspace(zone(square(ceiling=amsl(50))), terrain=far_away)
    assert isinstance(low.check_point(at(0, 0), 51, NOON), Allowed)


def test_an_authorisation_above_ground_opens_what_it_covers(slope):
    held = authorisation(ceiling=agl(100))
    asked = zone(square(1000), restriction=Restriction.REQ_AUTHORISATION)
    space = airspace(asked, terrain=ground(slope), authorisations=(held,))
    low_m, high_m = (space.terrain.ground_amsl_m(at(x, 0)) for x in (-900, 900))
    follow = space.check_segment(at(-900, 0), low_m + 95, at(900, 0), high_m + 95, WINDOW)
    assert isinstance(follow, Allowed), follow
    assert isinstance(
        space.check_segment(at(-900, 0), low_m + 95, at(900, 0), high_m + 105, WINDOW), Forbidden
    )
    assert not space.obstacles(0, low_m + 60, WINDOW)
    assert space.obstacles(0, high_m + 101, WINDOW)


def test_ellipsoidal_limits_are_widened_by_what_the_geoid_may_be():
    high = VerticalLimit(Altitude.ellipsoid(100.0))
    unknown = airspace(zone(square(ceiling=high)))
    assert isinstance(unknown.check_point(at(0, 0), 206, NOON), Forbidden)
    assert isinstance(unknown.check_point(at(0, 0), 208, NOON), Allowed)
    # An undulation of −4 … −2 m: 100 m above the ellipsoid is 102 … 104 m above the sea.
    known = airspace(zone(square(ceiling=high)), geoid=GeoidRange(-4.0, -2.0))
    assert isinstance(known.check_point(at(0, 0), 103.9, NOON), Forbidden)
    assert isinstance(known.check_point(at(0, 0), 104.1, NOON), Allowed)
    area = airspace(zone(square(ceiling=high), restriction=Restriction.KEEP_IN), geoid=GeoidRange(-4.0, -2.0))
    assert isinstance(area.check_point(at(0, 0), 101.9, NOON), Allowed)
    assert isinstance(area.check_point(at(0, 0), 102.1, NOON), Forbidden)
    with pytest.raises(AirspaceError):
        GeoidRange(-200.0, 0.0)


def test_flat_terrain_refuses_no_height():
    with pytest.raises(AirspaceError):
        FlatTerrain(math.nan)
