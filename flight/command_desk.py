"""What is answered to commands: accepted or refused, once for each command id, in the journal first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InternalError
from flight.bus import Delivery
from flight.flight_state import view_truth
from flight.messages import (
    AbortFlight,
    CloseFlight,
    Command,
    CommandAccepted,
    CommandRefused,
    ConfirmAedLoaded,
    ContinueFlight,
    DivertFlight,
    Event,
    FlightCommand,
    FlightEnded,
    FlyMission,
    Notice,
    Reason,
    ReportState,
    RerouteFlight,
    VehicleState,
    decode,
)
from flight.mission_check import refused_mission
from flight.model.failsafe import react
from flight.model.faults import CLEARED_BY_A_PERSON, LINK_LOST_AFTER_S, SafetyAction
from flight.model.phases import AIRBORNE_PHASES, AedState, Phase, SafeState, Trigger, advance
from planner.site import DrillUse

if TYPE_CHECKING:
    from flight.agent import FlightAgent
    from flight.flight_state import FlightUnderWay

_TRIGGERS = {
    "abort_flight": Trigger.ABORT,
    "return_home": Trigger.RETURN,
    "hold_flight": Trigger.HOLD,
    "continue_flight": Trigger.CONTINUE,
    "divert_flight": Trigger.DIVERT,
    "land_now": Trigger.LAND_NOW,
    "reroute_flight": Trigger.REROUTE,
    "close_flight": Trigger.CLOSE,
}


class CommandDesk:
    """Takes the commands of one agent. Runs inside its owner task, so nothing changes meanwhile."""

    def __init__(self, agent: FlightAgent) -> None:
        self._agent = agent

    async def take(self, delivery: Delivery) -> None:
        """Answer one delivery and acknowledge it. A command id that was answered gets the same answer."""
        try:
            message = decode(delivery.payload)
        except InternalError:
            # Nobody to answer: without a readable id there is no command.
            await delivery.ack()
            return
        if isinstance(message, Command):
            earlier = self._agent.memory.answers.get(message.command_id)
            if earlier is not None:
                await self._agent.publish(earlier)
            else:
                await self.answer(message)
        await delivery.ack()

    async def answer(self, command: Command) -> None:
        """Act on a command or a notice that was not answered before."""
        if command.drone_id != self._agent.drone.drone_id:
            await self._refuse(
                command, Reason("other_drone", "the command is for another drone", "指令不属于本机")
            )
        elif isinstance(command, ReportState):
            await self._report(command)
        elif isinstance(command, ConfirmAedLoaded):
            await self._confirm_aed(command)
        elif isinstance(command, Notice):
            await self._notice(command)
        elif isinstance(command, FlyMission):
            await self._fly(command)
        else:
            await self._steer(command)

    def _accepted(self, command: Command) -> CommandAccepted:
        agent = self._agent
        return CommandAccepted(
            event_id=agent.ids.new("evt"),
            drone_id=agent.drone.drone_id,
            flight_id=getattr(command, "flight_id", None),
            at=agent.clock.now(),
            command_id=command.command_id,
            command_kind=command.kind,
        )

    async def _refuse(self, command: Command, *reasons: Reason) -> None:
        agent = self._agent
        refused = CommandRefused(
            event_id=agent.ids.new("evt"),
            drone_id=agent.drone.drone_id,
            flight_id=getattr(command, "flight_id", None),
            at=agent.clock.now(),
            command_id=command.command_id,
            command_kind=command.kind,
            reasons=reasons,
        )
        await self._settle(command, refused)

    async def _settle(
        self, command: Command, answer: CommandAccepted | CommandRefused, *events: Event
    ) -> None:
        """Command, answer and what follows from it in one journal write; then said."""
        self._agent.memory.answers[command.command_id] = answer
        self._agent.journal.write(messages=(command, answer, *events))
        for event in (answer, *events):
            await self._agent.publish(event)

    async def _report(self, command: ReportState) -> None:
        agent = self._agent
        await self._settle(command, self._accepted(command))
        await agent.publish(
            VehicleState(
                event_id=agent.ids.new("evt"),
                drone_id=agent.drone.drone_id,
                flight_id=agent.flight_id,
                at=agent.clock.now(),
                phase=agent.state.phase,
                aed=agent.state.aed,
                truth=view_truth(agent.link.view, agent.autopilot, agent.clock.now(), None),
            )
        )
        await agent.readiness.publish(force=True)

    async def _confirm_aed(self, command: ConfirmAedLoaded) -> None:
        agent = self._agent
        if agent.state.phase is not Phase.STANDBY:
            reason = Reason("not_standing_by", "an AED is loaded on a waiting drone", "仅可在待命时装载AED")
            await self._refuse(command, reason)
            return
        held = await agent.readiness.close_hook()
        if not held.obeyed:
            reason = Reason("hook_not_closed", f"the hook does not hold: {held.detail}", "挂钩未确认锁定")
            await self._refuse(command, reason)
            return
        agent.memory.aed_missing = agent.readiness.aed_missing = False
        await self._settle(command, self._accepted(command))
        await agent.readiness.publish(force=True)

    async def _notice(self, notice: Notice) -> None:
        refusal = self._agent.notices.refusal(notice)
        if refusal is not None:
            await self._refuse(notice, refusal)
            return
        await self._settle(notice, self._accepted(notice))
        await self._agent.notices.take(notice)

    async def _fly(self, command: FlyMission) -> None:
        agent = self._agent
        step = advance(agent.state, Trigger.FLY, agent.clock.now())
        reasons: tuple[Reason, ...]
        if command.flight_id in agent.memory.closed_flights:
            reasons = (
                Reason("flight_over", "this flight was called off or has ended", "该飞行已取消或结束"),
            )
        elif command.plan.drone_id != agent.drone.drone_id:
            reasons = (Reason("plan_of_other_drone", "the plan is for another drone", "计划属于其他无人机"),)
        elif command.drill and agent.drone.drills is DrillUse.NO:
            reasons = (Reason("not_for_drills", "the drone is not marked for drills", "未标记为可用于演练"),)
        elif not command.drill and agent.drone.drills is DrillUse.ONLY:
            reasons = (Reason("drills_only", "the drone is marked for drills only", "仅限演练使用"),)
        elif command.plan.start is not None:
            reasons = (
                Reason(
                    "plan_in_the_air",
                    "the plan begins in the air, the drone stands on its pad",
                    "计划从空中开始",
                ),
            )
        elif max(agent.clock.now(), command.departs_at) > command.plan.valid_until:
            reasons = (Reason("plan_expired", "the plan is no longer valid; plan again", "计划已过期"),)
        elif step.refused is not None:
            reasons = (Reason(step.refused.code, step.refused.detail, step.refused.detail_zh),)
        else:
            reasons = agent.readiness.refusals(command.plan, max(agent.clock.now(), command.departs_at))
        if not reasons:
            reasons = refused_mission(command.plan, agent.autopilot.name)
        if reasons:
            await self._refuse(command, *reasons)
            return
        agent.begin(command)
        await self._accept_and_move(command, Trigger.FLY, "ordered")

    async def _accept_and_move(self, command: FlightCommand, trigger: Trigger, detail: str) -> None:
        answer = self._accepted(command)
        self._agent.memory.answers[command.command_id] = answer
        await self._agent.move(trigger, detail, before=(command, answer))

    async def _steer(self, command: FlightCommand) -> None:
        """A command to a flight that should be under way."""
        agent = self._agent
        if agent.flight_id != command.flight_id:
            await self._steer_other(command)
            return
        trigger = _TRIGGERS[command.kind]
        refusal = advance(agent.state, trigger, agent.clock.now()).refused
        if refusal is not None:
            await self._refuse(command, Reason(refusal.code, refusal.detail, refusal.detail_zh))
            return
        reasons = self._against(command)
        if reasons:
            await self._refuse(command, *reasons)
            return
        if isinstance(command, RerouteFlight) and agent.flight is not None:
            agent.flight.reroute = command
        await self._accept_and_move(command, trigger, getattr(command, "reason", "") or command.kind)
        if isinstance(command, ContinueFlight):
            await agent.faults.clear(*CLEARED_BY_A_PERSON)

    def _against(self, command: FlightCommand) -> tuple[Reason, ...]:
        """What the phase alone does not say."""
        agent, flight = self._agent, self._agent.flight
        if isinstance(command, CloseFlight):
            return self._against_closing()
        if flight is None:
            return ()
        if (
            isinstance(command, AbortFlight)
            and command.only_on_ground
            and agent.state.phase in AIRBORNE_PHASES
        ):
            return (Reason("in_the_air", "the vehicle is in the air already", "无人机已在空中"),)
        if isinstance(command, RerouteFlight):
            return agent.rerouting.refusals(flight, command.plan)
        if isinstance(command, ContinueFlight):
            stands = [
                f"{fault.value}: {detail}"
                for fault, detail in flight.faults.present.items()
                if fault not in CLEARED_BY_A_PERSON
                and react([fault], Phase.STANDING_OFF) >= SafetyAction.HOLD
            ]
            if stands:
                return (Reason("cause_stands", f"it cannot go on: {'; '.join(stands)}", "停止原因仍然存在"),)
        if isinstance(command, DivertFlight):
            return self._against_diverting(flight)
        return ()

    def _against_diverting(self, flight: FlightUnderWay) -> tuple[Reason, ...]:
        """The autopilot flies straight to the nearest rally point; over the pad it comes straight down."""
        agent = self._agent
        if agent.state.phase is Phase.CLIMBING:
            return ()
        if not flight.plan.rally_points:
            return (Reason("no_rally_point", "the plan has no rally point", "计划没有备降点"),)
        ways = flight.director.faults.ways_open(agent.link.view, agent.state.phase, agent.clock.now())
        if not ways.rally:
            detail = "the straight way to the nearest rally point leads through a zone that was closed"
            return (Reason("rally_way_closed", detail, "前往最近备降点的直线航路穿越已关闭区域"),)
        return ()

    def _against_closing(self) -> tuple[Reason, ...]:
        """A vehicle that is heard with turning motors ends its own flight."""
        view = self._agent.link.view
        heard = view.heard_within(LINK_LOST_AFTER_S, self._agent.clock.monotonic_s())
        if heard and view.armed is not False:
            return (
                Reason(
                    "still_flying", "the vehicle is heard with turning motors", "仍收到无人机信号且电机在转"
                ),
            )
        return ()

    async def _steer_other(self, command: FlightCommand) -> None:
        """A flight that is not the present one. Abort closes a flight that never began, so that a late
        FlyMission cannot start it."""
        agent = self._agent
        if command.flight_id in agent.memory.closed_flights:
            await self._refuse(command, Reason("flight_over", "this flight has ended", "该飞行已结束"))
        elif isinstance(command, AbortFlight):
            agent.memory.closed_flights.add(command.flight_id)
            ended = FlightEnded(
                event_id=agent.ids.new("evt"),
                drone_id=agent.drone.drone_id,
                flight_id=command.flight_id,
                at=agent.clock.now(),
                safe_state=SafeState.NEVER_LEFT_GROUND,
                reason=f"called off before it began: {command.reason}",
                aed=AedState.ON_BOARD,
                position=agent.link.view.position,
                charge_fraction=agent.link.view.charge_fraction,
            )
            await self._settle(command, self._accepted(command), ended)
        else:
            reason = Reason("no_such_flight", "the drone does not fly this flight", "无人机未执行该飞行")
            await self._refuse(command, reason)
