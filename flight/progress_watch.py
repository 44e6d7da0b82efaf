"""Whether a drone that flies its way comes nearer to its end.

Autopilots stop for reasons that they do not call failures: a take-off whose height is never quite reached, obstacle
avoidance in front of a crane, a corner that a headwind keeps out of reach, a mission that ran out. Nothing is then
wrong but that nothing happens, and the patient waits below a battery.
"""

from __future__ import annotations

import math

from flight.model.faults import LINK_STALE_AFTER_S, Fault, Finding
from flight.model.phases import Phase
from flight.model.view import VehicleView
from flight.planned_way import PlannedWay

WITHIN_S = 20.0
"""A corner is turned in 5 s, and into the strongest headwind that is flown 2 m/s are left: 40 m (chosen)."""
NEARER_M = 5.0
"""More than a position wanders in this time while the drone stands (chosen)."""
_MOVING = (Phase.CLIMBING, Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING)
_FROZEN_WITHIN_M = 1.0
_FROZEN_ABOVE_M_S = 1.0


class ProgressWatch:
    """One flight's. Time is an argument."""

    def __init__(self, way: PlannedWay) -> None:
        self._way = way
        self._on: tuple[Phase, int | None] | None = None
        self._nearest_m = math.inf
        self._since_s = 0.0
        self._since_xy: tuple[float, float] | None = None

    def findings(self, view: VehicleView, phase: Phase, now_s: float) -> list[Finding]:
        """At most one: no nearer to the end of the leg for :data:`WITHIN_S`."""
        left_m = self._way.to_end_of_leg_m(view) if phase in _MOVING else None
        if left_m is None or not view.heard_within(LINK_STALE_AFTER_S, now_s):
            self._on = None
            return []
        on = (phase, view.mission_seq)
        if on != self._on or left_m <= self._nearest_m - NEARER_M:
            # The next item is nearer to the end as well.
            self._on, self._nearest_m, self._since_s = on, left_m, now_s
            self._since_xy = self._xy(view)
            return []
        if now_s - self._since_s <= WITHIN_S or self._is_frozen(view):
            return []
        return [
            Finding(
                Fault.NO_PROGRESS,
                f"no nearer to the end of its leg, {left_m:.0f} m away, for {now_s - self._since_s:.0f} s",
            )
        ]

    def _is_frozen(self, view: VehicleView) -> bool:
        """A drone that says that it moves and repeats its place tells nothing about where it is: whether it comes
        nearer can't be known, and its mission brings it home."""
        velocity = (view.velocity_east_m_s, view.velocity_north_m_s, view.velocity_up_m_s)
        speed_m_s = math.hypot(*(each or 0.0 for each in velocity))
        here, before = self._xy(view), self._since_xy
        return (
            speed_m_s > _FROZEN_ABOVE_M_S
            and here is not None
            and before is not None
            and math.dist(here, before) < _FROZEN_WITHIN_M
        )

    def _xy(self, view: VehicleView) -> tuple[float, float] | None:
        if view.position is None:
            return None
        here = self._way.place(view.position)
        return here.east_m, here.north_m
