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
from geofences.schedule import Bounds, activity, from_us, window_us

_HORIZON = timedelta(days=2)
"""Chosen: dispatch asks about the next minutes; two days on each side make recomputing rare."""


@dataclass(frozen=True, slots=True)
class _Horizon:
    low_us: float
    high_us: float
    by_zone: dict[str, tuple[Zone, Intervals]]
    zone_index: npt.NDArray[np.int64]
    start_us: npt.NDArray[np.float64]
    end_us: npt.NDArray[np.float64]


class Timeline:
    """Activity of numbered zones."""

    def __init__(self, zones: Sequence[Zone], bounds: Sequence[Bounds]) -> None:
        permanent = np.fromiter(
            (zone.applicability.permanent for zone in zones), dtype=bool, count=len(zones)
        )
        self._fill(zones, bounds, permanent, None)

    def _fill(
        self,
        zones: Sequence[Zone],
        bounds: Sequence[Bounds],
        permanent: npt.NDArray[np.bool_],
        horizon: _Horizon | None,
    ) -> None:
        self._zones = zones
        self._bounds = bounds
        self.permanent = permanent
        self._limited = np.flatnonzero(~permanent)
        self._horizon = None if horizon is None else self._evaluate(horizon)
        self._last: tuple[Intervals, npt.NDArray[np.bool_]] | None = None

    def replaced(self, zones: Sequence[Zone], bounds: Sequence[Bounds], index: int, last: int) -> Timeline:
        """A timeline of ``zones``, which differ from this one's in what is in place of ``index`` up to
        ``last``. Calendars of the others are kept."""
        count = len(zones) - len(self._zones) + last - index
        changed = np.array(
            [zone.applicability.permanent for zone in zones[index : index + count]], dtype=bool
        )
        permanent = np.concatenate([self.permanent[:index], changed, self.permanent[last:]])
        result = object.__new__(Timeline)
        result._fill(zones, bounds, permanent, self._horizon)
        return result

    def intervals(self, zone_index: int, window: TimeWindow) -> Intervals:
        """The moments of ``window`` at which the zone applies, POSIX microseconds."""
        asked = window_us(window)
        if self.permanent[zone_index]:
            return asked
        return intersect(self._cover(window).by_zone[self._zones[zone_index].zone_id][1], asked)

    def active(self, window: TimeWindow) -> npt.NDArray[np.bool_]:
        """For every zone, whether it applies at any moment of ``window``; not to be changed."""
        if not len(self._limited):
            return self.permanent
        asked, last = window_us(window), self._last
        if last is not None and last[0] == asked:
            # A flight asks several times about its window.
            return last[1]
        horizon = self._cover(window)
        ((low_us, high_us),) = asked
        result = self.permanent.copy()
        meets = (horizon.start_us <= high_us) & (horizon.end_us >= low_us)
        result[horizon.zone_index[meets]] = True
        result.flags.writeable = False
        self._last = asked, result
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
            ((first_us, last_us),) = window_us(TimeWindow(window.start - _HORIZON, window.end + _HORIZON))
            nothing = np.empty(0)
            horizon = self._evaluate(
                _Horizon(first_us, last_us, {}, nothing.astype(np.int64), nothing, nothing)
            )
            self._horizon = horizon
        return horizon

    def _evaluate(self, known: _Horizon) -> _Horizon:
        """The horizon of ``known`` for this timeline's zones; what is known of the same zones is kept."""
        window = TimeWindow(from_us(int(known.low_us)), from_us(int(known.high_us)))
        by_zone: dict[str, tuple[Zone, Intervals]] = {}
        evaluated: dict[tuple[Applicability, Bounds | None, bool], Intervals] = {}
        for index in self._limited.tolist():
            zone = self._zones[index]
            before = known.by_zone.get(zone.zone_id)
            if before is not None and before[0] is zone:
                by_zone[zone.zone_id] = before
                continue
            outwards = zone.restriction is not Restriction.KEEP_IN
            bounds = self._bounds[index]
            key = (zone.applicability, bounds if zone.applicability.solar else None, outwards)
            if key not in evaluated:
                evaluated[key] = activity(zone.applicability, window, bounds, outwards=outwards)
            by_zone[zone.zone_id] = (zone, evaluated[key])
        flat = [
            (index, low, high)
            for index in self._limited.tolist()
            for low, high in by_zone[self._zones[index].zone_id][1]
        ]
        table = np.array(flat, dtype=np.float64).reshape(-1, 3)
        return _Horizon(
            known.low_us,
            known.high_us,
            by_zone,
            table[:, 0].astype(np.int64),
            table[:, 1].copy(),
            table[:, 2].copy(),
        )
