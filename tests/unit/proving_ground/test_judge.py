"""A zone forbids from when it is in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proving_ground import result
from proving_ground.judge import INVARIANTS
from proving_ground.result import OrderSeen, Run
from proving_ground.tracks import Recorder, TrackPoint
from tests.unit.planner.helpers import NOW, airspace, at_m, box_zone

OPEN = airspace()
CLOSED = airspace(box_zone("closed", -100.0, 400.0, 100.0, 600.0))


def run_through(at_s: float) -> Run:
    """An armed drone in the middle of the zone's place at one moment, and far from it before and after."""

    def point(moment_s: float, north_m: float) -> TrackPoint:
        place = at_m(0.0, north_m)
        return TrackPoint(moment_s, place.latitude_deg, place.longitude_deg, 60.0, 10.0, 1.0, True)

    track = (point(0.0, 0.0), point(at_s, 500.0), point(90.0, 1000.0))
    return Run(
        scenario="s", seed=1, file="", orders=(), faults=(), phases=(), tracks={"d": track}, testimonies={},
        log=b"", virtual_s=0.0, real_s=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(("at_s", "broken"), [(29.0, 0), (30.0, 1), (59.0, 1), (60.0, 0)])
def test_a_zone_counts_from_when_it_is_in_force_until_it_is_opened(at_s: float, broken: int) -> None:
    recorder = Recorder()
    for second, sky in (
        (0.0, OPEN),
        (10.0, OPEN),
        (30.0, CLOSED),
        (40.0, None),
        (45.0, CLOSED),
        (60.0, OPEN),
    ):
        recorder.sample(second, {}, sky)
    assert [sky for _, sky in recorder.skies] == [OPEN, CLOSED, OPEN]
    found = list(INVARIANTS["no zone entered"](run_through(at_s), recorder.skies, NOW))
    assert len(found) == broken


@pytest.mark.parametrize(
    ("kinds", "faults", "safe_state", "seen", "broken"),
    [
        (("aed_released", "aed_on_ground", "flight_ended"), (), "on_pad", (), 0),
        (("aed_released", "flight_ended"), ("control_taken",), "on_pad", ((9.0, "landed", ""),), 1),
        (("aed_released", "flight_ended"), ("crashed",), "landed_elsewhere", (), 0),
        (("aed_released", "flight_ended"), (), "landed_elsewhere", ((9.0, "crashed", ""),), 0),
        (("aed_released", "flight_ended"), ("link_lost",), "lost", (), 0),
    ],
)
def test_a_release_that_nobody_is_told_of_is_found(
    kinds: tuple[str, ...],
    faults: tuple[str, ...],
    safe_state: str,
    seen: tuple[tuple[float, str, str], ...],
    broken: int,
) -> None:
    flight = {"flight_id": "f", "drone_id": "d", "aed_on_ground_at": None, "safe_state": safe_state}
    order = OrderSeen("call-1", 0.0, (201,), {}, {"order_id": "o", "flights": [flight]}, kinds, faults)
    run = replace(run_through(30.0), orders=(order,), testimonies={"d": result.Testimony(seen, False, True)})
    assert len(list(INVARIANTS["belief is true"](run, ((0.0, OPEN),), NOW))) == broken
