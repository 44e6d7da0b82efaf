"""Faults that can be switched on and off at any moment, one table row each.

``vehicle.faults.set("winch_jam")`` starts one, ``clear`` ends it, ``plan`` starts it later; ``strength`` scales
where it means something. What must go on changing does so on simulated time and the vehicle's own random stream,
so that equal seeds break in equal ways. :data:`FAULTS` names them all, with unit and default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.similar import meant
from sitl.faults import conduct, gear, link, power, sensors, weather
from sitl.faults.kinds import FaultKind

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

__all__ = ["FAULTS", "FaultKind", "Faults", "UnknownFault"]

FAULTS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        *link.FAULTS,
        *sensors.FAULTS,
        *power.FAULTS,
        *weather.FAULTS,
        *gear.FAULTS,
        *conduct.FAULTS,
    )
}
"""Every fault of a vehicle and of its radio link, by name."""


class UnknownFault(KeyError):
    """Names the fault asked for and those that are like it, or all."""

    def __init__(self, name: str) -> None:
        near = meant(name, FAULTS) or f"; known: {', '.join(sorted(FAULTS))}"
        super().__init__(f"unknown fault {name!r}{near}")

    def __str__(self) -> str:
        return str(self.args[0])


class Faults:
    """The faults active on one vehicle."""

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        self._vehicle = vehicle
        self.active: dict[str, float] = {}
        """Name → strength."""
        self.memory: dict[str, float] = {}
        """What a fault drew at its start and needs later."""
        self._began_s: dict[str, float] = {}
        self._ends_s: dict[str, float] = {}
        self._planned: list[tuple[float, str, float | None, float | None]] = []

    def set(self, name: str, strength: float | None = None, *, duration_s: float | None = None) -> None:
        """Start a fault, for ``duration_s`` of simulated time or until cleared. Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(name)
        kind = FAULTS[name]
        self.active[name] = kind.default_strength if strength is None else strength
        self._began_s[name] = self._vehicle.time_s
        self._ends_s.pop(name, None)
        if duration_s is not None:
            self._ends_s[name] = self._vehicle.time_s + duration_s
        kind.begin(self._vehicle, self.active[name])
        self._vehicle.witness("fault", name)

    def plan(
        self, name: str, at_s: float, strength: float | None = None, *, duration_s: float | None = None
    ) -> None:
        """Start a fault at a vehicle time to come. Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(name)
        self._planned.append((at_s, name, strength, duration_s))
        self._planned.sort(key=lambda entry: entry[0])

    def clear(self, name: str) -> None:
        """End a fault; one that is not active is left alone. Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(name)
        self._ends_s.pop(name, None)
        if name in self.active:
            strength = self.active.pop(name)
            self._began_s.pop(name, None)
            FAULTS[name].end(self._vehicle, strength)
            self._vehicle.witness("fault cleared", name)

    def update(self) -> None:
        """Every 0.1 s of the vehicle's time."""
        now_s = self._vehicle.time_s
        while self._planned and now_s >= self._planned[0][0]:
            _, name, strength, duration_s = self._planned.pop(0)
            self.set(name, strength, duration_s=duration_s)
        if not self.active:
            return
        for name in [name for name, at_s in self._ends_s.items() if now_s >= at_s]:
            self.clear(name)
        for name, strength in list(self.active.items()):
            tick = FAULTS[name].tick
            if tick is not None:
                tick(self._vehicle, strength, now_s - self._began_s[name])

    def since_s(self) -> dict[str, float]:
        """How long each active fault lasts already."""
        now_s = self._vehicle.time_s
        return {name: now_s - began_s for name, began_s in self._began_s.items()}

    def __contains__(self, name: str) -> bool:
        return name in self.active

    def arming_complaints(self) -> list[str]:
        """Pre-arm words of what is broken."""
        return [FAULTS[name].arming_complaint for name in self.active if FAULTS[name].arming_complaint]

    @property
    def unhealthy_sensors(self) -> int:
        """SYS_STATUS bits that active faults take away."""
        bits = 0
        for name in self.active:
            bits |= FAULTS[name].unhealthy_sensors
        return bits

    @property
    def winch_is_silent(self) -> bool:
        return "winch_silent" in self.active

    @property
    def gps_is_lost(self) -> bool:
        return "gps_loss" in self.active

    @property
    def estimator_is_lost(self) -> bool:
        return "ekf_failure" in self.active
