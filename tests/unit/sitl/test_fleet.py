"""The fleet: command line, site files, sockets and pacing."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.errors import ErrorCode, InternalError
from core.geodesy import Wgs84Point, geodesic_distance_m
from sitl.__main__ import main
from sitl.fleet import Fleet, PortBusy
from sitl.pacing import LONGEST_JUMP_S, Pacer
from sitl.site import lay_out, read_site
from sitl.weather import Wind

SITE = Path(__file__).parents[3] / "examples" / "sites" / "baoan.json"
HOME = Wgs84Point(22.58, 113.88)


def small_site() -> dict[str, Any]:
    place = {"latitude_deg": 22.58, "longitude_deg": 113.88}
    return {
        "stations": [{"station_id": "st", "position": place, "ground_amsl_m": 7.0}],
        "drones": [
            {"drone_id": "d1", "station_id": "st", "system_id": 4, "link": "udpout:127.0.0.1:15123"},
        ],
        "landing_points": [
            {"position": {"latitude_deg": 22.59, "longitude_deg": 113.88}, "ground_amsl_m": 31.0}
        ],
    }


def written(folder: Path, content: Any) -> Path:
    path = folder / "site.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_the_demonstration_site_gives_one_berth_per_drone() -> None:
    content = json.loads(SITE.read_text(encoding="utf-8"))
    layout = read_site(SITE)
    assert [berth.system_id for berth in layout.berths] == [drone["system_id"] for drone in content["drones"]]
    assert len({berth.port for berth in layout.berths}) == len(layout.berths)


def test_ground_heights_come_from_listed_points_nearby(tmp_path: Path) -> None:
    layout = read_site(written(tmp_path, small_site()))
    ground = layout.terrain(layout.berths[0])
    assert ground(Wgs84Point(22.5901, 113.8801)) == 31.0
    assert ground(Wgs84Point(22.5850, 113.8800)) == 7.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda site: site["drones"][0].update(link="tcp:127.0.0.1:5760"), "udpout"),
        (lambda site: site["drones"][0].update(link="udpout:10.0.0.9:14550"), "loopback"),
        (lambda site: site["drones"][0].update(station_id="elsewhere"), "elsewhere"),
        (lambda site: site["stations"][0].update(ground_amsl_m="low"), "ground_amsl_m"),
        (lambda site: site.pop("drones"), "drones"),
    ],
    ids=["scheme", "host", "station", "number", "section"],
)
def test_a_bad_site_file_says_what_is_wrong(tmp_path: Path, change: Any, said: str) -> None:
    site = small_site()
    change(site)
    with pytest.raises(InternalError, match=said) as caught:
        read_site(written(tmp_path, site))
    assert caught.value.code is ErrorCode.SITE_FILE_INVALID


def test_laid_out_vehicles_stand_apart_and_count_up() -> None:
    layout = lay_out(3, base_port=16000, home=HOME, ground_amsl_m=2.0, airframe_id="hex10")
    assert [berth.port for berth in layout.berths] == [16000, 16001, 16002]
    assert [berth.system_id for berth in layout.berths] == [1, 2, 3]
    assert geodesic_distance_m(layout.berths[0].place, layout.berths[2].place) == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--site", "no/such/file.json"],
        ["--airframe", "zeppelin"],
        ["--param", "NO_SUCH_PARAMETER=1"],
        ["--wind-speed-m-s", "-3"],
    ],
    ids=["site", "airframe", "parameter", "wind"],
)
def test_what_is_wrong_is_one_clear_line_and_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "--base-port", "0", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_a_busy_port_is_one_clear_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert main(["fleet", "--base-port", str(port)]) == 2
    said = capsys.readouterr().err
    assert str(port) in said
    assert len(said.strip().splitlines()) == 1


def test_one_busy_port_frees_the_ports_already_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        layout = lay_out(2, base_port=port - 1, home=HOME, ground_amsl_m=0.0, airframe_id="hex10")
        with pytest.raises(PortBusy):
            Fleet(layout, wind=Wind(), seed=1, speedup=1.0, ready_after_s=0.0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", port - 1))


def test_several_clients_each_get_their_answers() -> None:
    layout = lay_out(1, base_port=0, home=HOME, ground_amsl_m=0.0, airframe_id="hex10")
    fleet = Fleet(layout, wind=Wind(), seed=1, speedup=1.0, ready_after_s=0.0)
    try:
        post = fleet.posts[0]
        address = post.socket.getsockname()
        heard: list[list[str]] = []
        clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        for number, client in enumerate(clients):
            client.settimeout(2.0)
            codec = mavlink.MAVLink(None, srcSystem=250 + number, srcComponent=190)
            wanted = 148 if number else 242
            client.sendto(
                mavlink.MAVLink_command_long_message(1, 1, 512, 0, wanted, 0, 0, 0, 0, 0, 0).pack(codec),
                address,
            )
        for _ in range(20):
            post.receive(0.0)
            post.vehicle.step(0.1)
            post.send()
        for number, client in enumerate(clients):
            codec = mavlink.MAVLink(None, srcSystem=250 + number, srcComponent=190)
            messages: list[Any] = []
            client.setblocking(False)
            while True:
                try:
                    messages += codec.parse_buffer(client.recv(65535)) or []
                except BlockingIOError:
                    break
            heard.append([message.get_type() for message in messages])
            client.close()
        assert "AUTOPILOT_VERSION" not in heard[0]
        assert heard[1].count("AUTOPILOT_VERSION") == heard[2].count("AUTOPILOT_VERSION") == 1
        assert all("HEARTBEAT" in kinds for kinds in heard)
    finally:
        fleet.close()


class TickingClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_pacing_is_exact_whatever_the_rhythm_of_the_calls() -> None:
    clock = TickingClock()
    pacer = Pacer(7.0, clock=clock)
    given_s = 0.0
    for index in range(1000):
        clock.now_s += 0.001 + 0.0137 * (index % 7)
        given_s += pacer.due_s()
    assert given_s == pytest.approx((clock.now_s - 100.0) * 7.0, rel=1e-9)
    assert pacer.skipped_s == 0.0


def test_after_a_standstill_it_catches_up_to_a_limit_and_counts_the_rest() -> None:
    clock = TickingClock()
    pacer = Pacer(10.0, clock=clock)
    clock.now_s += 1.5
    assert pacer.due_s() == pytest.approx(15.0)
    clock.now_s += 60.0
    assert pacer.due_s() == pytest.approx(10.0 * LONGEST_JUMP_S)
    assert pacer.skipped_s == pytest.approx(60.0 - LONGEST_JUMP_S)
    clock.now_s += 0.1
    assert pacer.due_s() == pytest.approx(1.0)


@pytest.mark.parametrize("speedup", [0.0, -1.0])
def test_time_does_not_stand_still_or_run_backwards(speedup: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Pacer(speedup)
