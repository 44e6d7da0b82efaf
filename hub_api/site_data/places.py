"""Finding places by name or id: what the site knows, orders, and names of the city from a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlmodel import Session

from core.errors import DroneAedError, ErrorCode, InternalError
from core.geodesy import Wgs84Point
from core.ids import is_id
from hub_api.store.database import Database
from hub_api.store.repositories import orders
from planner.site import Site

PlaceKind = Literal["station", "landing_point", "emergency_site", "drone", "order", "place"]
_ORDER: tuple[PlaceKind, ...] = ("order", "drone", "station", "landing_point", "emergency_site", "place")
_ORDERS_SEARCHED = 500
"""Chosen: some days of a busy centre; older ones are found by their whole id only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFound:
    """Something with a name; ``position`` None where it is not at one place (a drone: ask the fleet)."""

    kind: PlaceKind
    place_id: str
    name: str
    name_zh: str
    position: Wgs84Point | None
    approximate: bool


class Places:
    """Searches. ``places_file`` None: no names of the city."""

    def __init__(self, database: Database, site: Callable[[], Site], places_file: Path | None) -> None:
        self._database = database
        self._site = site
        self._city = () if places_file is None else read_places(places_file)

    async def find(
        self, text: str, *, orders_of: str | None, with_orders: bool, limit: int
    ) -> list[PlaceFound]:
        """Best first: the very id or name, then names that begin so, then names that hold it.

        ``orders_of``: the client whose orders may be found; None: those of every client.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return []
        everything = [*self._of_site(self._site()), *self._city]
        if with_orders:
            everything += await self._database.read(lambda session: _orders(session, orders_of, text.strip()))
        ranked = [(rank, found) for found in everything if (rank := _rank(found, wanted)) is not None]
        ranked.sort(key=lambda pair: (pair[0], _ORDER.index(pair[1].kind), pair[1].place_id))
        return [found for _, found in ranked[:limit]]

    @staticmethod
    def _of_site(site: Site) -> Iterator[PlaceFound]:
        for station in site.stations:
            yield PlaceFound(
                kind="station",
                place_id=station.station_id,
                name=station.name,
                name_zh=station.name_zh,
                position=station.position,
                approximate=station.position_quality.value == "approximate",
            )
        for point in site.landing_points:
            yield PlaceFound(
                kind="landing_point",
                place_id=point.landing_point_id,
                name=point.name,
                name_zh=point.name_zh,
                position=point.position,
                approximate=point.position_quality.value == "approximate",
            )
        for spot in site.emergency_sites:
            yield PlaceFound(
                kind="emergency_site",
                place_id=spot.emergency_site_id,
                name=spot.name,
                name_zh=spot.name_zh,
                position=spot.position,
                approximate=spot.position_quality.value == "approximate",
            )
        for drone in site.drones:
            yield PlaceFound(
                kind="drone",
                place_id=drone.drone_id,
                name=drone.drone_id,
                name_zh=drone.drone_id,
                position=None,
                approximate=False,
            )


def _orders(session: Session, client: str | None, text: str) -> list[PlaceFound]:
    """The newest orders; of an id, that order alone, however old."""
    order_id = text.upper().replace("ORD_", "ord_", 1)
    wanted = order_id if is_id(order_id, "ord") else None
    found = []
    for order in orders.where_they_are(session, client=client, order_id=wanted, limit=_ORDERS_SEARCHED):
        reference = order.incident_reference or order.order_id
        found.append(
            PlaceFound(
                kind="order",
                place_id=order.order_id,
                name=reference,
                name_zh=reference,
                position=Wgs84Point(order.latitude_deg, order.longitude_deg),
                approximate=False,
            )
        )
    return found


def _rank(found: PlaceFound, wanted: str) -> int | None:
    """0 the very thing, 1 it begins so, 2 it holds it, None not at all."""
    names = [found.place_id.casefold(), found.name.casefold(), found.name_zh.casefold()]
    if wanted in names:
        return 0
    if any(name.startswith(wanted) for name in names):
        return 1
    return 2 if any(wanted in name for name in names) else None


def read_places(path: Path) -> tuple[PlaceFound, ...]:
    """A file of names: ``reference_system`` «WGS-84» and ``places`` with id, names and position. Raises 5002."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["reference_system"] != "WGS-84":
            raise ValueError("the file must say that its positions are WGS-84")
        return tuple(
            PlaceFound(
                kind="place",
                place_id=str(item["id"]),
                name=str(item["name"]),
                name_zh=str(item["name_zh"]),
                position=Wgs84Point(item["latitude_deg"], item["longitude_deg"]),
                approximate=True,
            )
            for item in raw["places"]
        )
    except (OSError, ValueError, KeyError, TypeError, DroneAedError) as error:
        raise InternalError(
            ErrorCode.SETTINGS_INVALID, f"{path.name} cannot be used: {error}", field="places_file"
        ) from None
