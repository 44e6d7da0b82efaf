"""Against real autopilots: what is refused beforehand, what the observer believes, and how the plug is pulled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.clock import LoopClock
from core.virtual_time import run_virtual
from proving_ground.loader import SITES
from proving_ground.observer import Observer
from proving_ground.play import site_of
from proving_ground.real_play import Against, RealPlay, why_not
from proving_ground.schema import FaultLine, Scenario
from sitl.autopilot import Personality

BAOAN = SITES / "baoan.json"
ARDUPILOT, PX4 = Against(kind=Personality.ARDUPILOT), Against(kind=Personality.PX4)


def scenario(*faults: str, **world: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "asked",
            "why": "What a real autopilot can be given.",
            "why_zh": "真实飞控可承受的故障。",
            "world": {"drones": ["bao-01"], **world},
            "orders": [
                {"patient": {"reference_system": "WGS-84", "latitude_deg": 22.56, "longitude_deg": 113.89}}
            ],
            "faults": [{"fault": fault, "when": {"phase": "outbound"}} for fault in faults],
            "expect": [{"outcome": "accepted"}],
        }
    )


@pytest.mark.parametrize("fault", ["winch_jam", "gps_loss", "link_delay", "motor_loss"])
def test_a_fault_of_the_simulated_vehicle_is_refused_by_name(fault: str) -> None:
    assert f"fault {fault} is the simulated vehicle's" in why_not(scenario(fault), BAOAN, PX4)


def test_faults_of_the_world_and_of_our_own_cable_may_be_played() -> None:
    asked = scenario(
        "order_cancelled", "operator_hold", "hub_killed", "zone_activated", "link_loss", "link_flap"
    )
    assert why_not(asked, BAOAN, ARDUPILOT) == ""
    assert why_not(asked, BAOAN, PX4) == ""


def test_wind_changes_only_where_it_can_be_told() -> None:
    asked = scenario("wind_change")
    assert why_not(asked, BAOAN, ARDUPILOT) == ""
    assert "wind_change" in why_not(asked, BAOAN, PX4)
    running = Against(kind=Personality.ARDUPILOT, links=("tcp:127.0.0.1:5760",))
    assert "wind_change" in why_not(asked, BAOAN, running)


def test_every_drone_needs_a_link() -> None:
    running = Against(kind=Personality.ARDUPILOT, links=("tcp:127.0.0.1:5760",))
    assert why_not(scenario(), BAOAN, running) == ""
    assert why_not(scenario(drones=None), BAOAN, running) == "the scenario has 4 drones, --link names 1"
    assert "no bao-77" in why_not(scenario(drones=["bao-77"]), BAOAN, ARDUPILOT)


class Standing:
    """A clock that stands."""

    def monotonic_s(self) -> float:
        return 12.0


class Reports:
    """A vehicle's own words, as frames."""

    def __init__(self) -> None:
        self.observer = Observer(Standing(), 7, lambda place: 6.0, 10)  # type: ignore[arg-type]
        self._codec = mavlink.MAVLink(None, srcSystem=7, srcComponent=1)

    def hear(self, message: Any) -> None:
        self.observer.hear(message.pack(self._codec), None)

    def armed(self, armed: bool) -> None:
        self.hear(self._codec.heartbeat_encode(2, 3, 128 if armed else 0, 0, 4))

    def at(self, amsl_m: float) -> None:
        self.hear(
            self._codec.global_position_int_encode(
                0, 225548000, 1138838000, round(amsl_m * 1000), 0, 300, 400, 0, 0
            )
        )

    def line(self, length_m: float) -> None:
        self.hear(self._codec.winch_status_encode(0, length_m, 0.0, 0.0, 0.0, 0.0, 0, 0))

    def output(self, width_us: int) -> None:
        outputs = [0] * 16
        outputs[9] = width_us
        self.hear(self._codec.servo_output_raw_encode(0, 0, *outputs))


@pytest.mark.parametrize(("line_m", "what"), [(14.5, "on_ground"), (8.0, "dropped")])
def test_a_release_is_judged_by_the_height_of_the_load(line_m: float, what: str) -> None:
    seen = Reports()
    seen.output(1500)  # neutral at power-on is no grip
    seen.output(1100)
    assert seen.observer.sightings() == ()
    seen.output(1900)
    seen.armed(True)
    seen.at(21.0)
    seen.line(line_m)
    seen.output(1100)
    seen.output(1100)
    names = [name for _, name, _ in seen.observer.sightings()]
    assert names == ["armed", "released", what]
    assert seen.observer.ground_speed_m_s == pytest.approx(5.0)


def test_only_the_own_vehicle_is_believed_and_noise_does_no_harm() -> None:
    seen = Reports()
    other = mavlink.MAVLink(None, srcSystem=8, srcComponent=1)
    seen.observer.hear(other.heartbeat_encode(2, 3, 128, 0, 4).pack(other), None)
    seen.observer.hear(b"\xfd\x09\x00\x00garbage\xfe\x00" * 20, None)
    assert not seen.observer.armed
    for _ in range(30):  # garbage may look like the beginning of a frame that swallows a few
        seen.armed(True)
    assert seen.observer.armed
    assert not seen.observer.on_ground


def test_the_plug_is_out_for_as_long_as_the_fault_lasts(tmp_path: Path) -> None:
    async def play() -> None:
        clock = LoopClock()
        real = RealPlay(scenario(), 1, site_of(scenario(), BAOAN), BAOAN, tmp_path, clock)
        line = {"when": {"at_s": 1}, "duration_s": 10}
        real.break_vehicle(FaultLine.model_validate({"fault": "link_loss", **line}), "bao-01")
        assert real.is_pulled("bao-01")
        assert not real.is_pulled("bao-02")
        await clock.sleep(10.5)
        assert not real.is_pulled("bao-01")
        real.break_vehicle(
            FaultLine.model_validate({"fault": "link_flap", "strength": 2.0, **line}), "bao-01"
        )
        out = []
        for _ in range(4):
            out.append(real.is_pulled("bao-01"))
            await clock.sleep(1.0)
        assert out == [True, False, True, False]

    run_virtual(play())
