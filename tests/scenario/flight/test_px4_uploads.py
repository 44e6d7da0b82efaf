"""What our side makes of PX4's later verdicts on what it acknowledged, played by the simulator's PX4."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

from core.clock import LoopClock
from core.virtual_time import run_virtual
from flight.messages import PreflightChecked
from flight.model.outcomes import Obedience
from planner.compile.mavlink import compile_mission
from planner.compile.mission_types import CompiledMission, MissionItem
from planner.flight_plan import DeliveryMethod
from tests.conformance.embedded import EmbeddedVehicle
from tests.conformance.theatre import Theatre
from tests.unit.planner.helpers import NOW


def played(play: Callable[[Theatre], Awaitable[None]], folder: Path, kind: str = "px4") -> None:
    async def run() -> None:
        vehicle = EmbeddedVehicle(kind, "quad8_px4")
        theatre = Theatre(folder, vehicle, LoopClock(epoch=NOW), DeliveryMethod.GRIPPER_LOW)
        await theatre.open()
        try:
            await play(theatre)
        finally:
            await theatre.close()

    run_virtual(run())


def away_from_home(item: MissionItem) -> MissionItem:
    return dataclasses.replace(item, latitude_deg=item.latitude_deg + 0.05)


async def upload(theatre: Theatre, mission: CompiledMission) -> tuple[Obedience, str]:
    assert theatre.agent is not None
    outcome = await theatre.agent.autopilot.upload(theatre.agent.link, mission)
    return outcome.status, outcome.detail


def test_a_fence_that_is_discarded_after_its_acknowledgement_is_a_refusal(tmp_path: Path) -> None:
    async def play(theatre: Theatre) -> None:
        await theatre.ready()
        mission = compile_mission(theatre.plan())
        status, detail = await upload(
            theatre,
            dataclasses.replace(mission, fence=tuple(away_from_home(item) for item in mission.fence)),
        )
        assert status is Obedience.REFUSED
        assert "fence" in detail.lower()
        assert (await upload(theatre, mission))[0] is Obedience.OBEYED

    played(play, tmp_path)


def test_a_mission_that_is_stored_but_not_flyable_is_a_refusal(tmp_path: Path) -> None:
    async def play(theatre: Theatre) -> None:
        await theatre.ready()
        mission = compile_mission(theatre.plan())
        takeoff, *rest = mission.items
        last_first = (
            dataclasses.replace(rest[0], seq=0),
            dataclasses.replace(takeoff, seq=1),
            *rest[1:],
        )
        status, detail = await upload(theatre, dataclasses.replace(mission, items=last_first))
        assert status is Obedience.REFUSED
        assert "not flyable" in detail

    played(play, tmp_path)


def test_an_autopilot_of_another_kind_is_told_and_not_touched(tmp_path: Path) -> None:
    async def play(theatre: Theatre) -> None:
        await theatre.clock.sleep(60.0)
        checked = theatre.of(PreflightChecked)[-1]
        assert not checked.ready
        assert {(v.check, v.code) for v in checked.verdicts if v.level == "block"} == {
            ("autopilot", "other_kind")
        }
        assert theatre.agent is not None
        # Nothing but our heartbeat and our clock went out: no stream was asked for, no mode chosen, no hook closed.
        assert theatre.vehicle.heard == {"HEARTBEAT", "TIMESYNC"}  # type: ignore[attr-defined]

    played(play, tmp_path, kind="ardupilot")
