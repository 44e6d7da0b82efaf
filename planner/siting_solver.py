"""The mixed-integer program behind :mod:`planner.siting`, given to HiGHS. Arrays in, indices out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt

from core.errors import ErrorCode, InternalError

GAP = 1e-6
"""Relative gap below which an answer counts as proved: the tolerance of HiGHS's own arithmetic."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Open stations and points (indices, ascending), the sum of gains, the relative gap, proved or not."""

    stations: npt.NDArray[np.int64]
    points: npt.NDArray[np.int64]
    value: float
    gap: float
    proved: bool


def solve(
    gains: npt.NDArray[np.float64],
    station_of: npt.NDArray[np.int64],
    point_of: npt.NDArray[np.int64],
    *,
    stations: int,
    points: int,
    max_stations: int,
    max_points: int | None,
    time_limit_s: float,
) -> Choice:
    """The best ``max_stations`` stations (and ``max_points`` points) for ``gains`` (incidents × pairs, ≥ 0).

    One thread and a fixed seed: the same question gets the same answer, unless the time limit ends the search.
    The greedy answer is given to the solver first, so that there is always one.
    """
    first = greedy(gains, station_of, point_of, max_stations, max_points)
    if not (gains > 0.0).any():
        return Choice(first.stations, first.points, 0.0, 0.0, True)
    incidents, pairs = np.nonzero(gains)
    values = gains[incidents, pairs]
    # Scaled so that the solver's absolute tolerances mean the same for 1 incident and for 100,000.
    scale = 1.0 / values.max()
    places = stations + points
    columns = places + len(values)
    solver = highspy.Highs()
    for option, setting in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 1),
        ("time_limit", time_limit_s),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.0),
    ):
        _ok(solver.setOptionValue(option, setting))
    _ok(solver.addVars(columns, np.zeros(columns), np.ones(columns)))
    _ok(solver.changeObjectiveSense(highspy.ObjSense.kMaximize))
    numbers = np.arange(places, columns)
    _ok(solver.changeColsCost(len(values), numbers.astype(np.int32), values * scale))
    whole = np.full(places, highspy.HighsVarType.kInteger)
    _ok(solver.changeColsIntegrality(places, np.arange(places, dtype=np.int32), whole))
    rows = _Rows()
    rows.add_sum(np.arange(stations), max_stations)
    if max_points is not None:
        rows.add_sum(np.arange(stations, places), max_points)
    for incident in np.unique(incidents):
        rows.add_sum(numbers[incidents == incident], 1)
    rows.add_below(numbers, station_of[pairs])
    if max_points is not None:
        rows.add_below(numbers, stations + point_of[pairs])
    rows.give(solver)
    start = highspy.HighsSolution()
    start.col_value = _columns(first, gains, station_of, point_of, stations, points, incidents, pairs)
    _ok(solver.setSolution(start))
    _ok(solver.run())
    status = solver.getModelStatus()
    ended = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit)
    if status not in ended:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, f"the solver ended with {status}")
    best = first
    found = np.array(solver.getSolution().col_value)
    if len(found) == columns:
        opened = np.flatnonzero(found[:places] > 0.5)
        stood, put = opened[opened < stations], opened[opened >= stations] - stations
        value = value_of(gains, station_of, point_of, stood, put if max_points is not None else None)
        if value >= first.value:
            best = Choice(stood, put, value, 0.0, False)
    bound = solver.getInfo().mip_dual_bound / scale
    gap = max(0.0, (bound - best.value) / max(bound, 1e-300)) if math.isfinite(bound) else math.inf
    proved = bool(status == highspy.HighsModelStatus.kOptimal and gap <= GAP)
    return Choice(best.stations, best.points, best.value, 0.0 if gap <= GAP else float(gap), proved)


def value_of(
    gains: npt.NDArray[np.float64],
    station_of: npt.NDArray[np.int64],
    point_of: npt.NDArray[np.int64],
    stations: npt.NDArray[np.int64],
    points: npt.NDArray[np.int64] | None,
) -> float:
    """The sum of every incident's best gain among the open pairs."""
    is_open = np.isin(station_of, stations)
    if points is not None:
        is_open &= np.isin(point_of, points)
    return float(gains[:, is_open].max(axis=1).sum()) if is_open.any() else 0.0


def greedy(
    gains: npt.NDArray[np.float64],
    station_of: npt.NDArray[np.int64],
    point_of: npt.NDArray[np.int64],
    max_stations: int,
    max_points: int | None,
) -> Choice:
    """Opens the pair that adds most, again and again: at least a valid answer. Ties: the first."""
    stations: set[int] = set()
    points: set[int] = set()
    reached = np.zeros(len(gains))
    added = np.zeros(len(station_of), dtype=np.bool_)
    while True:
        allowed = np.array(
            [
                not done
                and (station in stations or len(stations) < max_stations)
                and (max_points is None or point in points or len(points) < max_points)
                for station, point, done in zip(
                    station_of.tolist(), point_of.tolist(), added.tolist(), strict=True
                )
            ]
        )
        if not allowed.any():
            break
        more = np.where(allowed, np.maximum(0.0, gains - reached[:, None]).sum(axis=0), -1.0)
        best = int(more.argmax())
        if more[best] <= 0.0:
            break
        added[best] = True
        stations.add(int(station_of[best]))
        points.add(int(point_of[best]))
        reached = np.maximum(reached, gains[:, best])
    stood = np.array(sorted(stations), dtype=np.int64)
    put = np.array(sorted(points), dtype=np.int64) if max_points is not None else np.zeros(0, dtype=np.int64)
    value = value_of(gains, station_of, point_of, stood, put if max_points is not None else None)
    return Choice(stood, put, value, float("inf"), False)


def _columns(
    choice: Choice,
    gains: npt.NDArray[np.float64],
    station_of: npt.NDArray[np.int64],
    point_of: npt.NDArray[np.int64],
    stations: int,
    points: int,
    incidents: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int64],
) -> list[float]:
    """A choice as the values of all columns."""
    values = np.zeros(stations + points + len(pairs))
    values[choice.stations] = 1.0
    values[stations + choice.points] = 1.0
    is_open = np.isin(station_of, choice.stations)
    if points:
        is_open &= np.isin(point_of, choice.points)
    best = np.where(is_open, gains, -1.0).argmax(axis=1)
    values[stations + points :] = is_open[pairs] & (best[incidents] == pairs)
    return [float(value) for value in values]


class _Rows:
    """Rows «sum ≤ bound», collected and given at once."""

    def __init__(self) -> None:
        self.starts: list[npt.NDArray[np.int64]] = []
        self.indices: list[npt.NDArray[np.int64]] = []
        self.values: list[npt.NDArray[np.float64]] = []
        self.bounds: list[npt.NDArray[np.float64]] = []
        self.length = 0

    def add_sum(self, columns: npt.NDArray[np.int64], bound: float) -> None:
        """The sum of ``columns`` is at most ``bound``."""
        self._add(np.array([0]), columns, np.ones(len(columns)), np.array([float(bound)]))

    def add_below(self, columns: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> None:
        """Each column is at most its other."""
        count = len(columns)
        both = np.column_stack([columns, others]).ravel()
        self._add(np.arange(0, 2 * count, 2), both, np.tile([1.0, -1.0], count), np.zeros(count))

    def _add(
        self,
        starts: npt.NDArray[np.int64],
        indices: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        bounds: npt.NDArray[np.float64],
    ) -> None:
        self.starts.append(starts + self.length)
        self.indices.append(indices)
        self.values.append(values)
        self.bounds.append(bounds)
        self.length += len(indices)

    def give(self, solver: highspy.Highs) -> None:
        """Add all rows to the model."""
        bounds = np.concatenate(self.bounds)
        _ok(
            solver.addRows(
                len(bounds),
                np.full(len(bounds), -highspy.kHighsInf),
                bounds,
                self.length,
                np.concatenate(self.starts).astype(np.int32),
                np.concatenate(self.indices).astype(np.int32),
                np.concatenate(self.values),
            )
        )


def _ok(status: highspy.HighsStatus) -> None:
    if status == highspy.HighsStatus.kError:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, "the solver refused the model")
