"""What a centre or an operator gets back about an order. Numbers carry their unit in their name."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import (
    BaseModel,
    Field,
)

from hub_api.dispatch.order_states import OrderState
from hub_api.features.fields import Caller, LocationView, ModeName, ReasonView, Severity


class CandidateView(BaseModel):
    """One drone for one landing point, and what speaks for or against it."""

    station_id: str
    drone_id: str
    landing_point_id: str
    verdict: Literal["chosen", "possible", "refused"]
    reasons: list[ReasonView]
    time_to_patient_s: float | None = Field(
        description="Planned, walk from the landing point and floors included; null where no plan was made."
    )
    least_time_to_patient_s: float | None = Field(
        description="Lower bound; null where the combination was out before planning."
    )
    ahead_of_ambulance_s: float | None = Field(
        None,
        description="By the planned time; negative: after the ambulance. null where either is not known.",
    )


class PlaceView(BaseModel):
    """A station or landing point by name; WGS-84."""

    id: str
    name: str
    name_zh: str
    latitude_deg: float
    longitude_deg: float
    position_quality: str


class EtaView(BaseModel):
    """Planned times, as seconds from the decision and as moments."""

    aed_on_ground_s: float
    patient_s: float
    drone_home_s: float
    aed_on_ground_at: datetime
    patient_at: datetime
    drone_home_at: datetime


class BenefitView(BaseModel):
    """What the flight is worth against waiting for the ambulance. Decide by minutes; the probabilities only rank."""

    ahead_s: float = Field(description="AED at the patient before the ambulance; negative: after it.")
    model: str = Field(description="Survival model by name (setting `survival_model`).")
    source: str
    population: str
    survival_with_drone: float | None = Field(description="null where the model needs a time nobody told.")
    survival_without: float | None
    extrapolates: bool = Field(description="Whether the times are longer than the model is trusted for.")
    unknown: ReasonView | None
    caution: str
    caution_zh: str


class ApprovalView(BaseModel):
    """The newest request for an approval."""

    flight_id: str
    asked_at: datetime
    level: int = Field(description="Alarms so far; 0: only the first in the chain was asked.")
    recipient: str = Field(description="Who was asked last: `role:…` or `account:…`.")
    next_alarm_at: datetime | None = Field(description="null once it is answered.")
    answer: Literal["approved", "refused", "launched", "declined", "expired", "withdrawn"] | None = Field(
        description="launched, declined, expired: by policy, nobody answered. withdrawn: the flight was off before."
    )
    answered_at: datetime | None
    answered_by: str | None
    reason: str | None


class DecisionView(BaseModel):
    """What was decided and on what grounds."""

    outcome: Literal["accepted", "declined"]
    decided_at: datetime
    drone_id: str | None = None
    station: PlaceView | None = None
    landing_point: PlaceView | None = None
    flight_id: str | None = None
    delivery_method: str | None = None
    eta: EtaView | None = None
    benefit: BenefitView | None = Field(
        None, description="null where the ambulance's arrival is not known or no plan was found."
    )
    conditions: list[str] = Field(default_factory=list)
    conditions_zh: list[str] = Field(
        default_factory=list,
        description="The same in Chinese, one for one; what an authority wrote stays as it was written.",
    )
    warnings: list[ReasonView] = Field(
        default_factory=list, description="What forecasts say against the flight; it flies all the same."
    )
    authorisation_ids: list[str] = Field(default_factory=list)
    airspace_version: str | None = Field(
        None, description="null where the airspace was not needed to decline."
    )
    reasons: list[ReasonView] = Field(description="Why it was declined; empty if accepted.")
    candidates: list[CandidateView] = Field(
        description="Candidates with their reasons: those that could fly, best first, then those refused, nearest "
        "to the patient first; at most 200 of `candidates_total`."
    )
    candidates_total: int = Field(description="Every drone × landing point that was looked at.")
    refusals: dict[str, int] = Field(
        default_factory=dict, description="Reasons of every refused candidate, counted by their word."
    )


class FlightView(BaseModel):
    """One flight of the order. An order has several when a drone had to be replaced."""

    flight_id: str
    attempt: int
    drone_id: str
    station_id: str
    landing_point_id: str
    phase: str | None
    drill: bool
    commanded_at: datetime | None = Field(description="null while, or if, the flight was only proposed.")
    accepted_at: datetime | None
    airborne_at: datetime | None
    aed_on_ground_at: datetime | None
    lost_at: datetime | None = Field(description="When it became clear that this flight will not deliver.")
    ended_at: datetime | None
    safe_state: str | None = Field(description="How the flight ended; null while it is open.")
    end_reason: str | None
    withdrawn: str | None = Field(
        description="Why the hub itself took the flight back, e.g. plan_outdated, patient_moved, pre_empted."
    )


class LiveView(BaseModel):
    """The flying drone right now; WGS-84."""

    flight_id: str
    drone_id: str
    at: datetime
    phase: str
    latitude_deg: float | None
    longitude_deg: float | None
    height_above_home_m: float | None
    eta_s: float | None = Field(
        description="To the AED on the ground before the release, to the pad after it."
    )
    telemetry_age_s: float


class CallbackView(BaseModel):
    """Whether the callback URL took the updates."""

    url: str = Field(description="Whole for its own client; for others the host alone.")
    delivered: int
    pending: int
    failed: int
    last_error: str | None


class OrderView(BaseModel):
    """An order and everything that is known about it."""

    order_id: str
    incident_id: str | None = Field(description="null only for orders of a release before incidents.")
    state: OrderState
    mode: ModeName
    drill: bool
    merged_into: str | None = Field(
        description="The order whose mission serves this one; `decision`, `flights` and `live` are that one's."
    )
    merged_orders: int = Field(description="How many other orders the mission of this one serves.")
    mission_state: OrderState = Field(
        description="State of the order whose mission serves this one, or its own."
    )
    withdrawn_at: datetime | None = Field(
        description="When its centre cancelled it; its drone flies on for the orders merged into it."
    )
    waiting_until: datetime | None = Field(
        description="In state WAITING: when it is given up if no other drone has become ready; else null."
    )
    received_at: datetime
    position: LocationView
    severity: Severity
    severity_code: str | None
    floor: int | None
    notes: str | None
    incident_reference: str | None
    caller: Caller | None
    personal_data: Literal["shown", "masked", "erased", "unreadable"] = Field(
        description="Whether `caller` and `notes` are what was sent (shown), or null because the credentials lack "
        "`personal:read` (masked), their time is over (erased), or their key is missing (unreadable)."
    )
    ambulance_eta_at: datetime | None
    decision: DecisionView | None = Field(description="null only while the decision is being made.")
    approval: ApprovalView | None = Field(description="null unless a person was asked.")
    decided_at: datetime | None
    airborne_at: datetime | None
    aed_on_ground_at: datetime | None
    finished_at: datetime | None
    flights: list[FlightView]
    live: LiveView | None = Field(description="null unless a drone of this order is reporting.")
    callback: CallbackView | None
    warnings: list[ReasonView] = Field(
        default_factory=list,
        description="`place_differs`, `places_contradict`: somebody named another place for this order's incident; "
        "whether the drone has to move is for people to say.",
    )


class OrderSummary(BaseModel):
    """One line of the list."""

    order_id: str
    incident_id: str | None
    state: OrderState
    mode: ModeName
    drill: bool
    merged_into: str | None
    received_at: datetime
    severity: Severity
    incident_reference: str | None
    outcome: Literal["accepted", "declined"] | None
    drone_id: str | None
    aed_on_ground_at: datetime | None
    finished_at: datetime | None


class OrderPage(BaseModel):
    """Orders, newest first."""

    orders: list[OrderSummary]
    next_before: str | None = Field(description="Pass as `before` for the next page; null on the last one.")


class OrderEventView(BaseModel):
    """One event of an order's stream; its id is the position for `Last-Event-ID`."""

    event_id: str
    kind: str
    at: datetime
    state: OrderState | None
    detail: str
    detail_zh: str
    flight_id: str | None
    drone_id: str | None
    drill: bool
    data: dict[str, Any]
