"""What an emergency centre sends and gets back.

Requests are strict: nothing is guessed, nothing unknown is swallowed, a position without its
reference system is refused. Numbers carry their unit in their name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    UrlConstraints,
    WithJsonSchema,
)

from hub_api.dispatch.order_states import OrderState
from hub_api.moments import Moment

ReferenceSystemName = Literal["GCJ-02", "BD-09", "WGS-84"]
Severity = Literal["I", "II", "III", "IV"]
ModeName = Literal["automatic", "approve", "drill"]


def _no_control_characters(text: str) -> str:
    for character in text:
        if (ord(character) < 32 and character not in "\n\t") or 0xD800 <= ord(character) <= 0xDFFF:
            raise ValueError("control characters are not allowed")
    return text


def _not_ground_zero(floor: int) -> int:
    if floor == 0:
        raise ValueError("floors count as in China: 1 is street level, -1 the first basement; 0 is no floor")
    return floor


def refuse_control_characters(value: object) -> None:
    """``ValueError`` for a text anywhere in a JSON value that holds one."""
    if isinstance(value, str):
        _no_control_characters(value)
    elif isinstance(value, dict):
        for name, item in value.items():
            _no_control_characters(name)
            refuse_control_characters(item)
    elif isinstance(value, list):
        for item in value:
            refuse_control_characters(item)


_Clean = AfterValidator(_no_control_characters)
Text40 = Annotated[str, Field(min_length=1, max_length=40), _Clean]
Text80 = Annotated[str, Field(min_length=1, max_length=80), _Clean]
Text120 = Annotated[str, Field(min_length=1, max_length=120), _Clean]
Text300 = Annotated[str, Field(min_length=1, max_length=300), _Clean]
Note300 = Annotated[str, Field(max_length=300), _Clean]
Note500 = Annotated[str, Field(max_length=500), _Clean]
Text500 = Annotated[str, Field(min_length=1, max_length=500), _Clean]
Text2000 = Annotated[str, Field(max_length=2000), _Clean]


CallbackUrl = Annotated[
    AnyUrl, UrlConstraints(max_length=2000, allowed_schemes=["http", "https"], host_required=True)
]


Floor = Annotated[int, Field(ge=-20, le=200), AfterValidator(_not_ground_zero)]
OptionalSeverity = Annotated[
    Severity | None, WithJsonSchema({"type": "string", "enum": ["I", "II", "III", "IV"]})
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Position(_Request):
    """A position that names its reference system. Chinese maps deliver GCJ-02 or BD-09, GNSS WGS-84;
    the offset is up to 600 m, so it is never guessed."""

    reference_system: ReferenceSystemName = Field(description="GCJ-02 | BD-09 | WGS-84")
    latitude_deg: float = Field(ge=-90, le=90, examples=[22.5567])
    longitude_deg: float = Field(ge=-180, le=180, examples=[113.8889])


class Caller(_Request):
    """Who called, if the centre wants the hub to know. Personal data: shown only to its own client."""

    name: Text80 | None = None
    phone: Text40 | None = None


class OrderRequest(_Request):
    """«Bring an AED to this patient.»"""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "position": {
                        "reference_system": "GCJ-02",
                        "latitude_deg": 22.5792,
                        "longitude_deg": 113.8876,
                    },
                    "severity": "I",
                    "floor": 3,
                    "notes": "男，58岁，无意识无呼吸，现场有人做心肺复苏",
                    "incident_reference": "BA-120-2026-000123",
                    "caller": {"name": "李女士", "phone": "13800000000"},
                    "callback_url": "https://dispatch.example/drone-aed/updates",
                }
            ]
        },
    )

    position: Position
    severity: OptionalSeverity = Field(
        None,
        description="Triage level of the Chinese emergency standard: I 濒危, II 危重, III 急症, IV 非急症. "
        "Required, unless `severity_code` says it.",
    )
    severity_code: Text40 | None = Field(
        None,
        description="The centre's own code, mapped to a grade by PUT /v1/severity-codes; unmapped: 422.",
    )
    floor: Floor | None = Field(
        None, description="As floors count in China: 1 is street level, -1 the first basement."
    )
    notes: Text2000 | None = Field(None, description="What the centre wants people on site to know.")
    incident_reference: Text80 | None = Field(None, description="The centre's own number of the incident.")
    incident_id: str | None = Field(
        None,
        pattern=r"^inc_[0-9A-HJKMNP-TV-Z]{26}$",
        description="The incident here that it belongs to; without it that of `incident_reference`, or a new one.",
    )
    separate: bool = Field(
        False,
        description="For another patient than orders nearby or of the same incident, or in place of an AED of no use: "
        "never merged with another order.",
    )
    called_at: Moment | None = Field(
        None, description="报警: when the call began, if the centre tells (B1, A10)."
    )
    caller: Caller | None = None
    callback_url: CallbackUrl | None = Field(
        None, description="Every change of the order's state is posted here, in order, until it is taken."
    )
    mode: ModeName | None = Field(
        None,
        description="automatic | approve (a person lets each flight go) | drill (nobody is in need; flagged everywhere). "
        "Default: the client's policy, and never less caution than that (422).",
    )
    ambulance_eta_at: Moment | None = Field(
        None,
        description="When the ambulance is expected at the patient, with its offset from UTC. The decision then shows "
        "what the drone is worth.",
        examples=["2026-03-01T16:09:00+08:00"],
    )


class CancelRequest(_Request):
    """Why the order is not needed any more."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"reason": "ambulance on scene · 救护车已到场"}]},
    )

    reason: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_no_control_characters)] = (
        Field(examples=["ambulance on scene · 救护车已到场"])
    )


class PositionRequest(_Request):
    """Where the patient is now."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "position": {
                        "reference_system": "GCJ-02",
                        "latitude_deg": 22.5801,
                        "longitude_deg": 113.8902,
                    },
                    "floor": 1,
                    "reason": "the caller was at the other gate · 报警人在另一侧大门",
                }
            ]
        },
    )

    position: Position
    floor: Annotated[int, Field(ge=-20, le=200), AfterValidator(_not_ground_zero)] | None = Field(
        None, description="Of the new place; the old one's is not carried over."
    )
    reason: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_no_control_characters)]


class ApproveRequest(_Request):
    """Which flight is let go."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"flight_id": "flt_01KJM6JM008GQ741755PS246JR"}]},
    )

    flight_id: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="`decision.flight_id` as the person saw it: if another flight is proposed meanwhile, 409."
    )


class RefuseRequest(_Request):
    """Why the proposed flight does not go."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"reason": "thunderstorm over the site · 现场上空有雷暴"}]},
    )

    reason: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_no_control_characters)]
    flight_id: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="Refuse only if this flight is still the proposed one."
    )


class SplitRequest(_Request):
    """Why two orders are not for one patient."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"reason": "现场有两名患者"}]}
    )

    reason: Text300


class ReasonView(BaseModel):
    """A machine-readable word and a sentence in English and Chinese."""

    code: str
    detail: str
    detail_zh: str


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


class LocationView(BaseModel):
    """Where the patient is, as sent and in WGS-84."""

    reference_system: ReferenceSystemName
    latitude_deg: float
    longitude_deg: float
    wgs84_latitude_deg: float
    wgs84_longitude_deg: float


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
