"""Acknowledged alarms as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hub_api.features.orders.schemas import OrderEventView

EventId = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")]


class AcknowledgeRequest(BaseModel):
    """«I have seen these.»"""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"event_ids": ["4711"]}]}
    )

    event_ids: list[EventId] = Field(
        min_length=1, max_length=50, description="Events of the stream that a screen raised an alarm for."
    )


class AcknowledgementView(BaseModel):
    """Who acknowledged an alarm first, and when."""

    event_id: str
    by: str
    at: datetime


class Acknowledgements(BaseModel):
    """In the order of the request; events that there are not are left out."""

    acknowledged: list[AcknowledgementView]


class OpenAlarmView(OrderEventView):
    """An event as the stream told it, with what it is about."""

    order_id: str | None
    incident_id: str | None


class OpenAlarms(BaseModel):
    """Oldest first, as a stream would have told them."""

    events: list[OpenAlarmView]
