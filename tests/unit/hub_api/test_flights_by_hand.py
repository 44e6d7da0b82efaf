"""A drone whose computer lost its memory in flight: a person ends the flight, and it is written down who."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.hub_api.world import play, world

pytestmark = pytest.mark.usefixtures("each_database")
CLOSE = {"safe_state": "landed_elsewhere", "reason": "found in the park", "confirmed_by": "王工"}


def test_a_flight_nobody_will_end_is_ended_by_hand_and_the_order_goes_on(tmp_path: Path):
    async def before() -> tuple[str, str, str]:
        async with world(tmp_path) as w:
            order_id = (await w.order()).json()["order_id"]
            (flight,) = (await w.until(order_id, "AIRBORNE"))["flights"]
            refused = await w.client.post(f"/v1/flights/{flight['flight_id']}/close", json=CLOSE)
            assert refused.status_code == 409, "the drone itself reports the flight"
            return order_id, flight["flight_id"], flight["drone_id"]

    order_id, flight_id, drone_id = play(before())

    async def after() -> None:
        # The agents begin without their journals.
        async with world(tmp_path, seed=2) as w:
            await w.hub.clock.sleep(60.0)
            drone = (await w.client.get(f"/v1/drones/{drone_id}")).json()
            assert drone["mission_id"] is not None
            answer = await w.client.post(f"/v1/flights/{flight_id}/close", json=CLOSE)
            assert answer.status_code == 200, answer.text
            assert answer.json()["safe_state"] == "landed_elsewhere"
            assert (await w.client.get(f"/v1/drones/{drone_id}")).json()["mission_id"] is None
            # Nobody was helped by that flight: another drone brings the AED.
            order = await w.until(order_id, "CLOSED")
            assert [flight["drone_id"] == drone_id for flight in order["flights"]] == [True, False]
            told = [event for event in await w.events(order_id) if event["kind"] == "flight_closed_by_hand"]
            assert "王工" in told[0]["detail"]
            entries = (await w.client.get("/v1/audit", params={"subject": order_id})).json()["entries"]
            assert "flight_closed_by_hand" in {entry["action"] for entry in entries}
            again = await w.client.post(f"/v1/flights/{flight_id}/close", json=CLOSE)
            assert again.status_code == 409
            unknown = await w.client.post("/v1/flights/flt_none/close", json=CLOSE)
            assert unknown.status_code == 404

    play(after())
