"""The gripper of a PX4 vehicle, and what can be known of it.

Observed on PX4 v1.17.0:

- DO_GRIPPER is answered IN_PROGRESS, then ACCEPTED after PD_GRIPPER_TO seconds: a timer, no sensor. It is
  ACCEPTED too while the output does not move at all: disarmed without prearming, or with no output
  mapped to the gripper. The same action repeated while it runs is TEMPORARILY_REJECTED, and the first
  one still completes; a repetition afterwards is ACCEPTED at once.
- SERVO_OUTPUT_RAW shows what leaves the autopilot: the output's upper end holds, its lower end releases
  (swapped where the output is reversed). Nothing tells whether the load left the hook.

So the evidence is both: the output mapped to the gripper stands at the wanted end, and PX4's own time for the
movement has passed since. With COM_PREARM_MODE 2 the output is alive on the ground as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.clock import Clock
from flight.autopilots.base import WhyNot
from flight.links.mavlink.command import Command, CommandResult, RetryClass
from flight.links.mavlink.connection import VehicleConnection
from flight.model.outcomes import ActionOutcome, Obedience, Observation
from flight.model.view import VehicleView

CMD_DO_GRIPPER = 211
GRIPPER_RELEASE, GRIPPER_GRAB = 0.0, 1.0
FUNCTION_GRIPPER = 430
"""PWM_*_FUNCn of an output that drives the gripper."""
PORTS = (("PWM_MAIN", 0, 16), ("PWM_AUX", 1, 8))
"""Parameter prefix, port in SERVO_OUTPUT_RAW, and how many outputs it may have."""
SIMULATED_ENDS_US = (1000.0, 2000.0)
"""PWM_SIM_PWM_MIN_MAGIC and PWM_SIM_PWM_MAX_MAGIC in PX4's source."""
AT_END_WITHIN_US = 20
"""Rounding is one microsecond; the two ends are a thousand apart (chosen)."""
OUTPUT_SHOWN_S = 1.0
"""SERVO_OUTPUT_RAW comes at 4 Hz."""
RETRY_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class GripperOutput:
    """Which output drives the gripper, and its pulse widths."""

    port: int
    index: int
    hold_us: int
    release_us: int

    def width_us(self, view: VehicleView) -> int | None:
        """What leaves the autopilot there now."""
        widths = view.servo_outputs_us.get(self.port)
        return None if widths is None else widths[self.index]


async def find_output(link: VehicleConnection) -> GripperOutput | str:
    """The gripper's output from the parameters, or why there is none."""
    for prefix, port, count in PORTS:
        functions = await link.read_parameters(f"{prefix}_FUNC{number}" for number in range(1, count + 1))
        mapped = [
            number
            for number in range(1, count + 1)
            if functions[f"{prefix}_FUNC{number}"] == FUNCTION_GRIPPER
        ]
        if len(mapped) > 1:
            return f"several outputs drive the gripper: {prefix} {mapped}"
        if mapped:
            return await _ends(link, prefix, port, mapped[0])
    return "no output is mapped to the gripper"


async def _ends(link: VehicleConnection, prefix: str, port: int, number: int) -> GripperOutput | str:
    names = [f"{prefix}_MIN{number}", f"{prefix}_MAX{number}", f"{prefix}_REV"]
    held = await link.read_parameters(names)
    low, high, reversed_bits = (held[name] for name in names)
    if reversed_bits is None:
        return "whether the gripper's output is reversed is not readable"
    if low is None or high is None:
        # Software-in-the-loop has fixed ends and no parameters for them. If they only were lost, an output
        # with other ends will not be found at these: nothing is confirmed by mistake.
        low, high = SIMULATED_ENDS_US
    if int(reversed_bits) >> (number - 1) & 1:
        low, high = high, low
    return GripperOutput(port, number - 1, hold_us=round(high), release_us=round(low))


async def operate_gripper(
    link: VehicleConnection,
    clock: Clock,
    output: GripperOutput,
    *,
    release: bool,
    deadline_s: float,
    why_not: WhyNot | None = None,
) -> ActionOutcome:
    """Open or close the gripper; obeyed when its output stands there and its time has passed."""
    wanted_us = output.release_us if release else output.hold_us
    command = Command(
        CMD_DO_GRIPPER,
        param1=1.0,
        param2=GRIPPER_RELEASE if release else GRIPPER_GRAB,
        retry=RetryClass.IDEMPOTENT if why_not is None else RetryClass.LOOK_BEFORE_EACH,
    )
    answered = False
    reason = ""
    while clock.monotonic_s() < deadline_s:
        reason = await why_not() if why_not is not None else ""
        if reason:
            await clock.sleep(RETRY_PAUSE_S)
            continue
        outcome = await link.command(command)
        if outcome.result in (CommandResult.TEMPORARILY_REJECTED, CommandResult.CANCELLED, None):
            # The same movement is under way, or our answer was lost: ask again when it is over.
            await clock.sleep(RETRY_PAUSE_S)
            continue
        if not outcome.accepted:
            return ActionOutcome(Obedience.REFUSED, f"the gripper command was {outcome.describe()}")
        answered = True
        accepted_s = clock.monotonic_s()

        def there(view: VehicleView, since_s: float = accepted_s) -> bool:
            width_us = output.width_us(view)
            fresh = view.servo_s is not None and view.servo_s > since_s
            return fresh and width_us is not None and abs(width_us - wanted_us) <= AT_END_WITHIN_US

        if await link.wait_for(there, OUTPUT_SHOWN_S):
            seen = f"output {output.index + 1} at {output.width_us(link.view)} us"
            return ActionOutcome(
                Obedience.OBEYED,
                observations=(Observation("SERVO_OUTPUT_RAW", seen, clock.monotonic_s()),),
            )
    if reason:
        return ActionOutcome(Obedience.REFUSED, f"the gripper was not commanded open: {reason}")
    if not answered:
        return ActionOutcome(Obedience.UNANSWERED, "the gripper command was never answered")
    shown = output.width_us(link.view)
    return ActionOutcome(
        Obedience.NO_EFFECT,
        f"the gripper command was accepted and its output stands at {shown} us instead of {wanted_us} us",
    )
