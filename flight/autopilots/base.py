"""What every autopilot must offer, so that nothing above knows which one flies.

An action returns when the vehicle's **state** shows its effect, or with the reason why it does not.
Actions may be cancelled at any await: they hold no state of their own.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Protocol

from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.params import ParameterEncoding
from flight.model.outcomes import ActionOutcome
from flight.model.view import VehicleView
from planner.compile.mission_types import CompiledMission, RequiredParameter
from planner.flight_plan import RoutePoint


class ModeClass(StrEnum):
    """What a flight mode means to us."""

    MISSION = "mission"
    """Flies the uploaded mission."""
    HOLD = "hold"
    """Stands in the air by itself."""
    OFFERED = "offered"
    """Takes targets from a ground station; the mode in which we arm."""
    RETURN = "return"
    """The autopilot's own way home or to a rally point."""
    LAND = "land"
    """Comes down where it is."""
    PILOT = "pilot"
    """Flown by hands, or by something we do not know."""


class ParameterRule(StrEnum):
    """How a parameter is judged."""

    EQUAL = "equal"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    HAS_BITS = "has_bits"
    LACKS_BITS = "lacks_bits"


@dataclass(frozen=True, slots=True)
class ProfileEntry:
    """One parameter that a delivery vehicle must have. ``blocks``: no flight without it."""

    name: str
    rule: ParameterRule
    value: float
    blocks: bool
    reason: str
    reason_zh: str

    def holds(self, actual: float) -> bool:
        """Whether the vehicle's value satisfies the rule."""
        match self.rule:
            case ParameterRule.EQUAL:
                return abs(actual - self.value) <= 1e-6 * max(1.0, abs(self.value))
            case ParameterRule.AT_LEAST:
                return actual >= self.value
            case ParameterRule.AT_MOST:
                return actual <= self.value
            case ParameterRule.HAS_BITS:
                return int(actual) & int(self.value) == int(self.value)
            case ParameterRule.LACKS_BITS:
                return int(actual) & int(self.value) == 0

    def value_for(self, actual: float | None) -> float:
        """What to write so that the rule holds, changing nothing else."""
        if self.rule is ParameterRule.HAS_BITS:
            return float(int(actual or 0) | int(self.value))
        if self.rule is ParameterRule.LACKS_BITS:
            return float(int(actual or 0) & ~int(self.value))
        return self.value


def read_profile(file_name: str) -> tuple[ProfileEntry, ...]:
    """The parameters that a delivery vehicle with this autopilot must have, from this package's data."""
    text = resources.files("flight.autopilots").joinpath(file_name).read_text("utf-8")
    return tuple(
        ProfileEntry(
            name=entry["name"],
            rule=ParameterRule(entry["rule"]),
            value=float(entry["value"]),
            blocks=bool(entry["blocks"]),
            reason=entry["reason"],
            reason_zh=entry["reason_zh"],
        )
        for entry in json.loads(text)["parameters"]
    )


WhyNot = Callable[[], Awaitable[str]]
"""A reason against doing it now; empty if there is none."""


class Autopilot(Protocol):
    """One kind of autopilot."""

    name: str
    """As in airframe files and :func:`planner.compile.mavlink.compile_mission`."""
    mav_autopilot: int
    """MAV_AUTOPILOT of its HEARTBEAT: a vehicle that says another number is not touched."""
    parameter_encoding: ParameterEncoding
    reads_in_order: bool
    """Whether it gives a list's reading up at a request that is out of turn."""
    profile: tuple[ProfileEntry, ...]

    def mode_name(self, custom_mode: int) -> str: ...

    def mode_class(self, custom_mode: int) -> ModeClass: ...

    def estimator_ready(self, view: VehicleView) -> bool | None:
        """Whether the estimator holds an absolute position; None: not said."""
        ...

    def missing_streams(self, view: VehicleView, now_s: float) -> tuple[str, ...]:
        """Streams that should come and do not."""
        ...

    async def request_streams(self, link: VehicleConnection) -> ActionOutcome: ...

    async def prepare_parameters(
        self, link: VehicleConnection, required: tuple[RequiredParameter, ...]
    ) -> ActionOutcome:
        """Set what this plan needs and read it back."""
        ...

    async def upload(self, link: VehicleConnection, mission: CompiledMission) -> ActionOutcome:
        """Fence, rally points and mission, each read back and compared."""
        ...

    async def mission_matches(self, link: VehicleConnection, mission: CompiledMission) -> bool | None:
        """Whether the vehicle holds this mission; None: it could not be read."""
        ...

    async def lock_home(self, link: VehicleConnection, home: RoutePoint) -> ActionOutcome:
        """Keep home where the plan has it, wherever the vehicle arms again."""
        ...

    async def select_arming_mode(self, link: VehicleConnection) -> ActionOutcome: ...

    async def arm(self, link: VehicleConnection) -> ActionOutcome: ...

    async def disarm(self, link: VehicleConnection) -> ActionOutcome: ...

    async def start_mission(self, link: VehicleConnection, takeoff_seq: int) -> ActionOutcome:
        """From armed on the ground to mission mode with the take-off under way."""
        ...

    async def jump_to(self, link: VehicleConnection, seq: int) -> ActionOutcome:
        """Go on with the mission at ``seq``."""
        ...

    async def resume_mission(self, link: VehicleConnection) -> ActionOutcome: ...

    async def hold(self, link: VehicleConnection) -> ActionOutcome: ...

    async def return_by_itself(self, link: VehicleConnection) -> ActionOutcome:
        """The autopilot's own return, to the nearest rally point."""
        ...

    async def land(self, link: VehicleConnection) -> ActionOutcome: ...

    async def terminate(self, link: VehicleConnection) -> ActionOutcome: ...

    async def move_line(
        self, link: VehicleConnection, target_length_m: float, deadline_s: float
    ) -> ActionOutcome:
        """Let the winch line out or in until ``target_length_m`` hangs below the vehicle."""
        ...

    async def stop_line(self, link: VehicleConnection, *, until_still: bool) -> ActionOutcome:
        """Hold the line where it is; ``until_still`` where an earlier move may still be on its way."""
        ...

    async def release_load(
        self, link: VehicleConnection, deadline_s: float, why_not: WhyNot | None = None
    ) -> ActionOutcome:
        """Open the hook and wait for the vehicle's own word that the load is off.

        ``why_not`` is asked before every copy of the command; while it has a reason, none is sent.
        """
        ...

    async def hold_load(self, link: VehicleConnection, deadline_s: float) -> ActionOutcome:
        """Close the hook and wait for the vehicle's word; on the ground only."""
        ...
