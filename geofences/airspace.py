"""One immutable snapshot of zones, asked exactly in four dimensions.

The boundary of a zone belongs to it, in place, height and time; in the plane so does the centimetre
around it (ASTM F3548-21's precision of an intersection). A volume holds a point only when area,
height and time agree for that same volume.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import AirspaceError, ErrorCode
from core.geodesy import LocalFrame, Wgs84Point
from geofences import explain
from geofences.applicability import TimeWindow, require_utc
from geofences.batch import BatchContext, check_points
from geofences.index import VolumeIndex
from geofences.intervals import Intervals, intersect, rectangles_cover
from geofences.model import Authorisation, CircleArea, Restriction, Zone
from geofences.obstacles import AuthorisedVolume, ObstaclePolygon, ObstacleTable, build_table
from geofences.schedule import to_us, window_us
from geofences.shapes import reach_box_deg
from geofences.terrain import FlatTerrain, Terrain
from geofences.timeline import Timeline
from geofences.verdict import Allowed, Forbidden, Verdict
from geofences.vertical import ANY_GEOID, GeoidRange
from geofences.volumes import EVERYWHERE, CompiledVolume, Segment, compile_volumes

_SEVERITY = {Restriction.PROHIBITED: 0, Restriction.REQ_AUTHORISATION: 1, Restriction.CONDITIONAL: 2}
_NOT_KEEPING_OUT = 3
_JOIN_SLACK_M = 1e-6
"""Operating areas that share an edge are crossed without a gap; the rounding of t is far under this."""


@dataclass(frozen=True, slots=True)
class AirspaceChange:
    """Zone ids by which a later airspace differs from an earlier one."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


class Airspace:
    """Zones, authorisations and terrain at one version.

    Raises 3102 for two zones of one id, an authorisation that names an unknown zone, or one that
    opens a PROHIBITED zone. Answers are given within 66 km of ``origin`` (default: the middle of
    all zones); questions beyond raise 3004. Zones may reach further.
    """

    def __init__(
        self,
        zones: Iterable[Zone],
        *,
        version: str,
        origin: Wgs84Point | None = None,
        terrain: Terrain | None = None,
        authorisations: tuple[Authorisation, ...] = (),
        geoid: GeoidRange = ANY_GEOID,
    ) -> None:
        zone_tuple = tuple(zones)
        frame = LocalFrame(_middle(zone_tuple) if origin is None else origin)
        terrain = FlatTerrain(0.0) if terrain is None else terrain
        parts = [(v.area, v.floor, v.ceiling) for zone in zone_tuple for v in zone.volumes]
        self._fill(
            zone_tuple,
            version,
            frame,
            terrain,
            authorisations,
            geoid,
            compile_volumes(frame, terrain, geoid, parts),
        )

    def _fill(
        self,
        zones: tuple[Zone, ...],
        version: str,
        frame: LocalFrame,
        terrain: Terrain,
        authorisations: tuple[Authorisation, ...],
        geoid: GeoidRange,
        volumes: list[CompiledVolume],
    ) -> None:
        self.zones = zones
        self.version = version
        self.frame = frame
        self.terrain = terrain
        self.authorisations = authorisations
        self.geoid = geoid
        self._index_of = {zone.zone_id: i for i, zone in enumerate(zones)}
        if len(self._index_of) != len(zones):
            seen: set[str] = set()
            twice = next(z.zone_id for z in zones if z.zone_id in seen or seen.add(z.zone_id))  # type: ignore[func-returns-value]
            raise AirspaceError(ErrorCode.ZONE_INVALID, f"two zones are called {twice}", field="zone_id")
        self._volumes = volumes
        self._volume_zone = np.repeat(
            np.arange(len(zones), dtype=np.int64), [len(zone.volumes) for zone in zones]
        )
        self._index = VolumeIndex(volumes)
        self._volume_severity = np.array(
            [_SEVERITY.get(zone.restriction, _NOT_KEEPING_OUT) for zone in zones for _ in zone.volumes],
            dtype=np.int64,
        )
        self._keep_in_volumes = [
            i for i, z in enumerate(self._volume_zone.tolist()) if zones[z].restriction is Restriction.KEEP_IN
        ]
        self._box_deg = reach_box_deg(frame.origin)
        self._timeline = Timeline(zones, self._zone_bounds())
        self._authorised = self._compile_authorisations()
        self._table: ObstacleTable | None = None

    # Construction helpers

    def _zone_bounds(self) -> list[tuple[float, float, float, float]]:
        result: list[tuple[float, float, float, float]] = []
        at = 0
        for zone in self.zones:
            shapes = [v.shape.bounds_deg for v in self._volumes[at : at + len(zone.volumes)] if v.shape]
            at += len(zone.volumes)
            result.append(
                shapes[0]
                if len(shapes) == 1
                else (
                    min(b[0] for b in shapes),
                    min(b[1] for b in shapes),
                    max(b[2] for b in shapes),
                    max(b[3] for b in shapes),
                )
            )
        return result

    def _compile_authorisations(self) -> dict[int, list[tuple[Authorisation, AuthorisedVolume]]]:
        compiled = compile_volumes(
            self.frame, self.terrain, self.geoid, [(a.area, a.floor, a.ceiling) for a in self.authorisations]
        )
        result: dict[int, list[tuple[Authorisation, AuthorisedVolume]]] = {}
        for authorisation, volume in zip(self.authorisations, compiled, strict=True):
            authorised = AuthorisedVolume(
                to_us(authorisation.valid_from), to_us(authorisation.valid_until), volume
            )
            for zone_id in authorisation.zone_ids:
                index = self._index_of.get(zone_id)
                where = f"authorisation {authorisation.authorisation_id}"
                if index is None:
                    raise AirspaceError(
                        ErrorCode.ZONE_INVALID, f"{where} names the unknown zone {zone_id}", field="zone_ids"
                    )
                restriction = self.zones[index].restriction
                if restriction not in (Restriction.REQ_AUTHORISATION, Restriction.CONDITIONAL):
                    raise AirspaceError(
                        ErrorCode.ZONE_INVALID,
                        f"{where} names zone {zone_id}, which is {restriction} and cannot be authorised",
                        field="zone_ids",
                    )
                result.setdefault(index, []).append((authorisation, authorised))
        return result

    # Questions

    def zone(self, zone_id: str) -> Zone:
        """The zone of that id; 3102 when there is none."""
        index = self._index_of.get(zone_id)
        if index is None:
            raise AirspaceError(ErrorCode.ZONE_INVALID, f"no zone is called {zone_id}", field="zone_id")
        return self.zones[index]

    def check_point(self, point: Wgs84Point, altitude_amsl_m: float, at: datetime) -> Verdict:
        """May something be at ``point`` and ``altitude_amsl_m`` at the moment ``at``?"""
        return self.check_segment(point, altitude_amsl_m, point, altitude_amsl_m, TimeWindow.at(at))

    def check_segment(
        self,
        start: Wgs84Point,
        start_amsl_m: float,
        end: Wgs84Point,
        end_amsl_m: float,
        window: TimeWindow,
    ) -> Verdict:
        """May something fly the straight line from ``start`` to ``end``, anywhere on it at any moment
        of ``window``? The line is straight in the airspace's plane and its altitude changes evenly."""
        segment = self._segment(start, start_amsl_m, end, end_amsl_m)
        conditions: dict[str, str] = {}
        used: set[str] = set()
        for index in self._by_severity(segment):
            zone_index = int(self._volume_zone[index])
            zone = self.zones[zone_index]
            moments = self._timeline.intervals(zone_index, window)
            if not moments:
                continue
            places = self._volumes[index].meets(segment, self.terrain, self.geoid, outwards=True)
            if not places:
                continue
            openers = self._openers(zone_index, index, segment, places, moments)
            if openers is None:
                return explain.forbidden_by_zone(
                    zone,
                    zone.volumes[index - self._first_volume(zone_index)],
                    places[0][0] * segment.length_m,
                    moments,
                    self.terrain.description,
                )
            used |= openers
            if zone.restriction is Restriction.CONDITIONAL:
                conditions[zone.zone_id] = explain.condition(zone)
        outside = self._check_keep_in(segment, window)
        if outside is not None:
            return outside
        return Allowed(
            conditions=tuple(conditions[zone_id] for zone_id in sorted(conditions)),
            authorisation_ids=tuple(sorted(used)),
            terrain=self.terrain.description,
        )

    def check_points(
        self, lon_lat_deg: npt.ArrayLike, amsl_m: npt.ArrayLike, at: datetime | npt.NDArray[np.datetime64]
    ) -> npt.NDArray[np.int64]:
        """:meth:`check_point` for many points: (n, 2) of longitude and latitude, n altitudes, and one
        moment or n moments (datetime64, UTC).

        Answers with the position in :attr:`zones` of the zone that forbids it (the strictest, then
        the earliest), :data:`~geofences.batch.ALLOWED` (−1) or OUTSIDE_OPERATING_AREA (−2).
        """
        if isinstance(at, datetime):
            at = np.array(to_us(require_utc(at, "at")), dtype="datetime64[us]")
        west, south, east, north = self._box_deg
        given = np.asarray(lon_lat_deg, dtype=np.float64).reshape(-1, 2)
        within = (given >= (west, south)) & (given <= (east, north))
        if not bool(within.all()):
            raise AirspaceError(
                ErrorCode.OUTSIDE_LOCAL_FRAME, f"a point is out of the reach of airspace {self.version}"
            )
        return check_points(
            BatchContext(
                frame=self.frame,
                terrain=self.terrain,
                geoid=self.geoid,
                index=self._index,
                volumes=self._volumes,
                volume_zone=self._volume_zone,
                volume_severity=self._volume_severity,
                not_keeping_out=_NOT_KEEPING_OUT,
                keep_in_volumes=self._keep_in_volumes,
                timeline=self._timeline,
                authorised={z: [volume for _, volume in pairs] for z, pairs in self._authorised.items()},
            ),
            given,
            amsl_m,
            at,
        )

    @property
    def obstacle_polygons(self) -> tuple[ObstaclePolygon, ...]:
        """Every keep-out shape there may be, fixed for this snapshot; see :meth:`activity_mask`."""
        return self._obstacle_table().polygons

    def activity_mask(
        self, floor_amsl_m: float, ceiling_amsl_m: float, window: TimeWindow
    ) -> npt.NDArray[np.bool_]:
        """Which of :attr:`obstacle_polygons` stand between the altitudes at any moment of ``window``.

        Authorisations are taken into account: a cell that one covers over the whole of its height
        within the band, for the whole window, does not stand. Equal masks (``mask.tobytes()``) mean
        equal obstacle sets.
        """
        _check_band(floor_amsl_m, ceiling_amsl_m)
        (moments,) = window_us(window)
        return self._obstacle_table().mask(
            self._timeline.active(window), floor_amsl_m, ceiling_amsl_m, moments
        )

    def obstacles(
        self, floor_amsl_m: float, ceiling_amsl_m: float, window: TimeWindow
    ) -> tuple[ObstaclePolygon, ...]:
        """The shapes that :meth:`activity_mask` selects."""
        polygons = self.obstacle_polygons
        mask = self.activity_mask(floor_amsl_m, ceiling_amsl_m, window)
        return tuple(polygons[i] for i in np.flatnonzero(mask).tolist())

    def keep_in(
        self, window: TimeWindow, floor_amsl_m: float | None = None, ceiling_amsl_m: float | None = None
    ) -> shapely.Geometry | None:
        """The union of the operating areas that apply throughout ``window``, frame metres; None when
        the airspace has no operating area at all. It is empty when none applies: nobody may fly then.

        With altitudes given, only areas that reach over the whole band count.
        """
        if not self._keep_in_volumes:
            return None
        throughout = self._timeline.active_throughout(window)
        shapes = []
        for index in self._keep_in_volumes:
            volume = self._volumes[index]
            low, high = volume.inner_amsl_m
            if (
                throughout[self._volume_zone[index]]
                and volume.shape is not None
                and (floor_amsl_m is None or low <= floor_amsl_m)
                and (ceiling_amsl_m is None or high >= ceiling_amsl_m)
            ):
                shapes.append(volume.shape.inner)
        return shapely.union_all(shapes)

    # Versions

    def with_zone(self, zone: Zone, *, version: str) -> Airspace:
        """A new snapshot with ``zone`` added, or in place of the one of the same id."""
        compiled = compile_volumes(
            self.frame, self.terrain, self.geoid, [(v.area, v.floor, v.ceiling) for v in zone.volumes]
        )
        index = self._index_of.get(zone.zone_id)
        if index is None:
            return self._copy((*self.zones, zone), [*self._volumes, *compiled], version)
        first = self._first_volume(index)
        last = first + len(self.zones[index].volumes)
        zones = (*self.zones[:index], zone, *self.zones[index + 1 :])
        return self._copy(zones, [*self._volumes[:first], *compiled, *self._volumes[last:]], version)

    def without_zone(self, zone_id: str, *, version: str) -> Airspace:
        """A new snapshot without that zone; 3102 when there is none or an authorisation names it."""
        zone = self.zone(zone_id)
        index = self._index_of[zone_id]
        first = self._first_volume(index)
        return self._copy(
            (*self.zones[:index], *self.zones[index + 1 :]),
            [*self._volumes[:first], *self._volumes[first + len(zone.volumes) :]],
            version,
        )

    def changes_since(self, earlier: Airspace) -> AirspaceChange:
        """Which zones were added, removed or changed since ``earlier``."""
        before = {zone.zone_id: zone for zone in earlier.zones}
        after = {zone.zone_id: zone for zone in self.zones}
        return AirspaceChange(
            added=tuple(zone_id for zone_id in after if zone_id not in before),
            removed=tuple(zone_id for zone_id in before if zone_id not in after),
            changed=tuple(
                zone_id
                for zone_id, zone in after.items()
                # Snapshots made from one another share their unchanged zones.
                if zone_id in before and before[zone_id] is not zone and before[zone_id] != zone
            ),
        )

    def _copy(self, zones: tuple[Zone, ...], volumes: list[CompiledVolume], version: str) -> Airspace:
        result = object.__new__(Airspace)
        result._fill(zones, version, self.frame, self.terrain, self.authorisations, self.geoid, volumes)
        return result

    # Inner workings

    def _first_volume(self, zone_index: int) -> int:
        return int(np.searchsorted(self._volume_zone, zone_index))

    def _obstacle_table(self) -> ObstacleTable:
        table = self._table
        if table is None:
            keep_out = [
                (z, self.zones[z].zone_id, self._volumes[i])
                for i, z in enumerate(self._volume_zone.tolist())
                if self.zones[z].keeps_out
            ]
            opened = {z: [volume for _, volume in pairs] for z, pairs in self._authorised.items()}
            table = build_table(keep_out, opened)
            self._table = table
        return table

    def _segment(self, start: Wgs84Point, start_amsl_m: float, end: Wgs84Point, end_amsl_m: float) -> Segment:
        for altitude_m in (start_amsl_m, end_amsl_m):
            if not np.isfinite(altitude_m):
                raise AirspaceError(ErrorCode.POSITION_INVALID, f"{altitude_m} is not a finite altitude")
        west, south, east, north = self._box_deg
        for point in (start, end):
            if not (west <= point.longitude_deg <= east and south <= point.latitude_deg <= north):
                raise AirspaceError(
                    ErrorCode.OUTSIDE_LOCAL_FRAME, f"{point} is out of the reach of airspace {self.version}"
                )
        first = self.frame.to_enu(start)
        last = first if end == start else self.frame.to_enu(end)
        start_xy_m, end_xy_m = (first.east_m, first.north_m), (last.east_m, last.north_m)
        return Segment(
            start_xy_m,
            end_xy_m,
            start_amsl_m,
            end_amsl_m,
            shapely.LineString((start_xy_m, end_xy_m)),
            self.frame,
        )

    def _by_severity(self, segment: Segment) -> list[int]:
        """Volumes of keep-out zones near the segment: the strictest first, then the first on the way."""
        near = self._index.candidates(segment)
        severity = self._volume_severity[near]
        order = np.lexsort((self._index.distances_m(near, segment.start_xy_m), severity))
        kept: list[int] = near[order][severity[order] < _NOT_KEEPING_OUT].tolist()
        return kept

    def _openers(
        self, zone_index: int, volume_index: int, segment: Segment, places: Intervals, moments: Intervals
    ) -> set[str] | None:
        """Ids of the authorisations that together open the volume there and then; None if they don't."""
        pairs = self._authorised.get(zone_index)
        if not pairs:
            return None
        area = self._volumes[volume_index].area
        cover: list[tuple[Intervals, Intervals]] = []
        ids: list[str] = []
        for authorisation, authorised in pairs:
            volume = authorised.volume
            over = volume.heights(segment, self.terrain, self.geoid, outwards=False)
            if volume.area is not None and volume.area != area:
                over = intersect(over, volume.places(segment, outwards=False))
            if over:
                validity = ((float(authorised.valid_from_us), float(authorised.valid_until_us)),)
                cover.append((over, validity))
                ids.append(authorisation.authorisation_id)
                if rectangles_cover(places, moments, cover[-1:]):
                    return {ids[-1]}
        return set(ids) if rectangles_cover(places, moments, cover) else None

    def _check_keep_in(self, segment: Segment, window: TimeWindow) -> Forbidden | None:
        if not self._keep_in_volumes:
            return None
        cover: list[tuple[Intervals, Intervals]] = []
        any_open = False
        for index in self._keep_in_volumes:
            moments = self._timeline.intervals(int(self._volume_zone[index]), window)
            if not moments:
                continue
            any_open = True
            places = self._volumes[index].meets(segment, self.terrain, self.geoid, outwards=False)
            if places:
                cover.append((places, moments))
        asked = window_us(window)
        slack = _JOIN_SLACK_M / max(segment.length_m, _JOIN_SLACK_M)
        if rectangles_cover(EVERYWHERE, asked, cover, slack=min(slack, 1e-3)):
            return None
        names = [self.zones[int(self._volume_zone[i])] for i in self._keep_in_volumes]
        if not any_open:
            return explain.operating_area_closed(names, window, self.terrain.description)
        return explain.outside_operating_area(names, self.terrain.description)


def _check_band(floor_amsl_m: float, ceiling_amsl_m: float) -> None:
    if not floor_amsl_m <= ceiling_amsl_m:
        raise AirspaceError(
            ErrorCode.POSITION_INVALID, f"no band from {floor_amsl_m} m up to {ceiling_amsl_m} m"
        )


def _middle(zones: Sequence[Zone]) -> Wgs84Point:
    """Middle of the box around all zones; 3102 when there is no zone to take it from."""
    points = [
        point
        for zone in zones
        for volume in zone.volumes
        for point in ((volume.area.centre,) if isinstance(volume.area, CircleArea) else volume.area.exterior)
    ]
    if not points:
        raise AirspaceError(
            ErrorCode.ZONE_INVALID, "an airspace without zones needs an origin", field="origin"
        )
    latitudes = [p.latitude_deg for p in points]
    longitudes = [p.longitude_deg for p in points]
    return Wgs84Point((min(latitudes) + max(latitudes)) / 2.0, (min(longitudes) + max(longitudes)) / 2.0)
