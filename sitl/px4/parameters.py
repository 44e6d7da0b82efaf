"""PX4's parameters: 32-bit integers and floats; integers travel byte by byte in the float field."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from sitl.parameters import REAL32, ParameterStore, read_table

TABLE = read_table(Path(__file__).with_name("parameters.json"))
"""Values of PX4 1.17.0 in software-in-the-loop with its SIH quadrotor."""
INT32 = 6


class Parameters(ParameterStore):
    """PX4's store."""

    def __init__(self, overrides: Mapping[str, float]) -> None:
        super().__init__(TABLE, overrides)

    def on_wire(self, name: str) -> float:
        """The float field's content: for an integer the float that has the same four bytes."""
        if self.kind(name) == REAL32:
            return self[name]
        return float(struct.unpack("<f", struct.pack("<i", self.integer(name)))[0])

    @property
    def checksum_on_wire(self) -> float:
        """CRC over names and values, as the float that has its four bytes."""
        digest = 0
        for name in self.names:
            digest = zlib.crc32(name.encode("ascii") + struct.pack("<f", self.on_wire(name)), digest)
        return float(struct.unpack("<f", struct.pack("<I", digest))[0])

    def from_wire(self, field: float, kind: int) -> float:
        """What the sender of a float field of MAV_PARAM_TYPE ``kind`` meant."""
        if kind == REAL32:
            return field
        return float(struct.unpack("<i", struct.pack("<f", field))[0])
