"""Against real autopilots: what is refused beforehand, what the observer believes, and how the plug is pulled."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from proving_ground.against import sorted_out
from proving_ground.loader import LIBRARY, SITES, library, load_scenario
from proving_ground.observer import Observer
from proving_ground.real_faults import LINK_FAULTS
from proving_ground.real_play import Against, _in_its_time, _notes, _slower, why_not
from proving_ground.report.html import write_html
from proving_ground.report.junit import write_junit
from proving_ground.schema import Scenario
from proving_ground.staging import site_of
from sitl.autopilot import Personality
from sitl.launchers import LaunchError

BAOAN = SITES / "baoan.json"
ARDUPILOT, PX4 = Against(kind=Personality.ARDUPILOT), Against(kind=Personality.PX4)
PX4_STARTED = Against(kind=Personality.PX4, program=Path("px4"))
RUNNING = Against(kind=Personality.ARDUPILOT, links=("tcp:127.0.0.1:5760",))


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


@pytest.mark.parametrize("fault", ["winch_jam", "hook_stuck", "rain", "motor_loss"])
def test_a_fault_that_only_our_vehicle_has_is_refused_by_name(fault: str) -> None:
    for against in (ARDUPILOT, PX4):
        assert f"fault {fault} is the simulated vehicle's" in why_not(scenario(fault), BAOAN, against)


def test_faults_of_the_world_and_of_our_own_radio_may_be_played_on_any_link() -> None:
    asked = scenario("order_cancelled", "operator_hold", "hub_killed", "zone_activated", *sorted(LINK_FAULTS))
    for against in (ARDUPILOT, PX4, RUNNING):
        assert why_not(asked, BAOAN, against) == ""


def test_faults_of_the_vehicle_need_the_second_link_of_one_that_is_started_here() -> None:
    asked = scenario("gps_loss", "battery_charge", "pilot_takeover")
    assert why_not(asked, BAOAN, ARDUPILOT) == ""
    assert why_not(asked, BAOAN, PX4) == ""
    assert "gps_loss comes on a second link" in why_not(asked, BAOAN, RUNNING)
    assert "gps_glitch is the simulated vehicle's" in why_not(scenario("gps_glitch"), BAOAN, PX4)


def test_wind_changes_only_where_it_can_be_told() -> None:
    asked = scenario("wind_change")
    assert why_not(asked, BAOAN, ARDUPILOT) == ""
    assert "wind_change" in why_not(asked, BAOAN, PX4)
    assert "wind_change" in why_not(asked, BAOAN, RUNNING)


def test_a_moment_that_never_comes_is_refused() -> None:
    (dies,) = (load_scenario(file) for file in library() if file.stem == "hub-dies-while-lowering")
    assert why_not(dies.scenario, dies.site_file, ARDUPILOT) == ""
    assert "hub_killed waits for the phase lowering" in why_not(dies.scenario, dies.site_file, PX4)


def test_parameters_of_one_autopilot_are_not_given_to_the_other() -> None:
    asked = scenario(autopilot="px4", parameters={"MPC_XY_CRUISE": 8.0})
    assert why_not(asked, BAOAN, PX4) == ""
    assert why_not(asked, BAOAN, ARDUPILOT) == (
        "its world.parameters are for px4; a real ArduCopter has others"
    )


def test_what_is_not_playable_is_left_out_by_name_or_refused(tmp_path: Path) -> None:
    loaded = [load_scenario(file) for file in library()]
    playable, unplayable = sorted_out(loaded, ARDUPILOT, skip=True)
    reasons = {left.item.scenario.name: left.reason for left in unplayable}
    assert len(playable) + len(unplayable) == len(loaded)
    assert "hook_stuck" in reasons["hook-stays-shut"]
    assert "plain-delivery" in {item.scenario.name for item in playable}
    jam = [item for item in loaded if item.scenario.name == "winch-jams-while-lowering"]
    for asked, skip in ((loaded, False), (jam, True)):
        with pytest.raises(LaunchError, match=r"winch-jams-while-lowering\.yaml: the fault winch_jam"):
            sorted_out(asked, ARDUPILOT, skip=skip)
    write_junit(tmp_path / "report.xml", [], unplayable)
    write_html(tmp_path / "report.html", loaded, [], unplayable)
    root = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert len(root.findall("testsuite/testcase/skipped")) == len(unplayable)
    assert "winch-jams-while-lowering" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_slower_airframe_gets_the_time_that_it_needs_and_says_so() -> None:
    plain = load_scenario(LIBRARY / "plain-delivery.yaml").scenario
    site = site_of(plain, BAOAN)
    assert _slower(site, Personality.ARDUPILOT) == 1.0
    slower = _slower(site, Personality.PX4)
    assert slower == pytest.approx(20.0 / 15.0)
    (line,) = _in_its_time(plain, slower).expect
    assert line.delivered_within_s == 120.0
    assert (line.state, line.ends) == (plain.expect[0].state, plain.expect[0].ends)
    assert any("1.33 × the scenario's" in note for note in _notes(plain, PX4_STARTED, slower))
    assert not any("time limits" in note for note in _notes(plain, PX4_STARTED, 1.0))


def test_every_drone_needs_a_link() -> None:
    assert why_not(scenario(), BAOAN, RUNNING) == ""
    assert why_not(scenario(drones=None), BAOAN, RUNNING) == "the scenario has 4 drones, --link names 1"
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
