"""From what is known of drones and stations to the readiness board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

from geofences.model import Authorisation
from hub_api.care.book import CareBook
from hub_api.care.model import DockReport, Due, Finding
from hub_api.dispatch.fleet import DroneView
from hub_api.features.fields import ReasonView
from hub_api.features.readiness.schemas import (
    AedReportView,
    AuthorisationReadinessView,
    DockView,
    DroneReadinessView,
    DueView,
    FindingView,
    OutOfServiceView,
)
from hub_api.store.records import RevocationRecord
from planner.reasons import Reason
from planner.site import Site

ENDS_SOON = timedelta(days=14)
"""Chosen: what it takes to have an approval renewed."""


def reason_view(reason: Reason) -> ReasonView:
    return ReasonView(code=reason.code, detail=reason.detail, detail_zh=reason.detail_zh)


def finding_views(findings: Iterable[Finding]) -> list[FindingView]:
    return [FindingView(level=item.level.value, reason=reason_view(item.reason)) for item in findings]


def drone_readiness(view: DroneView, book: CareBook, site: Site) -> DroneReadinessView:
    """One drone of the board."""
    drone = view.drone
    out, aed = (
        book.facts.out_of_service.get(drone.drone_id),
        book.facts.aeds.get(drone.drone_id),
    )
    flown = book.flown(drone.drone_id)
    return DroneReadinessView(
        drone_id=drone.drone_id,
        station_id=drone.station_id,
        airframe_id=drone.airframe_id,
        ready=view.ready,
        not_ready_reasons=[reason_view(reason) for reason in view.not_ready],
        phase=str(view.phase),
        mission_id=view.mission_id,
        charge_fraction=view.charge_fraction,
        telemetry_age_s=None if view.telemetry_age_s is None else round(view.telemetry_age_s, 3),
        out_of_service=None
        if out is None
        else OutOfServiceView(since=out.since, by=out.by, reason=out.reason),
        aed=None
        if aed is None
        else AedReportView(**{name: getattr(aed, name) for name in AedReportView.model_fields}),
        findings=finding_views(book.findings(drone, site)),
        flights=flown.flights,
        air_h=round(flown.air_s / 3600.0, 3),
        maintenance=[due_view(due) for due in book.due(drone)],
    )


def due_view(due: Due) -> DueView:
    rule = due.rule
    return DueView(
        rule_id=rule.rule_id,
        name=rule.name,
        name_zh=rule.name_zh,
        grounds=rule.grounds,
        flights_left=due.flights_left,
        air_h_left=None if due.air_h_left is None else round(due.air_h_left, 3),
        due_on=due.due_on,
        last_done_at=due.last_done_at,
        state="overdue" if due.overdue else "soon" if due.soon else "ok",
    )


def dock_view(report: DockReport | None, now: datetime) -> DockView | None:
    if report is None:
        return None
    fields = asdict(report) | {"charging_drone_ids": list(report.charging_drone_ids)}
    del fields["station_id"]
    return DockView(**fields, age_s=round((now - report.measured_at).total_seconds(), 1))


def authorisation_views(
    holding: Iterable[Authorisation],
    given: Iterable[Authorisation],
    revoked: dict[str, RevocationRecord],
    now: datetime,
) -> list[AuthorisationReadinessView]:
    """Approvals that hold, will hold or have ended, and those of them that were taken back."""
    known = {item.authorisation_id: item for item in (*given, *holding)}
    return [_authorisation(item, revoked.get(key), now) for key, item in sorted(known.items())]


def _authorisation(
    item: Authorisation, revocation: RevocationRecord | None, now: datetime
) -> AuthorisationReadinessView:
    if revocation is not None:
        state = "revoked"
    elif now < item.valid_from:
        state = "not_yet"
    elif now > item.valid_until:
        state = "ended"
    else:
        state = "ends_soon" if item.valid_until - now <= ENDS_SOON else "valid"
    return AuthorisationReadinessView(
        authorisation_id=item.authorisation_id,
        authority=item.authority,
        number=item.number,
        zone_ids=list(item.zone_ids),
        valid_from=item.valid_from,
        valid_until=item.valid_until,
        state=state,
        revoked_reason=None if revocation is None else revocation.reason,
    )
