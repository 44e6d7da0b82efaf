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
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as _dialect


@dataclass(frozen=True, slots=True)
class Layout:
    """How one message id is laid out.

    ``fields``: a namedtuple class in wire order. ``unpack`` turns a full-length payload into it.
    """

    msg_id: int
    name: str
    crc_extra: int
    packer: struct.Struct
    fields: Any
    names: tuple[str, ...]
    array_lengths: tuple[int, ...]
    unpack: Callable[[bytes], Any]


def _make_unpack(packer: struct.Struct, fields: Any, lengths: tuple[int, ...], types: tuple[str, ...]) -> Any:
    size = packer.size
    raw_unpack = packer.unpack
    make = fields._make
    if not any(lengths):

        def unpack_scalars(payload: bytes) -> Any:
            if len(payload) < size:
                payload = payload + bytes(size - len(payload))
            return make(raw_unpack(payload[:size]))

        return unpack_scalars

    def unpack_arrays(payload: bytes) -> Any:
        if len(payload) < size:
            payload = payload + bytes(size - len(payload))
        flat = raw_unpack(payload[:size])
        values: list[Any] = []
        at = 0
        for length, kind in zip(lengths, types, strict=True):
            if kind == "char":
                values.append(flat[at].split(b"\0", 1)[0].decode("utf-8", errors="replace"))
                at += 1
            elif length:
                values.append(flat[at : at + length])
                at += length
            else:
                values.append(flat[at])
                at += 1
        return make(values)

    return unpack_arrays


def _layout(message_class: Any) -> Layout:
    names = tuple(message_class.ordered_fieldnames)
    types_by_name = dict(zip(message_class.fieldnames, message_class.fieldtypes, strict=True))
    types = tuple(types_by_name[name] for name in names)
    lengths = tuple(message_class.array_lengths)
    make_fields: Any = namedtuple
    fields = make_fields(message_class.msgname, names, rename=True)
    return Layout(
        message_class.id,
        message_class.msgname,
        message_class.crc_extra,
        message_class.unpacker,
        fields,
        names,
        lengths,
        _make_unpack(message_class.unpacker, fields, lengths, types),
    )


LAYOUTS: dict[int, Layout] = {
    msg_id: _layout(message_class) for msg_id, message_class in _dialect.mavlink_map.items() if msg_id >= 0
}
"""Every message of the dialect by its id."""

BY_NAME: dict[str, Layout] = {layout.name: layout for layout in LAYOUTS.values()}


def pack_payload(name: str, values: dict[str, Any]) -> bytes:
    """The payload of message ``name``; fields that are not given are zero, as MAVLink 2 truncates.

    Raises KeyError for a field that the message does not have.
    """
    layout = BY_NAME[name]
    unknown = set(values) - set(layout.names)
    if unknown:
        raise KeyError(f"{name} has no field {sorted(unknown)}")
    flat: list[Any] = []
    sample = layout.packer.unpack(bytes(layout.packer.size))
    at = 0
    for field, length in zip(layout.names, layout.array_lengths, strict=True):
        value = values.get(field)
        if isinstance(sample[at], bytes) and length:
            text = b"" if value is None else value.encode() if isinstance(value, str) else bytes(value)
            flat.append(text[:length])
            at += 1
        elif length:
            items = [0] * length if value is None else list(value)
            if len(items) != length:
                raise ValueError(f"{name}.{field} takes {length} numbers, got {len(items)}")
            flat.extend(items)
            at += length
        else:
            flat.append(0 if value is None else value)
            at += 1
    payload = layout.packer.pack(*flat)
    return payload.rstrip(b"\0") or payload[:1]
