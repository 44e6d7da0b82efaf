"""What the hub asks of a carrier of short messages and of a video service. Source: A5, A6.

A port answers with what became of the request; it never raises for what the other side says or does not
say. Everything is sent at least once under the same ``message_id``, which the other side takes as the
idempotency key: it must not ring twice for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """Who gets a link. Source: A6 (呼救者, 120出诊医生)."""

    CALLER = "caller"
    """The person who called 120."""
    DOCTOR = "doctor"
    """The doctor on the way in the ambulance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person and a telephone number, as the centre wrote it."""

    role: Role
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """One short message. ``link`` is in ``text`` already; carriers that know only approved templates take it apart.

    ``purpose`` is a machine word («video_link»), ``subject`` the incident or order it is about.
    """

    message_id: str
    subject: str
    purpose: str
    role: Role
    phone: str
    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRoomRequest:
    """A room in which caller, doctor and centre see each other; one link for each role."""

    message_id: str
    subject: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsTaken:
    """The carrier took it: not yet that anybody read it. ``reference`` is the carrier's own number."""

    reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRoom:
    """An open room and the link for each role."""

    room_id: str
    links: Mapping[Role, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomClosed:
    """Nobody is in the room any more, and its links lead nowhere."""

    room_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """The other side did not take it. ``why`` holds no personal data: it is stored, shown and logged."""

    why: str


class SmsPort(Protocol):
    """A carrier of short messages."""

    async def send(self, sms: Sms) -> SmsTaken | NotTaken:
        """Hand one message over."""
        ...


class VideoPort(Protocol):
    """A video service."""

    async def open_room(self, request: VideoRoomRequest) -> VideoRoom | NotTaken:
        """Open a room, or give the one that was opened for the same ``message_id`` before."""
        ...

    async def close_room(self, message_id: str, room_id: str) -> RoomClosed | NotTaken:
        """End a room; one that is closed already is closed."""
        ...
