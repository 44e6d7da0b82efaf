"""One immutable snapshot of zones, asked exactly in four dimensions.

The boundary of a zone belongs to it, in place, height and time; in the plane so does the centimetre
around it (ASTM F3548-21's precision of an intersection). A volume holds a point only when area,
height and time agree for that same volume.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import AirspaceError, ErrorCode
from core.geodesy import LocalFrame, Wgs84Point
from geofences import height_bands, judge
from geofences.applicability import TimeWindow, require_utc
from geofences.batch import check_points
from geofences.intervals import Intervals
from geofences.model import Authorisation, Zone
from geofences.obstacles import ObstaclePolygon, ObstacleTable, build_table
from geofences.schedule import Bounds, to_us, window_us
from geofences.snapshot import Snapshot, middle_of
from geofences.terrain import FlatTerrain, Terrain
from geofences.verdict import Verdict
from geofences.vertical import ANY_GEOID, GeoidRange

_UNIONS = 64
"""Chosen: unions of operating areas kept; a city has a few, and they change a few times a day."""


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
        frame = LocalFrame(middle_of(zone_tuple) if origin is None else origin)
        self._hold(
            Snapshot(
                zone_tuple,
                frame,
                FlatTerrain(0.0) if terrain is None else terrain,
                geoid,
                tuple(authorisations),
            ),
            version,
        )

    def _hold(self, snapshot: Snapshot, version: str) -> None:
        self._snapshot = snapshot
        self._table: ObstacleTable | None = None
        self._unions: dict[tuple[int, ...], shapely.Geometry] = {}
        self.version = version
        self.zones = snapshot.zones
        self.frame = snapshot.frame
        self.terrain = snapshot.terrain
        self.authorisations = snapshot.authorisations
        self.geoid = snapshot.geoid

    # Questions

    def zone(self, zone_id: str) -> Zone:
        """The zone of that id; 3102 when there is none."""
        index = self._snapshot.index_of.get(zone_id)
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
        return judge.check_segment(self._snapshot, self.version, start, start_amsl_m, end, end_amsl_m, window)

    def check_segments(
        self, lon_lat_deg: npt.ArrayLike, amsl_m: npt.ArrayLike, window: TimeWindow
    ) -> tuple[Verdict, ...]:
        """:meth:`check_segment` for many lines: (n, 2, 2) of longitude and latitude, (n, 2) altitudes.

        Lines that plainly meet nothing are told apart all at once, the others asked one by one.
        """
        return judge.check_segments(self._snapshot, self.version, lon_lat_deg, amsl_m, window)

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
        west, south, east, north = self._snapshot.box_deg
        given = np.asarray(lon_lat_deg, dtype=np.float64).reshape(-1, 2)
        within = (given >= (west, south)) & (given <= (east, north))
        if not bool(within.all()):
            raise AirspaceError(
                ErrorCode.OUTSIDE_LOCAL_FRAME, f"a point is out of the reach of airspace {self.version}"
            )
        return check_points(self._snapshot, given, amsl_m, at)

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
            self._snapshot.timeline.active(window), floor_amsl_m, ceiling_amsl_m, moments
        )

    def standing_key(self, window: TimeWindow) -> bytes:
        """Windows with equal keys have equal :meth:`activity_mask` and :meth:`keep_in` at all heights."""
        (moments,) = window_us(window)
        parts = [self._snapshot.timeline.active(window), self._obstacle_table().opened_throughout(moments)]
        if self._snapshot.keep_in_volumes:
            parts.append(self._snapshot.timeline.active_throughout(window))
        return b"".join(part.tobytes() for part in parts)

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

        With altitudes given, only areas that reach over the whole band count. Questions with the same answer
        get the same object.
        """
        if not self._snapshot.keep_in_volumes:
            return None
        throughout = self._snapshot.timeline.active_throughout(window)
        held = []
        for index in self._snapshot.keep_in_volumes:
            volume = self._snapshot.volumes[index]
            low, high = volume.inner_amsl_m
            if (
                throughout[self._snapshot.volume_zone[index]]
                and volume.shape is not None
                and (floor_amsl_m is None or low <= floor_amsl_m)
                and (ceiling_amsl_m is None or high >= ceiling_amsl_m)
            ):
                held.append(index)
        known = self._unions.get(tuple(held))
        if known is None:
            if len(self._unions) >= _UNIONS:
                self._unions.clear()
            shapes = [
                volume.shape.inner for volume in map(self._snapshot.volumes.__getitem__, held) if volume.shape
            ]
            known = self._unions[tuple(held)] = shapely.union_all(shapes)
        return known

    def free_altitudes(self, obstacles: Iterable[int], bounds_deg: Bounds, window: TimeWindow) -> Intervals:
        """AMSL intervals that none of those :attr:`obstacle_polygons` closes over the box ``bounds_deg`` (west,
        south, east, north) at any moment of ``window``. Limits above ground follow the ground of the box."""
        table = self._obstacle_table()
        return height_bands.free_of_obstacles(self._snapshot, table, obstacles, bounds_deg, window)

    @property
    def has_operating_areas(self) -> bool:
        """Whether flights must stay inside an operating area."""
        return bool(self._snapshot.keep_in_volumes)

    def operating_altitudes(
        self, area_xy_m: shapely.Geometry, bounds_deg: Bounds, window: TimeWindow
    ) -> Intervals:
        """AMSL intervals at which all of ``area_xy_m`` (frame metres, within ``bounds_deg``) lies inside the
        operating areas that apply throughout ``window``; all altitudes where the airspace has none."""
        return height_bands.inside_operating_areas(self._snapshot, area_xy_m, bounds_deg, window)

    # Versions

    def with_zone(self, zone: Zone, *, version: str) -> Airspace:
        """A new snapshot with ``zone`` added, or in place of the one of the same id."""
        index = self._snapshot.index_of.get(zone.zone_id)
        if index is None:
            index = last = len(self.zones)
        else:
            last = index + 1
        return self._next(self._snapshot.with_zone(zone), version, index, last)

    def without_zone(self, zone_id: str, *, version: str) -> Airspace:
        """A new snapshot without that zone; 3102 when there is none or an authorisation names it."""
        self.zone(zone_id)
        index = self._snapshot.index_of[zone_id]
        return self._next(self._snapshot.without_zone(index), version, index, index + 1)

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

    def _next(self, snapshot: Snapshot, version: str, index: int, last_index: int) -> Airspace:
        """The airspace of ``snapshot``, which differs in the zones from ``index`` up to ``last_index``."""
        result = object.__new__(Airspace)
        result._hold(snapshot, version)
        if self._table is not None:
            shift = len(snapshot.zones) - len(self.zones)
            part = result._build_table(range(index, last_index + shift))
            result._table = self._table.replaced(index, last_index, part, shift)
        return result

    # Inner workings

    def _obstacle_table(self) -> ObstacleTable:
        table = self._table
        if table is None:
            table = self._table = self._build_table(range(len(self.zones)))
        return table

    def _build_table(self, zone_numbers: range) -> ObstacleTable:
        first = self._snapshot.first_volume
        keep_out = [
            (z, self.zones[z].zone_id, self._snapshot.volumes[i])
            for z in zone_numbers
            if self.zones[z].keeps_out
            for i in range(int(first[z]), int(first[z + 1]))
        ]
        return build_table(keep_out, self._snapshot.authorised, self.terrain, self._snapshot.geoid)


def _check_band(floor_amsl_m: float, ceiling_amsl_m: float) -> None:
    if not floor_amsl_m <= ceiling_amsl_m:
        raise AirspaceError(
            ErrorCode.POSITION_INVALID, f"no band from {floor_amsl_m} m up to {ceiling_amsl_m} m"
        )
