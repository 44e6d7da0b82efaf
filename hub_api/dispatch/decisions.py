"""Deciding: one order at a time, on what is known now, stored as a whole before anything moves."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.geodesy import Wgs84Point
from core.ids import IdSource
from hub_api.dispatch.fleet import DroneView, Fleet
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.modes import fit_for
from hub_api.dispatch.non_flights import word_of
from hub_api.dispatch.order_states import OrderEvent, OrderState
from hub_api.dispatch.outlook import Outlook
from hub_api.dispatch.planning import PLAN, Answer, Planning, Question, reason_json
from hub_api.dispatch.proposals import Proposals, covers
from hub_api.dispatch.traffic import OpenFlight, TrafficBook
from hub_api.dispatch.verdicts import pack
from hub_api.store.database import Database
from hub_api.store.records import MissionRecord, OrderRecord
from hub_api.store.repositories import audit, missions, orders
from planner.flight_plan import FlightPlan
from planner.reasons import Reason

log = logging.getLogger(__name__)

_UNDECIDED = (OrderState.RECEIVED, OrderState.REDECIDING)
_RACES = 5
"""Times a drone may be snatched away by another hub on the same database before we give up."""


class _Outdated(Exception):
    """The patient was moved while the decision was made: it answers another question."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    order: OrderRecord
    reserved: dict[str, str]
    tried: frozenset[str]
    attempts: int
    in_progress: tuple[OpenFlight, ...]


class DecisionMaker:
    """Chooses drone and landing point for orders; its lock serves them first come, first served."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        fleet: Fleet,
        planning: Planning,
        traffic: TrafficBook,
        ids: IdSource,
        fleet_settle_s: float,
        order_max_age_s: float,
        max_attempts: int,
        proposals: Proposals,
        outlook: Outlook,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._fleet = fleet
        self._planning = planning
        self._traffic = traffic
        self._ids = ids
        self._settle_s = fleet_settle_s
        self._max_age = timedelta(seconds=order_max_age_s)
        self._max_attempts = max_attempts
        self._proposals = proposals
        self._outlook = outlook
        self._lock = asyncio.Lock()
        self._planner_thread = ThreadPoolExecutor(1, thread_name_prefix="planner")

    async def decide(self, order_id: str) -> OrderRecord:
        """Decide the order if it still waits for it; otherwise give it as it is."""
        await self._fleet.wait_until_settled(self._settle_s)
        async with self._lock:
            for _ in range(_RACES):
                started_s = time.perf_counter()
                snapshot = await self._database.read(lambda session: self._look(session, order_id))
                if snapshot.order.state not in _UNDECIDED:
                    return snapshot.order
                answer = await self._answer(snapshot)
                planned_s = time.perf_counter()
                try:
                    order = await self._database.write(
                        partial(self._store, asked=snapshot.order, answer=answer)
                    )
                except IntegrityError:
                    log.warning("the chosen drone was taken meanwhile; deciding again")
                    continue
                except _Outdated:
                    log.info("the patient was moved meanwhile; deciding again")
                    continue
                log.info(
                    "decided %s: %s, %d candidates, planning %.1f ms, storing %.1f ms",
                    order.state,
                    answer.plan.drone_id if answer.plan else "no drone",
                    len(answer.candidates),
                    (planned_s - started_s) * 1e3,
                    (time.perf_counter() - planned_s) * 1e3,
                )
                return order
        lost = Reason(
            "drones_taken",
            "Every chosen drone was taken by another order at the same moment.",
            "选中的无人机均被其他订单同时占用。",
        )
        return await self._database.write(lambda s: self._store(s, orders.get(s, order_id), _none(lost)))

    def forget_plan(self, flight_id: str) -> None:
        """The flight follows another plan: its claim on the air is read again at the next decision."""
        self._planner_thread.submit(self._traffic.forget, flight_id)

    def close(self) -> None:
        self._planner_thread.shutdown()

    def _look(self, session: Session, order_id: str) -> _Snapshot:
        earlier = missions.of_order(session, order_id)
        return _Snapshot(
            order=orders.get(session, order_id),
            reserved=missions.reserved_drones(session),
            # What the hub itself took back is no failure of its drone.
            tried=frozenset(mission.drone_id for mission in earlier if mission.withdrawn is None),
            attempts=sum(1 for mission in earlier if mission.withdrawn is None),
            in_progress=self._in_progress(session),
        )

    def _in_progress(self, session: Session) -> tuple[OpenFlight, ...]:
        """Every open flight; with its plan where the traffic book has not got it yet."""
        listed = missions.in_progress(session)
        unknown = [flight_id for flight_id, _, _ in listed if flight_id not in self._traffic.known]
        plans = missions.plans_of(session, unknown)
        return tuple(
            OpenFlight(
                flight_id=flight_id,
                drone_id=drone_id,
                airborne_at=airborne_at,
                plan=PLAN.validate_python(plans[flight_id]) if flight_id in plans else None,
            )
            for flight_id, drone_id, airborne_at in listed
        )

    def _plan(
        self, question: Question, views: tuple[DroneView, ...], in_progress: tuple[OpenFlight, ...]
    ) -> Answer:
        by_drone = {view.drone.drone_id: view for view in views}
        return self._planning.decide(
            question, views, self._traffic.traffic(in_progress, by_drone, question.at)
        )

    async def _answer(self, snapshot: _Snapshot) -> Answer:
        order = snapshot.order
        now = self._ledger.now()
        if order.state is OrderState.RECEIVED and now - order.received_at > self._max_age:
            age_s = (now - order.received_at).total_seconds()
            return _none(
                Reason(
                    "order_too_old",
                    f"The order waited {age_s:.0f} s for its decision; a flight now would come too late.",
                    f"订单等待决定已 {age_s:.0f} 秒，此时起飞已无意义。",
                )
            )
        if snapshot.attempts >= self._max_attempts:
            return _none(
                Reason(
                    "attempts_exhausted",
                    f"{snapshot.attempts} drones were tried for this order.",
                    f"本订单已尝试 {snapshot.attempts} 架无人机。",
                )
            )
        question = Question(
            patient=Wgs84Point(order.latitude_deg, order.longitude_deg),
            severity=order.severity,
            floor=order.request.get("floor"),
            at=now,
        )
        views = fit_for(self._fleet.views(snapshot.reserved, refused=snapshot.tried), drill=order.drill)
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(
                self._planner_thread, self._plan, question, views, snapshot.in_progress
            )
            return self._outlook.weigh(order, answer, now)
        except Exception:
            # The centre must know at once that no drone comes; the fault itself is for the log.
            log.exception("planning failed for %s", question)
            return _none(
                Reason(
                    "planning_failed",
                    "The planner failed on this order; the fault is logged and no drone is sent.",
                    "规划程序对本订单出现故障，已记录；不派出无人机。",
                )
            )

    def _store(self, session: Session, asked: OrderRecord, answer: Answer) -> OrderRecord:
        order = orders.get(session, asked.order_id)
        if order.state not in _UNDECIDED:
            # Cancelled while we were thinking.
            return order
        if _question_of(order) != _question_of(asked):
            raise _Outdated
        turn = Turn(order)
        if answer.plan is None:
            self._decline(session, turn, answer)
        else:
            self._accept(session, turn, answer, answer.plan)
        return turn.order

    def _keep(
        self,
        session: Session,
        turn: Turn,
        answer: Answer,
        flight_id: str | None,
        now: datetime,
        **changes: Any,
    ) -> None:
        """Store the decision in the order, its candidates beside it."""
        document = pack(answer.candidates)
        orders.put_candidates(session, turn.order.order_id, document, first=turn.order.decision is None)
        decision = decision_json(answer, flight_id, now) | {
            "candidates_sha256": audit.digest_of(document),
            "non_flight": word_of(answer),
        }
        self._ledger.change(session, turn, decision=decision, **changes)

    def _decline(self, session: Session, turn: Turn, answer: Answer) -> None:
        again = turn.order.state is OrderState.REDECIDING
        self._keep(session, turn, answer, None, self._ledger.now())
        self._ledger.apply(session, turn, OrderEvent.DECLINED)
        self._ledger.close_if_flights_ended(session, turn)
        listed = "; ".join(reason.detail for reason in answer.reasons)
        listed_zh = "".join(reason.detail_zh for reason in answer.reasons)
        self._ledger.record(
            session,
            turn,
            "redecision_declined" if again else "decision_declined",
            f"No {'other ' if again else ''}drone can deliver: {listed}",
            f"没有{'其他' if again else ''}无人机可以投送：{listed_zh}",
            data={"reasons": [reason_json(reason) for reason in answer.reasons]},
        )

    def _accept(self, session: Session, turn: Turn, answer: Answer, plan: FlightPlan) -> None:
        now = self._ledger.now()
        again = turn.order.state is OrderState.REDECIDING
        mission = MissionRecord(
            mission_id=self._ids.new("mis"),
            order_id=turn.order.order_id,
            attempt=1 + len(missions.of_order(session, turn.order.order_id)),
            flight_id=self._ids.new("flt"),
            drone_id=plan.drone_id,
            station_id=plan.station_id,
            landing_point_id=plan.landing_point_id,
            plan=PLAN.dump_python(plan, mode="json"),
            command_id=self._ids.new("cmd"),
            created_at=now,
        )
        missions.insert(session, mission)
        self._keep(
            session,
            turn,
            answer,
            mission.flight_id,
            now,
            mission_id=mission.mission_id,
            station_id=mission.station_id,
        )
        if not covers(turn.order, mission):
            self._proposals.propose(session, turn, mission, answer.delay_s, again=again)
            return
        mission = self._ledger.owe_flight(session, turn.order, mission)
        self._ledger.apply(session, turn, OrderEvent.ACCEPTED)
        eta_s = answer.delay_s + plan.timing.time_to_aed_on_ground_s
        eta_patient_s = answer.delay_s + plan.timing.time_to_patient_s
        self._ledger.record(
            session,
            turn,
            "redecision_accepted" if again else "decision_accepted",
            f"{plan.drone_id} flies from {plan.station_id} to {plan.landing_point_id}: AED on the ground in "
            f"{eta_s:.0f} s, at the patient in {eta_patient_s:.0f} s{_waits(answer.delay_s)}",
            f"{plan.drone_id} 从 {plan.station_id} 飞往 {plan.landing_point_id}："
            f"预计 {eta_s:.0f} 秒后 AED 落地，{eta_patient_s:.0f} 秒后到达患者{_waits_zh(answer.delay_s)}",
            mission=mission,
            data={
                "eta_aed_on_ground_s": eta_s,
                "eta_patient_s": eta_patient_s,
                "take_off_delay_s": answer.delay_s,
            },
        )


def _waits(delay_s: float) -> str:
    return f"; it waits {delay_s:.0f} s on its pad for other flights" if delay_s > 0.0 else ""


def _waits_zh(delay_s: float) -> str:
    return f"；为避让其他飞行，在机坪等待 {delay_s:.0f} 秒" if delay_s > 0.0 else ""


def _question_of(order: OrderRecord) -> tuple[float, float, int | None]:
    return order.latitude_deg, order.longitude_deg, order.request.get("floor")


def _none(reason: Reason) -> Answer:
    return Answer(plan=None, candidates=(), reasons=(reason,), airspace_version="")


def _position_json(position: Wgs84Point) -> dict[str, float]:
    return {"latitude_deg": position.latitude_deg, "longitude_deg": position.longitude_deg}


def decision_json(answer: Answer, flight_id: str | None, now: datetime) -> dict[str, Any]:
    """The decision as it is stored with the order; its candidates are stored beside it."""
    stored: dict[str, Any] = {
        "outcome": "declined" if answer.plan is None else "accepted",
        "decided_at": now.isoformat(),
        "airspace_version": answer.airspace_version or None,
        "reasons": [reason_json(reason) for reason in answer.reasons],
        "candidates_total": (
            len(answer.candidates) if answer.candidates_total is None else answer.candidates_total
        ),
        "refusals": dict(answer.refusals),
        "benefit": None if answer.benefit is None else asdict(answer.benefit),
    }
    plan = answer.plan
    if plan is not None:
        stored |= {
            "flight_id": flight_id,
            "plan_id": plan.plan_id,
            "drone_id": plan.drone_id,
            "station_id": plan.station_id,
            "station_position": _position_json(plan.home.position),
            "landing_point_id": plan.landing_point_id,
            "landing_point_position": _position_json(plan.delivery.position),
            "delivery_method": str(plan.delivery_method),
            "take_off_delay_s": answer.delay_s,
            "eta_aed_on_ground_s": answer.delay_s + plan.timing.time_to_aed_on_ground_s,
            "eta_patient_s": answer.delay_s + plan.timing.time_to_patient_s,
            "eta_drone_home_s": answer.delay_s + plan.timing.total_s,
            "conditions": list(plan.conditions),
            "authorisation_ids": list(plan.authorisation_ids),
        }
    return stored
