"""What a PX4 keeps of an item, as read back from a real one (v1.17.0)."""

from dataclasses import replace

from flight.autopilots.px4_items import canonical_item
from flight.links.mavlink.mission import differences
from planner.compile.mission_types import MissionItem

NAN = float("nan")
WAYPOINT = MissionItem(
    seq=0, frame=3, command=16, param4=NAN, latitude_deg=22.5, longitude_deg=113.9, height_m=60.0
)


def test_frames_come_back_as_their_int_twins() -> None:
    assert differences([WAYPOINT], [replace(WAYPOINT, frame=6)], canonical_item) == ()
    absolute = replace(WAYPOINT, frame=0)
    assert differences([absolute], [replace(absolute, frame=5)], canonical_item) == ()
    assert differences([WAYPOINT], [replace(WAYPOINT, frame=5)], canonical_item)


def test_a_free_heading_is_not_north() -> None:
    assert differences([WAYPOINT], [replace(WAYPOINT, param4=NAN)], canonical_item) == ()
    assert differences([WAYPOINT], [replace(WAYPOINT, param4=0.0)], canonical_item)


def test_another_place_height_or_hold_is_noticed() -> None:
    for changed in (
        replace(WAYPOINT, latitude_deg=22.5000002),
        replace(WAYPOINT, height_m=60.5),
        replace(WAYPOINT, param1=3.0),
        replace(WAYPOINT, command=19),
    ):
        assert differences([WAYPOINT], [changed], canonical_item)


def test_an_item_without_position_keeps_its_altitude() -> None:
    speed = MissionItem(seq=0, frame=2, command=178, param1=1.0, param2=12.0, param3=-1.0, height_m=65.0)
    assert differences([speed], [speed], canonical_item) == ()
    # PX4 may fly to this height while the item is active.
    assert differences([speed], [replace(speed, height_m=0.0)], canonical_item)


def test_a_rally_point_in_a_frame_that_px4_misreads_cannot_be_seen_by_reading_back() -> None:
    rally = MissionItem(seq=0, frame=3, command=5100, latitude_deg=22.5, longitude_deg=113.9, height_m=60.0)
    assert differences([rally], [replace(rally, frame=6)], canonical_item) == ()
