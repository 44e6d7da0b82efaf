"""Sending owed messages until a port takes them: pauses double, and what is too late or failed too often is given up.

A given-up message is a dead letter: shown at ``/v1/messages``, counted in the metrics, sent again by hand.
Messages of a drill go to the recorder, whatever is configured: a drill rings nobody.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from datetime import timedelta

from sqlmodel import Session

from core.clock import Clock
from core.errors import DroneAedError
from hub_api.messages.ports import NotTaken, RoomClosed, SmsPort, SmsTaken, VideoPort, VideoRoom
from hub_api.messages.recorder import Recorder
from hub_api.messages.service import Messages
from hub_api.store.database import Database
from hub_api.store.repositories import messages as store
from hub_api.store.repositories.messages import MessageKind, MessageRecord, MessageState

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
LOOK_AGAIN_S = 60.0
"""With nothing owed: another hub on this database, or the command line, may owe something."""
AT_ONCE = 20
"""Chosen: what one look takes; carriers limit how much they take at once."""

NO_SMS_PORT = "no carrier of short messages is configured"
NO_VIDEO_PORT = "no video service is configured"


class MessageSender:
    """Hands owed messages to their ports."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        messages: Messages,
        sms: SmsPort | None,
        video: VideoPort | None,
        recorder: Recorder,
        attempts: int,
        on_attempt: Callable[[str, str], None] = lambda _kind, _outcome: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._messages = messages
        self._sms = sms
        self._video = video
        self.recorder = recorder
        self._attempts = attempts
        self._on_attempt = on_attempt
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something new is owed."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            try:
                pause_s = await self._send_due()
            except Exception:
                # Orders do not wait for a carrier, and the hub does not end for a message.
                log.exception("messages could not be sent; trying again")
                pause_s = FIRST_PAUSE_S
            try:
                async with self._clock.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _send_due(self) -> float:
        """Send what is due; seconds until the next look."""
        found = await self._database.read(lambda session: store.owed(session, AT_ONCE))
        now = self._clock.now()
        due = [record for record in found if record.next_attempt_at <= now]
        # Each to its end, whatever becomes of another: one that was left behind would be sent again beside itself.
        for outcome in await asyncio.gather(*(self._send(record) for record in due), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        if due:
            return 0.0
        if not found:
            return LOOK_AGAIN_S
        return max(0.0, (min(record.next_attempt_at for record in found) - now).total_seconds())

    async def _send(self, record: MessageRecord) -> None:
        answer = await self._hand_over(record)
        now = self._clock.now()
        if not isinstance(answer, NotTaken):
            taken = answer
            await self._database.write(lambda s: self._messages.sent(s, record, taken, at=now))
            self._on_attempt(str(record.kind), "sent")
            return
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**record.attempts)
        next_at = now + timedelta(seconds=pause_s)
        why = answer.why
        last = record.attempts + 1 >= self._attempts or next_at > record.expires_at
        if last and record.attempts + 1 < self._attempts:
            why = f"too late: {why}"
        log.warning(
            "%s %s about %s was not taken (%s)%s",
            record.kind,
            record.message_id,
            record.subject,
            why,
            ", given up" if last else "",
            extra={"about": record.subject},
        )

        def work(session: Session) -> None:
            owed = store.mark_attempt(
                session,
                record.message_id,
                error=why,
                next_attempt_at=next_at,
                failed_at=now if last else None,
            )
            if last and owed:
                self._messages.tell(session, record, MessageState.FAILED, why)

        await self._database.write(work)
        self._on_attempt(str(record.kind), "given_up" if last else "not_taken")

    async def _hand_over(self, record: MessageRecord) -> SmsTaken | VideoRoom | RoomClosed | NotTaken:
        try:
            if record.kind is MessageKind.SMS:
                sms = self.recorder if record.drill else self._sms
                if sms is None:
                    return NotTaken(why=NO_SMS_PORT)
                return await sms.send(self._messages.as_sms(record))
            video = self.recorder if record.drill else self._video
            if video is None:
                return NotTaken(why=NO_VIDEO_PORT)
            if record.kind is MessageKind.VIDEO_CLOSE:
                return await video.close_room(
                    self._messages.sent_as(record), self._messages.content(record)["room_id"]
                )
            request = self._messages.as_room_request(record)
            room = await video.open_room(request)
            if isinstance(room, VideoRoom) and not set(request.roles) <= set(room.links):
                return NotTaken(why="the video service gave no link for every role")
            return room
        except DroneAedError as fault:
            log.error(
                "message %s cannot be read: %s",
                record.message_id,
                fault.detail,
                extra={"about": record.subject},
            )
            return NotTaken(why="it cannot be read: its key is missing, or it was changed or erased")
        except Exception as fault:
            # A port never raises; one that does must not keep everybody else's messages from being sent.
            # Where it was, not what it says: that may be a telephone number.
            where = "".join(traceback.format_tb(fault.__traceback__))
            log.error("message %s: unexpected %s\n%s", record.message_id, type(fault).__name__, where)
            return NotTaken(why=f"unexpected {type(fault).__name__}")
