"""What a flight's report is made of, and the figures that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flight.record_reading import TrackSample, TrackSummary, summary_of
from geofences.model import Zone
from hub_api.store.records import EventRecord, MissionRecord
from hub_api.store.repositories.flights import FlightOutcome, outcome_of
from planner.flight_plan import FlightPlan
from planner.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """Everything known about one flight; no caller and no patient. ``plans`` in the order flown, at least one.

    ``record_here`` False: nothing of the drone's own record can be read on this host, and the report says so.
    """

    mission: MissionRecord
    order_id: str
    severity: str
    drill: bool
    received_at: datetime
    incident_reference: str | None
    site: Site
    plans: tuple[FlightPlan, ...]
    track: tuple[TrackSample, ...]
    events: tuple[EventRecord, ...]
    zones: tuple[Zone, ...]
    zones_version: str
    made_at: datetime
    record_here: bool

    @property
    def outcome(self) -> FlightOutcome:
        return outcome_of(self.mission)

    @property
    def summary(self) -> TrackSummary:
        return summary_of(self.track)

    def local(self, moment: datetime | None) -> str:
        """In the site's time, with seconds; «—» for what did not happen."""
        if moment is None:
            return "—"
        return moment.astimezone(self.site.zone_info).strftime("%Y-%m-%d %H:%M:%S")

    def after_order(self, moment: datetime | None) -> str:
        """How long after the order it happened, as m:ss."""
        if moment is None:
            return "—"
        return minutes((moment - self.received_at).total_seconds())

    def name_of(self, place_id: str) -> str:
        """A station's or landing point's names, as far as the site still knows it."""
        for station in self.site.stations:
            if station.station_id == place_id:
                return f"{station.name_zh} {station.name} ({place_id})"
        for point in self.site.landing_points:
            if point.landing_point_id == place_id:
                return f"{point.name_zh} {point.name} ({place_id})"
        return place_id


def minutes(seconds: float) -> str:
    """Seconds as m:ss; negative ones keep their sign."""
    whole = round(abs(seconds))
    return f"{'-' if seconds < 0 else ''}{whole // 60}:{whole % 60:02d}"
