"""The ports on a generic HTTPS gateway: see :mod:`hub_api.outgoing.gateway` and ``examples/gateways``."""

from __future__ import annotations

from urllib.parse import urlsplit

from hub_api.messages.ports import NotTaken, Role, RoomClosed, Sms, SmsTaken, VideoRoom, VideoRoomRequest
from hub_api.outgoing.gateway import Gateway, Refused

SMS_FIELDS = frozenset({"phone", "text", "link", "role", "purpose", "subject"})
VIDEO_FIELDS = frozenset({"roles", "subject"})
VIDEO_CLOSE_FIELDS = frozenset({"room_id"})
NO_CLOSING = "no video_close_gateway_file is set: the room stays open for as long as the service keeps it"
_LONGEST_LINK = 500
"""Chosen: a short message holds a few hundred characters."""
_LONGEST_NAME = 500


def _is_link(link: str) -> bool:
    """Whether a person may be sent there."""
    try:
        parts = urlsplit(link)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and len(link) <= _LONGEST_LINK
            and link.isprintable()
        )
    except ValueError:  # brackets that hold no address
        return False


class GatewaySms:
    """A carrier's HTTPS interface. Result ``reference``: the carrier's own number."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def send(self, sms: Sms) -> SmsTaken | NotTaken:
        """Post one message."""
        answer = await self._gateway.ask(
            sms.message_id,
            {
                "phone": sms.phone,
                "text": sms.text,
                "link": sms.link or "",
                "role": str(sms.role),
                "purpose": sms.purpose,
                "subject": sms.subject,
            },
        )
        if isinstance(answer, Refused):
            return NotTaken(why=answer.why)
        reference = answer.results.get("reference", "")
        # The message is with the carrier, whatever it calls it.
        return SmsTaken(reference=reference[:80] if reference and reference.isprintable() else None)


class GatewayVideo:
    """A video service's HTTPS interface. Results ``room_id``, ``link_caller``, ``link_doctor``."""

    def __init__(self, gateway: Gateway, closing: Gateway | None = None) -> None:
        self._gateway = gateway
        self._closing = closing

    async def open_room(self, request: VideoRoomRequest) -> VideoRoom | NotTaken:
        """Ask for a room; a link that is not https, or too long for a short message, is no answer."""
        answer = await self._gateway.ask(
            request.message_id, {"roles": [str(role) for role in request.roles], "subject": request.subject}
        )
        if isinstance(answer, Refused):
            return NotTaken(why=answer.why)
        links = {role: answer.results[f"link_{role}"] for role in Role if f"link_{role}" in answer.results}
        for role, link in links.items():
            if not _is_link(link):
                return NotTaken(why=f"the link for the {role} is no https address")
        room_id = answer.results.get("room_id", request.message_id)
        # Its end is asked for by this name: a part of it would name another room, or none.
        if not 0 < len(room_id) <= _LONGEST_NAME or not room_id.isprintable():
            return NotTaken(why="the room's name cannot be kept")
        return VideoRoom(room_id=room_id, links=links)

    async def close_room(self, message_id: str, room_id: str) -> RoomClosed | NotTaken:
        """Ask for its end, where the service can be asked."""
        if self._closing is None:
            return NotTaken(why=NO_CLOSING)
        answer = await self._closing.ask(message_id, {"room_id": room_id})
        return NotTaken(why=answer.why) if isinstance(answer, Refused) else RoomClosed(room_id=room_id)
