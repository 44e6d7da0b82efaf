"""Winch, hook and load: line length, tension, ground contact, and where the load went.

The hook (gripper) is at the end of the line. Its servo has no sensor, as on ArduCopter: «released» is
only what the servo was told; whether the load left is visible in the tension of a line that is being
retracted, where the winch measures tension at all.
"""

from __future__ import annotations

from enum import StrEnum

from sitl.airframe import Airframe

LOAD_HEIGHT_M = 0.3
"""Chosen: height of the AED's box hanging under the hook."""
SERVO_ACTUATION_S = 0.5
"""ArduPilot AP_Gripper_Servo: time until the servo counts as moved."""
SURVIVABLE_DROP_M = 0.5
"""Chosen: a box released lower than this has been set down, higher it has been dropped."""


class LoadState(StrEnum):
    """Where the load is, as a witness would say."""

    ABSENT = "absent"
    """Nothing was loaded."""
    ON_HOOK = "on_hook"
    """Held by the hook, stowed or hanging."""
    ON_GROUND = "on_ground"
    """Released while it stood on the ground: delivered."""
    DROPPED = "dropped"
    """Released in the air: it fell."""


class WinchMode(StrEnum):
    RELAXED = "relaxed"
    POSITION = "position"
    RATE = "rate"


class GripperState(StrEnum):
    NEUTRAL = "neutral"
    """At power-on: neither told to grab nor to release. A spring keeps the hook closed."""
    GRABBED = "grabbed"
    GRABBING = "grabbing"
    RELEASING = "releasing"
    RELEASED = "released"


class Payload:
    """The delivery gear of one vehicle: what is physically there, and what its drives report."""

    def __init__(self, airframe: Airframe, *, loaded: bool) -> None:
        self.airframe = airframe
        self.load = LoadState.ON_HOOK if loaded and airframe.payload_mass_kg > 0 else LoadState.ABSENT
        self.load_mass_kg = airframe.payload_mass_kg
        self.load_on_ground = False
        self.released_at_height_m: float | None = None
        """Height of the load's underside above ground when it left the hook."""
        self.line_length_m = 0.0
        """Line really out; a servo winch without a limit switch winds it on from the other side below 0."""
        self.line_speed_m_s = 0.0
        """Positive paying out."""
        self.tension_kg = 0.0
        self.measures = True
        """Whether the winch measures length and tension; a servo winch only counts what it was told."""
        self.driven = True
        """Whether the winch's and the hook's drives are connected at all."""
        self.counted_length_m = 0.0
        """What a winch that does not measure believes."""
        self.mode = WinchMode.RELAXED
        self.length_wanted_m = 0.0
        self.rate_wanted_m_s = 0.0
        """What the drive is told at this moment."""
        self.rate_max_m_s = 1.0
        self.gain_1_s = 1.0
        self.gripper = GripperState.NEUTRAL
        self._servo_done_s = 0.0
        self.jammed = False
        self.snagged = False
        self.hook_stuck = False
        self.senses_ground = True
        self.runs_away_m_s = 0.0
        """Speed at which the line runs out of a winch whose brake has failed."""
        self.speed_factor = 1.0
        """Share of its speed the winch still has."""

    # --- commands -----------------------------------------------------------------------------
    @property
    def reported_length_m(self) -> float:
        return self.line_length_m if self.measures else self.counted_length_m

    def relax(self) -> None:
        self.mode = WinchMode.RELAXED

    def release_length(self, length_m: float) -> None:
        """Relative to the length reported now; negative retracts. Every repetition moves again."""
        self.length_wanted_m = self.reported_length_m + length_m
        self.mode = WinchMode.POSITION

    def set_rate(self, rate_m_s: float) -> None:
        self.rate_wanted_m_s = min(max(rate_m_s, -self.rate_max_m_s), self.rate_max_m_s)
        self.mode = WinchMode.RATE

    def open_hook(self, now_s: float) -> str | None:
        """What the autopilot says to the command, if anything."""
        if self.gripper is GripperState.RELEASING:
            return None
        if self.gripper is GripperState.RELEASED:
            return "Gripper load released"
        self.gripper = GripperState.RELEASING
        self._servo_done_s = now_s + SERVO_ACTUATION_S
        return "Gripper load releasing"

    def close_hook(self, now_s: float) -> str | None:
        if self.gripper is GripperState.GRABBING:
            return None
        if self.gripper is GripperState.GRABBED:
            return "Gripper load grabbed"
        self.gripper = GripperState.GRABBING
        self._servo_done_s = now_s + SERVO_ACTUATION_S
        return "Gripper load grabbing"

    def load_up(self) -> None:
        """Ground crew hangs a new AED on the hook and reels the line in."""
        self.load = LoadState.ON_HOOK if self.load_mass_kg > 0 else LoadState.ABSENT
        self.gripper = GripperState.NEUTRAL
        self.line_length_m = self.counted_length_m = self.length_wanted_m = 0.0
        self.line_speed_m_s = 0.0
        self.released_at_height_m = None

    def lose_load(self, height_above_ground_m: float) -> None:
        """The load comes off the hook by itself."""
        if self.load is LoadState.ON_HOOK:
            underside_m = max(0.0, height_above_ground_m - self.line_length_m - LOAD_HEIGHT_M)
            self.released_at_height_m = underside_m
            self.load = LoadState.ON_GROUND if underside_m <= SURVIVABLE_DROP_M else LoadState.DROPPED

    # --- physics ------------------------------------------------------------------------------
    @property
    def carried_kg(self) -> float:
        """What hangs on the vehicle besides itself: zero once the load stands on the ground."""
        return self.load_mass_kg if self.load is LoadState.ON_HOOK and not self.load_on_ground else 0.0

    @property
    def fully_retracted(self) -> bool:
        return abs(self.line_length_m) <= 0.02

    @property
    def moving(self) -> bool:
        return abs(self.line_speed_m_s) > 0.02

    def update(self, now_s: float, step_s: float, height_above_ground_m: float) -> None:
        """Advance by ``step_s`` with the winch ``height_above_ground_m`` above the ground below it."""
        self._move_servo(now_s, height_above_ground_m)
        self._move_line(step_s)
        underside_m = height_above_ground_m - self.line_length_m - LOAD_HEIGHT_M
        hangs = self.load is LoadState.ON_HOOK and self.line_length_m > 0.05
        self.load_on_ground = hangs and underside_m <= 0.0
        self.tension_kg = self._tension(height_above_ground_m)

    def _move_servo(self, now_s: float, height_above_ground_m: float) -> None:
        if not self.driven:
            return
        if now_s >= self._servo_done_s:
            if self.gripper is GripperState.RELEASING:
                self.gripper = GripperState.RELEASED
            elif self.gripper is GripperState.GRABBING:
                self.gripper = GripperState.GRABBED
        opened = self.gripper is GripperState.RELEASED and not self.hook_stuck
        if opened and self.load is LoadState.ON_HOOK:
            underside_m = max(0.0, height_above_ground_m - self.line_length_m - LOAD_HEIGHT_M)
            self.released_at_height_m = underside_m
            self.load = LoadState.ON_GROUND if underside_m <= SURVIVABLE_DROP_M else LoadState.DROPPED

    @property
    def _line_rests(self) -> bool:
        """Stowed, nothing told, nothing broken: the usual state on the way."""
        return (
            self.mode is WinchMode.RELAXED
            and self.line_length_m == 0.0
            and self.line_speed_m_s == 0.0
            and self.runs_away_m_s == 0.0
        )

    def _move_line(self, step_s: float) -> None:
        if self._line_rests:
            return
        if self.mode is WinchMode.POSITION:
            error_m = self.length_wanted_m - self.reported_length_m
            self.rate_wanted_m_s = min(max(error_m * self.gain_1_s, -self.rate_max_m_s), self.rate_max_m_s)
        told = self.rate_wanted_m_s
        if self.mode is WinchMode.RELAXED:
            # A winch with a clutch lets a hanging load run out; a servo without pulses just stops.
            told = (
                self.rate_max_m_s if self.measures and self.carried_kg > 0 and self.line_length_m > 0 else 0.0
            )
        elif not self.measures:
            self.counted_length_m += told * step_s if self.driven else 0.0
            if self.airframe.winch_stops_when_in:
                self.counted_length_m = max(self.counted_length_m, 0.0)
        if self.jammed or not self.driven or (self.snagged and told < 0):
            told = 0.0
        told *= self.speed_factor
        if self.runs_away_m_s > 0 and not self.jammed:
            told = self.runs_away_m_s
        change = 2.0 * max(self.rate_max_m_s, 0.05) * step_s
        self.line_speed_m_s += min(max(told - self.line_speed_m_s, -change), change)
        if self.jammed:
            self.line_speed_m_s = 0.0
        length_m = self.line_length_m + self.line_speed_m_s * step_s
        least_m = 0.0 if self.airframe.winch_stops_when_in else -self.airframe.winch_line_max_m
        if not least_m <= length_m <= self.airframe.winch_line_max_m:
            length_m = min(max(length_m, least_m), self.airframe.winch_line_max_m)
            self.line_speed_m_s = 0.0
        self.line_length_m = length_m

    def _tension(self, height_above_ground_m: float) -> float:
        hook_kg = self.airframe.winch_hook_mass_kg
        if self.snagged and self.rate_wanted_m_s < 0 and self.mode is not WinchMode.RELAXED:
            # The drive stalls against something that does not give way.
            return hook_kg + max(self.load_mass_kg, 1.0) * 2.0
        if self.load_on_ground:
            return hook_kg + self.load_mass_kg if not self.senses_ground else 0.0
        if self.line_length_m >= height_above_ground_m and self.line_length_m > 0.05:
            return 0.0
        return hook_kg + (self.load_mass_kg if self.load is LoadState.ON_HOOK else 0.0)
