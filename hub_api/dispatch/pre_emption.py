"""A more urgent order may take the drone of a less urgent one that has not taken off.

A drone in the air is never taken: its AED is on the way to somebody. One that is only proposed is free at once. One
that was commanded is called back on condition that it still stands on its pad, and the urgent order is decided when
it says that it does; if it has taken off it flies on, and the urgent order is decided without it. An order is pre-empted
so often and no more, is told each time, and is decided again at once. A drill gives way to everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlmodel import Session

from core.ids import IdSource
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.non_flights import NO_DRONE_HELPS
from hub_api.dispatch.order_states import OrderEvent, OrderState
from hub_api.dispatch.planning import Answer
from hub_api.dispatch.sky import Sky, Victim
from hub_api.dispatch.traffic import OpenFlight
from hub_api.store.records import MissionRecord, OrderRecord, PreEmptionRecord
from hub_api.store.repositories import missions, orders, pre_emptions

__all__ = ["PRE_EMPTED", "PreEmption", "PreEmptionPolicy", "Sky", "Victim", "VictimGone"]

PRE_EMPTED = "pre_empted"
_DISPLACEABLE = frozenset({OrderState.AWAITING_APPROVAL, OrderState.DECIDED, OrderState.LAUNCHING})


class VictimGone(Exception):
    """The other order's flight has changed since the decision was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreEmptionPolicy:
    """Who may take from whom. ``gain_s``: how much sooner the AED must be there where a free drone would fly too."""

    may_take_from: Mapping[str, frozenset[str]]
    gain_s: float
    limit: int
    wait_s: float

    def allows(self, taker: OrderRecord, victim: Victim) -> bool:
        if victim.order_id == taker.order_id or (taker.drill and not victim.drill):
            return False
        if taker.needs_approval and not victim.proposed:
            # Nobody has said yes to the urgent flight: nothing that is being launched is stopped for it.
            return False
        if victim.drill and not taker.drill:
            return True
        return victim.pre_empted < self.limit and victim.severity in self.may_take_from.get(
            taker.severity, frozenset()
        )


class PreEmption:
    """Finds and displaces flights for more urgent orders; used by the decisions.

    ``displaced`` is called after the commit with whoever lost, or will lose, a drone.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        ids: IdSource,
        policy: PreEmptionPolicy,
        displaced: Callable[[Victim], None],
    ) -> None:
        self._ledger = ledger
        self._ids = ids
        self._policy = policy
        self.displaced = displaced

    def look(self, session: Session) -> Sky:
        """What decisions need to know of it, at one moment."""
        claims, waiting = pre_emptions.claims(session)
        return Sky(pre_emptions.displaceable(session, _DISPLACEABLE), claims, waiting)

    def victims(self, order: OrderRecord, sky: Sky, answer: Answer) -> tuple[Victim, ...]:
        """Whose drones are worth a second look for this order."""
        if answer.plan is None and any(reason.code in NO_DRONE_HELPS for reason in answer.reasons):
            return ()
        if answer.plan is not None and _patient_s(answer) <= self._policy.gain_s:
            return ()
        return tuple(victim for victim in sky.displaceable if self._policy.allows(order, victim))

    def as_if(
        self,
        views: tuple[DroneView, ...],
        flights: Sequence[OpenFlight],
        victims: tuple[Victim, ...],
        unreserved: Callable[[str], DroneView | None],
    ) -> tuple[tuple[DroneView, ...], tuple[OpenFlight, ...]]:
        """Fleet and traffic as they would be without those flights. ``unreserved``: a drone as if it had no mission."""
        by_drone = {victim.drone_id: victim for victim in victims}
        gone = {victim.flight_id for victim in victims}
        free = tuple(
            view
            if (victim := by_drone.get(view.drone.drone_id)) is None
            # A drone that is only proposed stands by, and would fly in this very decision: its own checks count. One
            # that is commanded prepares; it is called back first, and its checks are waited for.
            else _freed(view, unreserved(victim.drone_id) if victim.proposed else None)
            for view in views
        )
        return free, tuple(flight for flight in flights if flight.flight_id not in gone)

    def choose(self, answer: Answer, instead: Answer, victims: tuple[Victim, ...]) -> Victim | None:
        """Whose drone is taken: that of the better answer, if it is so much better."""
        if instead.plan is None:
            return None
        if answer.plan is not None and _patient_s(answer) - _patient_s(instead) < self._policy.gain_s:
            return None
        drone_id = instead.plan.drone_id
        return next((victim for victim in victims if victim.drone_id == drone_id), None)

    def displace(self, session: Session, turn: Turn, victim: Victim) -> bool:
        """Take the drone. True: it is free in this very transaction; False: it is being called back.

        Raises :class:`VictimGone` where the flight is not what it was.
        """
        other = orders.get(session, victim.order_id)
        mission = missions.find(session, victim.mission_id)
        if (
            mission is None
            or not mission.open
            or mission.airborne_at is not None
            or mission.withdrawn is not None
            or other.state not in _DISPLACEABLE
            or other.mission_id != mission.mission_id
            or (mission.commanded_at is None) != victim.proposed
        ):
            raise VictimGone
        if victim.proposed:
            lost = Turn(other)
            mission = self._ledger.withdraw(session, mission, PRE_EMPTED)
            self._ledger.apply(session, lost, OrderEvent.WITHDRAWN)
            tell_pre_empted(self._ledger, session, lost, mission)
            return True
        self._call_back(session, turn, Turn(other), mission)
        return False

    def _call_back(self, session: Session, turn: Turn, lost: Turn, mission: MissionRecord) -> None:
        now = self._ledger.now()
        command = self._ledger.abort_of(
            mission, "its drone is needed for a more urgent order", only_on_ground=True
        )
        missions.save(session, mission, withdrawn=PRE_EMPTED)
        self._ledger.owe_command(session, command, mission)
        pre_emptions.insert(
            session,
            PreEmptionRecord(
                pre_emption_id=self._ids.new("pre"),
                taker_order_id=turn.order.order_id,
                victim_order_id=lost.order.order_id,
                victim_mission_id=mission.mission_id,
                drone_id=mission.drone_id,
                abort_id=command.command_id,
                at=now,
                until=now + timedelta(seconds=self._policy.wait_s),
            ),
        )
        data = {"taker_order_id": turn.order.order_id, "victim_order_id": lost.order.order_id}
        self._ledger.record(
            session,
            turn,
            "pre_emption_begun",
            f"{mission.drone_id} is called back on its pad for this order; it is decided when the drone stands free",
            f"正在停机坪召回 {mission.drone_id} 以服务本订单，就绪后立即决定",
            data=data | {"drone_id": mission.drone_id},
        )
        self._ledger.record(
            session,
            lost,
            "pre_emption_asked",
            f"A more urgent order needs {mission.drone_id}: it is called back if it still stands on its pad",
            f"更紧急的订单需要 {mission.drone_id}：如尚未起飞则召回",
            mission=mission,
            data=data,
            tell=True,
        )


def tell_pre_empted(ledger: Ledger, session: Session, turn: Turn, mission: MissionRecord) -> None:
    """Write into an order that its drone went to a more urgent one, and count it."""
    count = turn.order.pre_empted + 1
    ledger.change(session, turn, pre_empted=count)
    ledger.record(
        session,
        turn,
        PRE_EMPTED,
        f"{mission.drone_id} serves a more urgent order; another drone is chosen",
        f"{mission.drone_id} 改为服务更紧急的订单，正在另选无人机",
        mission=mission,
        data={"pre_empted": count},
        tell=True,
    )


def _freed(view: DroneView, alone: DroneView | None) -> DroneView:
    """The drone as if nothing were ordered of it; what its care or its radio speaks against it stays. ``alone``: what
    it says of itself counts too."""
    left = tuple(reason for reason in view.not_ready if reason.code != "on_mission")
    if alone is not None:
        left += tuple(reason for reason in alone.not_ready if reason not in left)
    return replace(view, ready=not left, not_ready=left, mission_id=None)


def _patient_s(answer: Answer) -> float:
    assert answer.plan is not None
    return answer.delay_s + answer.plan.timing.time_to_patient_s
