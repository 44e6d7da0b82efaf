"""From stored records to what the API shows of an incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub_api.dispatch.guidance import VideoGuidance
from hub_api.dispatch.incident_room import party_record_name
from hub_api.dispatch.incident_states import STAGE_ZH, Stage, gap_s, moment_of
from hub_api.features.fields import LocationView
from hub_api.features.incidents.schemas import (
    AmbulanceView,
    GapsView,
    IncidentEventView,
    IncidentSummary,
    IncidentView,
    MessageLine,
    PartyView,
    PatientView,
    StageView,
)
from hub_api.features.orders.views import address_of, summary_of, warnings_of
from hub_api.personal_data import PersonalData, Shown
from hub_api.store.incident_records import IncidentRecord, ObservationRecord, PartyRecord
from hub_api.store.records import CallbackRecord, EventRecord, MissionRecord, OrderRecord
from hub_api.store.repositories.messages import MessageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentLook:
    """Everything of one incident at one moment. ``missions`` with the order that each was read for."""

    incident: IncidentRecord
    orders: list[OrderRecord]
    missions: list[tuple[str, MissionRecord]]
    parties: list[PartyRecord]
    observations: list[ObservationRecord]
    updates: list[CallbackRecord]
    messages: list[MessageRecord]


def summary(incident: IncidentRecord) -> IncidentSummary:
    """One line of the list."""
    return IncidentSummary(
        incident_id=incident.incident_id,
        reference=incident.reference,
        state=incident.state,
        source=incident.source,
        exercise=incident.exercise,
        received_at=incident.received_at,
        severity=incident.severity,
        escalation=incident.escalation,
        still_since=incident.warned_at,
        closed_at=incident.closed_at,
        outcome=incident.outcome,
    )


def view(look: IncidentLook, personal: PersonalData, *, allowed: bool, own: bool) -> IncidentView:
    """Everything that this reader may see; ``own``: the reader acts for the incident's client."""
    incident = look.incident
    shown = personal.reveal(incident.incident_id, incident.personal, allowed=allowed)
    values = shown.values
    return IncidentView(
        **summary(incident).model_dump(),
        client=incident.client,
        position=location(incident),
        floor=incident.floor,
        severity_code=incident.severity_code,
        personal_data=shown.status,
        caller=values.get("caller"),
        doctor=values.get("doctor"),
        address=values.get("address"),
        access_notes=values.get("access_notes"),
        notes=values.get("notes"),
        ambulance=ambulance_of(incident),
        patient=[patient_of(item, personal, allowed) for item in look.observations],
        video_guidance=VideoGuidance(incident.video_guidance),
        messages=[_message(message) for message in look.messages],
        stages=stages(incident),
        gaps=gaps(look),
        parties=parties(look, personal, allowed=allowed),
        orders=[summary_of(order) for order in look.orders],
        callback_url=address_of(incident.callback_url, own=own),
        warnings=warnings_of(incident.other_place),
    )


def location(incident: IncidentRecord) -> LocationView:
    """Where, as sent and in WGS-84."""
    return LocationView(
        reference_system=incident.place["reference_system"],
        latitude_deg=incident.place["latitude_deg"],
        longitude_deg=incident.place["longitude_deg"],
        wgs84_latitude_deg=incident.latitude_deg,
        wgs84_longitude_deg=incident.longitude_deg,
    )


def ambulance_of(incident: IncidentRecord) -> AmbulanceView | None:
    """As far as the centre tells; None where it has not."""
    if incident.ambulance is None:
        return None
    # What was not told is not stored: an order tells the arrival and nothing else.
    return AmbulanceView.model_validate(dict.fromkeys(AmbulanceView.model_fields) | incident.ambulance)


def stages(incident: IncidentRecord) -> list[StageView]:
    """All six, reached or not. Source: B1."""
    return [
        StageView(
            stage=stage,
            name_zh=STAGE_ZH[stage],
            at=moment_of(incident.stages, stage),
            source=incident.stages.get(stage, {}).get("source"),
        )
        for stage in Stage
    ]


def gaps(look: IncidentLook) -> GapsView:
    """The gaps between stages. Source: A10."""
    reached = look.incident.stages
    called = moment_of(reached, Stage.CALL)
    landed = min(
        (m.aed_on_ground_at for _, m in look.missions if m.aed_on_ground_at is not None), default=None
    )
    return GapsView(
        call_to_first_hands_s=gap_s(reached, Stage.CALL, Stage.RESCUED),
        call_to_dispatched_s=gap_s(reached, Stage.CALL, Stage.DISPATCHED),
        call_to_aed_on_ground_s=(
            None if called is None or landed is None else (landed - called).total_seconds()
        ),
        located_to_first_hands_s=gap_s(reached, Stage.LOCATED, Stage.RESCUED),
    )


def parties(look: IncidentLook, personal: PersonalData, *, allowed: bool) -> list[PartyView]:
    """Everybody who really takes part: what the hub knows itself, then who was reported. Source: A2, A12."""
    incident = look.incident
    found = [
        PartyView(
            kind="centre",
            party_id=incident.client,
            role="coordinator",
            state="open" if incident.closed_at is None else "closed",
            since=incident.closed_at or incident.received_at,
            eta_at=None,
            times={},
            name=None,
            phone=None,
        )
    ]
    caller = personal.reveal(incident.incident_id, incident.personal, allowed=allowed).values.get("caller")
    if caller:
        found.append(
            PartyView(
                kind="caller",
                party_id="caller",
                role=None,
                state="called",
                since=moment_of(incident.stages, Stage.CALL),
                eta_at=None,
                times={},
                name=caller.get("name"),
                phone=caller.get("phone"),
            )
        )
    ambulance = ambulance_of(incident)
    if ambulance is not None:
        found.append(_ambulance_party(ambulance))
    found += [_drone_party(order_id, mission) for order_id, mission in look.missions]
    return found + [_reported(party, personal, allowed) for party in look.parties]


def _ambulance_party(ambulance: AmbulanceView) -> PartyView:
    times = {
        name: moment
        for name, moment in {
            "dispatched": ambulance.dispatched_at,
            "on_scene": ambulance.on_scene_at,
        }.items()
        if moment is not None
    }
    state = "on_scene" if "on_scene" in times else "dispatched" if "dispatched" in times else "reported"
    return PartyView(
        kind="ambulance",
        party_id=ambulance.unit or "ambulance",
        role="treatment",
        state=ambulance.status or state,
        since=times.get(state),
        eta_at=ambulance.eta_at,
        times=times,
        name=None,
        phone=None,
    )


def _drone_party(order_id: str, mission: MissionRecord) -> PartyView:
    times = {
        name: moment
        for name, moment in {
            "planned": mission.created_at,
            "commanded": mission.commanded_at,
            "accepted": mission.accepted_at,
            "airborne": mission.airborne_at,
            "aed_on_ground": mission.aed_on_ground_at,
            "lost": mission.lost_at,
            "ended": mission.ended_at,
        }.items()
        if moment is not None
    }
    # Of those of one moment the latest in the life of a flight.
    state = max(reversed(times), key=lambda name: times[name])
    return PartyView(
        kind="drone_aed",
        party_id=f"{order_id}/{mission.flight_id}",
        role="aed",
        state=state,
        since=times[state],
        eta_at=None,
        times=times,
        name=mission.drone_id,
        phone=None,
    )


def _reported(party: PartyRecord, personal: PersonalData, allowed: bool) -> PartyView:
    name = party_record_name(party.incident_id, party.party_id)
    values = personal.reveal(name, party.personal, allowed=allowed).values
    times = {state: datetime.fromisoformat(moment) for state, moment in party.times.items()}
    return PartyView(
        kind=party.kind,
        party_id=party.party_id,
        role=party.role,
        state=party.state,
        since=times.get(party.state),
        eta_at=party.eta_at,
        times=times,
        name=values.get("name"),
        phone=values.get("phone"),
    )


def party_view(party: PartyRecord, personal: PersonalData, *, allowed: bool) -> PartyView:
    """One reported party."""
    return _reported(party, personal, allowed)


def patient_of(item: ObservationRecord, personal: PersonalData, allowed: bool) -> PatientView:
    """How the patient was, if the reader may see it."""
    shown: Shown = personal.reveal(item.observation_id, item.personal, allowed=allowed)
    return PatientView(
        observation_id=item.observation_id,
        at=item.at,
        source=item.source,
        personal_data=shown.status,
        values=shown.values or None,
    )


def _message(message: MessageRecord) -> MessageLine:
    return MessageLine(
        message_id=message.message_id,
        kind=message.kind,
        role=message.role,
        state=message.state,
        created_at=message.created_at,
        sent_at=message.sent_at,
        last_error=message.last_error,
    )


def event_view(event: EventRecord) -> IncidentEventView:
    """One event."""
    return IncidentEventView(
        event_id=str(event.seq),
        kind=event.kind,
        at=event.at,
        order_id=event.order_id,
        order_state=event.state,
        flight_id=event.flight_id,
        drone_id=event.drone_id,
        detail=event.detail,
        detail_zh=event.detail_zh,
        data=event.data,
    )
