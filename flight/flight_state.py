"""Everything an agent holds about the flight that is under way, and how its story is told."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime

from core.clock import Clock
from core.geodesy import Wgs84Point
from core.ids import IdSource
from flight.alternates import alternate_mission
from flight.autopilots.base import Autopilot, ModeClass
from flight.delivery import Result
from flight.director import Director
from flight.links.mavlink.connection import VehicleConnection
from flight.messages import (
    AedOnGround,
    AedReleased,
    DeliveryFailed,
    Event,
    Evidence,
    FlightEnded,
    FlyMission,
    Reason,
    RerouteFlight,
    TelemetrySample,
    VehicleTruth,
)
from flight.model.faults import LINK_LOST_AFTER_S, Fault
from flight.model.phases import FLIGHT_PHASES, LINE_OUT_PHASES, Effect, Phase, Step, Trigger
from flight.model.tracker import FaultTracker
from flight.model.view import VehicleView
from flight.procedures import Procedures
from flight.record import FlightRecord
from planner.compile.mavlink import compile_mission
from planner.compile.mission_types import CompiledMission
from planner.flight_plan import FlightPlan

MOTORS_ON_PHASES = FLIGHT_PHASES - {Phase.PREPARING, Phase.WAITING}
ENDURANCE_MARGIN = 1.1
"""A battery that lasts longer than computed; after this the vehicle is down, wherever it is (chosen)."""

_FALLS = frozenset({Fault.CRASHED, Fault.MOTOR_TROUBLE})
"""Whoever ends with one of these may burn."""

_FAILURE_ZH = {
    Trigger.LOWERING_FAILED: "放绳失败",
    Trigger.RELEASE_UNCONFIRMED: "释放未确认",
    Trigger.LOAD_LOST: "载荷脱落",
    Trigger.ABORT: "任务取消",
    Trigger.RETURN: "指令返航",
    Trigger.DIVERT: "指令备降",
    Trigger.LAND_NOW: "指令就地降落",
    Trigger.WAY_HOME_STARTED: "悬停时间用尽，自动返航",
    Trigger.NOT_GIVEN_BACK: "人工接管未交还",
    Trigger.HELD_TOO_LONG: "悬停过久，改派其他无人机",
    Trigger.AUTOPILOT_RETURNS: "飞控自主返航",
    Trigger.AUTOPILOT_LANDS: "飞控自主降落",
    Trigger.SAFETY_RETURN: "安全策略：返航",
    Trigger.SAFETY_DIVERT: "安全策略：备降",
    Trigger.SAFETY_LAND: "安全策略：降落",
    Trigger.SAFETY_TERMINATE: "安全策略：停桨",
    Trigger.MISSION_RESTORED: "新航线未能写入，恢复原航线返航",
    Trigger.REROUTE_FAILED: "航线更换失败，备降",
    Trigger.REROUTED_HOME: "改航返回",
}


@dataclass(slots=True, kw_only=True)
class FlightUnderWay:
    """One flight of one vehicle, as its agent holds it.

    ``motors_since``: since when the plan's energy is used: the start of the motors, or of this plan in the air.
    ``plan`` is what is flown now; ``command.plan`` what the flight began with. ``reroute``: the plan that is
    being written to the vehicle, or waits for it. ``zones``: those closed since, by id.
    """

    command: FlyMission
    plan: FlightPlan
    director: Director
    procedures: Procedures
    record: FlightRecord | None
    faults: FaultTracker = field(default_factory=FaultTracker)
    faults_watched_s: float = -math.inf
    reroute: RerouteFlight | None = None
    standing_since_s: float | None = None
    asked_planner: bool = False
    hovering_since: datetime | None = None
    motors_since: datetime | None = None

    @classmethod
    def begin(
        cls,
        command: FlyMission,
        link: VehicleConnection,
        autopilot: Autopilot,
        clock: Clock,
        record: FlightRecord | None,
    ) -> FlightUnderWay:
        """Set the first plan up."""
        mission = compile_mission(command.plan, autopilot=autopilot.name)
        director, procedures = _set_up(command.plan, mission, link, autopilot, clock)
        return cls(
            command=command, plan=command.plan, director=director, procedures=procedures, record=record
        )

    def follow(self, plan: FlightPlan, link: VehicleConnection, autopilot: Autopilot, clock: Clock) -> None:
        """From now on another plan is flown; the vehicle holds its mission already."""
        mission = self.mission_of(plan, autopilot)
        said = self.director.approach_announced
        zones = self.director.faults.zones
        self.plan = plan
        self.director, self.procedures = _set_up(plan, mission, link, autopilot, clock)
        self.director.faults.zones = zones
        if said:
            self.director.announced_approach()
        self.reroute = None
        self.standing_since_s = None
        self.asked_planner = False
        self.hovering_since = None
        if self.motors_since is not None:
            # Its energy is what was left when it was made, so its endurance counts from here.
            self.motors_since = clock.now()

    def mission_of(self, plan: FlightPlan, autopilot: Autopilot) -> CompiledMission:
        """The mission by which ``plan`` is flown: the one on board for an alternate, else one of its own."""
        on_board = alternate_mission(self.plan, self.director.mission, plan)
        if on_board is not None:
            return on_board
        if plan == self.plan:
            return self.director.mission
        return compile_mission(plan, autopilot=autopilot.name)

    @property
    def flight_id(self) -> str:
        return self.command.flight_id

    def entered(self, phase: Phase, now: datetime, now_s: float) -> None:
        """Remember the moments that later decisions need."""
        if phase is not Phase.STANDING_OFF:
            self.standing_since_s = None
            self.asked_planner = False
        elif self.standing_since_s is None:
            self.standing_since_s = now_s
        if phase is Phase.HOVERING and self.hovering_since is None:
            self.hovering_since = now
        if phase is Phase.OUTBOUND:
            # Back on the way (after a hold): the loiter will start anew.
            self.hovering_since = None
        if phase in MOTORS_ON_PHASES and self.motors_since is None:
            self.motors_since = now

    def eta_s(self, view: VehicleView, phase: Phase, now: datetime) -> float | None:
        """As :meth:`PlannedWay.eta_s`, the wait on the pad included."""
        wait_s = max(0.0, (self.command.departs_at - now).total_seconds())
        if phase is Phase.WAITING:
            return wait_s + self.plan.timing.time_to_aed_on_ground_s
        eta_s = self.director.way.eta_s(view, phase)
        return eta_s if eta_s is None or phase is not Phase.PREPARING else eta_s + wait_s

    def hovering_for_s(self, now: datetime) -> float:
        """How much of the hover budget is used."""
        return 0.0 if self.hovering_since is None else (now - self.hovering_since).total_seconds()

    def endurance_exceeded(self, view: VehicleView, now: datetime, now_s: float) -> bool:
        """Not heard, and the motors on for longer than any charge of this plan lasts."""
        if view.heard_within(LINK_LOST_AFTER_S, now_s) or self.motors_since is None:
            return False
        flying_s = (now - self.motors_since).total_seconds()
        return flying_s > ENDURANCE_MARGIN * self.director.way.endurance_s()

    def expect_mode_of(self, phase: Phase, view: VehicleView, now_s: float) -> None:
        """After a restart: the mode that this phase should show."""
        expected = {
            Phase.HOLDING: ModeClass.HOLD,
            Phase.STANDING_OFF: ModeClass.HOLD,
            Phase.DIVERTING: ModeClass.RETURN,
            Phase.AUTOPILOT_RETURN: ModeClass.RETURN,
            Phase.TOUCHING_DOWN: ModeClass.LAND,
            Phase.LANDING_HERE: ModeClass.LAND,
        }.get(phase, ModeClass.MISSION)
        if phase is Phase.LANDING and view.custom_mode is not None:
            self.director.expect_mode(frozenset(ModeClass) - {ModeClass.PILOT, ModeClass.HOLD}, now_s)
        else:
            self.director.expect_mode(frozenset({expected}), now_s, reached=True)

    def _may_be_approached(self, step: Step) -> bool:
        """Said once; and nobody is called to a drone that fell beside its AED."""
        fell = Effect.END in step.effects and not _FALLS.isdisjoint(self.faults.present)
        return not self.director.approach_announced and not fell

    def announcements(
        self,
        ids: IdSource,
        drone_id: str,
        now: datetime,
        view: VehicleView,
        step: Step,
        trigger: Trigger,
        detail: str,
        result: Result | None,
    ) -> list[Event]:
        """The events that a step's announcing effects stand for, in their order."""
        plan = self.plan
        evidence = tuple(
            Evidence(seen.source, seen.observed, now) for seen in (result.observations if result else ())
        )
        events: list[Event] = []
        for effect in step.effects:
            match effect:
                case Effect.ANNOUNCE_RELEASE:
                    events.append(
                        AedReleased(
                            event_id=ids.new("evt"),
                            drone_id=drone_id,
                            flight_id=self.flight_id,
                            at=now,
                            position=view.position or plan.delivery.position,
                            evidence=evidence,
                        )
                    )
                case Effect.ANNOUNCE_SAFE_TO_APPROACH if self._may_be_approached(step):
                    self.director.announced_approach()
                    events.append(
                        AedOnGround(
                            event_id=ids.new("evt"),
                            drone_id=drone_id,
                            flight_id=self.flight_id,
                            at=now,
                            position=plan.delivery.position,
                            line_height_agl_m=round(max(0.0, self.director.hook_height_m(view) or 0.0), 2),
                            evidence=evidence or _line_evidence(view, now),
                        )
                    )
                case Effect.ANNOUNCE_FAILURE:
                    events.append(
                        DeliveryFailed(
                            event_id=ids.new("evt"),
                            drone_id=drone_id,
                            flight_id=self.flight_id,
                            at=now,
                            reason=Reason(trigger.value, detail, _FAILURE_ZH.get(trigger, "投送未完成")),
                            aed=step.state.aed,
                        )
                    )
                case Effect.END:
                    assert step.state.safe_state is not None
                    events.append(
                        FlightEnded(
                            event_id=ids.new("evt"),
                            drone_id=drone_id,
                            flight_id=self.flight_id,
                            at=now,
                            safe_state=step.state.safe_state,
                            reason=detail,
                            aed=step.state.aed,
                            position=view.position,
                            charge_fraction=view.charge_fraction,
                        )
                    )
        return events


def _set_up(
    plan: FlightPlan, mission: CompiledMission, link: VehicleConnection, autopilot: Autopilot, clock: Clock
) -> tuple[Director, Procedures]:
    """The plan's reader and its procedures."""
    director = Director(
        plan,
        mission,
        mode_class=autopilot.mode_class,
        estimator_ready=autopilot.estimator_ready,
    )
    return director, Procedures(link, autopilot, director, clock)


def _line_evidence(view: VehicleView, now: datetime) -> tuple[Evidence, ...]:
    if view.line_length_m is None:
        return ()
    return (Evidence("WINCH_STATUS", f"line_length {view.line_length_m:.2f} m", now),)


def view_truth(
    view: VehicleView, autopilot: Autopilot, now: datetime, mission_matches_plan: bool | None
) -> VehicleTruth:
    """What the vehicle itself shows, for people and for the hub."""
    position: Wgs84Point | None = view.position
    return VehicleTruth(
        at=now,
        armed=view.armed,
        mode=None if view.custom_mode is None else autopilot.mode_name(view.custom_mode),
        on_ground=view.on_ground,
        position=position,
        altitude_amsl_m=view.altitude_amsl_m,
        mission_seq=view.mission_seq,
        mission_matches_plan=mission_matches_plan,
        line_length_m=view.line_length_m,
        charge_fraction=view.charge_fraction,
    )


def reason_of(trigger: Trigger, view: VehicleView, autopilot: Autopilot, phase: Phase) -> str:
    """Why a watched trigger came, in the vehicle's own terms."""
    mode = "unknown" if view.custom_mode is None else autopilot.mode_name(view.custom_mode)
    last = view.texts[-1].text if view.texts else ""
    match trigger:
        case Trigger.CONTROL_TAKEN | Trigger.AUTOPILOT_RETURNS | Trigger.AUTOPILOT_LANDS:
            said = f"; the vehicle said: {last}" if last else ""
            return f"mode {mode}, not commanded by us{said}"
        case Trigger.CONTROL_GIVEN_BACK:
            return f"mode {mode} again"
        case Trigger.WAY_HOME_STARTED if phase in LINE_OUT_PHASES or phase is Phase.HOVERING:
            return f"the hover ended by itself; mission item {view.mission_seq}"
        case Trigger.DISARMED_ON_PAD | Trigger.DISARMED_AT_RALLY | Trigger.DISARMED_ELSEWHERE:
            return f"{trigger.value.replace('_', ' ')}, mode {mode}"
    return f"{trigger.value.replace('_', ' ')}"


def telemetry_sample(
    view: VehicleView,
    autopilot: Autopilot,
    flight: FlightUnderWay | None,
    *,
    drone_id: str,
    phase: Phase,
    shows_phase: bool,
    now: datetime,
    now_s: float,
) -> TelemetrySample:
    """One moment for the hub and the record."""
    return TelemetrySample(
        drone_id=drone_id,
        flight_id=None if flight is None else flight.flight_id,
        at=now,
        phase=phase,
        position=view.position,
        altitude_amsl_m=view.altitude_amsl_m,
        height_above_home_m=view.height_above_home_m,
        velocity_east_m_s=view.velocity_east_m_s,
        velocity_north_m_s=view.velocity_north_m_s,
        velocity_up_m_s=view.velocity_up_m_s,
        heading_deg=view.heading_deg,
        charge_fraction=view.charge_fraction,
        battery_voltage_v=view.battery_voltage_v,
        battery_current_a=view.battery_current_a,
        mode=None if view.custom_mode is None else autopilot.mode_name(view.custom_mode),
        armed=view.armed,
        mission_seq=view.mission_seq,
        line_length_m=view.line_length_m,
        wind_from_deg=view.measured_wind[0],
        wind_speed_m_s=view.measured_wind[1],
        link_age_s=view.silent_for_s(now_s),
        eta_s=None if flight is None else flight.eta_s(view, phase, now),
        shows_phase=None if flight is None else shows_phase,
    )
