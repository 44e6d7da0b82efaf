"""KMZ: a KML file in a ZIP archive.

The main file is the first ``.kml`` in the archive's top folder; everything else (pictures, models) is not read.
What is unpacked is bounded by what it really gives, not by what the archive says about itself.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from core.errors import ZoneFileError
from geofences.model import Restriction, Zone
from geofences.readers.fields import MAX_BYTES, quote
from geofences.readers.kml import parse_kml
from geofences.readers.result import ReadResult

MAX_UNPACKED_BYTES = 64 * 2**20
"""Chosen: a city's zones are a few megabytes of KML; an archive of kilobytes can unpack to gigabytes."""

_LONGEST_REASON = 200
MAX_ENTRIES = 10_000
"""Chosen: far above the pictures of any map."""

_CHUNK_BYTES = 2**16


def read_kmz(data: bytes, *, restriction: Restriction | None = None) -> tuple[Zone, ...]:
    """The zones of a KMZ archive; 3101 naming the entry or the Placemark, field and reason when unusable."""
    return parse_kmz(data, restriction=restriction).zones


def parse_kmz(data: bytes, *, restriction: Restriction | None = None) -> ReadResult:
    """As :func:`read_kmz`, with notes. ``restriction`` holds for Placemarks that name none."""
    result = parse_kml(_main_file(data), restriction=restriction)
    return ReadResult("KMZ", result.zones, result.notes)


def _main_file(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise ZoneFileError(f"the file has {len(data)} bytes, at most {MAX_BYTES} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise ZoneFileError(f"the archive has {len(entries)} entries, at most {MAX_ENTRIES} are read")
            main = next((e for e in entries if "/" not in e.filename and _is_kml(e.filename)), None)
            if main is None:
                elsewhere = next((e.filename for e in entries if _is_kml(e.filename)), None)
                hint = f", only {quote(elsewhere)} deeper down" if elsewhere else ""
                raise ZoneFileError(f"the archive has no KML file in its top folder{hint}")
            if main.flag_bits & 0x1:
                raise ZoneFileError("is encrypted", feature=main.filename)
            return _unpacked(archive, main)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        # It may quote names out of the archive, of any length.
        raise ZoneFileError(
            f"the file is not a readable KMZ archive: {str(error)[:_LONGEST_REASON]}"
        ) from error


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    parts: list[bytes] = []
    size = 0
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_UNPACKED_BYTES:
                raise ZoneFileError(
                    f"unpacks to more than {MAX_UNPACKED_BYTES} bytes; split it", feature=entry.filename
                )
            parts.append(chunk)
    return b"".join(parts)


def _is_kml(name: str) -> bool:
    return name.lower().endswith(".kml")
