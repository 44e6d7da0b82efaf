"""The planner's process answers as a thread does, comes back when it ends, and never outlives the hub."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.errors import InternalError
from core.geodesy import Wgs84Point
from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.site_airspace import load_demo_airspace
from hub_api.commands.serve import serve
from hub_api.dispatch.deciding import ThreadDecider, Ticket
from hub_api.dispatch.fleet import DroneView, taken
from hub_api.dispatch.planning import Answer, Question, SitePlanning
from hub_api.dispatch.traffic import OpenFlight
from hub_api.planner_process import decider as decider_module
from hub_api.planner_process import process as process_module
from hub_api.planner_process import spawned as spawned_module
from hub_api.planner_process.decider import ProcessDecider
from hub_api.planner_process.messages import Ask, Told
from hub_api.planner_process.prepared import PreparedThereToo
from hub_api.planner_process.process import ProcessGone
from hub_api.planner_process.spawned import started_early
from hub_api.settings import Settings
from planner import planning as planning_module
from planner.airframe import shipped_airframes
from planner.flight_plan import FlightPlan
from planner.wind import Wind
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.test_traffic import NOON, PATIENT, _book, _flying, _views

ROOT = Path(__file__).resolve().parents[3]
START_S = 60.0
"""A process that starts beside a full suite."""


class _Noon:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Both:
    """A decider with a process, a thread that is asked the same, and what they share."""

    def __init__(self, fleet: Callable[[], Sequence[DroneView]] | None = None) -> None:
        self.clock = _Noon()
        self.airspace = load_demo_airspace()
        self.here = 0
        self.stored: dict[str, FlightPlan] = {}
        self.read: list[str] = []
        self.thread = self._thread()
        self.planning = self._planning()
        self.decider = ProcessDecider(
            here=self._thread(),
            clock=self.clock,  # type: ignore[arg-type]
            in_force=lambda: (a_site(), self.airspace, shipped_airframes()),
            plans_of=self._plans_of,
            weather_required=frozenset(),
            origin=self.airspace.frame.origin,
            geoid_undulation_m=0.0,
            telemetry_stale_s=5.0,
            on_here=self._count,
            fleet=fleet,
        )

    def _planning(self) -> SitePlanning:
        ids = IdSource(self.clock, seed=1)  # type: ignore[arg-type]
        return SitePlanning(a_site(), lambda: self.airspace, shipped_airframes(), ids, self.clock)  # type: ignore[arg-type]

    def _thread(self) -> ThreadDecider:
        return ThreadDecider(self._planning(), _book)

    def _count(self) -> None:
        self.here += 1

    async def _plans_of(self, flight_ids: Collection[str]) -> Mapping[str, FlightPlan]:
        self.read += flight_ids
        return {flight_id: self.stored[flight_id] for flight_id in flight_ids}

    async def there(self) -> int:
        """Wait until the process answers; its number."""
        await self.decider.warm_up()
        assert not self.decider.away
        assert self.decider.process.pid is not None
        return self.decider.process.pid

    async def ask(self, fleet: tuple[DroneView, ...], flights: list[OpenFlight]) -> Answer:
        return await self.decider.answer(_question(self.clock.at), fleet, flights)


@asynccontextmanager
async def both(fleet: Callable[[], Sequence[DroneView]] | None = None) -> AsyncIterator[Both]:
    found = Both(fleet)
    found.decider.begin()
    try:
        await found.there()
        yield found
    finally:
        await found.decider.close()
        await found.thread.close()


def _question(at: datetime, patient: Wgs84Point = PATIENT, severity: str = "I") -> Question:
    return Question(patient=patient, severity=severity, floor=None, at=at)


def _same(answer: Answer) -> Answer:
    """Without the name that each planner gives its plan."""
    return replace(answer, plan=answer.plan and replace(answer.plan, plan_id="plan"))


def test_it_answers_what_a_thread_does_whatever_flies_meanwhile() -> None:
    """Four orders for one place: each takes a drone and a way; then the first is off its plan, and then unheard."""

    async def main() -> None:
        async with both() as b:
            views, flights = _views(), list[OpenFlight]()
            for number in range(4):
                b.clock.at = NOON + timedelta(seconds=number)
                asked = _question(b.clock.at)
                answer = await b.decider.answer(asked, views, flights)
                assert _same(answer) == _same(await b.thread.answer(asked, views, flights))
                if answer.plan is None:
                    break
                drone_id = answer.plan.drone_id
                flights.append(
                    OpenFlight(
                        flight_id=f"flt-{number}", drone_id=drone_id, airborne_at=None, plan=answer.plan
                    )
                )
                views = tuple(
                    taken(view, f"mis-{number}") if view.drone.drone_id == drone_id else view
                    for view in views
                )
            assert len(flights) >= 2
            # From now on whoever decides has every plan but the last one's.
            flights = [replace(flight, plan=None) for flight in flights[:-1]]
            assert {flight.flight_id for flight in flights} <= set(b.decider.known)
            first = flights[0]
            astray = tuple(
                _flying(view, PATIENT, 60.0) if view.drone.drone_id == first.drone_id else view
                for view in views
            )
            for fleet in (astray, views):
                flying = replace(first, airborne_at=NOON)
                asked = _question(b.clock.at)
                answer = await b.decider.answer(asked, fleet, [flying, *flights[1:]])
                assert _same(answer) == _same(await b.thread.answer(asked, fleet, [flying, *flights[1:]]))
            assert b.here == 0
            assert b.read == []

    asyncio.run(main())


async def _one_flight(b: Both) -> tuple[OpenFlight, Sequence[DroneView]]:
    """A flight that was decided and is stored, and the drones that are left."""
    first = await b.ask(_views(), [])
    assert first.plan is not None
    b.stored["flt-1"] = first.plan
    flight = OpenFlight(flight_id="flt-1", drone_id=first.plan.drone_id, airborne_at=None, plan=first.plan)
    return flight, _views(without=(first.plan.drone_id,))


def test_a_process_that_somebody_ends_is_stood_in_for_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "AGAIN_S", 0.05)

    async def main() -> None:
        async with both() as b:
            flight, free = await _one_flight(b)
            expected = await b.ask(free, [flight])
            flight = replace(flight, plan=None)
            pid = b.decider.process.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            asking = asyncio.create_task(b.ask(free, [flight]))
            await asyncio.sleep(0.05)
            os.kill(pid, signal.SIGKILL)
            # It had the flight's plan; whoever stands in for it reads it.
            assert _same(await asking) == _same(expected)
            assert (b.here, b.read) == (1, ["flt-1"])
            assert await b.there() != pid
            assert _same(await b.ask(free, [flight])) == _same(expected)
            assert (b.here, b.read) == (1, ["flt-1", "flt-1"])
            assert b.decider.process.starts == 2

    asyncio.run(main())


def test_a_question_that_takes_too_long_does_not_take_the_hub_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_module, "AGAIN_S", 0.05)

    async def main() -> None:
        async with both() as b:
            expected = await b.ask(_views(), [])
            pid = await b.there()
            os.kill(pid, signal.SIGSTOP)
            monkeypatch.setattr(process_module, "ANSWER_S", 0.2)
            with pytest.raises(InternalError, match="no answer within"):
                await b.ask(_views(), [])
            assert b.here == 0
            monkeypatch.setattr(process_module, "ANSWER_S", START_S)
            assert await b.there() != pid
            assert _same(await b.ask(_views(), [])) == _same(expected)

    asyncio.run(main())


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_question_that_ended_the_process_is_asked_once_more_of_the_next_one(
    monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    """Once, with everything that the first one knew, and never in the hub."""
    monkeypatch.setattr(process_module, "AGAIN_S", 0.05)
    monkeypatch.setattr(decider_module, "ASK_AGAIN_S", START_S)

    async def main() -> None:
        async with both() as b:
            flight, free = await _one_flight(b)
            expected = await b.ask(free, [flight])
            pid, asked = await b.there(), 0
            really = b.decider.process.ask

            def deadly(ask: Ask) -> asyncio.Future[Told]:
                nonlocal asked
                asked += 1
                if asked > deaths:
                    return really(ask)
                dying = b.decider.process.pid
                assert dying is not None
                os.kill(dying, signal.SIGSTOP)
                for number in (signal.SIGSEGV, signal.SIGCONT):
                    asyncio.get_running_loop().call_later(0.05, os.kill, dying, number)
                return really(ask)

            monkeypatch.setattr(b.decider.process, "ask", deadly)
            known = replace(flight, plan=None)
            if deaths == 1:
                assert _same(await b.ask(free, [known])) == _same(expected)
            else:
                with pytest.raises(InternalError, match="status -11"):
                    await b.ask(free, [known])
            assert (asked, b.here, b.read) == (2, 0, ["flt-1"])
            assert await b.there() != pid
            assert _same(await b.ask(free, [flight])) == _same(expected)
            assert b.here == 0

    asyncio.run(main())


def test_no_question_waits_longer_for_the_next_process_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "AGAIN_S", START_S)
    monkeypatch.setattr(decider_module, "ASK_AGAIN_S", 0.2)

    async def main() -> None:
        async with both() as b:
            pid = await b.there()
            os.kill(pid, signal.SIGSTOP)
            asking = asyncio.create_task(b.ask(_views(), []))
            await asyncio.sleep(0.05)
            os.kill(pid, signal.SIGSEGV)
            os.kill(pid, signal.SIGCONT)
            with pytest.raises(InternalError, match="no other one"):
                await asking
            assert b.here == 0
            # The next order does not wait for it.
            assert (await b.ask(_views(), [])).plan is not None
            assert b.here == 1

    asyncio.run(main())


def test_questions_asked_at_once_are_answered_beside_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by somebody who waits for each answer and gives what it took with the next question."""
    monkeypatch.setattr(process_module, "AGAIN_S", 0.05)

    async def main() -> None:
        async with both() as b:
            question, fleet, tickets = _question(NOON), _views(), list[Ticket]()
            for number in range(len(fleet) + 1):
                tickets.append(
                    await b.decider.ask(question, fleet, (), flight_id=f"flt-{number}", beside=tuple(tickets))
                )
            views, flights = fleet, list[OpenFlight]()
            for ticket in tickets:
                found = await ticket.answer
                assert _same(found) == _same(await b.thread.answer(question, views, tuple(flights)))
                if found.plan is not None:
                    drone_id = found.plan.drone_id
                    flights.append(
                        OpenFlight(
                            flight_id=ticket.flight_id, drone_id=drone_id, airborne_at=None, plan=found.plan
                        )
                    )
                    views = tuple(taken(v, "") if v.drone.drone_id == drone_id else v for v in views)
            assert len(flights) >= 2
            # What was found is known under its name from now on.
            known = tuple(replace(flight, plan=None) for flight in flights)
            assert {flight.flight_id for flight in known} <= set(b.decider.known)
            expected = await b.thread.answer(question, views, tuple(flights))
            assert _same(await b.decider.answer(question, views, known)) == _same(expected)
            assert (b.here, b.read) == (0, [])

    asyncio.run(main())


def test_of_several_questions_only_the_first_can_have_ended_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_module, "AGAIN_S", 0.05)

    async def main() -> None:
        async with both() as b:
            expected = await b.ask(_views(), [])
            pid = await b.there()
            os.kill(pid, signal.SIGSTOP)
            first = await b.decider.ask(_question(NOON), _views(), (), flight_id="flt-1", beside=())
            second = await b.decider.ask(_question(NOON), _views(), (), flight_id="flt-2", beside=(first,))
            os.kill(pid, signal.SIGSEGV)
            os.kill(pid, signal.SIGCONT)
            died, lost = await asyncio.gather(first.answer, second.answer, return_exceptions=True)
            assert isinstance(died, ProcessGone)
            assert isinstance(lost, ProcessGone)
            assert (died.own_fault, lost.own_fault) == (True, False)
            assert first.lost
            assert await b.there() != pid
            # Nobody knows what the first one took: nothing can be asked beside it.
            with pytest.raises(ProcessGone, match="was lost"):
                await b.decider.ask(_question(NOON), _views(), (), flight_id="flt-3", beside=(first,))
            again = await b.decider.answer(_question(NOON), _views(), (), unanswered=died)
            assert _same(again) == _same(expected)
            assert b.here == 0

    asyncio.run(main())


def test_each_question_has_its_time_from_when_it_is_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "AGAIN_S", 0.05)

    async def main() -> None:
        async with both() as b:
            pid = await b.there()
            monkeypatch.setattr(process_module, "ANSWER_S", 0.3)
            os.kill(pid, signal.SIGSTOP)
            tickets = [
                await b.decider.ask(_question(NOON), _views(), (), flight_id=f"flt-{number}", beside=())
                for number in range(2)
            ]
            late, lost = await asyncio.gather(*(each.answer for each in tickets), return_exceptions=True)
            assert isinstance(late, ProcessGone)
            assert isinstance(lost, ProcessGone)
            assert (late.overdue, lost.overdue) == (True, False)
            # Not asked of another process, which might take as long; those behind it are.
            with pytest.raises(InternalError, match="no answer within"):
                await b.decider.answer(_question(NOON), _views(), (), unanswered=late)

    asyncio.run(main())


def test_whatever_goes_wrong_with_one_process_another_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "AGAIN_S", 0.05)

    async def main() -> None:
        began = 0
        running = asyncio.Event()

        def on_start() -> None:
            nonlocal began
            began += 1
            if began == 1:
                raise RuntimeError("not this one")
            running.set()

        process = process_module.PlannerProcess(on_start=on_start, on_end=lambda: None)
        process.begin()
        try:
            async with asyncio.timeout(START_S):
                await running.wait()
        finally:
            await process.close()
        assert began == 2

    asyncio.run(main())


def test_a_fault_in_one_question_is_told_and_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with both() as b:
            expected = await b.ask(_views(), [])
            pid = b.decider.process.pid
            with pytest.raises(InternalError, match="severity"):
                await b.decider.answer(_question(NOON, severity="V"), _views(without=("drone-1",)), [])
            assert expected.plan is not None
            flight = OpenFlight(
                flight_id="flt-1", drone_id=expected.plan.drone_id, airborne_at=None, plan=expected.plan
            )
            with pytest.raises(InternalError, match="severity"):
                await b.decider.answer(_question(NOON, severity="V"), _views(), [flight])
            # Nobody knows whether it has that flight's plan, or which: it is to be given anew.
            assert "flt-1" not in b.decider.known
            asked: list[Ask] = []
            really = b.decider.process.ask

            def listened(ask: Ask) -> asyncio.Future[Told]:
                asked.append(ask)
                return really(ask)

            monkeypatch.setattr(b.decider.process, "ask", listened)
            await b.ask(_views(), [flight])
            assert asked[0].forget == ("flt-1",)
            (given,) = asked[0].flights or ()
            assert given.plan == expected.plan
            assert _same(await b.ask(_views(), [])) == _same(expected)
            assert b.decider.process.pid == pid
            assert b.here == 0

    asyncio.run(main())


def test_another_airspace_is_there_before_it_is_in_force() -> None:
    async def main() -> None:
        async with both() as b:
            old = b.airspace
            new = Airspace(old.zones[1:], version="new", origin=old.frame.origin, terrain=old.terrain)
            both_of_them = PreparedThereToo(b.planning, b.decider, lambda: old)
            await asyncio.get_running_loop().run_in_executor(None, both_of_them.prepare, new)
            assert (await b.ask(_views(), [])).airspace_version == old.version
            b.airspace = new
            assert (await b.ask(_views(), [])).airspace_version == "new"
            assert b.here == 0

    asyncio.run(main())


def test_a_sky_that_is_gone_is_waited_for_by_nobody_and_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with both() as b:
            process = b.decider.process
            first, old = asyncio.create_task(process.until_ready(99)), b.airspace
            for number in range(4):
                version = f"new-{number}"
                b.airspace = Airspace(
                    old.zones, version=version, origin=old.frame.origin, terrain=old.terrain
                )
                await b.there()
            assert sorted(process._ready) == [4, 5, 99]
            assert process.ready(4)
            assert process.ready(5)
            assert not process.ready(1)
            await asyncio.wait_for(process.until_ready(1), 1.0)
            process.let_go(100)
            await asyncio.wait_for(first, 1.0)
            assert not process.ready(99)
            assert process._ready == {}

    asyncio.run(main())


def test_it_heeds_the_hub_alone_and_leaves_with_it() -> None:
    """Signals that a terminal or a supervisor sends to everybody do not end it; the end of the hub's process does."""

    async def main() -> None:
        async with both() as b:
            pid = await b.there()
            for number in (signal.SIGINT, signal.SIGTERM):
                os.kill(pid, number)
            await asyncio.sleep(0.1)
            assert (await b.ask(_views(), [])).airspace_version
            assert b.here == 0
        assert _gone(pid)

    asyncio.run(main())


def test_what_was_rehearsed_is_not_searched_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same decision as without; a wind that has changed is a question that nobody has asked yet."""
    b = Both.__new__(Both)
    b.clock, b.airspace = _Noon(), load_demo_airspace()
    views = _views()
    expected = _same(b._planning().decide(_question(NOON), views, None))
    planning = b._planning()
    assert len(list(planning.rehearse(views, geoid_undulation_m=0.0))) > len(views)
    assert not list(planning.rehearse(views, geoid_undulation_m=0.0))

    def searched(*_given: object) -> None:
        raise AssertionError("it searched")

    with monkeypatch.context() as patched:
        patched.setattr(planning_module._Question, "best", searched)
        assert _same(planning.decide(_question(NOON), views, None)) == expected
    windy = replace(views[0], wind=Wind(from_deg=90.0, speed_m_s=4.0, measured_at=NOON))
    rehearsed = len(list(planning.rehearse((windy, *views[1:]), geoid_undulation_m=0.0)))
    assert 0 < rehearsed <= len(a_site().landing_points)


def test_the_process_rehearses_what_changes_while_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider_module, "REHEARSE_S", 0.02)

    async def main() -> None:
        views = list(_views())
        async with both(lambda: views) as b:

            async def rehearsed(number: int) -> None:
                async with asyncio.timeout(START_S):
                    while b.decider._last_rehearsal < number or b.decider.rehearsing:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)

            await rehearsed(1)
            # The same again, measured later: nothing new.
            calm = views[0].wind
            assert calm is not None
            views[0] = replace(views[0], wind=replace(calm, measured_at=NOON + timedelta(seconds=5)))
            await asyncio.sleep(0.2)
            assert b.decider._last_rehearsal == 1
            views[0] = replace(views[0], wind=Wind(from_deg=90.0, speed_m_s=4.0, measured_at=NOON))
            await rehearsed(2)
            # Orders go first, and are answered as ever.
            assert (await b.ask(_views(), [])).plan is not None
            assert b.here == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    ("chosen", "cores", "in_a_process"),
    [("auto", {0, 1}, True), ("auto", {1}, False), ("process", {1}, True), ("thread", {0, 1}, False)],
)
def test_who_decides_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, chosen: str, cores: set[int], in_a_process: bool
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: cores)
    settings = Settings(_env_file=None, demo=True, planner=chosen)  # type: ignore[arg-type]
    assert settings.decides_in_a_process is in_a_process


HUB = """
import asyncio
from hub_api.planner_process.process import PlannerProcess
async def main():
    process = PlannerProcess(on_start=lambda: print(process.pid, flush=True), on_end=lambda: None)
    process.begin()
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("given", [{"planner": "thread"}, {"planner": "process", "duty": "watch"}])
def test_a_process_that_was_started_early_goes_where_the_settings_want_none(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[spawned_module.Spawned] = []
    spawn = spawned_module.spawn

    def spawned() -> spawned_module.Spawned:
        made.append(spawn())
        return made[-1]

    async def serving(_settings: Settings, **_given: object) -> None:
        assert spawned_module._early == []
        assert [each.process.returncode for each in made] == [-signal.SIGKILL]

    monkeypatch.setattr(spawned_module, "spawn", spawned)
    monkeypatch.setattr("hub_api.main.serve", serving)
    monkeypatch.chdir(ROOT)
    for name, value in given.items():
        monkeypatch.setenv(f"DRONE_AED_{name.upper()}", value)
    serve(demo=True, data_dir=tmp_path)
    assert len(made) == 1


def test_a_hub_that_is_killed_leaves_no_process_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", HUB], stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        pid = int(hub.stdout.readline())
        assert not _gone(pid, within_s=0.0)
        hub.kill()
        assert _gone(pid)


def test_a_process_that_was_started_early_is_the_first_one() -> None:
    async def main() -> None:
        with started_early():
            (early,) = list(spawned_module._early)
            async with both() as b:
                assert b.decider.process.pid == early.process.pid
                assert (await b.ask(_views(), [])).airspace_version
                assert b.here == 0
            assert early.process.returncode is not None

    asyncio.run(main())


def test_a_process_that_was_started_early_for_nobody_leaves() -> None:
    with started_early():
        (early,) = list(spawned_module._early)
    assert early.process.returncode == -signal.SIGKILL
    assert spawned_module._early == []


def _gone(pid: int, within_s: float = START_S) -> bool:
    """Whether that process ends in time; a zombie whose parent died with it has ended."""
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(0.02)
