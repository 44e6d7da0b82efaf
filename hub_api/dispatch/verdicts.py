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
        self._same: dict[int, int] = {}

    def number(self, thing: Any) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def number_of_many(self, thing: Any) -> int:
        """The same for things that are compared slowly and mostly are the very same object. The caller keeps them."""
        known = self._same.get(id(thing))
        if known is None:
            known = self._same[id(thing)] = self.number(thing)
        return known

    def listed(self, shown: Callable[[Any], Any]) -> list[Any]:
        return [shown(thing) for thing in self._numbers]


def pack(candidates: Sequence[CandidateAnswer]) -> str:
    """The stored form of candidates, in their order."""
    drones, points, verdicts, reasons = _Numbered(), _Numbered(), _Numbered(), _Numbered()
    number = reasons.number_of_many
    rows = [
        [
            drones.number((item.drone_id, item.station_id)),
            points.number(item.landing_point_id),
            verdicts.number(item.verdict),
            [number(reason) for reason in item.reasons],
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


def shown(document: str, ahead_s: float | None) -> str:
    """The candidates as the API shows them, in JSON. ``ahead_s``: from the decision until the ambulance is there.

    Every name and reason is written once and then put together: a list of two hundred models would take longer than
    everything else about an answer.
    """
    stored = from_json(document)
    drones = [
        f'{{"station_id":{_text(station_id)},"drone_id":{_text(drone_id)},"landing_point_id":'
        for drone_id, station_id in stored["drones"]
    ]
    points = [f'{_text(point)},"verdict":' for point in stored["points"]]
    verdicts = [f'{_text(verdict)},"reasons":[' for verdict in stored["verdicts"]]
    reasons = [
        f'{{"code":{_text(code)},"detail":{_text(detail)},"detail_zh":{_text(detail_zh)}}}'
        for code, detail, detail_zh in stored["reasons"]
    ]
    rows = [
        f"{drones[drone]}{points[point]}{verdicts[verdict]}{','.join([reasons[number] for number in numbers])}"
        f'],"time_to_patient_s":{_number(time_s)},"least_time_to_patient_s":{_number(least_s)},'
        f'"ahead_of_ambulance_s":{_number(None if ahead_s is None or time_s is None else ahead_s - time_s)}}}'
        for drone, point, verdict, numbers, time_s, least_s in stored["candidates"]
    ]
    return f"[{','.join(rows)}]"


def _text(value: str) -> str:
    return to_json(value).decode()


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)


def _reason(reason: Reason) -> list[str]:
    return [reason.code, reason.detail, reason.detail_zh]
