"""Flights that are proposed to a person: stored, their drone kept, and nothing commanded.

An approval covers a drone and a landing point, not the order: in approve mode no drone takes off to a place that
nobody looked at. A plan that was made again for the same drone and the same place is covered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from core.spans import span, span_zh
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.modes import UnansweredPolicy
from hub_api.dispatch.order_states import OrderEvent
from hub_api.store.records import ApprovalRecord, MissionRecord, OrderRecord
from hub_api.store.repositories import approvals, orders

WITHDRAWN = "withdrawn"
ANYTHING = "anything"
"""Covers every drone and place: what the policy for unanswered requests gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """Who is asked, how long each has, and what follows when nobody answers."""

    alarm_s: float
    chain: tuple[str, ...]
    unanswered: Callable[[str], UnansweredPolicy]
    """By severity."""
    longest_s: float
    """After that no flight helps any more."""

    def recipient(self, level: int) -> str:
        """Who is alarmed at this level; 0 is the first request. Past the end of the chain: its last."""
        return self.chain[min(level, len(self.chain) - 1)]


_ROLES = {
    "dispatcher": ("a dispatcher", "调度员"),
    "operator": ("an operator", "操作员"),
    "maintainer": ("a maintainer", "维护员"),
    "administrator": ("an administrator", "管理员"),
}


def named(recipient: str) -> tuple[str, str]:
    """«role:operator» and «account:li.na» as people say it, in English and Chinese."""
    kind, _, name = recipient.partition(":")
    return _ROLES.get(name, (name, name)) if kind == "role" else (name, f" {name} ")


def covers(session: Session, order: OrderRecord, mission: MissionRecord) -> bool:
    """Whether the order's flight may be commanded without asking anybody now. A mission that also serves an order whose
    centre asks for no approval waits for nobody (docs/decisions/0035)."""
    if not order.needs_approval:
        return True
    if order.merged_orders and any(
        not merged.needs_approval for merged in orders.merged_into(session, order.order_id)
    ):
        return True
    given = order.approved
    if given is None:
        return False
    return given.get("covers") == ANYTHING or (given.get("drone_id"), given.get("landing_point_id")) == (
        mission.drone_id,
        mission.landing_point_id,
    )


def coverage(mission: MissionRecord, *, by: str, at: datetime) -> dict[str, Any]:
    """An approval of this flight, as the order keeps it."""
    return {
        "drone_id": mission.drone_id,
        "landing_point_id": mission.landing_point_id,
        "by": by,
        "at": at.isoformat(),
    }


class Proposals:
    """Puts flights before people, inside a transaction given by the caller."""

    def __init__(self, ledger: Ledger, policy: ApprovalPolicy) -> None:
        self._ledger = ledger
        self.policy = policy

    def propose(
        self, session: Session, turn: Turn, mission: MissionRecord, delay_s: float, *, again: bool
    ) -> None:
        """Ask for the approval of a stored flight. Who waited for an earlier proposal goes on waiting: its
        alarms are not set back by a new plan."""
        now = self._ledger.now()
        earlier = approvals.newest_of_order(session, turn.order.order_id)
        approval = ApprovalRecord(
            mission_id=mission.mission_id,
            order_id=turn.order.order_id,
            asked_at=now,
            next_alarm_at=now + timedelta(seconds=self.policy.alarm_s),
        )
        if earlier is not None and earlier.answer == WITHDRAWN:
            approval = ApprovalRecord(
                mission_id=mission.mission_id,
                order_id=turn.order.order_id,
                asked_at=earlier.asked_at,
                level=earlier.level,
                next_alarm_at=max(now, earlier.next_alarm_at),
            )
        approvals.insert(session, approval)
        self._ledger.apply(session, turn, OrderEvent.PROPOSED)
        timing = mission.plan["timing"]
        eta_s = delay_s + timing["time_to_aed_on_ground_s"]
        eta_patient_s = delay_s + timing["time_to_patient_s"]
        recipient = self.policy.recipient(approval.level)
        asked = named(recipient)
        self._ledger.record(
            session,
            turn,
            "redecision_proposed" if again else "decision_proposed",
            f"{mission.drone_id} could fly from {mission.station_id} to {mission.landing_point_id}: AED on the ground in "
            f"{span(eta_s)}, at the patient in {span(eta_patient_s)}; {asked[0]} is asked to approve it",
            f"建议 {mission.drone_id} 从 {mission.station_id} 飞往 {mission.landing_point_id}："
            f"预计 {span_zh(eta_s)}后 AED 落地，{span_zh(eta_patient_s)}后到达患者；请{asked[1]}批准",
            mission=mission,
            data={
                "eta_aed_on_ground_s": eta_s,
                "eta_patient_s": eta_patient_s,
                "take_off_delay_s": delay_s,
                "level": approval.level,
                "recipient": recipient,
                "next_alarm_at": approval.next_alarm_at.isoformat(),
            },
        )
