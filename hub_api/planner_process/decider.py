"""Decisions by the planner's process; by this one while that one is away."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from core.clock import Clock
from core.errors import ErrorCode, InternalError
from core.geodesy import Wgs84Point
from geofences.airspace import Airspace
from hub_api.dispatch.deciding import ThreadDecider, Ticket, Unanswered, names_of
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.open_flights import with_plans
from hub_api.dispatch.planning import Answer, Question
from hub_api.dispatch.traffic import OpenFlight
from hub_api.planner_process.knowledge import Knowledge, steady_news_of
from hub_api.planner_process.messages import DroneNews, Rehearse, Setting, Told, packed
from hub_api.planner_process.process import PlannerProcess, ProcessGone
from planner.airframe import Airframe
from planner.flight_plan import FlightPlan
from planner.site import Site
from planner.weather import Quantity

log = logging.getLogger(__name__)

START_S = 20.0
"""Chosen: how long the hub's start waits for the process; after that this process decides until it is there."""

ASK_AGAIN_S = 10.0
"""Chosen: how long a question that ended the process waits for the next one, twice what one takes to load a city. All
orders behind it wait as long."""

REHEARSE_S = 2.0
"""Chosen: stations tell their wind every few seconds or minutes."""

RENEW_S = 600.0
"""Chosen: as time goes by other zones stand."""

InForce = tuple[Site, Airspace, Mapping[str, Airframe]]


class ProcessDecider:
    """What :class:`hub_api.dispatch.deciding.Decider` asks for, with the computation elsewhere.

    A question that finds no process, or whose process somebody ended, is answered here: slower, logged and counted. One
    that the process died of must not take the hub with it: the next process is asked once more, and if that does not
    answer either, or the first one found no answer in time, it is an error.
    """

    def __init__(
        self,
        *,
        here: ThreadDecider,
        clock: Clock,
        in_force: Callable[[], InForce],
        plans_of: Callable[[Sequence[str]], Awaitable[Mapping[str, FlightPlan]]],
        weather_required: frozenset[Quantity],
        origin: Wgs84Point,
        geoid_undulation_m: float,
        telemetry_stale_s: float,
        on_here: Callable[[], None] = lambda: None,
        fleet: Callable[[], Sequence[DroneView]] | None = None,
    ) -> None:
        """``plans_of`` reads stored plans of flights; ``on_here`` is called for each question that is answered here.

        ``fleet``: about which the next orders will be asked. What has changed of it is rehearsed while nobody asks.
        """
        self._views = fleet
        self._rehearsing: asyncio.Task[None] | None = None
        self._here = here
        self._clock = clock
        self._in_force = in_force
        self._plans_of = plans_of
        self._required = weather_required
        self._origin, self._undulation_m, self._stale_s = origin, geoid_undulation_m, telemetry_stale_s
        self._on_here = on_here
        self._numbers = itertools.count(1)
        self._last_rehearsal = 0
        self._settings: list[tuple[int, InForce]] = []
        self._sending = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._process = PlannerProcess(on_start=self._started, on_end=self._forget_all)
        self._forget_all()

    def _forget_all(self) -> None:
        """What the process that runs now knows: nothing yet."""
        self._knows = Knowledge()
        self._rehearsed: tuple[int, float, tuple[DroneNews, ...]] | None = None

    @property
    def known(self) -> Collection[str]:
        """See :class:`Decider`. Flights that this process alone would need are read when it does."""
        return self._knows.flights

    @property
    def away(self) -> bool:
        """Whether the next question would be answered here."""
        number = self._number_of(self._in_force())
        return number is None or not self._process.ready(number)

    @property
    def process(self) -> PlannerProcess:
        return self._process

    @property
    def rehearsing(self) -> bool:
        """Whether the process still plans for the next orders, as far as it was told of them."""
        return not self.away and self._process.rehearsed != self._last_rehearsal

    def begin(self) -> None:
        """Start the process; it loads what it needs while the hub does."""
        self._process.begin()
        if self._views is not None:
            self._rehearsing = self._loop.create_task(self._rehearse(self._views), name="rehearsals")

    async def _rehearse(self, fleet: Callable[[], Sequence[DroneView]]) -> None:
        """Tell the process of new winds and charges. Until cancelled."""
        while True:
            await asyncio.sleep(REHEARSE_S)
            try:
                self._tell_rehearsal(fleet)
            except Exception:
                # Decisions take longer without it, and are the same.
                log.exception("the next orders could not be rehearsed")

    def _tell_rehearsal(self, fleet: Callable[[], Sequence[DroneView]]) -> None:
        setting = self._number_of(self._in_force())
        if setting is None or not self._process.ready(setting):
            return
        now = self._clock.now()
        news = tuple(steady_news_of(view) for view in fleet())
        told = setting, now.timestamp() // RENEW_S, news
        if self._rehearsed != told:
            self._rehearsed = told
            self._last_rehearsal += 1
            self._process.send(packed(Rehearse(self._last_rehearsal, setting, now, news)))

    async def warm_up(self) -> None:
        """Send what is in force and wait until it is indexed."""
        try:
            async with asyncio.timeout(START_S):
                await self._process.until_ready(await self._setting_of(self._in_force()))
        except TimeoutError:
            log.error("the planner's process is not ready after %.0f s; decisions are made here", START_S)

    def prepare(self, airspace: Airspace) -> None:
        """Let the process index an airspace before it comes into force. From any other thread; waits at most
        :data:`START_S`, and not at all for a process that is away."""
        site, _, airframes = self._in_force()
        preparing = self._prepared((site, airspace, airframes))
        waiting = asyncio.run_coroutine_threadsafe(preparing, self._loop)
        try:
            waiting.result(START_S)
        except TimeoutError:
            waiting.cancel()

    async def _prepared(self, in_force: InForce) -> None:
        number = await self._setting_of(in_force)
        if self._process.pid is not None:
            await self._process.until_ready(number)

    def forget(self, flight_id: str) -> None:
        """See :class:`Decider`."""
        self._here.forget(flight_id)
        self._knows.forget(flight_id)

    async def close(self) -> None:
        """See :class:`Decider`."""
        for task in (self._telling, self._rehearsing):
            if task is not None:
                task.cancel()
        await self._process.close()
        await self._here.close()

    async def ask(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        flight_id: str,
        beside: Sequence[Ticket],
    ) -> Ticket:
        """See :class:`Decider`."""
        setting, flights = await self._ready_for(flights)
        if any([ticket.lost for ticket in beside]):
            raise ProcessGone("it was lost with what it was asked before", own_fault=False)
        number, answer = self._ask_there(setting, question, fleet, flights, flight_id, beside)
        return Ticket(number, flight_id, answer)

    async def answer(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        *,
        supposed: bool = False,
        unanswered: Unanswered | None = None,
    ) -> Answer:
        """See :class:`Decider`."""
        try:
            if unanswered is not None:
                raise unanswered
            setting, flights = await self._ready_for(flights)
            return await self._ask_there(setting, question, fleet, flights, None, (), supposed)[1]
        except ProcessGone as gone:
            if not gone.own_fault:
                return await self._answer_here(question, fleet, flights, supposed, str(gone))
            if gone.overdue:
                # Once more would be as long again, and everybody behind it waits.
                raise _failed(gone) from gone
            log.error("the planner's process died of a question, the next one is asked: %s", gone)
        return await self._answer_again(question, fleet, flights, supposed)

    async def _ready_for(self, flights: Sequence[OpenFlight]) -> tuple[int, Sequence[OpenFlight]]:
        """What is in force for a question, and its flights as the process needs them. Raises :class:`ProcessGone`."""
        setting = await self._setting_of(self._in_force())
        if not self._process.ready(setting):
            raise ProcessGone("it is not ready", own_fault=False)
        started = self._process.starts
        flights = await self._with_plans(flights, self._knows.flights)
        if self._process.starts != started or not self._process.ready(setting):
            raise ProcessGone("it has just ended", own_fault=False)
        return setting, flights

    async def _answer_again(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        supposed: bool,
    ) -> Answer:
        """By the next process, as of the same moment; never here."""
        setting = await self._setting_of(self._in_force())
        try:
            async with asyncio.timeout(ASK_AGAIN_S):
                await self._process.until_ready(setting)
                flights = await self._with_plans(flights, ())
        except TimeoutError as late:
            raise _failed(f"no other one was there within {ASK_AGAIN_S:.0f} s") from late
        if not self._process.ready(setting):
            raise _failed("it ended again")
        try:
            return await self._ask_there(setting, question, fleet, flights, None, (), supposed)[1]
        except ProcessGone as gone:
            raise _failed(gone) from gone

    def _ask_there(
        self,
        setting: int,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        flight_id: str | None,
        beside: Sequence[Ticket],
        supposed: bool = False,
    ) -> tuple[int, asyncio.Future[Answer]]:
        """The process that runs now. Raises, or is answered by, :class:`ProcessGone`."""
        number = next(self._numbers)
        ask = self._knows.ask(number, setting, question, fleet, flights, flight_id, beside, supposed)
        answer: asyncio.Future[Answer] = self._loop.create_future()
        void = [*ask.forget, *names_of(flights, beside, flight_id)]
        self._process.ask(ask).add_done_callback(lambda told: self._take(told, answer, void))
        return number, answer

    def _take(self, found: asyncio.Future[Told], answer: asyncio.Future[Answer], void: Sequence[str]) -> None:
        """Pass on what came of a question. ``void``: flights of which nobody knows what became if it failed."""
        gone = found.exception()
        told = None if gone is not None else found.result()
        if told is not None and told.answer is None:
            # How far it came nobody knows: what it needs is given again, and what it has of flights is void.
            self._forget_all()
            self._knows = Knowledge(void)
        if answer.done():
            return
        if told is None:
            assert gone is not None
            answer.set_exception(gone)
        elif told.answer is None:
            answer.set_exception(_failed(f"\n{told.fault}"))
        else:
            answer.set_result(told.answer)

    async def _answer_here(
        self,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        supposed: bool,
        why: str,
    ) -> Answer:
        log.warning("decided in the hub's own process, the planner's is away: %s", why)
        self._on_here()
        flights = await self._with_plans(flights, self._here.known)
        return await self._here.answer(question, fleet, flights, supposed=supposed)

    async def _with_plans(
        self, flights: Sequence[OpenFlight], known: Collection[str]
    ) -> Sequence[OpenFlight]:
        """Each with its plan, where whoever decides has not got it: a process may have ended since the look."""
        missing = [
            flight.flight_id for flight in flights if flight.plan is None and flight.flight_id not in known
        ]
        return with_plans(flights, await self._plans_of(missing)) if missing else flights

    async def _setting_of(self, in_force: InForce) -> int:
        """The number under which the process knows it; sent first where it does not."""
        known = self._number_of(in_force)
        if known is not None:
            # Also while another one is being written down, which takes a second: decisions go on.
            return known
        async with self._sending:
            known = self._number_of(in_force)
            if known is not None:
                return known
            number = 1 + (self._settings[-1][0] if self._settings else 0)
            self._settings.append((number, in_force))
            del self._settings[:-2]
            self._process.let_go(self._settings[0][0])
            await self._send(number, in_force)
            return number

    def _number_of(self, in_force: InForce) -> int | None:
        return next(
            (
                number
                for number, (site, airspace, airframes) in self._settings
                if site is in_force[0] and airspace is in_force[1] and airframes == in_force[2]
            ),
            None,
        )

    async def _send(self, number: int, in_force: InForce) -> None:
        site, airspace, airframes = in_force
        setting = Setting(
            number=number,
            at=self._clock.now(),
            site=site,
            airspace=airspace,
            airframes=dict(airframes),
            weather_required=self._required,
            origin=self._origin,
            geoid_undulation_m=self._undulation_m,
            telemetry_stale_s=self._stale_s,
        )
        # A city's zones take a second to write down.
        self._process.send(await asyncio.get_running_loop().run_in_executor(None, packed, setting))

    def _started(self) -> None:
        """Another process runs, and knows nothing."""
        self._forget_all()
        if self._settings:
            self._telling = self._loop.create_task(self._send_again(), name="planner-settings")

    async def _send_again(self) -> None:
        """Under the numbers that they have: somebody may wait for one of them."""
        async with self._sending:
            for number, in_force in list(self._settings):
                await self._send(number, in_force)


def _failed(how: object) -> InternalError:
    return InternalError(ErrorCode.BROKEN_INVARIANT, f"the planner's process failed: {how}")
