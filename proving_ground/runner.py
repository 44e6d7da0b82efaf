"""Playing a scenario to its end in virtual time, and collecting what happened."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import traceback
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from core.virtual_time import run_virtual
from flight.model.words import Phase
from geofences.model import Zone
from hub_api.dispatch.order_states import TERMINAL_STATES
from hub_api.store.records import EventRecord
from hub_api.store.repositories import events, missions
from planner.airframe import load_airframes
from planner.flight_plan import DeliveryMethod
from proving_ground.centre import Placed
from proving_ground.heard import Heard, heard
from proving_ground.judge import judge
from proving_ground.play import Play
from proving_ground.result import OrderSeen, Run, Testimony
from proving_ground.schema import FaultLine, Scenario
from proving_ground.staging import staged

POLL_S = 0.1
SETTLE_S = 3.0
"""After the last flight's end, so that the last words are stored."""
HOVER_ERROR_M = 0.7
"""The controller lets go no farther than this from the planned height (flight.delivery)."""
MEMORY = _shm if (_shm := Path("/dev/shm")).is_dir() else None
"""Where there is one, a scenario's files are kept in memory: no power fails in a scenario, and waiting for a disk's
commit tests nothing."""
PLAN_SECTIONS = ("outbound", "inbound", "retrace")
_FINAL = {str(state) for state in TERMINAL_STATES}


def run_scenario(scenario: Scenario, *, seed: int, site_file: Path, file: str = "") -> Run:
    """Play and judge. Never raises for what happens inside the scenario: that is ``Run.error``."""
    began = time.perf_counter()
    with (
        tempfile.TemporaryDirectory(prefix="proving-", dir=MEMORY) as folder,
        heard() as ear,
    ):
        try:
            run = run_virtual(
                perform(staged(scenario, seed=seed, folder=Path(folder), site_file=site_file), file)
            )
        except Exception:
            run = broken_run(scenario, seed, file)
    return finished(run, ear, time.perf_counter() - began)


def finished(run: Run, ear: Heard, real_s: float) -> Run:
    """The run with how long it took and, where it failed, what was logged."""
    return replace(run, real_s=real_s, logged=() if run.passed else ear.lines)


def broken_run(scenario: Scenario, seed: int, file: str) -> Run:
    """A run that could not be played to its end, with the exception that is being handled."""
    return Run(
        scenario=scenario.name,
        seed=seed,
        file=file,
        orders=(),
        faults=(),
        phases=(),
        tracks={},
        testimonies={},
        log=b"",
        virtual_s=0.0,
        real_s=0.0,
        error=traceback.format_exc(),
    )


async def perform(stage: AbstractAsyncContextManager[Play], file: str) -> Run:
    """Play the orders and faults of a stage's scenario to their end, and judge."""
    async with stage as play:
        return await played(play, file)


async def played(play: Play, file: str) -> Run:
    """What happened on a stage that is ready."""
    phases = _Phases(play)
    play.watchers.append(phases.look)
    tasks = [
        *(asyncio.create_task(_order_later(play, number)) for number in range(len(play.scenario.orders))),
        *(asyncio.create_task(_break_later(play, line)) for line in play.scenario.faults),
    ]
    try:
        error = await _until_over(play, tasks)
        await play.clock.sleep(SETTLE_S)
        play.process.mend_database()
        return await _collect(play, phases, file, error)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _order_later(play: Play, number: int) -> None:
    line = play.scenario.orders[number]
    await play.clock.sleep(line.at_s)
    await play.centre.place(line)


async def _break_later(play: Play, line: FaultLine) -> None:
    order = line.when.order or play.scenario.orders[0].name
    if line.when.at_s is not None:
        await play.clock.sleep(line.when.at_s)
        drone_id = line.drone or await _drone_of(play, order) or play.site.drones[0].drone_id
    else:
        drone_id = await _drone_in_phase(play, line, order)
        await play.clock.sleep(line.when.after_s)
    await play.break_it(play.at_fault(line), drone_id, order)


async def _drone_of(play: Play, order: str) -> str | None:
    """The drone that flies the order now."""
    placed = play.centre.placed.get(order)
    if placed is None or placed.order_id is None:
        return None
    shown = await _order(play, placed)
    flights = shown.get("flights") or []
    return flights[-1]["drone_id"] if flights else None


async def _drone_in_phase(play: Play, line: FaultLine, order: str) -> str:
    """Wait until the drone of the order (or the one named) is in the phase; its id."""
    drone_id, asked_s = line.drone, -1.0
    while True:
        if play.process.is_up:
            if line.drone is None and play.now_s - asked_s >= 1.0:
                drone_id, asked_s = await _drone_of(play, order), play.now_s
            if drone_id is not None and play.hub.fleet.phases().get(drone_id) is line.when.phase:
                return drone_id
        await play.clock.sleep(POLL_S)


async def _order(play: Play, placed: Placed) -> dict[str, Any]:
    shown: dict[str, Any] = (await play.client.get(f"/v1/orders/{placed.order_id}")).json()
    return shown


async def _until_over(play: Play, tasks: list[asyncio.Task[None]]) -> str:
    """Wait until all is done; a sentence about what is still open when time is up."""
    looked_at = -1
    while play.now_s < play.scenario.world.latest_s:
        await play.clock.sleep(1.0)
        play.check()
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if not play.process.is_up or len(play.centre.placed) < len(play.scenario.orders):
            continue
        if play.process.stored == looked_at or any(
            eye.armed or not eye.on_ground for eye in play.eyes.values()
        ):
            continue
        looked_at = play.process.stored
        shown = [await _order(play, placed) for placed in play.centre.placed.values() if placed.order_id]
        if all(
            order["state"] in _FINAL and all(flight["ended_at"] for flight in order["flights"])
            for order in shown
        ):
            return ""
    return f"after {play.scenario.world.latest_s:.0f} s something is still open"


async def _collect(play: Play, phases: _Phases, file: str, error: str) -> Run:
    stored = await play.hub.database.read(lambda session: events.after(session, 0, limit=1_000_000))
    orders = [await _seen(play, name, placed, stored) for name, placed in play.centre.placed.items()]
    testimonies = {
        drone_id: Testimony(eye.sightings(), eye.armed, eye.on_ground) for drone_id, eye in play.eyes.items()
    }
    run = Run(
        scenario=play.scenario.name,
        seed=play.seed,
        file=file,
        orders=tuple(orders),
        faults=tuple(play.faults),
        phases=tuple(phases.seen),
        tracks={drone_id: tuple(track) for drone_id, track in play.recorder.tracks.items()},
        testimonies=testimonies,
        log=_log(stored, testimonies),
        virtual_s=play.clock.monotonic_s(),
        real_s=0.0,
        notes=play.notes,
        drop_limits_m=_drop_limits(play),
        zones=_zones(play),
        ceilings_amsl_m=await _ceilings(play),
    )
    started = play.clock.now() - timedelta(seconds=play.now_s)
    return replace(run, verdicts=judge(play.scenario, run, play.recorder.skies, started, error))


def _zones(play: Play) -> tuple[tuple[float, Zone], ...]:
    """Every zone that was in force, once, with the second from which on."""
    known: dict[str, tuple[float, Zone]] = {}
    for from_s, airspace in play.recorder.skies:
        for zone in airspace.zones:
            known.setdefault(zone.zone_id, (from_s, zone))
    return tuple(known.values())


async def _ceilings(play: Play) -> dict[str, float]:
    """The highest point of the plans of each drone's flights, as they were stored."""
    found: dict[str, float] = {}
    for placed in play.centre.placed.values():
        order_id = placed.order_id
        if order_id is None:
            continue
        for mission in await play.hub.database.read(partial(missions.of_order, order_id=order_id)):
            legs = (leg for name in PLAN_SECTIONS for leg in mission.plan.get(name) or ())
            highest_m = max(leg["end"]["altitude_amsl_m"] for leg in legs)
            found[mission.drone_id] = max(highest_m, found.get(mission.drone_id, highest_m))
    return found


def _drop_limits(play: Play) -> dict[str, float]:
    """Where the only way to release is from a hover, the load falls from that height by plan."""
    airframes = load_airframes()
    limits: dict[str, float] = {}
    for drone in play.site.drones:
        ways = {terms.method: terms for terms in airframes[drone.airframe_id].deliveries}
        if DeliveryMethod.GRIPPER_LOW in ways and DeliveryMethod.WINCH not in ways:
            hover_m = ways[DeliveryMethod.GRIPPER_LOW].hover_height_agl_m
            limits[drone.drone_id] = hover_m + HOVER_ERROR_M + play.height_error_m(drone)
    return limits


async def _seen(play: Play, name: str, placed: Placed, stored: list[EventRecord]) -> OrderSeen:
    own = [event for event in stored if event.order_id == placed.order_id]
    return OrderSeen(
        name=name,
        sent_at_s=placed.sent_at_s,
        answers=placed.answers,
        first_answer=placed.body,
        final=await _order(play, placed) if placed.order_id else {},
        event_kinds=tuple(event.kind for event in own),
        faults=tuple(event.data["fault"] for event in own if event.kind == "safety_action_taken"),
    )


def _log(stored: list[EventRecord], testimonies: dict[str, Testimony]) -> bytes:
    lines = [
        json.dumps(
            {name: getattr(event, name) for name in event.__dataclass_fields__},
            default=_plain,
            sort_keys=True,
            ensure_ascii=False,
        )
        for event in stored
    ]
    for drone_id, testimony in testimonies.items():
        lines += [json.dumps([drone_id, *sight], ensure_ascii=False) for sight in testimony.seen]
    return "\n".join(lines).encode()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


class _Phases:
    """The phases of all drones as the hub hears of them."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.seen: list[tuple[float, str, str]] = []
        self._last: dict[str, Phase] = {}

    def look(self) -> None:
        if not self._play.process.is_up:
            return
        for drone_id, phase in self._play.hub.fleet.phases().items():
            if self._last.get(drone_id) is not phase:
                self._last[drone_id] = phase
                self.seen.append((round(self._play.now_s, 2), drone_id, str(phase)))
