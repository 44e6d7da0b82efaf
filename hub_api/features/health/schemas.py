"""Health as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class HealthView(BaseModel):
    """Whether the hub can take an order and fly it, without naming anything secret."""

    status: Literal["ok", "starting", "degraded"] = Field(
        description="starting: just started, not every drone has reported; degraded: no free drone is ready."
    )
    version: str
    now: datetime = Field(description="The hub's clock; faster than real time only in demo mode.")
    started_at: datetime
    machine_clock_off_s: float | None = Field(
        description="How far the machine's time of day is ahead of the hub's own steady count. Not about 0: it was set anew "
        "since the start; the hub goes on by its own until it is started again. Null in an accelerated demonstration."
    )
    speedup: float
    demo: bool
    site_id: str
    airspace_version: str
    drones: int
    drones_ready: int
    open_orders: int
    database: Literal["ok"] = "ok"


class LivenessView(BaseModel):
    """The process runs and answers."""

    status: Literal["alive"] = "alive"


class ReadinessView(BaseModel):
    """Whether orders should be sent here, and what speaks against it."""

    ready: bool
    database: bool = Field(description="It can be read and is at this release's schema.")
    fleet: bool = Field(description="Every drone has reported since the start, or had its time to.")
    running: bool = Field(description="No part has failed and the hub is not stopping.")
    flies: bool = Field(description="It takes orders and flies; a hub that only watches does not.")
    planner: bool = Field(
        description="The planner's process answers. While it does not, decisions are made in the hub's own process, more "
        "slowly: no reason not to send orders. Always true where the settings give it no process."
    )
