"""The verdicts of a decision: one for every combination, made when somebody reads it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import overload

from planner import reasons
from planner.candidates import Candidate, CandidateVerdict, Option
from planner.combinations import Combinations
from planner.reasons import Reason


class Candidates(Sequence[Candidate]):
    """Every combination's verdict: the planned ones that can be flown (the chosen one first), those that a bound
    proves slower, those refused before planning, those refused by planning.

    ``flyable`` and ``refused`` are what became of the combinations that were planned. ``unasked`` are the others that
    might have been, as their bound and their rank, in rising order: slower by bound, since planning only stops once
    something can be flown.
    """

    def __init__(
        self,
        combinations: Combinations,
        flyable: Sequence[Candidate],
        refused: Sequence[Candidate],
        *,
        unasked: Sequence[tuple[float, int]],
    ) -> None:
        self._combinations = combinations
        self._flyable, self._refused = tuple(flyable), tuple(refused)
        self._unasked = unasked

    def __len__(self) -> int:
        return len(self._combinations)

    @overload
    def __getitem__(self, index: int) -> Candidate: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Candidate]: ...
    def __getitem__(self, index: int | slice) -> Candidate | Sequence[Candidate]:
        if isinstance(index, slice):
            return tuple(self)[index]
        number = index if index >= 0 else len(self) + index
        found = next(islice(self, number, None), None) if number >= 0 else None
        if found is None:
            raise IndexError(index)
        return found

    def __iter__(self) -> Iterator[Candidate]:
        yield from self.flyable()
        for drone in range(len(self._combinations.states)):
            for point in range(len(self._combinations.points)):
                against = self._combinations.against(drone, point)
                if against:
                    yield self._ruled_out(drone, point, against)
        yield from self._refused

    def flyable(self) -> Iterator[Candidate]:
        """The chosen one, then the others that nothing known is against, by time."""
        yield from self._flyable
        states, points = self._combinations.states, self._combinations.points
        drones, columns = self._combinations.ranked_drones, self._combinations.ranked_points
        for bound_s, rank in self._unasked:
            drone = states[drones[rank]].drone
            yield Candidate(
                drone.station_id,
                drone.drone_id,
                points[columns[rank]].landing_point_id,
                CandidateVerdict.POSSIBLE,
                _slower(math.floor(bound_s)),
                None,
                bound_s,
            )

    def refusals(self) -> Counter[str]:
        """The reasons of all refused ones, counted by their word."""
        counted = self._combinations.refusals.copy()
        counted.update(reason.code for candidate in self._refused for reason in candidate.reasons)
        return counted

    def telling(self) -> Iterator[Candidate]:
        """As a person asks: those that can be flown, then the refused ones to the point nearest to the patient, and
        so on; to each point first those that were planned."""
        yield from self.flyable()
        tried: dict[str, list[Candidate]] = {}
        for candidate in self._refused:
            tried.setdefault(candidate.landing_point_id, []).append(candidate)
        for point in self._combinations.nearest:
            yield from tried.get(self._combinations.points[point].landing_point_id, ())
            yield from self._ruled_out_at(point)

    def commonest(self) -> Reason | None:
        """The reason that is against most combinations."""
        counted = self.refusals()
        if not counted:
            return None
        code = max(counted, key=lambda word: counted[word])
        found = self._combinations.example(code)
        if found is not None:
            return found
        return next(reason for item in self._refused for reason in item.reasons if reason.code == code)

    def _ruled_out_at(self, point: int) -> list[Candidate]:
        """The combinations with this point that were out before planning."""
        point_id = self._combinations.points[point].landing_point_id
        refused = CandidateVerdict.REFUSED
        against_all = zip(self._combinations.states, self._combinations.against_all(point), strict=True)
        return [
            Candidate(state.drone.station_id, state.drone.drone_id, point_id, refused, against, None, None)
            for state, against in against_all
            if against
        ]

    def _ruled_out(self, drone: int, point: int, against: tuple[Reason, ...]) -> Candidate:
        known = self._combinations.states[drone].drone
        return Candidate(
            known.station_id,
            known.drone_id,
            self._combinations.points[point].landing_point_id,
            CandidateVerdict.REFUSED,
            against,
            None,
            None,
        )


@lru_cache(maxsize=4096)
def _slower(bound_s: int) -> tuple[Reason, ...]:
    return (reasons.slower_by_bound(bound_s),)


def candidate_of(
    option: Option,
    verdict: CandidateVerdict,
    why: tuple[Reason, ...],
    time_to_patient_s: float | None = None,
) -> Candidate:
    """The verdict on a combination that was planned, or could have been."""
    return Candidate(
        station_id=option.state.drone.station_id,
        drone_id=option.state.drone.drone_id,
        landing_point_id=option.landing_point.landing_point_id,
        verdict=verdict,
        reasons=why,
        time_to_patient_s=time_to_patient_s,
        least_time_to_patient_s=option.bound_s,
    )
