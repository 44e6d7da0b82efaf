"""Changing an order: the one place that moves its state, and owes what follows from it.

Everything here runs inside one database transaction given by the caller, so that the new state, the
event that tells it, the commands and the callbacks that follow are stored together or not at all.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from flight.bus import commands_subject
from flight.messages import AbortFlight, Command, ContinueFlight, FlyMission, encode
from flight.model.phases import SafeState
from hub_api.dispatch.non_flights import non_flight_reason
from hub_api.dispatch.order_states import (
    TERMINAL_STATES,
    Effect,
    Move,
    OrderEvent,
    OrderState,
    Refuse,
    advance,
)
from hub_api.dispatch.planning import PLAN
from hub_api.logs import remember
from hub_api.store.records import EventRecord, MissionRecord, NewEvent, OrderRecord
from hub_api.store.repositories import approvals, audit, callbacks, events, missions, orders, outbox
from hub_api.store.rows import FieldsOf
from hub_api.store.units import actor_of
from planner.flight_plan import FlightPlan

log = logging.getLogger(__name__)

_MOST_DIGESTS = 1024
"""Chosen: orders under way."""
RESTARTED = "hub_restarted"
"""Told in every open order after a start; nothing has happened to the order itself."""
_DECISION_MADE = (OrderState.AWAITING_APPROVAL, OrderState.DECIDED, OrderState.DECLINED)


@dataclass(slots=True)
class Turn:
    """One transaction's work on one order: what happened to it, and what must follow.

    ``effects`` collects what the caller has to do after the commit.
    """

    order: OrderRecord
    effects: list[Effect] = field(default_factory=list)
    decide_also: list[str] = field(default_factory=list)
    """Other orders that have to be decided after the commit, because this one left them."""
    moved: bool = False
    freed: str | None = None
    """A drone whose flight the hub took back; it may be chosen again as soon as it stands by."""
    new: bool = False
    """Whether this very transaction stores the order."""
    audited: OrderRecord | None = field(init=False)
    """The order as the audit log knows it; None for a new one."""

    def __post_init__(self) -> None:
        self.audited = None if self.new else self.order


Follower = Callable[[Session, Turn, EventRecord], None]


class Ledger:
    """Moves orders by the table of :mod:`hub_api.dispatch.order_states`, inside transactions.

    ``followers`` are called for every record of an order that moved or is told, in the same transaction.
    """

    def __init__(self, clock: Clock, ids: IdSource) -> None:
        self._clock = clock
        self._ids = ids
        self.followers: list[Follower] = []
        self._digests: dict[str, tuple[OrderRecord, str]] = {}
        """Of the orders that were written down last. Used inside transactions, one at a time."""

    def now(self) -> datetime:
        return self._clock.now()

    def apply(
        self,
        session: Session,
        turn: Turn,
        event: OrderEvent,
        *,
        strict: bool = False,
        also: Mapping[str, Any] | None = None,
    ) -> bool:
        """Feed one event to the order's table; whether it moved.

        ``strict``: somebody asked for this, so a refusal is raised as 4004 with its reason. Without
        it the event is a report that comes late or twice, which changes nothing. ``also``: plain fields of the
        order, written by the same statement, whether it moves or not.
        """
        rule = advance(turn.order.state, event)
        if isinstance(rule, Refuse) and strict:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED, f"{rule.why} (state {turn.order.state}) · {rule.why_zh}"
            )
        if not isinstance(rule, Move):
            if also:
                self.change(session, turn, **also)
            return False
        now = self.now()
        changes: dict[str, Any] = {**(also or {}), "state": rule.state}
        if rule.state in _DECISION_MADE and turn.order.decided_at is None:
            changes["decided_at"] = now
        if rule.state in TERMINAL_STATES:
            changes["finished_at"] = now
            known = replace(turn.order, **also) if also else turn.order
            changes["non_flight_reason"] = non_flight_reason(known, rule.state)
        turn.order = orders.save(session, turn.order, **changes)
        turn.moved = True
        for effect in rule.effects:
            if effect is Effect.RECALL_FLIGHTS:
                self.recall_flights(session, turn.order)
            else:
                turn.effects.append(effect)
        return True

    def change(self, session: Session, turn: Turn, **changes: Any) -> None:
        """Write plain fields of the order."""
        turn.order = orders.save(session, turn.order, **changes)

    def close_if_flights_ended(self, session: Session, turn: Turn) -> None:
        """Tell the order when no flight of it is open any more."""
        if turn.order.mission_id is None or not missions.any_open(session, turn.order.order_id):
            # An order that never had a mission has none that is open.
            self.apply(session, turn, OrderEvent.FLIGHTS_ENDED)

    def record(
        self,
        session: Session,
        turn: Turn,
        kind: str,
        detail: str,
        detail_zh: str,
        *,
        data: dict[str, Any] | None = None,
        mission: MissionRecord | None = None,
        message_id: str | None = None,
        at: datetime | None = None,
        tell: bool = False,
    ) -> EventRecord:
        """Store what happened to the order; if it moved, or with ``tell``, the callback URL is owed an update."""
        now = self.now()
        data = dict(data or {})
        if turn.order.drill:
            data["drill"] = True
        record = events.append(
            session,
            NewEvent(
                message_id=message_id or self._ids.new("evt"),
                at=at or now,
                stored_at=now,
                kind=kind,
                order_id=turn.order.order_id,
                incident_id=turn.order.incident_id,
                mission_id=mission.mission_id if mission else None,
                flight_id=mission.flight_id if mission else None,
                drone_id=mission.drone_id if mission else None,
                state=turn.order.state,
                detail=detail,
                detail_zh=detail_zh,
                data=data,
            ),
        )
        self._audit(session, turn, record)
        remember(
            record.flight_id,
            record.mission_id,
            order_id=turn.order.order_id,
            incident_id=turn.order.incident_id,
        )
        log.info(
            "%s: order is %s",
            kind,
            turn.order.state,
            extra={
                "order_id": turn.order.order_id,
                "fields": {
                    "event": record.seq,
                    "kind": kind,
                    "flight_id": record.flight_id,
                    "incident_reference": turn.order.request.get("incident_reference"),
                },
            },
        )
        url = turn.order.request.get("callback_url")
        if url and (turn.moved or tell):
            callbacks.add(
                session,
                order_id=turn.order.order_id,
                event_seq=record.seq,
                url=url,
                body=callback_body(turn.order, record),
                at=now,
            )
        if turn.moved or tell:
            for follow in self.followers:
                follow(session, turn, record)
        turn.moved = False
        return record

    def _audit(self, session: Session, turn: Turn, record: EventRecord) -> None:
        """Write a change of the order down; what a drone reports without changing it is in the events."""
        by_hub = actor_of(session).kind == "hub"
        if turn.audited is turn.order and by_hub:
            return
        before = None if turn.audited is None else self._digest_of(turn.audited)
        after = before if turn.audited is turn.order else self._digest_of(turn.order)
        if before == after and by_hub:
            return
        detail: dict[str, Any] = {"event": record.seq, "state": turn.order.state}
        if turn.audited is None or turn.audited.decision != turn.order.decision:
            detail["decision_sha256"] = audit.digest_of(turn.order.decision)
        audit.append(
            session,
            at=record.stored_at,
            action=record.kind,
            subject=turn.order.order_id,
            before=before,
            after=after,
            detail=detail,
        )
        turn.audited = turn.order

    def _digest_of(self, order: OrderRecord) -> str:
        """What an order was before a change is mostly what it was after the one before."""
        known = self._digests.pop(order.order_id, None)
        if known is None or known[0] != order:
            known = order, digest_of_order(order)
        self._digests[order.order_id] = known
        if len(self._digests) > _MOST_DIGESTS:
            del self._digests[next(iter(self._digests))]
        return known[1]

    def owe_command(self, session: Session, command: Command, mission: MissionRecord | None) -> None:
        """Store a command for a drone in this transaction; the relay sends it after the commit."""
        outbox.add(
            session,
            message_id=command.command_id,
            subject=commands_subject(command.drone_id),
            payload=encode(command),
            kind=command.kind,
            drone_id=command.drone_id,
            mission_id=mission.mission_id if mission else None,
            created_at=self.now(),
        )

    def owe_flight(
        self, session: Session, order: OrderRecord, mission: MissionRecord, plan: FlightPlan | None = None
    ) -> MissionRecord:
        """Owe the command of a stored mission, which holds its drone's reservation.

        ``plan``: the stored one, where the caller still has it.
        """
        now = self.now()
        command = FlyMission(
            command_id=mission.command_id,
            drone_id=mission.drone_id,
            flight_id=mission.flight_id,
            order_id=order.order_id,
            plan=plan or PLAN.validate_python(mission.plan),
            issued_at=now,
            drill=order.drill,
        )
        if mission.commanded_at is None:
            mission = missions.save(session, mission, commanded_at=now)
        self.owe_command(session, command, mission)
        return mission

    def recall_flights(self, session: Session, order: OrderRecord) -> None:
        """Owe an abort to every open flight of the order that has not delivered; drop what was only proposed."""
        for mission in missions.undelivered_of_order(session, order.order_id):
            if mission.commanded_at is None:
                self.withdraw(session, mission, "order_over")
            else:
                self.owe_command(
                    session, self.abort_of(mission, "the order does not need it any more"), mission
                )

    def recall_from_pad(self, session: Session, drone_id: str, *, by: str, reason: str) -> None:
        """Call the drone's flight back if it has not taken off: somebody is going to work on the drone.

        The drone obeys only on the ground; one in the air finishes. The order is decided again when its flight has ended.
        """
        mission_id = missions.reserved_drones(session).get(drone_id)
        mission = missions.find(session, mission_id) if mission_id else None
        if (
            mission is None
            or not mission.open
            or mission.commanded_at is None
            or mission.airborne_at is not None
            or mission.withdrawn is not None
        ):
            # A proposed flight is not approved any more, one that is called back already ends.
            return
        missions.save(session, mission, withdrawn="out_of_service")
        self.owe_command(
            session,
            self.abort_of(mission, f"out of service: {reason}", only_on_ground=True),
            mission,
        )
        self.record(
            session,
            Turn(orders.get(session, mission.order_id)),
            "operator_command",
            f"{by} took {drone_id} out of service ({reason}): it is called back if it still stands on its pad",
            f"{by} 停用 {drone_id}（{reason}）：如尚未起飞则召回",
            mission=mission,
            data={"command": "abort_flight", "reason": reason, "by": by},
        )

    def withdraw(
        self, session: Session, mission: MissionRecord, why: str, *, answer: str = "withdrawn"
    ) -> MissionRecord:
        """End a flight that was only proposed: nothing was commanded, its drone is free at once."""
        assert mission.commanded_at is None, "a commanded flight ends by its drone's own word"
        now = self.now()
        mission = missions.save(
            session,
            mission,
            ended_at=now,
            lost_at=now,
            safe_state=str(SafeState.NEVER_LEFT_GROUND),
            end_reason=why,
            withdrawn=why,
        )
        missions.release_drone(session, mission.mission_id)
        by = actor_of(session)
        approvals.answer(session, mission.mission_id, answer=answer, by=by.actor_id, reason=why, at=now)
        return mission

    def go_on_of(self, mission: MissionRecord) -> ContinueFlight:
        """After a stop the flight goes on as it was planned."""
        return ContinueFlight(
            command_id=self._ids.new("cmd"),
            drone_id=mission.drone_id,
            flight_id=mission.flight_id,
            issued_at=self.now(),
        )

    def abort_of(self, mission: MissionRecord, reason: str, *, only_on_ground: bool = False) -> AbortFlight:
        """``only_on_ground``: the drone refuses it once it has taken off."""
        return AbortFlight(
            command_id=self._ids.new("cmd"),
            drone_id=mission.drone_id,
            flight_id=mission.flight_id,
            issued_at=self.now(),
            reason=reason,
            only_on_ground=only_on_ground,
        )


_digested_of = FieldsOf([name for name in OrderRecord.__dataclass_fields__ if name != "decision"])


def digest_of_order(order: OrderRecord) -> str:
    """The order without its decision, which is large and has a digest of its own where it changes."""
    return audit.digest_of_fields(_digested_of(order))


def callback_body(order: OrderRecord, record: EventRecord) -> str:
    """What a callback URL is told: the new state, and where to read the rest."""
    return json.dumps(
        {
            "event_id": str(record.seq),
            "order_id": order.order_id,
            "incident_id": order.incident_id,
            "incident_reference": order.request.get("incident_reference"),
            "state": order.state,
            "mode": order.mode,
            "drill": order.drill,
            "merged_into": order.merged_into,
            "mission_state": record.data.get("mission_state", order.state),
            "kind": record.kind,
            "at": record.at.isoformat(),
            "detail": record.detail,
            "detail_zh": record.detail_zh,
            "order_url": f"/v1/orders/{order.order_id}",
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def unknown_order(order_id: str) -> DispatchError:
    """4002 for an order that does not exist or belongs to somebody else: the answer is the same."""
    return DispatchError(ErrorCode.ORDER_UNKNOWN, f"there is no order {order_id[:60]!r} · 没有该订单")
