"""A message's payload without pymavlink's object around it, for telemetry that goes out several times a second.

pymavlink's classes stay the definition: layout, order of the fields, defaults of extension fields and CRC seed are
theirs, read once for each kind. A test holds both ways to the same bytes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import itemgetter
from typing import Any


class Kind:
    """One kind of message; called with its fields in the order of pymavlink's constructor, it gives the message.

    For kinds whose fields are numbers only.
    """

    def __init__(self, definition: Any) -> None:
        if any(definition.array_lengths):
            raise ValueError(f"{definition.msgname} has arrays")
        self.message_id: int = definition.id
        self.crc_extra: int = definition.crc_extra
        self._pack: Callable[..., bytes] = definition.unpacker.pack
        fields = list(inspect.signature(definition.__init__).parameters.values())[1:]
        self._defaults = tuple(field.default for field in fields)
        order = [[field.name for field in fields].index(name) for name in definition.ordered_fieldnames]
        self._arrange = None if order == sorted(order) else itemgetter(*order)

    def __call__(self, *values: float) -> Spoken:
        return Spoken(self, values)

    def payload(self, values: tuple[float, ...]) -> bytes:
        """All fields in wire order."""
        missing = len(self._defaults) - len(values)
        if missing:
            values += self._defaults[-missing:]
        return self._pack(*(values if self._arrange is None else self._arrange(values)))


class Spoken:
    """A message of a :class:`Kind`, to be sent."""

    __slots__ = ("kind", "values")

    def __init__(self, kind: Kind, values: tuple[float, ...]) -> None:
        self.kind, self.values = kind, values
