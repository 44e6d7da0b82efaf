"""PX4's navigation states, and the ``custom_mode`` that HEARTBEAT shows for each."""

from __future__ import annotations

from enum import IntEnum


class Mode(IntEnum):
    """``nav_state`` numbers of PX4 1.17. A member's docstring says what happens there."""

    MANUAL = 0
    ALTCTL = 1
    """Holds height, drifts with the wind."""
    POSCTL = 2
    """Holds position for a pilot; without sticks it stays."""
    AUTO_MISSION = 3
    """Flies the mission; armed on the ground it takes off at once."""
    AUTO_LOITER = 4
    """Hold: stays, or flies to the last DO_REPOSITION."""
    AUTO_RTL = 5
    """Returns to home, rally point or mission landing, and lands."""
    ACRO = 10
    DESCEND = 12
    """Down without a position; HEARTBEAT shows it as landing."""
    TERMINATION = 13
    """Motors stopped for good."""
    OFFBOARD = 14
    STAB = 15
    AUTO_TAKEOFF = 17
    """Climbs, then holds."""
    AUTO_LAND = 18
    """Descends where it is."""
    AUTO_FOLLOW_TARGET = 19
    AUTO_PRECLAND = 20


AUTO = 4
CUSTOM: dict[Mode, tuple[int, int]] = {
    Mode.MANUAL: (1, 0),
    Mode.ALTCTL: (2, 0),
    Mode.POSCTL: (3, 0),
    Mode.AUTO_TAKEOFF: (AUTO, 2),
    Mode.AUTO_LOITER: (AUTO, 3),
    Mode.AUTO_MISSION: (AUTO, 4),
    Mode.AUTO_RTL: (AUTO, 5),
    Mode.AUTO_LAND: (AUTO, 6),
    Mode.DESCEND: (AUTO, 6),
    Mode.AUTO_FOLLOW_TARGET: (AUTO, 8),
    Mode.AUTO_PRECLAND: (AUTO, 9),
    Mode.ACRO: (5, 0),
    Mode.OFFBOARD: (6, 0),
    Mode.STAB: (7, 0),
    Mode.TERMINATION: (1, 0),
}
"""(main mode, sub mode) of ``custom_mode``."""
_AUTO_SUB = {sub: mode for mode, (main, sub) in CUSTOM.items() if main == AUTO and mode is not Mode.DESCEND}
_MAIN = {
    1: Mode.MANUAL,
    2: Mode.ALTCTL,
    3: Mode.POSCTL,
    5: Mode.ACRO,
    6: Mode.OFFBOARD,
    7: Mode.STAB,
}

NEEDS_POSITION = frozenset(
    {Mode.AUTO_MISSION, Mode.AUTO_LOITER, Mode.AUTO_RTL, Mode.AUTO_TAKEOFF, Mode.AUTO_LAND, Mode.POSCTL}
)
PREVENTS_ARMING = frozenset(
    {Mode.AUTO_RTL, Mode.AUTO_LAND, Mode.DESCEND, Mode.TERMINATION, Mode.AUTO_PRECLAND}
)
"""Observed: after a landing in one of these the mode falls back to the one before."""
PILOTED = frozenset({Mode.MANUAL, Mode.ALTCTL, Mode.STAB, Mode.ACRO})
NEVER_RUNS = frozenset({Mode.OFFBOARD, Mode.AUTO_FOLLOW_TARGET, Mode.AUTO_PRECLAND})
"""Need inputs that nobody gives here: set-points, a target, a beacon."""


def custom_mode(mode: Mode) -> int:
    """HEARTBEAT's number: main mode in bits 16…23, sub mode in bits 24…31."""
    main, sub = CUSTOM[mode]
    return main << 16 | sub << 24


def from_main_and_sub(main: int, sub: int) -> Mode | str | None:
    """The mode a DO_SET_MODE names; None: PX4 ignores the number and still says accepted; str: its complaint."""
    if main == AUTO:
        return Mode.AUTO_MISSION if sub == 0 else _AUTO_SUB.get(sub, "Unsupported auto mode")
    return _MAIN.get(main)
