"""Approving flights: a person says yes or no, the next in line is alarmed, the policy speaks when nobody does.

Every moment that counts is stored, so that a hub that was killed goes on with the alarms where they stood. A yes is
given to a drone and a landing point; whether the plan may still be flown is judged at that moment, and made again if
it may not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, DroneAedError, ErrorCode
from core.spans import span, span_zh
from hub_api.dispatch.airspace_book import AirspaceBook
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.ledger import Ledger, Turn, unknown_order
from hub_api.dispatch.modes import UnansweredPolicy
from hub_api.dispatch.order_states import OrderEvent, OrderState
from hub_api.dispatch.planning import PLAN, listed, reason_json
from hub_api.dispatch.proposals import ANYTHING, ApprovalPolicy, coverage, named
from hub_api.logs import order_context
from hub_api.store.database import Database
from hub_api.store.records import ApprovalRecord, MissionRecord, OrderRecord
from hub_api.store.repositories import airspace, approvals, care, missions, orders
from planner.reasons import Reason

log = logging.getLogger(__name__)

PREPARATION_S = 12.0
"""Chosen: what a drone needs from the command to its motors; a plan with less time left is made again at once,
not by a refusal on the pad."""
LOOK_AGAIN_S = 60.0
RETRY_S = 1.0
POLICY = "policy"
"""Who answered when nobody did."""


class ApprovalDesk:
    """Takes answers to proposed flights, and asks on while there is none."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        clock: Clock,
        fleet: Fleet,
        policy: ApprovalPolicy,
        book: AirspaceBook,
        decide: Callable[[str], Awaitable[OrderRecord]],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._fleet = fleet
        self._policy = policy
        self._book = book
        self._decide = decide
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Somebody may have to be asked."""
        self._wake.set()

    # --- answers ------------------------------------------------------------------------------

    async def approve(self, order_id: str, flight_id: str, *, client: str | None, by: str) -> OrderRecord:
        """Let the proposed flight go. Raises 4002 unknown, 4004 if it waits for no answer. Idempotent.

        ``flight_id`` is the flight that the person saw: another one may have taken its place meanwhile.
        """
        found = await self._database.read(lambda session: _proposed(session, order_id, client))
        outdated = () if found is None else self._outdated(found)

        def work(session: Session) -> tuple[OrderRecord, bool]:
            turn = Turn(_order(session, order_id, client))
            mission = _proposed(session, order_id, client)
            if mission is None or mission.flight_id != flight_id:
                _check_repeated(session, self._ledger, turn, flight_id, "approved", OrderEvent.APPROVED)
                return turn.order, False
            return turn.order, self._let_go(session, turn, mission, outdated, by=by, answer="approved")

        return await self._carry_out(order_id, work)

    async def refuse(
        self, order_id: str, *, client: str | None, by: str, reason: str, flight_id: str | None = None
    ) -> OrderRecord:
        """Do not let it go. Raises as :meth:`approve`. Idempotent."""
        why = Reason("refused_by_operator", f"{by} refused the flight: {reason}", f"{by} 拒绝飞行：{reason}")

        def work(session: Session) -> tuple[OrderRecord, bool]:
            turn = Turn(_order(session, order_id, client))
            mission = _proposed(session, order_id, client)
            if mission is None or flight_id not in (None, mission.flight_id):
                _check_repeated(session, self._ledger, turn, flight_id, "refused", OrderEvent.REFUSED)
                return turn.order, False
            self._turn_down(session, turn, mission, why, by=by, answer="refused")
            return turn.order, False

        return await self._carry_out(order_id, work)

    async def _carry_out(
        self, order_id: str, work: Callable[[Session], tuple[OrderRecord, bool]]
    ) -> OrderRecord:
        with order_context(order_id):
            order, decide = await self._database.write(work)
            return await self._decide(order_id) if decide else order

    # --- what an answer does --------------------------------------------------------------------

    def _let_go(
        self,
        session: Session,
        turn: Turn,
        mission: MissionRecord,
        outdated: tuple[Reason, ...],
        *,
        by: str,
        answer: str,
    ) -> bool:
        """Command the flight; or, with an outdated plan, have it made again. True: decide again now."""
        now = self._ledger.now()
        if _AIRSPACE_CHANGED not in outdated and self._in_other_airspace(session, mission):
            outdated = (*outdated, _AIRSPACE_CHANGED)
        if care.is_out_of_service(session, mission.drone_id):
            outdated = (*outdated, _OUT_OF_SERVICE)
        given = coverage(mission, by=by, at=now)
        if answer != "approved":
            given = {"covers": ANYTHING, "by": by, "at": now.isoformat()}
        self._ledger.change(session, turn, approved=given)
        data = {"by": by, "answer": answer, "flight_id": mission.flight_id}
        if outdated:
            self._ledger.withdraw(session, mission, "plan_outdated", answer=answer)
            self._ledger.apply(session, turn, OrderEvent.WITHDRAWN)
            said, said_zh = listed(outdated)
            self._ledger.record(
                session,
                turn,
                "approval_outdated",
                f"{by} approved the flight of {mission.drone_id}, but its plan is made again: {said}",
                f"{by} 已批准 {mission.drone_id} 的飞行，但须重新规划：{said_zh}",
                mission=mission,
                data={**data, "reasons": [reason_json(reason) for reason in outdated]},
            )
            return True
        approvals.answer(session, mission.mission_id, answer=answer, by=by, reason=None, at=now)
        self._ledger.apply(session, turn, OrderEvent.APPROVED)
        mission = self._ledger.owe_flight(session, turn.order, mission)
        self._ledger.record(
            session,
            turn,
            "approval_given",
            f"{by} approved the flight of {mission.drone_id} to {mission.landing_point_id}",
            f"{by} 批准 {mission.drone_id} 飞往 {mission.landing_point_id}",
            mission=mission,
            data=data,
        )
        return False

    def _turn_down(
        self,
        session: Session,
        turn: Turn,
        mission: MissionRecord,
        why: Reason,
        *,
        by: str,
        answer: str,
    ) -> None:
        mission = self._ledger.withdraw(session, mission, why.code, answer=answer)
        decision = {**(turn.order.decision or {}), "outcome": "declined", "reasons": [reason_json(why)]}
        self._ledger.change(session, turn, decision=decision)
        earlier = any(
            each.commanded_at is not None for each in missions.of_order(session, turn.order.order_id)
        )
        self._ledger.apply(session, turn, OrderEvent.DECLINED if earlier else OrderEvent.REFUSED)
        self._ledger.close_if_flights_ended(session, turn)
        self._ledger.record(
            session,
            turn,
            "approval_refused",
            why.detail,
            why.detail_zh,
            mission=mission,
            data={"by": by, "answer": answer, "reasons": [reason_json(why)]},
        )

    def _in_other_airspace(self, session: Session, mission: MissionRecord) -> bool:
        """Whether the airspace was changed since the plan was made. The writer runs alone: a change is either stored
        before and seen here, or sees the flight that is commanded here."""
        if airspace.last_seq(session) != self._book.additions.change_seq:
            return True
        return bool(mission.plan["airspace_version"] != self._book.current.version)

    def _outdated(self, mission: MissionRecord) -> tuple[Reason, ...]:
        """Why the plan may not be flown as it was proposed; empty if it may."""
        found: list[Reason] = []
        plan = PLAN.validate_python(mission.plan)
        left_s = (plan.valid_until - max(self._clock.now(), plan.created_at)).total_seconds()
        if left_s < PREPARATION_S:
            found.append(Reason("plan_old", "the plan is too old to be flown", "航线已过期"))
        if plan.airspace_version != self._book.current.version:
            found.append(_AIRSPACE_CHANGED)
        view = self._fleet.view(mission.drone_id, {})
        if view is None:
            found.append(Reason("drone_unknown", f"there is no drone {mission.drone_id}", "无人机不存在"))
        else:
            found.extend(view.not_ready)
        return tuple(found)

    # --- nobody answers -------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask on until cancelled."""
        while True:
            self._wake.clear()
            try:
                pause_s = await self._alarm_due()
            except DroneAedError:
                log.exception("approvals could not be looked at; trying again")
                pause_s = RETRY_S
            try:
                async with self._clock.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _alarm_due(self) -> float:
        """Do what is due; seconds until the next look."""
        stumbled = False
        for approval in await self._database.read(lambda s: approvals.due(s, self._clock.now())):
            try:
                await self._unanswered(approval)
            except Exception:
                # Whatever is wrong with one order, the others are asked for.
                log.exception(
                    "nobody could be asked to approve %s; trying again",
                    approval.mission_id,
                    extra={"about": approval.order_id},
                )
                stumbled = True
        if stumbled:
            return RETRY_S
        next_at = await self._database.read(approvals.next_due_at)
        if next_at is None:
            return LOOK_AGAIN_S
        return max(0.0, (next_at - self._clock.now()).total_seconds())

    async def _unanswered(self, due: ApprovalRecord) -> None:
        found = await self._database.read(lambda session: missions.find(session, due.mission_id))
        outdated = () if found is None else self._outdated(found)

        def work(session: Session) -> tuple[OrderRecord, bool]:
            turn = Turn(orders.get(session, due.order_id))
            approval = approvals.find(session, due.mission_id)
            mission = _proposed(session, due.order_id, None)
            assert approval is not None
            if approval.answered_at is not None or mission is None or mission.mission_id != due.mission_id:
                return turn.order, False
            return turn.order, self._next_step(session, turn, mission, approval, outdated)

        await self._carry_out(due.order_id, work)

    def _next_step(
        self,
        session: Session,
        turn: Turn,
        mission: MissionRecord,
        approval: ApprovalRecord,
        outdated: tuple[Reason, ...],
    ) -> bool:
        now = self._ledger.now()
        waited_s = (now - approval.asked_at).total_seconds()
        level = approval.level + 1
        policy = self._policy.unanswered(turn.order.severity)
        everybody_asked = level >= len(self._policy.chain)
        if everybody_asked and policy is UnansweredPolicy.LAUNCH:
            return self._let_go(session, turn, mission, outdated, by=POLICY, answer="launched")
        if everybody_asked and policy is UnansweredPolicy.DECLINE:
            self._turn_down(session, turn, mission, _unanswered(waited_s), by=POLICY, answer="declined")
            return False
        if waited_s >= self._policy.longest_s:
            self._turn_down(session, turn, mission, _expired(waited_s), by=POLICY, answer="expired")
            return False
        recipient = self._policy.recipient(level)
        asked = named(recipient)
        next_at = approval.next_alarm_at + timedelta(seconds=self._policy.alarm_s)
        approvals.save(session, approval, level=level, next_alarm_at=next_at)
        self._ledger.record(
            session,
            turn,
            "approval_alarm",
            f"Nobody has answered for {span(waited_s)}: {asked[0]} is asked to approve the flight of {mission.drone_id}",
            f"等待批准已{span_zh(waited_s)}，无人应答：请{asked[1]}批准 {mission.drone_id} 的飞行",
            mission=mission,
            data={
                "level": level,
                "recipient": recipient,
                "waited_s": waited_s,
                "next_alarm_at": next_at.isoformat(),
            },
            tell=True,
        )
        return False


_OUT_OF_SERVICE = Reason("out_of_service", "the drone was taken out of service", "该无人机已停用")
_AIRSPACE_CHANGED = Reason("airspace_changed", "the airspace has changed", "空域已变更")


def _order(session: Session, order_id: str, client: str | None) -> OrderRecord:
    order = orders.find(session, order_id)
    if order is None or (client is not None and order.client != client):
        raise unknown_order(order_id)
    return order


def _proposed(session: Session, order_id: str, client: str | None) -> MissionRecord | None:
    """The flight that waits for its approval; None if none does."""
    order = _order(session, order_id, client)
    if order.state is not OrderState.AWAITING_APPROVAL or order.mission_id is None:
        return None
    return missions.find(session, order.mission_id)


def _check_repeated(
    session: Session, ledger: Ledger, turn: Turn, flight_id: str | None, answer: str, event: OrderEvent
) -> None:
    """Nothing waits for this answer: it is a repeat of one that was taken, or it is refused (4004)."""
    for mission in missions.of_order(session, turn.order.order_id):
        if flight_id in (None, mission.flight_id):
            given = approvals.find(session, mission.mission_id)
            if given is not None and given.answer == answer:
                return
    if turn.order.state is OrderState.AWAITING_APPROVAL:
        raise DispatchError(
            ErrorCode.TRANSITION_REFUSED,
            "another flight is proposed now: look at it again · 建议的飞行已变更，请重新查看",
            field="flight_id",
        )
    ledger.apply(session, turn, event, strict=True)


def _unanswered(waited_s: float) -> Reason:
    return Reason(
        "approval_unanswered",
        f"Nobody approved the flight within {span(waited_s)}, and the policy then declines it.",
        f"{span_zh(waited_s)}内无人批准，按策略不予起飞。",
    )


def _expired(waited_s: float) -> Reason:
    return Reason(
        "approval_expired",
        f"Nobody approved the flight within {span(waited_s)}; it would come too late.",
        f"{span_zh(waited_s)}内无人批准，此时起飞已无意义。",
    )
