"""Winch, hook, link, GPS, battery and other people's hands."""

from pathlib import Path

import pytest

from flight.links.mavlink.framing import FrameWriter
from flight.messages import (
    AedOnGround,
    AedReleased,
    DeliveryFailed,
    FaultCleared,
    LinkChanged,
    SafetyActionTaken,
)
from flight.model.faults import Fault
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform, straight_plan
from tests.scenario.flight.test_abort_and_steering import never_left_the_corridor, take_off_to


def faults(stage: Stage) -> list[Fault]:
    return [event.fault for event in stage.of(SafetyActionTaken)]


class Pilot:
    """Somebody else's ground station on a channel of its own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._writer = FrameWriter(254, 190)
        stage.vehicle.open_channel()

    def set_mode(self, mode: int) -> None:
        frame = self._writer.pack(
            "COMMAND_LONG", target_system=1, target_component=1, command=176, param1=1.0, param2=float(mode)
        )
        self._stage.vehicle.receive(frame, 1)


def test_a_jammed_winch_brings_the_aed_home(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.LOWERING)
        await stage.until(lambda: stage.vehicle.payload.line_length_m > 6)
        stage.vehicle.faults.set("winch_jam", duration_s=12)
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD), stage.story()

    stage = perform(play, tmp_path)
    (failed,) = stage.of(DeliveryFailed)
    assert failed.reason.code == "lowering_failed"
    assert "stopped" in failed.reason.detail
    assert Fault.WINCH_JAM in faults(stage)
    assert stage.vehicle.payload.line_length_m < 0.3
    assert stage.vehicle.payload.load.value == "on_hook"


def test_a_line_that_stays_jammed_comes_home_and_is_reported(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.LOWERING)
        await stage.until(lambda: stage.vehicle.payload.line_length_m > 5)
        stage.vehicle.faults.set("winch_jam")
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD)

    stage = perform(play, tmp_path)
    assert {Fault.WINCH_JAM, Fault.LINE_NOT_RETRACTED} <= set(faults(stage))


def test_a_hook_that_opens_without_letting_go_is_no_release(tmp_path: Path) -> None:
    """The servo says released; the tension of the lifted line says otherwise, and is believed."""

    async def play(stage: Stage) -> None:
        stage.vehicle.faults.set("hook_stuck")
        await take_off_to(stage, Phase.RELEASING)
        ended = await stage.end()
        assert ended.safe_state is SafeState.ON_PAD
        assert ended.aed is not AedState.RELEASED

    stage = perform(play, tmp_path)
    assert not stage.of(AedReleased)
    assert not stage.of(AedOnGround)
    (failed,) = stage.of(DeliveryFailed)
    assert failed.reason.code == "release_unconfirmed"
    assert stage.vehicle.payload.load.value == "on_hook"


def test_a_release_that_is_not_stated_is_not_claimed(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        stage.vehicle.faults.set("release_not_confirmed")
        await take_off_to(stage, Phase.RELEASING)
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.UNKNOWN)

    stage = perform(play, tmp_path)
    assert not stage.of(AedReleased)
    assert Fault.RELEASE_NOT_CONFIRMED in faults(stage)


def test_a_short_silence_is_told_and_over(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.clock.sleep(6)
        began_s = stage.clock.monotonic_s()
        stage.vehicle.faults.set("link_loss", duration_s=4)
        await stage.until(lambda: any(event.link == "stale" for event in stage.of(LinkChanged)), 10)
        assert stage.clock.monotonic_s() - began_s <= 2.0, "a stale link is seen within two seconds"
        ended = await stage.end()
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.RELEASED)

    stage = perform(play, tmp_path)
    assert Fault.LINK_STALE in faults(stage)
    assert Fault.LINK_STALE in [event.fault for event in stage.of(FaultCleared)]


def test_a_vehicle_that_is_lost_on_the_way_out_goes_home_by_itself_and_is_found_again(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.clock.sleep(6)
        stage.vehicle.faults.set("link_loss")
        await stage.until(lambda: any(event.link == "lost" for event in stage.of(LinkChanged)), 20)
        # It flies its own mission: to the delivery, waits, and home. Nobody releases anything.
        await stage.until(lambda: not stage.vehicle.armed, 600)
        stage.vehicle.faults.clear("link_loss")
        ended = await stage.end(60)
        assert (ended.safe_state, ended.aed) == (SafeState.ON_PAD, AedState.ON_BOARD)

    stage = perform(play, tmp_path)
    assert stage.vehicle.payload.load.value == "on_hook"
    never_left_the_corridor(stage)


def test_silence_while_lowering_never_drops_the_aed(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.LOWERING)
        await stage.until(lambda: stage.vehicle.payload.line_length_m > 5)
        stage.vehicle.faults.set("link_loss", duration_s=60)
        ended = await stage.end()
        assert ended.safe_state is SafeState.ON_PAD, stage.story()

    stage = perform(play, tmp_path)
    assert "dropped" not in stage.witnessed()
    assert stage.vehicle.payload.line_length_m < 0.5


def test_a_vehicle_that_is_never_heard_again_is_lost_by_name(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.clock.sleep(5)
        stage.vehicle.faults.set("link_loss")
        ended = await stage.end(6000)
        assert ended.safe_state is SafeState.LOST
        assert ended.position is not None, "the last known position helps to find it"

    perform(play, tmp_path, plan=straight_plan(charge_fraction=0.45))


@pytest.mark.parametrize(("charge", "fault"), [(0.32, Fault.ENERGY_SHORT), (0.23, Fault.BATTERY_LOW)])
def test_a_low_battery_on_the_way_out_returns(charge: float, fault: Fault, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.clock.sleep(7)
        stage.vehicle.faults.set("battery_charge", charge)
        ended = await stage.end()
        assert ended.aed is AedState.ON_BOARD
        assert ended.safe_state is SafeState.ON_PAD, stage.story()

    stage = perform(play, tmp_path)
    assert fault in faults(stage)
    assert Phase.RETURNING in stage.phases()


def test_a_pilot_who_takes_over_is_left_alone_and_may_give_back(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        pilot = Pilot(stage)
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.clock.sleep(7)
        pilot.set_mode(17)
        await stage.phase(Phase.HANDED_OVER)
        await stage.clock.sleep(20)
        assert stage.vehicle.mode == "BRAKE", "nobody fought the pilot"
        pilot.set_mode(3)
        assert (await stage.end()).aed is AedState.RELEASED

    stage = perform(play, tmp_path)
    assert Fault.CONTROL_TAKEN in faults(stage)
    assert Fault.CONTROL_TAKEN in [event.fault for event in stage.of(FaultCleared)]


def test_a_patient_does_not_wait_for_a_pilot_who_keeps_it(tmp_path: Path) -> None:
    """The delivery is given up so that another drone is sent; given back, this one comes home with its AED."""

    async def play(stage: Stage) -> None:
        pilot = Pilot(stage)
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.clock.sleep(7)
        pilot.set_mode(17)
        await stage.phase(Phase.HANDED_OVER)
        taken = stage.clock.monotonic_s()
        (failed,) = await stage.until(lambda: stage.of(DeliveryFailed), 60)
        assert 45.0 < stage.clock.monotonic_s() - taken < 47.0
        assert failed.reason.code == "not_given_back"
        assert stage.vehicle.mode == "BRAKE", "nobody fought the pilot"
        await stage.clock.sleep(20)
        pilot.set_mode(3)
        await stage.phase(Phase.RETURNING)
        ended = await stage.end()
        assert ended.aed is AedState.ON_BOARD
        assert ended.safe_state is SafeState.ON_PAD

    stage = perform(play, tmp_path)
    assert len(stage.of(DeliveryFailed)) == 1
    assert Phase.HOVERING not in stage.phases()


def test_a_pilot_who_lands_it_ends_the_flight_where_it_lands(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        pilot = Pilot(stage)
        await take_off_to(stage, Phase.OUTBOUND)
        await stage.until(lambda: stage.metres_from_pad() > 130)
        pilot.set_mode(9)
        ended = await stage.end()
        assert ended.safe_state is SafeState.LANDED_ELSEWHERE

    stage = perform(play, tmp_path)
    assert stage.vehicle.mode == "LAND"


@pytest.mark.parametrize("seed", [1])
def test_a_third_of_all_packets_lost_still_delivers_or_ends_safely(seed: int, tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        stage.loss, stage.double, stage.delay_s = 0.3, 0.1, (0.01, 0.6)
        await stage.tell(stage.mission())
        ended = await stage.end(900)
        truly = stage.vehicle.payload.load.value
        if ended.aed is AedState.RELEASED:
            assert truly == "on_ground"
        if ended.aed is AedState.ON_BOARD:
            assert truly == "on_hook"
        assert ended.safe_state in (SafeState.ON_PAD, SafeState.NEVER_LEFT_GROUND), stage.story()

    stage = perform(play, tmp_path, seed=seed)
    assert "dropped" not in stage.witnessed()
