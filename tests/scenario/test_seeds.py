"""Worlds that a seed makes: a few here, a thousand by ``make campaign-seeds``."""

from __future__ import annotations

import pytest

from proving_ground.schema import Scenario
from proving_ground.seeds import play, world_of


def test_a_seed_makes_one_world_and_seeds_differ() -> None:
    worlds = [world_of(seed) for seed in range(200)]
    assert worlds == [world_of(seed) for seed in range(200)]
    assert len({str(world["orders"]) for world in worlds}) == 200
    assert {len(world["orders"]) for world in worlds} == {1, 2, 3, 4}
    assert {len(world["world"]["drones"]) for world in worlds} == {1, 2, 3, 4}
    for world in worlds:
        Scenario.model_validate(world)


@pytest.mark.parametrize("seed", [3, 5])
def test_every_order_of_a_random_world_ends_and_every_invariant_holds(seed: int) -> None:
    run = play(seed)
    assert not run.error
    assert [f"{v.name}: {v.detail}" for v in run.verdicts if not v.ok] == []
    assert len(run.orders) == len(world_of(seed)["orders"])
