"""What a drone in flight is told when the airspace changes: the zones near its way, and revoked approvals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from core.ids import IdSource
from flight.messages import AuthorisationRevoked, Notice, ZoneActivated, ZoneCleared
from geofences.airspace import Airspace
from geofences.model import CircleArea, Volume, Zone
from hub_api.dispatch.airspace_book import restricts
from hub_api.store.records import AirspaceChangeRecord
from planner.flight_plan import FlightPlan

NEAR_DEG = 0.03
"""Chosen: 3 km around every point of a plan. A drone never gets farther from its plan than its fence allows;
zones beyond are none of its business, and a city's whole airspace is no message for a radio link."""


def notices_of(
    change: AirspaceChangeRecord, airspace: Airspace, plan: FlightPlan, ids: IdSource, now: datetime
) -> Iterator[Notice]:
    """The notices for the drone of ``plan`` when ``change`` has led to ``airspace``."""
    if change.action == "authorisation_revoked":
        yield AuthorisationRevoked(
            command_id=ids.new("cmd"),
            drone_id=plan.drone_id,
            issued_at=now,
            authorisation_id=change.subject,
            zones=tuple(_zones_opened_by(change.subject, plan, airspace)),
        )
        return
    over = frozenset(change.changed)
    for zone_id in (*change.added, *change.changed):
        zone = airspace.zone(zone_id)
        if restricts(zone) and _is_near(zone, plan):
            yield ZoneActivated(
                command_id=ids.new("cmd"),
                drone_id=plan.drone_id,
                issued_at=now,
                zone=zone,
                airspace_version=change.version,
            )
        elif zone_id in over:
            # It may have been told to keep out of what the zone was before.
            yield ZoneCleared(
                command_id=ids.new("cmd"), drone_id=plan.drone_id, issued_at=now, zone_id=zone_id
            )
    for zone_id in change.removed:
        yield ZoneCleared(command_id=ids.new("cmd"), drone_id=plan.drone_id, issued_at=now, zone_id=zone_id)


def _zones_opened_by(authorisation_id: str, plan: FlightPlan, airspace: Airspace) -> Iterator[Zone]:
    """Zones near a plan that relies on the approval and that need one: they count as closed from now."""
    if authorisation_id not in plan.authorisation_ids:
        return
    opened = {zone_id for item in airspace.authorisations for zone_id in item.zone_ids}
    for zone in airspace.zones:
        if zone.keeps_out and zone.zone_id not in opened and _is_near(zone, plan):
            yield zone


def _is_near(zone: Zone, plan: FlightPlan) -> bool:
    west, south, east, north = _box(plan)
    for volume in zone.volumes:
        low_lon, low_lat, high_lon, high_lat = _bounds(volume)
        if low_lon <= east and high_lon >= west and low_lat <= north and high_lat >= south:
            return True
    return False


def _bounds(volume: Volume) -> tuple[float, float, float, float]:
    area = volume.area
    if isinstance(area, CircleArea):
        # Half a degree of latitude holds 55 km; a circle's box may be too large here, never too small.
        reach_deg = area.radius_m / 90_000.0
        centre = area.centre
        return (
            centre.longitude_deg - 2.0 * reach_deg,
            centre.latitude_deg - reach_deg,
            centre.longitude_deg + 2.0 * reach_deg,
            centre.latitude_deg + reach_deg,
        )
    longitudes = [point.longitude_deg for point in area.exterior]
    latitudes = [point.latitude_deg for point in area.exterior]
    return min(longitudes), min(latitudes), max(longitudes), max(latitudes)


def _box(plan: FlightPlan) -> tuple[float, float, float, float]:
    points = [plan.home, plan.delivery, *plan.rally_points]
    points += [leg.end for leg in (*plan.outbound, *plan.inbound, *plan.retrace)]
    longitudes = [point.position.longitude_deg for point in points]
    latitudes = [point.position.latitude_deg for point in points]
    return (
        min(longitudes) - NEAR_DEG,
        min(latitudes) - NEAR_DEG,
        max(longitudes) + NEAR_DEG,
        max(latitudes) + NEAR_DEG,
    )
