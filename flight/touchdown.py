"""Delivery by landing: come down on the landing point, stop the motors, release, and stay.

People walk up to a drone that stands beside them. So the order is fixed: motors seen off, and off for a
moment; then the release; then the motors looked at once more; only then is anybody told to come. Nothing here
starts a motor, and nothing after it does: the flight ends where the drone stands (docs/decisions/0017).
"""

from __future__ import annotations

from core.clock import Clock
from flight.autopilots.base import Autopilot
from flight.delivery import LINK_WAIT_S, RELEASE_TIMEOUT_S, Result
from flight.director import Director
from flight.links.mavlink.connection import VehicleConnection
from flight.model.faults import LINK_STALE_AFTER_S
from flight.model.outcomes import Observation
from flight.model.phases import Trigger
from flight.model.view import VehicleView

LAND_BEFORE_S = 10.0
"""A landing is not begun with less of the hover left: the mission would start for home in the middle of the
command's repetitions (chosen: twice what they take)."""
LAND_PAUSE_S = 1.0
MOTORS_STOP_WITHIN_S = 6.0
"""Autopilots disarm by themselves after a landing: ArduCopter at once, PX4 after COM_DISARM_LAND (2 s). Then
they are told to."""
STOPPED_FOR_S = 2.0
"""Longer than a status that was on its way when the motors stopped, or started (chosen)."""
RELEASE_TRIES = 3
"""On the ground nothing is in a hurry, and every try repeats the command for seconds (chosen)."""


class Touchdown:
    """The landing delivery of one flight."""

    def __init__(
        self, link: VehicleConnection, autopilot: Autopilot, director: Director, clock: Clock
    ) -> None:
        self._link = link
        self._autopilot = autopilot
        self._director = director
        self._clock = clock

    async def touch_down(self, hovering_for_s: float) -> Result:
        """Have the vehicle land; ends when its mode shows it. The director sees the ground.

        A vehicle that is not over the landing point any more, because nobody was here to command it, is
        not landed where it happens to be: it goes home.
        """
        left_s = self._director.plan.hover_budget_s - hovering_for_s - LAND_BEFORE_S
        until_s = self._clock.monotonic_s() + left_s
        while True:
            view = self._link.view
            if not self._director.lands(view):
                if not self._director.is_over_delivery(view):
                    return Result(Trigger.SAFETY_RETURN, "not over the landing point any more")
                if self._clock.monotonic_s() >= until_s:
                    return Result(Trigger.SAFETY_RETURN, "too little of the hover is left to land")
            if (await self._autopilot.land(self._link)).obeyed:
                return Result(None)
            await self._clock.sleep(LAND_PAUSE_S)

    async def unload(self) -> Result:
        """Motors off, release, motors still off. Silence is waited out, as long as it takes."""
        tries = 0
        while True:
            await self._stop_motors()
            released = await self._release()
            if released.trigger is Trigger.RELEASE_CONFIRMED and self._are_off(self._link.view):
                seen = Observation("HEARTBEAT", "disarmed, on the ground", self._clock.monotonic_s())
                return Result(
                    Trigger.RELEASE_CONFIRMED,
                    "released on the ground with the motors off; it stays here",
                    (*released.observations, seen),
                )
            if self._is_heard(self._link.view) and self._are_off(self._link.view):
                tries += 1
            if tries >= RELEASE_TRIES:
                detail = f"on the ground, motors off, and the release is not confirmed: {released.detail}"
                return Result(Trigger.RELEASE_UNCONFIRMED, detail, released.observations)

    async def _release(self) -> Result:
        deadline_s = self._clock.monotonic_s() + RELEASE_TIMEOUT_S
        outcome = await self._autopilot.release_load(self._link, deadline_s)
        trigger = Trigger.RELEASE_CONFIRMED if outcome.obeyed else Trigger.RELEASE_UNCONFIRMED
        return Result(trigger, outcome.detail, outcome.observations)

    async def _stop_motors(self) -> None:
        """Until they are seen off, on the ground, and for a moment nothing else is seen."""
        while True:
            if not await self._link.wait_for(self._are_off, MOTORS_STOP_WITHIN_S):
                if not self._is_heard(self._link.view):
                    await self._link.wait_for(self._is_heard, LINK_WAIT_S)
                elif self._link.view.on_ground:
                    await self._autopilot.disarm(self._link)
                continue
            restarted = await self._link.wait_for(lambda view: not self._are_off(view), STOPPED_FOR_S)
            if not restarted and self._is_heard(self._link.view):
                return

    def _are_off(self, view: VehicleView) -> bool:
        return view.armed is False and view.on_ground is True and self._is_heard(view)

    def _is_heard(self, view: VehicleView) -> bool:
        return view.heard_within(LINK_STALE_AFTER_S, self._clock.monotonic_s())
