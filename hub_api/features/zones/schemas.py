"""The airspace as GeoJSON, plus the version that decisions name."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class LimitView(BaseModel):
    """A floor or ceiling: metres above a named datum."""

    metres: float
    datum: Literal["AMSL", "AGL", "ELLIPSOID"]


class CircleView(BaseModel):
    """The exact circle behind a drawn one."""

    latitude_deg: float
    longitude_deg: float
    radius_m: float


class ZoneProperties(BaseModel):
    """What a zone's volume says; one feature for each volume of a zone."""

    zone_id: str
    volume: int = Field(description="Number of this volume within its zone, from 0.")
    name: str
    name_zh: str
    restriction: str = Field(
        description="PROHIBITED | REQ_AUTHORISATION | CONDITIONAL | NO_RESTRICTION | KEEP_IN"
    )
    reasons: list[str]
    conditions: str
    message: str
    message_zh: str
    floor: LimitView | None = Field(description="null: from the ground.")
    ceiling: LimitView | None = Field(description="null: without end.")
    circle: CircleView | None
    permanent: bool
    periods: list[dict[str, Any]] = Field(description="When it applies, if not always.")
    authorities: list[str]
    position_quality: str = Field(description="surveyed | published | approximate")
    source: str


class ZoneFeature(BaseModel):
    """A GeoJSON feature; WGS-84, (longitude, latitude)."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: dict[str, Any] = Field(description="A GeoJSON Polygon.")
    properties: ZoneProperties


class AuthorisationView(BaseModel):
    """A standing approval that opens zones for this operator."""

    authorisation_id: str
    zone_ids: list[str]
    authority: str
    number: str
    valid_from: datetime
    valid_until: datetime
    valid_now: bool


class ZoneCollection(BaseModel):
    """The whole airspace at one version (GeoJSON FeatureCollection with foreign members)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    version: str
    terrain: str = Field(description="Which ground heights above ground are measured from.")
    features: list[ZoneFeature]
    authorisations: list[AuthorisationView]
