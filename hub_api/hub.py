"""What a running hub is made of, and which of its parts may be given from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from core.clock import Clock
from core.ids import IdSource
from flight.bus import Bus
from geofences.airspace import Airspace
from hub_api.access.gate import Gate
from hub_api.agent_room import AgentTask
from hub_api.care.book import CareBook
from hub_api.care.desk import CareDesk
from hub_api.dispatch.airborne_planning import AirbornePlanning
from hub_api.dispatch.airspace_book import AirspaceBook
from hub_api.dispatch.airspace_desk import AirspaceDesk
from hub_api.dispatch.approvals import ApprovalDesk
from hub_api.dispatch.commander import Commander
from hub_api.dispatch.diversions import DiversionDesk
from hub_api.dispatch.feed import EventFeed
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.flight_desk import FlightDesk
from hub_api.dispatch.incident_room import IncidentRoom
from hub_api.dispatch.incidents import IncidentService
from hub_api.dispatch.moves import MoveDesk
from hub_api.dispatch.planning import Planning
from hub_api.dispatch.service import OrderService
from hub_api.dispatch.severity_codes import SeverityCodes
from hub_api.dispatch.webhooks import Webhooks
from hub_api.identification.ports import IdentificationPort
from hub_api.identification.reporter import IdentificationReporter
from hub_api.messages.ports import SmsPort, VideoPort
from hub_api.messages.recorder import Recorder
from hub_api.messages.service import Messages
from hub_api.metrics import Metrics
from hub_api.personal_data import PersonalData
from hub_api.planner_process.decider import ProcessDecider
from hub_api.settings import Settings
from hub_api.site_data.book import SiteBook
from hub_api.site_data.desk import SiteDesk
from hub_api.site_data.photos import PhotoDesk
from hub_api.site_data.places import Places
from hub_api.store.database import Database
from hub_api.vault import Vault
from hub_api.weather.desk import WeatherDesk
from planner.airframe import Airframe
from planner.site import Drone, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Parts that a test or another deployment puts in the place of the ordinary ones.

    ``callback_transport`` and ``gateway_transport`` take the place of the network behind the rule for destinations.
    """

    clock: Clock | None = None
    machine_now: Callable[[], datetime] | None = None
    """What the machine's own time of day is, which the hub reads once, at its start."""
    bus: Bus | None = None
    ids: IdSource | None = None
    site: Site | None = None
    airspace: Airspace | None = None
    airframes: Mapping[str, Airframe] | None = None
    """In the place of the shipped ones."""
    planning: Planning | None = None
    airborne: AirbornePlanning | None = None
    callback_transport: httpx.AsyncBaseTransport | None = None
    gateway_transport: httpx.AsyncBaseTransport | None = None
    sms: SmsPort | None = None
    video: VideoPort | None = None
    identification: IdentificationPort | None = None
    agents: Callable[[Hub], list[AgentTask]] | None = None
    """The flight agents to run in this process, one for each drone of the site, in its order."""
    agent_of: Callable[[Hub, Drone], AgentTask] | None = None
    """The flight agent of a drone that comes to the site later; needed where ``agents`` is given."""


@dataclass(slots=True, kw_only=True)
class Hub:
    """A running hub: what routes and commands work with."""

    settings: Settings
    clock: Clock
    ids: IdSource
    bus: Bus
    site_book: SiteBook
    site_desk: SiteDesk
    photos: PhotoDesk
    places: Places
    airspace_book: AirspaceBook
    airspace_desk: AirspaceDesk
    database: Database
    feed: EventFeed
    fleet: Fleet
    care_book: CareBook
    care_desk: CareDesk
    orders: OrderService
    flights: FlightDesk
    approvals: ApprovalDesk
    incidents: IncidentService
    incident_room: IncidentRoom
    severity_codes: SeverityCodes
    moves: MoveDesk
    commander: Commander
    diversions: DiversionDesk
    gate: Gate
    vault: Vault
    personal: PersonalData
    webhooks: Webhooks
    wake_callbacks: Callable[[], None]
    weather: WeatherDesk
    messages: Messages
    """Short messages and video rooms: owe them in a transaction, then ``wake_messages``."""
    wake_messages: Callable[[], None]
    identification: IdentificationReporter | None
    """Tells the authority where drones fly; None where the settings switch it off."""
    recorder: Recorder
    """What drills and the demo sent to nobody."""
    metrics: Metrics
    planner: ProcessDecider | None
    """The planner's process; None where decisions are made in this one."""
    started_at: datetime
    machine_now: Callable[[], datetime]
    failure: asyncio.Future[None]
    """Done with an exception as soon as a task that must not end has ended."""
    stopping: bool = False

    def stop_taking_work(self) -> None:
        """The hub goes: not ready any more, and every stream ends at its own pace."""
        self.stopping = True
        self.feed.close()

    @property
    def machine_clock_off_s(self) -> float | None:
        """How far the machine's time of day is ahead of the hub's own count, which began with it at the start and
        goes on steadily: durations stay right when somebody sets the time. None in an accelerated demonstration."""
        if self.settings.speedup != 1.0:
            return None
        return (self.machine_now() - self.clock.now()).total_seconds()

    @property
    def planner_away(self) -> bool:
        """Whether decisions are made here though they have a process of their own."""
        return self.planner is not None and self.planner.away

    @property
    def site(self) -> Site:
        """The site in force."""
        return self.site_book.site

    @property
    def airspace(self) -> Airspace:
        """The airspace in force."""
        return self.airspace_book.current
