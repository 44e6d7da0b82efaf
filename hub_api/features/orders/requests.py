"""What a centre or an operator sends about an order."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    ConfigDict,
    Field,
)

from hub_api.features.fields import (
    CallbackUrl,
    Caller,
    Floor,
    ModeName,
    OptionalSeverity,
    Position,
    StrictRequest,
    Text40,
    Text80,
    Text300,
    Text2000,
)
from hub_api.moments import Moment


class OrderRequest(StrictRequest):
    """«Bring an AED to this patient.»"""

    model_config = ConfigDict(
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


class CancelRequest(StrictRequest):
    """Why the order is not needed any more."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "ambulance on scene · 救护车已到场"}]},
    )

    reason: Text300 = Field(examples=["ambulance on scene · 救护车已到场"])


class PositionRequest(StrictRequest):
    """Where the patient is now."""

    model_config = ConfigDict(
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
    floor: Floor | None = Field(None, description="Of the new place; the old one's is not carried over.")
    reason: Text300


class ApproveRequest(StrictRequest):
    """Which flight is let go."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"flight_id": "flt_01KJM6JM008GQ741755PS246JR"}]},
    )

    flight_id: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="`decision.flight_id` as the person saw it: if another flight is proposed meanwhile, 409."
    )


class RefuseRequest(StrictRequest):
    """Why the proposed flight does not go."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "thunderstorm over the site · 现场上空有雷暴"}]},
    )

    reason: Text300
    flight_id: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="Refuse only if this flight is still the proposed one."
    )


class SplitRequest(StrictRequest):
    """Why two orders are not for one patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "现场有两名患者"}]})

    reason: Text300
