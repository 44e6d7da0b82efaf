"""Faults of winch, line, hook and load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitl.faults.kinds import Act, FaultKind

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

GROUP = "gear"


def _attribute(name: str, on: bool = True) -> tuple[Act, Act]:
    def begin(vehicle: SimulatedVehicle, strength: float) -> None:
        setattr(vehicle.payload, name, on)

    def end(vehicle: SimulatedVehicle, strength: float) -> None:
        setattr(vehicle.payload, name, not on)

    return begin, end


def _runaway(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.payload.runs_away_m_s = strength


def _runaway_ends(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.payload.runs_away_m_s = 0.0


def _slow(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.payload.speed_factor = strength


def _slow_ends(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.payload.speed_factor = 1.0


def _lose(vehicle: SimulatedVehicle, strength: float) -> None:
    vehicle.payload.lose_load(vehicle.body.height_above_ground_m)


FAULTS = (
    FaultKind("winch_jam", "the winch does not turn", GROUP, *_attribute("jammed")),
    FaultKind("winch_slow", "the winch turns with this share of its speed", GROUP, _slow, _slow_ends,
              default_strength=0.3, unit="share of speed"),
    FaultKind("winch_runaway", "the winch's brake fails, the line runs out at this speed", GROUP, _runaway,
              _runaway_ends, default_strength=2.5, unit="m/s"),
    FaultKind("winch_silent", "the winch reports itself unhealthy", GROUP),
    FaultKind("line_snag", "the line pays out but cannot be retracted", GROUP, *_attribute("snagged")),
    FaultKind("hook_stuck", "the hook's servo moves, the load stays", GROUP, *_attribute("hook_stuck")),
    FaultKind("no_ground_sense", "tension reads full on the ground", GROUP, *_attribute("senses_ground", False)),
    FaultKind("release_not_confirmed", "what confirms a release does not come", GROUP),
    FaultKind("load_lost", "the load falls off the hook", GROUP, _lose),
)  # fmt: skip
