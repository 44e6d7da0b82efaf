"""The verdicts on candidates as they are stored: names and reasons once, the candidates as rows of their numbers.

A city's decision spells out 200 candidates with their reasons in two languages. Most of them share a drone, a point
or a reason, so this is a fifth of the size, and it lies beside the order: nobody reads it but who asks for the
decision, while the order itself is read at every event of its flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring
from typing import NamedTuple

from pydantic_core import from_json

from planner.candidates import Candidate
from planner.reasons import Reason

_FORM = 1

_DRONES = 1024
"""Chosen: texts remembered of drones; a city has a few hundred."""

_REASONS = 4096
"""Chosen: texts remembered of reasons; most candidates of a city are slower by some number of whole seconds."""


class CandidateAnswer(NamedTuple):
    """One drone at one station for one landing point, and what speaks for or against it.

    The fields of :class:`planner.candidates.Candidate`, with each drone's own reasons; a tuple, because a decision
    spells out hundreds.
    """

    station_id: str
    drone_id: str
    landing_point_id: str
    verdict: str
    reasons: tuple[Reason, ...]
    time_to_patient_s: float | None
    """Planned; None where no plan was made."""
    least_time_to_patient_s: float | None
    """Lower bound; None where the combination was out before planning."""


@dataclass(frozen=True, slots=True)
class Told:
    """The candidates of one decision, as texts: two hundred values of as many objects would cost more than anything
    else on the way from the planner to the store and to the answer."""

    packed: str
    """As they are stored; :func:`shown` reads it."""
    shown: bytes
    """As the API shows them where no ambulance is known, in JSON; as bytes, since nobody reads it on the way out."""
    count: int
    nearest_refusal: str | None
    """What spoke most often against the landing point next to the patient: the others were never asked for."""


def tell(candidates: Sequence[CandidateAnswer | Candidate]) -> Told:
    """The stored and the shown form of candidates, in their order."""
    drones: dict[tuple[str, str], tuple[int, str, str]] = {}
    points: dict[str, tuple[int, str]] = {}
    verdicts: dict[str, tuple[int, str]] = {}
    reasons: dict[str, int] = {}
    # Mostly they are the very same reasons again, and comparing would take longer. The candidates keep them.
    said: dict[int, tuple[str, str]] = {}
    rows: list[str] = []
    texts: list[str] = []
    judged: tuple[int, str] = 0, ""
    before: str | None = None
    for station_id, drone_id, point_id, verdict, why, time_s, least_s in candidates:
        drone = drones.get((station_id, drone_id))
        if drone is None:
            drone = drones[station_id, drone_id] = (len(drones), *_drone(station_id, drone_id))
        point = points.get(point_id)
        if point is None:
            point = points[point_id] = len(points), _text(point_id)
        if verdict is not before:
            text = f',"verdict":{_text(verdict)},"reasons":['
            judged, before = verdicts.setdefault(verdict, (len(verdicts), text)), verdict
        known = said.get(id(why))
        if known is None:
            stored, text = _said(why)
            numbers = ",".join([str(reasons.setdefault(each, len(reasons))) for each in stored])
            known = said[id(why)] = numbers, text
        time, least = _number(time_s), _number(least_s)
        rows.append(f"[{drone[0]},{point[0]},{judged[0]},[{known[0]}],{time},{least}]")
        texts += drone[2], point[1], judged[1], known[1], time, _LEAST, least, _NO_AMBULANCE
    packed = (
        f'{{"form":{_FORM},"drones":[{",".join([stored for _, stored, _ in drones.values()])}]'
        f',"points":[{",".join([text for _, text in points.values()])}]'
        f',"verdicts":[{",".join(map(_text, verdicts))}]'
        f',"reasons":[{",".join(reasons)}],"candidates":[{",".join(rows)}]}}'
    )
    # The last one has no comma behind it.
    texts[-1:] = [text.removesuffix(",") for text in texts[-1:]]
    return Told(packed, f"[{''.join(texts)}]".encode(), len(candidates), _nearest_refusal(candidates))


_LEAST = ',"least_time_to_patient_s":'
_NO_AMBULANCE = ',"ahead_of_ambulance_s":null},'


@lru_cache(maxsize=_REASONS)
def _said(why: tuple[Reason, ...]) -> tuple[list[str], str]:
    """Each reason as it is stored; and all as they are shown, up to the time."""
    told = [_reason(reason) for reason in why]
    return [stored for stored, _ in told], f'{",".join([shown for _, shown in told])}],"time_to_patient_s":'


def _nearest_refusal(candidates: Sequence[CandidateAnswer | Candidate]) -> str | None:
    counted: Counter[str] = Counter()
    nearest: str | None = None
    for _, _, point_id, verdict, why, _, _ in candidates:
        if verdict == "refused":
            nearest = nearest or point_id
            if point_id == nearest:
                for reason in why:
                    counted[reason.code] += 1
    return counted.most_common(1)[0][0] if counted else None


def shown(document: str, ahead_s: float | None) -> bytes:
    """The candidates as the API shows them, in JSON. ``ahead_s``: from the decision until the ambulance is there.

    Every name and reason is written once and then put together: a list of two hundred models would take longer than
    everything else about an answer.
    """
    stored = from_json(document)
    drones = [_place(station_id, drone_id) for drone_id, station_id in stored["drones"]]
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
    return f"[{','.join(rows)}]".encode()


def _place(station_id: str, drone_id: str) -> str:
    return f'{{"station_id":{_text(station_id)},"drone_id":{_text(drone_id)},"landing_point_id":'


def _text(value: str) -> str:
    return encode_basestring(value)


@lru_cache(maxsize=_DRONES)
def _drone(station_id: str, drone_id: str) -> tuple[str, str]:
    """As it is stored, and as a candidate begins that is shown."""
    return f"[{_text(drone_id)},{_text(station_id)}]", _place(station_id, drone_id)


def _number(value: float | None) -> str:
    return "null" if value is None else repr(float(value))


def _reason(reason: Reason) -> tuple[str, str]:
    """As it is stored, and as it is shown."""
    code, detail, detail_zh = _text(reason.code), _text(reason.detail), _text(reason.detail_zh)
    return f"[{code},{detail},{detail_zh}]", f'{{"code":{code},"detail":{detail},"detail_zh":{detail_zh}}}'


NOTHING_TOLD = tell(())
"""Of a decision that looked at no candidate."""
