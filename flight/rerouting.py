"""Another plan in flight: judged, written to the vehicle, followed; asked for where nobody sends one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import planner.reasons
from core.errors import DroneAedError
from core.geodesy import geodesic_distance_m
from flight.alternates import alternate_mission, alternate_plans
from flight.delivery import Result
from flight.events import FlightRerouted, RerouteFailed
from flight.flight_state import FlightUnderWay
from flight.message_parts import Reason, as_told
from flight.messages import RerouteFlight
from flight.mission_check import refused_mission
from flight.model.faults import CLEARED_BY_A_NEW_PLAN, Fault
from flight.model.phases import AedState, Effect, Phase, Trigger
from flight.replanner import Replanner
from planner.airframe import load_airframes
from planner.energy import battery_at
from planner.flight_plan import FlightPlan
from planner.replan import Airborne
from planner.task import NoPlan
from planner.wind import Wind

if TYPE_CHECKING:
    from flight.agent import FlightAgent

START_WITHIN_M = 15.0
START_HEIGHT_WITHIN_M = 8.0
"""How far from the plan's beginning the vehicle may stand: a hover's drift, GPS and barometer, far inside
the corridor that the plan keeps around its beginning (chosen)."""
_CHARGE_RESOLUTION = 0.01


class Rerouting:
    """One agent's. Runs inside its owner task, but for the planner's thread."""

    def __init__(self, agent: FlightAgent, replanner: Replanner | None) -> None:
        self._agent = agent
        self._replanner = replanner
        self._found: asyncio.Queue[tuple[FlightUnderWay, FlightPlan | NoPlan]] = asyncio.Queue()

    # --- asking -------------------------------------------------------------------------------

    def ask(self, flight: FlightUnderWay) -> None:
        """Have the planner look for another way from where the vehicle stands. Without one, nothing happens:
        the hub has as long as the vehicle may stand."""
        agent, view = self._agent, self._agent.link.view
        if self._replanner is None or view.position is None or view.charge_fraction is None:
            return
        if view.height_above_home_m is None:
            return
        standing = Airborne(
            position=view.position,
            # By its height above home: that is what missions are flown by.
            altitude_amsl_m=flight.plan.home.altitude_amsl_m + view.height_above_home_m,
            charge_fraction=view.charge_fraction,
        )
        replanner = self._replanner
        wind_from_deg, wind_speed_m_s = view.measured_wind
        now = agent.clock.now()
        wind = flight.plan.wind
        if wind_from_deg is not None and wind_speed_m_s is not None:
            wind = Wind(from_deg=wind_from_deg, speed_m_s=wind_speed_m_s, measured_at=now)
        deliver = agent.state.aed is AedState.ON_BOARD and not agent.state.failure_announced
        closed = agent.memory.closed_zones

        async def plan() -> None:
            def look() -> FlightPlan | NoPlan:
                found = replanner(standing, flight.plan, deliver=deliver, closed=closed, wind=wind, at=now)
                if deliver and isinstance(found, NoPlan):
                    return replanner(standing, flight.plan, deliver=False, closed=closed, wind=wind, at=now)
                return found

            # In a thread: a planner that holds the loop for a second silences our heartbeats as well.
            try:
                found = await asyncio.to_thread(look)
            except DroneAedError as error:
                # A site without this landing point, say: no way was found, and the flight goes on being safe.
                found = NoPlan((planner.reasons.Reason("not_planned", str(error), "无法重新规划"),))
            self._found.put_nowait((flight, found))
            agent.wake()

        agent.spawn(plan(), "replan")

    async def take_plans(self) -> None:
        """What the planner found, if it is still wanted."""
        agent = self._agent
        while not self._found.empty():
            flight, found = self._found.get_nowait()
            if flight is not agent.flight or agent.state.phase is not Phase.STANDING_OFF:
                continue
            if isinstance(found, NoPlan):
                reasons = as_told(found.reasons)
                await self._say_failed(flight, reasons)
                await agent.faults.latch(Fault.NO_NEW_WAY, reasons[0].detail if reasons else "no way found")
                continue
            command = RerouteFlight(
                command_id=agent.ids.new("cmd"),
                drone_id=agent.drone.drone_id,
                flight_id=flight.flight_id,
                issued_at=agent.clock.now(),
                plan=found,
                reason="; ".join(flight.faults.present.values()) or "another way",
            )
            await agent.desk.answer(command)

    async def offer_alternate(self, flight: FlightUnderWay) -> None:
        """Go to the plan's next landing point, the first that can be flown from here as it is now."""
        agent = self._agent
        for plan in alternate_plans(flight.plan, flight.director.mission):
            if self.refusals(flight, plan):
                continue
            command = RerouteFlight(
                command_id=agent.ids.new("cmd"),
                drone_id=agent.drone.drone_id,
                flight_id=flight.flight_id,
                issued_at=agent.clock.now(),
                plan=plan,
                reason=f"{flight.plan.landing_point_id} is occupied; on to {plan.landing_point_id}",
            )
            await agent.desk.answer(command)
            return

    # --- judging ------------------------------------------------------------------------------

    def refusals(self, flight: FlightUnderWay, plan: FlightPlan) -> tuple[Reason, ...]:
        """Why this plan cannot be flown from here; empty when it can."""
        agent, view = self._agent, self._agent.link.view
        if plan.drone_id != agent.drone.drone_id:
            return (Reason("plan_of_other_drone", "the plan is for another drone", "计划属于其他无人机"),)
        if plan.start is None:
            return (
                Reason(
                    "plan_from_pad", "the plan begins on a pad, the vehicle is in the air", "计划从起降坪开始"
                ),
            )
        if agent.clock.now() > plan.valid_until:
            return (Reason("plan_expired", "the plan is no longer valid; plan again", "计划已过期"),)
        if plan.home != flight.plan.home:
            return (
                Reason(
                    "other_pad",
                    "the plan's heights count from another pad than the flight's",
                    "计划的起降坪与本次飞行不同",
                ),
            )
        found = []
        taken = [each for each in plan.authorisation_ids if each in agent.memory.revoked]
        if taken:
            detail = f"the plan needs what was taken back: {', '.join(taken)}"
            found.append(Reason("authorisation_revoked", detail, f"计划所需授权已撤销: {', '.join(taken)}"))
        if plan.delivers and (agent.state.aed is not AedState.ON_BOARD or agent.state.failure_announced):
            found.append(
                Reason(
                    "nothing_to_deliver",
                    "the AED was released or the delivery given up",
                    "AED已投放或投送已取消",
                )
            )
        found += self._refused_start(plan)
        if alternate_mission(flight.plan, flight.director.mission, plan) is None:
            found += refused_mission(plan, agent.autopilot.name)
        airframe = load_airframes().get(plan.airframe_id)
        if airframe is None or view.charge_fraction is None:
            found.append(Reason("energy_unknown", "airframe or charge are not known", "机型或电量未知"))
        else:
            battery = battery_at(airframe, min(1.0, view.charge_fraction + _CHARGE_RESOLUTION))
            needed_wh = plan.energy.total_wh + plan.energy.uncertainty_wh + plan.energy.reserve_wh
            if needed_wh > battery.usable_wh:
                detail = f"the plan needs {needed_wh:.0f} Wh, {battery.usable_wh:.0f} Wh are usable"
                found.append(
                    Reason(
                        "energy_short",
                        detail,
                        f"计划需{needed_wh:.0f}瓦时，可用{battery.usable_wh:.0f}瓦时",
                    )
                )
        zone = flight.director.faults.zones.on_plan(plan, agent.clock.now())
        if zone is not None:
            found.append(
                Reason(
                    "zone_closed",
                    f"the plan leads through zone {zone}, which is closed",
                    f"计划穿越已关闭的区域{zone}",
                )
            )
        return tuple(found)

    def _refused_start(self, plan: FlightPlan) -> list[Reason]:
        assert plan.start is not None
        view = self._agent.link.view
        if view.position is None or view.height_above_home_m is None:
            return [Reason("position_unknown", "the vehicle's position is not known", "位置未知")]
        away_m = geodesic_distance_m(view.position, plan.start.position)
        altitude_m = plan.home.altitude_amsl_m + view.height_above_home_m
        off_m = abs(altitude_m - plan.start.altitude_amsl_m)
        if away_m <= START_WITHIN_M and off_m <= START_HEIGHT_WITHIN_M and self._agent.stands_still():
            return []
        detail = (
            f"the plan begins {away_m:.0f} m away and {off_m:.0f} m higher or lower, or the vehicle moves; "
            "hold it and plan from where it stands"
        )
        return [Reason("not_there", detail, f"计划起点距无人机{away_m:.0f}米，请先悬停再规划")]

    # --- doing --------------------------------------------------------------------------------

    def work_for(self, effect: Effect, flight: FlightUnderWay) -> Callable[[], Awaitable[Result]] | None:
        """The work of the effects that are this module's and the pad's; None for all others."""
        if effect is Effect.AWAIT_DEPARTURE:
            return lambda: self._await_departure(flight)
        if effect is not Effect.REPLACE_MISSION or flight.reroute is None:
            return None
        plan, agent = flight.reroute.plan, self._agent
        mission = flight.mission_of(plan, agent.autopilot)
        ways = flight.director.faults.ways_open(agent.link.view, agent.state.phase, agent.clock.now())
        if alternate_mission(flight.plan, flight.director.mission, plan) is not None:
            return lambda: flight.procedures.take_alternate(mission, old_way_open=ways.home)
        return lambda: flight.procedures.replace(mission, delivers=plan.delivers, old_way_open=ways.home)

    async def _await_departure(self, flight: FlightUnderWay) -> Result:
        """Until the moment to take off; then everything that was checked is checked once more."""
        agent = self._agent
        wait_s = (flight.command.departs_at - agent.clock.now()).total_seconds()
        if wait_s > 0:
            await agent.clock.sleep(wait_s)
        if agent.clock.now() > flight.plan.valid_until:
            return Result(Trigger.PREPARATION_FAILED, "the plan is no longer valid")
        reasons = agent.readiness.refusals(flight.plan)
        if reasons:
            return Result(Trigger.PREPARATION_FAILED, "; ".join(reason.detail for reason in reasons))
        if await agent.autopilot.mission_matches(agent.link, flight.director.mission) is not True:
            return Result(
                Trigger.PREPARATION_FAILED, "the mission on board is no longer the one that was checked"
            )
        return Result(Trigger.DEPARTURE_DUE, "the moment to take off has come")

    async def written(self, flight: FlightUnderWay, trigger: Trigger, detail: str) -> None:
        """The exchange ended. Follow the new plan where the vehicle does; say so where it does not."""
        agent, command = self._agent, flight.reroute
        if command is None:
            # It was followed before a restart.
            return
        if trigger not in (Trigger.REROUTED, Trigger.REROUTED_HOME):
            flight.reroute = None
            await self._say_failed(flight, (Reason("not_written", detail, "航线更换失败"),))
            return
        previous = flight.plan
        flight.follow(command.plan, agent.link, agent.autopilot, agent.clock)
        flight.director.expect_mode(agent.mission_modes, agent.clock.monotonic_s(), reached=True)
        event = FlightRerouted(
            event_id=agent.ids.new("evt"),
            drone_id=agent.drone.drone_id,
            flight_id=flight.flight_id,
            at=agent.clock.now(),
            previous_plan_id=previous.plan_id,
            plan=command.plan,
            reason=command.reason,
        )
        agent.journal.write(messages=[event])
        await agent.publish(event)
        if flight.record is not None:
            flight.record.rerouted(command.plan)
        await agent.faults.clear(*CLEARED_BY_A_NEW_PLAN)

    async def _say_failed(self, flight: FlightUnderWay, reasons: tuple[Reason, ...]) -> None:
        agent = self._agent
        event = RerouteFailed(
            event_id=agent.ids.new("evt"),
            drone_id=agent.drone.drone_id,
            flight_id=flight.flight_id,
            at=agent.clock.now(),
            reasons=reasons,
        )
        agent.journal.write(messages=[event])
        await agent.publish(event)
