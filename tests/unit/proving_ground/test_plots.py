"""What the report draws can be read: names stand beside each other, colours mean one phase each."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from flight.model.words import AIRBORNE_PHASES, Phase
from geofences.site_airspace import load_demo_airspace
from proving_ground.loader import LIBRARY, load_scenario
from proving_ground.play import FaultSeen
from proving_ground.report import plots
from proving_ground.result import Run
from proving_ground.tracks import TrackPoint

ITEM = load_scenario(LIBRARY / "plain-delivery.yaml")
TRACK = tuple(
    TrackPoint(float(s), 22.555 + 1e-4 * s, 113.884 + 1e-4 * s, 60.0, 5.0, 0.9, True) for s in range(100)
)
FAULTS = (FaultSeen("order_moved", "bao-01", 20.0), FaultSeen("hub_killed", "bao-01", 21.0))
FLOWN = (Phase.CLIMBING, Phase.OUTBOUND, Phase.LANDING)
RUN = Run(
    scenario="a", seed=1, file="", orders=(), faults=FAULTS, testimonies={}, log=b"", virtual_s=99.0, real_s=1.0,
    phases=tuple((10.0 * number, "bao-01", phase) for number, phase in enumerate(FLOWN)), tracks={"bao-01": TRACK},
    zones=tuple((-math.inf, zone) for zone in load_demo_airspace().zones),
)  # fmt: skip


def places(drawn: str, text: str) -> list[tuple[float, float]]:
    """Where a text stands in a drawing."""
    found = re.findall(rf"<!-- {text} -->\s*<g[^>]*translate\(([-\d.]+) ([-\d.]+)\)", drawn)
    return [(float(x), float(y)) for x, y in found]


def test_names_of_faults_that_came_together_stand_below_each_other() -> None:
    for draw in (plots.draw_map, plots.draw_timeline):
        drawn = draw(ITEM, RUN)
        ((_, first_y),), ((_, second_y),) = places(drawn, "order_moved"), places(drawn, "hub_killed")
        assert abs(first_y - second_y) >= 6.0
    apart = replace(RUN, faults=(RUN.faults[0], replace(RUN.faults[1], at_s=80.0)))
    drawn = plots.draw_timeline(ITEM, apart)
    assert places(drawn, "order_moved")[0][1] == places(drawn, "hub_killed")[0][1]


def test_every_phase_in_the_air_has_a_colour_of_its_own_that_is_named() -> None:
    assert len({plots._phase_colour(phase) for phase in AIRBORNE_PHASES}) == len(AIRBORNE_PHASES)
    drawn = plots.draw_timeline(ITEM, RUN)
    for phase in FLOWN:
        assert places(drawn, phase)


def test_a_zone_that_holds_the_whole_map_is_named_once_and_paints_nothing_over() -> None:
    drawn = plots.draw_map(ITEM, RUN)
    assert "all of it lies in ZGSZ-C -->" in drawn
    assert not places(drawn, "ZGSZ-C")
    assert places(drawn, "BA-SUB1")
