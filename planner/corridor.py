"""How far a planned way stays from every zone, and why.

The derivation follows the two volumes of EASA's SORA (Annex A, guidance on the operational volume):

*Flight geography.* Where the drone is while everything works. Half width

    F = position error + control error + map error + acceptance radius

position error: GNSS; control error: how well the autopilot holds a track; map error: of the zone
data; acceptance radius: how far inside a corner an autopilot may cut it. The autopilot's fence stands
at F, so a flight that works never touches it.

*Contingency volume.* What is used up after the drone has crossed F at full speed straight towards the
zone: it flies on for the reaction time, then brakes at a constant tilt θ:

    C = v·t_reaction + ½ v²/(g tan θ)

The corridor's half width is H = F + C. Zones are grown by H before the search, so a breach of the
fence anywhere on the way still stops outside the zone. The speed is the airframe's largest ground
speed, wind included, because the autopilot limits ground speed.

At pads, landing points and rally points the drone only moves vertically, so F alone must fit there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from planner.airframe import Airframe, braking_distance_m

RETURN_FACTOR = 1.05
"""Straight returns keep this many flight geographies from every obstacle: the fence, drawn around them with
round corners of finite steps, then stays clear too (chosen)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """Half widths in metres; ``half_width_m`` = ``flight_geography_m`` + ``contingency_m``."""

    flight_geography_m: float
    contingency_m: float
    altitude_error_m: float

    @property
    def half_width_m(self) -> float:
        """The distance that the centre line of every cruise leg keeps from every zone."""
        return self.flight_geography_m + self.contingency_m

    @property
    def return_clearance_m(self) -> float:
        """The distance that straight returns keep from every obstacle."""
        return RETURN_FACTOR * self.flight_geography_m


@cache
def corridor_of(airframe: Airframe) -> Corridor:
    """The corridor that an airframe needs at its largest ground speed."""
    terms = airframe.corridor
    speed_m_s = airframe.ground_speed_max_m_s
    return Corridor(
        flight_geography_m=terms.position_error_m
        + terms.control_error_m
        + terms.map_error_m
        + terms.acceptance_radius_m,
        contingency_m=speed_m_s * terms.reaction_s + braking_distance_m(speed_m_s, terms.braking_tilt_deg),
        altitude_error_m=terms.altitude_error_m,
    )
