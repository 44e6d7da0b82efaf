"""The readiness board, and what people and cabinets report for it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub_api.care.model import DoorState
from hub_api.features.fields import Note300, ReasonView, Text80, Text120, Text300
from hub_api.features.stations.schemas import WindView
from hub_api.moments import Moment

Fraction = Annotated[float, Field(ge=0, le=1)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class WhyRequest(_Request):
    """Why a drone is taken out of service or put back."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [{"reason": "propeller nicked, replaced tomorrow · 桨叶有缺口，明日更换"}]
        },
    )

    reason: Text300


class AedRequest(_Request):
    """The AED on a drone's hook. Leave out or send null for what the model does not tell."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "serial": "HS1-A14F-0231",
                    "model": "Philips HS1",
                    "firmware": "7.4",
                    "battery_fraction": 0.92,
                    "pads_expire_on": "2027-08-31",
                    "self_tested_at": "2026-03-01T03:00:00Z",
                    "self_test_passed": True,
                    "self_test_detail": "",
                }
            ]
        },
    )

    serial: Text80
    model: Text80 | None = None
    firmware: Text80 | None = None
    battery_fraction: Fraction | None = None
    pads_expire_on: Annotated[date, Field(strict=False)] | None = Field(
        None, description="Last day on which the pads may be used."
    )
    self_tested_at: Moment | None = Field(
        None, description="RFC 3339 with its offset; goes with `self_test_passed`."
    )
    self_test_passed: bool | None = None
    self_test_detail: Note300 = ""


class DockRequest(_Request):
    """What a station's dock says about itself."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "door": "closed",
                    "mains_power": True,
                    "backup_fraction": 1.0,
                    "charging_drone_ids": ["bao-01"],
                    "temperature_c": 24.5,
                    "measured_at": "2026-03-01T08:00:00Z",
                }
            ]
        },
    )

    door: DoorState = Field(description="open | closed | moving | jammed | unknown")
    mains_power: bool | None = None
    backup_fraction: Fraction | None = Field(None, description="Charge of the backup battery.")
    charging_drone_ids: Annotated[list[Text80], Field(max_length=50)] = Field(default_factory=list)
    temperature_c: Annotated[float, Field(ge=-60, le=90)] | None = None
    measured_at: Moment = Field(description="RFC 3339 with its offset.")


class MaintenanceRuleRequest(_Request):
    """After so many flights, hours in the air or days, whichever comes first; at least one of them."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "name": "Propellers and motor mounts",
                    "name_zh": "桨叶与电机座检查",
                    "every_flights": 50,
                    "every_air_h": 10.0,
                    "every_days": 90,
                    "grounds": True,
                }
            ]
        },
    )

    name: Text120
    name_zh: Text120
    every_flights: Annotated[int, Field(ge=1, le=100_000)] | None = None
    every_air_h: Annotated[float, Field(gt=0, le=100_000)] | None = None
    every_days: Annotated[int, Field(ge=1, le=10_000)] | None = None
    grounds: bool = Field(description="Whether a drone that is over it stays on the ground.")


class MaintenanceRuleView(MaintenanceRuleRequest):
    """A rule in force."""

    airframe_id: str
    rule_id: str
    set_at: datetime


class MaintenanceRuleList(BaseModel):
    """Every rule, by airframe."""

    rules: list[MaintenanceRuleView]


class MaintenanceDoneRequest(_Request):
    """Work was done on a drone."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "rule_id": "propellers",
                    "done_at": "2026-03-01T06:30:00Z",
                    "note": "all six replaced · 六片全部更换",
                }
            ]
        },
    )

    rule_id: Text80
    done_at: Moment = Field(description="RFC 3339 with its offset.")
    note: Note300 = ""


class MaintenanceDoneView(BaseModel):
    """Work that was done, and what the drone had flown by then."""

    drone_id: str
    rule_id: str
    done_at: datetime
    flights_then: int
    air_h_then: float
    by: str
    note: str


class MaintenanceHistory(BaseModel):
    """What was done on a drone, newest first."""

    done: list[MaintenanceDoneView]


class FindingView(BaseModel):
    """Something to know about a drone, its AED, its dock or its maintenance."""

    level: Literal["warn", "block"] = Field(description="block: the drone does not fly because of it.")
    reason: ReasonView


class OutOfServiceView(BaseModel):
    """A person took the drone out."""

    since: datetime
    by: str
    reason: str


class AedReportView(BaseModel):
    """The AED on the drone, as last reported."""

    serial: str
    model: str | None
    firmware: str | None
    battery_fraction: float | None
    pads_expire_on: date | None
    self_tested_at: datetime | None
    self_test_passed: bool | None
    self_test_detail: str
    reported_at: datetime
    reported_by: str


class DueView(BaseModel):
    """Where the drone stands with one rule; what is left is negative once it is over."""

    rule_id: str
    name: str
    name_zh: str
    grounds: bool
    flights_left: int | None
    air_h_left: float | None
    due_on: datetime | None
    last_done_at: datetime | None
    state: Literal["ok", "soon", "overdue"]


class DroneReadinessView(BaseModel):
    """One drone: may it be sent, and if not, why."""

    drone_id: str
    station_id: str
    airframe_id: str
    ready: bool
    not_ready_reasons: list[ReasonView]
    phase: str
    mission_id: str | None
    charge_fraction: float | None
    telemetry_age_s: float | None
    out_of_service: OutOfServiceView | None
    aed: AedReportView | None = Field(description="null: nobody reported it.")
    findings: list[FindingView]
    flights: int = Field(description="Flown in all, by the stored flights.")
    air_h: float
    maintenance: list[DueView]


class DockView(BaseModel):
    """The dock, as last reported."""

    door: DoorState
    mains_power: bool | None
    backup_fraction: float | None
    charging_drone_ids: list[str]
    temperature_c: float | None
    measured_at: datetime
    age_s: float


class StationReadinessView(BaseModel):
    """One station."""

    station_id: str
    name: str
    name_zh: str
    drone_ids: list[str]
    ready_drone_ids: list[str]
    wind: WindView | None = Field(description="null while nothing measured here is known.")
    dock: DockView | None = Field(description="null: the dock never reported.")
    findings: list[FindingView]


class AuthorisationReadinessView(BaseModel):
    """An airspace approval and how long it still holds."""

    authorisation_id: str
    authority: str
    number: str
    zone_ids: list[str]
    valid_from: datetime
    valid_until: datetime
    state: Literal["not_yet", "valid", "ends_soon", "ended", "revoked"] = Field(
        description="ends_soon: within 14 days."
    )
    revoked_reason: str | None


class ReadinessBoard(BaseModel):
    """Everything that waits on the ground."""

    at: datetime
    site_id: str
    name: str
    name_zh: str
    demo: bool = Field(description="Demo mode: nothing here is real.")
    drones_ready: int
    drones_out_of_service: int
    drones: list[DroneReadinessView]
    stations: list[StationReadinessView]
    authorisations: list[AuthorisationReadinessView]
