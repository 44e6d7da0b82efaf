"""A small storm of doubled and reordered orders; ``make campaign-orders`` plays the large one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.campaign.order_storm import storm
from tests.unit.hub_api.world import play, world

ORDERS = 16


def test_each_of_many_doubled_and_reordered_orders_has_exactly_one_mission(
    tmp_path: Path, each_database: str
) -> None:
    async def main() -> tuple[int, list[str]]:
        async with world(tmp_path, request_rate_s=1e6, order_rate_s=1e6) as w:
            return await storm(w, ORDERS, random.Random(f"storm on {each_database}"))

    sent, wrong = play(main())
    assert sent > ORDERS, "nothing was sent twice"
    assert wrong == []
