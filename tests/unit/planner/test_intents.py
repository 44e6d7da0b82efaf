"""Intents: F3548 shapes in and out, conflicts of single pairs, the index as a value."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.errors import AirspaceError
from planner.intent_index import IntentIndex
from planner.intents import (
    Circle,
    IntentState,
    Volume4D,
    intent_from_json,
    intent_to_json,
)
from tests.unit.planner.helpers import NOW, ORIGIN
from tests.unit.planner.intents import box, disc, intent

# Written by hand after F3548-21's API, not by our writer.
FOREIGN: dict[str, Any] = {
    "reference": {
        "id": "2f8343be-6482-4d1b-a474-16847e01af1e",
        "manager": "uss2",
        "uss_availability": "Unknown",
        "version": 1,
        "state": "Activated",
        "ovn": "9d158f59-80b7-4c11-9c0c-8a2b4d936b2d",
        "uss_base_url": "https://uss.example.com/utm",
        "subscription_id": "78ea3fe8-71c2-4f5c-9b44-9c02f5563c6f",
    },
    "details": {
        "priority": 7,
        "volumes": [
            {
                "volume": {
                    "outline_polygon": {
                        "vertices": [
                            {"lng": 113.88, "lat": 22.57},
                            {"lng": 113.89, "lat": 22.57},
                            {"lng": 113.89, "lat": 22.58},
                        ]
                    },
                    "altitude_lower": {"value": 20.5, "reference": "W84", "units": "M"},
                    "altitude_upper": {"value": 100, "reference": "W84", "units": "M"},
                },
                "time_start": {"value": "2026-11-22T04:00:00Z", "format": "RFC3339"},
                "time_end": {"value": "2026-11-22T04:10:00.5Z", "format": "RFC3339"},
            }
        ],
        "off_nominal_volumes": [
            {
                "volume": {
                    "outline_circle": {
                        "center": {"lng": 113.9, "lat": 22.6},
                        "radius": {"value": 300.183, "units": "M"},
                    },
                    "altitude_lower": {"value": 0, "reference": "W84", "units": "M"},
                    "altitude_upper": {"value": 50, "reference": "W84", "units": "M"},
                },
                "time_start": {"value": "2026-11-22T04:00:00Z", "format": "RFC3339"},
                "time_end": {"value": "2026-11-22T04:10:00Z", "format": "RFC3339"},
            }
        ],
    },
}


def test_a_foreign_intent_is_read_as_it_says() -> None:
    read = intent_from_json(FOREIGN)
    assert (read.owner, read.state, read.priority) == ("uss2", IntentState.ACTIVATED, 7)
    first, second = read.volumes
    assert (first.altitude_lower_m, first.altitude_upper_m) == (20.5, 100.0)
    assert first.time_end == datetime(2026, 11, 22, 4, 10, 0, 500_000, tzinfo=UTC)
    assert isinstance(second.outline, Circle)
    assert second.outline.radius_m == 300.183
    assert second.outline.centre.latitude_deg == 22.6


@pytest.mark.parametrize("state", IntentState)
def test_written_and_read_again_is_the_same(state: IntentState) -> None:
    one = intent(
        "2f8343be-6482-4d1b-a474-16847e01af1e", box(0, 0, 50, 50), disc(900, 0, 40), state=state, priority=-3
    )
    assert intent_from_json(json.loads(json.dumps(intent_to_json(one)))) == one


def test_a_repeated_last_vertex_is_dropped() -> None:
    closed = copy.deepcopy(FOREIGN)
    vertices = closed["details"]["volumes"][0]["volume"]["outline_polygon"]["vertices"]
    vertices.append(vertices[0])
    assert intent_from_json(closed) == intent_from_json(FOREIGN)


V0 = ("details", "volumes", 0)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("reference",), None, "reference"),
        (("reference", "id"), "x", "reference.id"),
        (("reference", "manager"), " ", "reference.manager"),
        (("reference", "state"), "Flying", "reference.state"),
        (("details", "priority"), "high", "details.priority"),
        (("details", "volumes"), {}, "details.volumes"),
        ((*V0, "volume", "altitude_lower"), None, "details.volumes[0].volume.altitude_lower"),
        (
            (*V0, "volume", "altitude_lower", "reference"),
            "AMSL",
            "details.volumes[0].volume.altitude_lower.reference",
        ),
        ((*V0, "volume", "altitude_upper", "units"), "FT", "details.volumes[0].volume.altitude_upper.units"),
        ((*V0, "volume", "altitude_upper", "value"), 20.5, "details.volumes[0].volume.altitude_upper"),
        (
            (*V0, "volume", "outline_polygon", "vertices", 1, "lat"),
            91,
            "details.volumes[0].volume.outline_polygon.vertices[1].lat",
        ),
        (
            (*V0, "volume", "outline_polygon", "vertices", 1),
            {"lng": 113.88, "lat": 22.57},
            "details.volumes[0].volume.outline_polygon.vertices",
        ),
        ((*V0, "volume", "outline_polygon"), None, "details.volumes[0].volume.outline"),
        ((*V0, "time_end"), None, "details.volumes[0].time_end"),
        ((*V0, "time_end", "value"), "2026-11-22T04:00:00Z", "details.volumes[0].time_end"),
        ((*V0, "time_start", "value"), "2026-11-22T04:00:00", "details.volumes[0].time_start.value"),
        ((*V0, "time_start", "format"), "UNIX", "details.volumes[0].time_start.format"),
        (
            ("details", "off_nominal_volumes", 0, "volume", "outline_circle", "radius", "value"),
            0,
            "details.off_nominal_volumes[0].volume.outline_circle.radius",
        ),
    ],
)
def test_what_is_wrong_is_named(path: tuple[Any, ...], value: object, field: str) -> None:
    wrong = copy.deepcopy(FOREIGN)
    inner: Any = wrong
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(AirspaceError) as caught:
        intent_from_json(wrong)
    assert caught.value.field == field


def test_an_intent_without_volumes_is_refused() -> None:
    empty = copy.deepcopy(FOREIGN)
    empty["details"]["volumes"] = empty["details"]["off_nominal_volumes"] = []
    with pytest.raises(AirspaceError) as caught:
        intent_from_json(empty)
    assert caught.value.field == "details.volumes"


MINE = box(0, 0, 100, 100, heights_m=(50.0, 80.0), seconds=(100.0, 200.0))


@pytest.mark.parametrize(
    ("other", "meets"),
    [
        (box(50, 50, 150, 150, heights_m=(60.0, 70.0), seconds=(150.0, 160.0)), True),
        # Inside one another, without crossing edges.
        (box(40, 40, 60, 60, heights_m=(60.0, 70.0), seconds=(150.0, 160.0)), True),
        (box(-500, -500, 500, 500), True),
        # Touching in one dimension.
        (box(100, 0, 200, 100), True),
        (box(100, 100, 200, 200), True),
        (box(0, 0, 100, 100, heights_m=(80.0, 90.0)), True),
        (box(0, 0, 100, 100, seconds=(200.0, 300.0)), True),
        # Half a centimetre apart still counts, five don't.
        (box(100.005, 0, 200, 100), True),
        (box(100.05, 0, 200, 100), False),
        (box(0, 0, 100, 100, heights_m=(80.005, 90.0)), True),
        (box(0, 0, 100, 100, heights_m=(80.05, 90.0)), False),
        (box(0, 0, 100, 100, seconds=(200.001, 300.0)), False),
        # In two dimensions only.
        (box(0, 0, 100, 100, heights_m=(90.0, 95.0), seconds=(150.0, 160.0)), False),
        (box(0, 0, 100, 100, heights_m=(50.0, 80.0), seconds=(0.0, 99.0)), False),
        (box(300, 0, 400, 100, heights_m=(50.0, 80.0), seconds=(100.0, 200.0)), False),
        # A circle whose bounds overlap the corner, but which does not reach it: 10·√2 = 14.14.
        (disc(110, 110, 14.0), False),
        (disc(110, 110, 14.15), True),
        (disc(50, 50, 1.0), True),
    ],
)
def test_place_height_and_time_count_together(other: Volume4D, meets: bool) -> None:
    index = IntentIndex([intent("other", other)], origin=ORIGIN)
    assert bool(index.conflicts(intent("mine", MINE))) is meets
    turned = IntentIndex([intent("mine", MINE)], origin=ORIGIN)
    assert bool(turned.conflicts(intent("other", other))) is meets


def test_circles_meet_at_the_sum_of_their_radii() -> None:
    index = IntentIndex([intent("other", disc(0, 0, 30))], origin=ORIGIN)
    assert index.conflicts(intent("mine", disc(50.0, 0, 20)))
    assert not index.conflicts(intent("mine", disc(50.03, 0, 20)))


def test_pairs_are_judged_pair_by_pair() -> None:
    """Two flights whose whole extents overlap in every dimension, and which never meet."""
    one = intent("one", box(0, 0, 50, 50, seconds=(0, 10)), box(500, 0, 550, 50, seconds=(20, 30)))
    other = intent("other", box(500, 0, 550, 50, seconds=(0, 10)), box(0, 0, 50, 50, seconds=(20, 30)))
    assert IntentIndex([one], origin=ORIGIN).conflicts(other) == ()


def test_a_conflict_says_where_and_when() -> None:
    other = intent(
        "other",
        box(900, 900, 950, 950),
        box(50, 50, 150, 150, heights_m=(70.0, 90.0), seconds=(150.0, 900.0)),
        priority=4,
        state=IntentState.ACTIVATED,
        owner="uss9",
    )
    (found,) = IntentIndex([other], origin=ORIGIN).conflicts(intent("mine", MINE))
    assert (found.intent_id, found.owner, found.priority) == ("other", "uss9", 4)
    assert (found.state, found.volume_index, found.other_volume_index) == (IntentState.ACTIVATED, 0, 1)
    assert (found.altitude_lower_m, found.altitude_upper_m) == (70.0, 80.0)
    assert found.time_start == NOW + timedelta(seconds=150)
    assert found.time_end == NOW + timedelta(seconds=200)


def test_an_intent_does_not_conflict_with_itself() -> None:
    mine = intent("mine", MINE)
    assert IntentIndex([mine], origin=ORIGIN).conflicts(mine) == ()


def test_the_index_is_a_value() -> None:
    empty = IntentIndex(origin=ORIGIN)
    one = empty.adding(intent("a", MINE))
    two = one.adding(intent("b", MINE))
    moved = two.adding(intent("a", box(5000, 0, 5100, 100)))
    gone = moved.removing("b")
    asked = intent("asked", MINE)

    def met(index: IntentIndex) -> list[str]:
        return sorted({conflict.intent_id for conflict in index.conflicts(asked)})

    assert [met(index) for index in (empty, one, two, moved, gone)] == [[], ["a"], ["a", "b"], ["b"], []]
    assert [len(index) for index in (empty, one, two, moved, gone)] == [0, 1, 2, 2, 1]
    assert gone.removing("never there") is gone
    assert gone.removing("a").adding(intent("a", MINE)).conflicts(asked)


def test_an_id_twice_is_refused() -> None:
    with pytest.raises(AirspaceError):
        IntentIndex([intent("a", MINE), intent("a", MINE)], origin=ORIGIN)
