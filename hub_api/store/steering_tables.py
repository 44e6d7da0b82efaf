"""What operators do to flights under way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlmodel import Field

from hub_api.store.tables import Row, UtcDateTime


class DiversionRow(Row, table=True):
    """A flight that was sent to another place than planned: what was asked, what it was told, what became of it."""

    __tablename__ = "diversions"
    __table_args__ = (
        Index("ix_diversions_settled_at", "settled_at"),
        Index("ix_diversions_flight_id", "flight_id"),
    )

    diversion_id: str = Field(primary_key=True, max_length=40)
    order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    mission_id: str = Field(sa_column_args=(ForeignKey("missions.mission_id"),), max_length=40)
    flight_id: str = Field(max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(max_length=120)
    reason: str = Field(sa_type=Text)
    place_kind: str = Field(max_length=20)
    place_id: str = Field(max_length=80)
    held_before: bool
    hold_id: str = Field(max_length=40)
    reroute_id: str | None = Field(default=None, max_length=40)
    plan_id: str | None = Field(default=None, max_length=40)
    tries: int = Field(default=0)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=20)
