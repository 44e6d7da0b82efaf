"""When each zone of an airspace applies, ready to be asked for many zones at once.

Calendars are evaluated for a horizon of a few days and kept; a later question outside the horizon
computes a new one. The cached value is replaced as a whole, so threads may share an airspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from geofences.applicability import Applicability, TimeWindow
from geofences.intervals import Intervals, intersect
from geofences.model import Restriction, Zone
from geofences.schedule import Bounds, activity, window_us

_HORIZON = timedelta(days=2)
"""Chosen: dispatch asks about the next minutes; two days on each side make recomputing rare."""


@dataclass(frozen=True, slots=True)
class _Horizon:
    low_us: float
    high_us: float
    by_zone: dict[int, Intervals]
    zone_index: npt.NDArray[np.int64]
    start_us: npt.NDArray[np.float64]
    end_us: npt.NDArray[np.float64]


class Timeline:
    """Activity of numbered zones."""

    def __init__(self, zones: Sequence[Zone], bounds: Sequence[Bounds]) -> None:
        self._zones = zones
        self._bounds = bounds
        self.permanent = np.fromiter(
            (zone.applicability.permanent for zone in zones), dtype=bool, count=len(zones)
        )
        self._limited = np.flatnonzero(~self.permanent)
        self._horizon: _Horizon | None = None

    def intervals(self, zone_index: int, window: TimeWindow) -> Intervals:
        """The moments of ``window`` at which the zone applies, POSIX microseconds."""
        asked = window_us(window)
        if self.permanent[zone_index]:
            return asked
        return intersect(self._cover(window).by_zone[zone_index], asked)

    def active(self, window: TimeWindow) -> npt.NDArray[np.bool_]:
        """For every zone, whether it applies at any moment of ``window``."""
        result = self.permanent.copy()
        if len(self._limited):
            horizon = self._cover(window)
            ((low_us, high_us),) = window_us(window)
            meets = (horizon.start_us <= high_us) & (horizon.end_us >= low_us)
            result[horizon.zone_index[meets]] = True
        return result

    def active_throughout(self, window: TimeWindow) -> npt.NDArray[np.bool_]:
        """For every zone, whether it applies at all moments of ``window``."""
        result = self.permanent.copy()
        if len(self._limited):
            horizon = self._cover(window)
            ((low_us, high_us),) = window_us(window)
            holds = (horizon.start_us <= low_us) & (horizon.end_us >= high_us)
            result[horizon.zone_index[holds]] = True
        return result

    def _cover(self, window: TimeWindow) -> _Horizon:
        ((low_us, high_us),) = window_us(window)
        horizon = self._horizon
        if horizon is None or low_us < horizon.low_us or high_us > horizon.high_us:
            horizon = self._evaluate(TimeWindow(window.start - _HORIZON, window.end + _HORIZON))
            self._horizon = horizon
        return horizon

    def _evaluate(self, window: TimeWindow) -> _Horizon:
        by_zone: dict[int, Intervals] = {}
        known: dict[tuple[Applicability, Bounds | None, bool], Intervals] = {}
        for index in self._limited.tolist():
            zone = self._zones[index]
            outwards = zone.restriction is not Restriction.KEEP_IN
            bounds = self._bounds[index]
            key = (zone.applicability, bounds if zone.applicability.solar else None, outwards)
            if key not in known:
                known[key] = activity(zone.applicability, window, bounds, outwards=outwards)
            by_zone[index] = known[key]
        flat = [(index, low, high) for index, parts in by_zone.items() for low, high in parts]
        table = np.array(flat, dtype=np.float64).reshape(-1, 3)
        ((low_us, high_us),) = window_us(window)
        return _Horizon(
            low_us, high_us, by_zone, table[:, 0].astype(np.int64), table[:, 1].copy(), table[:, 2].copy()
        )
