"""What everything in a hub stands on: secrets, clock, ids, bus, database, feed, and the gate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from core.clock import Clock
from core.ids import IdSource
from flight.bus import Bus, InProcessBus
from hub_api import rooms
from hub_api.access.accounts import Accounts
from hub_api.access.gate import Gate, Limits
from hub_api.access.passwords import Passwords
from hub_api.access.rate_limit import RateLimit
from hub_api.access.tokens import TokenSigner
from hub_api.dispatch.airspace_book import AirspaceBook
from hub_api.dispatch.feed import EventFeed
from hub_api.dispatch.ledger import Ledger
from hub_api.hub import Parts
from hub_api.kept_count import COUNT_FILE, CountsOn
from hub_api.keyring import keyring
from hub_api.metrics import Metrics
from hub_api.outgoing.destinations import Destinations
from hub_api.personal_data import PersonalData
from hub_api.security import ensure_demo_key
from hub_api.settings import Settings
from hub_api.site_data.book import SiteBook
from hub_api.store.database import Database, make_engine
from hub_api.store.records import EventRecord
from hub_api.store.repositories import missions, orders
from hub_api.store.schema import opening, refuse_other_schema, upgrade
from hub_api.store.seat import seat_of
from hub_api.store.units import Owed
from hub_api.vault import Vault
from planner.airframe import shipped_airframes
from planner.site import load_site

log = logging.getLogger(__name__)

FAILURES_PER_S = 1.0
FAILURES_AT_ONCE = 50
"""Chosen: wrong credentials from one machine; a proxy in front of a centre shares one among its people."""
NEARBY_FAILURES_PER_S = 5.0
NEARBY_FAILURES_AT_ONCE = 200
"""Chosen: from a whole neighbourhood. Four machines in it that guess without end keep no fifth from logging in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The parts that every other part may ask for."""

    settings: Settings
    given: Parts
    stack: AsyncExitStack
    """Closes what was opened, the last first."""
    clock: Clock
    ids: IdSource
    bus: Bus
    vault: Vault
    callback_hosts: Destinations
    site_book: SiteBook
    airspace_book: AirspaceBook
    feed: EventFeed
    metrics: Metrics
    database: Database
    wakers: dict[Owed, Callable[[], None]]
    """Who carries out what a commit owes; each part adds its own."""
    personal: PersonalData
    ledger: Ledger
    gate: Gate


async def open_ground(settings: Settings, given: Parts, stack: AsyncExitStack) -> Ground:
    """Open them. A missing secret is a reason not to start, before anything is opened."""
    vault = Vault(keyring(settings.personal_keys, field="personal_keys", demo=settings.demo))
    token_keys = keyring(settings.token_keys, field="token_keys", demo=settings.demo)
    callback_hosts = Destinations.parse(
        settings.callback_hosts, field="callback_hosts", anywhere=settings.demo
    )
    settings.prepare_data_dir()
    site_book = SiteBook(given.site or load_site(settings.site_file), given.airframes or shipped_airframes())
    airspace_book = AirspaceBook(given.airspace or rooms.load_airspace(settings))
    feed, metrics = EventFeed(), Metrics()
    wakers: dict[Owed, Callable[[], None]] = {}

    def committed(events: list[EventRecord]) -> None:
        feed.publish(events)
        metrics.count_events(events)

    def owed(what: frozenset[Owed]) -> None:
        for each in what & wakers.keys():
            wakers[each]()

    engine = make_engine(settings.effective_database_url)
    seat = seat_of(engine) if settings.flies else None
    database = Database(engine, on_committed=committed, on_owed=owed, seat=seat)
    stack.callback(database.close)
    # Before the schema is touched: a hub that is refused leaves everything as it was.
    with opening(engine):
        await database.take_seat()
    bring = upgrade if settings.flies else refuse_other_schema
    await asyncio.get_running_loop().run_in_executor(None, bring, engine)
    clock = await _clock(settings, given, database)
    ids = given.ids or IdSource(clock)
    await ensure_demo_key(database, ids, clock, demo=settings.demo)
    personal = PersonalData(vault)
    if sealed := await personal.seal_earlier_orders(database):
        log.warning("personal data of %d orders of an earlier release is sealed now", sealed)
    signer = TokenSigner(token_keys, clock, lifetime_s=settings.token_lifetime_s)
    gate = _gate(settings, database, ids, clock, signer, stack)
    wakers[Owed.KEYS] = gate.forget_keys
    return Ground(
        settings=settings,
        given=given,
        stack=stack,
        clock=clock,
        ids=ids,
        bus=given.bus or InProcessBus(clock),
        vault=vault,
        callback_hosts=callback_hosts,
        site_book=site_book,
        airspace_book=airspace_book,
        feed=feed,
        metrics=metrics,
        database=database,
        wakers=wakers,
        personal=personal,
        ledger=Ledger(clock, ids),
        gate=gate,
    )


async def _clock(settings: Settings, given: Parts, database: Database) -> Clock:
    """The hub's count: see :mod:`hub_api.kept_count`."""
    busy = await database.read(
        lambda session: orders.count_open(session) > 0 or bool(missions.in_progress(session))
    )
    if given.clock is None:
        return rooms.open_clock(settings, busy=busy)
    if isinstance(given.clock, CountsOn):
        given.clock.go_on(settings.data_dir / COUNT_FILE, busy=busy)
    return given.clock


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
            failures_nearby=RateLimit(clock, rate_per_s=NEARBY_FAILURES_PER_S, burst=NEARBY_FAILURES_AT_ONCE),
        ),
        demo=settings.demo,
    )


def _limit(clock: Clock, rate_per_s: float) -> RateLimit:
    """At most two seconds' worth at once, so that a burst after a silence is no fault."""
    return RateLimit(clock, rate_per_s=rate_per_s, burst=max(1, round(2.0 * rate_per_s)))
