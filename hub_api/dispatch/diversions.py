"""A flight that a person sends to another place: asked of the planner, stopped, planned from there, flown, or refused.

The planner is asked before anything is said to the drone: what cannot be proved is refused and the flight is left
alone. Then the drone holds, gets the proved way from where it stands, and only its own report of that way (the mission
on board, read back) makes the diversion true. What is to be done is read from the store at every step, so that a hub
that was killed in the middle takes it up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from flight.messages import HoldFlight, RerouteFlight
from flight.model.phases import Phase, State, Trigger, advance
from hub_api.dispatch.airborne_planning import AirbornePlanning
from hub_api.dispatch.commander import Commander, CommandOutcome
from hub_api.dispatch.fleet import DroneView, Fleet
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.planning import PLAN, listed, reason_json
from hub_api.dispatch.refuges import Place, place_of, places_for, refusal_of
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
from hub_api.store.records import MissionRecord, OrderRecord
from hub_api.store.repositories import diversions, missions, moves, orders, outbox
from hub_api.store.repositories.diversions import DiversionRecord
from planner.flight_plan import FlightPlan
from planner.reasons import Reason
from planner.site import Site

GIVES_UP_S = 60.0
"""Chosen: a drone that was told to hold stands within seconds; after a minute a person looks again."""
_STANDING = (Phase.HOLDING, Phase.STANDING_OFF)

Outcome = Literal["diverted", "no_way", "hold_refused", "never_stood", "flight_over"]
"""«superseded» is written where a later command of a person takes its place."""


class DiversionDesk:
    """Takes a person's choice of another place, and brings the drone there."""

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
        commander: Commander,
        site: Callable[[], Site],
        spawn: Callable[[Coroutine[Any, Any, object]], asyncio.Task[Any]],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._ids = ids
        self._clock = clock
        self._fleet = fleet
        self._ways = ways
        self._planning = planning
        self._commander = commander
        self._site = site
        self._spawn = spawn
        self._driven: set[str] = set()

    # --- what may be chosen ---------------------------------------------------------------------

    async def places(self, drone_id: str) -> tuple[str, tuple[tuple[Place, Reason | None], ...]]:
        """The drone's flight and every place that it may be sent to, with what is known against each before the planner
        is asked. Raises 4004 if it is on no flight."""
        mission, order = await self._flight(drone_id)
        plan = PLAN.validate_python(mission.plan)
        return mission.flight_id, tuple(
            (place, self._known_against(place, plan, mission, order))
            for place in places_for(self._site(), plan)
        )

    async def _flight(self, drone_id: str) -> tuple[MissionRecord, OrderRecord]:
        def read(session: Session) -> tuple[MissionRecord, OrderRecord]:
            mission = missions.under_command(session, drone_id)
            return mission, orders.get(session, mission.order_id)

        return await self._database.read(read)

    def _known_against(
        self, place: Place, plan: FlightPlan, mission: MissionRecord, order: OrderRecord
    ) -> Reason | None:
        where = whereabouts_of(order, self._clock.now())
        return refusal_of(
            place,
            plan,
            aed_aboard=mission.aed_on_ground_at is None and mission.lost_at is None,
            serves=lambda point: self._planning.serves(point, where),
        )

    # --- taking it ------------------------------------------------------------------------------

    async def divert(
        self, drone_id: str, kind: str, place_id: str, *, reason: str, by: str
    ) -> CommandOutcome:
        """Send the flight there. Refused with every reason where no way is proved. Raises 4004 if the drone is on no
        flight, 4001 for a place that there is not."""
        mission, order = await self._flight(drone_id)
        plan = PLAN.validate_python(mission.plan)
        place = place_of(self._site(), plan, kind, place_id)
        if place is None:
            raise DispatchError(
                ErrorCode.ORDER_INVALID,
                f"there is no {kind} {place_id[:60]!r} for this flight · 本次飞行没有该备降位置",
                field="to.id",
            )
        view = self._fleet.view(drone_id, {})
        against = self._against(place, plan, mission, order, view)
        if not against and view is not None:
            # From where it is right now, as if it stood there: a way that cannot be proved costs the flight nothing.
            found = await self._ways.find_to(
                place, mission.flight_id, whereabouts_of(order, self._clock.now()), view, plan
            )
            against = () if isinstance(found, FlightPlan) else found
        if against or view is None:
            await self._tell_refused(mission, place, against, by)
            return CommandOutcome(command_id=self._ids.new("cmd"), outcome="refused", reasons=against)
        hold = HoldFlight(
            command_id=self._ids.new("cmd"),
            drone_id=drone_id,
            flight_id=mission.flight_id,
            issued_at=self._clock.now(),
            reason=f"diverted to {place.name}: {reason}",
        )
        diversion = DiversionRecord(
            diversion_id=self._ids.new("div"),
            order_id=mission.order_id,
            mission_id=mission.mission_id,
            flight_id=mission.flight_id,
            at=self._clock.now(),
            by=by,
            reason=reason,
            place_kind=place.kind,
            place_id=place.place_id,
            held_before=view.phase in _STANDING,
            hold_id=hold.command_id,
        )
        # Ours from the moment at which it is stored: what the drone answers is waited for here first.
        self._driven.add(diversion.diversion_id)
        try:
            outcome = await self._commander.send(
                hold.command_id, lambda session: self._store(session, diversion, hold, place)
            )
            if outcome.outcome == "refused":
                await self._settle(diversion, "hold_refused", outcome.reasons)
        finally:
            self._driven.discard(diversion.diversion_id)
        if outcome.outcome != "refused":
            self._begin(diversion.diversion_id)
        return outcome

    def _against(
        self,
        place: Place,
        plan: FlightPlan,
        mission: MissionRecord,
        order: OrderRecord,
        view: DroneView | None,
    ) -> tuple[Reason, ...]:
        """What speaks against it without a planner: the place, and what the drone does just now."""
        if view is None:
            return (
                Reason("drone_unknown", "The site has no such drone any more.", "站点数据中已无该无人机。"),
            )
        now = self._clock.now()
        for trigger in (Trigger.HOLD, Trigger.REROUTE):
            refused = advance(State(phase=view.phase, since=now), trigger, now).refused
            if refused is not None:
                return (Reason(refused.code, refused.detail, refused.detail_zh),)
        known = self._known_against(place, plan, mission, order)
        return () if known is None else (known,)

    def _store(self, session: Session, diversion: DiversionRecord, hold: HoldFlight, place: Place) -> None:
        mission = missions.under_command(session, hold.drone_id)
        if mission.flight_id != diversion.flight_id:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                f"{hold.drone_id} is on another flight by now · 该无人机已在执行另一次飞行",
            )
        diversions.supersede(session, flight_id=mission.flight_id, at=self._ledger.now())
        moves.put_off(session, flight_id=mission.flight_id)
        diversions.insert(session, diversion)
        self._ledger.owe_command(session, hold, mission)
        self._ledger.record(
            session,
            Turn(orders.get(session, mission.order_id)),
            "operator_command",
            f"{diversion.by} diverts {mission.drone_id} to {place.name} ({diversion.reason})",
            f"{diversion.by} 令 {mission.drone_id} 改飞 {place.name_zh}：{diversion.reason}",
            mission=mission,
            data={
                "command": "divert_flight",
                "to": {"kind": place.kind, "id": place.place_id},
                "diversion_id": diversion.diversion_id,
                "reason": diversion.reason,
                "by": diversion.by,
            },
        )

    async def _tell_refused(
        self, mission: MissionRecord, place: Place, why: tuple[Reason, ...], by: str
    ) -> None:
        said, said_zh = listed(why)

        def work(session: Session) -> None:
            self._ledger.record(
                session,
                Turn(orders.get(session, mission.order_id)),
                "diversion_refused",
                f"{by} wanted {mission.drone_id} at {place.name}: {said}",
                f"{by} 要求 {mission.drone_id} 改飞 {place.name_zh}，被拒绝：{said_zh}",
                mission=mission,
                data={
                    "to": {"kind": place.kind, "id": place.place_id},
                    "reasons": [reason_json(r) for r in why],
                },
            )

        await self._database.write(work)

    # --- bringing the drone there ---------------------------------------------------------------

    def _begin(self, diversion_id: str) -> None:
        if diversion_id not in self._driven:
            self._driven.add(diversion_id)
            self._spawn(self._drive(diversion_id))

    async def resume(self) -> None:
        """Take up what is under way and nobody drives: after a start, or where nobody heard that it was stored."""
        for diversion in await self._database.read(diversions.open_diversions):
            self._begin(diversion.diversion_id)

    async def _drive(self, diversion_id: str) -> None:
        await until_settled(lambda: self._look(diversion_id), self._clock, f"the diversion {diversion_id}")
        self._driven.discard(diversion_id)

    async def _look(self, diversion_id: str) -> bool:
        """One step; True once it is settled."""

        def read(
            session: Session,
        ) -> tuple[DiversionRecord, MissionRecord, OrderRecord, str | None, str | None]:
            diversion = diversions.find(session, diversion_id)
            assert diversion is not None
            mission = missions.find(session, diversion.mission_id)
            assert mission is not None
            held = outbox.outcome_of(session, diversion.hold_id)
            sent = None if diversion.reroute_id is None else outbox.outcome_of(session, diversion.reroute_id)
            return diversion, mission, orders.get(session, diversion.order_id), held, sent

        diversion, mission, order, held, rerouted = await self._database.read(read)
        bind(order.order_id)
        if diversion.settled_at is not None:
            return True
        if diversion.plan_id is not None and mission.plan.get("plan_id") == diversion.plan_id:
            return await self._settle(diversion, "diverted")
        if not mission.open:
            return await self._settle(diversion, "flight_over")
        if held == "refused":
            return await self._settle(diversion, "hold_refused")
        view = self._fleet.view(mission.drone_id, {})
        if held is None or view is None:
            return False
        waited_s = (self._clock.now() - diversion.at).total_seconds()
        if view.phase in _STANDING and (diversion.reroute_id is None or rerouted == "refused"):
            if stands_still(view, diversion.at, self._clock.now(), _STANDING):
                return await self._send_way(diversion, mission, order, view)
        elif diversion.reroute_id is None and waited_s > GIVES_UP_S:
            return await self._settle(diversion, "never_stood")
        return False

    async def _send_way(
        self, diversion: DiversionRecord, mission: MissionRecord, order: OrderRecord, view: DroneView
    ) -> bool:
        """The drone stands: give it the way, or say that there is none."""
        plan = PLAN.validate_python(mission.plan)
        place = place_of(self._site(), plan, diversion.place_kind, diversion.place_id)
        found: FlightPlan | tuple[Reason, ...]
        if place is None:
            found = (Reason("place_gone", "The site has no such place any more.", "站点数据中已无该地点。"),)
        elif diversion.tries >= MOST_TRIES:
            found = (REFUSED_EVERY_WAY,)
        else:
            found = await self._ways.find_to(
                place, mission.flight_id, whereabouts_of(order, self._clock.now()), view, plan
            )
        if not isinstance(found, FlightPlan):
            return await self._settle(diversion, "no_way", found)
        command = RerouteFlight(
            command_id=self._ids.new("cmd"),
            drone_id=mission.drone_id,
            flight_id=mission.flight_id,
            issued_at=self._clock.now(),
            plan=found,
            reason=f"diverted by {diversion.by}: {diversion.reason}",
        )

        def work(session: Session) -> None:
            current = diversions.find_open(session, diversion.diversion_id)
            if current is None:
                return
            diversions.save(
                session,
                current,
                reroute_id=command.command_id,
                plan_id=found.plan_id,
                tries=current.tries + 1,
            )
            self._ledger.owe_command(session, command, mission)

        await self._database.write(work)
        return False

    async def _settle(
        self, diversion: DiversionRecord, outcome: Outcome, why: tuple[Reason, ...] = ()
    ) -> bool:
        """Say what became of it. Without a way the flight goes on as before; one that was held before stays so."""

        def work(session: Session) -> None:
            current = diversions.find_open(session, diversion.diversion_id)
            if current is None:
                return
            diversions.save(session, current, settled_at=self._ledger.now(), outcome=outcome)
            mission = missions.find(session, current.mission_id)
            assert mission is not None
            goes_on = outcome == "no_way" and not current.held_before
            if goes_on:
                self._ledger.owe_command(session, self._ledger.go_on_of(mission), mission)
            said, said_zh = _SETTLED[outcome]
            reasons, reasons_zh = listed(why)
            then, then_zh = ("; it goes on as before", "；按原计划继续") if goes_on else ("", "")
            self._ledger.record(
                session,
                Turn(orders.get(session, current.order_id)),
                "diversion_settled",
                f"{mission.drone_id} {said}{f': {reasons}' if why else ''}{then}",
                f"{mission.drone_id} {said_zh}{f'：{reasons_zh}' if why else ''}{then_zh}",
                mission=mission,
                data={
                    "outcome": outcome,
                    "diversion_id": current.diversion_id,
                    "to": {"kind": current.place_kind, "id": current.place_id},
                    "reasons": [reason_json(reason) for reason in why],
                },
                tell=True,
            )

        await self._database.write(work)
        return True


_SETTLED: dict[Outcome, tuple[str, str]] = {
    "diverted": ("flies to the chosen place now", "正飞往所选地点"),
    "no_way": ("finds no way to the chosen place", "无法飞往所选地点"),
    "hold_refused": ("did not stop for the diversion", "未能为改飞而悬停"),
    "never_stood": ("was not seen standing in time, so no way was made", "未能及时悬停，改飞取消"),
    "flight_over": ("ended its flight before it could be diverted", "改飞前飞行已结束"),
}
