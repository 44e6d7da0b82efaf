"""The demonstration airspace of Bao'an, read from ``geofences/data`` by the project's own readers."""

from __future__ import annotations

from functools import cache
from importlib import resources

from core.geodesy import Wgs84Point
from geofences.aerodrome import read_aerodromes
from geofences.airspace import Airspace
from geofences.authorisations import read_authorisations
from geofences.readers import read_ed269, read_geojson
from geofences.terrain import FlatTerrain

DEMO_ORIGIN = Wgs84Point(22.575, 113.885)
"""Middle of the stations: the frame's error is under 1 ppm in all of Bao'an."""

DEMO_GROUND_AMSL_M = 5.0
"""Chosen: the coastal plain of Bao'an lies at 2–8 m. Hills (Tiezai, Bao'an Park, up to about 100 m) stand
above it, so limits above ground come out too low there, which for ceilings of operating areas and
floors of shelves errs to caution; zones on the ground have ceilings above mean sea level."""

VERSION = "baoan-demo-1"


def _data(name: str) -> bytes:
    return resources.files("geofences").joinpath("data", name).read_bytes()


@cache
def load_demo_airspace() -> Airspace:
    """The demonstration airspace; the same immutable snapshot at every call."""
    zones = (
        *read_aerodromes(_data("aerodromes.json")),
        *read_ed269(_data("baoan-zones.ed269.json")),
        *read_geojson(_data("baoan-areas.geojson")),
    )
    return Airspace(
        zones,
        version=VERSION,
        origin=DEMO_ORIGIN,
        terrain=FlatTerrain(DEMO_GROUND_AMSL_M),
        authorisations=read_authorisations(_data("baoan-authorisations.json")),
    )
