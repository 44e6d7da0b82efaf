"""Commands over bad links, thousands of times: what must not be repeated is never executed twice.

``python -m tests.campaign.lossy_commands --runs 10000 --seed 1``

Each run is one conversation in virtual time: loss up to 60 % each way, delays up to 2 s (so packets overtake
each other), and on signed links doubled and replayed packets too. The vehicle is built on pymavlink and
executes every copy that it accepts, as real receivers do; each call carries a mark, so executions are counted
call by call. («answered executed 0» is an earlier call's answer that came late: an acknowledgement names only
the command, and is never taken for an effect.) On an unsigned link no sender can help against a network that
doubles packets: there only loss, delay and order are played, and the answer to doubling is signing.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as foreign

from core.clock import LoopClock
from core.virtual_time import run_virtual
from flight.links.mavlink.command import Command, CommandResult, RetryClass
from flight.links.mavlink.connection import LinkClaim, VehicleConnection
from flight.links.mavlink.link import Link
from flight.links.mavlink.signing import KeySigner, SignatureGuard, SigningKey, SigningTimes, ticks_of

KEY = SigningKey(bytes(range(7, 39)))
SYSTEM = 7
COMMANDS = (
    (42600, RetryClass.NEVER),  # DO_WINCH, a relative length
    (224, RetryClass.CHECK_FIRST),  # DO_SET_MISSION_CURRENT
    (246, RetryClass.NEVER),  # reboot
    (400, RetryClass.IDEMPOTENT),  # arm
    (176, RetryClass.IDEMPOTENT),  # mode
)
CALLS = 6


class Vehicle:
    """Executes every copy of a command that gets through, and answers in its own way."""

    def __init__(self, rng: random.Random, *, signed: bool, clock: LoopClock) -> None:
        self.executed: Counter[int] = Counter()
        self._rng = rng
        self._mav = foreign.MAVLink(None, srcSystem=SYSTEM, srcComponent=1)
        self._mav.robust_parsing = True
        if signed:
            self._mav.signing.secret_key = KEY.secret
            self._mav.signing.timestamp = ticks_of(clock.now())
            self._mav.signing.sign_outgoing = True

    def pack(self, message: Any) -> bytes:
        return bytes(message.pack(self._mav))

    def receive(self, data: bytes) -> list[tuple[float, bytes]]:
        """Frames to send back, each with its delay."""
        answers: list[tuple[float, bytes]] = []
        for message in self._mav.parse_buffer(bytearray(data)) or []:
            if message.get_type() not in ("COMMAND_LONG", "COMMAND_INT"):
                continue
            mark = int(message.param1)
            self.executed[mark] += 1
            results = self._rng.choice(((0,), (0,), (0,), (5, 0), (5, 5, 0), (4,), ()))
            for turn, result in enumerate(results):
                ack = foreign.MAVLink_command_ack_message(
                    message.command, result, target_system=255, target_component=190
                )
                answers.append((turn * self._rng.uniform(0.1, 2.0), self.pack(ack)))
        return answers


class Network:
    """A transport that loses, delays, doubles and replays."""

    datagrams = True

    def __init__(self, vehicle: Vehicle, rng: random.Random, *, doubling: bool) -> None:
        self.vehicle = vehicle
        self._rng = rng
        self._loss = rng.uniform(0.0, 0.6)
        self._latest_s = rng.choice((0.01, 0.3, 2.0))
        self._double = rng.uniform(0.0, 0.5) if doubling else 0.0
        self._on_data: Callable[[bytes, Hashable], None] | None = None
        self.carried: list[bytes] = []

    async def open(self, on_data: Callable[[bytes, Hashable], None], on_closed: Any) -> None:
        self._on_data = on_data

    def _post(self, deliver: Callable[[bytes], None], data: bytes, after_s: float = 0.0) -> None:
        for _ in range(1 + (self._rng.random() < self._double) + (self._rng.random() < self._double / 4)):
            if self._rng.random() >= self._loss:
                delay_s = after_s + self._rng.uniform(0.0, self._latest_s)
                asyncio.get_running_loop().call_later(delay_s, deliver, data)

    def send(self, data: bytes, peer: Hashable) -> None:
        self._post(self._at_vehicle, data)
        if self._double and self._rng.random() < 0.1 and self.carried:
            self._post(self._at_vehicle, self._rng.choice(self.carried))  # somebody plays a recording
        self.carried.append(data)

    def _at_vehicle(self, data: bytes) -> None:
        for after_s, answer in self.vehicle.receive(data):
            self._post(self._at_us, answer, after_s)

    def _at_us(self, data: bytes) -> None:
        if self._on_data is not None:
            self._on_data(data, None)

    async def close(self) -> None:
        self._on_data = None


@dataclass(slots=True)
class Tally:
    """What a campaign saw. ``wrong`` names each failure by its seed."""

    calls: Counter[str] = field(default_factory=Counter)
    repeated_idempotent: int = 0
    wrong: list[str] = field(default_factory=list)


def conversation(seed: int, tally: Tally) -> None:
    """One run; adds to ``tally``."""
    rng = random.Random(seed)
    signed = rng.random() < 0.6

    async def play() -> None:
        clock = LoopClock()
        vehicle = Vehicle(rng, signed=signed, clock=clock)
        network = Network(vehicle, rng, doubling=signed)
        claim = LinkClaim(Link(lambda: network, clock), SYSTEM)
        if signed:
            times = SigningTimes(clock)
            guard = SignatureGuard(times)
            claim.signing = guard.expect(SYSTEM, KEY)
            claim.signer = KeySigner(KEY, times)
            claim.link.guard = guard
        link = VehicleConnection(SYSTEM, claim, clock)
        running = asyncio.create_task(link.run())
        await clock.sleep(0.01)
        try:
            outcomes = []
            for mark in range(1, CALLS + 1):
                number, retry = rng.choice(COMMANDS)
                command = Command(number, param1=float(mark), retry=retry, integer=rng.random() < 0.3)
                outcomes.append((mark, retry, await link.command(command)))
            await clock.sleep(6.0)  # whatever is still on its way arrives
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        for mark, retry, outcome in outcomes:
            copies = vehicle.executed[mark]
            word = "unanswered" if outcome.unanswered else "answered"
            tally.calls[f"{retry.value} {word} executed {min(copies, 2)}"] += 1
            if retry is RetryClass.IDEMPOTENT:
                tally.repeated_idempotent += copies > 1
            elif copies > 1 or outcome.sent != 1:
                tally.wrong.append(f"seed {seed}: {retry} sent {outcome.sent} times, executed {copies} times")
            if outcome.result is CommandResult.IN_PROGRESS:
                tally.wrong.append(f"seed {seed}: IN_PROGRESS was taken for an end")

    run_virtual(play())


def campaign(runs: int, seed: int) -> Tally:
    """``runs`` conversations from ``seed`` on."""
    tally = Tally()
    for number in range(runs):
        conversation(seed + number, tally)
    return tally


def main() -> int:
    """1 if a single command that must not be repeated was."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.lossy_commands", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began_s = time.process_time()
    tally = campaign(arguments.runs, arguments.seed)
    for what, count in sorted(tally.calls.items()):
        print(f"{count:8d}  {what}")
    print(f"{tally.repeated_idempotent} harmless repetitions, {time.process_time() - began_s:.0f} s of CPU")
    for line in tally.wrong:
        print(line)
    print(f"{arguments.runs} runs, {len(tally.wrong)} wrong")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
