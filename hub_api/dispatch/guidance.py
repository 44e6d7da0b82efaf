"""Video guidance: the severity decides whether caller and doctor get a link to a common room. Source: A5, A6.

What is sent is owed in the transaction that decides it and travels afterwards, so that no order, no flight and
no ambulance ever waits for a carrier. A drill's messages go to the recorder and ring nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from core.errors import DispatchError, ErrorCode
from hub_api.dispatch.incident_ledger import IncidentLedger
from hub_api.dispatch.incident_states import IncidentState, Stage
from hub_api.messages.ports import Recipient, Role
from hub_api.messages.service import Messages, Outcome
from hub_api.messages.texts import VIDEO_LINK
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.repositories import incidents
from hub_api.store.repositories import messages as store
from hub_api.store.repositories.messages import MessageKind, MessageState


class VideoGuidance(StrEnum):
    """Whether an incident is guided by video. Source: A5 (根据病情分级按需选择)."""

    BY_SEVERITY = "by_severity"
    """The hub's rule for the severity."""
    START = "start"
    """The centre wants it, whatever the severity."""
    NONE = "none"
    """The centre does not want it."""


class Guidance:
    """Owes video links, and writes into the incident's story what became of them."""

    def __init__(
        self,
        messages: Messages,
        ledger: IncidentLedger,
        *,
        severities: Collection[str],
        wake: Callable[[], None],
    ) -> None:
        self._messages = messages
        self._ledger = ledger
        self._severities = frozenset(severities)
        self.wake = wake
        """Call after the commit."""

    def offer(self, session: Session, incident: IncidentRecord, personal: dict[str, Any]) -> IncidentRecord:
        """Owe a link where it is wanted and somebody can be reached who has not got one.

        An incident that exists only because of an order rings nobody: its centre has not asked for that.
        """
        if incident.state is IncidentState.CLOSED or not incident.managed or not self._wanted(incident):
            return incident
        recipients = _recipients(personal)
        roles = {one.role for one in recipients}
        if Role.CALLER not in roles or roles <= self._asked(session, incident.incident_id):
            return incident
        self._messages.owe_video_link(
            session,
            subject=incident.incident_id,
            client=incident.client,
            recipients=recipients,
            drill=incident.exercise,
        )
        named = sorted(str(role) for role in roles)
        return self._ledger.change(
            session,
            incident,
            "video_guidance_started",
            f"A video room is opened for {', '.join(named)}",
            f"正在为{'、'.join(_ZH[Role(role)] for role in named)}开启视频指导",
            {},
            data={"roles": named, "because": incident.video_guidance, "severity": incident.severity},
        )

    def _wanted(self, incident: IncidentRecord) -> bool:
        if incident.video_guidance == VideoGuidance.BY_SEVERITY:
            return incident.severity in self._severities
        return incident.video_guidance == VideoGuidance.START

    def _asked(self, session: Session, incident_id: str) -> set[Role]:
        """Whom a room was opened for already. A room for the caller alone is not one that the doctor is in."""
        found = store.of_subject(session, incident_id)
        closed = self._messages.closed_rooms(found)
        rooms = [
            set(self._messages.as_room_request(record).roles)
            for record in found
            if record.kind is MessageKind.VIDEO_ROOM
            and record.sealed is not None
            and (record.receipt is None or record.receipt["room_id"] not in closed)
        ]
        return max(rooms, key=len, default=set())

    def set(
        self,
        session: Session,
        incident: IncidentRecord,
        wanted: VideoGuidance,
        personal: dict[str, Any],
    ) -> IncidentRecord:
        """The centre decides. Raises 4004 where nobody can be reached."""
        if wanted is VideoGuidance.START and not any(
            one.role is Role.CALLER for one in _recipients(personal)
        ):
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                "the caller's telephone number is not known · 呼救者电话未知",
                field="caller.phone",
            )
        if incident.video_guidance != wanted:
            incident = self._ledger.change(
                session,
                incident,
                "video_guidance_set",
                f"Video guidance: {wanted}",
                f"视频指导：{_WANTED_ZH[wanted]}",
                {"video_guidance": str(wanted), "managed": True},
            )
        if wanted is VideoGuidance.NONE:
            self.withdraw(session, incident, "the centre does not want video guidance")
        return self.offer(session, incident, personal)

    def withdraw(self, session: Session, incident: IncidentRecord, why: str) -> None:
        """What is still owed is not wanted any more, and rooms that are open are closed."""
        self._messages.withdraw(session, incident.incident_id, why=why)
        self._messages.close_rooms(session, incident.incident_id)

    def take_outcome(self, session: Session, outcome: Outcome) -> None:
        """A message was taken or given up: tell it, and the caller's link is the stage of guidance. B1."""
        message = outcome.message
        if not message.subject.startswith("inc_") or message.purpose != VIDEO_LINK:
            return
        incident = incidents.find(session, message.subject)
        if incident is None:
            return
        sent = outcome.state is MessageState.SENT
        incident = self._ledger.change(
            session,
            incident,
            "message_sent" if sent else "message_given_up",
            outcome.detail,
            outcome.detail_zh,
            {},
            data={"message_id": message.message_id, "kind": message.kind, "role": message.role},
            moved=sent,
        )
        if sent and message.kind is MessageKind.SMS and message.role == Role.CALLER:
            self._ledger.stamp(session, incident, Stage.GUIDED, self._ledger.now(), source="video_link_sent")


def _recipients(personal: dict[str, Any]) -> list[Recipient]:
    found = []
    for role in (Role.CALLER, Role.DOCTOR):
        phone = (personal.get(str(role)) or {}).get("phone")
        if phone:
            found.append(Recipient(role=role, phone=phone))
    return found


_ZH = {Role.CALLER: "呼救者", Role.DOCTOR: "出诊医生"}
_WANTED_ZH = {
    VideoGuidance.BY_SEVERITY: "按病情分级",
    VideoGuidance.START: "启动",
    VideoGuidance.NONE: "不启动",
}
