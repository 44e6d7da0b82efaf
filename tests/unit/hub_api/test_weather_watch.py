"""The weather of a flight is judged again: told when it holds, once, and taken back when it is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from core.clock import LoopClock
from core.ids import IdSource
from core.virtual_time import run_virtual
from flight.messages import WeatherJudged, decode
from flight.model.phases import Phase
from hub_api.dispatch.fleet import DroneView
from hub_api.weather.watch import HOLDS_S, LOOK_S, WeatherWatch
from planner.airframe import load_airframes
from planner.weather import UNKNOWN, Measured, Weather
from tests.unit.hub_api.played_planning import a_site

EPOCH = datetime(2026, 3, 1, 4, tzinfo=UTC)
DRONE = a_site().drones[0]
LIMIT_MM_H = load_airframes()[DRONE.airframe_id].weather.rain_max_mm_h


def rain(rate_mm_h: float) -> Weather:
    return Weather(rain_rate_mm_h=Measured(value=rate_mm_h, measured_at=EPOCH, source="The station's sensor"))


@dataclass
class Sample:
    flight_id: str | None = "flt_1"


@dataclass
class Played:
    """A fleet of one drone, a bus that keeps what is said, and the watch."""

    phase: Phase = Phase.OUTBOUND
    weather: Weather = UNKNOWN
    sample: Sample | None = field(default_factory=Sample)
    said: list[WeatherJudged] = field(default_factory=list)

    def phases(self) -> dict[str, Phase]:
        return {DRONE.drone_id: self.phase}

    def view(self, drone_id: str, _reserved: dict[str, str]) -> DroneView:
        return DroneView(
            drone=DRONE, ready=False, not_ready=(), mission_id=None, phase=self.phase,
            telemetry=cast(Any, self.sample), telemetry_age_s=0.1, readiness=None, charge_fraction=None, wind=None,
            weather=self.weather,
        )  # fmt: skip

    async def publish(self, subject: str, message_id: str, payload: bytes) -> None:
        notice = decode(payload)
        assert isinstance(notice, WeatherJudged)
        assert DRONE.drone_id in subject
        assert message_id == notice.command_id
        self.said.append(notice)

    def watch(self, clock: LoopClock) -> WeatherWatch:
        return WeatherWatch(
            fleet=cast(Any, self), airframes=load_airframes, bus=cast(Any, self), ids=IdSource(clock, seed=1),
            clock=clock,
        )  # fmt: skip

    def watched(self, *then: tuple[float, Weather]) -> list[tuple[str, float, tuple[str, ...]]]:
        """Let the watch run while the weather takes these values, each for so many seconds; what was said, and when."""

        async def run() -> None:
            clock = LoopClock(epoch=EPOCH)
            watch = self.watch(clock)
            task = asyncio.create_task(watch.run())
            for lasts_s, weather in then:
                self.weather = weather
                await clock.sleep(lasts_s)
            task.cancel()

        run_virtual(run())
        return [
            (
                said.flight_id,
                (said.issued_at - EPOCH) / timedelta(seconds=1),
                tuple(reason.code for reason in said.against),
            )
            for said in self.said
        ]


def test_what_holds_is_told_once_and_taken_back() -> None:
    said = Played().watched((5.0, UNKNOWN), (60.0, rain(LIMIT_MM_H + 0.1)), (30.0, rain(LIMIT_MM_H)))
    assert [(flight, codes) for flight, _, codes in said] == [("flt_1", ("rain_above_limit",)), ("flt_1", ())]
    assert 5.0 + HOLDS_S <= said[0][1] <= 5.0 + HOLDS_S + 2.0 * LOOK_S
    assert 65.0 <= said[1][1] <= 65.0 + LOOK_S


def test_a_drop_on_the_sensor_turns_no_drone_back() -> None:
    wet, dry = rain(30.0), rain(0.0)
    assert Played().watched((HOLDS_S - 2.0, wet), (4.0, dry), (HOLDS_S - 2.0, wet), (60.0, UNKNOWN)) == []


@pytest.mark.parametrize(
    "played",
    [
        Played(phase=Phase.STANDBY),
        Played(phase=Phase.UNCLAIMED),
        Played(sample=None),
        Played(sample=Sample(flight_id=None)),
    ],
    ids=["no flight", "nobody's flight", "not heard", "of no flight"],
)
def test_who_has_no_flight_of_ours_is_told_nothing(played: Played) -> None:
    assert played.watched((60.0, rain(30.0))) == []


def test_the_next_flight_is_told_as_well() -> None:
    played = Played()

    async def run() -> None:
        clock = LoopClock(epoch=EPOCH)
        watch = played.watch(clock)
        played.weather = rain(30.0)
        for flight_id in ("flt_1", "flt_2"):
            played.sample = Sample(flight_id)
            for _ in range(10):
                await watch.look()
                await clock.sleep(LOOK_S)

    run_virtual(run())
    assert [notice.flight_id for notice in played.said] == ["flt_1", "flt_2"]


def test_a_fleet_that_cannot_be_looked_at_ends_no_watch() -> None:
    class Breaks(Played):
        times = 0

        def phases(self) -> dict[str, Phase]:
            self.times += 1
            if self.times == 2:
                raise RuntimeError("once")
            return super().phases()

    assert len(Breaks().watched((60.0, rain(30.0)))) == 1
