"""Following flights: every event of a drone is stored once, and moves its mission and its order."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

from sqlmodel import Session

from flight import messages as m
from flight.model.phases import AIRBORNE_PHASES, Phase, SafeState
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.narration import narrate, safe_state_zh
from hub_api.dispatch.order_states import OrderEvent
from hub_api.dispatch.planning import PLAN
from hub_api.dispatch.pre_emption import PRE_EMPTED, tell_pre_empted
from hub_api.store.records import MissionRecord, NewEvent
from hub_api.store.repositories import events, missions, orders, outbox

log = logging.getLogger(__name__)

_HOMEWARD = frozenset(
    {
        Phase.INBOUND,
        Phase.RETURNING,
        Phase.DIVERTING,
        Phase.AUTOPILOT_RETURN,
        Phase.LANDING,
        Phase.LANDING_HERE,
    }
)
_REPEATED = frozenset({"wind_reported", "report_state"})
"""Commands that every drone gets all the time; that it took them is worth no line in the record."""
_ONLY_LIVE = (m.PreflightChecked, m.VehicleState)
"""Told often and true only for a moment: kept in the fleet's live state, stored only with a flight."""


class FlightFollower:
    """Turns a flight's events into stored facts, inside a transaction given by the caller."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def take(self, session: Session, event: m.Event) -> Turn | None:
        """Store ``event`` and what follows from it; None if it concerns no order or is known already."""
        if events.known(session, event.event_id):
            return None
        settled = self._settle(session, event)
        mission = self._mission_of(session, event, settled)
        if mission is None:
            self._keep_without_order(session, event)
            return None
        turn = Turn(orders.get(session, mission.order_id))
        mission = self._advance(session, turn, mission, event)
        self._ledger.record(
            session,
            turn,
            event.kind,
            *narrate(event),
            data=_data_of(event),
            mission=mission,
            message_id=event.event_id,
            at=event.at,
        )
        return turn

    def close_by_hand(
        self, session: Session, mission: MissionRecord, safe_state: SafeState, reason: str, by: str
    ) -> Turn:
        """End a flight whose drone cannot tell its end any more; a person saw where it is."""
        turn = Turn(orders.get(session, mission.order_id))
        mission = self._end(
            session, turn, mission, safe_state, f"closed by hand: {reason}", self._ledger.now()
        )
        self._ledger.record(
            session,
            turn,
            "flight_closed_by_hand",
            f"{by} closed the flight of {mission.drone_id} by hand as {safe_state}: {reason}",
            f"{by} 手动结束 {mission.drone_id} 的飞行（{safe_state_zh(safe_state)}）：{reason}",
            mission=mission,
            data={"safe_state": str(safe_state), "reason": reason, "by": by},
        )
        return turn

    def _settle(self, session: Session, event: m.Event) -> outbox.Settled | None:
        if not isinstance(event, (m.CommandAccepted, m.CommandRefused)):
            return None
        outcome = "accepted" if isinstance(event, m.CommandAccepted) else "refused"
        return outbox.settle(session, event.command_id, outcome, self._ledger.now())

    def _mission_of(
        self, session: Session, event: m.Event, settled: outbox.Settled | None
    ) -> MissionRecord | None:
        flight_id = getattr(event, "flight_id", None)
        if flight_id is not None:
            return missions.short_by_flight(session, flight_id)
        if settled is not None and settled.mission_id is not None:
            return missions.find(session, settled.mission_id)
        return None

    def _keep_without_order(self, session: Session, event: m.Event) -> None:
        if isinstance(event, _ONLY_LIVE):
            return
        if isinstance(event, m.CommandAccepted) and event.command_kind in _REPEATED:
            return
        detail, detail_zh = narrate(event)
        events.append(
            session,
            NewEvent(
                message_id=event.event_id,
                at=event.at,
                stored_at=self._ledger.now(),
                kind=event.kind,
                flight_id=getattr(event, "flight_id", None),
                drone_id=event.drone_id,
                detail=detail,
                detail_zh=detail_zh,
                data=json.loads(m.encode(event)),
            ),
        )

    def _advance(self, session: Session, turn: Turn, mission: MissionRecord, event: m.Event) -> MissionRecord:
        current = turn.order.mission_id == mission.mission_id
        match event:
            case m.CommandAccepted(command_kind="fly_mission"):
                mission = missions.save(session, mission, accepted_at=event.at)
                if current:
                    self._ledger.apply(session, turn, OrderEvent.FLIGHT_ACCEPTED)
            case m.CommandRefused(command_kind="fly_mission") if mission.open and mission.accepted_at is None:
                mission = self._end(
                    session,
                    turn,
                    mission,
                    SafeState.NEVER_LEFT_GROUND,
                    "; ".join(reason.code for reason in event.reasons) or "refused",
                    event.at,
                )
            case m.PhaseChanged() | m.FlightResumed():
                mission = self._take_phase(session, turn, mission, event, current)
            case m.AedOnGround():
                mission = missions.save(session, mission, aed_on_ground_at=event.at)
                first = {"aed_on_ground_at": event.at} if turn.order.aed_on_ground_at is None else None
                self._ledger.apply(session, turn, OrderEvent.AED_ON_GROUND, also=first)
            case m.DeliveryFailed():
                mission = missions.save(session, mission, lost_at=event.at)
                # A flight that the hub took back on its pad frees its drone first: decided again at its end.
                if current and mission.withdrawn is None:
                    self._ledger.apply(session, turn, OrderEvent.DELIVERY_LOST)
            case m.FlightRerouted():
                mission = missions.save(
                    session,
                    mission,
                    plan=PLAN.dump_python(event.plan, mode="json"),
                    landing_point_id=event.plan.landing_point_id,
                )
            case m.FlightEnded() if mission.open:
                mission = self._end(session, turn, mission, event.safe_state, event.reason, event.at)
        return mission

    def _take_phase(
        self,
        session: Session,
        turn: Turn,
        mission: MissionRecord,
        event: m.PhaseChanged | m.FlightResumed,
        current: bool,
    ) -> MissionRecord:
        changes: dict[str, Any] = {"phase": str(event.phase)}
        if event.phase in AIRBORNE_PHASES and mission.airborne_at is None:
            # It took off before it heard that it was taken back: a flight like every other now.
            changes |= {"airborne_at": event.at, "withdrawn": None}
            if turn.order.airborne_at is None:
                self._ledger.change(session, turn, airborne_at=event.at)
        mission = missions.save(session, mission, **changes)
        if not current:
            return mission
        if event.phase in AIRBORNE_PHASES:
            self._ledger.apply(session, turn, OrderEvent.TAKEN_OFF)
        if event.phase in (Phase.LOWERING, Phase.TOUCHING_DOWN):
            self._ledger.apply(session, turn, OrderEvent.LOWERING)
        if event.phase in _HOMEWARD:
            self._ledger.apply(session, turn, OrderEvent.TURNED_HOME)
        return mission

    def _end(
        self,
        session: Session,
        turn: Turn,
        mission: MissionRecord,
        safe_state: SafeState,
        reason: str,
        at: datetime,
    ) -> MissionRecord:
        """The flight is over: its drone is free, its commands are owed no more."""
        changes: dict[str, Any] = {
            "ended_at": at,
            "safe_state": str(safe_state),
            "end_reason": reason,
            "phase": str(Phase.ENDED),
        }
        if mission.aed_on_ground_at is None and mission.lost_at is None:
            changes["lost_at"] = at
        mission = missions.save(session, mission, **changes)
        missions.release_drone(session, mission.mission_id)
        outbox.settle_of_mission(session, mission.mission_id, "flight_over", self._ledger.now())
        if mission.withdrawn == PRE_EMPTED:
            tell_pre_empted(self._ledger, session, turn, mission)
        elif mission.withdrawn is not None:
            turn.freed = mission.drone_id
        if mission.aed_on_ground_at is None and turn.order.mission_id == mission.mission_id:
            self._ledger.apply(session, turn, OrderEvent.DELIVERY_LOST)
        self._ledger.close_if_flights_ended(session, turn)
        return mission


def _data_of(event: m.Event) -> dict[str, Any]:
    """The event as it is told; a new plan goes to the mission and is only named here."""
    data: dict[str, Any] = json.loads(m.encode(event))
    if isinstance(event, m.FlightRerouted):
        data["plan"] = {"plan_id": event.plan.plan_id, "landing_point_id": event.plan.landing_point_id}
    return data
