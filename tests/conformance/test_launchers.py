"""Launchers start what is named, wait for its word, and leave nothing behind. Played with a stand-in program."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core.geodesy import Wgs84Point
from sitl.autopilot import Personality
from sitl.launchers import Home, LaunchError, find_program, launched, pads, start
from sitl.launchers.ardupilot import DEFAULTS_VARIABLE
from sitl.launchers.programs import Order
from sitl.launchers.px4 import INSTANCES_MAX
from sitl.launchers.px4 import start as start_px4

STAND_IN = f"""#!{sys.executable}
import os, pathlib, socket, sys
from pymavlink.dialects.v20 import ardupilotmega as mavlink
number = int(sys.argv[sys.argv.index("-I") + 1])
pathlib.Path("pid").write_text(str(os.getpid()))
if "dies" in sys.argv[0]:
    sys.exit("no such frame: +")
ear = socket.create_server(("127.0.0.1", 5762 + 10 * number))
while True:
    peer, _ = ear.accept()
    codec = mavlink.MAVLink(None, srcSystem=number + 1, srcComponent=1)
    codec.robust_parsing = True
    peer.sendall(codec.heartbeat_encode(2, 3, 0, 0, 3).pack(codec))
"""
HOME = Home(Wgs84Point(22.5548, 113.8838), 6.0)
NUMBER = 150 + 5 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 10)
"""Ports that nothing else here uses, nor these tests in another worker."""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "arducopter"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    defaults = tmp_path / "copter.parm"
    defaults.write_text("")
    monkeypatch.setenv(DEFAULTS_VARIABLE, str(defaults))
    return program


def orders(program: Path, folder: Path, count: int = 1) -> list[Order]:
    return [
        Order(program=program, number=NUMBER + index, home=pad, folder=folder / str(index))
        for index, pad in enumerate(pads(HOME, count))
    ]


def lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.processes
def test_instances_speak_and_are_stopped_even_by_an_exception(stand_in: Path, tmp_path: Path) -> None:
    ids: list[int] = []

    def play() -> None:
        with launched(Personality.ARDUPILOT, orders(stand_in, tmp_path, 2)) as vehicles:
            ids.extend(vehicle.process_id for vehicle in vehicles)
            assert [vehicle.system_id for vehicle in vehicles] == [NUMBER + 1, NUMBER + 2]
            assert vehicles[1].link == f"tcp:127.0.0.1:{5770 + 10 * NUMBER}"
            assert all(lives(number) for number in ids)
            raise RuntimeError("in between")

    with pytest.raises(RuntimeError, match="in between"):
        play()
    assert len(ids) == 2
    assert not any(lives(number) for number in ids)


@pytest.mark.processes
def test_a_program_that_ends_is_told_with_its_last_word(stand_in: Path, tmp_path: Path) -> None:
    dies = stand_in.rename(tmp_path / "dies")
    with (
        pytest.raises(LaunchError, match=r"dies ended with code 1: no such frame"),
        launched(Personality.ARDUPILOT, orders(dies, tmp_path)),
    ):
        pytest.fail("it never spoke")


def command(program: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "proving_ground", "launch", "ardupilot", "--binary", str(program)),
        *("--first-instance", str(NUMBER), *more),
    ]


@pytest.mark.processes
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_autopilot_outlives_the_command(stand_in: Path, tmp_path: Path, ending: signal.Signals) -> None:
    folder = tmp_path / "work"
    process = subprocess.Popen(
        command(stand_in, "--folder", str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that put the tests into the background lets them, and all that they start, ignore SIGINT.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout is not None
        assert f"system id {NUMBER + 1} at tcp:" in process.stdout.readline()
        autopilot = int((folder / f"ardupilot-{NUMBER}" / "pid").read_text())
        assert lives(autopilot)
        process.send_signal(ending)
        process.communicate(timeout=30)
        assert process.returncode == (-signal.SIGKILL if ending is signal.SIGKILL else 0)
    finally:
        process.kill()
        process.communicate()
    end_s = time.monotonic() + 10.0
    while lives(autopilot) and time.monotonic() < end_s:
        time.sleep(0.05)
    assert not lives(autopilot)


@pytest.mark.processes
def test_what_is_wrong_is_one_line_and_exit_code_2(stand_in: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.txt"
    plain.write_text("no program")
    # Something else listens on the instance's port.
    with socket.create_server(("127.0.0.1", 5760 + 10 * NUMBER)):
        for arguments, word in (
            (command(stand_in), "is busy"),
            (command(tmp_path / "none"), "does not exist"),
            (command(plain), "is no executable"),
            (command(tmp_path), "is no executable"),
            (command(stand_in, "--home", "91,0,0"), "--home"),
            (command(stand_in, "--param", "WINCH_TYPE"), "--param"),
        ):
            done = subprocess.run(arguments, capture_output=True, text=True, check=False)
            assert done.returncode == 2, arguments
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr
            assert word in done.stderr


@pytest.mark.processes
def test_power_that_comes_back_is_not_held_up_by_who_listens_for_it(stand_in: Path, tmp_path: Path) -> None:
    (order,) = orders(stand_in, tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 5501 + 10 * NUMBER))
        with pytest.raises(LaunchError, match="is busy"):
            start(Personality.ARDUPILOT, order)
        vehicle = start(Personality.ARDUPILOT, replace(order, again=True))
        try:
            vehicle.wait_until_it_speaks()
            arguments = Path(f"/proc/{vehicle.process_id}/cmdline").read_bytes().split(b"\0")
            assert b"-w" not in arguments, "parameters must be kept"
        finally:
            vehicle.stop()


def test_a_program_is_only_what_a_person_names(stand_in: Path) -> None:
    variable = "DRONE_AED_ARDUCOPTER"
    assert find_program(Personality.ARDUPILOT, None, {variable: str(stand_in)}) == stand_in
    assert find_program(Personality.ARDUPILOT, stand_in, {variable: "/none"}) == stand_in
    with pytest.raises(LaunchError, match=f"set {variable}"):
        find_program(Personality.ARDUPILOT, None, {"DRONE_AED_PX4": str(stand_in)})
    with pytest.raises(LaunchError, match="etc does not exist"):
        start_px4(Order(program=stand_in, number=9, home=HOME, folder=stand_in.parent / "px4"))
    with pytest.raises(LaunchError, match="0 to 9"):
        start_px4(Order(program=stand_in, number=INSTANCES_MAX, home=HOME, folder=stand_in.parent))
