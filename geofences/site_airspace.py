"""The demonstration airspace of Bao'an, read from ``geofences/data`` by the project's own readers.

Its origin is the middle of the stations: the frame's error is under 1 ppm in all of Bao'an. Its ground is
flat at 5 m (chosen: the coastal plain lies at 2–8 m). Hills (Tiezai, Bao'an Park, up to about 100 m) stand
above it, so limits above ground come out too low there; for ceilings of operating areas and floors of
shelves that errs to caution, and zones on the ground have ceilings above mean sea level.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from geofences.airspace import Airspace
from geofences.manifest import load_airspace

DEMO_MANIFEST = Path(__file__).parent / "data" / "baoan.airspace.json"


@cache
def load_demo_airspace() -> Airspace:
    """The demonstration airspace; the same immutable snapshot at every call."""
    return load_airspace(DEMO_MANIFEST).airspace
