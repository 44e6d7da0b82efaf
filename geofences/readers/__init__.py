"""Zone files → zones, one module per format. A file is taken whole or refused whole."""

from geofences.readers.ed269 import parse_ed269, read_ed269
from geofences.readers.geojson import parse_geojson, read_geojson
from geofences.readers.result import Note, NoteKind, ReadResult

__all__ = [
    "Note",
    "NoteKind",
    "ReadResult",
    "parse_ed269",
    "parse_geojson",
    "read_ed269",
    "read_geojson",
]
