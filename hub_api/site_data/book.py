"""The site in force: the site file, and what was changed since, item by item.

The file is the base. Each *edit* puts an item in the place of the file's, adds one, or takes one away. The site is
composed anew for every change, so that after a restart it is the same as before it, version and all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import AirspaceError, DroneAedError, ErrorCode
from planner.airframe import Airframe, read_airframe
from planner.site import Drone, EmergencySite, LandingPoint, Site, Station, item_json, read_item

Section = Literal["stations", "drones", "landing_points", "emergency_sites", "airframes"]
SECTIONS: tuple[Section, ...] = ("stations", "drones", "landing_points", "emergency_sites", "airframes")
ID_FIELD: dict[Section, str] = {
    "stations": "station_id",
    "drones": "drone_id",
    "landing_points": "landing_point_id",
    "emergency_sites": "emergency_site_id",
    "airframes": "airframe_id",
}
Item = Station | Drone | LandingPoint | EmergencySite | Airframe
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEdits:
    """What was changed: section → id → the item's document, or None where it was taken away.

    ``change_seq`` is the number of the last change, 0 before the first; it is part of the version.
    """

    items: Mapping[Section, Mapping[str, Document | None]] = field(default_factory=dict)
    change_seq: int = 0

    def with_item(self, section: Section, item_id: str, document: Document | None) -> SiteEdits:
        """These edits and one more."""
        changed = dict(self.items.get(section, {})) | {item_id: document}
        return SiteEdits(items={**self.items, section: changed}, change_seq=self.change_seq + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteInForce:
    """A site with the airframes that its drones are of, at one version."""

    site: Site
    airframes: Mapping[str, Airframe]
    version: str


def read_document(section: Section, document: Document) -> Item:
    """An item in the shape of its file. Raises 3103 with the field at fault."""
    try:
        if section == "airframes":
            return read_airframe(json.dumps(document))
        found: Item = read_item(section, document)
        return found
    except DroneAedError as error:
        where = (error.field or "").removeprefix("airframe.")
        raise AirspaceError(ErrorCode.SITE_FILE_INVALID, error.detail, field=where) from None


def document_of(item: Item) -> Document:
    """The item as its file writes it."""
    if isinstance(item, Airframe):
        from pydantic import TypeAdapter

        found: Document = TypeAdapter(Airframe).dump_python(item, mode="json")
        return found
    return item_json(item)


def items_of(given: SiteInForce, section: Section) -> dict[str, Item]:
    """Every item of a section by its id."""
    if section == "airframes":
        return dict(given.airframes)
    name = ID_FIELD[section]
    return {getattr(item, name): item for item in getattr(given.site, section)}


class SiteBook:
    """The site in force and how it came to be. Changed on the event loop only, read from any thread."""

    def __init__(self, base: Site, airframes: Mapping[str, Airframe]) -> None:
        digest = hashlib.sha256(_canonical(base, airframes)).hexdigest()[:8]
        self._base_version = f"{base.site_id}-{digest}"
        self._base = SiteInForce(site=base, airframes=dict(airframes), version=self._base_version)
        self._edits = SiteEdits()
        self._current = self._base

    @property
    def base(self) -> SiteInForce:
        """The site file's own."""
        return self._base

    @property
    def current(self) -> SiteInForce:
        """What decisions are made on now."""
        return self._current

    @property
    def site(self) -> Site:
        """The site in force."""
        return self._current.site

    @property
    def airframes(self) -> Mapping[str, Airframe]:
        """The airframes in force."""
        return self._current.airframes

    @property
    def edits(self) -> SiteEdits:
        """What differs from the file."""
        return self._edits

    def compose(self, edits: SiteEdits) -> SiteInForce:
        """The base with ``edits``. Pure. Raises 3103 where the items don't fit together: two of one name, a drone
        without its station, an alternate that isn't there."""
        if edits.change_seq == 0:
            return self._base
        base = self._base.site
        sections: dict[str, Any] = {}
        for section in SECTIONS:
            found = items_of(self._base, section)
            for item_id, document in edits.items.get(section, {}).items():
                if document is None:
                    found.pop(item_id, None)
                else:
                    found[item_id] = read_document(section, document)
            sections[section] = found
        airframes = sections.pop("airframes")
        # A file may name an airframe that nobody knows yet; its drones are refused in decisions, with that reason.
        unknown = {drone.airframe_id for drone in base.drones} - set(self._base.airframes)
        for drone in sections["drones"].values():
            if drone.airframe_id not in airframes and drone.airframe_id not in unknown:
                raise AirspaceError(
                    ErrorCode.SITE_FILE_INVALID,
                    f"there is no airframe {drone.airframe_id!r} for drone {drone.drone_id}",
                    field="airframe_id",
                )
        return SiteInForce(
            site=Site(
                site_id=base.site_id,
                name=base.name,
                name_zh=base.name_zh,
                timezone=base.timezone,
                **{section: tuple(items.values()) for section, items in sections.items()},
            ),
            airframes=airframes,
            version=f"{self._base_version}.{edits.change_seq}",
        )

    def put_in_force(self, edits: SiteEdits, composed: SiteInForce) -> None:
        """From now on decisions are made on ``composed``, which :meth:`compose` made of ``edits``."""
        self._edits = edits
        self._current = composed


def _canonical(site: Site, airframes: Mapping[str, Airframe]) -> bytes:
    everything: dict[str, Any] = {
        section: [item_json(item) for item in getattr(site, section)]
        for section in SECTIONS
        if section != "airframes"
    }
    everything["airframes"] = [document_of(airframes[name]) for name in sorted(airframes)]
    return json.dumps([site.site_id, site.timezone, everything], sort_keys=True).encode()
