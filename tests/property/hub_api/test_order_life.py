"""An order's life under everything that people do to it at once: approve, refuse, move, cancel, pre-empt, restart.

Whatever the interleaving: every order comes to a final state, no drone stays reserved, no two missions fly one drone
at one time, nothing flies that nobody approved, and nobody is pre-empted more often than the limit.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.dispatch.order_states import TERMINAL_STATES
from hub_api.store.repositories import approvals, missions, moves, orders, outbox, pre_emptions
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.played_planning import a_site
from tests.unit.hub_api.world import World, play, world

POINTS = a_site().landing_points[:4]
FINAL = {str(state) for state in TERMINAL_STATES}

SCRIPTS = st.sampled_from(
    [
        Script(),
        Script(answer_delay_s=2.0),
        Script(answer="refuse"),
        Script(turns_back=True),
        Script(phase_s=2.0),
    ]
)
STEPS = st.one_of(
    st.tuples(
        st.just("order"),
        st.sampled_from(["I", "II", "III", "IV"]),
        st.sampled_from([None, "approve", "drill"]),
    ),
    st.tuples(st.just("approve"), st.integers(0, 3), st.none()),
    st.tuples(st.just("refuse"), st.integers(0, 3), st.none()),
    st.tuples(st.just("move"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("cancel"), st.integers(0, 3), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([0.3, 3.0, 17.0, 41.0]), st.none()),
)


async def step(w: World, placed: list[str], number: int, what: tuple[Any, Any, Any]) -> None:
    """One thing that somebody does; refusals are answers like others, faults are not."""
    kind, first, second = what
    if kind == "wait":
        await w.hub.clock.sleep(first)
        return
    if kind == "order":
        position = {
            "reference_system": "WGS-84",
            "latitude_deg": 22.55 + 0.01 * number,
            "longitude_deg": 113.89,
        }
        answer = await w.order(f"k{number}", severity=first, mode=second, position=position)
        assert answer.status_code == 201, answer.text
        placed.append(answer.json()["order_id"])
        return
    if not placed:
        return
    order_id = placed[first % len(placed)]
    url = f"/v1/orders/{order_id}"
    if kind == "move":
        place = POINTS[second].position
        body: dict[str, Any] = {
            "position": {
                "reference_system": "WGS-84",
                "latitude_deg": place.latitude_deg,
                "longitude_deg": place.longitude_deg,
            },
            "reason": "x",
        }
        answer = await w.client.post(f"{url}/position", json=body, headers={"Idempotency-Key": f"m{number}"})
    elif kind == "approve":
        shown = (await w.client.get(url)).json()["decision"]
        flight_id = (shown or {}).get("flight_id") or "flt_none"
        answer = await w.client.post(f"{url}/approve", json={"flight_id": flight_id})
    else:
        answer = await w.client.post(f"{url}/{kind}", json={"reason": "x"})
    assert answer.status_code in (200, 409), (kind, answer.text)


async def check(w: World, placed: list[str]) -> None:
    for order_id in placed:
        await w.until(order_id, *FINAL, at_most_s=3000.0)
    await w.hub.clock.sleep(30)

    def look(session: Any) -> None:
        assert missions.reserved_drones(session) == {}
        assert missions.list_open(session) == []
        assert moves.open_moves(session) == []
        assert pre_emptions.open_ones(session) == []
        assert outbox.unsettled(session) == []
        for order_id in placed:
            order = orders.get(session, order_id)
            own = missions.of_order(session, order_id)
            assert order.pre_empted <= 1 or order.drill
            assert (order.state == "CLOSED") == (order.aed_on_ground_at is not None)
            for mission in own:
                if order.needs_approval and mission.commanded_at is not None:
                    assert approved(session, mission.mission_id, own), order_id
                if mission.airborne_at is not None:
                    assert mission.commanded_at is not None
                    assert mission.withdrawn is None

    await w.hub.database.read(look)
    flown = Counter(flight for drone in w.drones.values() for flight in drone.flown)
    assert all(count == 1 for count in flown.values())


def approved(session: Any, mission_id: str, own: list[Any]) -> bool:
    """It was, or an earlier proposal of the same drone and place was."""
    this = next(mission for mission in own if mission.mission_id == mission_id)
    same = [m for m in own if (m.drone_id, m.landing_point_id) == (this.drone_id, this.landing_point_id)]
    answers = [approvals.find(session, mission.mission_id) for mission in same]
    return any(answer is not None and answer.answer in ("approved", "launched") for answer in answers)


@given(
    drones=st.integers(1, 3),
    scripts=st.lists(SCRIPTS, min_size=3, max_size=3),
    steps=st.lists(STEPS, min_size=3, max_size=14),
    together=st.booleans(),
)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_people_do_every_order_ends_and_every_drone_is_free(
    drones: int, scripts: list[Script], steps: list[tuple[Any, Any, Any]], together: bool
):
    site = a_site()
    site = replace(site, drones=site.drones[:drones])
    scripted = {drone.drone_id: script for drone, script in zip(site.drones, scripts, strict=False)}

    async def main(folder: Path) -> None:
        placed: list[str] = []
        async with world(
            folder, site=site, scripts=scripted, order_max_age_s=90.0, merge_radius_m=0.0, max_attempts=3
        ) as w:
            if together:
                await asyncio.gather(*(step(w, placed, number, what) for number, what in enumerate(steps)))
            else:
                for number, what in enumerate(steps):
                    await step(w, placed, number, what)
            await check(w, placed)

    with TemporaryDirectory() as folder:
        play(main(Path(folder)))
