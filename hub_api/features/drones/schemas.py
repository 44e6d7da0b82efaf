"""Drones as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub_api.dispatch.commander import FlightCommandKind
from hub_api.dispatch.refuges import PlaceKind
from hub_api.features.fields import ReasonView, Text80, Text300


class CheckView(BaseModel):
    """One readiness check of the drone."""

    check: str
    level: str = Field(description="ok | warn | block")
    code: str
    detail: str
    detail_zh: str


class TelemetryView(BaseModel):
    """The drone's last words; null where it has not said it. WGS-84, metres, degrees, seconds."""

    at: datetime
    age_s: float = Field(description="Since the vehicle was last heard, both links added up.")
    flight_id: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    altitude_amsl_m: float | None
    height_above_home_m: float | None
    velocity_east_m_s: float | None
    velocity_north_m_s: float | None
    velocity_up_m_s: float | None
    heading_deg: float | None
    battery_voltage_v: float | None
    mode: str | None
    armed: bool | None
    eta_s: float | None
    line_length_m: float | None = Field(description="Of the winch, paid out.")
    wind_from_deg: float | None = Field(description="As the vehicle estimates it in the air.")
    wind_speed_m_s: float | None
    link_age_s: float | None = Field(description="Silence between vehicle and agent when this was said.")


class CommandOptionView(BaseModel):
    """A command, and whether the drone's phase allows it."""

    command: FlightCommandKind
    allowed: bool
    refused: ReasonView | None = Field(
        description="Why not; null if allowed. The drone has the last word: it knows more than its phase."
    )


class DroneLiveView(BaseModel):
    """One drone right now."""

    drone_id: str
    station_id: str
    airframe_id: str
    ready: bool = Field(description="Whether the next order could be given to it.")
    not_ready_reasons: list[ReasonView]
    phase: str
    mission_id: str | None = Field(description="The mission that has it; null if it is free.")
    charge_fraction: float | None
    checks: list[CheckView]
    checked_at: datetime | None
    telemetry: TelemetryView | None
    commands: list[CommandOptionView] = Field(description="What `POST …/commands` would be answered now.")


class DroneList(BaseModel):
    """Every drone of the site."""

    drones: list[DroneLiveView]


class DivertTo(BaseModel):
    """A place of `GET /v1/drones/{drone_id}/diversions`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: PlaceKind = Field(
        description="rally_point, station, emergency_site: the drone lands there, with the AED if it still has it. "
        "landing_point: the AED is delivered there."
    )
    id: str = Field(
        min_length=1, max_length=80, description="Of a rally point its number in the plan, from 0."
    )


class DiversionPlaceView(BaseModel):
    """One place that the flight may be sent to. WGS-84."""

    kind: PlaceKind
    id: str
    name: str
    name_zh: str
    latitude_deg: float
    longitude_deg: float
    delivers: bool = Field(description="True: the AED is delivered there; false: the drone lands there.")
    away_m: float | None = Field(
        description="Straight, from where the drone was last heard; null if not known."
    )
    refused: ReasonView | None = Field(
        description="What is known against it before the planner is asked; null: the planner decides."
    )


class DiversionPlaces(BaseModel):
    """Where a drone's flight may be sent instead; to land first, then to deliver, each the nearest first."""

    drone_id: str
    flight_id: str
    places: list[DiversionPlaceView]


class FlightCommandRequest(BaseModel):
    """A command to the flight that a drone is on."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"command": "return_home", "reason": "thunderstorm · 雷暴接近"}]},
    )

    command: FlightCommandKind = Field(
        description="abort_flight | return_home | hold_flight | continue_flight | divert_flight | land_now. "
        "`land_now` lands wherever the drone is: the last resort. `divert_flight` without `to`: the autopilot flies "
        "straight to the nearest rally point at once."
    )
    reason: Text300
    to: DivertTo | None = Field(
        default=None,
        description="Of `divert_flight`: the place to land or deliver at. The planner has to prove the way; else refused.",
    )

    @model_validator(mode="after")
    def _only_to_divert(self) -> FlightCommandRequest:
        if self.to is not None and self.command != "divert_flight":
            raise ValueError("only divert_flight goes to a place · 只有 divert_flight 可以指定地点")
        return self


class AedLoadedRequest(BaseModel):
    """A person hung an AED on the drone's hook."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"confirmed_by": "王工"}]}
    )

    confirmed_by: Text80


class CommandView(BaseModel):
    """What the drone said to a command."""

    command_id: str
    outcome: Literal["accepted", "refused", "pending"] = Field(
        description="pending: no answer within 5 s; the command is sent again until it is answered."
    )
    reasons: list[ReasonView]
