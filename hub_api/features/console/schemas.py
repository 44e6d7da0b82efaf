"""The console's settings as the API shows them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class TilesView(BaseModel):
    """A source of map tiles for the console."""

    url: str = Field(description="With {z}, {x} and {y}.")
    reference_system: Literal["WGS-84", "GCJ-02"] = Field(
        description="Of the source's positions; GCJ-02 tiles are drawn without offset."
    )
    attribution: str
    max_zoom: int


class ConsoleSettings(BaseModel):
    """What the console is set to, and what it must know of hub and site."""

    site_id: str
    site_name: str
    site_name_zh: str
    timezone: str = Field(description="IANA name: every screen shows the site's local time.")
    demo: bool
    speedup: float = Field(description="Seconds of the hub's clock per real second.")
    telemetry_stale_s: float = Field(description="Older telemetry is not live, by the hub's clock.")
    ambulance_stale_s: float = Field(description="An older place of an ambulance is not where it is.")
    tiles: TilesView | None = Field(description="null: the map draws what the hub knows, and nothing else.")
