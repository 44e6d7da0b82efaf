"""Incidents as the API works with them: receive, change, escalate, close. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.errors import DispatchError, ErrorCode
from core.geodesy import Wgs84Point
from hub_api.dispatch import place_notes
from hub_api.dispatch.guidance import Guidance, VideoGuidance
from hub_api.dispatch.incident_ledger import IncidentLedger, refuse_if_closed, unknown_incident
from hub_api.dispatch.incident_states import (
    ESCALATION_ZH,
    FIELD_ZH,
    STAGE_ZH,
    Escalation,
    IncidentState,
    Outcome,
    Stage,
)
from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.dispatch.severity import SeverityFollower
from hub_api.personal_data import PersonalData
from hub_api.store.database import Database
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.repositories import incidents, orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is newly known of an incident; a field that is absent from ``plain`` stays as it is.

    ``plain`` are fields of the record, ``personal`` those that are sealed; ``called_at`` is the first stage.
    """

    plain: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Any] = field(default_factory=dict)
    called_at: datetime | None = None
    position: Wgs84Point | None = None
    """A new place, which ``plain`` holds as it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIncident:
    """A validated request. ``place`` is the position as it was sent, ``position`` the same in WGS-84."""

    client: str
    key: str
    body_sha256: str
    source: str
    exercise: bool
    reference: str | None
    place: dict[str, Any]
    position: Wgs84Point
    severity: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to a request: ``replay`` if the same one came before, ``joined`` if the incident was known."""

    incident: IncidentRecord
    replay: bool = False
    joined: bool = False
    decide: tuple[str, ...] = ()
    """Orders to be decided again after the commit."""


class IncidentService:
    """Receives, changes and closes incidents."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: IncidentLedger,
        personal: PersonalData,
        guidance: Guidance,
        severity: SeverityFollower,
        decide_later: Callable[[str], None],
        keep_s: float,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._personal = personal
        self._guidance = guidance
        self._severity = severity
        self._decide_later = decide_later
        self._keep_s = keep_s

    async def receive(self, new: NewIncident) -> Received:
        """Store an incident; the same key and body again give the same one, its reference joins the open one.

        Raises 4003 if the key came with another body before.
        """
        self._ledger.check_callback(new.facts.plain.get("callback_url"))
        try:
            received = await self._database.write(lambda session: self._receive(session, new))
        except IntegrityError:
            # Another hub on the same database stored this key a moment ago.
            received = await self._database.write(lambda session: self._receive(session, new))
        self._follow_up(received.decide)
        return received

    def _follow_up(self, decide: Sequence[str]) -> None:
        """What a commit is followed by."""
        self._guidance.wake()
        for order_id in decide:
            self._decide_later(order_id)

    def _receive(self, session: Session, new: NewIncident) -> Received:
        now = self._ledger.now()
        known = self.known(session, new.client, new.key, new.body_sha256)
        if known is not None:
            return Received(known, replay=True)
        found = None
        if new.reference is not None:
            found = incidents.find_open(session, new.client, new.reference, exercise=new.exercise)
        if found is None:
            incident = self._insert(session, new, now)
        else:
            incident = self._join(session, found, new)
        incidents.remember_key(
            session,
            client=new.client,
            key=new.key,
            body_sha256=new.body_sha256,
            incident_id=incident.incident_id,
            at=now,
        )
        incident = self._guidance.offer(session, incident, self.opened(incident))
        incident, decide = self._carry_severity(session, found, incident)
        return Received(incident, joined=found is not None, decide=decide)

    def _carry_severity(
        self, session: Session, before: IncidentRecord | None, incident: IncidentRecord
    ) -> tuple[IncidentRecord, tuple[str, ...]]:
        """A changed severity is that of the incident's open orders too. The last step: it changes the record."""
        if before is None or before.severity == incident.severity:
            return incident, ()
        decide = self._severity.follow(session, incident)
        return incidents.get(session, incident.incident_id), tuple(decide)

    def _join(self, session: Session, found: IncidentRecord, new: NewIncident) -> IncidentRecord:
        """Everything that the report says is taken but a place that an open order does not fly to."""
        moved, other = place_notes.reported(session, found, new.place, new.position, self._ledger.now())
        facts = replace(new.facts, plain={**new.facts.plain, "severity": new.severity, **moved})
        incident = self.learn(session, found, facts, "incident_joined")
        return place_notes.note(self._ledger, session, incident, other)

    def known(self, session: Session, client: str, key: str, body_sha256: str) -> IncidentRecord | None:
        """What a request with this key made before. Raises 4003 for another body."""
        not_before = self._ledger.now() - timedelta(seconds=self._keep_s)
        incidents.forget_keys(session, before=not_before, client=client, key=key)
        found = incidents.find_key(session, client, key, not_before=not_before)
        if found is None:
            return None
        if found[0] != body_sha256:
            raise DispatchError(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                f"this key came with another body before, for incident {found[1]} · 幂等键已用于另一请求",
                field="header.idempotency-key",
            )
        return incidents.get(session, found[1])

    def _insert(self, session: Session, new: NewIncident, now: datetime) -> IncidentRecord:
        incident_id = self._ledger.new_id()
        stages: dict[str, Any] = {
            str(Stage.LOCATED): {"at": now.isoformat(), "source": "position_received"},
        }
        if new.facts.called_at is not None:
            stages[Stage.CALL] = {"at": new.facts.called_at.isoformat(), "source": new.source}
        incident = IncidentRecord(
            incident_id=incident_id,
            client=new.client,
            reference=new.reference,
            state=IncidentState.OPEN,
            version=1,
            source=new.source,
            managed=True,
            exercise=new.exercise,
            received_at=now,
            updated_at=now,
            place=new.place,
            latitude_deg=new.position.latitude_deg,
            longitude_deg=new.position.longitude_deg,
            severity=new.severity,
            stages=stages,
            personal=self._personal.seal(incident_id, dict(new.facts.personal)),
            **({"floor": None} | dict(new.facts.plain)),
        )
        incidents.insert(session, incident)
        self._ledger.tell(
            session,
            None,
            incident,
            "incident_received",
            "The incident is stored",
            "事件已接收并保存",
            {"source": new.source, "severity": incident.severity},
        )
        return self._stamp_dispatch(session, incident)

    def _stamp_dispatch(self, session: Session, incident: IncidentRecord) -> IncidentRecord:
        """The ambulance was sent: that is the dispatch, whatever else is sent later. Source: A4."""
        sent = (incident.ambulance or {}).get("dispatched_at")
        if sent is None:
            return incident
        return self._ledger.stamp(
            session,
            incident,
            Stage.DISPATCHED,
            datetime.fromisoformat(sent),
            source="ambulance_dispatched",
        )

    def of(self, session: Session, incident_id: str, client: str | None) -> IncidentRecord:
        """An incident that this client may change. Raises 4005."""
        incident = incidents.find(session, incident_id)
        if incident is None or (client is not None and incident.client != client):
            raise unknown_incident(incident_id)
        return incident

    async def change(
        self,
        incident_id: str,
        facts: Facts,
        *,
        client: str | None,
        video_guidance: VideoGuidance | None = None,
    ) -> IncidentRecord:
        """What is newly known, and what the centre decides about video guidance (A5): all of it or nothing.

        Raises 4005 unknown, 4004 closed, or a position while a drone flies to the old one, or nobody can be reached
        for the guidance, 4001 for a callback address that is not allowed.
        """
        self._ledger.check_callback(facts.plain.get("callback_url"))

        def work(session: Session) -> tuple[IncidentRecord, tuple[str, ...]]:
            before = incident = self.of(session, incident_id, client)
            if facts.position is not None and place_notes.open_elsewhere(
                session, incident_id, facts.position
            ):
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    "an order is open for the old position; move it with POST /v1/orders/{order_id}/position · "
                    "该位置已有未完成的订单，请更新订单位置",
                    field="position",
                )
            told = facts
            if facts.position is not None:
                # Somebody said on purpose where it is: no other place is in question any more.
                told = replace(facts, plain={**facts.plain, "other_place": None})
            incident = self.learn(session, incident, told, "incident_changed")
            if video_guidance is not None:
                incident = self._guidance.set(session, incident, video_guidance, self.opened(incident))
            else:
                incident = self._guidance.offer(session, incident, self.opened(incident))
            return self._carry_severity(session, before, incident)

        changed, decide = await self._database.write(work)
        self._follow_up(decide)
        return changed

    def learn(self, session: Session, incident: IncidentRecord, facts: Facts, kind: str) -> IncidentRecord:
        """Write what is newly known; names of the fields are told, personal ones without their values."""
        refuse_if_closed(incident)
        told = dict(facts.plain)
        if told.get("ambulance") is not None:
            # A new arrival takes nothing away of its unit and its dispatch.
            told["ambulance"] = (incident.ambulance or {}) | told["ambulance"]
        changes = {name: value for name, value in told.items() if getattr(incident, name) != value} | {
            "managed": True
        }
        names = {"place" if name == "other_place" else name for name in changes}
        named = sorted(names - {"managed", "latitude_deg", "longitude_deg"})
        before = self.opened(incident)
        personal = before | dict(facts.personal)
        if personal != before:
            changes |= {
                "personal": self._personal.seal(incident.incident_id, personal),
                "personal_erased_at": None,
            }
            named += sorted(name for name in facts.personal if before.get(name) != facts.personal[name])
        if named or not incident.managed:
            incident = self._ledger.change(
                session,
                incident,
                kind,
                f"Newly known: {', '.join(named) or 'the incident itself'}",
                f"事件信息已更新：{'、'.join(FIELD_ZH.get(name, name) for name in named) or '事件'}",
                changes,
                data={"fields": named},
            )
        if facts.called_at is not None:
            incident = self._ledger.stamp(
                session, incident, Stage.CALL, facts.called_at, source=incident.source
            )
        return self._stamp_dispatch(session, incident)

    def opened(self, incident: IncidentRecord) -> dict[str, Any]:
        """The personal data of an incident; empty once erased or if its key is missing."""
        return dict(self._personal.reveal(incident.incident_id, incident.personal, allowed=True).values)

    async def reach(
        self, incident_id: str, stage: Stage, at: datetime, *, reason: str | None, client: str | None
    ) -> IncidentRecord:
        """A stage was reached; again with another moment only as a correction with its ``reason``. Source: B1.

        Raises 4004 for a correction without a reason.
        """

        def work(session: Session) -> IncidentRecord:
            incident = self.of(session, incident_id, client)
            known = incident.stages.get(stage)
            if known is None:
                refuse_if_closed(incident)
                return self._ledger.stamp(
                    session, incident, stage, at, source="api", changes={"managed": True}
                )
            if datetime.fromisoformat(known["at"]) == at:
                return incident
            if reason is None:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    f"stage {stage} was reached at {known['at']}; a correction needs its reason · "
                    f"阶段“{STAGE_ZH[stage]}”已有时间，更正须说明原因",
                    field="correction_reason",
                )
            stages = dict(incident.stages) | {str(stage): {"at": at.isoformat(), "source": "correction"}}
            return self._ledger.change(
                session,
                incident,
                "stage_corrected",
                f"Stage {stage} corrected from {known['at']} to {at.isoformat()}: {reason}",
                f"阶段“{STAGE_ZH[stage]}”时间已更正：{reason}",
                {"stages": stages},
                data={"stage": stage, "at": at.isoformat(), "before": known["at"], "reason": reason},
            )

        return await self._database.write(work)

    async def escalate(
        self, incident_id: str, level: Escalation, *, reason: str, client: str | None
    ) -> IncidentRecord:
        """Call out more help. Raises 4004 for less than before. Source: A7."""

        def work(session: Session) -> IncidentRecord:
            incident = self.of(session, incident_id, client)
            refuse_if_closed(incident)
            return self._ledger.escalate(
                session,
                incident,
                level,
                f"Help is escalated to {level}: {reason}",
                f"救援升级为{ESCALATION_ZH[level]}：{reason}",
            )

        return await self._database.write(work)

    async def close(
        self, incident_id: str, outcome: Outcome, *, utstein: Mapping[str, Any] | None, client: str | None
    ) -> IncidentRecord:
        """The outcome is known. Raises 4004 while an order is open. Idempotent for the same outcome. Source: A18."""

        def work(session: Session) -> IncidentRecord:
            incident = self.of(session, incident_id, client)
            if incident.state is IncidentState.CLOSED and incident.outcome == outcome and utstein is None:
                return incident
            refuse_if_closed(incident)
            flying = [
                order.order_id
                for order in orders.of_incident(session, incident_id)
                if order.state not in TERMINAL_STATES | {OrderState.CANCELLING, OrderState.FAILING}
                and order.aed_on_ground_at is None
            ]
            if flying:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    f"order {flying[0]} is still open; cancel it or wait for it · 仍有未完成的订单",
                )
            changes: dict[str, Any] = {"managed": True}
            if utstein is not None:
                personal = self.opened(incident) | {"utstein": dict(utstein)}
                changes["personal"] = self._personal.seal(incident.incident_id, personal)
                changes["personal_erased_at"] = None
            self._guidance.withdraw(session, incident, "the incident is closed")
            return self._ledger.close(session, incident, outcome, changes)

        closed = await self._database.write(work)
        self._guidance.wake()
        return closed
