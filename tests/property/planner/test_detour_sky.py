"""A detour's sky takes what it can from the sky without the detour, and says the same as one that looks for itself."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import shapely

from core.geodesy import Altitude
from geofences.model import GROUND, UNLIMITED, TimeWindow, VerticalLimit
from planner.corridor import corridor_of
from planner.moment import Moment
from planner.space import Space
from tests.unit.planner.helpers import HEX10, NOW, airspace, box_zone

WINDOW = TimeWindow(NOW, NOW + timedelta(minutes=10))
LAYERS_M = (45.0, 60.0, 75.0, 90.0, 105.0)


@pytest.mark.parametrize("seed", range(6))
def test_a_detour_s_sky_is_as_if_nothing_were_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    zones = []
    for number, (x, y) in enumerate(rng.uniform(-1500.0, 1500.0, (12, 2))):
        half_m, top_m = rng.uniform(40.0, 220.0), float(rng.uniform(50.0, 100.0))
        ceiling = VerticalLimit(Altitude.amsl(top_m)) if rng.random() < 0.6 else UNLIMITED
        zones.append(
            box_zone(
                f"z{number}", x - half_m, y - half_m, x + half_m, y + half_m, floor=GROUND, ceiling=ceiling
            )
        )
    base = Space(airspace(*zones), corridor_of(HEX10))
    low = rng.uniform(-1500.0, 1500.0, (3, 2))
    extra = [(f"other-{n}", shapely.box(*at, *(at + 300.0))) for n, at in enumerate(low)]
    detour = base.with_extra(extra)
    sky, alone = detour.moment(WINDOW), Moment(detour, WINDOW)
    alone._zones = None
    for layer in LAYERS_M:
        assert (sky.mask(layer, layer) == alone.mask(layer, layer)).all()
    assert sky.undominated(LAYERS_M) == alone.undominated(LAYERS_M)
    near = beside = 0
    places = [*rng.uniform(-1700.0, 1700.0, (60, 2)), *(low + rng.uniform(-60.0, 60.0, low.shape))]
    for x, y in places:
        for layer in LAYERS_M:
            found = sky.too_near((x, y), layer)
            assert found == alone.too_near((x, y), layer)
            column = sky.beside_column((x, y), 5.0, layer)
            assert sorted(column) == sorted(alone.beside_column((x, y), 5.0, layer))
            near += bool(found)
            beside += any(number >= len(base.polygons) for number in column)
    assert near
    assert beside


@pytest.mark.parametrize("seed", range(4))
def test_detours_that_come_and_go_leave_no_trace_in_one_another(seed: int) -> None:
    """Some live on while others take the place of those that are gone."""
    rng = np.random.default_rng(seed)
    base = Space(
        airspace(
            *(
                box_zone(f"z{n}", x, y, x + 200.0, y + 200.0)
                for n, (x, y) in enumerate(rng.uniform(-2000.0, 2000.0, (20, 2)))
            )
        ),
        corridor_of(HEX10),
    )
    living: list[Space] = []
    for number in range(24):
        low = rng.uniform(-2000.0, 2000.0, (int(rng.integers(1, 4)), 2))
        detour = base.with_extra(
            [(f"d{number}-{n}", shapely.box(*at, *(at + 250.0))) for n, at in enumerate(low)]
        )
        detour.world(None)
        if rng.random() < 0.3:
            living.append(detour)
        if len(living) > 3:
            living.pop(int(rng.integers(len(living))))
        for asked in (*living, detour):
            anew = Space(base.airspace, base.corridor).with_extra(asked._extra)
            for start, goal in rng.uniform(-2500.0, 2500.0, (4, 2, 2)):
                ends = tuple(start.tolist()), tuple(goal.tolist())
                assert asked.world(None).shortest(*ends) == anew.world(None).shortest(*ends)
        del detour, asked
