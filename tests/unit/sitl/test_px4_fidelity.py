"""How far the simulated PX4 is from a flight of the real one.

The real flight: PX4 1.17.0 in software-in-the-loop with its own quadrotor (SIH), default parameters, calm air,
flown for this comparison; its times are read at 1 Hz, so they are good to about a second.
"""

from __future__ import annotations

import pytest

from tests.unit.sitl.px4_station import Px4Station, px4

OBSERVED_S = {0: 19.0, 1: 43.3, 2: 67.8, 3: 97.6, 5: 116.1}
"""Seconds from arming to MISSION_ITEM_REACHED. Item 4 was never reported: the return that follows was."""
LANDED_S, DISARMED_S = 167.3, 169.3
WITHIN = 0.07


def test_a_mission_takes_as_long_as_on_the_real_one() -> None:
    vehicle = px4(airframe="arducopter_sitl_quad")
    g = Px4Station(vehicle)
    g.upload_and_settle(
        [
            g.position(22, 0, 0, 20),
            g.position(16, 100, 0, 20),
            g.position(16, 100, 100, 30),
            g.position(16, 0, 100, 30, hold_s=5),
            g.position(16, 0, 30, 15),
            g.action(20),
        ]
    )
    g.fly_mission()
    g.run_until(lambda: not vehicle.armed, 300)
    armed_s = g.witnessed("armed")[0]
    reached_s: dict[int, float] = {}
    for at_s, message in g.heard:
        if message.get_type() == "MISSION_ITEM_REACHED":
            reached_s.setdefault(message.seq, at_s - armed_s)
    for seq, observed_s in OBSERVED_S.items():
        assert reached_s[seq] == pytest.approx(observed_s, rel=WITHIN), seq
    assert g.witnessed("landed")[0] - armed_s == pytest.approx(LANDED_S, rel=WITHIN)
    assert g.witnessed("disarmed")[0] - armed_s == pytest.approx(DISARMED_S, rel=WITHIN)
