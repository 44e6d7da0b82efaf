"""The composition root: which parts make up a hub, and the tasks that keep it alive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import httpx

from core.clock import Clock
from core.errors import ErrorCode, InternalError
from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import IdSource
from flight.bus import Bus, InProcessBus, commands_subject
from flight.links.mavlink.hub import LinkHub
from flight.messages import ReportState, encode
from flight.model.phases import FLIGHT_PHASES
from geofences.airspace import Airspace
from hub_api import rooms
from hub_api.access.accounts import Accounts
from hub_api.access.gate import Gate, Limits
from hub_api.access.passwords import Passwords
from hub_api.access.rate_limit import RateLimit
from hub_api.access.tokens import TokenSigner
from hub_api.agent_room import AgentRoom
from hub_api.agent_room import AgentTask as AgentTask
from hub_api.care.book import CareBook
from hub_api.care.desk import CareDesk
from hub_api.crew import Crew
from hub_api.dispatch.airborne_planning import AirbornePlanning
from hub_api.dispatch.airspace_book import AirspaceBook
from hub_api.dispatch.airspace_desk import AirspaceDesk
from hub_api.dispatch.approvals import ApprovalDesk
from hub_api.dispatch.callbacks import CallbackSender
from hub_api.dispatch.commander import Commander
from hub_api.dispatch.consumer import consume_events, consume_telemetry
from hub_api.dispatch.decision_writer import DecisionWriter
from hub_api.dispatch.decisions import DecisionMaker
from hub_api.dispatch.diversions import DiversionDesk
from hub_api.dispatch.feed import EventFeed
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.flights import FlightFollower
from hub_api.dispatch.guidance import Guidance
from hub_api.dispatch.incident_ledger import IncidentLedger
from hub_api.dispatch.incident_room import IncidentRoom
from hub_api.dispatch.incident_watch import IncidentWatch
from hub_api.dispatch.incidents import IncidentService
from hub_api.dispatch.ledger import Ledger
from hub_api.dispatch.merging import Merger
from hub_api.dispatch.moves import MoveDesk
from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.outlook import Outlook
from hub_api.dispatch.planning import Planning
from hub_api.dispatch.pre_emption import PreEmption, PreEmptionPolicy
from hub_api.dispatch.pre_emption_desk import PreEmptionDesk
from hub_api.dispatch.proposals import ApprovalPolicy, Proposals
from hub_api.dispatch.relay import OutboxRelay
from hub_api.dispatch.service import OrderService
from hub_api.dispatch.severity import SeverityFollower
from hub_api.dispatch.traffic import TrafficBook
from hub_api.dispatch.waiting import WaitingOrders, WaitingPolicy
from hub_api.dispatch.ways import Ways
from hub_api.dispatch.webhooks import Webhooks
from hub_api.housekeeping import keep_house
from hub_api.identification.ports import IdentificationPort
from hub_api.identification.reporter import IdentificationReporter
from hub_api.identification.start import identification_reporter
from hub_api.keyring import keyring
from hub_api.messages.carriers import carriers
from hub_api.messages.ports import SmsPort, VideoPort
from hub_api.messages.recorder import Recorder
from hub_api.messages.sender import MessageSender
from hub_api.messages.service import Messages
from hub_api.metrics import Metrics
from hub_api.outgoing.destinations import Destinations, GuardedTransport
from hub_api.personal_data import PersonalData
from hub_api.security import ensure_demo_key
from hub_api.settings import Settings
from hub_api.site_data.book import SiteBook, SiteInForce
from hub_api.site_data.desk import SiteDesk
from hub_api.site_data.desk import load as load_site_edits
from hub_api.site_data.photos import PhotoDesk
from hub_api.site_data.places import Places
from hub_api.store.database import Database, Owed, make_engine, upgrade
from hub_api.store.records import EventRecord
from hub_api.vault import Vault
from hub_api.weather.book import WeatherBook
from hub_api.weather.desk import WeatherDesk
from planner.airframe import shipped_airframes, use_airframes
from planner.site import Drone, Site, load_site

log = logging.getLogger(__name__)

FAILURES_PER_S = 1.0
FAILURES_AT_ONCE = 50
"""Chosen: wrong credentials from one address; a proxy in front of a centre shares one among its people."""


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
    approvals: ApprovalDesk
    incidents: IncidentService
    incident_room: IncidentRoom
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
    def site(self) -> Site:
        """The site in force."""
        return self.site_book.site

    @property
    def airspace(self) -> Airspace:
        """The airspace in force."""
        return self.airspace_book.current


@asynccontextmanager
async def open_hub(settings: Settings, parts: Parts | None = None) -> AsyncIterator[Hub]:
    """Start a hub: database, fleet, order service, agents and all tasks. Stops them at the end."""
    given = parts or Parts()
    # A missing secret is a reason not to start, before anything is opened.
    vault = Vault(keyring(settings.personal_keys, field="personal_keys", demo=settings.demo))
    token_keys = keyring(settings.token_keys, field="token_keys", demo=settings.demo)
    callback_hosts = Destinations.parse(
        settings.callback_hosts, field="callback_hosts", anywhere=settings.demo
    )
    settings.prepare_data_dir()
    clock = given.clock or rooms.open_clock(settings)
    ids = given.ids or IdSource(clock)
    site_book = SiteBook(given.site or load_site(settings.site_file), shipped_airframes())
    airspace_book = AirspaceBook(given.airspace or rooms.load_airspace(settings))
    bus = given.bus or InProcessBus(clock)
    async with AsyncExitStack() as stack:
        feed, metrics = EventFeed(), Metrics()
        wakers: dict[Owed, Callable[[], None]] = {}

        def committed(events: list[EventRecord]) -> None:
            feed.publish(events)
            metrics.count_events(events)

        def owed(what: frozenset[Owed]) -> None:
            for each in what & wakers.keys():
                wakers[each]()

        engine = make_engine(settings.effective_database_url)
        await asyncio.get_running_loop().run_in_executor(None, upgrade, engine)
        database = Database(engine, on_committed=committed, on_owed=owed)
        stack.callback(database.close)
        await ensure_demo_key(database, ids, clock, demo=settings.demo)
        personal = PersonalData(vault)
        if sealed := await personal.seal_earlier_orders(database):
            log.warning("personal data of %d orders of an earlier release is sealed now", sealed)
        gate = _gate(
            settings,
            database,
            ids,
            clock,
            TokenSigner(token_keys, clock, lifetime_s=settings.token_lifetime_s),
            stack,
        )

        await load_site_edits(database, site_book)
        use_airframes(site_book.airframes)
        stack.callback(use_airframes, None)
        care_book = CareBook(
            clock, aed_report_required=settings.aed_report_required, dock_silent_s=settings.dock_silent_s
        )
        ledger = Ledger(clock, ids)
        care_desk = CareDesk(
            database=database,
            ids=ids,
            clock=clock,
            book=care_book,
            bus=bus,
            site=lambda: site_book.site,
            recall=ledger.recall_from_pad,
        )
        await care_desk.load()
        weather_book = WeatherBook(
            lambda: site_book.site,
            clock,
            reading_stale_s=settings.weather_stale_s,
            report_stale_s=settings.weather_report_stale_s,
        )
        fleet = Fleet(
            site_book.site,
            clock,
            telemetry_stale_s=settings.telemetry_stale_s,
            weather_stale_s=settings.weather_stale_s,
            care=lambda drone: care_book.refusals(drone, site_book.site),
            weather=weather_book,
        )
        weather = WeatherDesk(
            database=database,
            book=weather_book,
            fleet=fleet,
            site=lambda: site_book.site,
            bus=bus,
            ids=ids,
            clock=clock,
            keep_s=settings.weather_keep_s,
        )
        await weather.load()
        planning = given.planning or rooms.default_planning(
            lambda: site_book.site,
            lambda: airspace_book.current,
            ids,
            clock,
            settings.effective_weather_required,
        )
        airspace_desk = AirspaceDesk(
            database=database,
            ledger=ledger,
            ids=ids,
            clock=clock,
            book=airspace_book,
            planning=planning,
        )
        await airspace_desk.load()
        await asyncio.get_running_loop().run_in_executor(None, planning.warm_up)
        airborne = given.airborne or rooms.default_airborne_planning(
            lambda: site_book.site, lambda: airspace_book.current, ids
        )
        approval_policy = ApprovalPolicy(
            alarm_s=settings.approval_alarm_s,
            chain=settings.approval_chain,
            unanswered=settings.unanswered_policy,
            longest_s=settings.order_max_age_s,
        )
        new_traffic_book = partial(
            TrafficBook,
            airspace_book.base.frame.origin,
            geoid_undulation_m=settings.geoid_undulation_m,
            telemetry_stale_s=settings.telemetry_stale_s,
        )
        decisions = DecisionMaker(
            database=database,
            ledger=ledger,
            fleet=fleet,
            planning=planning,
            new_book=new_traffic_book,
            ids=ids,
            fleet_settle_s=settings.fleet_settle_s,
            order_max_age_s=settings.order_max_age_s,
            max_attempts=settings.max_attempts,
            writer=DecisionWriter(
                ledger,
                ids,
                Proposals(ledger, approval_policy),
                WaitingPolicy(settings.drone_wait_s, settings.order_max_age_s),
            ),
            pre_emption=PreEmption(
                ledger=ledger,
                ids=ids,
                policy=PreEmptionPolicy(
                    may_take_from={
                        str(taker): frozenset(str(each) for each in others)
                        for taker, others in settings.pre_emption.items()
                    },
                    gain_s=settings.pre_emption_gain_s,
                    limit=settings.pre_emption_limit,
                    wait_s=settings.pre_emption_wait_s,
                ),
                displaced=lambda victim: pre_emption_desk.displaced(victim),
            ),
            outlook=Outlook(
                model=settings.survival_model,
                cpr_after_s=settings.survival_cpr_after_s,
                no_benefit_margin_s=settings.no_benefit_margin_s,
            ),
            book=airspace_book,
            catch_up=airspace_desk.catch_up,
        )
        stack.push_async_callback(decisions.close)
        incident_ledger = IncidentLedger(
            clock,
            ids,
            personal,
            callback_objection=callback_hosts.objection,
        )
        merger = Merger(ledger, radius_m=settings.merge_radius_m, window_s=settings.merge_window_s)
        # Merged orders first: with them their incidents close.
        ledger.followers += [merger.follow, incident_ledger.follow_order]
        agent_room: AgentRoom

        async def site_applied(before: SiteInForce, after: SiteInForce) -> tuple[str, ...]:
            use_airframes(after.airframes)
            fleet.take_site(after.site)
            notes = await agent_room.follow(before.site, after.site)
            await asyncio.get_running_loop().run_in_executor(None, planning.prepare, airspace_book.current)
            return notes

        site_desk = SiteDesk(
            database=database,
            ids=ids,
            clock=clock,
            book=site_book,
            between_decisions=decisions.between_decisions,
            applied=site_applied,
            flying=lambda drone_id: fleet.phases().get(drone_id) in FLIGHT_PHASES,
        )
        crew = Crew()
        stack.push_async_callback(crew.stop)
        waiting_orders: WaitingOrders

        def on_decided(state: str, took_s: float) -> None:
            metrics.decisions.labels(state).observe(took_s)
            if state == OrderState.WAITING:
                waiting_orders.wake()

        service = OrderService(
            database=database,
            ledger=ledger,
            ids=ids,
            clock=clock,
            decisions=decisions,
            follower=FlightFollower(ledger),
            personal=personal,
            modes=settings.modes,
            wait_ready=fleet.wait_ready,
            nearest_station=lambda patient: _nearest_station(site_book.site, patient),
            incidents=incident_ledger,
            merger=merger,
            spawn=crew.spawn,
            idempotency_keep_s=settings.idempotency_keep_s,
            on_decided=on_decided,
            callback_objection=callback_hosts.objection,
        )
        approval_desk = ApprovalDesk(
            database=database,
            ledger=ledger,
            clock=clock,
            fleet=fleet,
            policy=approval_policy,
            book=airspace_book,
            decide=service.decide,
        )
        relay = OutboxRelay(
            database,
            bus,
            clock,
            repeat_s=settings.command_repeat_s,
            answer_s=settings.command_answer_s,
            on_unanswered=service.command_unanswered,
            hold=lambda command: (
                command.kind == "fly_mission"
                and fleet.holds_command(command.drone_id, settings.fleet_settle_s)
            ),
        )
        incident_watch = IncidentWatch(database, incident_ledger, clock, still_s=settings.incident_still_s)
        pre_emption_desk = PreEmptionDesk(
            database=database,
            ledger=ledger,
            clock=clock,
            fleet=fleet,
            decide_later=service.decide_later,
            spawn=crew.spawn,
        )
        ways = Ways(database=database, fleet=fleet, planning=airborne, new_book=new_traffic_book)
        waiting_orders = WaitingOrders(
            database=database, fleet=fleet, clock=clock, decide_later=service.decide_later
        )
        move_desk = MoveDesk(
            database=database,
            ledger=ledger,
            ids=ids,
            clock=clock,
            fleet=fleet,
            ways=ways,
            planning=airborne,
            decide_later=service.decide_later,
            spawn=crew.spawn,
            keep_s=settings.idempotency_keep_s,
        )
        commander = Commander(
            database=database,
            ledger=ledger,
            ids=ids,
            clock=clock,
            feed=feed,
        )
        diversion_desk = DiversionDesk(
            database=database,
            ledger=ledger,
            ids=ids,
            clock=clock,
            fleet=fleet,
            ways=ways,
            planning=airborne,
            commander=commander,
            site=lambda: site_book.site,
            spawn=crew.spawn,
        )
        webhooks = Webhooks(database, vault, ids, clock)
        sender = CallbackSender(
            database,
            clock,
            timeout_s=settings.callback_timeout_s,
            attempts=settings.callback_attempts,
            webhooks=webhooks,
            transport=given.callback_transport or GuardedTransport(callback_hosts),
        )
        wakers |= {
            Owed.COMMAND: relay.wake,
            Owed.CALLBACK: sender.wake,
            Owed.APPROVAL: approval_desk.wake,
            Owed.KEYS: gate.forget_keys,
        }
        sms, video = carriers(
            settings, clock, stack, sms=given.sms, video=given.video, transport=given.gateway_transport
        )
        messages = Messages(vault=vault, ids=ids, clock=clock, usable_s=settings.message_usable_s)
        identification = identification_reporter(
            settings,
            database=database,
            clock=clock,
            ids=ids,
            fleet=fleet,
            metrics=metrics,
            stack=stack,
            port=given.identification,
            transport=given.gateway_transport,
        )
        guidance = Guidance(
            messages,
            incident_ledger,
            severities=settings.video_guidance_severities,
            wake=lambda: message_sender.wake(),
        )
        messages.on_outcome = guidance.take_outcome
        incident_service = IncidentService(
            database=database,
            ledger=incident_ledger,
            personal=personal,
            guidance=guidance,
            severity=SeverityFollower(ledger),
            decide_later=service.decide_later,
            keep_s=settings.idempotency_keep_s,
        )
        recorder = Recorder()
        message_sender = MessageSender(
            database,
            clock,
            messages=messages,
            sms=sms or (recorder if settings.demo else None),
            video=video or (recorder if settings.demo else None),
            recorder=recorder,
            attempts=settings.message_attempts,
            on_attempt=metrics.count_message,
        )
        hub = Hub(
            settings=settings,
            clock=clock,
            ids=ids,
            bus=bus,
            site_book=site_book,
            site_desk=site_desk,
            photos=PhotoDesk(database=database, ids=ids, clock=clock, site=lambda: site_book.site),
            places=Places(database, lambda: site_book.site, settings.effective_places_file),
            airspace_book=airspace_book,
            airspace_desk=airspace_desk,
            database=database,
            feed=feed,
            fleet=fleet,
            care_book=care_book,
            care_desk=care_desk,
            orders=service,
            approvals=approval_desk,
            incidents=incident_service,
            incident_room=IncidentRoom(
                database=database,
                ledger=incident_ledger,
                service=incident_service,
                personal=personal,
                ids=ids,
            ),
            moves=move_desk,
            commander=commander,
            diversions=diversion_desk,
            gate=gate,
            vault=vault,
            personal=personal,
            webhooks=webhooks,
            wake_callbacks=sender.wake,
            weather=weather,
            messages=messages,
            wake_messages=message_sender.wake,
            identification=identification,
            recorder=recorder,
            metrics=metrics,
            started_at=clock.now(),
            machine_now=given.machine_now or (_machine_now if given.clock is None else clock.now),
            failure=crew.failure,
        )
        # The consumers subscribe before any agent or command can speak.
        crew.keep(consume_events(bus, clock, fleet, service.take_event), "events")
        crew.keep(consume_telemetry(bus, fleet), "telemetry")
        await asyncio.sleep(0)
        if given.agents is None:
            links = rooms.open_links(settings, clock)
            crew.keep(links.run(), "links")
            agents = _default_agents(hub, links, hub.site)
        else:
            links = None
            agents = given.agents(hub)
        agent_room = AgentRoom(
            make=lambda drone: _one_agent(hub, given, links, drone),
            keep=crew.keep,
            release=lambda drone: None if links is None else links.release(drone.link, drone.system_id),
        )
        for drone, agent in zip(hub.site.drones, agents, strict=True):
            agent_room.begin(drone, agent)
        await service.resume()
        await move_desk.resume()
        await diversion_desk.resume()
        await pre_emption_desk.resume()
        crew.keep(relay.run(), "relay")
        crew.keep(sender.run(), "callbacks")
        crew.keep(message_sender.run(), "messages")
        if identification is not None:
            crew.keep(identification.collect(), "identification")
            crew.keep(identification.send(), "identification-sender")
        crew.keep(approval_desk.run(), "approvals")
        crew.keep(waiting_orders.run(), "waiting-orders")
        crew.keep(care_desk.follow(feed), "care")
        crew.keep(incident_watch.run(), "incident-watch")
        crew.keep(keep_house(hub), "housekeeping")
        await _ask_for_state(hub)
        yield hub


def _gate(
    settings: Settings,
    database: Database,
    ids: IdSource,
    clock: Clock,
    signer: TokenSigner,
    stack: AsyncExitStack,
) -> Gate:
    passwords = Passwords()
    stack.callback(passwords.close)
    return Gate(
        database=database,
        clock=clock,
        signer=signer,
        accounts=Accounts(
            database=database,
            ids=ids,
            clock=clock,
            signer=signer,
            passwords=passwords,
            session_s=settings.session_s,
            demo=settings.demo,
        ),
        limits=Limits(
            requests=_limit(clock, settings.request_rate_s),
            orders=_limit(clock, settings.order_rate_s),
            failures=RateLimit(clock, rate_per_s=FAILURES_PER_S, burst=FAILURES_AT_ONCE),
        ),
        demo=settings.demo,
    )


def _limit(clock: Clock, rate_per_s: float) -> RateLimit:
    """At most two seconds' worth at once, so that a burst after a silence is no fault."""
    return RateLimit(clock, rate_per_s=rate_per_s, burst=max(1, round(2.0 * rate_per_s)))


def _default_agents(hub: Hub, links: LinkHub, site: Site) -> list[AgentTask]:
    return rooms.default_agents(
        site,
        hub.bus,
        hub.clock,
        hub.ids,
        journal_dir=hub.settings.journal_dir,
        records_dir=hub.settings.records_dir,
        airspace=lambda: hub.airspace,
        links=links,
        site_in_force=lambda: hub.site,
    )


def _nearest_station(site: Site, patient: Wgs84Point) -> str | None:
    found = min(site.stations, key=lambda each: geodesic_distance_m(each.position, patient), default=None)
    return None if found is None else found.station_id


def _one_agent(hub: Hub, given: Parts, links: LinkHub | None, drone: Drone) -> AgentTask:
    """The agent of a drone that comes to the site while the hub runs."""
    if links is not None:
        (agent,) = _default_agents(hub, links, replace(hub.site, drones=(drone,)))
        return agent
    if given.agent_of is None:
        raise InternalError(
            ErrorCode.BROKEN_INVARIANT, "whoever gives the agents gives those of later drones"
        )
    return given.agent_of(hub, drone)


async def _ask_for_state(hub: Hub) -> None:
    """Every drone tells what it does, so that the hub starts from the truth and not from its memory."""
    for drone in hub.site.drones:
        command = ReportState(
            command_id=hub.ids.new("cmd"), drone_id=drone.drone_id, issued_at=hub.clock.now()
        )
        await hub.bus.publish(commands_subject(drone.drone_id), command.command_id, encode(command))


def _machine_now() -> datetime:
    return datetime.now(UTC)
