"""A plan that departs later waits on its pad, and everything that can call it off there does."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from flight.messages import (
    AbortFlight,
    AedSelfTested,
    FlightResumed,
    PhaseChanged,
    PreflightChecked,
    WindReported,
    ZoneActivated,
)
from flight.model.phases import AedState, Phase, SafeState
from tests.scenario.flight.stage import Stage, perform
from tests.unit.planner.helpers import box_zone

DELAY = timedelta(seconds=45)


async def delayed(stage: Stage) -> None:
    """Ordered now, departing in three quarters of a minute."""
    await stage.ready()
    departs = stage.clock.now() + DELAY
    later = replace(stage.plan, created_at=departs, valid_until=departs + timedelta(minutes=2))
    assert (await stage.answer(stage.mission(plan=later))).kind == "command_accepted", stage.story()
    stage.ordered_at = departs
    await stage.phase(Phase.WAITING, 30)


def test_it_takes_off_at_its_moment_and_delivers(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await delayed(stage)
        armed = await stage.phase(Phase.ARMING, 120)
        assert 0.0 <= (armed.at - stage.ordered_at).total_seconds() <= 2.0
        assert (await stage.end()).aed is AedState.RELEASED

    stage = perform(play, tmp_path)
    waits = next(event for event in stage.of(PhaseChanged) if event.phase is Phase.WAITING)
    assert "departs at" in waits.reason
    assert waits.eta_s is not None
    assert waits.eta_s > DELAY.total_seconds() - 10


def test_a_command_may_say_when_too(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        not_before = stage.clock.now() + timedelta(seconds=30)
        await stage.answer(stage.mission(not_before=not_before))
        airborne = await stage.phase(Phase.CLIMBING, 120)
        assert airborne.at >= not_before

    perform(play, tmp_path)


def test_a_waiting_flight_that_is_pre_empted_never_starts(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await delayed(stage)
        await stage.answer(stage.order(AbortFlight, reason="pre-empted by a flight of higher priority"))
        ended = await stage.end(10)
        assert (ended.safe_state, ended.aed) == (SafeState.NEVER_LEFT_GROUND, AedState.ON_BOARD)
        assert "pre-empted" in ended.reason
        await stage.clock.sleep(90)

    stage = perform(play, tmp_path)
    assert "armed" not in stage.witnessed()


def test_what_changes_meanwhile_calls_it_off_with_the_reason(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await delayed(stage)
        storm = stage.notice(
            WindReported, from_deg=90.0, speed_m_s=11.0, gust_m_s=17.0, measured_at=stage.clock.now()
        )
        await stage.answer(storm)
        ended = await stage.end(120)
        assert ended.safe_state is SafeState.NEVER_LEFT_GROUND
        assert "17.0 m/s" in ended.reason

    stage = perform(play, tmp_path)
    assert "armed" not in stage.witnessed()


def test_a_zone_that_closes_meanwhile_calls_it_off_at_once(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await delayed(stage)
        zone = box_zone("pop-up", 120.0, -50.0, 160.0, 50.0)
        await stage.answer(stage.notice(ZoneActivated, zone=zone, airspace_version="test-2"))
        ended = await stage.end(10)
        assert ended.safe_state is SafeState.NEVER_LEFT_GROUND
        assert "pop-up" in ended.reason

    perform(play, tmp_path)


def test_a_new_controller_keeps_the_appointment(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await delayed(stage)
        await stage.kill_agent()
        await stage.clock.sleep(5)
        stage.start_agent()
        armed = await stage.phase(Phase.ARMING, 120)
        assert 0.0 <= (armed.at - stage.ordered_at).total_seconds() <= 2.0
        assert (await stage.end()).aed is AedState.RELEASED

    stage = perform(play, tmp_path)
    assert stage.of(FlightResumed)
    assert stage.witnessed().count("armed") == 1


def test_the_verdicts_of_a_waiting_drone_know_weather_and_self_test(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.ready()
        now = stage.clock.now()
        await stage.answer(stage.notice(WindReported, from_deg=0.0, speed_m_s=4.0, measured_at=now))
        failed = stage.notice(AedSelfTested, passed=False, tested_at=now, detail="battery")
        await stage.answer(failed)
        await stage.clock.sleep(2)
        checked = stage.of(PreflightChecked)[-1]
        verdicts = {verdict.check: verdict.code for verdict in checked.verdicts}
        assert not checked.ready
        assert (verdicts["wind"], verdicts["aed_self_test"]) == ("ok", "failed")
        refused = await stage.answer(stage.mission())
        assert {reason.code for reason in refused.reasons} == {"aed_self_test_failed"}
        await stage.kill_agent()
        stage.start_agent()
        await stage.clock.sleep(8)
        assert not stage.of(PreflightChecked)[-1].ready, "a restart does not mend an AED"
        passed = stage.notice(AedSelfTested, passed=True, tested_at=stage.clock.now(), detail="")
        await stage.answer(passed)
        await stage.clock.sleep(2)
        assert stage.of(PreflightChecked)[-1].ready

    perform(play, tmp_path)
