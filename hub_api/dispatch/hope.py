"""Which drones may still come for an order that lost its own, and what each of them needs for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.order_states import OrderState
from hub_api.store.records import MissionRecord
from hub_api.store.repositories import missions, orders

RELOADING_S = 60.0
"""Chosen: a person at the station loads another AED and confirms it in no less."""
_PASSING = frozenset({"on_mission", "not_standby", "claimed"})
"""What keeps a drone from flying and ends by itself. A drone that is silent, or that people keep on the ground, is no
reason to wait."""
_RECALLED = frozenset({OrderState.CANCELLING, OrderState.FAILING})


@dataclass(frozen=True, slots=True)
class Hope:
    """Drones that can't fly now.

    ``by_itself``: they may be ready without anybody's doing. ``with_another_aed``: they serve another patient and come
    home empty; they count only once people have loaded another AED, at the given moment by plan at the earliest (None:
    no plan of that flight is known yet).
    """

    by_itself: tuple[str, ...] = ()
    with_another_aed: Mapping[str, datetime | None] = field(default_factory=dict)

    def until(self, moment: datetime) -> Hope:
        """What of it may come true before a moment."""
        in_time = {
            drone_id: at
            for drone_id, at in self.with_another_aed.items()
            if at is None or at + timedelta(seconds=RELOADING_S) <= moment
        }
        return Hope(self.by_itself, in_time)

    def __bool__(self) -> bool:
        return bool(self.by_itself or self.with_another_aed)


NO_HOPE = Hope()


def hope_of(views: Iterable[DroneView], empty: Mapping[str, datetime]) -> Hope:
    """``empty``: drones whose flight hands its AED over or has done so, and when they are home by plan."""
    by_itself: list[str] = []
    with_another: dict[str, datetime | None] = {}
    for view in views:
        if view.ready or any(reason.code not in _PASSING for reason in view.not_ready):
            continue
        drone_id = view.drone.drone_id
        if drone_id in empty:
            with_another[drone_id] = empty[drone_id]
        elif any(reason.code == "claimed" for reason in view.not_ready):
            # It is called back for somebody else, and flies for them.
            with_another[drone_id] = None
        else:
            by_itself.append(drone_id)
    return Hope(tuple(by_itself), with_another)


def coming_home_empty(session: Session, reserved: Mapping[str, str]) -> dict[str, datetime]:
    """drone_id → when it is home by its plan, of every taken drone whose AED stays with a patient as things stand."""
    found = {}
    for drone_id, mission_id in reserved.items():
        mission = missions.find(session, mission_id)
        if mission is not None and _leaves_its_aed(session, mission):
            begun = mission.accepted_at or mission.commanded_at or mission.created_at
            found[drone_id] = begun + timedelta(seconds=mission.plan["timing"]["total_s"])
    return found


def _leaves_its_aed(session: Session, mission: MissionRecord) -> bool:
    if mission.aed_on_ground_at is not None:
        return True
    if mission.commanded_at is None or mission.lost_at is not None or mission.withdrawn is not None:
        # Only proposed, or on its way home with its AED.
        return False
    return orders.get(session, mission.order_id).state not in _RECALLED
