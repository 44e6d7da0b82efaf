"""Flights as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from flight.model.phases import SafeState
from hub_api.dispatch.order_states import OrderState
from hub_api.features.fields import Severity, Text80, Text300
from hub_api.features.orders.schemas import FlightView, OrderEventView
from hub_api.features.zones.schemas import ZoneFeature


class CloseFlightRequest(BaseModel):
    """Where a person found the drone."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "safe_state": "landed_elsewhere",
                    "reason": "found in the park, battery removed · 在公园找到，已取下电池",
                    "confirmed_by": "王工",
                }
            ]
        },
    )

    safe_state: SafeState = Field(strict=False, description="How the flight really ended.")
    reason: Text300
    confirmed_by: Text80 = Field(description="Who saw it.")


class FlightLineView(FlightView):
    """One flight of the list."""

    order_id: str
    severity: Severity
    incident_reference: str | None
    outcome: Literal["open", "delivered", "not_delivered", "never_left_ground"]
    air_s: float | None = Field(description="Seconds in the air; null while it is open or never flew.")


class FlightPage(BaseModel):
    """Flights, newest first."""

    flights: list[FlightLineView]
    next_before: str | None = Field(description="Pass as `before` for the next page; null on the last one.")


class RecordFileView(BaseModel):
    """A file that can be downloaded."""

    name: Literal["tlog", "kml", "report.pdf"]
    url: str
    size_bytes: int | None = Field(description="null for the report, which is made when it is asked for.")


class RecordView(BaseModel):
    """Whether the flight's own record (track, `.tlog`) can be had from this hub."""

    status: Literal["complete", "recording", "not_here"] = Field(
        description="recording: the flight goes on, or its readable files are not written yet. not_here: the drone was "
        "flown by a process or host whose records this hub cannot read; ask there."
    )
    files: list[RecordFileView]


class PlannedView(BaseModel):
    """What the plan promised; seconds, metres, watt-hours."""

    plan_id: str
    airframe_id: str
    delivery_method: str
    airspace_version: str
    terrain: str
    authorisation_ids: list[str]
    conditions: list[str]
    alternate_ids: list[str]
    route_m: float = Field(description="Way out and way back.")
    highest_amsl_m: float
    time_to_aed_on_ground_s: float
    time_to_patient_s: float
    total_s: float
    energy_wh: float
    energy_usable_wh: float
    wind_from_deg: float
    wind_speed_m_s: float
    created_at: datetime


class FlightRecordView(FlightLineView):
    """One flight with what was planned and what can be looked at."""

    order_state: OrderState
    received_at: datetime = Field(description="When its order came.")
    planned: PlannedView
    record: RecordView


class FlightPlanView(BaseModel):
    """The plan as GeoJSON (FeatureCollection with foreign members), and the zones around it.

    Features have a `kind`: `outbound`, `inbound`, `retrace`, `transfer-N`, `home-N` (ways, metres AMSL),
    `autopilot_fence` (the corridor), `home`, `delivery`, `alternate`, `rally`.
    """

    type: Literal["FeatureCollection"] = "FeatureCollection"
    properties: dict[str, Any]
    features: list[dict[str, Any]]
    plan_number: int = Field(description="1 for the plan at take-off, more after each re-route.")
    plan_count: int = Field(
        description="How many plans the flight followed, as far as its record is here; else 1."
    )
    zones: list[ZoneFeature] = Field(description="Zones within 2 km of the plan.")
    zones_version: str = Field(description="The airspace version that `zones` are taken from.")
    zones_as_planned: bool = Field(
        description="Whether that is the version the plan was made in. If false the airspace has changed since, and "
        "`zones` are today's."
    )


class PhaseMark(BaseModel):
    """When a phase began, in seconds after `started_at`."""

    t_s: float
    phase: str


class TrackSummaryView(BaseModel):
    """Of the whole track, however many samples are shown; null where the vehicle did not say."""

    flown_m: float
    highest_m: float | None = Field(description="Above the pad.")
    fastest_m_s: float | None = Field(description="Over ground.")
    least_charge_fraction: float | None
    longest_silence_s: float | None = Field(description="Longest time without a word from the vehicle.")


class TrackView(BaseModel):
    """A flight as time series: every list has one entry for each entry of `t_s`. WGS-84, metres, degrees."""

    flight_id: str
    started_at: datetime | None = Field(
        description="The moment that `t_s` counts from; null without samples."
    )
    complete: bool = Field(description="False while the flight is open: more will come.")
    samples_recorded: int
    every_s: float
    summary: TrackSummaryView
    phases: list[PhaseMark]
    t_s: list[float]
    latitude_deg: list[float]
    longitude_deg: list[float]
    altitude_amsl_m: list[float | None]
    height_above_home_m: list[float | None]
    ground_speed_m_s: list[float | None]
    climb_rate_m_s: list[float | None]
    heading_deg: list[float | None]
    charge_fraction: list[float | None]
    battery_voltage_v: list[float | None]
    line_length_m: list[float | None]
    wind_from_deg: list[float | None]
    wind_speed_m_s: list[float | None]
    link_age_s: list[float | None]
    eta_s: list[float | None]
    phase: list[str]


class FlightEventPage(BaseModel):
    """What happened on the flight, in order."""

    events: list[OrderEventView]
    next_after: str | None = Field(description="Pass as `after` for the next page; null on the last one.")
