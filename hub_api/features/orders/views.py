"""From stored records to what the API shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter
from pydantic_core import to_json

from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.two_places import notice_of
from hub_api.dispatch.verdicts import shown as shown_candidates
from hub_api.features.fields import LocationView, ReasonView
from hub_api.features.orders.schemas import (
    ApprovalView,
    BenefitView,
    CallbackView,
    DecisionView,
    EtaView,
    FlightView,
    LiveView,
    OrderEventView,
    OrderSummary,
    OrderView,
    PlaceView,
)
from hub_api.personal_data import Shown
from hub_api.store.records import ApprovalRecord, CallbackRecord, EventRecord, MissionRecord, OrderRecord
from planner.benefit import CAUTION, CAUTION_ZH
from planner.site import LandingPoint, Site, Station
from planner.survey_notes import in_chinese


def place_of(place: Station | LandingPoint) -> PlaceView:
    """A station or landing point by its names."""
    return PlaceView(
        id=_id_of(place),
        name=place.name,
        name_zh=place.name_zh,
        latitude_deg=place.position.latitude_deg,
        longitude_deg=place.position.longitude_deg,
        position_quality=str(place.position_quality),
    )


def _id_of(place: Station | LandingPoint) -> str:
    return place.station_id if isinstance(place, Station) else place.landing_point_id


def _place(
    places: tuple[Station, ...] | tuple[LandingPoint, ...], decided: dict[str, Any], kind: str
) -> PlaceView:
    """A place of the decision, named by the site; by its id alone where the site has changed since."""
    place_id: str = decided[f"{kind}_id"]
    for place in places:
        if _id_of(place) == place_id:
            return place_of(place)
    return PlaceView(
        id=place_id,
        name=place_id,
        name_zh=place_id,
        position_quality="not in the site any more",
        **decided[f"{kind}_position"],
    )


def candidates_of(order: OrderRecord, document: str | None) -> bytes:
    """The candidates of an order's decision as they are shown, in JSON; those of earlier releases are inside it."""
    decision = order.decision or {}
    ahead_s = None
    if order.ambulance_eta_at is not None and decision:
        ahead_s = (order.ambulance_eta_at - datetime.fromisoformat(decision["decided_at"])).total_seconds()
    if document is not None:
        return shown_candidates(document, ahead_s)
    found: list[dict[str, Any]] = decision.get("candidates", [])
    for item in found:
        time_s = item["time_to_patient_s"]
        item["ahead_of_ambulance_s"] = None if ahead_s is None or time_s is None else ahead_s - time_s
    return to_json(found)


def _benefit(stored: dict[str, Any] | None) -> BenefitView | None:
    if stored is None:
        return None
    return BenefitView.model_validate({**stored, "caution": CAUTION, "caution_zh": CAUTION_ZH})


def approval_of(
    order: OrderRecord, missions: list[MissionRecord], asked: ApprovalRecord | None, chain: tuple[str, ...]
) -> ApprovalView | None:
    """The newest request for an approval, and its answer."""
    mission = next((m for m in missions if asked is not None and m.mission_id == asked.mission_id), None)
    if asked is None or mission is None:
        return None
    return ApprovalView(
        flight_id=mission.flight_id,
        asked_at=asked.asked_at,
        level=asked.level,
        recipient=chain[min(asked.level, len(chain) - 1)],
        next_alarm_at=asked.next_alarm_at if asked.answered_at is None else None,
        answer=asked.answer,
        answered_at=asked.answered_at,
        answered_by=asked.answered_by,
        reason=asked.reason,
    )


def decision_of(decision: dict[str, Any], site: Site) -> DecisionView:
    """The stored decision with names and moments, and without its candidates: :func:`as_json` adds them."""
    fields: dict[str, Any] = {
        "outcome": decision["outcome"],
        "decided_at": decision["decided_at"],
        "reasons": decision["reasons"],
        "candidates": [],
        "benefit": _benefit(decision.get("benefit")),
        "airspace_version": decision["airspace_version"],
        # Decisions of the first release hold all of them.
        "candidates_total": decision.get("candidates_total", len(decision.get("candidates", ()))),
        "refusals": decision.get("refusals", {}),
    }
    if decision["outcome"] == "accepted":
        decided_at = datetime.fromisoformat(decision["decided_at"])
        aed_s, patient_s, home_s = (
            decision["eta_aed_on_ground_s"],
            decision["eta_patient_s"],
            decision["eta_drone_home_s"],
        )
        fields |= {
            "drone_id": decision["drone_id"],
            "station": _place(site.stations, decision, "station"),
            "landing_point": _place(site.landing_points, decision, "landing_point"),
            "flight_id": decision["flight_id"],
            "delivery_method": decision["delivery_method"],
            "conditions": decision["conditions"],
            "conditions_zh": _in_chinese(decision["conditions"], site),
            "warnings": decision.get("warnings", []),
            "authorisation_ids": decision["authorisation_ids"],
            "eta": EtaView(
                aed_on_ground_s=aed_s,
                patient_s=patient_s,
                drone_home_s=home_s,
                aed_on_ground_at=decided_at + timedelta(seconds=aed_s),
                patient_at=decided_at + timedelta(seconds=patient_s),
                drone_home_at=decided_at + timedelta(seconds=home_s),
            ),
        }
    return DecisionView.model_validate(fields)


def _in_chinese(conditions: list[str], site: Site) -> list[str]:
    if not conditions:
        return []
    names_zh = {station.name: station.name_zh for station in site.stations}
    names_zh |= {point.name: point.name_zh for point in site.landing_points}
    return [in_chinese(item, names_zh) for item in conditions]


def flight_of(mission: MissionRecord, *, drill: bool) -> FlightView:
    """One flight of an order."""
    return FlightView(
        drill=drill,
        withdrawn=mission.withdrawn,
        flight_id=mission.flight_id,
        attempt=mission.attempt,
        drone_id=mission.drone_id,
        station_id=mission.station_id,
        landing_point_id=mission.landing_point_id,
        phase=mission.phase,
        commanded_at=mission.commanded_at,
        accepted_at=mission.accepted_at,
        airborne_at=mission.airborne_at,
        aed_on_ground_at=mission.aed_on_ground_at,
        lost_at=mission.lost_at,
        ended_at=mission.ended_at,
        safe_state=mission.safe_state,
        end_reason=mission.end_reason,
    )


def live_of(view: DroneView | None, mission: MissionRecord | None) -> LiveView | None:
    """The drone's last words, if they are about this flight."""
    if view is None or mission is None or not mission.open or view.telemetry is None:
        return None
    sample = view.telemetry
    if sample.flight_id != mission.flight_id or view.telemetry_age_s is None:
        return None
    return LiveView(
        flight_id=mission.flight_id,
        drone_id=mission.drone_id,
        at=sample.at,
        phase=str(sample.phase),
        latitude_deg=sample.position.latitude_deg if sample.position else None,
        longitude_deg=sample.position.longitude_deg if sample.position else None,
        height_above_home_m=sample.height_above_home_m,
        eta_s=sample.eta_s,
        telemetry_age_s=view.telemetry_age_s,
    )


def address_of(url: str | None, *, own: bool) -> str | None:
    """A callback URL as its reader sees it: path and query often hold a secret, so others see the host alone."""
    if url is None or own:
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def callback_of(url: str | None, updates: list[CallbackRecord], *, own: bool) -> CallbackView | None:
    """Whether the centre's URL took what it was owed."""
    shown_url = address_of(url, own=own)
    if shown_url is None:
        return None
    failed = [update for update in updates if update.failed_at is not None]
    return CallbackView(
        url=shown_url,
        delivered=sum(1 for update in updates if update.delivered_at is not None),
        pending=sum(1 for update in updates if update.delivered_at is None and update.failed_at is None),
        failed=len(failed),
        last_error=next((u.last_error for u in reversed(updates) if u.last_error is not None), None),
    )


def warnings_of(other_place: dict[str, Any] | None) -> list[ReasonView]:
    """What is said where an incident or an order was given two places."""
    if other_place is None:
        return []
    notice = notice_of(other_place)
    return [ReasonView(code=notice.code, detail=notice.detail, detail_zh=notice.detail_zh)]


_NO_CANDIDATES = b'"candidates":[]'
"""Nothing that somebody wrote looks so: a quotation mark inside a text is escaped."""
_view_to_json = TypeAdapter(OrderView).serializer.to_json


def as_json(view: OrderView, candidates: bytes) -> bytes:
    """An order in JSON with the candidates of its decision. These are hundreds and are JSON already, so they are put
    into their place."""
    shown = _view_to_json(view)
    if view.decision is None:
        return shown
    before, after = shown.split(_NO_CANDIDATES)
    return b"".join((before, b'"candidates":', candidates, after))


def order_view(
    order: OrderRecord,
    missions: list[MissionRecord],
    updates: list[CallbackRecord],
    site: Site,
    drone: DroneView | None,
    personal: Shown,
    approval: ApprovalView | None,
    serving: OrderRecord,
    other_place: dict[str, Any] | None,
    *,
    own: bool,
) -> OrderView:
    """Everything about one order that its reader may see; ``own``: the reader acts for the order's client.

    ``serving`` is the order whose mission serves it, itself or another; ``missions`` and ``drone`` are that one's.
    """
    request = order.request
    position = request["position"]
    current = next((m for m in missions if m.mission_id == serving.mission_id), None)
    return OrderView(
        order_id=order.order_id,
        incident_id=order.incident_id,
        state=order.state,
        mode=order.mode,
        drill=order.drill,
        merged_into=order.merged_into,
        merged_orders=order.merged_orders,
        mission_state=serving.state,
        withdrawn_at=order.withdrawn_at,
        waiting_until=serving.waiting_until if serving.state is OrderState.WAITING else None,
        received_at=order.received_at,
        position=LocationView(
            reference_system=position["reference_system"],
            latitude_deg=position["latitude_deg"],
            longitude_deg=position["longitude_deg"],
            wgs84_latitude_deg=order.latitude_deg,
            wgs84_longitude_deg=order.longitude_deg,
        ),
        severity=request["severity"],
        severity_code=request.get("severity_code"),
        floor=request["floor"],
        notes=personal.values.get("notes"),
        incident_reference=request["incident_reference"],
        caller=personal.values.get("caller"),
        personal_data=personal.status,
        decision=None if serving.decision is None else decision_of(serving.decision, site),
        approval=approval,
        ambulance_eta_at=order.ambulance_eta_at,
        decided_at=serving.decided_at,
        airborne_at=serving.airborne_at,
        aed_on_ground_at=serving.aed_on_ground_at,
        finished_at=order.finished_at,
        flights=[flight_of(mission, drill=order.drill) for mission in missions],
        live=live_of(drone, current),
        callback=callback_of(request["callback_url"], updates, own=own),
        warnings=warnings_of(other_place),
    )


def summary_of(order: OrderRecord) -> OrderSummary:
    """One line of the list."""
    decision = order.decision or {}
    return OrderSummary(
        order_id=order.order_id,
        incident_id=order.incident_id,
        state=order.state,
        mode=order.mode,
        drill=order.drill,
        merged_into=order.merged_into,
        received_at=order.received_at,
        severity=order.request["severity"],
        incident_reference=order.request["incident_reference"],
        outcome=decision.get("outcome"),
        drone_id=decision.get("drone_id"),
        aed_on_ground_at=order.aed_on_ground_at,
        finished_at=order.finished_at,
    )


def event_view(event: EventRecord) -> OrderEventView:
    """One event of the stream."""
    return OrderEventView(
        event_id=str(event.seq),
        kind=event.kind,
        at=event.at,
        state=event.state,
        detail=event.detail,
        detail_zh=event.detail_zh,
        flight_id=event.flight_id,
        drone_id=event.drone_id,
        drill=event.data.get("drill") is True,
        data=event.data,
    )
