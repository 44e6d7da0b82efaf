"""Any number of orders, doubled and shuffled, at the same moment: exactly one mission for each key."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub_api.store.repositories import missions, orders
from tests.unit.hub_api.world import BODY, play, world

POST = st.tuples(st.integers(0, 4), st.floats(0, 3))
"""Which key, and when it is sent (seconds)."""


@settings(max_examples=8, deadline=None)
@given(st.lists(POST, min_size=1, max_size=40))
def test_each_key_becomes_exactly_one_order_and_at_most_one_mission(posts: list[tuple[int, float]]):
    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with world(Path(folder)) as w:

                async def post(key: int, delay_s: float) -> tuple[int, int, dict[str, Any]]:
                    await w.hub.clock.sleep(delay_s)
                    body = {**BODY, "notes": f"patient {key}"}
                    answer = await w.client.post(
                        "/v1/orders", json=body, headers={"Idempotency-Key": f"key-{key}"}
                    )
                    return key, answer.status_code, answer.json()

                answers = await asyncio.gather(*(post(key, delay_s) for key, delay_s in posts))
                ids: dict[int, set[str]] = defaultdict(set)
                created: Counter[int] = Counter()
                for key, status, body in answers:
                    assert status in (200, 201), body
                    assert body["decision"] is not None
                    assert body["notes"] == f"patient {key}"
                    ids[key].add(body["order_id"])
                    created[key] += status == 201
                assert all(len(found) == 1 for found in ids.values())
                assert created == Counter({key: 1 for key, _ in posts})

                stored = await w.hub.database.read(lambda s: orders.list_page(s, client=None, limit=100))
                assert {order.order_id for order in stored} == {next(iter(found)) for found in ids.values()}
                accepted = [o for o in stored if o.decision and o.decision["outcome"] == "accepted"]
                assert len(accepted) == min(len(stored), len(w.drones))
                open_missions = await w.hub.database.read(missions.list_open)
                assert Counter(m.order_id for m in open_missions) == Counter(o.order_id for o in accepted)
                assert len({m.drone_id for m in open_missions}) == len(open_missions)
                for order in accepted:
                    await w.until(order.order_id, "CLOSED")
                flown = [flight for drone in w.drones.values() for flight in drone.flown]
                assert len(flown) == len(set(flown)) == len(accepted)

    play(main())
