"""Zones → files that others read. What is written is read back to equal zones by our readers."""

from geofences.writers.ed318 import to_ed318
from geofences.writers.geojson import to_geojson
from geofences.writers.kml import to_kml

__all__ = ["to_ed318", "to_geojson", "to_kml"]
