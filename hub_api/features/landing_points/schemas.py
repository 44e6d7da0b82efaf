"""Landing points as the API shows them."""

from __future__ import annotations

from pydantic import BaseModel, Field


class HoursView(BaseModel):
    """ISO weekdays (1 Monday) and local times «HH:MM»."""

    days: list[int]
    start: str
    end: str


class LandingPointView(BaseModel):
    """A surveyed place for an AED; WGS-84, heights above mean sea level."""

    landing_point_id: str
    name: str
    name_zh: str
    latitude_deg: float
    longitude_deg: float
    ground_amsl_m: float
    position_quality: str = Field(description="surveyed | published | approximate")
    delivery_methods: list[str]
    surface: str
    clear_radius_m: float
    slope_deg: float
    obstacles: str
    surveyed_on: str | None
    emergency_landing: bool
    hours: list[HoursView]
    usable_now: bool
    walk_description: str
    walk_description_zh: str
    alternates: list[str]


class LandingPointList(BaseModel):
    """All landing points of the site."""

    landing_points: list[LandingPointView]
