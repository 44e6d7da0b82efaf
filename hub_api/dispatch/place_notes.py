"""What becomes of a place that a report or an order tells of an incident: taken, or kept beside the incident's and said.

Functions of the caller's transaction; the rule and its words are :mod:`hub_api.dispatch.two_places`'.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.geodesy import Wgs84Point
from hub_api.dispatch.incident_ledger import IncidentLedger
from hub_api.dispatch.two_places import (
    FAR_APART_M,
    ORDER_NEAR_M,
    SAME_PLACE_M,
    OtherPlace,
    distance_to,
    notice_of,
    stands_elsewhere,
)
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import incidents, orders


def open_elsewhere(session: Session, incident_id: str, place: Wgs84Point) -> OrderRecord | None:
    """The order that is open for another place than this; of several one with a mission of its own."""
    found = [order for order in orders.of_incident(session, incident_id) if stands_elsewhere(order, place)]
    return min(found, key=lambda order: order.merged_into is not None, default=None)


def reported(
    session: Session, incident: IncidentRecord, sent: dict[str, Any], place: Wgs84Point, at: datetime
) -> tuple[dict[str, Any], OtherPlace | None]:
    """What changes of the incident by a report with this place, and what has to be said about the two.

    A place that an open order does not fly to changes nothing: a drone is moved on purpose, by its order.
    """
    distance_m = distance_to(incident, place)
    if distance_m <= SAME_PLACE_M:
        return {}, None
    order = open_elsewhere(session, incident.incident_id, place)
    if order is not None:
        return {}, OtherPlace(
            position=sent, distance_m=distance_m, at=at, said_by=None, kept_for=order.order_id
        )
    moved = {"place": sent, "latitude_deg": place.latitude_deg, "longitude_deg": place.longitude_deg}
    if distance_m <= FAR_APART_M:
        return moved, None
    return moved, OtherPlace(
        position=incident.place, distance_m=distance_m, at=at, said_by=None, kept_for=None
    )


def note(
    ledger: IncidentLedger, session: Session, incident: IncidentRecord, other: OtherPlace | None
) -> IncidentRecord:
    """Keep another place and tell it, once for each and whom it concerns; None: the places agree."""
    if other is None:
        return _agree(ledger, session, incident)
    stored, known = other.stored(), incident.other_place or {}
    if all(known.get(name) == stored[name] for name in ("position", "said_by", "kept_for")):
        return incident
    notice = notice_of(stored)
    return ledger.change(
        session,
        incident,
        notice.code,
        notice.detail,
        notice.detail_zh,
        {"other_place": stored},
        data=stored,
    )


def _agree(ledger: IncidentLedger, session: Session, incident: IncidentRecord) -> IncidentRecord:
    if incident.other_place is None:
        return incident
    return ledger.change(
        session,
        incident,
        "place_agreed",
        "The newest report and the incident name the same place",
        "最新报告的位置与事件位置一致",
        {"other_place": None},
    )


def note_of_order(
    ledger: IncidentLedger, session: Session, incident_id: str, order: OrderRecord
) -> dict[str, Any] | None:
    """A new order of a known incident for another place: keep that, tell it, and give what was kept."""
    incident = incidents.get(session, incident_id)
    distance_m = distance_to(incident, Wgs84Point(order.latitude_deg, order.longitude_deg))
    # Another patient of the incident may lie a street away.
    if distance_m <= (FAR_APART_M if order.request.get("separate") else ORDER_NEAR_M):
        return None
    other = OtherPlace(
        position=order.request["position"],
        distance_m=distance_m,
        at=ledger.now(),
        said_by=order.order_id,
        kept_for=order.merged_into,
    )
    return note(ledger, session, incident, other).other_place
