"""Storing a decision: the order's new state, its mission and its command or proposal, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.ids import IdSource
from core.spans import span, span_zh
from hub_api.dispatch.cases import Decided, Found
from hub_api.dispatch.decided import decision_json, waits, waits_zh
from hub_api.dispatch.hope import NO_HOPE, Hope
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.non_flights import word_of
from hub_api.dispatch.order_states import LOST_ITS_DRONE, OrderEvent, OrderState
from hub_api.dispatch.planning import PLAN, Answer, reason_json
from hub_api.dispatch.proposals import Proposals, covers
from hub_api.dispatch.waiting import WaitingPolicy, no_drone_in_time
from hub_api.store.records import MissionRecord
from hub_api.store.repositories import audit, missions, orders
from planner.flight_plan import FlightPlan


class DecisionWriter:
    """Writes answers into orders, inside a transaction given by the caller."""

    def __init__(self, ledger: Ledger, ids: IdSource, proposals: Proposals, waiting: WaitingPolicy) -> None:
        self._ledger = ledger
        self._ids = ids
        self._proposals = proposals
        self._waiting = waiting

    def _kept(
        self, session: Session, turn: Turn, answer: Answer, flight_id: str | None, now: datetime
    ) -> dict[str, Any]:
        """Store the decision's candidates; what the order keeps of the decision beside them."""
        document = answer.told.packed
        orders.put_candidates(session, turn.order.order_id, document, first=turn.order.decision is None)
        decision = decision_json(answer, flight_id, now) | {
            "candidates_sha256": audit.digest_of(document),
            "non_flight": word_of(answer),
        }
        return {"decision": decision}

    def decline(self, session: Session, turn: Turn, answer: Answer, hope: Hope = NO_HOPE) -> Decided | None:
        """No drone can fly now. ``hope``: drones that may come; an order that lost its drone waits for them.

        What is stored, where it is the order's first decision.
        """
        again, had_waited_until = turn.order.state in LOST_ITS_DRONE, turn.order.waiting_until
        waits = self._waiting.until(turn.order, answer, hope, self._ledger.now())
        if waits is not None:
            self._wait(session, turn, answer, *waits)
            return None
        if had_waited_until is not None and self._ledger.now() >= had_waited_until:
            answer = replace(answer, reasons=(no_drone_in_time(had_waited_until), *answer.reasons))
        first = turn.order.decision is None
        kept = self._kept(session, turn, answer, None, self._ledger.now())
        self._ledger.apply(session, turn, OrderEvent.DECLINED, also=kept)
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
        return Decided(None, answer.told) if first else None

    def _wait(self, session: Session, turn: Turn, answer: Answer, until: datetime, hope: Hope) -> None:
        if turn.order.state is OrderState.WAITING:
            # Told already, and nothing has changed for the centre.
            return
        kept = self._kept(session, turn, answer, None, self._ledger.now())
        self._ledger.apply(session, turn, OrderEvent.NO_DRONE_YET, also=kept | {"waiting_until": until})
        needs = ", ".join(sorted(hope.with_another_aed))
        self._ledger.record(
            session,
            turn,
            "waiting_for_drone",
            f"No other drone can fly now; decided again as soon as one is ready, given up at {until:%H:%M:%S} UTC"
            f"{needs and f'. Without an AED until another one is loaded: {needs}'}",
            f"目前没有其他可用无人机；一有就绪立即重新决定，{until:%H:%M:%S}（UTC）放弃"
            f"{needs and f'。须先装载另一台 AED：{needs}'}",
            data={
                "waiting_until": until.isoformat(),
                "may_come": list(hope.by_itself),
                "needs_aed": sorted(hope.with_another_aed),
                "reasons": [reason_json(reason) for reason in answer.reasons],
            },
        )

    def accept(self, session: Session, turn: Turn, found: Found, plan: FlightPlan) -> Decided | None:
        """A drone flies, or is proposed to. What is stored, where it flies by the order's first decision."""
        first = turn.order.decision is None
        now, answer = self._ledger.now(), found.answer
        again = turn.order.state in LOST_ITS_DRONE
        mission = MissionRecord(
            mission_id=found.mission_id,
            order_id=turn.order.order_id,
            # The first one, where the order was never given any.
            attempt=1
            if turn.order.mission_id is None
            else 1 + missions.count_of_order(session, turn.order.order_id),
            flight_id=found.flight_id,
            drone_id=plan.drone_id,
            station_id=plan.station_id,
            landing_point_id=plan.landing_point_id,
            plan=PLAN.dump_python(plan, mode="json"),
            command_id=self._ids.new("cmd"),
            created_at=now,
        )
        flies = covers(session, turn.order, mission)
        if flies:
            mission = replace(mission, commanded_at=now)
        missions.insert(session, mission)
        kept = self._kept(session, turn, answer, mission.flight_id, now)
        kept |= {
            "mission_id": mission.mission_id,
            "station_id": mission.station_id,
            "waiting_until": None,
        }
        if not flies:
            self._ledger.change(session, turn, **kept)
            self._proposals.propose(session, turn, mission, answer.delay_s, again=again)
            return None
        mission = self._ledger.owe_flight(session, turn.order, mission, plan)
        self._ledger.apply(session, turn, OrderEvent.ACCEPTED, also=kept)
        eta_s = answer.delay_s + plan.timing.time_to_aed_on_ground_s
        eta_patient_s = answer.delay_s + plan.timing.time_to_patient_s
        self._ledger.record(
            session,
            turn,
            "redecision_accepted" if again else "decision_accepted",
            f"{plan.drone_id} flies from {plan.station_id} to {plan.landing_point_id}: AED on the ground in "
            f"{span(eta_s)}, at the patient in {span(eta_patient_s)}{waits(answer.delay_s)}",
            f"{plan.drone_id} 从 {plan.station_id} 飞往 {plan.landing_point_id}："
            f"预计 {span_zh(eta_s)}后 AED 落地，{span_zh(eta_patient_s)}后到达患者{waits_zh(answer.delay_s)}",
            mission=mission,
            data={
                "eta_aed_on_ground_s": eta_s,
                "eta_patient_s": eta_patient_s,
                "take_off_delay_s": answer.delay_s,
            },
        )
        return Decided(mission, answer.told) if first else None
