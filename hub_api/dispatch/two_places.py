"""One reference, two places: what is said when a report or an order names another place than its incident's.

It is a correction, or a number that was given twice, and only people know which. So a place is never moved under a drone
that flies to it: the incident keeps its place until somebody moves the order on purpose, the other place is kept beside
it, and whoever follows the incident is told how far apart the two are. Why: docs/decisions/0038.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from core.geodesy import Wgs84Point, geodesic_distance_m
from hub_api.dispatch.order_states import TERMINAL_STATES
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.records import OrderRecord

SAME_PLACE_M = 1.0
"""Chosen: what decimals and the way from GCJ-02 and back make of one place is less."""
ORDER_NEAR_M = 50.0
"""Chosen: as far as two orders are taken for one patient's without any reference (0022); an order keeps its own place,
so nothing is lost by not telling less."""
FAR_APART_M = 1000.0
"""Chosen: a mobile caller's place is wrong by hundreds of metres in a city; farther apart two places are two
patients until somebody says otherwise, and one drone cannot serve both."""


class Notice(NamedTuple):
    """A machine word and a sentence each in English and Chinese."""

    code: str
    detail: str
    detail_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPlace:
    """A place told for an incident that is not where the incident is. ``position`` as it was sent.

    ``said_by``: the order that named it; None: a report. ``kept_for``: the open order that flies to the incident's
    place; None: the incident has moved here, and was at ``position`` before.
    """

    position: dict[str, Any]
    distance_m: float
    at: datetime
    said_by: str | None
    kept_for: str | None

    def stored(self) -> dict[str, Any]:
        """As the incident keeps it."""
        return {
            "position": self.position,
            "distance_m": round(self.distance_m, 1),
            "at": self.at.isoformat(),
            "said_by": self.said_by,
            "kept_for": self.kept_for,
        }


def stands_elsewhere(order: OrderRecord, place: Wgs84Point) -> bool:
    """Whether an order is open for another place: its drone must not be left behind unsaid."""
    own = Wgs84Point(order.latitude_deg, order.longitude_deg)
    return order.state not in TERMINAL_STATES and geodesic_distance_m(own, place) > SAME_PLACE_M


def distance_to(incident: IncidentRecord, place: Wgs84Point) -> float:
    """Metres between an incident and a place."""
    return geodesic_distance_m(Wgs84Point(incident.latitude_deg, incident.longitude_deg), place)


def notice_of(other: Mapping[str, Any]) -> Notice:
    """What people are told of a stored :class:`OtherPlace`."""
    distance_m: float = other["distance_m"]
    order_id, kept_for = other["said_by"], other["kept_for"]
    far = distance_m > FAR_APART_M
    how_far, how_far_zh = _length(distance_m)
    if order_id is not None:
        said = f"Order {order_id} has this incident's reference and a place {how_far} from the incident's"
        said_zh = f"订单 {order_id} 使用本事件编号，但其位置与事件位置相距 {how_far_zh}"
        if far:
            said += "; it is decided for its own place"
            said_zh += "；按其自身位置单独决定"
        elif kept_for is not None:
            said += f"; the drone of order {kept_for} serves both, at the place of {kept_for}"
            said_zh += f"；由订单 {kept_for} 的无人机按该订单的位置投送"
    elif kept_for is not None:
        said = (
            f"A report with this reference names a place {how_far} from the incident's; order {kept_for} was open for "
            "the incident's place, which stayed: if the patient is there, move the order with POST "
            f"/v1/orders/{kept_for}/position"
        )
        said_zh = (
            f"同一编号的报告位置与事件位置相距 {how_far_zh}；订单 {kept_for} 正按原位置执行，事件位置未改变。"
            "如患者确在新位置，请更新该订单的位置"
        )
    else:
        said = f"A report with this reference moved the incident by {how_far}"
        said_zh = f"同一编号的报告将事件位置移动了 {how_far_zh}"
    if far:
        said += "; so far apart they may be two incidents: check the reference"
        said_zh += "。两处相距过远，可能是两起事件，请核对事件编号"
    return Notice("places_contradict" if far else "place_differs", said, said_zh)


def _length(distance_m: float) -> tuple[str, str]:
    if distance_m >= 1000.0:
        return f"{distance_m / 1000.0:.1f} km", f"{distance_m / 1000.0:.1f} 公里"
    return f"{distance_m:.0f} m", f"{distance_m:.0f} 米"
