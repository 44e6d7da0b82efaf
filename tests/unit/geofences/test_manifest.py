"""An airspace from several files."""

from __future__ import annotations

import json
import shutil

import pytest

from core.errors import ZoneFileError
from core.geodesy import Wgs84Point
from geofences.manifest import load_airspace
from geofences.site_airspace import DEMO_MANIFEST, load_demo_airspace


@pytest.fixture
def folder(tmp_path):
    for file in DEMO_MANIFEST.parent.iterdir():
        shutil.copy(file, tmp_path / file.name)
    return tmp_path


def rewrite(folder, **changes):
    path = folder / DEMO_MANIFEST.name
    document = {k: v for k, v in (json.loads(path.read_text()) | changes).items() if v is not None}
    path.write_text(json.dumps(document))
    return path


def test_the_demonstration_is_loaded_through_its_manifest():
    loaded = load_airspace(DEMO_MANIFEST)
    assert loaded.airspace.version == load_demo_airspace().version
    assert loaded.airspace.frame.origin == Wgs84Point(22.575, 113.885)
    assert len(loaded.airspace.zones) == 15
    # Our own data follows the standards to the letter.
    assert loaded.notes == ()


def test_the_version_names_the_data(folder):
    first = load_airspace(rewrite(folder)).airspace.version
    assert first.startswith("baoan-demo-1+")
    zones = folder / "baoan-zones.ed269.json"
    zones.write_text(zones.read_text().replace("22.5644", "22.5645"))
    assert load_airspace(rewrite(folder)).airspace.version != first


def test_notes_name_their_file(folder):
    zones = folder / "baoan-zones.ed269.json"
    zones.write_text(zones.read_text().replace('"BA-SUB1"', '"BA-SUBSTATION-1"'))
    (note,) = load_airspace(rewrite(folder)).notes
    assert (note.file, note.note.feature) == ("baoan-zones.ed269.json", "BA-SUBSTATION-1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": None}, "baoan.airspace.json: is missing .*version"),
        ({"zones": []}, "name no zone at all"),
        ({"zones": [{"file": "nowhere.json", "format": "ed269"}]}, "nowhere.json cannot be read"),
        ({"zones": [{"file": "../core/ids.py", "format": "ed269"}]}, "not the name of a file beside"),
        ({"zones": [{"file": "aerodromes.json", "format": "dxf"}]}, "'dxf' is not one of ed269"),
        ({"zones": [{"file": "aerodromes.json", "format": "ed269"}]}, "aerodromes.json: expected a list of features"),
        ({"terrain": {}}, "terrain.flat_ground_amsl_m"),
        ({"terrain": None}, "terrain"),
        ({"origin": {"latitude_deg": 22}}, "needs latitude_deg and longitude_deg"),
        ({"authorisations": ["aerodromes.json"]}, "aerodromes.json: a list of authorisations is expected"),
    ],
)  # fmt: skip
def test_a_wrong_manifest_is_refused(folder, changes, words):
    path = rewrite(folder, **changes)
    with pytest.raises(ZoneFileError, match=words):
        load_airspace(path)


def test_a_raster_is_part_of_the_airspace(folder):
    import numpy as np
    import rasterio

    with rasterio.open(
        folder / "dem.tif",
        "w",
        driver="GTiff",
        width=200,
        height=200,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=rasterio.Affine(0.001, 0, 113.8, 0, -0.001, 22.7),
    ) as dataset:
        dataset.write(np.full((200, 200), 12.0, dtype="float32"), 1)
    path = rewrite(folder, terrain={"flat_ground_amsl_m": 5, "geotiff": "dem.tif"})
    terrain = load_airspace(path).airspace.terrain
    assert terrain.ground_amsl_m(Wgs84Point(22.57, 113.88)) == pytest.approx(12.0)
    assert "dem.tif" in terrain.description
