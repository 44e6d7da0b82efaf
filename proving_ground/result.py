"""What came of one run: the orders as the centre sees them, the log, the true tracks, and the verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geofences.model import Zone
from proving_ground.play import FaultSeen
from proving_ground.tracks import TrackPoint


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that was checked. ``waived``: it does not hold, and the scenario says why that is all right."""

    name: str
    holds: bool
    detail: str
    waived: bool = False

    @property
    def ok(self) -> bool:
        """Whether the run may pass with it."""
        return self.holds or self.waived


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """One order: when it was sent (seconds after the drones were ready), how it was answered, how it ended."""

    name: str
    sent_at_s: float
    answers: tuple[int, ...]
    """HTTP statuses of its sendings, equal ones in a row once; 0 where nobody answered."""
    first_answer: dict[str, Any]
    final: dict[str, Any]
    """As ``GET /v1/orders/{id}`` shows it at the end; empty where the hub refused the order."""
    event_kinds: tuple[str, ...]
    faults: tuple[str, ...]
    """Faults of its flights that were told."""


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a vehicle's own world saw, in order: (seconds since power-on, what, detail)."""

    seen: tuple[tuple[float, str, str], ...]
    armed: bool
    on_ground: bool

    def of(self, what: str) -> list[tuple[float, str]]:
        """(seconds, detail) of every sighting of ``what``."""
        return [(at_s, detail) for at_s, name, detail in self.seen if name == what]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything about one scenario with one seed."""

    scenario: str
    seed: int
    file: str
    orders: tuple[OrderSeen, ...]
    faults: tuple[FaultSeen, ...]
    phases: tuple[tuple[float, str, str], ...]
    """(seconds after ready, drone, phase)."""
    tracks: dict[str, tuple[TrackPoint, ...]]
    testimonies: dict[str, Testimony]
    log: bytes
    """Every stored event and every testimony, a JSON line each: equal seeds give equal bytes."""
    virtual_s: float
    real_s: float
    verdicts: tuple[Verdict, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()
    """What a reader must know before believing the rest: which autopilot flew, what could not be seen."""
    logged: tuple[str, ...] = ()
    """The last lines that the hub logged as warnings or worse; kept of runs that fail."""
    drop_limits_m: Mapping[str, float] = field(default_factory=dict)
    """Drone → height from which its way of delivery lets go by plan, where that is higher than usual."""

    zones: tuple[tuple[float, Zone], ...] = ()
    """Every zone that was in force, with the second from which on; minus infinity: from before the scenario began."""
    ceilings_amsl_m: Mapping[str, float] = field(default_factory=dict)
    """Drone → the highest altitude of all that it was to fly; one that never was to fly has none."""

    @property
    def passed(self) -> bool:
        """Whether every verdict is fine and the run came to its end."""
        return not self.error and all(verdict.ok for verdict in self.verdicts)

    @property
    def log_sha256(self) -> str:
        """Digest of the log."""
        return hashlib.sha256(self.log).hexdigest()
