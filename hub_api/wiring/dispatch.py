"""Who decides and follows orders and incidents: the decisions, the services and the desks around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub_api.crew import Crew
from hub_api.dispatch.approvals import ApprovalDesk
from hub_api.dispatch.asking import Asking
from hub_api.dispatch.commander import Commander
from hub_api.dispatch.consumer import HeardAnswers
from hub_api.dispatch.decision_writer import DecisionWriter
from hub_api.dispatch.decisions import DecisionMaker
from hub_api.dispatch.diversions import DiversionDesk
from hub_api.dispatch.flight_desk import FlightDesk
from hub_api.dispatch.guidance import Guidance
from hub_api.dispatch.incident_ledger import IncidentLedger
from hub_api.dispatch.incident_room import IncidentRoom
from hub_api.dispatch.incident_watch import IncidentWatch
from hub_api.dispatch.incidents import IncidentService
from hub_api.dispatch.left_behind import LeftBehind
from hub_api.dispatch.looking import Limits
from hub_api.dispatch.merging import Merger
from hub_api.dispatch.move_driver import MoveDriver
from hub_api.dispatch.moves import MoveDesk
from hub_api.dispatch.nearest import NearestStation
from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.outlook import Outlook
from hub_api.dispatch.pre_emption import PreEmption, PreEmptionPolicy
from hub_api.dispatch.pre_emption_desk import PreEmptionDesk
from hub_api.dispatch.proposals import ApprovalPolicy, Proposals
from hub_api.dispatch.relay import OutboxRelay
from hub_api.dispatch.service import OrderService
from hub_api.dispatch.severity import SeverityFollower
from hub_api.dispatch.severity_codes import SeverityCodes
from hub_api.dispatch.sky import Victim
from hub_api.dispatch.waiting import WaitingOrders, WaitingPolicy
from hub_api.dispatch.ways import Ways
from hub_api.settings import Settings
from hub_api.store.units import Owed
from hub_api.wiring.ground import Ground
from hub_api.wiring.outside import Outside
from hub_api.wiring.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """The parts that work on orders."""

    decisions: DecisionMaker
    orders: OrderService
    flights: FlightDesk
    approvals: ApprovalDesk
    answers: HeardAnswers
    relay: OutboxRelay
    pre_emptions: PreEmptionDesk
    waiting_orders: WaitingOrders
    left_behind: LeftBehind
    moves: MoveDesk
    move_driver: MoveDriver
    commander: Commander
    diversions: DiversionDesk
    incidents: IncidentService
    incident_room: IncidentRoom
    severity_codes: SeverityCodes
    incident_watch: IncidentWatch


def make_dispatch(ground: Ground, world: World, outside: Outside, crew: Crew) -> Dispatch:
    """Make them. None of them acts before the crew runs them."""
    settings, database, clock, ids = ground.settings, ground.database, ground.clock, ground.ids
    ledger, fleet, site_book = ground.ledger, world.fleet, ground.site_book
    policy = _approval_policy(settings)
    decisions = _decisions(ground, world, policy, displaced=lambda victim: pre_emption_desk.displaced(victim))
    ground.stack.push_async_callback(decisions.close)
    incident_ledger = IncidentLedger(
        clock, ids, ground.personal, callback_objection=ground.callback_hosts.objection
    )
    merger = Merger(ledger, radius_m=settings.merge_radius_m, window_s=settings.merge_window_s)
    # Merged orders first: with them their incidents close.
    ledger.followers += [merger.follow, incident_ledger.follow_order]
    nearest_station = NearestStation()
    waiting_orders: WaitingOrders

    def on_decided(state: str, took_s: float) -> None:
        ground.metrics.decisions.labels(state).observe(took_s)
        if state == OrderState.WAITING:
            waiting_orders.wake()

    orders = OrderService(
        database=database,
        ledger=ledger,
        ids=ids,
        clock=clock,
        decisions=decisions,
        personal=ground.personal,
        modes=settings.modes,
        wait_ready=fleet.wait_ready,
        nearest_station=lambda patient: nearest_station.of(site_book.site, patient),
        incidents=incident_ledger,
        merger=merger,
        spawn=crew.spawn,
        idempotency_keep_s=settings.idempotency_keep_s,
        on_decided=on_decided,
        callback_objection=ground.callback_hosts.objection,
    )
    flights = FlightDesk(
        database=database,
        ledger=ledger,
        follow_up=orders.follow_up,
        forget_plan=decisions.forget_plan,
    )
    waiting_orders = WaitingOrders(
        database=database,
        ledger=ledger,
        fleet=fleet,
        clock=clock,
        airspace_version=lambda: ground.airspace_book.current.version,
        decide_later=orders.decide_later,
    )
    approvals = ApprovalDesk(
        database=database,
        ledger=ledger,
        clock=clock,
        fleet=fleet,
        policy=policy,
        book=ground.airspace_book,
        decide=orders.decide,
    )
    answers = HeardAnswers()
    relay = OutboxRelay(
        database,
        ground.bus,
        clock,
        repeat_s=settings.command_repeat_s,
        answer_s=settings.command_answer_s,
        on_unanswered=flights.command_unanswered,
        hold=lambda command: (
            command.kind == "fly_mission" and fleet.holds_command(command.drone_id, settings.fleet_settle_s)
        ),
        answered=lambda command: command.message_id in answers,
    )
    ground.wakers[Owed.COMMAND] = relay.wake
    ground.wakers[Owed.APPROVAL] = approvals.wake
    pre_emption_desk = PreEmptionDesk(
        database=database,
        ledger=ledger,
        clock=clock,
        fleet=fleet,
        decide_later=orders.decide_later,
        spawn=crew.spawn,
    )
    ways = Ways(database=database, fleet=fleet, planning=world.airborne, new_book=world.new_traffic_book)
    move_driver = MoveDriver(
        database=database,
        ledger=ledger,
        ids=ids,
        clock=clock,
        fleet=fleet,
        ways=ways,
        planning=world.airborne,
        spawn=crew.spawn,
    )
    moves = MoveDesk(
        database=database,
        ledger=ledger,
        ids=ids,
        clock=clock,
        planning=world.airborne,
        driver=move_driver,
        decide_later=orders.decide_later,
        keep_s=settings.idempotency_keep_s,
    )
    commander = Commander(database=database, ledger=ledger, ids=ids, clock=clock, feed=ground.feed)
    diversions = DiversionDesk(
        database=database,
        ledger=ledger,
        ids=ids,
        clock=clock,
        fleet=fleet,
        ways=ways,
        planning=world.airborne,
        commander=commander,
        site=lambda: site_book.site,
        spawn=crew.spawn,
    )
    incidents = IncidentService(
        database=database,
        ledger=incident_ledger,
        personal=ground.personal,
        guidance=_guidance(settings, outside, incident_ledger),
        severity=SeverityFollower(ledger),
        decide_later=orders.decide_later,
        keep_s=settings.idempotency_keep_s,
    )
    return Dispatch(
        decisions=decisions,
        orders=orders,
        flights=flights,
        approvals=approvals,
        answers=answers,
        relay=relay,
        pre_emptions=pre_emption_desk,
        waiting_orders=waiting_orders,
        left_behind=LeftBehind(
            database=database,
            clock=clock,
            hears=lambda: bool(fleet.samples()),
            deciding=orders.decides,
            decide_later=orders.decide_later,
            resume=(move_driver.resume, diversions.resume, pre_emption_desk.resume),
        ),
        moves=moves,
        move_driver=move_driver,
        commander=commander,
        diversions=diversions,
        incidents=incidents,
        incident_room=IncidentRoom(
            database=database,
            ledger=incident_ledger,
            service=incidents,
            personal=ground.personal,
            ids=ids,
        ),
        severity_codes=SeverityCodes(database, clock),
        incident_watch=IncidentWatch(database, incident_ledger, clock, still_s=settings.incident_still_s),
    )


def _approval_policy(settings: Settings) -> ApprovalPolicy:
    return ApprovalPolicy(
        alarm_s=settings.approval_alarm_s,
        chain=settings.approval_chain,
        unanswered=settings.unanswered_policy,
        longest_s=settings.order_max_age_s,
    )


def _decisions(
    ground: Ground, world: World, policy: ApprovalPolicy, *, displaced: Callable[[Victim], None]
) -> DecisionMaker:
    settings, ledger, ids = ground.settings, ground.ledger, ground.ids
    pre_emption = PreEmption(
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
        displaced=displaced,
    )
    asking = Asking(
        database=ground.database,
        ledger=ledger,
        fleet=world.fleet,
        decider=world.decider,
        ids=ids,
        limits=Limits(age_s=settings.order_max_age_s, attempts=settings.max_attempts),
        pre_emption=pre_emption,
        outlook=Outlook(
            model=settings.survival_model,
            cpr_after_s=settings.survival_cpr_after_s,
            no_benefit_margin_s=settings.no_benefit_margin_s,
        ),
        book=ground.airspace_book,
    )
    return DecisionMaker(
        database=ground.database,
        fleet=world.fleet,
        asking=asking,
        fleet_settle_s=settings.fleet_settle_s,
        writer=DecisionWriter(
            ledger,
            ids,
            Proposals(ledger, policy),
            WaitingPolicy(settings.drone_wait_s, settings.order_max_age_s),
        ),
        pre_emption=pre_emption,
        catch_up=world.airspace_desk.catch_up,
    )


def _guidance(settings: Settings, outside: Outside, incident_ledger: IncidentLedger) -> Guidance:
    guidance = Guidance(
        outside.messages,
        incident_ledger,
        severities=settings.video_guidance_severities,
        wake=outside.message_sender.wake,
    )
    outside.messages.on_outcome = guidance.take_outcome
    return guidance
