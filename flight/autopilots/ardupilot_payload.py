"""Winch and gripper of an ArduCopter, and how it says what they did.

Observed on ArduCopter V4.6.0-dev (servo winch and servo gripper):

- DO_WINCH takes relax, relative length and rate only. A relative length counts from the line's
  length at that moment, each copy lengthens again, NaN is dangerous; the acknowledgement comes at
  once and no message says «done». Progress is WINCH_STATUS.line_length, approached exponentially.
- DO_GRIPPER answers «Gripper load releasing» and then nothing; only a **repeated** release, 0.5 s
  later, is answered «Gripper load released». Releasing twice is harmless.
- As a mission item the gripper says «Gripper Released» at once, before anything moved: that text is
  no evidence.
"""

from __future__ import annotations

import re

from core.clock import Clock
from flight.autopilots.base import WhyNot
from flight.links.mavlink.command import Command, CommandResult, RetryClass
from flight.links.mavlink.connection import VehicleConnection
from flight.model.outcomes import ActionOutcome, Obedience, Observation
from flight.model.view import VehicleView

CMD_DO_GRIPPER = 211
CMD_DO_WINCH = 42600
WINCH_RELATIVE_LENGTH = 1.0
WINCH_RATE = 2.0
GRIPPER_RELEASE, GRIPPER_GRAB = 0.0, 1.0

LINE_TOLERANCE_M = 0.10
"""The line approaches its target for ever (time constant 1 s); 10 cm is reached 1.3 s later than 40 cm."""
LINE_STILL_M = 0.03
"""Less movement than this in :data:`LINE_STALLED_AFTER_S` is standing still."""
LINE_STALLED_AFTER_S = 3.0
"""Chosen: above two missed WINCH_STATUS at 1 Hz and the ramp at the start of a move."""
LINE_STILL_FOR_S = 1.5
"""Longer than a command takes on a slow link (one second there and back) and the report of it."""
LINE_STOPS = 4
LINE_MOVES = 3
"""Relative moves to reach one target; more means that the winch does not do what it says."""
GRIPPER_REPEAT_S = 0.7
"""Servo actuation takes 0.5 s, then a repeated command is answered with the state."""

RELEASED_TEXT = re.compile(r"^Gripper load released$", re.IGNORECASE)
GRABBED_TEXT = re.compile(r"^Gripper load grabbed$", re.IGNORECASE)


async def move_line(
    link: VehicleConnection, clock: Clock, target_length_m: float, deadline_s: float
) -> ActionOutcome:
    """Bring the line to ``target_length_m`` by relative moves, each computed from what is measured.

    Never repeats a move blindly: after a lost answer the line's own length says what to do next.
    """
    started_s = clock.monotonic_s()
    if not await link.wait_for(lambda view: _fresh_length(view, started_s) is not None, 3.0):
        return ActionOutcome(Obedience.UNANSWERED, "the winch does not report its line length")
    detail = ""
    for _ in range(LINE_MOVES):
        length_m = link.view.line_length_m
        assert length_m is not None
        remaining_m = target_length_m - length_m
        if abs(remaining_m) <= LINE_TOLERANCE_M:
            return _line_done(link.view, clock)
        outcome = await link.command(
            Command(
                CMD_DO_WINCH,
                param1=1.0,
                param2=WINCH_RELATIVE_LENGTH,
                param3=remaining_m,
                retry=RetryClass.NEVER,
            )
        )
        if outcome.result not in (CommandResult.ACCEPTED, None):
            return ActionOutcome(Obedience.REFUSED, f"the winch command was {outcome.describe()}")
        detail = await _follow_line(link, clock, target_length_m, deadline_s)
        if not detail:
            return _line_done(link.view, clock)
        if clock.monotonic_s() >= deadline_s:
            break
    return ActionOutcome(Obedience.NO_EFFECT, detail)


async def stop_line(link: VehicleConnection, clock: Clock, *, until_still: bool) -> ActionOutcome:
    """A rate of zero holds the line; saying it twice changes nothing.

    ``until_still``: obeyed only when the line is seen standing, because an acknowledgement names the
    command only, so that of an earlier move passes for this one.
    """
    for _ in range(LINE_STOPS):
        outcome = await link.command(
            Command(CMD_DO_WINCH, param1=1.0, param2=WINCH_RATE, param4=0.0, retry=RetryClass.IDEMPOTENT)
        )
        if outcome.accepted and not until_still:
            return ActionOutcome(Obedience.OBEYED)
        since_s, length_m = clock.monotonic_s(), link.view.line_length_m

        def moves(view: VehicleView, length_m: float | None = length_m) -> bool:
            return (
                length_m is not None
                and view.line_length_m is not None
                and abs(view.line_length_m - length_m) > LINE_STILL_M
            )

        moved = await link.wait_for(moves, LINE_STILL_FOR_S)
        if not moved and _fresh_length(link.view, since_s) is not None:
            return ActionOutcome(Obedience.OBEYED)
    return ActionOutcome(Obedience.NO_EFFECT, "the line does not stop, or is not reported")


def _fresh_length(view: VehicleView, since_s: float) -> float | None:
    return view.line_length_m if view.winch_s is not None and view.winch_s >= since_s else None


def _line_done(view: VehicleView, clock: Clock) -> ActionOutcome:
    seen = Observation("WINCH_STATUS", f"line_length {view.line_length_m:.2f} m", clock.monotonic_s())
    return ActionOutcome(Obedience.OBEYED, observations=(seen,))


async def _follow_line(
    link: VehicleConnection, clock: Clock, target_length_m: float, deadline_s: float
) -> str:
    """Watch until the target is reached (empty string) or the line stands still (what was seen)."""
    last_m = link.view.line_length_m or 0.0
    moved_s = clock.monotonic_s()
    while True:
        now_s = clock.monotonic_s()
        if now_s >= deadline_s:
            return f"the line is at {last_m:.2f} m of {target_length_m:.2f} m at its deadline"
        reference_m = last_m

        def changed(view: VehicleView, reference_m: float = reference_m) -> bool:
            length_m = view.line_length_m
            return length_m is not None and (
                abs(length_m - target_length_m) <= LINE_TOLERANCE_M
                or abs(length_m - reference_m) > LINE_STILL_M
            )

        still_for_s = LINE_STALLED_AFTER_S - (now_s - moved_s)
        if not await link.wait_for(changed, min(still_for_s, deadline_s - now_s)):
            if clock.monotonic_s() - moved_s >= LINE_STALLED_AFTER_S - 1e-6:
                return f"the line stopped at {last_m:.2f} m of {target_length_m:.2f} m"
            continue
        length_m = link.view.line_length_m
        assert length_m is not None
        if abs(length_m - target_length_m) <= LINE_TOLERANCE_M:
            return ""
        last_m, moved_s = length_m, clock.monotonic_s()


async def operate_gripper(
    link: VehicleConnection,
    clock: Clock,
    *,
    release: bool,
    deadline_s: float,
    why_not: WhyNot | None = None,
) -> ActionOutcome:
    """Open or close the hook and wait for the vehicle's statement of the state it reached."""
    wanted = RELEASED_TEXT if release else GRABBED_TEXT
    started_s = clock.monotonic_s()
    command = Command(
        CMD_DO_GRIPPER,
        param1=1.0,
        param2=GRIPPER_RELEASE if release else GRIPPER_GRAB,
        retry=RetryClass.IDEMPOTENT if why_not is None else RetryClass.LOOK_BEFORE_EACH,
    )
    answered = False
    reason = ""

    def stated(view: VehicleView) -> bool:
        return any(text.at_s >= started_s and wanted.match(text.text) for text in view.texts)

    while clock.monotonic_s() < deadline_s:
        reason = await why_not() if why_not is not None else ""
        if reason:
            await clock.sleep(GRIPPER_REPEAT_S)
            continue
        outcome = await link.command(command)
        if outcome.result not in (CommandResult.ACCEPTED, None):
            return ActionOutcome(Obedience.REFUSED, f"the gripper command was {outcome.describe()}")
        answered = answered or outcome.accepted
        rest_s = max(0.0, deadline_s - clock.monotonic_s())
        if await link.wait_for(stated, min(GRIPPER_REPEAT_S, rest_s)):
            text = next(t for t in link.view.texts if t.at_s >= started_s and wanted.match(t.text))
            seen = Observation("STATUSTEXT", text.text, text.at_s)
            return ActionOutcome(Obedience.OBEYED, observations=(seen,))
    if reason:
        return ActionOutcome(Obedience.REFUSED, f"the hook was not commanded open: {reason}")
    if not answered:
        return ActionOutcome(Obedience.UNANSWERED, "the gripper command was never answered")
    return ActionOutcome(Obedience.NO_EFFECT, "the vehicle accepted the command and never stated its effect")
