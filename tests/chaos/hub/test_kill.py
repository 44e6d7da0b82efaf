"""kill -9 at random moments of an order's life: nothing lost, nothing doubled, and the truth is told.

Hub and vehicles are processes of their own; vehicles fly on while nobody is there. The seed names
the moments and is printed with a failure.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.chaos.hub.processes import HubProcess, site_file, vehicles

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

SPEEDUP = 4.0
FINAL = {"CLOSED", "FAILED", "CANCELLED", "DECLINED"}
BODY = {
    "position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901},
    "severity": "I",
}


def place(hub: HubProcess, key: str) -> httpx.Response:
    return hub.client.post("/v1/orders", json=BODY, headers={"Idempotency-Key": key})


def place_and_kill(hub: HubProcess, key: str, after_s: float) -> None:
    """Send an order and kill the hub so soon after that the answer may or may not come."""

    def post() -> None:
        try:
            place(hub, key)
        except httpx.TransportError:
            return

    sender = threading.Thread(target=post)
    sender.start()
    time.sleep(after_s)
    hub.kill()
    sender.join()


@pytest.mark.parametrize("seed", [1])
def test_a_hub_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path, seed: int):
    chance = random.Random(seed)
    site = site_file(tmp_path, drones=2)
    hub = HubProcess(tmp_path, site, SPEEDUP)
    with vehicles(tmp_path, site, SPEEDUP, seed):
        try:
            hub.start()
            hub.weather()
            hub.until_ready(2)
            place_and_kill(hub, "call", after_s=chance.uniform(0.0, 0.08))
            back_s = [hub.start()]
            hub.weather()
            answer = place(hub, "call")
            assert answer.status_code in (200, 201), answer.text
            order_id = answer.json()["order_id"]
            assert answer.json()["decision"]["outcome"] == "accepted", answer.text
            for _ in range(3):
                time.sleep(chance.uniform(0.05, 10.0))
                hub.kill()
                back_s.append(hub.start())
                hub.weather()
            order = until_final(hub, order_id)
            check(hub, order, seed)
            print(f"seed {seed}: {order['state']}, back after {', '.join(f'{s:.1f}' for s in back_s)} s")
            # A hub that is asked to go goes quietly (uvicorn raises the signal again at the end).
            assert hub.stop() in (0, -signal.SIGTERM)
        finally:
            hub.close()


def until_final(hub: HubProcess, order_id: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + 200.0
    while True:
        order: dict[str, Any] = hub.client.get(f"/v1/orders/{order_id}").json()
        if order["state"] in FINAL:
            return order
        assert time.monotonic() < deadline_s, order
        time.sleep(0.2)


def check(hub: HubProcess, order: dict[str, Any], seed: int) -> None:
    told = hub.events(order["order_id"])
    story = "\n".join(f"{e['at']} {e['drone_id']} {e['kind']} {e['state']} {e['detail']}" for e in told)
    assert order["state"] == "CLOSED", f"seed {seed}\n{story}"
    assert len(hub.client.get("/v1/orders").json()["orders"]) == 1
    flights = order["flights"]
    delivered = [flight for flight in flights if flight["aed_on_ground_at"]]
    assert len(delivered) == 1, story
    assert all(flight["safe_state"] in ("on_pad", "never_left_ground") for flight in flights), story
    kinds = Counter((e["kind"], e["flight_id"]) for e in told)
    for flight in flights:
        assert kinds["flight_ended", flight["flight_id"]] == 1, story
        assert kinds["aed_on_ground", flight["flight_id"]] == (flight in delivered), story
    message_ids = [e["data"]["event_id"] for e in told if "event_id" in e["data"]]
    assert len(message_ids) == len(set(message_ids)), story
    assert any(e["kind"] == "hub_restarted" for e in told), story
    # The vehicles agree: both stand on their pads, disarmed.
    for drone in hub.client.get("/v1/drones").json()["drones"]:
        assert drone["telemetry"]["armed"] is False, drone
        assert drone["mission_id"] is None
