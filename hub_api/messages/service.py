"""Owing messages to people: stored in the transaction that wants them, so that none is lost between commit and send.

``owe_video_link`` is what an incident asks for: a room is opened first, and from the transaction that
stores it each recipient is owed the link by short message. Source: A5, A6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode, InternalError
from core.ids import IdSource
from hub_api.messages.ports import Recipient, Role, RoomClosed, Sms, SmsTaken, VideoRoom, VideoRoomRequest
from hub_api.messages.texts import VIDEO_LINK, video_text
from hub_api.store.repositories import audit
from hub_api.store.repositories import messages as store
from hub_api.store.repositories.messages import MessageKind, MessageRecord, MessageState
from hub_api.vault import Vault

_PHONE = re.compile(r"\+?[0-9]{3,18}")
_SEPARATORS = str.maketrans("", "", " -()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message, told in the transaction that stores it: to be written into an incident's story."""

    message: MessageRecord
    state: MessageState
    detail: str
    detail_zh: str


OnOutcome = Callable[[Session, Outcome], None]


class Messages:
    """Owes, withdraws and replays messages; opens what is sealed in them for whoever sends or shows them."""

    def __init__(self, *, vault: Vault, ids: IdSource, clock: Clock, usable_s: float) -> None:
        self._vault = vault
        self._ids = ids
        self._clock = clock
        self._usable = timedelta(seconds=usable_s)
        self.on_outcome: OnOutcome | None = None
        """Set by who keeps the incidents' story; called inside the transaction."""

    def owe_video_link(
        self,
        session: Session,
        *,
        subject: str,
        client: str,
        recipients: Sequence[Recipient],
        drill: bool = False,
    ) -> MessageRecord:
        """A video room about ``subject``, and its link to every recipient by short message.

        Wake the sender after the commit (``hub.wake_messages()``).
        """
        people = [{"role": str(one.role), "phone": one.phone} for one in recipients]
        return self._owe(
            session,
            kind=MessageKind.VIDEO_ROOM,
            purpose=VIDEO_LINK,
            subject=subject,
            client=client,
            role=None,
            drill=drill,
            content={"recipients": people},
        )

    def owe_sms(
        self,
        session: Session,
        *,
        subject: str,
        client: str,
        recipient: Recipient,
        text: str,
        purpose: str,
        link: str | None = None,
        drill: bool = False,
    ) -> MessageRecord:
        """One short message. A number that cannot be dialled is stored as given up, with the reason."""
        phone = recipient.phone.translate(_SEPARATORS)
        usable = _PHONE.fullmatch(phone) is not None
        return self._owe(
            session,
            kind=MessageKind.SMS,
            purpose=purpose,
            subject=subject,
            client=client,
            role=recipient.role,
            drill=drill,
            content={"phone": phone if usable else recipient.phone, "text": text, "link": link},
            unusable=None if usable else "the telephone number cannot be dialled",
        )

    def _owe(
        self,
        session: Session,
        *,
        kind: MessageKind,
        purpose: str,
        subject: str,
        client: str,
        role: Role | None,
        drill: bool,
        content: dict[str, Any],
        unusable: str | None = None,
    ) -> MessageRecord:
        message_id, now = self._ids.new("msg"), self._clock.now()
        record = MessageRecord(
            message_id=message_id,
            kind=kind,
            purpose=purpose,
            subject=subject,
            client=client,
            role=None if role is None else str(role),
            drill=drill,
            sealed=self._vault.seal(content, record=message_id),
            created_at=now,
            expires_at=now + self._usable,
            next_attempt_at=now,
            failed_at=None if unusable is None else now,
            last_error=unusable,
        )
        store.insert(session, record)
        if unusable is not None:
            self.tell(session, record, MessageState.FAILED, unusable)
        return record

    def withdraw(self, session: Session, subject: str, *, why: str) -> int:
        """What is still owed about ``subject`` is not wanted any more; how many messages that were."""
        return store.give_up_of_subject(session, subject, why=why, at=self._clock.now())

    def close_rooms(self, session: Session, subject: str) -> int:
        """The rooms about ``subject`` are not wanted any more; how many were open."""
        found = store.of_subject(session, subject)
        closed = self.closed_rooms(found)
        rooms = [
            record
            for record in found
            if record.kind is MessageKind.VIDEO_ROOM
            and record.receipt is not None
            and record.receipt["room_id"] not in closed
        ]
        for record in rooms:
            assert record.receipt is not None
            self._owe_closing(session, record, record.receipt["room_id"])
        return len(rooms)

    def closed_rooms(self, messages: Sequence[MessageRecord]) -> set[str]:
        """Rooms whose end is owed, done or given up."""
        return {
            self.content(record)["room_id"]
            for record in messages
            if record.kind is MessageKind.VIDEO_CLOSE and record.sealed is not None
        }

    def _owe_closing(self, session: Session, room: MessageRecord, room_id: str) -> None:
        self._owe(
            session,
            kind=MessageKind.VIDEO_CLOSE,
            purpose=room.purpose,
            subject=room.subject,
            client=room.client,
            role=None,
            drill=room.drill,
            content={"room_id": room_id},
        )

    def send_again(self, session: Session, message_id: str, *, client: str | None) -> MessageRecord:
        """Owe a given-up message again. Raises 4005 unknown to this client, 4004 not given up or erased."""
        before = store.find(session, message_id)
        if before is None or (client is not None and before.client != client):
            raise DispatchError(
                ErrorCode.RESOURCE_UNKNOWN, f"there is no message {message_id[:60]!r} · 没有该消息"
            )
        if before.state is not MessageState.FAILED:
            raise DispatchError(ErrorCode.TRANSITION_REFUSED, "the message was not given up · 消息未被放弃")
        if before.sealed is None:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                "its recipient was erased by the retention rule · 收件人信息已按规定清除",
            )
        now = self._clock.now()
        store.replay(session, message_id, at=now, expires_at=now + self._usable)
        session.expire_all()
        after = store.find(session, message_id)
        assert after is not None
        audit.append(
            session,
            at=now,
            action="message_replayed",
            subject=before.subject,
            before=audit.digest_of(before),
            after=audit.digest_of(after),
            detail={"message_id": message_id},
        )
        return after

    def content(self, record: MessageRecord) -> dict[str, Any]:
        """What is sealed in it; 5003 if it cannot be opened or is erased."""
        if record.sealed is None:
            raise InternalError(ErrorCode.BROKEN_INVARIANT, f"what {record.message_id} says was erased")
        return self._vault.open(record.sealed, record=record.message_id)

    @staticmethod
    def sent_as(record: MessageRecord) -> str:
        """The id that the other side sees: a person who sends again means another message, a retry never does."""
        return record.message_id if record.replays == 0 else f"{record.message_id}.{record.replays}"

    def as_sms(self, record: MessageRecord) -> Sms:
        """The message as its port takes it."""
        content = self.content(record)
        assert record.role is not None
        return Sms(
            message_id=self.sent_as(record),
            subject=record.subject,
            purpose=record.purpose,
            role=Role(record.role),
            phone=content["phone"],
            text=content["text"],
            link=content["link"],
        )

    def as_room_request(self, record: MessageRecord) -> VideoRoomRequest:
        """The message as its port takes it."""
        roles = tuple(Role(one["role"]) for one in self.content(record)["recipients"])
        return VideoRoomRequest(message_id=self.sent_as(record), subject=record.subject, roles=roles)

    def sent(
        self,
        session: Session,
        record: MessageRecord,
        taken: SmsTaken | VideoRoom | RoomClosed,
        *,
        at: datetime,
    ) -> None:
        """The port took it. A new room owes its links in this same transaction; one that is not wanted any more since
        it was asked for is closed."""
        receipt = (
            {"reference": taken.reference} if isinstance(taken, SmsTaken) else {"room_id": taken.room_id}
        )
        if not store.mark_sent(session, record.message_id, at=at, receipt=receipt):
            if isinstance(taken, VideoRoom):
                self._owe_closing(session, record, taken.room_id)
            return
        if isinstance(taken, VideoRoom):
            for one in self.content(record)["recipients"]:
                role = Role(one["role"])
                self.owe_sms(
                    session,
                    subject=record.subject,
                    client=record.client,
                    recipient=Recipient(role=role, phone=one["phone"]),
                    text=video_text(role, taken.links[role], drill=record.drill),
                    purpose=record.purpose,
                    link=taken.links[role],
                    drill=record.drill,
                )
        self.tell(session, record, MessageState.SENT, "")

    def tell(self, session: Session, record: MessageRecord, state: MessageState, why: str) -> None:
        """Let the incident's story know."""
        if self.on_outcome is None:
            return
        what, what_zh = _NAMES[record.kind]
        to, to_zh = _TO[record.role]
        if state is MessageState.SENT:
            detail, detail_zh = f"{what}{to} was taken by the service", f"{what_zh}{to_zh}已交付服务商"
        else:
            detail, detail_zh = f"{what}{to} was given up: {why}", f"{what_zh}{to_zh}未能发出：{why}"
        self.on_outcome(session, Outcome(message=record, state=state, detail=detail, detail_zh=detail_zh))


_NAMES = {
    MessageKind.SMS: ("A short message", "短信"),
    MessageKind.VIDEO_ROOM: ("The request for a video room", "视频房间请求"),
    MessageKind.VIDEO_CLOSE: ("The end of the video room", "关闭视频房间请求"),
}
_TO: dict[str | None, tuple[str, str]] = {
    None: ("", ""),
    str(Role.CALLER): (" to the caller", "（呼救者）"),
    str(Role.DOCTOR): (" to the doctor", "（出诊医生）"),
}
