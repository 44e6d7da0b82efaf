"""The parameter store both personalities keep: names, types, and who must know of a change."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

Table = Mapping[str, tuple[float, int]]
"""name → (default, MAV_PARAM_TYPE)."""
REAL32 = 9
INT32_MAX = 0x7FFFFFFF


def read_table(path: Path) -> Table:
    """A shipped parameter table."""
    return {
        name: (entry[0], entry[1]) for name, entry in json.loads(path.read_text(encoding="utf-8")).items()
    }


def as_float32(number: float) -> float:
    """The number as it survives a MAVLink float field."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def as_int32(number: float) -> int:
    """The number as a MAVLink whole-number field takes it; its greatest, which is no coordinate, for what has no place
    in one: a float item may carry anything."""
    return round(number) if math.isfinite(number) and abs(number) < INT32_MAX else INT32_MAX


class ParameterStore:
    """Parameters of one vehicle. Values are what the vehicle uses, in the parameter's own unit."""

    def __init__(
        self, table: Table, overrides: Mapping[str, float], read_only: frozenset[str] = frozenset()
    ) -> None:
        unknown = sorted(set(overrides) - set(table))
        if unknown:
            raise KeyError(f"unknown parameters: {', '.join(unknown)}")
        self._table = table
        self._read_only = read_only
        self._values = {name: float(default) for name, (default, _) in table.items()}
        self.names = sorted(self._values)
        self._watchers: list[Callable[[str], None]] = []
        for name, value in overrides.items():
            self._values[name] = self.cast(name, value)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def integer(self, name: str) -> int:
        return int(self._values[name])

    def kind(self, name: str) -> int:
        """MAV_PARAM_TYPE."""
        return self._table[name][1]

    def on_change(self, watcher: Callable[[str], None]) -> None:
        self._watchers.append(watcher)

    def cast(self, name: str, value: float) -> float:
        """``value`` as the vehicle would store it."""
        return as_float32(value) if self.kind(name) == REAL32 else float(math.trunc(value))

    def set(self, name: str, value: float) -> bool:
        """Store a value as the vehicle casts it. False: unknown, read-only or not a finite number."""
        if name not in self._values or name in self._read_only or not math.isfinite(value):
            return False
        self.set_internally(name, value)
        return True

    def set_internally(self, name: str, value: float) -> None:
        """For counters the vehicle keeps itself."""
        cast = self.cast(name, value)
        if cast != self._values[name]:
            self._values[name] = cast
            for watcher in self._watchers:
                watcher(name)
