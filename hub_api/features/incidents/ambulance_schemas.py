"""Where ambulances are, as centres tell and as the API shows it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hub_api.features.fields import LocationView, Position, Text40
from hub_api.moments import Moment


class AmbulancePositionRequest(BaseModel):
    """Where the ambulance of an incident was at a moment."""

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
                    "at": "2026-03-01T16:05:00+08:00",
                    "unit": "BA-120-07",
                    "eta_at": "2026-03-01T16:11:30+08:00",
                }
            ]
        },
    )

    position: Position
    at: Moment = Field(description="When it was there, not when that was told.")
    unit: Text40 | None = Field(None, description="The centre's name of the vehicle; no person's name.")
    eta_at: Moment | None = Field(None, description="When it is expected at the scene.")


class AmbulancePositionView(BaseModel):
    """The newest known place of an incident's ambulance."""

    incident_id: str
    unit: str | None
    position: LocationView
    at: datetime
    age_s: float = Field(description="Since `at`, by the hub's clock.")
    stale: bool = Field(
        description="Older than `ambulance_stale_s`: it is not there any more, never show it as live."
    )
    eta_at: datetime | None = Field(description="As told with this position, else with the incident.")


class AmbulanceList(BaseModel):
    """Ambulances of open incidents whose place was told."""

    ambulances: list[AmbulancePositionView]
