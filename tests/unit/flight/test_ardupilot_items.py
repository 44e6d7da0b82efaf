"""What an ArduCopter keeps of an item: the known losses are no differences, everything else is."""

from dataclasses import replace

import pytest

from flight.autopilots.ardupilot import ArduPilot
from flight.autopilots.ardupilot_items import canonical_item, canonical_mission_item
from flight.autopilots.base import ParameterRule, ProfileEntry
from planner.compile.mavlink import compile_mission
from planner.compile.mission_types import MissionItem
from tests.unit.flight.plans import NoClock, plan

WAYPOINT = MissionItem(
    seq=3,
    frame=6,
    command=16,
    param1=2.7,
    param2=5.0,
    param4=90.0,
    latitude_deg=22.57,
    longitude_deg=113.88,
    height_m=60.123,
)


def test_observed_losses_are_equal() -> None:
    stored = replace(WAYPOINT, frame=3, param1=2.0, param2=0.0, param4=0.0, height_m=60.12)
    assert canonical_item(WAYPOINT) == canonical_item(stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"latitude_deg": 22.5700001},
        {"longitude_deg": 113.8800002},
        {"height_m": 60.2},
        {"param1": 4.0},
        {"frame": 0},
        {"command": 19},
    ],
)
def test_everything_else_is_a_difference(changes: dict[str, float]) -> None:
    assert canonical_item(WAYPOINT) != canonical_item(replace(WAYPOINT, **changes))


def test_item_0_is_home_and_cannot_be_compared() -> None:
    assert canonical_mission_item(replace(WAYPOINT, seq=0)) is None


def test_every_command_that_the_planner_compiles_is_known_by_name() -> None:
    from flight.autopilots.ardupilot_items import _KEPT_PARAMS

    mission = compile_mission(plan())
    used = {item.command for item in (*mission.items, *mission.fence, *mission.rally)}
    assert used <= set(_KEPT_PARAMS)


@pytest.mark.parametrize(
    ("rule", "wanted", "good", "bad"),
    [
        (ParameterRule.EQUAL, 5.0, 5.0, 4.0),
        (ParameterRule.AT_LEAST, 1.0, 2.0, 0.0),
        (ParameterRule.AT_MOST, 3.0, 3.0, 3.5),
        (ParameterRule.HAS_BITS, 2.0, 18.0, 16.0),
        (ParameterRule.LACKS_BITS, 2.0, 5.0, 7.0),
    ],
)
def test_profile_rules_and_what_would_be_written(
    rule: ParameterRule, wanted: float, good: float, bad: float
) -> None:
    entry = ProfileEntry("X", rule, wanted, True, "why", "为何")
    assert entry.holds(good)
    assert not entry.holds(bad)
    assert entry.holds(entry.value_for(bad)), "writing it makes it hold"


def test_the_profile_is_read_and_explained() -> None:
    profile = ArduPilot(NoClock()).profile  # type: ignore[arg-type]
    assert {"FS_GCS_ENABLE", "FS_OPTIONS", "FENCE_ENABLE"} <= {e.name for e in profile if e.blocks}
    assert all(entry.reason and entry.reason_zh for entry in profile)
