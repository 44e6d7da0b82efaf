"""The verdicts on candidates as they are stored: names and reasons once, the candidates as rows of their numbers.

A city's decision spells out 200 candidates with their reasons in two languages. Most of them share a drone, a point
or a reason, so this is a fifth of the size, and it lies beside the order: nobody reads it but who asks for the
decision, while the order itself is read at every event of its flight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic_core import from_json, to_json

from hub_api.dispatch.planning import CandidateAnswer
from planner.reasons import Reason

_FORM = 1


class _Numbered:
    """Things in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, thing: Any) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def listed(self, shown: Callable[[Any], Any]) -> list[Any]:
        return [shown(thing) for thing in self._numbers]


def pack(candidates: Sequence[CandidateAnswer]) -> str:
    """The stored form of candidates, in their order."""
    drones, points, verdicts, reasons = _Numbered(), _Numbered(), _Numbered(), _Numbered()
    rows = [
        [
            drones.number((item.drone_id, item.station_id)),
            points.number(item.landing_point_id),
            verdicts.number(item.verdict),
            [reasons.number(reason) for reason in item.reasons],
            item.time_to_patient_s,
            item.least_time_to_patient_s,
        ]
        for item in candidates
    ]
    return to_json(
        {
            "form": _FORM,
            "drones": drones.listed(list),
            "points": points.listed(str),
            "verdicts": verdicts.listed(str),
            "reasons": reasons.listed(_reason),
            "candidates": rows,
        }
    ).decode()


def unpack(document: str) -> list[dict[str, Any]]:
    """The candidates as the API shows them."""
    stored = from_json(document)
    reasons = [
        {"code": code, "detail": detail, "detail_zh": detail_zh}
        for code, detail, detail_zh in stored["reasons"]
    ]
    drones, points, verdicts = stored["drones"], stored["points"], stored["verdicts"]
    return [
        {
            "station_id": drones[drone][1],
            "drone_id": drones[drone][0],
            "landing_point_id": points[point],
            "verdict": verdicts[verdict],
            "reasons": [reasons[number] for number in numbers],
            "time_to_patient_s": time_s,
            "least_time_to_patient_s": least_s,
        }
        for drone, point, verdict, numbers, time_s, least_s in stored["candidates"]
    ]


def _reason(reason: Reason) -> list[str]:
    return [reason.code, reason.detail, reason.detail_zh]
