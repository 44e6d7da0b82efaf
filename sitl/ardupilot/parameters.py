"""ArduCopter's parameters: names, types, C-cast encoding, and who must know of a change."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path

_TABLE: dict[str, tuple[float, int]] = {
    name: (default, kind)
    for name, (default, kind) in json.loads(
        Path(__file__).with_name("parameters.json").read_text(encoding="utf-8")
    ).items()
}
"""name → (default, MAV_PARAM_TYPE). Defaults of ArduCopter 4.6 with the default simulator airframe."""

_INTEGER_BITS = {2: 8, 4: 16, 6: 32}
_READ_ONLY = frozenset({"FENCE_TOTAL", "RALLY_TOTAL", "MIS_TOTAL", "FORMAT_VERSION"})


def as_float32(number: float) -> float:
    """The number as it survives a MAVLink float field."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


class Parameters:
    """The parameter store of one vehicle. Values are what the vehicle uses, in the parameter's own unit."""

    def __init__(self, overrides: dict[str, float]) -> None:
        unknown = sorted(set(overrides) - set(_TABLE))
        if unknown:
            raise KeyError(f"unknown parameters: {', '.join(unknown)}")
        self._values = {name: default for name, (default, _) in _TABLE.items()}
        self.names = sorted(self._values)
        self._watchers: list[Callable[[str], None]] = []
        for name, value in overrides.items():
            self._values[name] = self._cast(name, value)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def integer(self, name: str) -> int:
        return int(self._values[name])

    def kind(self, name: str) -> int:
        """MAV_PARAM_TYPE."""
        return _TABLE[name][1]

    def on_change(self, watcher: Callable[[str], None]) -> None:
        self._watchers.append(watcher)

    @staticmethod
    def _cast(name: str, value: float) -> float:
        kind = _TABLE[name][1]
        bits = _INTEGER_BITS.get(kind)
        if bits is None:
            return as_float32(value)
        # ArduPilot rounds away the float's dust, then truncates and clamps to the type's range.
        whole = math.trunc(value + math.copysign(0.01, value))
        return float(min(max(whole, -(1 << (bits - 1))), (1 << (bits - 1)) - 1))

    def set(self, name: str, value: float) -> bool:
        """Store a value as the vehicle casts it. False: unknown, read-only or not a finite number."""
        if name not in self._values or name in _READ_ONLY or not math.isfinite(value):
            return False
        self.set_internally(name, value)
        return True

    def set_internally(self, name: str, value: float) -> None:
        """For counters the vehicle keeps itself."""
        cast = self._cast(name, value)
        if cast != self._values[name]:
            self._values[name] = cast
            for watcher in self._watchers:
                watcher(name)
