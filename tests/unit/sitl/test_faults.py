"""Faults: every one of them at any moment, and what each of the graver ones does."""

from __future__ import annotations

import itertools
import math

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import Wgs84Point
from sitl.__main__ import main
from sitl.autopilot import Personality
from sitl.faults import FAULTS, UnknownFault
from sitl.payload import LoadState
from tests.unit.sitl.ground_station import GroundStation, make_vehicle
from tests.unit.sitl.px4_station import Px4Station, px4


def flying(up_m: float = 20.0, **options: object) -> GroundStation:
    """hex10 under ArduCopter, hovering in GUIDED, the ground station's heartbeat on."""
    g = GroundStation(make_vehicle(airframe="hex10", parameters={"FENCE_ENABLE": 0}, **options))
    g.heartbeats = True
    for message in (33, 1, 193):
        g.stream(message)
    g.take_off(up_m)
    return g


def test_there_are_more_than_forty_and_each_says_what_it_is() -> None:
    assert len(FAULTS) >= 50
    for kind in FAULTS.values():
        assert kind.explanation
        assert kind.group in {"link", "sensors", "power", "weather", "gear", "traffic", "autopilot"}
        # A strength other than the plain 1 needs a unit to be understood.
        assert kind.unit or kind.default_strength == 1.0, kind.name


def test_the_command_lists_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults"]) == 0
    listed = capsys.readouterr().out
    assert all(f"  {name} " in listed for name in FAULTS)
    assert "[30 m]" in listed


def test_an_unknown_fault_is_refused_with_the_nearest_name() -> None:
    vehicle = make_vehicle()
    with pytest.raises(UnknownFault, match="did you mean winch_jam"):
        vehicle.faults.set("winch_jams")
    with pytest.raises(UnknownFault, match="known: "):
        vehicle.faults.plan("zzz", 5.0)


def _recorded(personality: Personality, seed: int) -> list[tuple[float, bytes]]:
    """Every frame of a flight in which all faults come and go, one after the other and overlapping."""
    vehicle = make_vehicle(airframe="hex10", autopilot=personality, seed=seed, parameters={})
    for index, name in enumerate(FAULTS):
        if name != "motors_cut":
            vehicle.faults.plan(name, 12.0 + index, duration_s=2.5)
    codec = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    heard: list[tuple[float, bytes]] = []
    for step in itertools.count():
        if vehicle.time_s > 80.0:
            return heard
        if step % 10 == 0:
            vehicle.receive(mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3).pack(codec))
        if step == 30:
            ap = personality is Personality.ARDUPILOT
            for values in ((176, 1, 4, 3 if not ap else 0), (400, 1)):
                padded = [*values, *[0.0] * (8 - len(values))]
                vehicle.receive(
                    mavlink.MAVLink_command_long_message(1, 1, int(padded[0]), 0, *padded[1:]).pack(codec)
                )
            height_m, here = (40.0, 0.0) if ap else (vehicle.launch_amsl_m + 40.0, math.nan)
            message = mavlink.MAVLink_command_long_message(1, 1, 22, 0, 0, 0, 0, here, here, here, height_m)
            vehicle.receive(message.pack(codec))
        vehicle.step(0.1)
        heard += [(vehicle.time_s, datagram) for datagram in vehicle.take_outgoing()]


@pytest.mark.parametrize("personality", list(Personality))
def test_all_faults_in_one_flight_are_survived_and_equal_seeds_are_equal(personality: Personality) -> None:
    first = _recorded(personality, 7)
    assert first == _recorded(personality, 7)
    assert first != _recorded(personality, 8)


def test_a_planned_fault_comes_and_goes_in_time() -> None:
    g = flying()
    at_s = g.vehicle.time_s + 3.0
    g.vehicle.faults.plan("wind_strong", at_s, 12.0, duration_s=4.0)
    g.run(2.5)
    assert "wind_strong" not in g.vehicle.faults
    g.run(1.0)
    assert g.vehicle.faults.active["wind_strong"] == 12.0
    assert math.hypot(*g.vehicle.body.wind_m_s[:2]) == pytest.approx(12.0 * math.sqrt(20 / 60), rel=0.05)
    g.run(4.0)
    assert "wind_strong" not in g.vehicle.faults
    assert g.vehicle.body.wind_m_s[0] == pytest.approx(0.0, abs=1e-9)


# --- link -------------------------------------------------------------------------------------
def test_a_delayed_link_delivers_everything_late() -> None:
    g = flying()
    g.vehicle.faults.set("link_delay", 1.0)
    g.run(1.2)
    start = len(g.heard)
    g.send(mavlink.MAVLink_command_long_message(1, 1, 511, 0, 33, 100_000, 0, 0, 0, 0, 0))
    g.run(2.2)
    (ack_s,) = [at for at, m in g.heard[start:] if m.get_type() == "COMMAND_ACK"]
    assert ack_s > g.heard[start][0]
    times = [m.time_boot_ms for _, m in g.heard[start:] if m.get_type() == "GLOBAL_POSITION_INT"]
    # Each is late by its own time, so they overtake one another, and none is lost.
    assert times != sorted(times)
    assert len(set(times)) >= 15


def test_loss_duplicates_and_corruption_have_the_share_asked_for() -> None:
    g = flying()
    vehicle = g.vehicle

    def datagrams(name: str, strength: float) -> list[bytes]:
        vehicle.faults.set(name, strength)
        sent: list[bytes] = []
        for _ in range(400):
            vehicle.step(0.1)
            sent += vehicle.take_outgoing()
        vehicle.faults.clear(name)
        return sent

    def whole(data: bytes) -> bool:
        ear = mavlink.MAVLink(None)
        ear.robust_parsing = True
        return all(m.get_type() != "BAD_DATA" for m in ear.parse_buffer(data) or ())

    plain = datagrams("winch_silent", 1.0)
    assert all(map(whole, plain))
    assert len(datagrams("link_packet_loss", 0.5)) == pytest.approx(len(plain) * 0.5, rel=0.2)
    assert len(datagrams("link_duplicate", 0.4)) == pytest.approx(len(plain) * 1.4, rel=0.15)
    torn = datagrams("link_corrupt", 0.4)
    assert len(torn) == pytest.approx(len(plain), rel=0.05)
    assert sum(not whole(data) for data in torn) == pytest.approx(len(torn) * 0.4, rel=0.2)


def test_a_flapping_link_is_down_half_the_time() -> None:
    g = flying()
    g.vehicle.faults.set("link_flap", 4.0)
    start = len(g.heard)
    g.run(20)
    heard_s = sorted({round(at, 1) for at, m in g.heard[start:] if m.get_type() == "GLOBAL_POSITION_INT"})
    gaps = [later - earlier for earlier, later in itertools.pairwise(heard_s)]
    assert sum(gap > 1.8 for gap in gaps) >= 4


def test_forged_and_replayed_frames_bear_the_vehicles_id() -> None:
    g = flying()
    g.vehicle.faults.set("link_forged", 10.0)
    start = len(g.heard)
    g.run(10)
    liars = [m for _, m in g.heard[start:] if m.get_type() == "GLOBAL_POSITION_INT" and m.lat == 5_000_000]
    assert len(liars) >= 10
    assert {m.get_srcSystem() for m in liars} == {1}
    g.vehicle.faults.clear("link_forged")
    g.vehicle.faults.set("link_replayed", 10.0)
    start = len(g.heard)
    g.run(10)
    times = [m.time_boot_ms for _, m in g.heard[start:] if m.get_type() == "GLOBAL_POSITION_INT"]
    assert any(later < earlier for earlier, later in itertools.pairwise(times))


# --- sensors ----------------------------------------------------------------------------------
def test_a_spoofed_vehicle_believes_to_stay_and_is_drawn_away() -> None:
    g = flying()
    g.vehicle.faults.set("gps_spoof", 2.0)
    g.run(20)
    body = g.vehicle.body
    assert math.hypot(body.north_m, body.east_m) == pytest.approx(40, abs=6)
    assert math.hypot(*body.believed_north_east_m) < 6


def test_gps_noise_has_the_spread_asked_for() -> None:
    vehicle = make_vehicle()
    vehicle.faults.set("gps_noise", 3.0)
    errors = []
    for _ in range(6000):
        vehicle.step(0.1)
        errors.extend(vehicle.body.position_error_m)
    spread = math.sqrt(sum(error * error for error in errors) / len(errors))
    # 600 s are some 20 correlation times on each of two axes: a wide but telling band.
    assert 1.8 < spread < 4.5


def test_a_drifting_barometer_lowers_the_vehicle_and_nobody_sees_it() -> None:
    g = flying()
    g.vehicle.faults.set("barometer_drift", 6.0)
    g.run(125)
    assert g.vehicle.body.up_m == pytest.approx(14, abs=0.7)
    assert g.of("GLOBAL_POSITION_INT")[-1].relative_alt == pytest.approx(20_000, abs=700)


@pytest.mark.parametrize("personality", list(Personality))
def test_an_estimator_that_fails_brings_the_vehicle_down(personality: Personality) -> None:
    if personality is Personality.PX4:
        g: GroundStation = Px4Station(px4())
        g.take_off(15)
    else:
        g = flying(15)
    g.vehicle.faults.set("ekf_failure")
    g.run_until(lambda: g.vehicle.mode in ("LAND", "DESCEND"), 15)
    g.run_until(lambda: not g.vehicle.armed, 60)


def test_a_wrong_compass_makes_it_circle_where_a_right_one_holds() -> None:
    def farthest_m(fault: bool) -> float:
        g = flying()
        if fault:
            g.vehicle.faults.set("compass_error", 60.0)
        g.vehicle.faults.set("wind_strong", 6.0, duration_s=3.0)
        most = 0.0
        for _ in range(200):
            g.run(0.1)
            most = max(most, math.hypot(g.vehicle.body.north_m, g.vehicle.body.east_m))
        return most

    assert farthest_m(True) > 2.0 * farthest_m(False)


@pytest.mark.parametrize(
    ("name", "bit"),
    [("compass_loss", 0x4), ("barometer_loss", 0x8), ("imu_fault", 0x3), ("ekf_failure", 0x200000)],
)
def test_broken_sensors_are_unhealthy_and_prevent_arming(name: str, bit: int) -> None:
    for g in (GroundStation(make_vehicle()), Px4Station(px4())):
        g.stream(1)
        g.vehicle.faults.set(name)
        g.heartbeats = True
        g.run(3)
        assert g.of("SYS_STATUS")[-1].onboard_control_sensors_health & bit == 0
        assert g.arm() in (1, 4)
        assert not g.vehicle.armed


# --- power ------------------------------------------------------------------------------------
@pytest.mark.parametrize("personality", list(Personality))
def test_low_warns_and_critical_acts(personality: Personality) -> None:
    if personality is Personality.PX4:
        g: GroundStation = Px4Station(px4())
        g.take_off(15)
        home = ("AUTO_RTL",)
    else:
        g = flying(15)
        # Far out: a landing that is under way goes on whatever is critical (FS_OPTIONS 8).
        g.vehicle.autopilot.guided_go(150.0, 0.0, 15.0)
        g.run(25)
        home = ("LAND",)
    g.vehicle.faults.set("battery_low")
    g.run(3)
    assert any("attery" in text for text in g.texts())
    g.vehicle.faults.set("battery_critical")
    g.run(12)
    assert g.vehicle.mode in home


def test_six_rotors_survive_the_loss_of_one_and_four_do_not() -> None:
    def lowest_m(airframe: str) -> float:
        g = GroundStation(make_vehicle(airframe=airframe, parameters={"FENCE_ENABLE": 0}, loaded=False))
        g.heartbeats = True
        g.take_off(20)
        g.vehicle.faults.set("motor_loss")
        g.run(12)
        return g.vehicle.body.up_m

    assert lowest_m("hex10") > 15
    assert lowest_m("arducopter_sitl_quad") < 1


def test_a_dead_cell_and_a_leak_show_in_the_battery() -> None:
    g = flying()
    volts = g.vehicle.body.voltage_v
    g.vehicle.faults.set("battery_cell_loss")
    g.run(1)
    assert g.vehicle.body.voltage_v == pytest.approx(volts * 5 / 6, rel=0.03)
    g.vehicle.faults.clear("battery_cell_loss")
    g.run(30)

    def used_ah() -> float:
        before = g.vehicle.body.consumed_ah
        g.run(10)
        return g.vehicle.body.consumed_ah - before

    plain = used_ah()
    g.vehicle.faults.set("battery_leak", 36.0)
    assert used_ah() - plain == pytest.approx(0.1, rel=0.1)


# --- weather ----------------------------------------------------------------------------------
def test_rain_heat_and_cold_cost_what_they_should() -> None:
    g = flying()

    def power_w() -> float:
        g.run(3)
        before, since = g.vehicle.body.energy_wh, g.vehicle.time_s
        g.run(10)
        return (g.vehicle.body.energy_wh - before) * 3600.0 / (g.vehicle.time_s - since)

    plain = power_w()
    g.vehicle.faults.set("rain", 50.0)
    assert power_w() / plain == pytest.approx(1.06, abs=0.01)
    g.vehicle.faults.clear("rain")
    g.vehicle.faults.set("heat", 45.0)
    # Thinner air: the induced share grows with 1/√density.
    assert power_w() / plain == pytest.approx(1 + 0.67 * (math.sqrt(318.15 / 288.15) - 1), abs=0.015)
    g.vehicle.faults.clear("heat")
    warm_v = g.vehicle.body.voltage_v
    g.vehicle.faults.set("cold", -10.0)
    g.run(5)
    assert g.vehicle.body.voltage_v < warm_v


def test_gusts_swell_and_fade() -> None:
    g = flying(60)
    g.vehicle.faults.set("wind_gust", 10.0)
    speeds = []
    for _ in range(160):
        g.run(0.1)
        speeds.append(math.hypot(*g.vehicle.body.wind_m_s[:2]))
    assert max(speeds) == pytest.approx(10, abs=0.3)
    assert min(speeds) < 0.5


def test_a_downdraught_pushes_down() -> None:
    g = flying()
    g.run(5)
    before_m = g.vehicle.body.up_m
    g.vehicle.faults.set("downdraught", 5.0)
    g.run(0.5)
    assert g.vehicle.body.wind_m_s[2] == -5.0
    assert g.vehicle.body.up_m < before_m - 0.01


# --- gear, traffic, autopilot -----------------------------------------------------------------
def test_a_lost_load_falls() -> None:
    g = flying()
    g.vehicle.faults.set("load_lost")
    assert g.vehicle.payload.load is LoadState.DROPPED


def test_a_runaway_winch_pays_out_by_itself_and_a_slow_one_takes_longer() -> None:
    g = flying()
    g.vehicle.faults.set("winch_runaway", duration_s=3.0)
    g.run(3.5)
    assert g.vehicle.payload.line_length_m == pytest.approx(7.7, abs=0.5)
    slow = flying()
    slow.vehicle.faults.set("winch_slow", 0.25)
    slow.command(42600, 1, 1, 4.0)
    slow.run(5)
    assert 1.5 < slow.vehicle.payload.line_length_m < 3.5


def test_an_occupied_pad_is_landed_on_higher_up() -> None:
    g = flying()
    g.vehicle.faults.set("pad_occupied", 0.6)
    g.mode(9)
    g.run_until(lambda: not g.vehicle.armed, 90)
    assert g.vehicle.body.up_m == pytest.approx(0.6, abs=0.02)


def test_an_intruder_reports_itself_and_passes_overhead() -> None:
    g = flying()
    g.vehicle.faults.set("intruder", 50.0)
    g.run(62)
    reports = g.of("ADSB_VEHICLE")
    assert 60 <= len(reports) <= 64
    frame = g.vehicle.body.frame

    def distance_m(report: object) -> float:
        offset = frame.to_enu(Wgs84Point(report.lat * 1e-7, report.lon * 1e-7))  # type: ignore[attr-defined]
        return math.hypot(offset.north_m, offset.east_m)

    assert distance_m(reports[0]) == pytest.approx(3000, abs=60)
    assert min(distance_m(report) for report in reports) < 60


@pytest.mark.parametrize("personality", list(Personality))
def test_pilot_takeover_mission_loss_and_reboot(personality: Personality) -> None:
    g: GroundStation
    if personality is Personality.PX4:
        g = Px4Station(px4())
        assert g.upload([g.item(22, 0, 0, 15, frame=6)]) == 0
        g.take_off(15)
    else:
        g = flying(15)
        assert g.upload([g.item(16, 0, 0, 0), g.item(22, 0, 0, 15)]) == 0
    g.vehicle.faults.set("mission_lost")
    assert g.download() == []
    g.vehicle.faults.set("pilot_takeover")
    g.run(1.0)
    assert g.vehicle.mode in ("LOITER", "POSCTL")
    before_ms = g.vehicle.autopilot.time_boot_ms
    g.vehicle.faults.set("autopilot_reboot")
    g.run(5)
    assert g.vehicle.autopilot.time_boot_ms < before_ms
    assert not g.vehicle.armed
    # In the air a reboot is a fall.
    g.run(5)
    assert g.vehicle.body.on_ground


def test_frozen_telemetry_repeats_and_a_wrong_clock_is_off() -> None:
    g = flying()
    g.vehicle.faults.set("telemetry_frozen")
    g.run(0.3)
    start = len(g.heard)
    g.run(3)
    stuck = {m.time_boot_ms for _, m in g.heard[start:] if m.get_type() == "GLOBAL_POSITION_INT"}
    assert len(stuck) == 1
    right = g.vehicle.autopilot.unix_us
    g.vehicle.faults.set("clock_wrong", 100.0)
    assert g.vehicle.autopilot.unix_us - right == 100_000_000
