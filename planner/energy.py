"""Power and energy of a multirotor.

Level flight at airspeed V (Zeng et al. 2019, rotary wing):

    P(V) = P0 (1 + 3V²/U²) + Pi (√(1 + V⁴/4v0⁴) − V²/2v0²)^½ + ½ ρ S V³

with P0 blade profile power, Pi induced power in hover, U tip speed, v0 induced velocity in hover,
S = d0·s·A the fuselage's equivalent flat plate. Pi grows with mass^1.5 and v0 with mass^0.5
(momentum theory). Plans are charged with the AED aboard all the way, because it comes home with the
drone when nobody could release it. Climbing raises the induced power to
Pi/v0 · (c/2 + √(c²/4 + v0²)) at climb rate c. Descending is charged as hover: momentum theory does
not hold in a rotor's own wake, and hover is the safe side.

What the battery gives is the mechanical power ÷ the efficiency of the electric chain, plus avionics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from planner import motion
from planner.airframe import Airframe

JOULES_PER_WH = 3600.0

UNCERTAINTY_SIGMAS = 2.0
"""Chosen: two standard deviations of the energy model are held back beside the reserve, which leaves
about 1 flight in 40 that touches the reserve, none of which the reserve doesn't cover."""

_REMEMBERED = 1024
"""Chosen: figures kept; a fleet of one type asks for a dozen with every measured wind."""


@cache
def rotor_at(airframe: Airframe, mass_kg: float) -> npt.NDArray[np.float64]:
    """The power model's numbers at this mass, as :func:`planner.motion.level_power_w` takes them:
    P0, Pi, U, v0, ½ρS, efficiency, avionics."""
    power = airframe.power
    ratio = mass_kg / power.reference_mass_kg
    return np.array(
        [
            power.profile_w,
            power.induced_w * ratio**1.5,
            power.tip_speed_m_s,
            power.induced_velocity_m_s * math.sqrt(ratio),
            0.5 * power.air_density_kg_m3 * power.drag_area_m2,
            power.efficiency,
            power.avionics_w,
        ]
    )


@lru_cache(maxsize=_REMEMBERED)
def level_power_w(airframe: Airframe, mass_kg: float, airspeed_m_s: float) -> float:
    """Battery power in level flight at ``airspeed_m_s``; 0 is hover in calm air."""
    return float(motion.level_power_w(rotor_at(airframe, mass_kg), airspeed_m_s))


@lru_cache(maxsize=_REMEMBERED)
def climb_power_w(airframe: Airframe, mass_kg: float, climb_rate_m_s: float) -> float:
    """Battery power in a vertical climb; a rate of 0 is hover."""
    power = airframe.power
    ratio = mass_kg / power.reference_mass_kg
    v0_m_s = power.induced_velocity_m_s * math.sqrt(ratio)
    induced_w = power.induced_w * ratio**1.5
    half = climb_rate_m_s / 2.0
    mechanical_w = power.profile_w + induced_w / v0_m_s * (half + math.sqrt(half * half + v0_m_s * v0_m_s))
    return mechanical_w / power.efficiency + power.avionics_w


def hover_power_w(airframe: Airframe, mass_kg: float, wind_speed_m_s: float) -> float:
    """Battery power while standing over a point.

    Wind makes a hover cheaper until drag dominates; the larger of the calm and the windy figure is
    taken, because near the ground the wind is not what the station measures.
    """
    return max(level_power_w(airframe, mass_kg, 0.0), level_power_w(airframe, mass_kg, wind_speed_m_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """What a pack at ``charge_fraction`` may give."""

    usable_wh: float
    reserve_wh: float

    @property
    def for_flight_wh(self) -> float:
        """Usable energy less reserve."""
        return self.usable_wh - self.reserve_wh


def battery_at(airframe: Airframe, charge_fraction: float) -> Battery:
    """Usable energy at this charge: the unusable rest of the nominal capacity stays at the bottom."""
    unusable = 1.0 - airframe.usable_fraction
    usable_wh = max(0.0, charge_fraction - unusable) * airframe.battery_wh
    return Battery(usable_wh=usable_wh, reserve_wh=airframe.reserve_fraction * airframe.battery_wh)


def uncertainty_wh(airframe: Airframe, total_wh: float) -> float:
    """What the model may be wrong by: :data:`UNCERTAINTY_SIGMAS` standard deviations of the total."""
    return UNCERTAINTY_SIGMAS * airframe.energy_uncertainty_fraction * total_wh
