"""Putting the AED on the ground: lower, sense the ground, release, make sure, retract.

Works on one vehicle through its autopilot; returns what the phase machine wants to hear. A winch that
measures tension is believed over its length estimate: it tells the ground from a balcony, and an open
hook from a load that still hangs. A winch that does not measure it is taken by its length and by the
vehicle's own statement of the release.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass

from core.clock import Clock
from flight.autopilots.base import Autopilot
from flight.director import Director
from flight.fault_finder import HOVER_DRIFT_LIMIT_M
from flight.links.mavlink.connection import VehicleConnection
from flight.model.faults import LINK_STALE_AFTER_S
from flight.model.outcomes import ActionOutcome, Observation
from flight.model.phases import Trigger
from flight.model.view import VehicleView
from planner.airframe import STANDARD_GRAVITY_M_S2, load_airframes
from planner.flight_plan import DeliveryMethod

DROP_HEIGHT_WITHIN_M = 0.7
DROP_SINK_M_S = 0.2
"""A gripper opens only here: a case that falls a metre further, or from a drone that still sinks, breaks
(chosen; a drop was seen to begin at 4.1 m of 2.5 m with the arrival's own tolerance)."""
LINE_SLACK_M = 0.7
"""Let out more than the height: barometer and line estimate are each good for half a metre (chosen)."""
LINE_EXTRA_M = 3.0
"""With tension measured, the line may go this much beyond the height to find the ground (chosen)."""
LINE_EXTRA_STEP_M = 0.5
GROUND_WITHIN_M = 2.0
"""Load gone from the line with the hook higher than this: it rests on something that is not the ground."""
LIFT_TEST_M = 1.0
"""After the hook opened: lifted this far, a load that still hangs pulls on the line again (chosen)."""
TENSION_SAMPLES_S = 0.8
"""Three WINCH_STATUS at 4 Hz."""
ANSWERS_WITHIN_S = 1.5
"""Chosen: as old as a view may be that counts as heard (LINK_STALE_AFTER_S); a climb home has begun by then at most."""
NEXT_POSITION_S = 1.0
LET_GO_HEIGHT_M = 2.0
"""Chosen: twice the metre by which PX4's height above home was seen to wander while it hovers."""
RELEASE_TIMEOUT_S = 8.0
"""Ten repetitions of a command that takes 0.5 s of servo travel."""
SLOWEST_LINE_M_S = 0.5
"""For deadlines only: half of ArduPilot's default WINCH_RATE_MAX."""
LINE_MARGIN_S = 8.0
"""For the exponential end of a move, a lost packet, and the winch's start."""
RETRACT_MARGIN_S = 4.0
RETRACT_TRIES = 2
LINK_WAIT_S = 60.0
"""How long one wait for a silent vehicle lasts before the next; any number does."""
EMPTY_LINE_M_S = 1.0
"""Planned speed of the empty line for the hover budget: ArduPilot's default WINCH_RATE_MAX."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a procedure found: the trigger for the phase machine, why, and what supports it."""

    trigger: Trigger | None
    detail: str = ""
    observations: tuple[Observation, ...] = ()


class Delivery:
    """The delivery of one flight."""

    def __init__(
        self, link: VehicleConnection, autopilot: Autopilot, director: Director, clock: Clock
    ) -> None:
        self._link = link
        self._autopilot = autopilot
        self._director = director
        self._clock = clock
        self._by_winch = director.plan.delivery_method is DeliveryMethod.WINCH
        airframe = load_airframes().get(director.plan.airframe_id)
        self._load_n = 0.0 if airframe is None else airframe.payload_kg * STANDARD_GRAVITY_M_S2
        self._lowering_broken_off = True
        """A winch command of a lowering may still be on its way; true until the contrary is known."""
        self._loaded_n: float | None = None
        """Tension with the AED hanging free; None where the winch does not measure."""

    # --- tension ------------------------------------------------------------------------------

    def note_hanging_tension(self) -> None:
        """Remember what the line carries with the AED on it."""
        if self._loaded_n is None:
            self._loaded_n = self._link.view.line_tension_n

    def _is_unloaded(self, view: VehicleView) -> bool | None:
        """Whether at least half of the AED's weight is off the line; None: nobody can say."""
        if self._loaded_n is None or view.line_tension_n is None or self._load_n <= 0:
            return None
        return view.line_tension_n <= self._loaded_n - 0.5 * self._load_n

    async def _steady_tension_says_unloaded(self) -> bool | None:
        """The worst of the samples of a moment, so that a swing does not pass for a release."""
        until_s = self._clock.monotonic_s() + TENSION_SAMPLES_S
        worst: bool | None = None
        while self._clock.monotonic_s() < until_s:
            seen_s = self._link.view.winch_s

            def newer(view: VehicleView, seen_s: float | None = seen_s) -> bool:
                return view.winch_s != seen_s

            if await self._link.wait_for(newer, max(0.0, until_s - self._clock.monotonic_s())):
                now = self._is_unloaded(self._link.view)
                worst = now if worst is None else (worst and bool(now))
        return worst if worst is not None else self._is_unloaded(self._link.view)

    def _tension_seen(self) -> Observation:
        return Observation(
            "WINCH_STATUS", f"tension {self._link.view.line_tension_n:.1f} N", self._clock.monotonic_s()
        )

    # --- lowering -----------------------------------------------------------------------------

    def lowering_time_left_s(self, hovering_for_s: float) -> float:
        """Until the AED must be down so that release and retraction end inside the hover budget."""
        height_m = self._director.height_over_delivery_m(self._link.view) or 0.0
        retract_s = height_m / EMPTY_LINE_M_S + RETRACT_MARGIN_S if self._by_winch else 0.0
        return self._director.plan.hover_budget_s - hovering_for_s - RELEASE_TIMEOUT_S - retract_s

    async def lower(self, hovering_for_s: float) -> Result:
        """Bring the AED to the ground below."""
        self._lowering_broken_off = True
        result = await self._lower(hovering_for_s)
        self._lowering_broken_off = False
        return result

    async def _lower(self, hovering_for_s: float) -> Result:
        if not self._by_winch:
            return await self._sink_to_drop_height(hovering_for_s)
        height_m = self._director.height_over_delivery_m(self._link.view)
        if height_m is None or height_m <= 0:
            return Result(Trigger.LOWERING_FAILED, "the height above the landing point is not known")
        began_s = self._clock.monotonic_s()
        left_s = self.lowering_time_left_s(hovering_for_s)
        physics_s = (height_m + LINE_EXTRA_M) / SLOWEST_LINE_M_S + LINE_MARGIN_S
        deadline_s = self._clock.monotonic_s() + min(left_s, physics_s)
        if left_s <= height_m / EMPTY_LINE_M_S / 2:
            return Result(Trigger.LOWERING_FAILED, "too little of the hover budget is left to lower")
        self.note_hanging_tension()
        target_m = height_m + LINE_SLACK_M
        while True:
            outcome, unloaded = await self._lower_until(target_m, deadline_s)
            if unloaded:
                return await self._resting()
            if not outcome.obeyed:
                if self._was_heard_since(began_s) or self._clock.monotonic_s() >= deadline_s:
                    return Result(Trigger.LOWERING_FAILED, outcome.detail, outcome.observations)
                # Nobody heard anything meanwhile; while time is left, look again and go on from there.
                await self._link.wait_for(
                    self._heard_again(), max(0.0, deadline_s - self._clock.monotonic_s())
                )
                began_s = self._clock.monotonic_s()
                continue
            if unloaded is None:
                # No tension sensor: the line's length is all there is.
                return Result(Trigger.AED_AT_GROUND, f"line at {target_m:.1f} m", outcome.observations)
            target_m += LINE_EXTRA_STEP_M
            if target_m > height_m + LINE_EXTRA_M:
                detail = f"the AED still hangs at {target_m:.1f} m of line"
                return Result(Trigger.LOWERING_FAILED, detail, (self._tension_seen(),))

    async def _sink_to_drop_height(self, hovering_for_s: float) -> Result:
        """A gripper drops from the planned height only: the last metre of the descent must be over."""
        plan = self._director.plan
        wanted_m = plan.delivery.altitude_amsl_m - plan.delivery_ground_amsl_m

        def stands_there(view: VehicleView) -> bool:
            height_m = self._director.height_over_delivery_m(view)
            sinking_m_s = abs(view.velocity_up_m_s) if view.velocity_up_m_s is not None else math.inf
            return (
                height_m is not None
                and abs(height_m - wanted_m) <= DROP_HEIGHT_WITHIN_M
                and sinking_m_s <= DROP_SINK_M_S
            )

        left_s = max(0.0, self.lowering_time_left_s(hovering_for_s))
        if not await self._link.wait_for(stands_there, left_s):
            height_m = self._director.height_over_delivery_m(self._link.view)
            return Result(Trigger.LOWERING_FAILED, f"not at drop height: {height_m} m of {wanted_m:.1f} m")
        seen = Observation("GLOBAL_POSITION_INT", f"standing at {wanted_m:.1f} m", self._clock.monotonic_s())
        return Result(Trigger.AED_AT_GROUND, "at drop height", (seen,))

    async def _lower_until(self, target_m: float, deadline_s: float) -> tuple[ActionOutcome, bool | None]:
        """Lower to a length, or until the load is off the line, whichever comes first."""

        def off(view: VehicleView) -> bool:
            return (view.line_length_m or 0.0) > 0.5 and self._is_unloaded(view) is True

        moving = asyncio.create_task(self._autopilot.move_line(self._link, target_m, deadline_s))
        sensing = asyncio.create_task(
            self._link.wait_for(off, max(0.0, deadline_s - self._clock.monotonic_s()))
        )
        try:
            await asyncio.wait({moving, sensing}, return_when=asyncio.FIRST_COMPLETED)
            if not moving.done():
                # Felt something: stop here, by a move to where the line is.
                moving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await moving
                outcome = await self._autopilot.stop_line(self._link, until_still=False)
            else:
                outcome = moving.result()
            return outcome, await self._steady_tension_says_unloaded()
        finally:
            for task in (moving, sensing):
                task.cancel()

    async def _resting(self) -> Result:
        hook_m = self._director.hook_height_m(self._link.view)
        seen = (self._tension_seen(),)
        if hook_m is not None and hook_m > GROUND_WITHIN_M:
            return Result(
                Trigger.LOWERING_FAILED,
                f"the AED rests on something {hook_m:.1f} m above the landing point's ground",
                seen,
            )
        return Result(Trigger.AED_AT_GROUND, "the load is off the line", seen)

    # --- release ------------------------------------------------------------------------------

    async def release(self) -> Result:
        """Open the hook; confirmed by the vehicle's statement and, where measured, by a lift."""
        deadline_s = self._clock.monotonic_s() + RELEASE_TIMEOUT_S
        outcome = await self._autopilot.release_load(self._link, deadline_s, self._why_not_let_go)
        if not outcome.obeyed:
            return Result(Trigger.RELEASE_UNCONFIRMED, outcome.detail, outcome.observations)
        if not self._by_winch or self._loaded_n is None:
            return Result(Trigger.RELEASE_CONFIRMED, "stated by the vehicle", outcome.observations)
        line_m = self._link.view.line_length_m or 0.0
        height_m = self._director.height_over_delivery_m(self._link.view) or line_m
        lifted = await self._autopilot.move_line(
            self._link,
            min(line_m, height_m) - LIFT_TEST_M,
            self._clock.monotonic_s() + 2 * LIFT_TEST_M / SLOWEST_LINE_M_S + LINE_MARGIN_S,
        )
        unloaded = await self._steady_tension_says_unloaded()
        seen = (*outcome.observations, *lifted.observations, self._tension_seen())
        if unloaded is False:
            return Result(Trigger.RELEASE_UNCONFIRMED, "the hook opened and the load still hangs on it", seen)
        if not lifted.obeyed:
            return Result(Trigger.RELEASE_UNCONFIRMED, f"the line cannot be lifted: {lifted.detail}", seen)
        return Result(Trigger.RELEASE_CONFIRMED, "stated by the vehicle, and the line comes up empty", seen)

    async def _why_not_let_go(self) -> str:
        """Why the hook must not be opened at this moment; empty if it may. Asked before every copy of the command.

        A command has no expiry, and a vehicle whose hover is over flies home by itself. Where the link holds messages
        back, what is heard shows it hovering long after it has left, and the AED would fall from its way home.
        """
        if not await self._link.answers_within(ANSWERS_WITHIN_S):
            return "the vehicle does not answer at once, so what is heard of it may be old"
        answered_s = self._clock.monotonic_s()
        if not await self._link.wait_for(
            lambda view: view.position_s is not None and view.position_s > answered_s, NEXT_POSITION_S
        ):
            return "no position was heard after the vehicle's answer"
        view, plan = self._link.view, self._director.plan
        height_m = self._director.height_over_delivery_m(view)
        wanted_m = plan.delivery.altitude_amsl_m - plan.delivery_ground_amsl_m
        away_m = self._director.way.distance_m(view, plan.delivery)
        if height_m is None or not away_m <= HOVER_DRIFT_LIMIT_M:
            return "the vehicle is not over the landing point any more"
        if abs(height_m - wanted_m) > LET_GO_HEIGHT_M:
            return f"the vehicle is at {height_m:.1f} m instead of {wanted_m:.1f} m"
        return ""

    # --- retraction ---------------------------------------------------------------------------

    async def retract(self) -> Result:
        """Bring the line in. A vehicle that is not heard is waited for, as long as it takes: only one that
        answers and whose line does not move has failed, and a snagged hook gets a second try."""
        if not self._by_winch:
            return Result(Trigger.LINE_IN, "no line")
        tries = 0
        while True:
            await self._until_heard()
            began_s = self._clock.monotonic_s()
            if self._lowering_broken_off:
                # It may not have begun yet: a line that looks in is then about to go out. And the
                # lowering's late acknowledgement passes for that of the stop: only stillness counts.
                if not (await self._autopilot.stop_line(self._link, until_still=True)).obeyed:
                    continue
                self._lowering_broken_off = False
            length_m = abs(self._link.view.line_length_m or 0.0)
            deadline_s = began_s + length_m / SLOWEST_LINE_M_S + 2 * LINE_MARGIN_S
            outcome = await self._autopilot.move_line(self._link, 0.0, deadline_s)
            if outcome.obeyed:
                return Result(Trigger.LINE_IN, "line in", outcome.observations)
            if self._was_heard_since(began_s):
                tries += 1
            if tries >= RETRACT_TRIES:
                return Result(Trigger.RETRACTION_FAILED, outcome.detail, outcome.observations)

    def _was_heard_since(self, began_s: float) -> bool:
        """Whether the vehicle is heard now and the silence, if any, did not begin inside the attempt."""
        heard = self._link.view.heard_within(LINK_STALE_AFTER_S, self._clock.monotonic_s())
        return heard and self._link.longest_silence_since(began_s) <= LINK_STALE_AFTER_S

    async def _until_heard(self) -> None:
        while not self._link.view.heard_within(LINK_STALE_AFTER_S, self._clock.monotonic_s()):
            await self._link.wait_for(self._heard_again(), LINK_WAIT_S)

    def _heard_again(self) -> Callable[[VehicleView], bool]:
        """True as soon as anything new is heard."""
        heard_s = self._link.view.heard_s
        return lambda view: view.heard_s != heard_s
