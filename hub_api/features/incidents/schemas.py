"""Incidents as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from hub_api.dispatch.guidance import VideoGuidance
from hub_api.dispatch.incident_states import Escalation, IncidentState, Stage
from hub_api.dispatch.order_states import OrderState
from hub_api.features.fields import Caller, LocationView, ReasonView, Severity
from hub_api.features.orders.schemas import OrderSummary
from hub_api.store.repositories.messages import MessageKind, MessageState

PersonalDataStatus = Literal["shown", "masked", "erased", "unreadable"]


class StageView(BaseModel):
    """One of the six stages; null where it was not reached or nobody has told. Source: B1."""

    stage: Stage
    name_zh: str
    at: datetime | None
    source: str | None = Field(
        description="What said so: api, correction, position_received, order_received, ambulance_dispatched, "
        "party_treating, cpr_reported, video_link_sent, closed …"
    )


class GapsView(BaseModel):
    """Seconds between stages; null while either is unknown. Source: A10."""

    call_to_first_hands_s: float | None = Field(description="急救空窗期: 报警 → 救援.")
    call_to_dispatched_s: float | None
    call_to_aed_on_ground_s: float | None
    located_to_first_hands_s: float | None = Field(
        description="From our knowing the place: an underestimate, for centres that tell no call time."
    )


class AmbulanceView(BaseModel):
    """The ambulance, as far as the centre tells. Source: A4."""

    unit: str | None
    status: str | None
    dispatched_at: datetime | None
    eta_at: datetime | None
    on_scene_at: datetime | None


class PartyView(BaseModel):
    """One party of the incident's room. Only who is really there is listed. Source: A2, A12."""

    kind: str = Field(
        description="caller, centre, ambulance and drone_aed by what the hub knows; all others as reported."
    )
    party_id: str
    role: str | None
    state: str
    since: datetime | None
    eta_at: datetime | None
    times: dict[str, datetime] = Field(description="State → when it was first reached.")
    name: str | None = Field(description="null unless personal data is shown.")
    phone: str | None


class PatientView(BaseModel):
    """How the patient was at one moment; `values` is null unless personal data is shown."""

    observation_id: str
    at: datetime
    source: str
    personal_data: PersonalDataStatus
    values: dict[str, Any] | None


class MessageLine(BaseModel):
    """A short message or video room of the incident; more at `/v1/messages`. Source: A6."""

    message_id: str
    kind: MessageKind
    role: str | None = Field(description="caller or doctor; null for a room.")
    state: MessageState = Field(description="`sent`: the carrier took it, not that anybody read it.")
    created_at: datetime
    sent_at: datetime | None
    last_error: str | None


class IncidentSummary(BaseModel):
    """One line of the list."""

    incident_id: str
    reference: str | None
    state: IncidentState
    source: str
    exercise: bool
    received_at: datetime
    severity: Severity
    escalation: Escalation
    still_since: datetime | None
    closed_at: datetime | None
    outcome: str | None


class IncidentPage(BaseModel):
    """Incidents, newest first."""

    incidents: list[IncidentSummary]
    next_before: str | None = Field(description="Pass as `before` for the next page; null on the last one.")


class IncidentView(IncidentSummary):
    """One call for help and everything that belongs to it: demand, centre, ambulance, volunteers, AED. Source: A2."""

    client: str
    position: LocationView
    floor: int | None
    severity_code: str | None
    personal_data: PersonalDataStatus = Field(
        description="Whether caller, doctor, address and notes are what was sent (shown), or null because the "
        "credentials lack `personal:read` (masked), their time is over (erased), or their key is missing (unreadable)."
    )
    caller: Caller | None
    doctor: Caller | None
    address: str | None
    access_notes: str | None
    notes: str | None
    ambulance: AmbulanceView | None
    patient: list[PatientView] = Field(description="Oldest first.")
    video_guidance: VideoGuidance
    messages: list[MessageLine]
    stages: list[StageView]
    gaps: GapsView
    parties: list[PartyView]
    orders: list[OrderSummary]
    callback_url: str | None
    warnings: list[ReasonView] = Field(
        default_factory=list,
        description="`place_differs`, `places_contradict`: a report or an order with this reference named another place, "
        "which did not become the incident's, or moved it far.",
    )


class IncidentEventView(BaseModel):
    """Something that happened to the incident or to one of its orders."""

    event_id: str
    kind: str
    at: datetime
    order_id: str | None
    order_state: OrderState | None
    flight_id: str | None
    drone_id: str | None
    detail: str
    detail_zh: str
    data: dict[str, Any]


class IncidentEventPage(BaseModel):
    """Events in order."""

    events: list[IncidentEventView]
    next_after: int | None = Field(description="Pass as `after` for the next page; null on the last one.")


class ExchangeView(BaseModel):
    """One message about this incident that left the hub or came in. No content: that has places of its own. G5"""

    at: datetime
    direction: Literal["in", "out"]
    partner: str = Field(description="Who: a client, or the host of a URL.")
    what: str
    state: Literal["taken", "owed", "given_up"]
    taken_at: datetime | None
    attempts: int
    last_error: str | None


class ExchangeList(BaseModel):
    """What was exchanged about the incident, and with whom. Source: G5."""

    exchanges: list[ExchangeView]


class SeverityCodesView(BaseModel):
    """The client's codes and their grades."""

    codes: dict[str, Severity]


class AedView(BaseModel):
    """One flight that carried an AED to this incident."""

    order_id: str
    flight_id: str
    drone_id: str
    landing_point_id: str
    commanded_at: datetime | None = Field(description="null while the flight is only proposed.")
    airborne_at: datetime | None
    aed_on_ground_at: datetime | None
    ended_at: datetime | None
    safe_state: str | None


class HandOverView(BaseModel):
    """What the hospital needs to know of the time before. Source: A18.

    `utstein_2014` has the core elements as far as they were reported; `not_reported` names the others.
    """

    incident_id: str
    reference: str | None
    state: IncidentState
    made_at: datetime
    severity: Severity
    position: LocationView
    floor: int | None
    personal_data: PersonalDataStatus
    stages: list[StageView]
    gaps: GapsView
    ambulance: AmbulanceView | None
    aeds: list[AedView]
    parties: list[PartyView]
    observations: list[PatientView]
    shocks_delivered: int | None = Field(
        description="The largest number reported; null if nobody has, or if personal data is not shown."
    )
    outcome: str | None
    utstein_2014: dict[str, Any] | None = Field(description="null unless personal data is shown.")
    not_reported: list[str]
