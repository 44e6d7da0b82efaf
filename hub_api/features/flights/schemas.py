"""Flights as the API takes them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from flight.model.phases import SafeState
from hub_api.features.orders.schemas import Text80, Text300


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
