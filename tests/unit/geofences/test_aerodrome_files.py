"""A table of aerodromes is zones or a refusal with feature, field and reason: it comes by the API too."""

from __future__ import annotations

import copy
import json
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.errors import ZoneFileError
from geofences import aerodrome
from geofences.aerodrome import read_aerodromes

TABLE: dict[str, Any] = json.loads(
    (Path(aerodrome.__file__).parent / "data" / "aerodromes.json").read_text(encoding="utf-8")
)
NASTY: list[Any] = [None, True, -1, 0, 1e308, -1e308, 2**63, 10**400, "", "x", [], {}, [[]], [{}], [None]]
NASTY += [{"a": 1}, 90.0001, -181, 360, 1e-320]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (holder, key) of a document."""
    found: list[tuple[Any, Any]] = []
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found.append((value, key))
        found += places(value[key])
    return found


def test_every_value_may_be_anything() -> None:
    taken = 0
    chance = random.Random(3)
    for number in range(len(places(TABLE))):
        for nasty in chance.sample(NASTY, 6):
            table = copy.deepcopy(TABLE)
            holder, key = places(table)[number]
            holder[key] = nasty
            # Nothing else than a refusal is raised.
            with suppress(ZoneFileError):
                read_aerodromes(json.dumps(table))
                taken += 1
    assert taken > 0


def change(**changes: Any) -> dict[str, Any]:
    table = copy.deepcopy(TABLE)
    table["airports"][0] |= changes
    return table


END = {"latitude_deg": 22.65, "longitude_deg": 113.80}


@pytest.mark.parametrize(
    ("table", "field", "why"),
    [
        (change(runways=[]), "airports[0].runways", "is missing"),
        (change(runways=[{"ends": [END]}]), "airports[0].runways[0].ends", "a runway has two ends"),
        (change(runways=[{"ends": [END, END]}]), "airports[0].runways[0].ends", "one point"),
        (
            change(runways=[{"ends": [END, END | {"latitude_deg": 91}]}]),
            "airports[0].latitude_deg",
            "outside",
        ),
        (change(position_quality="good"), "airports[0].position_quality", "is not one of"),
        (
            change(zones=[TABLE["airports"][0]["zones"][0] | {"strip_beside_m": -5}]),
            "airports[0].zones[0].strip_beside_m",
            "-5 is not a number from 0 up",
        ),
    ],
)
def test_what_is_wrong_is_named(table: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(ZoneFileError) as refused:
        read_aerodromes(json.dumps(table))
    assert refused.value.feature == "ZGSZ"
    assert refused.value.field == field
    assert why in refused.value.detail
