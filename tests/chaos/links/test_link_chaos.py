"""A delivery over the worst link there is: nothing breaks, nothing wrong is believed, nothing arms unasked.

30 % loss each way, delays up to 2 s, doubled and corrupt packets, other people's system ids, a million random
bytes, all from one printed seed. Whether the drone delivers is up to the link; what the controller says about
it must be true. The vehicle's own testimony is the judge.
"""

import asyncio
import random
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as foreign

from flight.messages import AedOnGround, AedReleased, FlightEnded, PhaseChanged
from flight.model.phases import AIRBORNE_PHASES, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform

NOISE_BYTES = 1_000_000


class Chaos:
    """Turns a stage's wire into the worst one, from now on."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.random = stage, random.Random(seed)
        self.noise_left = NOISE_BYTES
        self.forged = 0
        stage.loss, stage.double, stage.delay_s = 0.3, 0.2, (0.0, 2.0)
        self._carry = stage.carry
        self._arrive = stage._arrive
        stage._arrive = self.arrive  # type: ignore[method-assign]
        wire = stage.wire
        assert wire is not None
        self._send = wire.send
        wire.send = self.send  # type: ignore[method-assign]

    def _spoil(self, data: bytes) -> bytes:
        if self.random.random() > 0.1:
            return data
        spoilt = bytearray(data)
        for _ in range(self.random.randrange(1, 6)):
            spoilt[self.random.randrange(len(spoilt))] ^= 1 << self.random.randrange(8)
        return bytes(spoilt[: self.random.choice((len(spoilt), self.random.randrange(1, len(spoilt) + 1)))])

    def send(self, data: bytes, peer: Hashable) -> None:
        spoilt = self._spoil(data)
        if spoilt == data:
            self._send(data, peer)

    def arrive(self, data: bytes) -> None:
        self._arrive(self._spoil(data))

    def lie(self) -> bytes:
        """Somebody else's system, or a component of this one, that claims to be armed, flying and done."""
        system_id, component_id = self.random.choice(((2, 1), (1, 2), (255, 190), (1, 191), (9, 1), (0, 1)))
        mav = foreign.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        self.forged += 1
        message = self.random.choice(
            (
                foreign.MAVLink_heartbeat_message(2, 3, 209, 3, 4, 3),
                foreign.MAVLink_extended_sys_state_message(0, 2),
                foreign.MAVLink_command_ack_message(400, 0, target_system=255, target_component=190),
                foreign.MAVLink_mission_ack_message(255, 190, 0, 0),
                foreign.MAVLink_mission_count_message(255, 190, 0, 0),
                foreign.MAVLink_mission_item_reached_message(4),
                foreign.MAVLink_winch_status_message(1, 0.0, 0.0, 0.0, 0, 0, 0, 1),
                foreign.MAVLink_statustext_message(6, b"Gripper load released"),
            )
        )
        return bytes(message.pack(mav))

    async def run(self) -> None:
        while True:
            await self.stage.clock.sleep(0.05)
            size = min(self.noise_left, self.random.choice((0, 40, 280, 6000)))
            self.noise_left -= size
            if size:
                self._arrive(self.random.randbytes(size))
            self._arrive(self.lie())


class Witness:
    """Compares what the agent says with what the vehicle does, ten times a second."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.was_armed = False

    async def watch(self, duration_s: float) -> None:
        """Let time pass; ends early with the flight."""
        end_s = self.stage.clock.monotonic_s() + duration_s
        while self.stage.clock.monotonic_s() < end_s and not self.stage.of(FlightEnded):
            self.look()
            await self.stage.clock.sleep(0.1)
        self.look()

    def look(self) -> None:
        stage = self.stage
        self.was_armed |= stage.vehicle.armed
        agent = stage.agent
        assert agent is not None
        said = {event.phase for event in stage.of(PhaseChanged)}
        if said & AIRBORNE_PHASES:
            assert self.was_armed, "said to fly, and was never armed:\n" + stage.story()
        if stage.of(AedReleased) or stage.of(AedOnGround):
            assert stage.vehicle.payload.load.value != "on_hook", stage.story()


@pytest.mark.parametrize(("seed", "begins"), [(11, None), (12, Phase.CLIMBING), (13, Phase.LOWERING)])
def test_the_worst_link(seed: int, begins: Phase | None, tmp_path: Path) -> None:
    print(f"seed {seed}")
    boxes: list[Any] = []

    async def play(stage: Stage) -> None:
        await stage.ready()
        witness = Witness(stage)
        if begins is not None:
            await stage.tell(stage.mission())
            await stage.phase(begins)
            witness.look()
        chaos = Chaos(stage, seed)
        boxes.append(chaos)
        making = asyncio.create_task(chaos.run())
        try:
            if begins is None:
                await stage.tell(stage.mission())
            await witness.watch(120.0)
            # The link heals: the flight must come to its end by itself.
            making.cancel()
            stage.loss, stage.double, stage.delay_s = 0.0, 0.0, (0.005, 0.005)
            await stage.end(1200.0)
            await stage.clock.sleep(5.0)
            witness.look()
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    stage = perform(play, tmp_path, seed=seed)
    (chaos,) = boxes
    assert chaos.forged > 50
    assert chaos.noise_left < NOISE_BYTES
    (ended,) = stage.of(FlightEnded)
    if ended.safe_state is SafeState.ON_PAD:
        assert not stage.vehicle.armed, stage.story()
        assert stage.metres_from_pad() < 5.0, stage.story()
    if ended.aed.value == "on_board":
        assert stage.vehicle.payload.load.value == "on_hook", stage.story()
    released = stage.of(AedReleased)
    assert len(released) <= 1


def test_nothing_arms_that_was_not_asked_to(tmp_path: Path) -> None:
    """The same link and no order: whatever noise and lies come, nothing arms and no flight begins."""

    async def play(stage: Stage) -> None:
        await stage.ready()
        chaos = Chaos(stage, 5)
        making = asyncio.create_task(chaos.run())
        witness = Witness(stage)
        try:
            await witness.watch(60.0)
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
        assert not witness.was_armed

    stage = perform(play, tmp_path, seed=5)
    assert not stage.vehicle.armed
    assert {event.phase for event in stage.of(PhaseChanged)} <= {Phase.STANDBY, Phase.DISCONNECTED}
