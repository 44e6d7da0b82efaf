"""One reference, two places: never moved under a drone unsaid, never taken for one patient when far apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.hub_api.incident_words import ADDRESS, incident, kinds, report
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.world import PATIENT, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

STREET = PATIENT | {"latitude_deg": 22.5601 + 200.0 / 111_000.0}
ELSEWHERE = PATIENT | {"latitude_deg": 22.5601 + 4000.0 / 111_000.0}
SLOW = {f"bao-0{n}": Script(phase_s=200.0) for n in range(1, 5)}


def place(view: dict[str, Any]) -> float:
    found: float = view["position"]["latitude_deg"]
    return found


def codes(view: dict[str, Any]) -> list[str]:
    assert all(w["detail"].isascii() and not w["detail_zh"].isascii() for w in view["warnings"])
    return [warning["code"] for warning in view["warnings"]]


async def see(w: World, order_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await w.client.get(f"/v1/orders/{order_id}")).json()
    return found


def test_a_report_that_joins_leaves_the_place_that_a_drone_flies_to(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            order = (await w.order(incident_reference="BA-1")).json()
            assert order["warnings"] == []
            answer = await report(w, position=STREET, address=ADDRESS, floor=7)
            seen = answer.json()
            assert (answer.status_code, seen["incident_id"]) == (200, order["incident_id"])
            # What else it says is kept, and what it says of the place is told.
            assert (place(seen), seen["floor"], seen["address"]) == (PATIENT["latitude_deg"], 7, ADDRESS)
            assert codes(seen) == ["place_differs"]
            assert f"/v1/orders/{order['order_id']}/position" in seen["warnings"][0]["detail"]
            assert codes(await see(w, order["order_id"])) == ["place_differs"]
            told = await kinds(w, seen["incident_id"])
            assert told.count("place_differs") == 1
            # The same again is no news; a replay and a look say the same.
            assert codes((await report(w, "i2", position=STREET)).json()) == ["place_differs"]
            assert codes((await report(w, position=STREET, address=ADDRESS, floor=7)).json()) == [
                "place_differs"
            ]
            assert (await kinds(w, seen["incident_id"])).count("place_differs") == 1

    play(main())


def test_moving_the_drone_on_purpose_settles_it(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            order = (await w.order(incident_reference="BA-1")).json()
            await report(w, position=STREET)
            moved = await w.client.post(
                f"/v1/orders/{order['order_id']}/position",
                json={"position": STREET, "reason": "现场核实"},
                headers={"Idempotency-Key": "m"},
            )
            assert moved.status_code == 200, moved.text
            seen = await incident(w, order["incident_id"])
            assert (place(seen), codes(seen)) == (STREET["latitude_deg"], [])
            assert codes(await see(w, order["order_id"])) == []

    play(main())


def test_a_report_that_agrees_again_settles_it_too(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            order = (await w.order(incident_reference="BA-1")).json()
            await report(w, position=STREET)
            seen = (await report(w, "i2")).json()
            assert codes(seen) == []
            assert "place_agreed" in await kinds(w, order["incident_id"])

    play(main())


def test_a_place_may_be_told_that_the_drone_flies_to_already(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            incident_id = (await report(w)).json()["incident_id"]
            order = (await w.order(incident_reference="BA-1", position=STREET)).json()
            assert codes(order) == ["place_differs"]
            assert codes(await incident(w, incident_id)) == ["place_differs"]
            joined = (await report(w, "i2", position=STREET)).json()
            assert (place(joined), codes(joined)) == (STREET["latitude_deg"], [])

    play(main())


def test_without_an_open_order_the_newest_place_counts_and_a_far_one_is_said(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await report(w)
            near = (await report(w, "i2", position=STREET)).json()
            assert (place(near), codes(near)) == (STREET["latitude_deg"], [])
            far = (await report(w, "i3", position=ELSEWHERE)).json()
            assert (place(far), codes(far)) == (ELSEWHERE["latitude_deg"], ["places_contradict"])
            assert "3.8 km" in far["warnings"][0]["detail"]
            assert "3.8 公里" in far["warnings"][0]["detail_zh"]
            url = f"/v1/incidents/{far['incident_id']}"
            settled = await w.client.patch(url, json={"position": ELSEWHERE})
            assert codes(settled.json()) == []

    play(main())


def test_two_orders_of_one_reference_kilometres_apart_are_two_patients_and_it_is_said(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            first = (await w.order(incident_reference="BA-1")).json()
            second = (await w.order("k2", incident_reference="BA-1", position=ELSEWHERE)).json()
            assert (second["incident_id"], second["merged_into"]) == (first["incident_id"], None)
            # Decided for its own place, not answered with a drone to another one.
            assert second["decision"]["flight_id"] != first["decision"]["flight_id"]
            assert codes(second) == ["places_contradict"]
            assert "two incidents" in second["warnings"][0]["detail"]
            seen = await incident(w, first["incident_id"])
            assert (place(seen), codes(seen)) == (PATIENT["latitude_deg"], ["places_contradict"])
            assert "order_places_contradict" in [e["kind"] for e in await w.events(second["order_id"])]
            again = (await w.order("k2", incident_reference="BA-1", position=ELSEWHERE)).json()
            assert codes(again) == ["places_contradict"]

    play(main())


def test_a_street_apart_they_share_a_drone_and_are_told_whose_place_it_flies_to(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            first = (await w.order(incident_reference="BA-1")).json()
            second = (await w.order("k2", incident_reference="BA-1", position=STREET)).json()
            assert second["merged_into"] == first["order_id"]
            assert codes(second) == codes(await see(w, first["order_id"])) == ["place_differs"]
            assert first["order_id"] in second["warnings"][0]["detail"]

    play(main())


def test_another_patient_of_the_incident_may_lie_a_street_away(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            await w.order(incident_reference="BA-1")
            other = (await w.order("k2", incident_reference="BA-1", position=STREET, separate=True)).json()
            assert codes(other) == []

    play(main())


def test_a_report_kilometres_away_asks_whether_the_number_is_right(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=SLOW) as w:
            order = (await w.order(incident_reference="BA-1")).json()
            seen = (await report(w, position=ELSEWHERE)).json()
            assert (place(seen), codes(seen)) == (PATIENT["latitude_deg"], ["places_contradict"])
            assert "check the reference" in seen["warnings"][0]["detail"]
            assert codes(await see(w, order["order_id"])) == ["places_contradict"]

    play(main())
