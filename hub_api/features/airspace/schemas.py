"""What the airspace's desk takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub_api.features.fields import Text500, refuse_control_characters


class FeedView(BaseModel):
    """An uploaded zone file in force."""

    feed_id: str
    file_format: str
    sha256: str = Field(description="Of the file as it was uploaded.")
    zone_count: int
    changed_at: datetime
    changed_by: str


class ChangeView(BaseModel):
    """One change of the airspace; its number is the last part of the version it made."""

    seq: int
    at: datetime
    by: str
    action: str = Field(description="feed_put | feed_deleted | authorisation_given | authorisation_revoked")
    subject: str = Field(description="The feed or the authorisation.")
    reason: str
    version: str
    previous_version: str
    added: list[str] = Field(description="Zone ids.")
    removed: list[str]
    changed: list[str]


class ChangeList(BaseModel):
    """Changes, newest first."""

    changes: list[ChangeView]
    next_before: int | None = Field(description="Ask with this as `before` for older ones; null: none.")


class AirspaceView(BaseModel):
    """The airspace in force, and what it is made of."""

    version: str
    base_version: str
    zone_count: int
    terrain: str
    feeds: list[FeedView]


class NoteView(BaseModel):
    """What the reader of a zone file repaired, tolerated or ignored: look at it before you rely on the zone."""

    kind: str = Field(description="repaired | tolerated | ignored")
    feature: str
    field: str
    what: str
    what_zh: str = Field(description="The same in Chinese.")


class AffectedFlightView(BaseModel):
    """An open flight whose plan the airspace forbids somewhere."""

    flight_id: str
    drone_id: str
    order_id: str
    reason: str
    detail: str
    detail_zh: str


class ChangeOutcome(BaseModel):
    """What a change did, or would do."""

    applied: bool = Field(description="False: a preview, nothing has changed.")
    version: str = Field(description="The version that the change makes.")
    previous_version: str
    added: list[str] = Field(description="Zone ids.")
    removed: list[str]
    changed: list[str]
    affected_flights: list[AffectedFlightView]
    notes: list[NoteView]


class AuthorisationRequest(BaseModel):
    """A standing approval, in the shape of an authorisation file."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "authorisation": {
                        "authorisation_id": "auth-stadium-2026",
                        "zone_ids": ["BA-STAD"],
                        "authority": "Shenzhen Air Traffic Management",
                        "number": "SZ-2026-118",
                        "valid_from": "2026-11-01T00:00:00+08:00",
                        "valid_until": "2026-12-31T23:59:59+08:00",
                        "lower": 60,
                        "lower_reference": "AGL",
                        "upper": 120,
                        "upper_reference": "AGL",
                    },
                    "reason": "approval received by letter",
                }
            ]
        },
    )

    authorisation: dict[str, Any] = Field(
        description="As in an authorisation file; see docs/zone-formats.md."
    )
    reason: Text500

    @field_validator("authorisation")
    @classmethod
    def _clean(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Its texts are stored and shown as they are."""
        refuse_control_characters(document)
        return document


class RevocationRequest(BaseModel):
    """Why an approval ends."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"reason": "withdrawn by the authority"}]},
    )

    reason: Text500


class AuthorisationState(BaseModel):
    """An approval and whether it holds."""

    authorisation_id: str
    zone_ids: list[str]
    authority: str
    number: str
    valid_from: datetime
    valid_until: datetime
    valid_now: bool
    source: str = Field(description="site: from its files; api: given while the hub runs.")


class RevokedView(BaseModel):
    """An approval that holds no more."""

    authorisation_id: str
    revoked_at: datetime
    revoked_by: str
    reason: str


class AuthorisationList(BaseModel):
    """Approvals that hold, or will, and those that were revoked."""

    authorisations: list[AuthorisationState]
    revoked: list[RevokedView]
