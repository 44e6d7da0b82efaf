"""The airspace in force: the site's own, and what was added to it while the hub runs.

The site's manifest is the base. *Feeds* are zone files that somebody uploaded, each replaced as a whole by its next
version; *authorisations* are given and revoked one by one. All of it is composed anew for every change, so
that the airspace after a restart is the same as before it, version and all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.errors import AirspaceError, ErrorCode, ZoneFileError
from geofences.airspace import Airspace
from geofences.authorisations import read_authorisations
from geofences.manifest import FORMATS
from geofences.model import Authorisation, Restriction, Zone
from geofences.readers.result import ReadResult

MAX_ZONES = 50_000
"""Chosen: ten times a large city; a file with more is cut to the city before it is uploaded."""
MAX_CORNERS = 500_000
"""Chosen: ten times a large city's; more would keep the planner busy for seconds at every change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What is added to the base: zones by feed, authorisations by id, and the ids of revoked ones.

    ``change_seq`` is the number of the last change, 0 before the first; it is part of the version.
    """

    feeds: Mapping[str, tuple[Zone, ...]] = field(default_factory=dict)
    authorisations: Mapping[str, Authorisation] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()
    change_seq: int = 0


def read_feed(file_format: str, content: bytes) -> ReadResult:
    """The zones of an uploaded file; 3101 with feature, field and reason when it cannot be used whole.

    Raises 3101 for an unknown format and for files beyond :data:`MAX_ZONES` and :data:`MAX_CORNERS` too.
    """
    parse = FORMATS.get(file_format)
    if parse is None:
        raise ZoneFileError(f"{file_format!r} is none of {', '.join(sorted(FORMATS))}", field="format")
    result = parse(content)
    if not result.zones:
        raise ZoneFileError("the file holds no zone; to end a feed, delete it", field="body")
    if len(result.zones) > MAX_ZONES:
        raise ZoneFileError(f"{len(result.zones)} zones are more than {MAX_ZONES}", field="body")
    corners = sum(_corners(zone) for zone in result.zones)
    if corners > MAX_CORNERS:
        raise ZoneFileError(f"{corners} corners are more than {MAX_CORNERS}", field="body")
    return result


def _corners(zone: Zone) -> int:
    areas = (volume.area for volume in zone.volumes)
    return sum(
        len(ring) for area in areas for ring in (getattr(area, "exterior", ()), *getattr(area, "holes", ()))
    )


def read_authorisation(document: dict[str, object]) -> Authorisation:
    """One authorisation in the shape of :mod:`geofences.authorisations`; 3101 with field and reason."""
    (authorisation,) = read_authorisations({"authorisations": [document]})
    return authorisation


class AirspaceBook:
    """The airspace in force and how it came to be. Changed on the event loop only, read from any thread."""

    def __init__(self, base: Airspace) -> None:
        self._base = base
        self._additions = Additions()
        self._current = base

    @property
    def base(self) -> Airspace:
        """The site's own airspace."""
        return self._base

    @property
    def current(self) -> Airspace:
        """The airspace in force."""
        return self._current

    @property
    def additions(self) -> Additions:
        """What is added to the base now."""
        return self._additions

    def compose(self, additions: Additions) -> Airspace:
        """The base with ``additions``. Pure: nothing comes into force.

        Raises 3102 when two zones have one id, or an authorisation names a zone that isn't there.
        """
        if additions.change_seq == 0:
            return self._base
        zones = list(self._base.zones)
        owner = {zone.zone_id: "the site's own airspace" for zone in zones}
        for feed_id, added in additions.feeds.items():
            for zone in added:
                if zone.zone_id in owner:
                    raise AirspaceError(
                        ErrorCode.ZONE_INVALID,
                        f"zone {zone.zone_id} is in {owner[zone.zone_id]} already",
                        field="identifier",
                    )
                owner[zone.zone_id] = f"feed {feed_id}"
            zones.extend(added)
        return Airspace(
            zones,
            version=f"{self._base.version}.{additions.change_seq}",
            origin=self._base.frame.origin,
            terrain=self._base.terrain,
            authorisations=tuple(self.authorisations(additions)),
            geoid=self._base.geoid,
        )

    def authorisations(self, additions: Additions) -> Iterable[Authorisation]:
        """Those of the base and the added ones, without the revoked."""
        given = {item.authorisation_id: item for item in self._base.authorisations}
        given.update(additions.authorisations)
        return (item for key, item in given.items() if key not in additions.revoked)

    def put_in_force(self, additions: Additions, airspace: Airspace) -> None:
        """From now on decisions are made in ``airspace``, which :meth:`compose` made of ``additions``."""
        # Other threads compare the number with the stored one: by then the airspace has to be the new one.
        self._current = airspace
        self._additions = additions


def restricts(zone: Zone) -> bool:
    """Whether a zone can forbid something: keep-out zones and operating areas do."""
    return zone.keeps_out or zone.restriction is Restriction.KEEP_IN
