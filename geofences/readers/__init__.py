"""Zone files → zones, one module per format. A file is taken whole or refused whole.

``read_…`` gives the zones; ``parse_…`` gives them with the notes of everything that was repaired,
tolerated or ignored, which belongs in front of a person before the zones are used.
"""

from geofences.readers.ed269 import parse_ed269, read_ed269
from geofences.readers.ed318 import parse_ed318, read_ed318
from geofences.readers.geojson import parse_geojson, read_geojson
from geofences.readers.kml import parse_kml, read_kml
from geofences.readers.kmz import parse_kmz, read_kmz
from geofences.readers.openair import parse_openair, read_openair
from geofences.readers.result import Note, NoteKind, ReadResult

__all__ = [
    "Note",
    "NoteKind",
    "ReadResult",
    "parse_ed269",
    "parse_ed318",
    "parse_geojson",
    "parse_kml",
    "parse_kmz",
    "parse_openair",
    "read_ed269",
    "read_ed318",
    "read_geojson",
    "read_kml",
    "read_kmz",
    "read_openair",
]
