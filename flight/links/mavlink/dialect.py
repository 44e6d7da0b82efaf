"""The ardupilotmega dialect as tables, taken from pymavlink: what a message id means on the wire.

pymavlink is the dictionary here, not the parser: its message classes carry every layout (struct,
field order, array lengths, CRC seed), and :mod:`flight.links.mavlink.framing` works on those. The
names below are MAVLink's own; constants that other rooms need are repeated as plain numbers so
that nobody else imports a MAVLink library.
"""

from __future__ import annotations

import struct
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, ClassVar

from pymavlink.dialects.v20 import ardupilotmega as _dialect


class Message(tuple[Any, ...]):
    """One received message: what it says, who says so, and its bytes.

    A single tuple (the fields in wire order, then system id, component id, raw frame), because a second
    object for each message would cost as much as everything else. Each layout has a subclass of its own
    whose ``fields`` has MAVLink's names.
    """

    __slots__ = ()
    name: ClassVar[str]

    @property
    def fields(self) -> Any:
        """The fields under MAVLink's own names."""
        return self

    system_id: Any = property(itemgetter(-3))
    component_id: Any = property(itemgetter(-2))
    raw: Any = property(itemgetter(-1))


_OWN_NAMES = {"name", "fields", "raw", "system_id", "component_id"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How one message id is laid out.

    ``gather`` makes the fields of the struct's flat numbers (None: they are the fields); ``message`` is
    the class of such messages.
    """

    msg_id: int
    name: str
    crc_extra: int
    packer: struct.Struct
    names: tuple[str, ...]
    array_lengths: tuple[int, ...]
    gather: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None
    message: type[Message]

    def unpack(self, payload: bytes, system_id: int = 0, component_id: int = 0, raw: bytes = b"") -> Message:
        """The message of ``payload``, of any length: MAVLink 2 cuts trailing zeros off, newer dialects
        append fields."""
        size = self.packer.size
        if len(payload) < size:
            payload = payload + bytes(size - len(payload))
        flat = self.packer.unpack_from(payload)
        values = flat if self.gather is None else self.gather(flat)
        return tuple.__new__(self.message, (*values, system_id, component_id, raw))


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", errors="replace")


def _make_gather(lengths: tuple[int, ...], types: tuple[str, ...]) -> Any:
    if not any(lengths) and "char" not in types:
        return None
    # The struct gives a text as one entry and every other array as so many numbers.
    pick: list[int | slice] = []
    texts: list[int] = []
    at = 0
    for number, (length, kind) in enumerate(zip(lengths, types, strict=True)):
        if kind == "char":
            texts.append(number)
            pick.append(at)
            at += 1
        elif length:
            pick.append(slice(at, at + length))
            at += length
        else:
            pick.append(at)
            at += 1
    only = pick[0]
    gather: Any = itemgetter(*pick) if len(pick) > 1 else lambda flat: (flat[only],)
    if not texts:
        return gather

    def gather_with_text(flat: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(gather(flat))
        for number in texts:
            values[number] = _text(values[number])
        return tuple(values)

    return gather_with_text


def _make_message(name: str, names: tuple[str, ...]) -> type[Message]:
    make_fields: Any = namedtuple
    fields = make_fields(name, names, rename=True)
    own: dict[str, Any] = {"__slots__": (), "name": name}
    if _OWN_NAMES.intersection(names):
        # A field that is called as one of ours is found on ``fields`` only.
        own["fields"] = property(lambda message: fields._make(message[:-3]))
    else:
        own |= {field: fields.__dict__[field] for field in fields._fields}
    return type(name, (Message,), own)


def _layout(message_class: Any) -> Layout:
    names = tuple(message_class.ordered_fieldnames)
    types_by_name = dict(zip(message_class.fieldnames, message_class.fieldtypes, strict=True))
    types = tuple(types_by_name[name] for name in names)
    lengths = tuple(message_class.array_lengths)
    return Layout(
        message_class.id,
        message_class.msgname,
        message_class.crc_extra,
        message_class.unpacker,
        names,
        lengths,
        _make_gather(lengths, types),
        _make_message(message_class.msgname, names),
    )


LAYOUTS: dict[int, Layout] = {
    msg_id: _layout(message_class) for msg_id, message_class in _dialect.mavlink_map.items() if msg_id >= 0
}
"""Every message of the dialect by its id."""

BY_NAME: dict[str, Layout] = {layout.name: layout for layout in LAYOUTS.values()}


def _slots(layout: Layout) -> tuple[list[Any], dict[str, tuple[int, int, bool]]]:
    """The struct's numbers all zero, and of each field: its first place, how many, whether it is text."""
    zeros: list[Any] = list(layout.packer.unpack(bytes(layout.packer.size)))
    slots: dict[str, tuple[int, int, bool]] = {}
    at = 0
    for field, length in zip(layout.names, layout.array_lengths, strict=True):
        text = isinstance(zeros[at], bytes)
        slots[field] = at, length, text and length > 0
        at += 1 if text or not length else length
    return zeros, slots


_SLOTS: dict[str, tuple[list[Any], dict[str, tuple[int, int, bool]]]] = {}


def pack_payload(name: str, values: dict[str, Any]) -> bytes:
    """The payload of message ``name``; fields that are not given are zero, as MAVLink 2 truncates.

    Raises KeyError for a field that the message does not have.
    """
    layout = BY_NAME[name]
    known = _SLOTS.get(name)
    if known is None:
        known = _SLOTS[name] = _slots(layout)
    zeros, slots = known
    flat = zeros.copy()
    for field, value in values.items():
        if field not in slots:
            raise KeyError(f"{name} has no field {field}")
        at, length, text = slots[field]
        if value is None:
            continue
        if text:
            flat[at] = (value.encode() if isinstance(value, str) else bytes(value))[:length]
        elif length:
            items = list(value)
            if len(items) != length:
                raise ValueError(f"{name}.{field} takes {length} numbers, got {len(items)}")
            flat[at : at + length] = items
        else:
            flat[at] = value
    payload = layout.packer.pack(*flat)
    return payload.rstrip(b"\0") or payload[:1]
