"""A sample of the campaign (``tests/campaign/route_campaign.py``): some two thousand answers, all judged."""

from __future__ import annotations

import pytest

from tests.campaign.route_campaign import World


@pytest.mark.parametrize("seed", range(900_001, 900_009))
def test_no_answer_of_a_random_world_is_wrong(seed: int) -> None:
    world = World(seed)
    world.run(300)
    assert world.wrong == []
    assert sum(world.seen.values()) >= 300
    assert world.worst_ratio == pytest.approx(1.0, abs=1e-9)
