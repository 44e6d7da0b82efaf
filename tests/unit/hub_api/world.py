"""A hub with everything around it played: drones that follow a script, and a planner that takes the first.

Time is virtual. The drones speak on the bus exactly what an agent speaks.
"""

from __future__ import annotations

import asyncio
import base64
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from core.clock import LoopClock
from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import IdSource
from core.virtual_time import run_virtual
from flight import messages as m
from flight.bus import InProcessBus, commands_subject, events_subject, telemetry_subject
from flight.model.phases import AedState, Phase, SafeState
from flight.model.preflight import PreflightLevel, PreflightVerdict
from geofences.airspace import Airspace
from geofences.model import CircleArea, Restriction, Volume, Zone
from hub_api.agent_room import AgentTask
from hub_api.dispatch.airborne_planning import Whereabouts
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Answer, CandidateAnswer, Question
from hub_api.dispatch.refuges import Place
from hub_api.dispatch.service import NewOrder
from hub_api.features.orders.placing import canonical_sha256
from hub_api.features.orders.requests import OrderRequest
from hub_api.features.orders.views import event_view
from hub_api.hub import Hub, Parts
from hub_api.identification.ports import IdentificationPort
from hub_api.main import create_app
from hub_api.messages.ports import SmsPort, VideoPort
from hub_api.settings import DEMO_API_KEY, Settings
from hub_api.store.database import make_engine, upgrade
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import events, orders
from planner.choice import Traffic
from planner.flight_plan import (
    AutopilotFence,
    DeliveryMethod,
    EnergyBudget,
    FlightPlan,
    Kinematics,
    Leg,
    LegKind,
    RouteObjective,
    RoutePoint,
    Timing,
)
from planner.reasons import Reason
from planner.site import Drone, Site, load_site
from planner.wind import Wind
from tests import postgres

EPOCH = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SITE_FILE = Path(__file__).parents[3] / "examples" / "sites" / "baoan.json"
PATIENT = {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}
TEST_KEYS = {
    "personal_keys": "p1:" + base64.b64encode(b"personal data key of the tests..").decode(),
    "token_keys": "t1:" + base64.b64encode(b"token signing key of the tests..").decode(),
    "identification_keys": "i1:" + base64.b64encode(b"identification key of the tests.").decode(),
}
BODY: dict[str, Any] = {"position": PATIENT, "severity": "I"}


@cache
def a_site() -> Site:
    return load_site(SITE_FILE)


@cache
def an_airspace() -> Airspace:
    circle = CircleArea(Wgs84Point(22.58, 113.90), 300.0)
    zone = Zone(zone_id="Z1", restriction=Restriction.PROHIBITED, volumes=(Volume(circle),), name="heliport")
    return Airspace((zone,), version="test-1")


def a_plan(drone: DroneView, site: Site, landing_point_id: str, now: datetime, plan_id: str) -> FlightPlan:
    """Straight there and back; legal as a value, not as a flight."""
    pad = site.station(drone.drone.station_id)
    point = site.landing_point(landing_point_id)
    home = RoutePoint(pad.position, pad.ground_amsl_m)
    above_home = RoutePoint(pad.position, pad.ground_amsl_m + 80.0)
    above_point = RoutePoint(point.position, pad.ground_amsl_m + 80.0)
    delivery = RoutePoint(point.position, point.ground_amsl_m + 15.0)

    def leg(kind: LegKind, start: RoutePoint, end: RoutePoint) -> Leg:
        return Leg(
            kind=kind,
            start=start,
            end=end,
            length_m=100.0,
            ground_speed_m_s=0.0,
            duration_s=10.0,
            energy_wh=5.0,
        )

    def way(first: RoutePoint, up: RoutePoint, over: RoutePoint, last: RoutePoint) -> tuple[Leg, ...]:
        return (
            leg(LegKind.CLIMB, first, up),
            leg(LegKind.CRUISE, up, over),
            leg(LegKind.DESCENT, over, last),
        )

    return FlightPlan(
        plan_id=plan_id,
        drone_id=drone.drone.drone_id,
        station_id=pad.station_id,
        landing_point_id=landing_point_id,
        airframe_id=drone.drone.airframe_id,
        home=home,
        delivery=delivery,
        delivery_ground_amsl_m=point.ground_amsl_m,
        delivery_method=DeliveryMethod.WINCH,
        hover_budget_s=60.0,
        outbound=way(home, above_home, above_point, delivery),
        inbound=way(delivery, above_point, above_home, home),
        rally_points=(),
        autopilot_fence=AutopilotFence(
            inclusion=(
                Wgs84Point(22.5, 113.8),
                Wgs84Point(22.5, 114.0),
                Wgs84Point(22.7, 114.0),
            ),
            exclusions=(),
            ceiling_amsl_m=150.0,
        ),
        wind=Wind(from_deg=0.0, speed_m_s=0.0, measured_at=now),
        route_objective=RouteObjective.SHORTEST,
        kinematics=Kinematics(
            acceptance_radius_m=5.0,
            ground_speed_max_m_s=20.0,
            climb_rate_m_s=6.0,
            descent_rate_m_s=4.5,
            landing_rate_m_s=0.6,
            landing_slow_below_m=8.0,
            acceleration_m_s2=4.0,
            vertical_acceleration_m_s2=2.5,
        ),
        corridor_half_width_m=30.0,
        timing=Timing(
            preparation_s=4.0,
            climb_s=10.0,
            outbound_s=60.0,
            descent_s=10.0,
            lower_s=10.0,
            time_to_aed_on_ground_s=94.0,
            carry_s=60.0,
            time_to_patient_s=154.0,
            hover_s=60.0,
            inbound_climb_s=10.0,
            inbound_s=60.0,
            landing_s=10.0,
            total_s=244.0,
        ),
        energy=EnergyBudget(
            outbound_wh=15.0,
            hover_wh=10.0,
            inbound_wh=15.0,
            total_wh=40.0,
            uncertainty_wh=5.0,
            reserve_wh=5.0,
            usable_wh=100.0,
        ),
        airspace_version="test-1",
        terrain="flat",
        authorisation_ids=(),
        conditions=(),
        created_at=now,
        valid_until=now + timedelta(seconds=120),
    )


class FirstReady:
    """A planner without geography: the first ready drone, the first landing point."""

    def __init__(self, site: Site, ids: IdSource) -> None:
        self._site_now: Callable[[], Site] = lambda: site
        self._ids = ids
        self.questions: list[Question] = []

    def follow(self, site: Callable[[], Site]) -> None:
        """Plan on the site in force from now on."""
        self._site_now = site

    @property
    def _site(self) -> Site:
        return self._site_now()

    def warm_up(self) -> None:
        self.questions.clear()

    def prepare(self, airspace: Airspace) -> None:
        """Nothing to index."""

    def forbidden(self, airspace: Airspace, plans: Mapping[str, FlightPlan]) -> dict[str, Reason]:
        """Plans here are values, not flights."""
        return {}

    def decide(self, question: Question, drones: Sequence[DroneView], traffic: Traffic | None) -> Answer:
        self.questions.append(question)
        point = self._site.landing_points[0].landing_point_id
        plan: FlightPlan | None = None
        candidates = []
        for drone in drones:
            reasons = drone.not_ready
            verdict = "refused" if reasons else "possible"
            if plan is None and drone.ready:
                plan = a_plan(drone, self._site, point, question.at, self._ids.new("plan"))
                verdict = "chosen"
            candidates.append(
                CandidateAnswer(
                    station_id=drone.drone.station_id,
                    drone_id=drone.drone.drone_id,
                    landing_point_id=point,
                    verdict=verdict,
                    reasons=reasons,
                    time_to_patient_s=None if reasons else 154.0,
                    least_time_to_patient_s=None if reasons else 94.0,
                )
            )
        none = Reason("no_candidate", "No drone can fly now.", "目前没有可用无人机。")
        return Answer(
            plan=plan,
            candidates=tuple(candidates),
            reasons=() if plan else (none,),
            airspace_version="test-1",
        )


ON_THE_PAD = (Phase.PREPARING, Phase.ARMING, Phase.ARMED)


class NearestWay:
    """Ways in the air without geography: straight to the landing point next to the patient, or none."""

    def __init__(self, site: Site, ids: IdSource) -> None:
        self._site, self._ids = site, ids
        self.none: Reason | None = None
        self.reach_m = 1500.0
        self.diverted: list[Place] = []
        self.diversions_found = 100
        """After so many questions there is no way any more."""

    def _nearest(self, where: Whereabouts) -> list[tuple[float, str]]:
        found = [
            (geodesic_distance_m(point.position, where.patient), point.landing_point_id)
            for point in self._site.landing_points
        ]
        return sorted(each for each in found if each[0] <= self.reach_m)

    def serves(self, landing_point_id: str, where: Whereabouts) -> bool:
        return landing_point_id in {name for _, name in self._nearest(where)}

    def nearest(self, where: Whereabouts) -> str | None:
        found = self._nearest(where)
        return found[0][1] if found else None

    def reroute(
        self, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        nearest = self.nearest(where)
        if self.none is not None or nearest is None:
            return (self.none or Reason("no_landing_point_near", "none near", "附近没有"),)
        return a_plan(view, self._site, nearest, where.at, self._ids.new("plan"))

    def divert(
        self, to: Place, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        self.diverted.append(to)
        if self.none is not None or len(self.diverted) > self.diversions_found:
            return (self.none or Reason("no_route", "no way", "没有航路"),)
        point = to.place_id if to.landing_point is not None else plan.landing_point_id
        made = a_plan(view, self._site, point, where.at, self._ids.new("plan"))
        if to.landing_point is not None:
            return made
        here, end = RoutePoint(to.position, 95.0), RoutePoint(to.position, to.ground_amsl_m)
        up, over, down = made.inbound
        home = (
            replace(up, start=here, end=here),
            replace(over, start=here, end=here),
            replace(down, start=here, end=end),
        )
        return replace(made, start=here, outbound=(), inbound=home, lands_at=end)


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
            await self._accept(command)
            self.flown.append(command.flight_id)
            self.memory.mission = command
            self.memory.delivered = False
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

    async def _fly(self, mission: m.FlyMission, resumed: bool = False) -> None:
        way = [Phase.PREPARING, Phase.ARMING, Phase.ARMED, Phase.CLIMBING, Phase.OUTBOUND]
        if not self.script.turns_back:
            way += [Phase.HOVERING, Phase.LOWERING, Phase.RELEASING]
        done = way.index(self.phase) + 1 if resumed and self.phase in way else 0
        if not self.memory.delivered and self.phase not in (Phase.RETURNING, Phase.LANDING):
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


@dataclass
class World:
    """A running hub, a client that speaks to it over HTTP, and its drones."""

    hub: Hub
    client: httpx.AsyncClient
    drones: dict[str, PlayedDrone]
    planner: FirstReady
    ways: NearestWay
    callbacks: list[httpx.Request]

    async def order(self, key: str = "k1", **changes: Any) -> httpx.Response:
        return await self.client.post(
            "/v1/orders", json={**BODY, **changes}, headers={"Idempotency-Key": key}
        )

    async def state(self, order_id: str) -> str:
        state: str = (await self.client.get(f"/v1/orders/{order_id}")).json()["state"]
        return state

    def memories(self) -> dict[str, Memory]:
        """What the drones would still know after everything here is gone."""
        return {drone_id: deepcopy(drone.memory) for drone_id, drone in self.drones.items()}

    async def receive_only(self, key: str) -> OrderRecord:
        """Store an order and go no further, as a process killed before its decision."""
        request = OrderRequest.model_validate(BODY).model_dump(mode="json")
        new = NewOrder(
            client="demo",
            key=key,
            body_sha256=canonical_sha256(request),
            request=request,
            patient=Wgs84Point(PATIENT["latitude_deg"], PATIENT["longitude_deg"]),
            severity="I",
        )
        order = await self.hub.database.write(lambda s: self.hub.orders._receive(s, new))
        assert order is not None
        return order

    async def until(self, order_id: str, *states: str, at_most_s: float = 600.0) -> dict[str, Any]:
        """Wait until the order is in one of the states."""
        listener = self.hub.feed.listen(lambda event: event.order_id == order_id)
        try:
            async with self.hub.clock.timeout(at_most_s):
                while True:
                    record = await self.hub.database.read(lambda s: orders.get(s, order_id))
                    if record.state in states:
                        found: dict[str, Any] = (await self.client.get(f"/v1/orders/{order_id}")).json()
                        return found
                    await listener.next()
        finally:
            self.hub.feed.leave(listener)

    async def events(self, order_id: str, after: int = 0) -> list[dict[str, Any]]:
        """The stored events of an order, without following it."""
        found = await self.hub.database.read(lambda s: events.of_order(s, order_id, after=after))
        return [event_view(event).model_dump(mode="json") for event in found]


def scripts_for(site: Site, scripts: dict[str, Script] | None) -> dict[str, Script]:
    given = scripts or {}
    return {drone.drone_id: given.get(drone.drone_id, Script()) for drone in site.drones}


@cache
def migrated() -> bytes:
    """An empty database at the newest schema, made once by the real migrations."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.db"
        engine = make_engine(f"sqlite:///{path}")
        upgrade(engine)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return path.read_bytes()


database_kind: ContextVar[str] = ContextVar("database_kind", default="sqlite")
"""What worlds are stored in; the fixture ``each_database`` sets it."""
_POSTGRESQL: dict[Path, str] = {}


def database_url_of(data_dir: Path) -> str:
    """The database of a data directory, made at its first use; the same after a restart."""
    if database_kind.get() == "postgresql":
        if data_dir not in _POSTGRESQL:
            _POSTGRESQL[data_dir] = postgres.migrated_database()
        return _POSTGRESQL[data_dir]
    path = data_dir / "hub.db"
    if not path.exists():
        path.write_bytes(migrated())
    return f"sqlite:///{path}"


def drop_databases() -> None:
    """Remove what worlds left on the PostgreSQL server."""
    while _POSTGRESQL:
        postgres.drop_database(_POSTGRESQL.popitem()[1])


@asynccontextmanager
async def world(
    data_dir: Path,
    *,
    scripts: dict[str, Script] | None = None,
    answer_callback: Callable[[httpx.Request], httpx.Response] | None = None,
    epoch: datetime = EPOCH,
    seed: int = 1,
    memories: dict[str, Memory] | None = None,
    sms: SmsPort | None = None,
    video: VideoPort | None = None,
    gateway_transport: httpx.AsyncBaseTransport | None = None,
    identification_port: IdentificationPort | None = None,
    site: Site | None = None,
    **settings: Any,
) -> AsyncIterator[World]:
    """A hub on ``data_dir``, in the running loop's time."""
    clock = LoopClock(epoch=epoch)
    ids = IdSource(clock, seed=seed)
    site = site or a_site()
    url = database_url_of(data_dir)
    planner = FirstReady(site, ids)
    ways = NearestWay(site, ids)
    drones: dict[str, PlayedDrone] = {}
    callbacks: list[httpx.Request] = []

    def agents(hub: Hub) -> list[AgentTask]:
        planner.follow(lambda: hub.site)
        for drone_id, script in scripts_for(hub.site, scripts).items():
            memory = (memories or {}).get(drone_id, Memory())
            drones[drone_id] = PlayedDrone(drone_id, hub, script, memory)
        return [drone.run() for drone in drones.values()]

    def agent_of(hub: Hub, drone: Drone) -> AgentTask:
        drones[drone.drone_id] = PlayedDrone(
            drone.drone_id, hub, (scripts or {}).get(drone.drone_id, Script())
        )
        return drones[drone.drone_id].run()

    def take_callback(request: httpx.Request) -> httpx.Response:
        callbacks.append(request)
        return answer_callback(request) if answer_callback else httpx.Response(204)

    chosen = Settings(
        _env_file=None,
        **(
            {
                "data_dir": data_dir,
                "database_url": url,
                "demo": True,
                "site_file": SITE_FILE,
                # Every order of these tests is for a patient of its own, at one place.
                "merge_radius_m": 0.0,
            }
            | TEST_KEYS
            | settings
        ),
    )
    app = create_app(
        chosen,
        Parts(
            clock=clock,
            bus=InProcessBus(clock),
            ids=ids,
            site=site,
            airspace=an_airspace(),
            planning=planner,
            airborne=ways,
            callback_transport=httpx.MockTransport(take_callback),
            sms=sms,
            video=video,
            gateway_transport=gateway_transport,
            identification=identification_port,
            agents=agents,
            agent_of=agent_of,
        ),
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://hub", headers={"X-API-Key": DEMO_API_KEY}
        ) as client:
            yield World(app.state.hub, client, drones, planner, ways, callbacks)


def play(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a test's coroutine in virtual time."""
    return run_virtual(main)
