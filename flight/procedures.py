"""What each effect of the phase machine means for one vehicle: coroutines that end in a trigger.

One rule for all: an action returns when the vehicle's state shows it. What must happen (going home,
landing) is repeated until it does; what may fail ends in the trigger that says so.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from core.clock import Clock
from core.geodesy import Wgs84Point, geodesic_distance_m
from flight.autopilots.base import Autopilot, ModeClass
from flight.delivery import Delivery, Result
from flight.director import Director
from flight.links.mavlink.connection import VehicleConnection
from flight.model.outcomes import ActionOutcome, Obedience
from flight.model.phases import LINE_OUT_PHASES, Effect, Phase, Trigger
from flight.touchdown import Touchdown
from planner.compile.mission_types import CompiledMission

TAKEOFF_TIMEOUT_S = 20.0
"""Spool-up takes 2 s, the first half metre one more; a vehicle that still stands then will not fly."""
PREPARE_TIMEOUT_S = 60.0
"""Uploads at 30 % loss take half of this."""
EXCHANGE_TIMEOUT_S = 60.0
"""The same in the air; afterwards the old mission is written back, or its rally points are flown to."""
BEGINNING_WITHIN_M = 25.0
"""How far the vehicle may have drifted while the mission was written; inside the flight geography on both
sides of the proved beginning (chosen)."""
TRANSFER_LOOK_S = 60.0
"""How long one wait for the end of a transfer lasts before the next; any number does."""
DISARMED_FOR_S = 2.0
"""Longer than the arm command's own repetitions (1.5 s) and HEARTBEAT's default period."""
INSIST_PAUSE_S = 1.0
INSIST_ATTEMPTS = 8
"""Before a way home that the vehicle does not take is given up for its own return."""

_HOME_PHASES = frozenset({Phase.INBOUND, Phase.LANDING})
VALID_IN: dict[Effect, frozenset[Phase]] = {
    Effect.PREPARE: frozenset({Phase.PREPARING}),
    Effect.AWAIT_DEPARTURE: frozenset({Phase.WAITING}),
    Effect.ARM: frozenset({Phase.ARMING}),
    Effect.START_MISSION: frozenset({Phase.ARMED, Phase.CLIMBING}),
    Effect.TOUCH_DOWN: frozenset({Phase.TOUCHING_DOWN}),
    Effect.UNLOAD: frozenset({Phase.UNLOADING}),
    Effect.LOWER_AED: frozenset({Phase.LOWERING}),
    Effect.RELEASE_AED: frozenset({Phase.RELEASING}),
    Effect.RETRACT_LINE: frozenset(Phase)
    - {
        Phase.HANDED_OVER,
        Phase.ENDED,
        Phase.LOWERING,
        Phase.RELEASING,
        Phase.TOUCHING_DOWN,
        Phase.UNLOADING,
    },
    Effect.FLY_HOME: _HOME_PHASES,
    Effect.FLY_BACK: frozenset({Phase.RETURNING}),
    Effect.STOP: frozenset({Phase.HOLDING, Phase.STANDING_OFF, Phase.UNCLAIMED}),
    Effect.REPLACE_MISSION: frozenset({Phase.REROUTING}),
    Effect.RESUME: LINE_OUT_PHASES
    | {Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING, Phase.LANDING, Phase.UNCLAIMED},
    Effect.FLY_TO_RALLY: frozenset({Phase.DIVERTING, Phase.UNCLAIMED}),
    Effect.LAND_HERE: frozenset({Phase.LANDING_HERE, Phase.UNCLAIMED}),
    Effect.LAND_ON_PAD: frozenset({Phase.LANDING}),
    Effect.DISARM: frozenset({Phase.DISARMING}),
    Effect.TERMINATE: frozenset({Phase.LANDING_HERE, Phase.TOUCHING_DOWN}),
}
"""In which phases the work of an effect goes on; leaving them cancels it."""

EXPECTED_MODES: dict[Effect, frozenset[ModeClass]] = {
    Effect.ARM: frozenset({ModeClass.OFFERED}),
    Effect.START_MISSION: frozenset({ModeClass.MISSION}),
    Effect.FLY_HOME: frozenset({ModeClass.MISSION}),
    Effect.FLY_BACK: frozenset({ModeClass.MISSION}),
    Effect.RESUME: frozenset({ModeClass.MISSION}),
    Effect.STOP: frozenset({ModeClass.HOLD}),
    Effect.REPLACE_MISSION: frozenset({ModeClass.HOLD, ModeClass.MISSION}),
    Effect.FLY_TO_RALLY: frozenset({ModeClass.RETURN}),
    Effect.TOUCH_DOWN: frozenset({ModeClass.LAND}),
    Effect.LAND_HERE: frozenset({ModeClass.LAND}),
    Effect.LAND_ON_PAD: frozenset({ModeClass.LAND}),
}
"""The mode that an effect leads to; others afterwards are somebody else's doing."""


COMMANDED = frozenset(
    {
        Effect.STOP,
        Effect.RESUME,
        Effect.FLY_HOME,
        Effect.FLY_BACK,
        Effect.FLY_TO_RALLY,
        Effect.LAND_HERE,
        Effect.LAND_ON_PAD,
        Effect.DISARM,
        Effect.TERMINATE,
    }
)
"""Effects whose work is insisting on it until the vehicle shows it: while one is under way, it is not shown."""


class Procedures:
    """The procedures of one flight."""

    def __init__(
        self, link: VehicleConnection, autopilot: Autopilot, director: Director, clock: Clock
    ) -> None:
        self.delivery = Delivery(link, autopilot, director, clock)
        self.touchdown = Touchdown(link, autopilot, director, clock)
        self._link = link
        self._autopilot = autopilot
        self._director = director
        self._clock = clock

    def work_for(self, effect: Effect, *, hovering_for_s: float) -> Callable[[], Awaitable[Result]] | None:
        """The coroutine function for an effect; None for effects that are only announcements."""
        simple: dict[Effect, Callable[[], Awaitable[Result]]] = {
            Effect.PREPARE: self.prepare,
            Effect.ARM: self.arm,
            Effect.START_MISSION: self.start_mission,
            Effect.TOUCH_DOWN: lambda: self.touchdown.touch_down(hovering_for_s),
            Effect.UNLOAD: self.touchdown.unload,
            Effect.LOWER_AED: lambda: self.delivery.lower(hovering_for_s),
            Effect.RELEASE_AED: self.delivery.release,
            Effect.RETRACT_LINE: self.delivery.retract,
            Effect.FLY_HOME: self.fly_home,
            Effect.FLY_BACK: self.fly_back,
            Effect.STOP: lambda: self.insist(self._autopilot.hold),
            Effect.RESUME: lambda: self.insist(self._autopilot.resume_mission),
            Effect.FLY_TO_RALLY: self.fly_to_rally,
            Effect.LAND_HERE: lambda: self.insist(self._autopilot.land),
            Effect.LAND_ON_PAD: lambda: self.insist(self._autopilot.land),
            Effect.DISARM: self.disarm,
            Effect.TERMINATE: lambda: self.insist(self._autopilot.terminate),
        }
        return simple.get(effect)

    async def prepare(self) -> Result:
        """Parameters, arming mode, fence, rally points and mission at once; then everything is known."""
        mission = self._director.mission
        try:
            async with self._clock.timeout(PREPARE_TIMEOUT_S), asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work)
                    for work in (
                        self._autopilot.prepare_parameters(self._link, mission.required_parameters),
                        self._autopilot.select_arming_mode(self._link),
                        self._autopilot.upload(self._link, mission),
                    )
                ]
        except TimeoutError:
            return Result(Trigger.PREPARATION_FAILED, f"not prepared within {PREPARE_TIMEOUT_S:.0f} s")
        failed = [task.result() for task in tasks if not task.result().obeyed]
        if failed:
            return Result(Trigger.PREPARATION_FAILED, "; ".join(outcome.detail for outcome in failed))
        return Result(Trigger.PREPARED, "fence, rally points and mission are on board, read back and equal")

    async def arm(self) -> Result:
        outcome = await self._autopilot.arm(self._link)
        if outcome.obeyed:
            return Result(None)
        return Result(Trigger.ARMING_FAILED, outcome.detail)

    async def disarm(self) -> Result:
        """Until the motors stand and have stood for a moment: an arm command that is still on its way,
        or its late execution, must not find a flight that believes itself ended."""
        while True:
            outcome = await self._autopilot.disarm(self._link)
            if outcome.obeyed:
                armed_late = await self._link.wait_for(lambda view: view.armed is True, DISARMED_FOR_S)
                silent_s = self._link.view.silent_for_s(self._clock.monotonic_s())
                if not armed_late and silent_s is not None and silent_s < DISARMED_FOR_S:
                    return Result(self._director.disarmed_where(self._link.view), "disarmed on command")
            await self._clock.sleep(INSIST_PAUSE_S)

    async def start_mission(self) -> Result:
        """Ends when the vehicle is seen in the air (the director says so), or with the failure."""
        started = await self._autopilot.start_mission(self._link, self._director.mission.indices.takeoff)
        if not started.obeyed:
            return Result(Trigger.TAKEOFF_FAILED, started.detail)
        lifted = await self._link.wait_for(
            lambda view: (view.height_above_home_m or 0.0) > 1.0 or view.armed is False, TAKEOFF_TIMEOUT_S
        )
        if not lifted:
            return Result(
                Trigger.TAKEOFF_FAILED, "the mission runs and the vehicle does not leave the ground"
            )
        return Result(None)

    async def fly_home(self) -> Result:
        if self._director.is_on_way_home(self._link.view):
            return await self.insist(self._autopilot.resume_mission)
        seq = self._director.mission.indices.inbound_first
        return await self._insist_or_return(lambda: self._autopilot.jump_to(self._link, seq))

    async def fly_back(self) -> Result:
        """Jump to where the plan's return table says, once; afterwards the mission flies it."""
        if self._director.is_on_way_home(self._link.view):
            return await self.insist(self._autopilot.resume_mission)
        seq = self._director.return_seq(self._link.view)
        taken = await self._insist_or_return(lambda: self._autopilot.jump_to(self._link, seq))
        indices = self._director.mission.indices
        hover, home = indices.delivery_hover, indices.inbound_first
        if taken.trigger is not None or hover is None or seq >= home:
            return taken
        # On the way to an alternate the legal way home leads over it: from there on, without the hover.
        while not await self._link.wait_for(lambda view: (view.mission_seq or 0) >= hover, TRANSFER_LOOK_S):
            pass
        return await self._insist_or_return(lambda: self._autopilot.jump_to(self._link, home))

    async def fly_to_rally(self) -> Result:
        """The autopilot's own return. Without rally points it would fly straight home, which nobody proved."""
        if not self._director.plan.rally_points:
            return Result(Trigger.SAFETY_LAND, "the plan has no rally point to divert to")
        return await self.insist(self._autopilot.return_by_itself)

    async def insist(self, action: Callable[[VehicleConnection], Awaitable[ActionOutcome]]) -> Result:
        """Repeat until the state shows it: there is nothing better to do."""
        while True:
            outcome = await action(self._link)
            if outcome.obeyed:
                return Result(None)
            await self._clock.sleep(INSIST_PAUSE_S)

    async def replace(self, mission: CompiledMission, *, delivers: bool, old_way_open: bool) -> Result:
        """Hold, write another mission, read it back, set its beginning, go on.

        Whatever fails, nothing is flown that was not read back and found equal: then the old mission is
        written again, as long as its way home is legal; and if that fails too, or is not, no mission is
        trusted and the rally points are.
        """
        await self.insist(self._autopilot.hold)
        seq = self._link.view.mission_seq
        failure = await self._exchange(mission)
        away_m = self._away_from_beginning_m(mission)
        if failure is None and away_m > BEGINNING_WITHIN_M:
            failure = f"the vehicle is {away_m:.0f} m from where the new mission begins"
        if failure is None:
            begun = await self._autopilot.jump_to(self._link, mission.indices.takeoff)
            if begun.obeyed:
                done = Trigger.REROUTED if delivers else Trigger.REROUTED_HOME
                return Result(done, "the new mission is on board, read back and equal, and begun")
            failure = begun.detail
            await self.insist(self._autopilot.hold)
        if not old_way_open:
            return Result(Trigger.REROUTE_FAILED, f"{failure}; the old way home is closed")
        restored = await self._exchange(self._director.mission)
        if restored is not None:
            return Result(Trigger.REROUTE_FAILED, f"{failure}; nor is the old mission whole: {restored}")
        # Writing may have reset what the vehicle takes for its current item.
        self._director.way.held_seq = seq
        return Result(Trigger.MISSION_RESTORED, failure)

    async def take_alternate(self, mission: CompiledMission, *, old_way_open: bool) -> Result:
        """Jump to a section of the mission that is on board. Nothing is written."""
        await self.insist(self._autopilot.hold)
        seq, away_m = self._link.view.mission_seq, self._away_from_beginning_m(mission)
        if away_m > BEGINNING_WITHIN_M:
            failure = f"the vehicle is {away_m:.0f} m from where the way to the alternate begins"
        else:
            begun = await self._autopilot.jump_to(self._link, mission.indices.takeoff)
            if begun.obeyed:
                return Result(Trigger.REROUTED, "on the way to the alternate, by the mission on board")
            failure = begun.detail
            await self.insist(self._autopilot.hold)
        if not old_way_open:
            return Result(Trigger.REROUTE_FAILED, f"{failure}; the old way home is closed")
        self._director.way.held_seq = seq
        return Result(Trigger.MISSION_RESTORED, failure)

    def _away_from_beginning_m(self, mission: CompiledMission) -> float:
        """Nobody proved the straight line there from anywhere else; infinite while the position is unknown."""
        begin, position = mission.items[mission.indices.takeoff], self._link.view.position
        if position is None:
            return math.inf
        return geodesic_distance_m(position, Wgs84Point(begin.latitude_deg, begin.longitude_deg))

    async def _exchange(self, mission: CompiledMission) -> str | None:
        """Parameters, fence, rally points and mission; None when all was read back and equal."""
        try:
            async with self._clock.timeout(EXCHANGE_TIMEOUT_S):
                outcome = await self._autopilot.prepare_parameters(self._link, mission.required_parameters)
                if outcome.obeyed:
                    outcome = await self._autopilot.upload(self._link, mission)
                if not outcome.obeyed:
                    return outcome.detail or outcome.status.value
        except TimeoutError:
            return f"not written within {EXCHANGE_TIMEOUT_S:.0f} s"
        return None

    async def _insist_or_return(self, attempt: Callable[[], Awaitable[ActionOutcome]]) -> Result:
        """Repeat; a vehicle that answers and still does not do it is sent to its rally point instead."""
        denied = 0
        while True:
            outcome = await attempt()
            if outcome.obeyed:
                return Result(None)
            denied += outcome.status is not Obedience.UNANSWERED
            if denied >= INSIST_ATTEMPTS:
                return Result(Trigger.SAFETY_DIVERT, f"the way home is not taken: {outcome.detail}")
            await self._clock.sleep(INSIST_PAUSE_S)
