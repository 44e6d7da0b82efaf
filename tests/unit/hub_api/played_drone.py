"""A drone that follows a script, and speaks on the bus exactly what an agent speaks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from core.geodesy import Wgs84Point
from flight import messages as m
from flight.bus import commands_subject, events_subject, telemetry_subject
from flight.model.phases import AedState, Phase, SafeState
from flight.model.preflight import PreflightLevel, PreflightVerdict
from hub_api.hub import Hub

ON_THE_PAD = (Phase.PREPARING, Phase.ARMING, Phase.ARMED)


@dataclass
class Script:
    """How a played drone behaves. Times in seconds."""

    answer: str = "accept"
    """accept | refuse | silent"""
    turns_back: bool = False
    """Comes home without delivering."""
    ready: bool = True
    silent_from_start: bool = False
    deaf: bool = False
    """Hears no command at all."""
    answer_delay_s: float = 0.0
    boot_s: float = 0.0
    """Until its agent has heard its vehicle it is not ready and refuses to fly."""
    phase_s: float = 10.0
    refuses_ways: bool = False
    """Takes no other way in the air."""
    reports_way_after_s: float = 0.0
    """It flies another way already for so long when its report of it comes."""


@dataclass
class Memory:
    """What an agent's journal would know after a restart: what it said and what it had begun."""

    said: list[m.Event] = field(default_factory=list)
    answers: dict[str, m.Event] = field(default_factory=dict)
    flown: list[str] = field(default_factory=list)
    mission: m.FlyMission | None = None
    phase: Phase = Phase.STANDBY
    delivered: bool = False


@dataclass
class PlayedDrone:
    """Speaks like an agent: answers commands once by id, flies by the script, stops on abort."""

    drone_id: str
    hub: Hub
    script: Script
    memory: Memory = field(default_factory=Memory)
    commands: list[m.Command] = field(default_factory=list)
    abort: asyncio.Event = field(default_factory=asyncio.Event)
    nudge: asyncio.Event = field(default_factory=asyncio.Event)
    """Abort or stop: it does not wait for the end of its phase."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    way: m.RerouteFlight | None = None
    stands_as: Phase = Phase.STANDING_OFF
    diverted: bool = False
    booted: bool = False

    @property
    def flown(self) -> list[str]:
        return self.memory.flown

    @property
    def phase(self) -> Phase:
        return self.memory.phase

    @property
    def flight_id(self) -> str | None:
        return None if self.memory.mission is None else self.memory.mission.flight_id

    async def run(self) -> None:
        subscription = await self.hub.bus.subscribe(
            commands_subject(self.drone_id), durable=f"agent-{self.drone_id}"
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._telemetry())
            for event in list(self.memory.said):
                # As a restarted agent does: what it said may never have been heard.
                await self._publish(event)
            if self.memory.mission is not None:
                group.create_task(self._fly(self.memory.mission, resumed=True))
            if not self.script.silent_from_start:
                group.create_task(self._boot())
            async for delivery in subscription:
                command = m.decode(delivery.payload)
                self.commands.append(command)  # type: ignore[arg-type]
                await self._take(group, command)
                await delivery.ack()

    async def _take(self, group: asyncio.TaskGroup, command: m.Message) -> None:
        if isinstance(command, m.ReportState) or self.script.deaf:
            return
        await self.hub.clock.sleep(self.script.answer_delay_s)
        command_id = command.command_id  # type: ignore[union-attr]
        if command_id in self.memory.answers:
            await self._publish(self.memory.answers[command_id])
            return
        if isinstance(command, m.FlyMission):
            if self.script.answer == "silent":
                return
            if self.script.answer == "refuse" or self.flight_id is not None or not self.booted:
                await self._answer(
                    command,
                    m.CommandRefused(
                        **self._head(command.flight_id),
                        command_id=command_id,
                        command_kind=command.kind,
                        reasons=(m.Reason("not_now", "not now", "现在不行"),),
                    ),
                )
                return
            self.memory.said.clear()
            self.flown.append(command.flight_id)
            self.memory.mission = command
            self.memory.delivered = False
            await self._accept(command)
            self.abort.clear()
            self.nudge.clear()
            group.create_task(self._fly(command))
        elif isinstance(command, m.ConfirmAedLoaded):
            await self._accept(command)
        elif isinstance(command, m.PatientMoved | m.HoldFlight | m.RerouteFlight | m.ContinueFlight):
            await self._redirect(command)
        elif (
            isinstance(command, m.AbortFlight)
            and command.only_on_ground
            and self.flight_id is not None
            and self.phase not in ON_THE_PAD
        ):
            await self._refuse(command, m.Reason("in_the_air", "in the air", "已在空中"))
        elif isinstance(command, m.AbortFlight):
            await self._accept(command)
            self.abort.set()
            self.nudge.set()

    async def _redirect(
        self, command: m.PatientMoved | m.HoldFlight | m.RerouteFlight | m.ContinueFlight
    ) -> None:
        """As an agent: called off on the pad, stopped in the air, another way from there."""
        late = self.phase in (Phase.LOWERING, Phase.RELEASING, Phase.RETRACTING) or self.memory.delivered
        if self.flight_id != command.flight_id or (isinstance(command, m.PatientMoved) and late):
            code = "too_late" if late else "no_such_flight"
            await self._refuse(command, m.Reason(code, code, code))
        elif isinstance(command, m.RerouteFlight) and self.script.refuses_ways:
            await self._refuse(command, m.Reason("not_there", "not there", "不在那里"))
        elif isinstance(command, m.PatientMoved | m.HoldFlight):
            await self._accept(command)
            self.stands_as = Phase.HOLDING if isinstance(command, m.HoldFlight) else Phase.STANDING_OFF
            if self.phase in ON_THE_PAD:
                self.abort.set()
            elif self.phase not in (Phase.STANDING_OFF, Phase.HOLDING, Phase.REROUTING):
                # While it stands there is nothing to stop; the next plan clears the reason.
                self.stop.set()
            self.nudge.set()
        else:
            await self._accept(command)
            if isinstance(command, m.RerouteFlight):
                self.way = command
            self.go.set()

    async def _refuse(self, command: Any, *reasons: m.Reason) -> None:
        await self._answer(
            command,
            m.CommandRefused(
                **self._head(command.flight_id),
                command_id=command.command_id,
                command_kind=command.kind,
                reasons=reasons,
            ),
        )

    async def _stand_off(self, mission: m.FlyMission) -> None:
        """Stand until there is another way, or the word to go on, or to come home."""
        before = self.phase
        self.stop.clear()
        await self._enter(self.stands_as)
        while not (self.go.is_set() or self.abort.is_set()):
            await self.hub.clock.sleep(0.5)
        self.go.clear()
        if self.way is not None and not self.abort.is_set():
            await self._enter(Phase.REROUTING)
            previous = mission.plan.plan_id
            if self.script.reports_way_after_s:
                await self._enter(before)
                await self.hub.clock.sleep(self.script.reports_way_after_s)
            await self._say(
                m.FlightRerouted(
                    **self._head(mission.flight_id),
                    previous_plan_id=previous,
                    plan=self.way.plan,
                    reason=self.way.reason,
                )
            )
            if self.way.plan.lands_at is not None:
                await self._lost(mission, "diverted")
                self.diverted = True
                self.abort.set()
            self.way = None
        if not self.abort.is_set():
            await self._enter(before)

    async def _accept(self, command: Any) -> None:
        await self._answer(
            command,
            m.CommandAccepted(
                **self._head(getattr(command, "flight_id", None)),
                command_id=command.command_id,
                command_kind=command.kind,
            ),
        )

    async def _answer(self, command: Any, event: m.Event) -> None:
        self.memory.answers[command.command_id] = event
        await self._say(event)

    def _has_said(self, kind: type[m.Event]) -> bool:
        """Of the flight under way: what a drone remembers begins with its command."""
        return any(isinstance(told, kind) for told in self.memory.said)

    async def _fly(self, mission: m.FlyMission, resumed: bool = False) -> None:
        """From the beginning; or, ``resumed``, from where the memory ends, wherever between two words that is."""
        way = [Phase.PREPARING, Phase.ARMING, Phase.ARMED, Phase.CLIMBING, Phase.OUTBOUND]
        if not self.script.turns_back:
            way += [Phase.HOVERING, Phase.LOWERING, Phase.RELEASING]
        done = way.index(self.phase) + 1 if resumed and self.phase in way else 0
        if self._has_said(m.FlightEnded):
            await self._stand_by()
            return
        if self.memory.delivered and not self._has_said(m.AedOnGround):
            await self._say_on_ground(mission)
        if not (self.memory.delivered or self._has_said(m.DeliveryFailed)):
            for phase in way[done:]:
                await self._enter(phase)
                ended = await self._pause()
                while self.stop.is_set() and not ended:
                    await self._stand_off(mission)
                    ended = await self._pause()
                if ended:
                    break
            await self._hand_over(mission, reached=self.phase is way[-1])
        if self.phase in ON_THE_PAD:
            await self._end(mission, SafeState.NEVER_LEFT_GROUND)
            return
        await self._enter(Phase.INBOUND if self.memory.delivered else Phase.RETURNING)
        await self.hub.clock.sleep(self.script.phase_s)
        await self._enter(Phase.LANDING)
        await self.hub.clock.sleep(self.script.phase_s)
        await self._end(mission, SafeState.LANDED_AT_RALLY if self.diverted else SafeState.ON_PAD)

    async def _hand_over(self, mission: m.FlyMission, *, reached: bool) -> None:
        if self.diverted:
            return  # It said so already.
        if self.abort.is_set() or self.script.turns_back or not reached:
            await self._lost(mission, "aborted" if self.abort.is_set() else "wind")
            return
        self.memory.delivered = True
        point = mission.plan.delivery.position
        proof = (m.Evidence("WINCH_STATUS", "released", self.hub.clock.now()),)
        await self._say(m.AedReleased(**self._head(mission.flight_id), position=point, evidence=proof))
        await self._say_on_ground(mission)

    async def _say_on_ground(self, mission: m.FlyMission) -> None:
        point = mission.plan.delivery.position
        proof = (m.Evidence("WINCH_STATUS", "released", self.hub.clock.now()),)
        if self.phase is not Phase.RETRACTING:
            await self._enter(Phase.RETRACTING)
        await self._say(
            m.AedOnGround(
                **self._head(mission.flight_id), position=point, line_height_agl_m=5.0, evidence=proof
            )
        )

    async def _lost(self, mission: m.FlyMission, why: str) -> None:
        await self._say(
            m.DeliveryFailed(
                **self._head(mission.flight_id), reason=m.Reason(why, why, "原因"), aed=AedState.ON_BOARD
            )
        )

    async def _end(self, mission: m.FlyMission, safe_state: SafeState) -> None:
        aed = AedState.RELEASED if self.memory.delivered else AedState.ON_BOARD
        await self._enter(Phase.ENDED)
        await self._say(
            m.FlightEnded(
                **self._head(mission.flight_id), safe_state=safe_state, reason="", aed=aed, position=None
            )
        )
        await self._stand_by()

    async def _stand_by(self) -> None:
        self.memory.mission = None
        await self._enter(Phase.STANDBY)

    async def _pause(self) -> bool:
        """Wait one phase; whether the flight was aborted meanwhile."""
        try:
            async with self.hub.clock.timeout(self.script.phase_s):
                await self.nudge.wait()
        except TimeoutError:
            return False
        self.nudge.clear()
        return self.abort.is_set()

    async def _enter(self, phase: Phase) -> None:
        previous, self.memory.phase = self.memory.phase, phase
        await self._say(
            m.PhaseChanged(**self._head(self.flight_id), phase=phase, previous=previous, reason="")
        )

    async def _boot(self) -> None:
        if self.script.boot_s:
            await self._preflight(ready=False)
            await self.hub.clock.sleep(self.script.boot_s)
        self.booted = True
        await self._preflight(ready=self.script.ready)

    async def _preflight(self, *, ready: bool) -> None:
        verdict = PreflightVerdict("gps", PreflightLevel.BLOCK, "gps_no_fix", "no fix", "未定位")
        await self._publish(
            m.PreflightChecked(
                event_id=self.hub.ids.new("evt"),
                drone_id=self.drone_id,
                at=self.hub.clock.now(),
                ready=ready,
                verdicts=() if ready else (verdict,),
                charge_fraction=0.98,
                wind_from_deg=None,
                wind_speed_m_s=None,
            )
        )

    async def _telemetry(self) -> None:
        number = 0
        while not self.script.silent_from_start:
            number += 1
            sample = m.TelemetrySample(
                drone_id=self.drone_id,
                flight_id=self.flight_id,
                at=self.hub.clock.now(),
                phase=self.phase,
                position=Wgs84Point(22.56, 113.88),
                altitude_amsl_m=10.0,
                height_above_home_m=0.0,
                velocity_east_m_s=0.0,
                velocity_north_m_s=0.0,
                velocity_up_m_s=0.0,
                heading_deg=0.0,
                charge_fraction=0.98,
                battery_voltage_v=50.0,
                battery_current_a=1.0,
                mode="GUIDED",
                armed=False,
                mission_seq=0,
                line_length_m=0.0,
                wind_from_deg=None,
                wind_speed_m_s=None,
                link_age_s=0.1,
                eta_s=42.0,
            )
            await self.hub.bus.publish(
                telemetry_subject(self.drone_id), f"{self.drone_id}-{number}", m.encode(sample)
            )
            await self.hub.clock.sleep(2.0)

    def _head(self, flight_id: str | None) -> dict[str, Any]:
        return {
            "event_id": self.hub.ids.new("evt"),
            "drone_id": self.drone_id,
            "flight_id": flight_id,
            "at": self.hub.clock.now(),
        }

    async def _say(self, event: m.Event) -> None:
        """Journal first, then publish."""
        self.memory.said.append(event)
        await self._publish(event)

    async def _publish(self, event: m.Event) -> None:
        await self.hub.bus.publish(events_subject(self.drone_id), event.event_id, m.encode(event))
