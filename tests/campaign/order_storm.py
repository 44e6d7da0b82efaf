"""Ten thousand orders, each sent up to four times, in any order: exactly one mission each.

``nice -n 10 python -m tests.campaign.order_storm --orders 10000 --database sqlite --seed 1``

About 0.1 s of processor time an order: ten thousand take a quarter of an hour of one core.

The hub of the tests with played drones, in virtual time, on either database. Orders come in waves of as many
as there are drones; of each wave every copy is sent at a random moment within three seconds. Ends with 1 if an
order has not exactly one mission, one flight and one delivery.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hub_api.store.repositories import missions
from tests.unit.hub_api.world import BODY, World, database_kind, drop_databases, play, world


async def storm(w: World, count: int, chance: random.Random) -> tuple[int, list[str]]:
    """How many requests were sent, and what was wrong."""
    sent, wrong, order_ids = 0, [], []

    async def send(key: str, delay_s: float) -> tuple[str, int, str]:
        await w.hub.clock.sleep(delay_s)
        body = BODY | {"notes": key}
        answer = await w.client.post("/v1/orders", json=body, headers={"Idempotency-Key": key})
        return key, answer.status_code, answer.json().get("order_id", answer.text)

    for first in range(0, count, len(w.drones)):
        keys = [f"key-{number}" for number in range(first, min(count, first + len(w.drones)))]
        posts = [key for key in keys for _ in range(chance.randint(1, 4))]
        chance.shuffle(posts)
        sent += len(posts)
        answers = await asyncio.gather(*(send(key, chance.uniform(0.0, 3.0)) for key in posts))
        for key in keys:
            mine = [(status, order_id) for found, status, order_id in answers if found == key]
            if (
                Counter(status for status, _ in mine)[201] != 1
                or len({order_id for _, order_id in mine}) != 1
            ):
                wrong.append(f"{key}: {mine}")
            order_ids.append(mine[0][1])
        for order_id in order_ids[-len(keys) :]:
            await w.until(order_id, "CLOSED", "DECLINED", "FAILED")
    flown = Counter(flight for drone in w.drones.values() for flight in drone.flown)
    for order_id in order_ids:
        found = await w.hub.database.read(lambda s, o=order_id: missions.of_order(s, o))  # type: ignore[misc]
        if len(found) != 1 or flown[found[0].flight_id] != 1 or found[0].aed_on_ground_at is None:
            wrong.append(f"{order_id}: {len(found)} missions")
    if len(set(order_ids)) != count or flown.total() != count:
        wrong.append(f"{len(set(order_ids))} orders and {flown.total()} flights for {count} keys")
    return sent, wrong


def main() -> int:
    """Run the campaign; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    database_kind.set(given.database)
    began_s = time.monotonic()

    async def run(folder: Path) -> tuple[int, list[str]]:
        # A virtual hour passes in a second: clients are not what is measured here.
        limits = {"request_rate_s": 1e6, "order_rate_s": 1e6}
        async with world(folder, **limits) as w:
            return await storm(w, given.orders, random.Random(given.seed))

    try:
        with tempfile.TemporaryDirectory() as name:
            sent, wrong = play(run(Path(name)))
    finally:
        drop_databases()
    for fault in wrong[:20]:
        print(f"WRONG {fault}")
    print(
        f"{given.orders} orders, {sent} requests, seed {given.seed}, {given.database}: {len(wrong)} wrong, "
        f"{time.monotonic() - began_s:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
