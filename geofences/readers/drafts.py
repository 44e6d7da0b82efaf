"""From what a feature says to zones: axis order first, for the whole file, then outlines.

Some feeds write latitude first. Whether a file does can only be told from all its positions and the
bounds of the countries it names; a file where some fit only one way and some only the other is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import AirspaceError, ZoneFileError
from core.geodesy import Wgs84Point
from geofences.model import Area, CircleArea, Restriction, VerticalLimit, Volume, Zone
from geofences.readers.countries import fits
from geofences.readers.fields import MAX_FEATURES, MAX_POINTS, quote
from geofences.readers.result import Report
from geofences.readers.rings import to_areas

_SAMPLES_PER_RING = 32

Position = tuple[float, float]
"""First and second number as written, not yet known which is which."""


@dataclass(frozen=True, slots=True)
class VolumeDraft:
    """A volume as written. Rings for a polygon; a centre and a radius in metres for a circle."""

    path: str
    floor: VerticalLimit
    ceiling: VerticalLimit
    rings: tuple[tuple[Position, ...], ...] = ()
    centre: Position | None = None
    radius_m: float | None = None

    def some_positions(self) -> Iterator[Position]:
        """Positions from all over the volume; all of a volume are written in the same order."""
        if self.centre is not None:
            yield self.centre
        for ring in self.rings:
            yield from ring[:: max(1, len(ring) // _SAMPLES_PER_RING)]


@dataclass(frozen=True, slots=True)
class ZoneDraft:
    """A feature as written: everything of a zone but its volumes, and these as drafts."""

    feature: str
    values: dict[str, Any]
    volumes: list[VolumeDraft] = field(default_factory=list)


def read_position(value: object, *, feature: str, path: str, report: Report) -> Position:
    """Two finite numbers; a third (a height GeoJSON allows) is ignored and noted."""
    if not isinstance(value, (list, tuple)) or not 2 <= len(value) <= 4:
        raise ZoneFileError(f"expected a position, found {quote(value)}", feature=feature, field=path)
    for number in value[:2]:
        # Integers of any length are valid JSON; comparing is safe where converting is not.
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not -1e9 < number < 1e9:
            raise ZoneFileError(f"{quote(number)} is not a coordinate", feature=feature, field=path)
    if len(value) > 2:
        report.ignored(feature, path.split("[")[0], "heights in positions: limits come from the feature")
    return (float(value[0]), float(value[1]))


def read_rings(value: object, *, feature: str, path: str, report: Report) -> tuple[tuple[Position, ...], ...]:
    """A polygon's rings."""
    if not isinstance(value, list) or not value:
        raise ZoneFileError(f"expected rings, found {quote(value)}", feature=feature, field=path)
    rings = []
    for i, ring in enumerate(value):
        where = f"{path}[{i}]"
        if not isinstance(ring, list):
            raise ZoneFileError(f"expected a ring, found {quote(ring)}", feature=feature, field=where)
        rings.append(
            tuple(
                read_position(position, feature=feature, path=f"{where}[{k}]", report=report)
                for k, position in enumerate(ring)
            )
        )
    return tuple(rings)


def build_zones(drafts: Sequence[ZoneDraft], report: Report) -> tuple[Zone, ...]:
    """The zones of a file, all or none."""
    if len(drafts) > MAX_FEATURES:
        raise ZoneFileError(f"the file has {len(drafts)} features, at most {MAX_FEATURES} are read")
    points = sum(len(ring) for draft in drafts for volume in draft.volumes for ring in volume.rings)
    if points > MAX_POINTS:
        raise ZoneFileError(f"the file has {points} points, at most {MAX_POINTS} are read")
    swapped = _latitude_first(drafts, report)
    zones: list[Zone] = []
    known: dict[str, int] = {}
    for draft in drafts:
        if not draft.volumes:
            raise ZoneFileError("has no geometry", feature=draft.feature, field="geometry")
        keep_in = draft.values["restriction"] is Restriction.KEEP_IN
        try:
            volumes = tuple(
                Volume(area, volume.floor, volume.ceiling)
                for volume in draft.volumes
                for area in _areas(draft, volume, swapped=swapped, report=report, keep_in=keep_in)
            )
            zone = Zone(volumes=volumes, **draft.values)
        except ZoneFileError:
            raise
        except AirspaceError as error:
            raise ZoneFileError(error.detail, feature=draft.feature, field=error.field) from error
        count = known[zone.zone_id] = known.get(zone.zone_id, 0) + 1
        if count > 1:
            # Feeds cut one zone into several features. Each keeps its own rules under its own id.
            numbered = f"{zone.zone_id}#{count}"
            report.tolerated(draft.feature, "identifier", f"used more than once: read as {numbered}")
            zone = replace(zone, zone_id=numbered)
        zones.append(zone)
    return tuple(zones)


def _areas(
    draft: ZoneDraft, volume: VolumeDraft, *, swapped: bool, report: Report, keep_in: bool
) -> list[Area]:
    def lon_lat(position: Position) -> Position:
        return (position[1], position[0]) if swapped else position

    try:
        if volume.centre is not None:
            assert volume.radius_m is not None
            longitude_deg, latitude_deg = lon_lat(volume.centre)
            return [CircleArea(Wgs84Point(latitude_deg, longitude_deg), volume.radius_m)]
        return list(
            to_areas(
                [[lon_lat(position) for position in ring] for ring in volume.rings],
                feature=draft.feature,
                field=volume.path,
                report=report,
                grow=not keep_in,
            )
        )
    except ZoneFileError:
        raise
    except AirspaceError as error:
        raise ZoneFileError(error.detail, feature=draft.feature, field=volume.path) from error


def _latitude_first(drafts: Sequence[ZoneDraft], report: Report) -> bool:
    only_as_written: ZoneDraft | None = None
    only_swapped: ZoneDraft | None = None
    outside: ZoneDraft | None = None
    for draft in drafts:
        country = draft.values.get("country", "")
        for volume in draft.volumes:
            for first, second in volume.some_positions():
                as_written, as_swapped = fits(country, first, second), fits(country, second, first)
                if as_written is None:
                    # Unknown country: only what cannot be a latitude tells.
                    as_written, as_swapped = abs(second) <= 90.0, abs(first) <= 90.0
                if as_written and not as_swapped:
                    only_as_written = only_as_written or draft
                elif as_swapped and not as_written:
                    only_swapped = only_swapped or draft
                elif not as_written:
                    outside = outside or draft
    if only_swapped is None:
        if outside is not None and only_as_written is None:
            report.tolerated(outside.feature, "country", "positions lie outside the country named")
        return False
    if only_as_written is not None:
        raise ZoneFileError(
            "longitude and latitude are in another order than in"
            f" feature {only_as_written.feature}, by the bounds of the countries",
            feature=only_swapped.feature,
            field="geometry",
        )
    report.tolerated(only_swapped.feature, "geometry", "the file writes latitude before longitude")
    return True
