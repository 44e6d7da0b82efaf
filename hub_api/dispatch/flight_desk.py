"""What drones tell of their flights, or do not tell: stored, and followed up in their orders."""

from __future__ import annotations

from collections.abc import Callable

from sqlmodel import Session

from core.errors import DispatchError, ErrorCode
from flight.messages import Event, FlightRerouted
from flight.model.phases import SafeState
from hub_api.dispatch.flights import FlightFollower
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.narration import command_zh
from hub_api.dispatch.order_states import OrderEvent
from hub_api.store.database import Database
from hub_api.store.records import MissionRecord, OutboxRecord
from hub_api.store.repositories import missions, orders, outbox


class FlightDesk:
    """Takes events of drones, silence of drones, and a person's word about a flight that can't tell its end.

    ``follow_up`` is called after the commit; ``forget_plan`` when a flight follows another plan.
    """

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        follow_up: Callable[[Turn], None],
        forget_plan: Callable[[str], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._follower = FlightFollower(ledger)
        self._follow_up = follow_up
        self._forget_plan = forget_plan

    async def take_event(self, event: Event) -> None:
        """Store what a drone tells, and do what follows."""
        turn = await self._database.write(lambda session: self._follower.take(session, event))
        if isinstance(event, FlightRerouted):
            self._forget_plan(event.flight_id)
        if turn is not None:
            self._follow_up(turn)

    async def close_flight(
        self, flight_id: str, *, safe_state: SafeState, reason: str, by: str, reporting: Callable[[str], bool]
    ) -> MissionRecord:
        """End a flight by hand: its drone lost its memory and will never say how it ended.

        ``reporting(drone_id)`` says whether the drone itself still speaks of a flight. Raises 4005 unknown,
        4004 if the flight has ended or its drone reports it.
        """

        def work(session: Session) -> tuple[Turn, MissionRecord]:
            mission = missions.find_by_flight(session, flight_id)
            if mission is None:
                raise DispatchError(
                    ErrorCode.RESOURCE_UNKNOWN, f"there is no flight {flight_id[:60]!r} · 没有该次飞行"
                )
            if not mission.open:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED, f"the flight ended as {mission.safe_state} · 飞行已结束"
                )
            if mission.commanded_at is None:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    "the flight is only proposed; refuse it instead · 该飞行仅为建议，请拒绝",
                )
            if reporting(mission.drone_id):
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    f"{mission.drone_id} still reports a flight; command it instead · 无人机仍在报告飞行",
                )
            turn = self._follower.close_by_hand(session, mission, safe_state, reason, by)
            session.expire_all()
            ended = missions.find_by_flight(session, flight_id)
            assert ended is not None
            return turn, ended

        turn, ended = await self._database.write(work)
        self._follow_up(turn)
        return ended

    async def command_unanswered(self, command: OutboxRecord) -> None:
        """A drone does not answer: its flight is given up, and another drone is asked."""

        def work(session: Session) -> Turn | None:
            mission = missions.find(session, command.mission_id) if command.mission_id else None
            if mission is None or not mission.open:
                return None
            turn = Turn(orders.get(session, mission.order_id))
            if command.kind != "fly_mission":
                self._ledger.record(
                    session,
                    turn,
                    "command_unanswered",
                    f"{command.drone_id} does not answer {command.kind}; it is sent again and again",
                    f"{command.drone_id} 未应答{command_zh(command.kind)}，持续重发",
                    mission=mission,
                )
                return turn
            now = self._ledger.now()
            if outbox.settle(session, command.message_id, "unanswered", now) is None:
                return None
            missions.save(session, mission, lost_at=now)
            # It may have taken the command and only its answer is missing: it must not fly as well.
            self._ledger.owe_command(
                session, self._ledger.abort_of(mission, "the flight command was not answered"), mission
            )
            if turn.order.mission_id == mission.mission_id:
                self._ledger.apply(session, turn, OrderEvent.DELIVERY_LOST)
            self._ledger.record(
                session,
                turn,
                "command_unanswered",
                f"{command.drone_id} did not answer its flight command; it is called back",
                f"{command.drone_id} 未应答飞行任务，已发出召回",
                mission=mission,
            )
            return turn

        turn = await self._database.write(work)
        if turn is not None:
            self._follow_up(turn)
