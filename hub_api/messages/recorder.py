"""Carrier and video service of drills, tests and the demo: they keep what they were given and ring nobody."""

from __future__ import annotations

from collections import deque

from hub_api.messages.ports import NotTaken, RoomClosed, Sms, SmsTaken, VideoRoom, VideoRoomRequest

KEPT = 1000
"""Chosen: a long drill; the database keeps them all anyway."""


class Recorder:
    """Both ports at once. Links lead to ``.invalid``, which no name server ever answers (RFC 2606)."""

    def __init__(self) -> None:
        self.sms: deque[Sms] = deque(maxlen=KEPT)
        self.rooms: deque[VideoRoomRequest] = deque(maxlen=KEPT)
        self.closed: deque[str] = deque(maxlen=KEPT)

    async def send(self, sms: Sms) -> SmsTaken | NotTaken:
        """Keep it, once for each id."""
        if all(known.message_id != sms.message_id for known in self.sms):
            self.sms.append(sms)
        return SmsTaken(reference=f"recorded-{sms.message_id}")

    async def open_room(self, request: VideoRoomRequest) -> VideoRoom | NotTaken:
        """A room that nobody can enter; the same one for the same id."""
        if all(known.message_id != request.message_id for known in self.rooms):
            self.rooms.append(request)
        room_id = f"drill-{request.message_id}"
        links = {role: f"https://video.invalid/{room_id}/{role}" for role in request.roles}
        return VideoRoom(room_id=room_id, links=links)

    async def close_room(self, message_id: str, room_id: str) -> RoomClosed | NotTaken:
        """Keep that it is closed."""
        if room_id not in self.closed:
            self.closed.append(room_id)
        return RoomClosed(room_id=room_id)
