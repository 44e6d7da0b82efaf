"""ArduCopter's flight modes and what each permits."""

from __future__ import annotations

from enum import IntEnum


class Mode(IntEnum):
    """``custom_mode`` numbers. The docstring of a member says what happens there."""

    STABILIZE = 0
    """Pilot flies by stick; without a pilot the throttle is at zero."""
    ALT_HOLD = 2
    """Holds height, drifts with the wind."""
    AUTO = 3
    """Flies the mission."""
    GUIDED = 4
    """Flies to what the ground station asks for."""
    LOITER = 5
    """Holds position and height."""
    RTL = 6
    """Climbs, returns to home or rally point, lands, disarms."""
    CIRCLE = 7
    LAND = 9
    """Descends where it is and disarms."""
    POSHOLD = 16
    BRAKE = 17
    """Stops as fast as it can and holds."""
    SMART_RTL = 21
    AUTO_RTL = 27


FLYABLE = frozenset(
    {
        Mode.STABILIZE,
        Mode.ALT_HOLD,
        Mode.AUTO,
        Mode.GUIDED,
        Mode.LOITER,
        Mode.RTL,
        Mode.LAND,
        Mode.POSHOLD,
        Mode.BRAKE,
    }
)
"""Modes this simulator flies. The others are refused as an unconfigured vehicle refuses them."""

NEEDS_POSITION = frozenset({Mode.AUTO, Mode.GUIDED, Mode.LOITER, Mode.RTL, Mode.POSHOLD, Mode.BRAKE})
ARMABLE = frozenset({Mode.STABILIZE, Mode.ALT_HOLD, Mode.GUIDED, Mode.LOITER, Mode.POSHOLD})
AUTOPILOT_FLIES = frozenset({Mode.AUTO, Mode.GUIDED, Mode.RTL, Mode.LAND})
MANUAL_THROTTLE = frozenset({Mode.STABILIZE})
