"""One airspace from several files: which ones, in which format, over which ground.

A manifest is JSON beside the files it names:

    {"version": "baoan-2026-11", "origin": {"latitude_deg": 22.575, "longitude_deg": 113.885},
     "terrain": {"flat_ground_amsl_m": 5, "geotiff": "dem.tif"},
     "zones": [{"file": "city.json", "format": "ed269"}, {"file": "own.geojson", "format": "geojson"}],
     "authorisations": ["approvals.json"]}

The version of the airspace is the manifest's plus a digest of everything read, so that a stored plan
names exactly the data it was made on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import ZoneFileError
from core.geodesy import AltitudeDatum, Wgs84Point
from geofences.aerodrome import read_aerodromes
from geofences.airspace import Airspace
from geofences.authorisations import read_authorisations
from geofences.geotiff import load_terrain
from geofences.model import Authorisation, Zone
from geofences.readers import parse_ed269, parse_ed318, parse_geojson, parse_kml, parse_kmz, parse_openair
from geofences.readers.fields import Fields, load_json
from geofences.readers.result import Note, ReadResult, Report
from geofences.terrain import Terrain

FORMATS: dict[str, Callable[[bytes], ReadResult]] = {
    "ed269": parse_ed269,
    "ed318": parse_ed318,
    "geojson": parse_geojson,
    "kml": parse_kml,
    "kmz": parse_kmz,
    "openair": parse_openair,
    "aerodromes": lambda data: ReadResult("aerodromes", read_aerodromes(data)),
}
"""Readers by the word a manifest uses."""


@dataclass(frozen=True, slots=True)
class FileNote:
    """A note about one of the files."""

    file: str
    note: Note


@dataclass(frozen=True, slots=True)
class LoadedAirspace:
    """The airspace and everything that was not as the formats say, for a person to look at."""

    airspace: Airspace
    notes: tuple[FileNote, ...]


class _Folder:
    """The folder of a manifest, with a digest of all that is read from it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()

    def file(self, name: str) -> Path:
        if name != Path(name).name or not name:
            raise ZoneFileError(f"{name!r} is not the name of a file beside the manifest")
        return self._path / name

    def read(self, name: str) -> bytes:
        try:
            data = self.file(name).read_bytes()
        except OSError as error:
            raise ZoneFileError(f"{name} cannot be read: {error.strerror}") from error
        self._digest.update(data)
        return data

    def fingerprint(self) -> str:
        return self._digest.hexdigest()[:12]


def load_airspace(manifest: Path) -> LoadedAirspace:
    """The airspace of the manifest; 3101 naming the file, the feature, the field and the reason."""
    folder = _Folder(manifest.parent)
    document = load_json(folder.read(manifest.name))
    top = Fields(document, feature=manifest.name, path="", report=Report())
    zones: list[Zone] = []
    notes: list[FileNote] = []
    for entry in top.children("zones"):
        name, parse = entry.text("file", None), entry.choice("format", FORMATS)
        data = folder.read(name)
        try:
            result = parse(data)
        except ZoneFileError as error:
            raise ZoneFileError(f"{name}: {error.detail}", feature=None, field=error.field) from error
        zones.extend(result.zones)
        notes.extend(FileNote(name, note) for note in result.notes)
    if not zones:
        top.refuse("zones", "name no zone at all")
    authorisations: list[Authorisation] = []
    for name in top.words("authorisations"):
        data = folder.read(name)
        try:
            authorisations.extend(read_authorisations(data))
        except ZoneFileError as error:
            raise ZoneFileError(f"{name}: {error.detail}", feature=None, field=error.field) from error
    terrain = _terrain(top.child("terrain"), folder)
    airspace = Airspace(
        zones,
        version=f"{top.text('version', None)}+{folder.fingerprint()}",
        origin=_point(top.child("origin")) if top.has("origin") else None,
        terrain=terrain,
        authorisations=tuple(authorisations),
    )
    return LoadedAirspace(airspace, tuple(notes))


def _point(fields: Fields) -> Wgs84Point:
    latitude_deg, longitude_deg = fields.number("latitude_deg"), fields.number("longitude_deg")
    if latitude_deg is None or longitude_deg is None:
        fields.refuse("latitude_deg", "a position needs latitude_deg and longitude_deg")
    return Wgs84Point(latitude_deg, longitude_deg)


def _terrain(fields: Fields, folder: _Folder) -> Terrain:
    flat_m = fields.number("flat_ground_amsl_m")
    if flat_m is None:
        fields.refuse("flat_ground_amsl_m", "is missing: the ground where there is no raster")
    path: Path | None = None
    if fields.has("geotiff"):
        path = folder.file(fields.text("geotiff"))
        folder.read(path.name)
    return load_terrain(path, flat_ground_amsl_m=flat_m, datum=AltitudeDatum.AMSL)
