"""Whose drones may be taken, and whose are being taken, as decisions see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hub_api.dispatch.fleet import DroneView
from planner.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """An order's flight that has not taken off, and may have to give its drone. ``proposed``: nothing is commanded."""

    order_id: str
    mission_id: str
    flight_id: str
    drone_id: str
    severity: str
    drill: bool
    proposed: bool
    pre_empted: int
    """How often the order was pre-empted before."""


@dataclass(frozen=True, slots=True)
class Sky:
    """``claims``: drone → the order that it is called back for; ``waiting``: orders that wait for theirs."""

    displaceable: tuple[Victim, ...]
    claims: Mapping[str, str]
    waiting: frozenset[str]

    def unclaimed(self, views: tuple[DroneView, ...], order_id: str) -> tuple[DroneView, ...]:
        """The fleet for one order: a drone that is called back for another is not to be had."""
        others = {drone_id for drone_id, taker in self.claims.items() if taker != order_id}
        if not others:
            return views
        return tuple(
            replace(view, ready=False, not_ready=(_CLAIMED, *view.not_ready))
            if view.drone.drone_id in others
            else view
            for view in views
        )


_CLAIMED = Reason("claimed", "it is called back for a more urgent order", "正被召回以服务更紧急的订单")
