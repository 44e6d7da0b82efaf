"""The verdicts on candidates as they are stored: names and reasons once, the candidates as rows of their numbers.

A city's decision spells out 200 candidates with their reasons in two languages. Most of them share a drone, a point
or a reason, so this is a fifth of the size, and it lies beside the order: nobody reads it but who asks for the
decision, while the order itself is read at every event of its flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic_core import from_json

from planner.reasons import Reason

T = TypeVar("T")

_FORM = 1


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
    shown: str
    """As the API shows them where no ambulance is known, in JSON."""
    count: int
    nearest_refusal: str | None
    """What spoke most often against the landing point next to the patient: the others were never asked for."""


class _Once(Generic[T]):
    """What is made of things, once of each, in the order of their first use."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._found: dict[Any, tuple[int, T]] = {}

    def of(self, thing: Any) -> tuple[int, T]:
        """Its number, and what is made of it."""
        found = self._found.get(thing)
        if found is None:
            found = self._found[thing] = len(self._found), self._make(thing)
        return found

    def listed(self) -> list[T]:
        return [made for _, made in self._found.values()]


def tell(candidates: Sequence[CandidateAnswer]) -> Told:
    """The stored and the shown form of candidates, in their order."""
    drones = _Once(lambda pair: (f"[{_text(pair[1])},{_text(pair[0])}]", _place(*pair)))
    points, verdicts, reasons = _Once(_text), _Once(_text), _Once(_reason)
    # Mostly they are the very same reasons again, and comparing would take longer. The candidates keep them.
    known: dict[tuple[str, int], tuple[str, str]] = {}
    rows, shown_rows = [], []
    for station_id, drone_id, point_id, verdict, why, time_s, least_s in candidates:
        drone, (_, place) = drones.of((station_id, drone_id))
        point, point_text = points.of(point_id)
        said = known.get((verdict, id(why)))
        if said is None:
            judged, verdict_text = verdicts.of(verdict)
            found = [reasons.of(reason) for reason in why]
            said = known[verdict, id(why)] = (
                f"{judged},[{','.join([str(number) for number, _ in found])}]",
                f',"verdict":{verdict_text},"reasons":[{",".join([text for _, (_, text) in found])}]',
            )
        time, least = _number(time_s), _number(least_s)
        rows.append(f"[{drone},{point},{said[0]},{time},{least}]")
        shown_rows.append(
            f'{place}{point_text}{said[1]},"time_to_patient_s":{time},"least_time_to_patient_s":{least}'
            ',"ahead_of_ambulance_s":null}'
        )
    packed = (
        f'{{"form":{_FORM},"drones":[{",".join([stored for stored, _ in drones.listed()])}]'
        f',"points":[{",".join(points.listed())}],"verdicts":[{",".join(verdicts.listed())}]'
        f',"reasons":[{",".join([stored for stored, _ in reasons.listed()])}],"candidates":[{",".join(rows)}]}}'
    )
    return Told(packed, f"[{','.join(shown_rows)}]", len(candidates), _nearest_refusal(candidates))


def _nearest_refusal(candidates: Sequence[CandidateAnswer]) -> str | None:
    refused = [item for item in candidates if item.verdict == "refused"]
    counted = Counter(
        reason.code
        for item in refused
        if item.landing_point_id == refused[0].landing_point_id
        for reason in item.reasons
    )
    return counted.most_common(1)[0][0] if counted else None


def shown(document: str, ahead_s: float | None) -> str:
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
    return f"[{','.join(rows)}]"


def _place(station_id: str, drone_id: str) -> str:
    return f'{{"station_id":{_text(station_id)},"drone_id":{_text(drone_id)},"landing_point_id":'


def _text(value: str) -> str:
    return encode_basestring(value)


def _number(value: float | None) -> str:
    return "null" if value is None else repr(float(value))


def _reason(reason: Reason) -> tuple[str, str]:
    """As it is stored, and as it is shown."""
    code, detail, detail_zh = _text(reason.code), _text(reason.detail), _text(reason.detail_zh)
    return f"[{code},{detail},{detail_zh}]", f'{{"code":{code},"detail":{detail},"detail_zh":{detail_zh}}}'


NOTHING_TOLD = tell(())
"""Of a decision that looked at no candidate."""
