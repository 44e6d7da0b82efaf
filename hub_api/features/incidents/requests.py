"""What a centre sends about incidents. Requests are strict: nothing is guessed, nothing unknown is swallowed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from hub_api.dispatch.guidance import VideoGuidance
from hub_api.dispatch.incident_states import Escalation, Outcome, PartyKind, PartyRole, PartyState, Stage
from hub_api.features.fields import (
    CallbackUrl,
    Caller,
    Floor,
    OptionalSeverity,
    Position,
    Severity,
    Text40,
    Text80,
    Text120,
    Text300,
    Text2000,
)
from hub_api.moments import Moment


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _word(kind: type[StrEnum]) -> BeforeValidator:
    """JSON knows words, not members: strict models would refuse them, and not say which words there are."""

    def convert(value: object) -> object:
        if isinstance(value, kind):
            return value
        if isinstance(value, str) and value in set(kind):
            return kind(value)
        raise PydanticKnownError("enum", {"expected": ", ".join(repr(str(word)) for word in kind)})

    return BeforeValidator(convert)


class Ambulance(_Request):
    """The ambulance, as far as the centre tells. It was sent before anything is told here. Source: A4."""

    unit: Text40 | None = Field(None, description="The centre's name of the vehicle; no person's name.")
    status: Text40 | None = Field(None, description="The centre's own word.")
    dispatched_at: Moment | None = None
    eta_at: Moment | None = Field(None, description="When it is expected at the scene.")
    on_scene_at: Moment | None = None


class PatientState(_Request):
    """How the patient is. Everything may be left out; nothing is filled in. Sealed at rest as a whole."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "at": "2026-03-01T16:02:10+08:00",
                    "source": "caller",
                    "conscious": "no",
                    "breathing": "none",
                    "cpr_in_progress": True,
                }
            ]
        },
    )

    at: Moment = Field(description="The moment of the observation, not of the report.")
    source: Literal["caller", "dispatcher", "bystander", "volunteer", "crew", "aed", "hospital"]
    conscious: Literal["yes", "no", "unknown"] | None = None
    breathing: Literal["normal", "abnormal", "none", "unknown"] | None = None
    cpr_in_progress: bool | None = Field(None, description="Somebody compresses the chest: first hands. A10")
    aed_attached: bool | None = None
    shocks_delivered: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="All shocks so far."
    )
    rhythm: (
        Literal[
            "vf",
            "pulseless_vt",
            "asystole",
            "pea",
            "bradycardia",
            "aed_shockable",
            "aed_not_shockable",
            "unknown",
        ]
        | None
    ) = None
    circulation_returned: bool | None = Field(None, description="Return of spontaneous circulation (ROSC).")
    age_years: Annotated[int, Field(ge=0, le=130)] | None = None
    sex: Literal["male", "female", "unknown"] | None = None
    note: Text2000 | None = None


class _Known(_Request):
    """What may be known of an incident, at the first report and at each later one."""

    floor: Floor | None = Field(
        None, description="As floors count in China: 1 is street level, -1 the first basement."
    )
    address: Text300 | None = Field(None, description="In words, for people. Personal data.")
    access_notes: Text2000 | None = Field(None, description="How to get in: gate, code, lift. Personal data.")
    notes: Text2000 | None = Field(None, description="What people on site should know. Personal data.")
    severity: OptionalSeverity = Field(None, description="I 濒危, II 危重, III 急症, IV 非急症.")
    severity_code: Text40 | None = Field(
        None, description="The centre's own code, mapped by PUT /v1/severity-codes; unmapped: 422."
    )
    caller: Caller | None = Field(None, description="Personal data.")
    doctor: Caller | None = Field(
        None, description="The doctor who goes out, for the video link. Personal data. Source: A6"
    )
    called_at: Moment | None = Field(
        None,
        description="报警: when the call began. Only the centre knows; never taken from the arrival here.",
    )
    ambulance: Ambulance | None = None
    video_guidance: Annotated[VideoGuidance, _word(VideoGuidance)] | None = Field(
        None,
        description="Whether caller and doctor get a video link; without it the severity decides (A5, A6).",
    )
    callback_url: CallbackUrl | None = Field(
        None, description="Everything that happens to the incident is posted here, signed, in order."
    )


class IncidentRequest(_Known):
    """«A call came in.» A reference that is open already is joined: what is sent is added to it."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "reference": "BA-120-2026-000777",
                    "position": {
                        "reference_system": "GCJ-02",
                        "latitude_deg": 22.5792,
                        "longitude_deg": 113.8876,
                    },
                    "floor": 3,
                    "address": "宝安区新安街道示例路1号2栋301",
                    "access_notes": "北门进，电梯需刷卡，物业已通知",
                    "severity": "I",
                    "caller": {"name": "李女士", "phone": "13800000000"},
                    "called_at": "2026-03-01T16:01:40+08:00",
                    "ambulance": {
                        "unit": "BA-07",
                        "dispatched_at": "2026-03-01T16:02:00+08:00",
                        "eta_at": "2026-03-01T16:11:00+08:00",
                    },
                    "patient": {
                        "at": "2026-03-01T16:02:10+08:00",
                        "source": "caller",
                        "conscious": "no",
                        "breathing": "none",
                    },
                }
            ]
        },
    )

    position: Position
    reference: Text80 | None = Field(None, description="The centre's own number of the incident.")
    patient: PatientState | None = None
    exercise: bool = Field(False, description="A drill: never mixed with the real ones, left out of reports.")


class IncidentChange(_Known):
    """What is newly known: only the fields that are sent change, null takes one away."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [{"ambulance": {"unit": "BA-07", "eta_at": "2026-03-01T16:10:00+08:00"}, "floor": 4}]
        },
    )

    position: Position | None = Field(
        None, description="Refused (409) while an order is open: move the order, the drone must hear of it."
    )


class IncidentOrderRequest(_Request):
    """An AED to this incident's place, with its severity, floor, caller and notes."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"separate": False}]}
    )

    separate: bool = Field(
        False,
        description="For another patient of the incident, or in place of an AED of no use: never merged.",
    )
    callback_url: CallbackUrl | None = Field(
        None, description="For this order alone; the incident's own URL hears of it anyway."
    )


class StageRequest(_Request):
    """A stage was reached. Each is reached once; another moment is a correction and needs its reason. Source: B1."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"stage": "rescued", "at": "2026-03-01T16:06:20+08:00"}]},
    )

    stage: Annotated[Stage, _word(Stage)] = Field(
        description="call 报警, located 定位, dispatched 派单, guided 指导, rescued 救援, feedback 反馈."
    )
    at: Moment
    correction_reason: Text300 | None = None


class EscalateRequest(_Request):
    """Call out more help: volunteers, an AED on the ground, an AED by drone. Never less than before. Source: A7."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"level": "volunteers", "reason": "心脏骤停，附近有志愿者"}]},
    )

    level: Annotated[Escalation, _word(Escalation)] = Field(
        description="`drone_aed` places an order for this incident; the others are told to whoever listens."
    )
    reason: Text300


class PartyRequest(_Request):
    """Somebody who takes part, and how far they got. Source: A12, A15, A16, A19."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "kind": "volunteer",
                    "role": "cpr",
                    "state": "arrived",
                    "at": "2026-03-01T16:05:50+08:00",
                    "name": "王先生",
                }
            ]
        },
    )

    kind: Annotated[PartyKind, _word(PartyKind)]
    role: Annotated[PartyRole, _word(PartyRole)] | None = None
    state: Annotated[PartyState, _word(PartyState)] = Field(
        description="`treating` means hands on the patient: the gap «call to first hands» ends."
    )
    at: Moment = Field(description="When this state was reached.")
    eta_at: Moment | None = None
    name: Text80 | None = Field(None, description="Personal data.")
    phone: Text40 | None = Field(None, description="Personal data.")
    callback_url: CallbackUrl | None = Field(
        None,
        description="This party's own system hears of the incident too, e.g. the police (A19): signed, no "
        "personal data.",
    )


class Utstein(_Request):
    """What became of the patient, in the core elements of the Utstein template of 2014 (out of hospital).

    Everything may be left out; what is not reported stays «not reported». Sealed at rest.
    """

    dispatcher_identified_cardiac_arrest: bool | None = None
    dispatcher_cpr_instructions: bool | None = None
    age_years: Annotated[int, Field(ge=0, le=130)] | None = None
    sex: Literal["male", "female", "unknown"] | None = None
    arrest_witnessed_by: Literal["bystander", "ems", "nobody", "unknown"] | None = None
    arrest_location: (
        Literal[
            "home",
            "work",
            "sport",
            "street",
            "public_building",
            "assisted_living",
            "education",
            "other",
            "unknown",
        ]
        | None
    ) = None
    bystander_cpr: Literal["none", "compression_only", "compression_and_ventilation", "unknown"] | None = None
    bystander_aed: Literal["not_used", "analysed_no_shock", "shock_delivered", "unknown"] | None = None
    first_monitored_rhythm: (
        Literal[
            "vf",
            "pulseless_vt",
            "asystole",
            "pea",
            "bradycardia",
            "aed_shockable",
            "aed_not_shockable",
            "unknown",
        ]
        | None
    ) = None
    pathogenesis: (
        Literal["medical", "trauma", "overdose", "drowning", "electrocution", "asphyxia", "unknown"] | None
    ) = None
    first_shock_at: Moment | None = None
    circulation_returned: bool | None = Field(None, description="Any return of spontaneous circulation.")
    circulation_returned_at: Moment | None = None
    survived_event: bool | None = None
    transported_to: Text120 | None = Field(None, description="The hospital.")
    survived_to_discharge_or_30_days: bool | None = None
    cerebral_performance_category: Annotated[int, Field(ge=1, le=5)] | None = None


class CloseRequest(_Request):
    """How it ended. Every order must be over, or its AED on the ground. Source: A18."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "outcome": "handed_over",
                    "utstein": {
                        "arrest_witnessed_by": "bystander",
                        "bystander_cpr": "compression_only",
                        "bystander_aed": "shock_delivered",
                        "circulation_returned": True,
                        "transported_to": "宝安区人民医院",
                    },
                }
            ]
        },
    )

    outcome: Annotated[
        Literal[
            Outcome.HANDED_OVER,
            Outcome.TREATED_ON_SCENE,
            Outcome.NO_PATIENT_FOUND,
            Outcome.FALSE_ALARM,
            Outcome.CANCELLED,
            Outcome.OTHER,
        ],
        _word(Outcome),
    ]
    utstein: Utstein | None = None


_CODE = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]


class SeverityCodes(_Request):
    """What each of the centre's own codes means. The whole table: codes left out are not mapped any more."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"codes": {"9-E-1": "I", "10-D-4": "II", "26-A-1": "IV"}}]},
    )

    codes: Annotated[dict[_CODE, Severity], Field(max_length=5000)]
