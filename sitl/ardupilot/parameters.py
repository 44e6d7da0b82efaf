"""ArduCopter's parameters: the shipped table and the C cast that values go through."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from sitl.parameters import ParameterStore, as_float32, read_table

TABLE = read_table(Path(__file__).with_name("parameters.json"))
"""Defaults of ArduCopter 4.6 with the default simulator airframe."""

_INTEGER_BITS = {2: 8, 4: 16, 6: 32}
_READ_ONLY = frozenset({"FENCE_TOTAL", "RALLY_TOTAL", "MIS_TOTAL", "FORMAT_VERSION"})


class Parameters(ParameterStore):
    """ArduCopter's store: integers travel as floats and are cast back."""

    def __init__(self, overrides: Mapping[str, float]) -> None:
        super().__init__(TABLE, overrides, _READ_ONLY)

    def cast(self, name: str, value: float) -> float:
        bits = _INTEGER_BITS.get(self.kind(name))
        if bits is None:
            return as_float32(value)
        # ArduPilot rounds away the float's dust, then truncates and clamps to the type's range.
        whole = math.trunc(value + math.copysign(0.01, value))
        return float(min(max(whole, -(1 << (bits - 1))), (1 << (bits - 1)) - 1))
