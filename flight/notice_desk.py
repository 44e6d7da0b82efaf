"""What an agent does with facts about the world: closed zones, a moved patient, an occupied place, weather."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flight.closed_zones import ClosedZones
from flight.messages import (
    AuthorisationRevoked,
    LandingPointCleared,
    LandingPointOccupied,
    Notice,
    PatientMoved,
    Reason,
    WeatherJudged,
    ZoneActivated,
    ZoneCleared,
)
from flight.model.faults import Fault
from flight.model.phases import LINE_OUT_PHASES, AedState, Phase

if TYPE_CHECKING:
    from flight.agent import FlightAgent

_TOO_LATE = frozenset(
    LINE_OUT_PHASES
    | {
        Phase.INBOUND,
        Phase.RETURNING,
        Phase.DIVERTING,
        Phase.AUTOPILOT_RETURN,
        Phase.LANDING,
        Phase.LANDING_HERE,
    }
)
"""Phases in which another address cannot be served by this flight any more."""


class NoticeDesk:
    """Takes the notices of one agent. Runs inside its owner task."""

    def __init__(self, agent: FlightAgent) -> None:
        self._agent = agent

    def refusal(self, notice: Notice) -> Reason | None:
        """Why a notice changes nothing here; None: it is taken."""
        agent = self._agent
        if isinstance(notice, PatientMoved | LandingPointOccupied | LandingPointCleared | WeatherJudged):
            if agent.flight_id != notice.flight_id or agent.flight is None:
                return Reason("no_such_flight", "the drone does not fly this flight", "无人机未执行该飞行")
            if isinstance(notice, LandingPointOccupied | LandingPointCleared) and (
                notice.landing_point_id != agent.flight.plan.landing_point_id
            ):
                return Reason("other_landing_point", "the flight goes elsewhere", "本次飞行前往其他投放点")
        if isinstance(notice, PatientMoved) and (
            agent.state.phase in _TOO_LATE or agent.state.aed is not AedState.ON_BOARD
        ):
            return Reason(
                "too_late",
                f"the flight is {agent.state.phase.value}: it cannot serve another address any more",
                "本次飞行已无法更改投放地址",
            )
        return None

    async def take(self, notice: Notice) -> None:
        """Act on a notice that was accepted and journalled."""
        agent = self._agent
        agent.memory.told(notice)
        match notice:
            case ZoneActivated() | ZoneCleared():
                self.tell_zones()
            case AuthorisationRevoked():
                self.tell_zones()
                flight = agent.flight
                if flight is not None and notice.authorisation_id in flight.plan.authorisation_ids:
                    await agent.faults.latch(
                        Fault.AUTHORISATION_REVOKED, f"authorisation {notice.authorisation_id}"
                    )
            case PatientMoved():
                await agent.faults.latch(Fault.PATIENT_MOVED, notice.reason)
            case LandingPointOccupied():
                await agent.faults.latch(Fault.LANDING_POINT_OCCUPIED, f"reported by {notice.reported_by}")
            case LandingPointCleared():
                await agent.faults.clear(Fault.LANDING_POINT_OCCUPIED)
            case WeatherJudged(against=()):
                await agent.faults.clear(Fault.WEATHER_UNFIT)
            case WeatherJudged():
                await agent.faults.latch(
                    Fault.WEATHER_UNFIT, "; ".join(reason.detail for reason in notice.against)
                )
        agent.readiness.remember(agent.memory)

    # --- zones --------------------------------------------------------------------------------

    def tell_zones(self) -> None:
        """Have the flight under way watch for the zones that are closed now."""
        agent, flight = self._agent, self._agent.flight
        if flight is None:
            return
        terrain = None if agent.airspace is None else agent.airspace().terrain
        flight.director.faults.zones = ClosedZones(
            agent.memory.closed_zones, flight.plan.home.position, terrain
        )
