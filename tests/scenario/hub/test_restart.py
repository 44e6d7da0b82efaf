"""The hub and its agents are gone in mid-flight; the vehicle flies on; a new hub learns the truth and says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.virtual_time import run_virtual
from tests.scenario.hub.stage import Fleet, baoan, flying, stage
from tests.scenario.hub.test_order_to_pad import at_home, put_down, wgs84


@pytest.mark.parametrize(
    ("gone_at", "away_s"),
    [("LAUNCHING", 0.3), ("AIRBORNE", 8.0), ("DELIVERING", 3.0), ("RETURNING", 5.0), ("RETURNING", 240.0)],
)
def test_a_hub_gone_in_mid_flight_comes_back_to_the_truth(tmp_path: Path, gone_at: str, away_s: float):
    async def main() -> None:
        fleet = Fleet.of(baoan(1))
        async with flying(fleet) as clock:
            async with stage(tmp_path, fleet, clock) as s:
                await s.until_ready(1)
                order = await s.order("call-1", position=wgs84(22.5601, 113.8901), severity="I")
                order_id = order["order_id"]
                await s.until(order_id, gone_at)
            await clock.sleep(away_s)
            async with stage(tmp_path, fleet, clock, seed=2) as s:
                done = await s.until(order_id, "CLOSED", "FAILED", "CANCELLED")
                text = (await s.client.get(f"/v1/orders/{order_id}/events")).text
                assert "event: hub_restarted" in text
                assert done["state"] == "CLOSED", text
                assert all(flight["safe_state"] is not None for flight in done["flights"])
                # Each thing is told once, however often it was said.
                ids = [line for line in text.splitlines() if line.startswith("id: ")]
                assert len(ids) == len(set(ids))
                assert text.count("event: aed_on_ground") == 1
                assert text.count("event: flight_ended") == len(done["flights"])
        delivered = [put_down(vehicle) for vehicle in fleet.vehicles.values() if put_down(vehicle)]
        assert delivered == [["0.00 m above ground"]]
        assert all(at_home(vehicle) for vehicle in fleet.vehicles.values())

    run_virtual(main())
