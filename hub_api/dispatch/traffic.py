"""What our own open flights claim of the air, so that a new one is planned between them.

A flight that keeps to its plan claims the volumes of its plan; from its take-off on these are narrow, because
the moment is known. A flight that is found outside them, or is not heard, may return the straight way that an
autopilot takes: it claims everything that a plan can lead it through, until it is heard in its volumes again
or ends. Every open flight blocks whatever its urgency: one in the air cannot be moved aside by a command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import shapely

from core.geodesy import LocalFrame, Wgs84Point
from flight.messages import TelemetrySample
from hub_api.dispatch.fleet import DroneView
from planner.choice import Traffic
from planner.flight_plan import FlightPlan
from planner.intent_index import IntentIndex
from planner.intent_volumes import DEFAULT_MARGINS, PRIORITIES, intent_of_plan
from planner.intents import Circle, IntentState, OperationalIntent, Polygon, Volume4D

OWNER = "drone-aed"
"""Our name among the managers of intents."""

PRIORITY = max(PRIORITIES.values())
"""Of open flights: the highest there is, so that none is planned through."""

DEPARTURE_S = 5.0
"""Chosen: between the «airborne» of the vehicle and the moment from which its plan's times count."""

ASTRAY_CLAIM_S = 300.0
"""Chosen: how long, from now, a flight off its plan claims all its ways; each decision renews the claim.
No planned flight in a city of 20 km takes longer to come home."""


LONGEST_DELAY_S = 180.0
"""Chosen: long enough for the drone before to deliver at the same point and leave; after that another
station, another landing point or the ambulance is the better answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFlight:
    """A flight that has not told its end. ``plan`` is None where the book holds it already."""

    flight_id: str
    drone_id: str
    airborne_at: datetime | None
    plan: FlightPlan | None


@dataclass(slots=True)
class _Entry:
    plan: FlightPlan
    airborne_at: datetime | None
    planned: OperationalIntent


class TrafficBook:
    """Intents of the open flights, kept between decisions. Used by one thread at a time."""

    def __init__(self, origin: Wgs84Point, *, geoid_undulation_m: float, telemetry_stale_s: float) -> None:
        self._undulation_m = geoid_undulation_m
        self._stale_s = telemetry_stale_s
        self._entries: dict[str, _Entry] = {}
        self._index = IntentIndex((), origin=origin)

    def forget(self, flight_id: str) -> None:
        """The flight follows another plan from now on: read it again."""
        entry = self._entries.pop(flight_id, None)
        if entry is not None:
            self._index = self._index.removing(entry.planned.intent_id)

    def holds(self, flight_id: str) -> bool:
        """Whether the flight's plan need not be given again."""
        return flight_id in self._entries

    def traffic(
        self, flights: Sequence[OpenFlight], views: Mapping[str, DroneView], now: datetime
    ) -> Traffic:
        """The claims of exactly these flights at ``now``, for the planner."""
        current = {flight.flight_id for flight in flights}
        for gone in self._entries.keys() - current:
            self._index = self._index.removing(self._entries.pop(gone).planned.intent_id)
        for flight in flights:
            self._declare(flight, views.get(flight.drone_id), now)
        return Traffic(
            intents=self._index,
            owner=OWNER,
            geoid_undulation_m=self._undulation_m,
            longest_delay_s=LONGEST_DELAY_S,
        )

    def _declare(self, flight: OpenFlight, view: DroneView | None, now: datetime) -> None:
        entry = self._entries.get(flight.flight_id)
        if entry is None:
            assert flight.plan is not None, "the plan of a flight that the book doesn't know is given"
            entry = _Entry(flight.plan, flight.airborne_at, self._planned(flight.plan, flight.airborne_at))
            self._entries[flight.flight_id] = entry
        elif entry.airborne_at != flight.airborne_at:
            entry.airborne_at = flight.airborne_at
            entry.planned = self._planned(entry.plan, flight.airborne_at)
        intent = entry.planned
        if flight.airborne_at is not None and not self._conforms(intent, view, now):
            intent = self._astray(entry, now)
        if self._index.get(intent.intent_id) != intent:
            self._index = self._index.adding(intent)

    def _planned(self, plan: FlightPlan, airborne_at: datetime | None) -> OperationalIntent:
        if airborne_at is not None:
            departure = timedelta(seconds=DEPARTURE_S)
            # A plan made in the air counts from its own moment.
            left_at = max(airborne_at, plan.created_at)
            plan = replace(plan, created_at=left_at - departure, valid_until=left_at + departure)
        intent = intent_of_plan(plan, owner=OWNER, priority=PRIORITY, geoid_undulation_m=self._undulation_m)
        return intent if airborne_at is None else replace(intent, state=IntentState.ACTIVATED)

    def _conforms(self, intent: OperationalIntent, view: DroneView | None, now: datetime) -> bool:
        """Whether the drone is heard, and inside a volume of its plan that is open now."""
        if view is None or view.telemetry is None:
            return False
        if view.telemetry_age_s is None or view.telemetry_age_s > self._stale_s:
            return False
        return any(
            volume.time_start <= now <= volume.time_end and self._holds(volume, view.telemetry)
            for volume in intent.volumes
        )

    def _holds(self, volume: Volume4D, sample: TelemetrySample) -> bool:
        if sample.position is None or sample.altitude_amsl_m is None:
            return False
        height_m = sample.altitude_amsl_m + self._undulation_m
        if not volume.altitude_lower_m <= height_m <= volume.altitude_upper_m:
            return False
        if isinstance(volume.outline, Circle):
            offset = LocalFrame(volume.outline.centre).to_enu(sample.position)
            return (offset.east_m**2 + offset.north_m**2) ** 0.5 <= volume.outline.radius_m
        # Straight in degrees or a geodesic differ by millimetres over the kilometre of a volume.
        ring = shapely.Polygon([(p.longitude_deg, p.latitude_deg) for p in volume.outline.ring])
        return bool(shapely.intersects_xy(ring, sample.position.longitude_deg, sample.position.latitude_deg))

    def _astray(self, entry: _Entry, now: datetime) -> OperationalIntent:
        """One volume around all legs and rally points: convex, so that every straight way between them is inside."""
        plan = entry.plan
        legs = (*plan.outbound, *plan.inbound, *plan.retrace)
        points = [plan.home, plan.delivery, *plan.rally_points, *(leg.end for leg in legs)]
        frame = LocalFrame(plan.home.position)
        places = [(p.position.longitude_deg, p.position.latitude_deg) for p in points]
        hull = shapely.convex_hull(shapely.MultiPoint(frame.project(places)))
        grown = shapely.buffer(hull, DEFAULT_MARGINS.lateral_of(plan), quad_segs=4)
        ring = frame.unproject(shapely.get_coordinates(grown)[:-1]).tolist()
        heights_m = [point.altitude_amsl_m for point in points]
        volume = Volume4D(
            outline=Polygon(tuple(Wgs84Point(latitude, longitude) for longitude, latitude in ring)),
            altitude_lower_m=min(heights_m) + self._undulation_m - DEFAULT_MARGINS.vertical_m,
            altitude_upper_m=max(heights_m) + self._undulation_m + DEFAULT_MARGINS.vertical_m,
            time_start=now - timedelta(seconds=DEFAULT_MARGINS.time_s),
            time_end=now + timedelta(seconds=ASTRAY_CLAIM_S),
        )
        return replace(entry.planned, state=IntentState.NONCONFORMING, volumes=(volume,))
