"""What people may change of the site. Every item is sent whole: nothing is kept from before by being left out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub_api.features.fields import Note500, Position, Text80, Text120, Text300
from hub_api.site_data.book import document_of
from hub_api.site_data.places import PlaceKind
from planner.airframe import shipped_airframes
from planner.flight_plan import DeliveryMethod
from planner.site import DrillUse, PositionQuality, Surface

Metres = Annotated[float, Field(ge=-500, le=9000)]
_BASE = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _with_example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra={"examples": [example]}
    )


_POSITION = {"reference_system": "WGS-84", "latitude_deg": 22.5548, "longitude_deg": 113.8838}


class _Placed(BaseModel):
    """Something on the ground. Surveys are WGS-84; a position clicked on a GCJ-02 map names that."""

    model_config = _BASE

    name: Text120
    name_zh: Text120
    position: Position
    ground_amsl_m: Metres = Field(description="Height of the ground above mean sea level.")
    position_quality: PositionQuality = Field(strict=False, description="surveyed | published | approximate")


class StationRequest(_Placed):
    """Where drones stand ready."""

    model_config = _with_example(
        {
            "name": "Bao'an Centre station",
            "name_zh": "宝安中心站点",
            "position": _POSITION,
            "ground_amsl_m": 6.0,
            "position_quality": "surveyed",
        }
    )


class EmergencySiteRequest(_Placed):
    """A place kept free enough for a drone to come down when it must."""

    model_config = _with_example(
        {
            "name": "Waterfront green belt",
            "name_zh": "滨海绿带",
            "position": {"reference_system": "WGS-84", "latitude_deg": 22.5475, "longitude_deg": 113.8745},
            "ground_amsl_m": 4.0,
            "position_quality": "approximate",
        }
    )


class HoursRequest(BaseModel):
    """ISO weekdays (1 Monday) and local times «HH:MM»; «24:00» ends a day."""

    model_config = _BASE

    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)]
    start: Annotated[str, Field(pattern=r"^\d\d:\d\d$")]
    end: Annotated[str, Field(pattern=r"^\d\d:\d\d$")]


class WalkRequest(BaseModel):
    """How people get from the landing point to the streets around it."""

    model_config = _BASE

    detour_factor: Annotated[float, Field(ge=1, le=5)] = Field(description="Multiplies the straight line.")
    exit_s: Annotated[float, Field(ge=0, le=3600)] = Field(description="Gates, stairs, before that.")
    description: Text300
    description_zh: Text300


class LandingPointRequest(_Placed):
    """A place where an AED may be put down, as surveyed."""

    model_config = _with_example(
        {
            "name": "Uniwalk mall plaza",
            "name_zh": "壹方城广场",
            "position": {"reference_system": "WGS-84", "latitude_deg": 22.5535, "longitude_deg": 113.882},
            "ground_amsl_m": 6.0,
            "position_quality": "surveyed",
            "delivery_methods": ["WINCH"],
            "surface": "paving",
            "clear_radius_m": 8.0,
            "slope_deg": 0.5,
            "obstacles": "planters, awnings on the west side",
            "surveyed_on": "2026-02-11",
            "emergency_landing": False,
            "hours": [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "00:00", "end": "24:00"}],
            "walk": {
                "detour_factor": 1.3,
                "exit_s": 20.0,
                "description": "level way to Xinhu Road",
                "description_zh": "平坦通道至新湖路",
            },
            "alternates": [],
        }
    )

    delivery_methods: Annotated[
        list[Annotated[DeliveryMethod, Field(strict=False)]], Field(min_length=1, max_length=3)
    ]
    surface: Surface = Field(strict=False, description="grass | paving | asphalt | sports_field | roof")
    clear_radius_m: Annotated[float, Field(gt=0, le=1000)]
    slope_deg: Annotated[float, Field(ge=0, le=45)]
    obstacles: Note500
    surveyed_on: Annotated[date, Field(strict=False)] | None = Field(
        None, description="null where nobody has been there."
    )
    emergency_landing: bool = Field(description="Whether the drone itself may land here when it must.")
    hours: Annotated[list[HoursRequest], Field(min_length=1, max_length=50)]
    walk: WalkRequest
    alternates: Annotated[list[Text80], Field(max_length=2)] = Field(
        description="Other landing points that serve the same streets."
    )


class DroneRequest(BaseModel):
    """A drone at a station. Another link, system id or airframe begins another conversation with it."""

    model_config = _with_example(
        {
            "station_id": "st-baoan-centre",
            "airframe_id": "hex10",
            "system_id": 42,
            "link": "udpout:127.0.0.1:14591",
        }
    )

    station_id: Text80
    airframe_id: Text80
    system_id: Annotated[int, Field(ge=1, le=254)] = Field(description="Of its autopilot (MAVLink).")
    link: Text120 = Field(
        description="Where it answers, e.g. udpin:0.0.0.0:14550 or serial:/dev/ttyUSB0:57600."
    )
    drills: DrillUse = Field(
        DrillUse.NO,
        strict=False,
        description="no: for patients only. allowed: for drills, too. only: for drills only.",
    )


def _shipped_profile() -> dict[str, Any]:
    profile = document_of(shipped_airframes()["hex10"])
    del profile["airframe_id"]
    return profile


class AirframeRequest(BaseModel):
    """A type of drone, in the shape of `planner/airframes/*.json` without its id: every figure, and its source."""

    model_config = _with_example({"profile": _shipped_profile()})

    profile: dict[str, Any]


class SiteItemView(BaseModel):
    """A change of one item: what it was, what it is."""

    section: str
    item_id: str
    action: Literal["added", "changed", "removed", "unchanged"]
    applied: bool = Field(description="False for a preview, and where nothing differs.")
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    fields: list[str] = Field(description="What differs.")
    version: str = Field(description="The version with the change.")
    previous_version: str
    notes: list[str] = Field(description="What somebody should know, e.g. a link that could not be opened.")


class SiteChangeView(BaseModel):
    """One change of the site."""

    seq: int
    at: datetime
    by: str
    action: str
    section: str
    item_id: str
    reason: str
    version: str
    previous_version: str
    fields: list[str]


class SiteChangeList(BaseModel):
    """Changes, newest first."""

    changes: list[SiteChangeView]
    next_before: int | None


class SiteView(BaseModel):
    """The site in force, in the shape of its file: what the administration pages edit."""

    site_id: str
    name: str
    name_zh: str
    timezone: str
    version: str
    base_version: str = Field(description="Of the site file, before any change.")
    stations: list[dict[str, Any]]
    drones: list[dict[str, Any]]
    landing_points: list[dict[str, Any]]
    emergency_sites: list[dict[str, Any]]
    airframes: list[dict[str, Any]]
    changed: list[str] = Field(description="`section/id` of every item that differs from the file.")


class PhotoView(BaseModel):
    """A photo of a landing point; its picture is a JPEG at `url`."""

    photo_id: str
    landing_point_id: str
    caption: str
    width_px: int
    height_px: int
    url: str
    uploaded_at: datetime
    uploaded_by: str


class PhotoList(BaseModel):
    """Photos, oldest first."""

    photos: list[PhotoView]


class PlaceHit(BaseModel):
    """Something that was found; WGS-84."""

    kind: PlaceKind
    id: str
    name: str
    name_zh: str
    latitude_deg: float | None = Field(description="null for what moves: ask where it is now.")
    longitude_deg: float | None
    approximate: bool


class PlaceHits(BaseModel):
    """What was found, best first."""

    places: list[PlaceHit]
