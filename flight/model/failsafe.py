"""Faults × phase → safety action, as one table with clear conditions.

A fault is a fact about the vehicle or its task; the table says what must happen in the phase in
which it is seen. The strongest action of all present faults wins. Actions are ordered
NONE < WARN < HOLD < RETURN < DIVERT < LAND < TERMINATE.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class SafetyAction(IntEnum):
    """What is done about faults; a larger number is a stronger action."""

    NONE = 0
    WARN = 1
    HOLD = 2
    RETURN = 3
    DIVERT = 4
    LAND = 5
    TERMINATE = 6


class Fault(StrEnum):
    """What can be wrong. Each member says what counts as this fault."""

    LINK_STALE = "link_stale"
    """Nothing heard for more than :data:`LINK_STALE_AFTER_S`."""
    LINK_LOST = "link_lost"
    """Nothing heard for more than :data:`LINK_LOST_AFTER_S`. Nothing we send can be trusted to arrive."""
    GPS_LOST = "gps_lost"
    """No 3-D fix, or the estimator has no horizontal position."""
    BATTERY_LOW = "battery_low"
    """Charge below what the rest of the plan needs plus the reserve."""
    BATTERY_CRITICAL = "battery_critical"
    """Charge below the reserve: the nearest place to land is the only plan."""
    DEVIATION = "deviation"
    """Farther from the planned leg than the corridor allows."""
    WINCH_JAM = "winch_jam"
    """The line does not move as commanded."""
    RELEASE_NOT_CONFIRMED = "release_not_confirmed"
    """The release was commanded and the vehicle did not confirm it in time."""
    LINE_NOT_RETRACTED = "line_not_retracted"
    """The line did not come up in time."""
    CONTROL_TAKEN = "control_taken"
    """The mode changed and we did not ask for it."""
    AUTOPILOT_REBOOTED = "autopilot_rebooted"
    """The autopilot's uptime jumped back."""
    FENCE_BREACHED = "fence_breached"
    """The autopilot reports that it is outside its fence."""
