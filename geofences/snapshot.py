"""An airspace compiled: its zones in the plane, indexed, with their times and authorisations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import AirspaceError, ErrorCode
from core.geodesy import LocalFrame, Wgs84Point
from geofences.index import VolumeIndex
from geofences.model import Authorisation, CircleArea, Restriction, Zone
from geofences.obstacles import AuthorisedVolume
from geofences.schedule import Bounds, to_us
from geofences.shapes import reach_box_deg
from geofences.terrain import Terrain
from geofences.timeline import Timeline
from geofences.vertical import GeoidRange
from geofences.volumes import CompiledVolume, compile_volumes

SEVERITY = {Restriction.PROHIBITED: 0, Restriction.REQ_AUTHORISATION: 1, Restriction.CONDITIONAL: 2}
"""Order in which refusals are reported, strictest first."""
NOT_KEEPING_OUT = 3


class Snapshot:
    """Columns over the volumes of all zones, in their order. Not changed after its construction."""

    def __init__(
        self,
        zones: tuple[Zone, ...],
        frame: LocalFrame,
        terrain: Terrain,
        geoid: GeoidRange,
        authorisations: tuple[Authorisation, ...],
        volumes: list[CompiledVolume] | None = None,
    ) -> None:
        """``volumes`` are those of ``zones`` when they are compiled already."""
        self.zones = zones
        self.frame = frame
        self.terrain = terrain
        self.geoid = geoid
        self.authorisations = authorisations
        self.box_deg = reach_box_deg(frame.origin)
        self.index_of = {zone.zone_id: i for i, zone in enumerate(zones)}
        if len(self.index_of) != len(zones):
            ids = [zone.zone_id for zone in zones]
            twice = next(zone_id for zone_id in ids if ids.count(zone_id) > 1)
            raise AirspaceError(ErrorCode.ZONE_INVALID, f"two zones are called {twice}", field="zone_id")
        self.volumes = self.compile(zones) if volumes is None else volumes
        counts = [len(zone.volumes) for zone in zones]
        self.volume_zone = np.repeat(np.arange(len(zones), dtype=np.int64), counts)
        self.first_volume = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.volume_severity = np.array(
            [SEVERITY.get(zone.restriction, NOT_KEEPING_OUT) for zone in zones for _ in zone.volumes],
            dtype=np.int64,
        )
        self.keep_in_volumes = [
            i for i, z in enumerate(self.volume_zone.tolist()) if zones[z].restriction is Restriction.KEEP_IN
        ]
        self.index = VolumeIndex(self.volumes)
        self.timeline = Timeline(zones, self._zone_bounds())
        self.authorised = self._compile_authorisations()

    def compile(self, zones: Sequence[Zone]) -> list[CompiledVolume]:
        """Volumes of ``zones`` in this snapshot's plane."""
        parts = [(v.area, v.floor, v.ceiling) for zone in zones for v in zone.volumes]
        return compile_volumes(self.frame, self.terrain, self.geoid, parts)

    def with_zone(self, zone: Zone) -> Snapshot:
        """A snapshot with ``zone`` added, or in place of the one of the same id."""
        compiled = self.compile([zone])
        index = self.index_of.get(zone.zone_id)
        if index is None:
            return self._rebuilt((*self.zones, zone), [*self.volumes, *compiled])
        first, last = self._volume_range(index)
        return self._rebuilt(
            (*self.zones[:index], zone, *self.zones[index + 1 :]),
            [*self.volumes[:first], *compiled, *self.volumes[last:]],
        )

    def without_zone(self, index: int) -> Snapshot:
        """A snapshot without the zone of that number."""
        first, last = self._volume_range(index)
        return self._rebuilt(
            (*self.zones[:index], *self.zones[index + 1 :]), [*self.volumes[:first], *self.volumes[last:]]
        )

    def _volume_range(self, index: int) -> tuple[int, int]:
        return int(self.first_volume[index]), int(self.first_volume[index + 1])

    def _rebuilt(self, zones: tuple[Zone, ...], volumes: list[CompiledVolume]) -> Snapshot:
        return Snapshot(zones, self.frame, self.terrain, self.geoid, self.authorisations, volumes)

    def _zone_bounds(self) -> list[Bounds]:
        result: list[Bounds] = []
        for index in range(len(self.zones)):
            first, last = self._volume_range(index)
            shapes = [v.shape.bounds_deg for v in self.volumes[first:last] if v.shape]
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

    def _compile_authorisations(self) -> dict[int, list[AuthorisedVolume]]:
        compiled = compile_volumes(
            self.frame, self.terrain, self.geoid, [(a.area, a.floor, a.ceiling) for a in self.authorisations]
        )
        result: dict[int, list[AuthorisedVolume]] = {}
        for authorisation, volume in zip(self.authorisations, compiled, strict=True):
            authorised = AuthorisedVolume(
                authorisation.authorisation_id,
                to_us(authorisation.valid_from),
                to_us(authorisation.valid_until),
                volume,
            )
            where = f"authorisation {authorisation.authorisation_id}"
            for zone_id in authorisation.zone_ids:
                index = self.index_of.get(zone_id)
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
                result.setdefault(index, []).append(authorised)
        return result


def middle_of(zones: Sequence[Zone]) -> Wgs84Point:
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
