"""An airspace compiled: its zones in the plane, indexed, with their times and authorisations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

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
_KEEP_IN = 4
_RANKS = {**SEVERITY, Restriction.KEEP_IN: _KEEP_IN}


class Snapshot:
    """Columns over the volumes of all zones, in their order. Not changed after its construction.

    A snapshot made from another one shares everything that did not change: adding a zone to
    thousands costs milliseconds.
    """

    def __init__(
        self,
        zones: tuple[Zone, ...],
        frame: LocalFrame,
        terrain: Terrain,
        geoid: GeoidRange,
        authorisations: tuple[Authorisation, ...],
    ) -> None:
        self.frame = frame
        self.terrain = terrain
        self.geoid = geoid
        self.authorisations = authorisations
        self.box_deg = reach_box_deg(frame.origin)
        self.zones = zones
        self.index_of = {zone.zone_id: i for i, zone in enumerate(zones)}
        if len(self.index_of) != len(zones):
            ids = [zone.zone_id for zone in zones]
            twice = next(zone_id for zone_id in ids if ids.count(zone_id) > 1)
            raise AirspaceError(ErrorCode.ZONE_INVALID, f"two zones are called {twice}", field="zone_id")
        self.volumes = self._compile(zones)
        self._number(np.array([len(zone.volumes) for zone in zones], dtype=np.int64), _severities(zones))
        self.bounds_deg = _zone_bounds(zones, self.volumes)
        self.index = VolumeIndex(self.volumes)
        self.timeline = Timeline(zones, self.bounds_deg)
        self._authorised_volumes = self._compile_authorisations()
        self.authorised = self._authorised_by_zone()

    def _number(self, counts: npt.NDArray[np.int64], severity: npt.NDArray[np.int64]) -> None:
        self.first_volume = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.volume_zone = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
        self.volume_severity = severity
        self.keep_in_volumes: list[int] = np.flatnonzero(severity == _KEEP_IN).tolist()

    def with_zone(self, zone: Zone) -> Snapshot:
        """A snapshot with ``zone`` added, or in place of the one of the same id."""
        index = self.index_of.get(zone.zone_id)
        if index is None:
            return self._replaced(len(self.zones), len(self.zones), (zone,))
        return self._replaced(index, index + 1, (zone,))

    def without_zone(self, index: int) -> Snapshot:
        """A snapshot without the zone of that number."""
        return self._replaced(index, index + 1, ())

    def _replaced(self, index: int, last_index: int, zones: tuple[Zone, ...]) -> Snapshot:
        first, last = int(self.first_volume[index]), int(self.first_volume[last_index])
        compiled = self._compile(zones)
        result = object.__new__(Snapshot)
        result.frame, result.terrain, result.geoid = self.frame, self.terrain, self.geoid
        result.authorisations, result.box_deg = self.authorisations, self.box_deg
        result.zones = (*self.zones[:index], *zones, *self.zones[last_index:])
        if len(zones) == last_index - index:
            result.index_of = self.index_of
        elif index == len(self.zones):
            result.index_of = self.index_of | {zone.zone_id: index for zone in zones}
        else:
            result.index_of = {zone.zone_id: i for i, zone in enumerate(result.zones)}
        result.volumes = [*self.volumes[:first], *compiled, *self.volumes[last:]]
        counts = np.diff(self.first_volume)
        result._number(
            np.concatenate(
                [counts[:index], [len(zone.volumes) for zone in zones], counts[last_index:]]
            ).astype(np.int64),
            np.concatenate([self.volume_severity[:first], _severities(zones), self.volume_severity[last:]]),
        )
        result.bounds_deg = [
            *self.bounds_deg[:index],
            *_zone_bounds(zones, compiled),
            *self.bounds_deg[last_index:],
        ]
        result.index = self.index.replaced(first, last, compiled)
        result.timeline = self.timeline.replaced(result.zones, result.bounds_deg, index, last_index)
        result._authorised_volumes = self._authorised_volumes
        result.authorised = result._authorised_by_zone()
        return result

    def _compile(self, zones: Sequence[Zone]) -> list[CompiledVolume]:
        parts = [(v.area, v.floor, v.ceiling) for zone in zones for v in zone.volumes]
        return compile_volumes(self.frame, self.terrain, self.geoid, parts)

    def _compile_authorisations(self) -> list[AuthorisedVolume]:
        compiled = compile_volumes(
            self.frame, self.terrain, self.geoid, [(a.area, a.floor, a.ceiling) for a in self.authorisations]
        )
        return [
            AuthorisedVolume(
                authorisation.authorisation_id,
                to_us(authorisation.valid_from),
                to_us(authorisation.valid_until),
                volume,
            )
            for authorisation, volume in zip(self.authorisations, compiled, strict=True)
        ]

    def _authorised_by_zone(self) -> dict[int, list[AuthorisedVolume]]:
        result: dict[int, list[AuthorisedVolume]] = {}
        for authorisation, authorised in zip(self.authorisations, self._authorised_volumes, strict=True):
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


def _severities(zones: Sequence[Zone]) -> npt.NDArray[np.int64]:
    return np.array(
        [_RANKS.get(zone.restriction, NOT_KEEPING_OUT) for zone in zones for _ in zone.volumes],
        dtype=np.int64,
    )


def _zone_bounds(zones: Sequence[Zone], volumes: Sequence[CompiledVolume]) -> list[Bounds]:
    """Boxes around all volumes of each zone, degrees."""
    result: list[Bounds] = []
    shapes = iter(volume.shape.bounds_deg for volume in volumes if volume.shape)
    for zone in zones:
        own = [next(shapes) for _ in zone.volumes]
        result.append(
            own[0]
            if len(own) == 1
            else (
                min(b[0] for b in own),
                min(b[1] for b in own),
                max(b[2] for b in own),
                max(b[3] for b in own),
            )
        )
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
