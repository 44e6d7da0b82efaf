"""Whether the motors carry the vehicle: the one thing about «on the ground» that a landed detector can't get wrong.

At rest in the air looks like at rest on the ground, to a position and to a landed detector that errs; but it costs its
hover. Motors are stopped in mid-air only by whoever does not ask.
"""

from __future__ import annotations

from flight.model.view import LandedState, VehicleView

STANDING_CURRENT_SHARE = 0.6
"""Of what flying drew, from which down the motors carry nothing. Seen: 3–11 A of 25 A on a real ArduCopter that leaned on
the ground in 8 m/s of wind; a drone that something keeps from descending draws all of its hover."""
_KEEPS = 0.98
"""Share of the mean that stays at each look: with five looks a second it follows in ten seconds (chosen)."""
LOOKS_NEEDED = 25
"""Five seconds of level flight, before which nothing is known (chosen)."""
LEVEL_M_S = 0.7
"""A climb draws half as much again as a hover; a hover without the AED would look like standing beside it."""


class MotorLoad:
    """What one flight's motors draw, learnt while nobody doubts that it flies."""

    def __init__(self) -> None:
        self._flying_a = 0.0
        self._looks = 0

    def look(self, view: VehicleView) -> None:
        """Called at every look at the vehicle."""
        drawn_a, up_m_s = view.battery_current_a, view.velocity_up_m_s
        if drawn_a is None or view.armed is not True or view.landed_state is not LandedState.IN_AIR:
            return
        if up_m_s is None or abs(up_m_s) > LEVEL_M_S:
            return
        self._flying_a = drawn_a if self._looks == 0 else _KEEPS * self._flying_a + (1.0 - _KEEPS) * drawn_a
        self._looks += 1

    def carries(self, view: VehicleView) -> bool | None:
        """Whether they draw what flying takes. None where the vehicle told no current, now or while it flew level."""
        return carries(view.battery_current_a, self._flying_a if self._looks >= LOOKS_NEEDED else None)


def carries(drawn_a: float | None, flying_a: float | None) -> bool | None:
    """The same for a current that somebody else learnt."""
    if drawn_a is None or flying_a is None:
        return None
    return drawn_a > STANDING_CURRENT_SHARE * flying_a
