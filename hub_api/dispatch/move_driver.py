"""Bringing a drone under way to a patient who moved.

It stops (on the pad it is called off), and gets a proved way from where it stands, or goes on to where it was going if
that is still near enough, or comes home so that another one is sent. A person who diverts the flight goes first: the
drone is told when that is seen through. What is to be done is read from the store at every step, so that a hub that was
killed in the middle takes it up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from core.clock import Clock
from core.ids import IdSource
from core.spans import span, span_zh
from flight.messages import PatientMoved, RerouteFlight
from flight.model.phases import Phase
from hub_api.dispatch.airborne_planning import AirbornePlanning, Whereabouts
from hub_api.dispatch.fleet import DroneView, Fleet
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.planning import PLAN, listed, reason_json
from hub_api.dispatch.steering import (
    MOST_TRIES,
    REFUSED_EVERY_WAY,
    stands_still,
    until_settled,
    whereabouts_of,
)
from hub_api.dispatch.ways import Ways
from hub_api.logs import bind
from hub_api.store.database import Database
from hub_api.store.records import MissionRecord, MoveRecord, OrderRecord
from hub_api.store.repositories import diversions, missions, moves, orders, outbox
from planner.flight_plan import FlightPlan
from planner.reasons import Reason

TELL_AGAIN_S = 10.0
"""Chosen: a drone that accepted the notice and still flies on was changing its mission just then."""
WITHDRAWN = "patient_moved"
UNDER_WAY = (OrderState.DECIDED, OrderState.LAUNCHING, OrderState.AIRBORNE)
"""States of an order whose drone can still go elsewhere."""
UNDER_ANOTHER_COMMAND = (Phase.HOLDING, Phase.REROUTING)
"""A person holds it, or it changes its mission: it is told afterwards."""

Outcome = Literal["rerouted", "called_off", "too_late", "kept_on", "sent_home", "flight_over", "superseded"]


class MoveDriver:
    """Sees every move through."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        ids: IdSource,
        clock: Clock,
        fleet: Fleet,
        ways: Ways,
        planning: AirbornePlanning,
        spawn: Callable[[Coroutine[Any, Any, object]], asyncio.Task[Any]],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._ids = ids
        self._clock = clock
        self._fleet = fleet
        self._ways = ways
        self._planning = planning
        self._spawn = spawn
        self._driven: set[str] = set()

    def begin(self, move_id: str) -> None:
        """A move is stored: bring the drone there."""
        if move_id not in self._driven:
            self._driven.add(move_id)
            self._spawn(self._drive(move_id))

    async def resume(self) -> None:
        """Take up what is under way and nobody drives: after a start, or where nobody heard that it was stored."""
        for move in await self._database.read(moves.open_moves):
            self.begin(move.move_id)

    async def _drive(self, move_id: str) -> None:
        await until_settled(lambda: self._look(move_id), self._clock, f"the move {move_id}")
        self._driven.discard(move_id)

    async def _look(self, move_id: str) -> bool:
        """One step; True once it is settled."""

        def read(
            session: Session,
        ) -> tuple[MoveRecord, MissionRecord, OrderRecord, str | None, str | None, bool]:
            move = moves.find(session, move_id)
            assert move is not None
            mission = missions.find(session, move.mission_id)
            assert mission is not None
            answered = outbox.outcome_of(session, move.notice_id)
            rerouted = None if move.reroute_id is None else outbox.outcome_of(session, move.reroute_id)
            diverted = bool(diversions.open_diversions(session, flight_id=move.flight_id))
            return move, mission, orders.get(session, move.order_id), answered, rerouted, diverted

        move, mission, order, told, rerouted, diverted = await self._database.read(read)
        bind(order.order_id)
        if move.settled_at is not None:
            return True
        if move.plan_id is not None and mission.plan.get("plan_id") == move.plan_id:
            return await self._settle(move, mission, "rerouted")
        if not mission.open or mission.lost_at is not None:
            off = mission.withdrawn == WITHDRAWN and mission.airborne_at is None
            return await self._settle(move, mission, "called_off" if off else "flight_over")
        if mission.aed_on_ground_at is not None or order.state is OrderState.DELIVERING:
            return await self._settle(move, mission, "too_late")
        if order.state not in UNDER_WAY:
            return await self._settle(move, mission, "flight_over")
        view = self._fleet.view(mission.drone_id, {})
        if move.notice_id == moves.NOT_TOLD:
            busy = diverted or view is None or view.phase in UNDER_ANOTHER_COMMAND
            return not busy and await self._tell_now(move, mission, order)
        if told is None:
            return False
        if told == "refused":
            return await self._settle(move, mission, "too_late")
        if view is None:
            return False
        if view.phase is Phase.STANDING_OFF and (move.reroute_id is None or rerouted == "refused"):
            if stands_still(view, move.told_at, self._clock.now(), (Phase.STANDING_OFF,)):
                await self._send_way(move, mission, order, view)
            return False
        if move.reroute_id is not None and rerouted != "refused":
            # It flies the new way, or will say that it does not. Told again it would stop for a way that nobody makes.
            return False
        waited_s = (self._clock.now() - move.told_at).total_seconds()
        if view.phase in _ON_THE_WAY and waited_s > TELL_AGAIN_S:
            await self._tell_again(move, mission)
        return False

    async def _send_way(
        self, move: MoveRecord, mission: MissionRecord, order: OrderRecord, view: DroneView
    ) -> None:
        """The drone stands: give it a way, or let it go on or home."""
        where = whereabouts_of(order, self._clock.now())
        found: FlightPlan | tuple[Reason, ...]
        if move.tries >= MOST_TRIES:
            found = (REFUSED_EVERY_WAY,)
        else:
            plan = PLAN.validate_python(mission.plan)
            found = await self._ways.find(mission.flight_id, where, view, plan)
        if isinstance(found, FlightPlan):
            await self._send(move, mission, found)
        else:
            await self._fall_back(move, mission, found, where)

    async def _send(self, move: MoveRecord, mission: MissionRecord, plan: FlightPlan) -> None:
        command = RerouteFlight(
            command_id=self._ids.new("cmd"),
            drone_id=mission.drone_id,
            flight_id=mission.flight_id,
            issued_at=self._clock.now(),
            plan=plan,
            reason=f"the patient moved: {move.reason}",
        )

        def work(session: Session) -> None:
            current = moves.find_open(session, move.move_id)
            if current is None:
                return
            moves.save(
                session,
                current,
                reroute_id=command.command_id,
                plan_id=plan.plan_id,
                tries=current.tries + 1,
            )
            self._ledger.owe_command(session, command, mission)
            self._ledger.record(
                session,
                Turn(orders.get(session, move.order_id)),
                "move_rerouting",
                f"{mission.drone_id} gets another way, to {plan.landing_point_id}: AED on the ground in "
                f"{span(plan.timing.time_to_aed_on_ground_s)}",
                f"{mission.drone_id} 改航至 {plan.landing_point_id}："
                f"预计 {span_zh(plan.timing.time_to_aed_on_ground_s)}后 AED 落地",
                mission=mission,
                data={
                    "plan_id": plan.plan_id,
                    "landing_point_id": plan.landing_point_id,
                    "eta_aed_on_ground_s": plan.timing.time_to_aed_on_ground_s,
                    "eta_patient_s": plan.timing.time_to_patient_s,
                },
                tell=True,
            )

        await self._database.write(work)

    async def _fall_back(
        self, move: MoveRecord, mission: MissionRecord, why: tuple[Reason, ...], where: Whereabouts
    ) -> None:
        """No way from here: on to where it was going if that still helps, else home, and another drone flies."""
        near = self._planning.serves(mission.landing_point_id, where)
        command = (
            self._ledger.go_on_of(mission)
            if near
            else self._ledger.abort_of(mission, "it cannot serve the new place")
        )
        said, said_zh = listed(why)
        then = f"it goes on to {mission.landing_point_id}" if near else "it comes home, another drone is sent"
        then_zh = f"继续飞往 {mission.landing_point_id}" if near else "返航并另派无人机"

        def work(session: Session) -> None:
            current = moves.find_open(session, move.move_id)
            if current is None:
                return
            self._ledger.owe_command(session, command, mission)
            outcome = "kept_on" if near else "sent_home"
            moves.save(session, current, settled_at=self._ledger.now(), outcome=outcome)
            self._ledger.record(
                session,
                Turn(orders.get(session, move.order_id)),
                "move_not_served",
                f"{mission.drone_id} finds no way to the new place: {said}; {then}",
                f"{mission.drone_id} 无法改航至新位置：{said_zh}；{then_zh}",
                mission=mission,
                data={"outcome": outcome, "reasons": [reason_json(reason) for reason in why]},
                tell=True,
            )

        await self._database.write(work)

    async def _tell_now(self, move: MoveRecord, mission: MissionRecord, order: OrderRecord) -> bool:
        """The person's command is seen through: True where the flight stays with the place that it has."""
        where = whereabouts_of(order, self._clock.now())
        point = mission.landing_point_id
        chosen = await self._database.read(lambda s: diversions.chosen_point(s, mission.flight_id))
        if self._planning.nearest(where) == point or (
            chosen == point and self._planning.serves(point, where)
        ):
            return await self._settle(move, mission, "kept_on")
        await self._tell_again(move, mission)
        return False

    async def _tell_again(self, move: MoveRecord, mission: MissionRecord) -> None:
        notice = notice_of(mission, move.reason, self._ids.new("cmd"), self._clock.now())

        def work(session: Session) -> None:
            current = moves.find_open(session, move.move_id)
            if current is None:
                return
            moves.save(session, current, notice_id=notice.command_id, told_at=self._ledger.now())
            self._ledger.owe_command(session, notice, mission)

        await self._database.write(work)

    async def _settle(self, move: MoveRecord, mission: MissionRecord, outcome: Outcome) -> bool:
        said = _SETTLED.get(outcome)

        def work(session: Session) -> None:
            current = moves.find_open(session, move.move_id)
            if current is None:
                return
            moves.save(session, current, settled_at=self._ledger.now(), outcome=outcome)
            if said is not None:
                self._ledger.record(
                    session,
                    Turn(orders.get(session, move.order_id)),
                    "move_settled",
                    said[0].format(drone=mission.drone_id, point=mission.landing_point_id),
                    said[1].format(drone=mission.drone_id, point=mission.landing_point_id),
                    mission=mission,
                    data={"outcome": outcome},
                    tell=True,
                )

        await self._database.write(work)
        return True


def notice_of(mission: MissionRecord, reason: str, command_id: str, now: datetime) -> PatientMoved:
    """What the drone is told."""
    return PatientMoved(
        command_id=command_id,
        drone_id=mission.drone_id,
        flight_id=mission.flight_id,
        issued_at=now,
        reason=f"the patient moved: {reason}",
    )


_ON_THE_WAY = (Phase.CLIMBING, Phase.OUTBOUND, Phase.HOVERING)
_SETTLED: dict[Outcome, tuple[str, str]] = {
    "rerouted": ("{drone} flies to {point} now", "{drone} 正飞往 {point}"),
    "called_off": (
        "{drone} was called off on its pad; it is decided for the new place",
        "{drone} 在起降坪取消起飞，按新位置重新决定",
    ),
    "too_late": (
        "It is too late for {drone} to go elsewhere: the AED comes down at {point}",
        "{drone} 已无法改航：AED 将在 {point} 投放",
    ),
}
