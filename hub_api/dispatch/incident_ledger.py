"""Changing an incident: its event, its audit entry and the callbacks that follow, in one transaction.

Everything here runs inside a transaction given by the caller. Nothing here is waited for by an order: an order
makes its incident in the transaction that stores it anyway, and the ambulance is the centre's own, sent before
anything is told to us (A4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.geodesy import Wgs84Point
from core.ids import IdSource
from hub_api.dispatch.incident_states import (
    LEVELS,
    OUTCOME_ZH,
    STAGE_ZH,
    Escalation,
    IncidentState,
    Outcome,
    Stage,
    gap_s,
)
from hub_api.dispatch.incident_story import callback_body, digest_of_incident
from hub_api.dispatch.ledger import Turn
from hub_api.dispatch.order_states import TERMINAL_STATES
from hub_api.logs import remember
from hub_api.personal_data import PersonalData
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.records import EventRecord, NewEvent, OrderRecord
from hub_api.store.repositories import audit, callbacks, events, incident_parts, incidents, orders

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What an order says of the call that it belongs to.

    ``incident_id``: the incident that it names itself; ``near``: that of its client's order near in place and time.
    """

    client: str
    request: dict[str, Any]
    patient: Wgs84Point
    severity: str
    incident_id: str | None
    exercise: bool
    ambulance_eta_at: datetime | None
    near: str | None


class IncidentLedger:
    """Makes, changes and tells incidents, inside transactions."""

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        personal: PersonalData,
        *,
        callback_objection: Callable[[str], str | None] = lambda _url: None,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._personal = personal
        self._callback_objection = callback_objection

    def now(self) -> datetime:
        return self._clock.now()

    def new_id(self) -> str:
        return self._ids.new("inc")

    def check_callback(self, url: str | None) -> None:
        """Raises 4001 for an address that callbacks may not go to."""
        objection = None if url is None else self._callback_objection(url)
        if objection is not None:
            raise DispatchError(ErrorCode.ORDER_INVALID, objection, field="callback_url")

    def join(self, session: Session, call: CallFacts) -> tuple[IncidentRecord, bool]:
        """The open incident that an order belongs to, or a new one; whether it is new.

        Raises 4005 for an unknown incident, 4004 for a closed one.
        """
        incident = self._open_incident_of(session, call)
        if incident is None:
            return self._make_for_order(session, call), True
        return self._take_order(session, incident), False

    def _take_order(self, session: Session, incident: IncidentRecord) -> IncidentRecord:
        stages = dict(incident.stages)
        changes: dict[str, Any] = {}
        if Stage.DISPATCHED not in stages:
            stages[Stage.DISPATCHED] = _stamp(self.now(), "order_received")
            changes["stages"] = stages
        if incident.escalation is not Escalation.DRONE_AED:
            changes["escalation"] = Escalation.DRONE_AED
        if not changes:
            return incident
        return self.change(
            session, incident, "order_joined", "An AED by drone was ordered", "已请求无人机AED", changes
        )

    def _open_incident_of(self, session: Session, call: CallFacts) -> IncidentRecord | None:
        if call.incident_id is not None:
            incident = incidents.find(session, call.incident_id)
            if incident is None or incident.client != call.client:
                raise unknown_incident(call.incident_id, field="incident_id")
            refuse_if_closed(incident)
            if incident.exercise != call.exercise:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    "drills belong to exercises, and patients' orders do not · 演练订单仅用于演练事件",
                    field="mode",
                )
            return incident
        reference = call.request.get("incident_reference")
        if reference is not None:
            return incidents.find_open(session, call.client, reference, exercise=call.exercise)
        near = None if call.near is None else incidents.find(session, call.near)
        return near if near is not None and near.state is IncidentState.OPEN else None

    def _make_for_order(self, session: Session, call: CallFacts) -> IncidentRecord:
        now = self.now()
        incident_id = self.new_id()
        stages: dict[str, Any] = {
            Stage.LOCATED: _stamp(now, "position_received"),
            Stage.DISPATCHED: _stamp(now, "order_received"),
        }
        called_at = call.request.get("called_at")
        if called_at is not None:
            stages[Stage.CALL] = {"at": called_at, "source": "order"}
        incident = IncidentRecord(
            incident_id=incident_id,
            client=call.client,
            reference=call.request.get("incident_reference"),
            state=IncidentState.OPEN,
            version=1,
            source="order",
            managed=False,
            exercise=call.exercise,
            received_at=now,
            updated_at=now,
            place=call.request["position"],
            latitude_deg=call.patient.latitude_deg,
            longitude_deg=call.patient.longitude_deg,
            floor=call.request.get("floor"),
            severity=call.severity,
            severity_code=call.request.get("severity_code"),
            ambulance=(
                None if call.ambulance_eta_at is None else {"eta_at": call.ambulance_eta_at.isoformat()}
            ),
            escalation=Escalation.DRONE_AED,
            stages=stages,
            personal=self._personal.seal(
                incident_id, {name: call.request.get(name) for name in ("caller", "notes")}
            ),
        )
        incidents.insert(session, incident)
        return incident

    def change(
        self,
        session: Session,
        incident: IncidentRecord,
        kind: str,
        detail: str,
        detail_zh: str,
        changes: dict[str, Any],
        *,
        data: dict[str, Any] | None = None,
        moved: bool = True,
    ) -> IncidentRecord:
        """Write the fields, and tell. ``moved``: somebody works on it, so a warning about silence is over."""
        fields = dict(changes)
        if moved:
            fields |= {"updated_at": self.now(), "warned_at": None}
        changed = incidents.save(session, incident, **fields)
        self.tell(session, incident, changed, kind, detail, detail_zh, data)
        return changed

    def tell(
        self,
        session: Session,
        before: IncidentRecord | None,
        incident: IncidentRecord,
        kind: str,
        detail: str,
        detail_zh: str,
        data: dict[str, Any] | None = None,
    ) -> EventRecord:
        """Store what happened to an incident, write it down, and owe it to whoever asked to be told."""
        now = self.now()
        record = events.append(
            session,
            NewEvent(
                message_id=self._ids.new("evt"),
                at=now,
                stored_at=now,
                kind=kind,
                incident_id=incident.incident_id,
                detail=detail,
                detail_zh=detail_zh,
                data=data or {},
            ),
        )
        audit.append(
            session,
            at=now,
            action=kind,
            subject=incident.incident_id,
            before=digest_of_incident(before),
            after=digest_of_incident(incident),
            detail={"event": record.seq},
        )
        remember(order_id=None, incident_id=incident.incident_id)
        log.info(
            "%s: incident is %s",
            kind,
            incident.state,
            extra={
                "about": incident.incident_id,
                "fields": {
                    "incident_reference": incident.reference,
                    "event": record.seq,
                },
            },
        )
        self._owe_callbacks(session, incident, record)
        return record

    def _owe_callbacks(self, session: Session, incident: IncidentRecord, record: EventRecord) -> None:
        urls = {incident.callback_url}
        if incident.managed:
            # Nobody takes part in an incident before somebody works with it.
            urls |= {party.callback_url for party in incident_parts.parties_of(session, incident.incident_id)}
        for url in sorted(url for url in urls if url is not None):
            callbacks.add(
                session,
                order_id=None,
                incident_id=incident.incident_id,
                event_seq=record.seq,
                url=url,
                body=callback_body(incident, record),
                at=record.stored_at,
            )

    def stamp(
        self,
        session: Session,
        incident: IncidentRecord,
        stage: Stage,
        at: datetime,
        *,
        source: str,
        changes: dict[str, Any] | None = None,
    ) -> IncidentRecord:
        """Reach a stage, if it was not reached before. Source: B1."""
        if stage in incident.stages:
            return incident
        stages = dict(incident.stages) | {str(stage): _stamp(at, source)}
        data: dict[str, Any] = {"stage": stage, "at": at.isoformat(), "source": source}
        gap = gap_s(stages, Stage.CALL, Stage.RESCUED)
        if gap is not None and stage in (Stage.CALL, Stage.RESCUED) and not incident.exercise:
            # In the event, so that it is counted when it is stored and not when it is tried.
            data["call_to_first_hands_s"] = gap
        return self.change(
            session,
            incident,
            "stage_reached",
            f"Stage {stage} reached ({source})",
            f"进入阶段：{STAGE_ZH[stage]}",
            {"stages": stages} | (changes or {}),
            data=data,
        )

    def escalate(
        self, session: Session, incident: IncidentRecord, level: Escalation, detail: str, detail_zh: str
    ) -> IncidentRecord:
        """Call out more help than before. Raises 4004 for less. Source: A7."""
        if LEVELS.index(level) < LEVELS.index(incident.escalation):
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                f"help was escalated to {incident.escalation} already; it is never taken back · 升级后不可降级",
                field="level",
            )
        if level is incident.escalation:
            return incident
        return self.change(
            session,
            incident,
            "incident_escalated",
            detail,
            detail_zh,
            {"escalation": level},
            data={"level": level, "before": incident.escalation},
        )

    def follow_order(self, session: Session, turn: Turn, record: EventRecord) -> None:
        """An order of the incident moved: whoever follows the incident hears of it, and the last one closes an
        incident that nobody works with. Called by the order's ledger in the same transaction."""
        order = turn.order
        if order.incident_id is None or turn.new:
            return
        managed = incidents.is_managed(session, order.incident_id)
        if managed is None:
            return
        place_changed = record.kind == "patient_moved" and not order.request.get("separate")
        over = not managed and order.state in TERMINAL_STATES and not orders.another_open(session, order)
        if not (managed or place_changed or over):
            # Mostly: the incident itself need not be read.
            return
        incident = incidents.get(session, order.incident_id)
        if place_changed:
            incident = self._follow_patient(session, incident, order)
        if managed:
            incidents.save(session, incident, updated_at=self.now(), warned_at=None)
            self._owe_callbacks(session, incident, record)
        elif over:
            self.close(session, incident, Outcome.ORDERS_FINISHED, {})

    def _follow_patient(
        self, session: Session, incident: IncidentRecord, order: OrderRecord
    ) -> IncidentRecord:
        """The incident is where its patient is: whoever reads it must not be sent to the old place."""
        changes = {
            "place": order.request["position"],
            "latitude_deg": order.latitude_deg,
            "longitude_deg": order.longitude_deg,
            "floor": order.request.get("floor"),
            "other_place": None,
        }
        return self.change(
            session,
            incident,
            "incident_changed",
            "Newly known: place (the patient of its order moved)",
            "事件位置已更新（患者位置变更）",
            changes,
            data={"fields": ["floor", "place"], "order_id": order.order_id},
        )

    def close(
        self, session: Session, incident: IncidentRecord, outcome: Outcome, changes: dict[str, Any]
    ) -> IncidentRecord:
        """The outcome is known. Raises 4004 if it was before."""
        refuse_if_closed(incident)
        now = self.now()
        stages = dict(incident.stages)
        if outcome is not Outcome.ORDERS_FINISHED:
            stages.setdefault(Stage.FEEDBACK, _stamp(now, "closed"))
        return self.change(
            session,
            incident,
            "incident_closed",
            f"The incident is closed: {outcome}",
            f"事件已关闭：{OUTCOME_ZH[outcome]}",
            {"state": IncidentState.CLOSED, "closed_at": now, "outcome": outcome, "stages": stages} | changes,
            data={"outcome": outcome},
        )


def _stamp(at: datetime, source: str) -> dict[str, str]:
    return {"at": at.isoformat(), "source": source}


def refuse_if_closed(incident: IncidentRecord) -> None:
    """Raises 4004 for a closed incident."""
    if incident.state is IncidentState.CLOSED:
        raise DispatchError(
            ErrorCode.TRANSITION_REFUSED, f"incident {incident.incident_id} is closed · 事件已关闭"
        )


def unknown_incident(incident_id: str, *, field: str | None = None) -> DispatchError:
    """4005 for an incident that does not exist or belongs to somebody else: the answer is the same."""
    return DispatchError(
        ErrorCode.RESOURCE_UNKNOWN, f"there is no incident {incident_id[:60]!r} · 没有该事件", field=field
    )
