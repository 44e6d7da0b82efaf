"""What a vehicle says in a second when only what a controller needs is asked for: 14 messages, built by pymavlink.

Run as a process, ``python -m bench.flight_traffic PORT …``, it plays a fleet: vehicles spread over the ports
on loopback, each with its own key, in real time and evenly. Prints one JSON line when it is done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from pymavlink.dialects.v20 import ardupilotmega as mavlink

MESSAGES_PER_S = 14
TICKS_PER_S = 100_000
SIGNING_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


def key_of(vehicle: int) -> bytes:
    """The signing key of a vehicle of the fleet."""
    return hashlib.sha256(f"vehicle {vehicle}".encode()).digest()


def ticks_now() -> int:
    """Signing time: 10 µs since 2015."""
    return int((datetime.now(UTC) - SIGNING_EPOCH).total_seconds() * TICKS_PER_S)


def messages_of_a_second(second: int) -> list[mavlink.MAVLink_message]:
    """5 positions, 2 mission states, 7 others, with numbers that fill their fields."""
    boot_ms = 600_000 + second * 1000
    found: list[mavlink.MAVLink_message] = [
        mavlink.MAVLink_heartbeat_message(2, 3, 209, 3, 4, 3),
        mavlink.MAVLink_sys_status_message(
            0x5361FC2F, 0x5361FC2F, 0x5361FC2F, 420, 23_400, 4512, 78, 0, 0, 0, 0, 0, 0
        ),
        mavlink.MAVLink_battery_status_message(
            0, 0, 1, 3120, [3900, 3905, 3910, 3899, 3901, 3902, *[65535] * 4], 4512, 9000, 24_000, 78
        ),
        mavlink.MAVLink_gps_raw_int_message(
            boot_ms * 1000, 4, 225_700_000, 1_138_800_000, 65_500, 70, 110, 1990, 9000, 17
        ),
        mavlink.MAVLink_ekf_status_report_message(831, 0.02, 0.03, 0.05, 0.01, 0.0),
        mavlink.MAVLink_extended_sys_state_message(0, 2),
        mavlink.MAVLink_wind_message(-91.5, 6.2, 0.1),
    ]
    for part in range(2):
        found.append(mavlink.MAVLink_mission_current_message(4 + part, 22, 3, 1))
    for part in range(5):
        found.append(
            mavlink.MAVLink_global_position_int_message(
                boot_ms + 200 * part, 225_700_000 + 900 * part, 1_138_800_000 - 300 * part,
                65_500, 60_250, 1400, -1390, 12, 31_500,
            )
        )  # fmt: skip
    assert len(found) == MESSAGES_PER_S
    return found


def sender(system_id: int, key: bytes | None) -> mavlink.MAVLink:
    """Packs as that vehicle's autopilot."""
    mav = mavlink.MAVLink(None, srcSystem=system_id, srcComponent=1)
    if key is not None:
        mav.signing.secret_key = key
        mav.signing.timestamp = ticks_now()
        mav.signing.sign_outgoing = True
    return mav


def frames(mav: mavlink.MAVLink, seconds: int) -> Iterator[bytes]:
    """What one vehicle sends."""
    for second in range(seconds):
        for message in messages_of_a_second(second):
            yield bytes(message.pack(mav))
            mav.seq = (mav.seq + 1) % 256


def _fleet(vehicles: int, ports: list[int], seconds: int, signed: bool) -> list[tuple[bytes, int]]:
    """Every frame with its port, in the order of sending; vehicle n is system n // ports + 1 on port n % ports."""
    each = [
        list(frames(sender(number // len(ports) + 1, key_of(number) if signed else None), seconds))
        for number in range(vehicles)
    ]
    return [
        (each[number][turn], ports[number % len(ports)])
        for turn in range(MESSAGES_PER_S * seconds)
        for number in range(vehicles)
    ]


def main() -> None:
    """Build everything, then send it in time."""
    parser = argparse.ArgumentParser(prog="python -m bench.flight_traffic", description=__doc__)
    parser.add_argument("ports", nargs="+", type=int)
    parser.add_argument("--vehicles", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--speedup", type=float, default=1.0)
    parser.add_argument("--unsigned", action="store_true")
    arguments = parser.parse_args()
    queue = _fleet(arguments.vehicles, arguments.ports, arguments.seconds, not arguments.unsigned)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for port in arguments.ports:
        out.sendto(queue[0][0], ("127.0.0.1", port))  # lets a listener that waits for somebody begin
    print(json.dumps({"ready": len(queue)}), flush=True)
    input()
    rate = arguments.vehicles * MESSAGES_PER_S * arguments.speedup
    began_s = time.perf_counter()
    sent = 0
    while sent < len(queue):
        due = min(len(queue), int((time.perf_counter() - began_s) * rate) + 1)
        for frame, port in queue[sent:due]:
            out.sendto(frame, ("127.0.0.1", port))
        sent = due
        time.sleep(0.002)
    print(json.dumps({"sent": sent, "took_s": time.perf_counter() - began_s}), flush=True)


if __name__ == "__main__":
    main()
