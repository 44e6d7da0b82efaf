"""Faults of a vehicle that real autopilots can be given as well: through their own simulator's parameters, by a
command of somebody else, or at the pilot's sticks.

What stands in no table here is a fault of our simulated vehicle only, and a scenario that asks for it is not playable
against a real autopilot. Winch, line and hook are missing for good: neither simulator has a load on a line.
Parameter names: ArduCopter 4.6-dev and PX4 1.17, both flown (docs/conformance.md).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from proving_ground.meddler import Meddler
from sitl.autopilot import Personality
from sitl.faults.link import FAULTS as LINK_KINDS
from sitl.faults.weather import GUST_S

METRES_PER_DEGREE = 111_320.0
"""Of latitude; within 0.6 % everywhere, and a glitch is never asked for more exactly."""
DRIFT_S = 120.0
"""In which the whole of a drift is reached, as the simulated vehicle's (sitl.faults.sensors); here it goes on."""
TICK_S = 0.5
JUST_BELOW = 0.005
"""As the simulated vehicle drops below a threshold (sitl.faults.power)."""
FORCE = 21196.0
"""The magic number of a forced disarming (MAVLink common.xml)."""
SWITCH_TO_LOITER_US, SWITCH_TO_LAND_US = 1690, 1300
"""The middle of ArduCopter's mode switch positions 5 and 2."""
PILOTS_SWITCH = {"FLTMODE_CH": 5.0, "FLTMODE2": 9.0, "FLTMODE5": 5.0}
"""Where those positions lead: LAND and LOITER."""

Deed = Callable[[Meddler, float], Awaitable[None]]
"""(at which autopilot, strength)."""
Tick = Callable[[Meddler, float, float], None]
"""(at which autopilot, strength, seconds since the fault began)."""


async def _nothing(at: Meddler, strength: float) -> None:
    """It can't be taken back."""


@dataclass(frozen=True, slots=True)
class RealFault:
    """How one fault is given. ``end`` runs after its duration, ``tick`` every half second in between."""

    begin: Deed
    end: Deed = _nothing
    tick: Tick | None = None


def _set(**values: float | Callable[[float], float]) -> RealFault:
    """Parameters that take a value, or one made of the strength, and are what they were at the end."""

    async def begin(at: Meddler, strength: float) -> None:
        for name, value in values.items():
            await at.set(name, value(strength) if callable(value) else value)

    async def end(at: Meddler, strength: float) -> None:
        for name in values:
            await at.restore(name)

    return RealFault(begin, end)


def _moving(name: str, value: Callable[[float, float], float]) -> RealFault:
    """A parameter that goes on changing. ``value``: of strength and seconds; added to what it was."""
    start: dict[int, float] = {}

    async def begin(at: Meddler, strength: float) -> None:
        start[id(at)] = await at.parameter(name)
        await at.set(name, start[id(at)] + value(strength, TICK_S))

    async def end(at: Meddler, strength: float) -> None:
        await at.restore(name)

    def tick(at: Meddler, strength: float, since_s: float) -> None:
        at.nudge(name, start[id(at)] + value(strength, since_s))

    return RealFault(begin, end, tick)


async def _cut_motors(at: Meddler, strength: float) -> None:
    await at.command(mavlink.MAV_CMD_COMPONENT_ARM_DISARM, 0.0, FORCE)


# --- ArduCopter -------------------------------------------------------------------------------


async def _copter_charge(at: Meddler, strength: float) -> None:
    await at.command(mavlink.MAV_CMD_BATTERY_RESET, 1.0, 100.0 * strength)


def _copter_below(threshold: str) -> RealFault:
    async def begin(at: Meddler, strength: float) -> None:
        share = await at.parameter(threshold) / await at.parameter("BATT_CAPACITY")
        await _copter_charge(at, max(share, 0.02) - JUST_BELOW)

    return RealFault(begin)


async def _copter_pilot(at: Meddler, strength: float) -> None:
    for name, value in PILOTS_SWITCH.items():
        await at.set(name, value)
    at.hold_sticks(SWITCH_TO_LOITER_US)


async def _copter_pilot_lands(at: Meddler, strength: float) -> None:
    at.hold_sticks(SWITCH_TO_LAND_US)


def _gust(strength: float, since_s: float) -> float:
    return strength * 0.5 * (1.0 - math.cos(2.0 * math.pi * (since_s % GUST_S) / GUST_S))


_ARDUPILOT = {
    "gps_loss": _set(SIM_GPS_DISABLE=1.0),
    "gps_glitch": _set(SIM_GPS_GLITCH_X=lambda metres: metres / METRES_PER_DEGREE),
    "gps_spoof": _moving("SIM_GPS_GLITCH_X", lambda speed, since_s: speed * since_s / METRES_PER_DEGREE),
    "gps_few_satellites": _set(SIM_GPS_NUMSATS=lambda satellites: satellites),
    "compass_loss": _set(SIM_MAG1_FAIL=1.0, SIM_MAG2_FAIL=1.0, SIM_MAG3_FAIL=1.0),
    "barometer_jump": _set(SIM_BARO_GLITCH=lambda metres: metres),
    "barometer_drift": _set(SIM_BARO_DRIFT=lambda metres: metres / DRIFT_S),
    "barometer_loss": _set(SIM_BARO_DISABLE=1.0, SIM_BAR2_DISABLE=1.0),
    "battery_charge": RealFault(_copter_charge),
    "battery_low": _copter_below("BATT_LOW_MAH"),
    "battery_critical": _copter_below("BATT_CRT_MAH"),
    "wind_strong": _set(SIM_WIND_SPD=lambda speed: speed),
    "wind_gust": _moving("SIM_WIND_SPD", _gust),
    "turbulence": _set(SIM_WIND_TURB=lambda deviation: deviation),
    "pilot_takeover": RealFault(_copter_pilot, _copter_pilot_lands),
    "motors_cut": RealFault(_cut_motors),
}


# --- PX4 --------------------------------------------------------------------------------------


async def _px4_charge(at: Meddler, strength: float) -> None:
    # The built-in battery falls to its floor, and there it stays.
    await at.set("SIM_BAT_MIN_PCT", 100.0 * strength)
    await at.set("SIM_BAT_DRAIN", 10.0)


def _px4_below(threshold: str) -> RealFault:
    async def begin(at: Meddler, strength: float) -> None:
        await _px4_charge(at, await at.parameter(threshold) - JUST_BELOW)

    return RealFault(begin)


async def _px4_pilot(at: Meddler, strength: float) -> None:
    at.hold_sticks()
    await at.clock.sleep(1.0)  # a position mode is refused before sticks were seen
    await at.command(mavlink.MAV_CMD_DO_SET_MODE, 1.0, 3.0, 0.0)


async def _px4_pilot_lands(at: Meddler, strength: float) -> None:
    await at.command(mavlink.MAV_CMD_DO_SET_MODE, 1.0, 4.0, 6.0)


async def _forget(at: Meddler, strength: float) -> None:
    await at.clear_mission()


_PX4 = {
    "gps_loss": _set(SIM_GPS_USED=0.0),
    "gps_few_satellites": _set(SIM_GPS_USED=lambda satellites: satellites),
    "battery_charge": RealFault(_px4_charge),
    "battery_low": _px4_below("BAT_LOW_THR"),
    "battery_critical": _px4_below("BAT_CRIT_THR"),
    "pilot_takeover": RealFault(_px4_pilot, _px4_pilot_lands),
    "motors_cut": RealFault(_cut_motors),
    # An ArduCopter refuses it while its mission runs.
    "mission_lost": RealFault(_forget),
}

REAL_FAULTS: dict[Personality, dict[str, RealFault]] = {
    Personality.ARDUPILOT: _ARDUPILOT,
    Personality.PX4: _PX4,
}
"""By autopilot and name. They need a second way in: an autopilot that the command starts has one."""
LINK_FAULTS = frozenset(kind.name for kind in LINK_KINDS)
"""Of the radio: made by our own plug, on any link (:mod:`proving_ground.plug`)."""
