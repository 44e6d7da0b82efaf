"""Reports as the API shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class ShareView(BaseModel):
    """How many alerts flew. Shares are null where there is nothing to share."""

    orders: int = Field(description="Real orders received; drills are left out.")
    open: int = Field(description="Not flown yet, and not ended: in no share.")
    took_off: int
    take_off_share: float | None = Field(description="took_off of those that flew or ended.")
    delivered: int
    delivered_share: float | None = Field(description="delivered of took_off.")
    ahead_of_ambulance: int = Field(description="AED on the ground before the ambulance was expected.")
    ahead_share: float | None = Field(description="Of the deliveries whose ambulance's arrival was known.")
    non_flights: dict[str, int] = Field(description="Why the others did not fly, by machine-readable reason.")


class ShareGroupView(ShareView):
    """One group."""

    key: str = Field(
        description="A reason (`took_off`, `open`, or why it did not fly), a station's id, a local hour 00 to 23, or a "
        "severity."
    )


class TakeOffShareReport(BaseModel):
    """The take-off share of a period."""

    since: datetime
    until: datetime
    timezone: str = Field(description="Of the hours.")
    group_by: str
    total: ShareView
    groups: list[ShareGroupView]


class SpreadView(BaseModel):
    """How one measure is spread; seconds. Percentiles by nearest rank: times that happened."""

    count: int
    mean_s: float | None
    p10_s: float | None
    p50_s: float | None
    p90_s: float | None
    p99_s: float | None
    least_s: float | None
    most_s: float | None


class TimesGroupView(BaseModel):
    """One group's times."""

    key: str
    order_to_decided_s: SpreadView
    order_to_airborne_s: SpreadView
    order_to_aed_on_ground_s: SpreadView
    ahead_of_ambulance_s: SpreadView = Field(
        description="AED on the ground before the ambulance was expected; negative: after."
    )


class ResponseTimesReport(BaseModel):
    """The response times of a period."""

    since: datetime
    until: datetime
    timezone: str
    group_by: str
    total: TimesGroupView
    groups: list[TimesGroupView]
