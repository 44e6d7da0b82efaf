"""Any interleaving of orders, cancels and splits: exactly one open mission for each patient who needs one.

A model on the side keeps who still needs help. Patients stand far apart; the orders of one patient stand together.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub_api.dispatch.order_states import TERMINAL_STATES, OrderState
from hub_api.store.repositories import missions, orders
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.world import BODY, PATIENT, World, play, world

PATIENTS = 3
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, PATIENTS - 1), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("split"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 40), st.just(0)),
    ),
    min_size=1,
    max_size=25,
)
DELIVERING = frozenset(OrderState) - TERMINAL_STATES - {OrderState.CANCELLING, OrderState.FAILING}


def position(patient: int, metres: int) -> dict[str, Any]:
    """500 m between patients, at most 20 m between two orders for one."""
    return PATIENT | {"latitude_deg": 22.5601 + (500.0 * patient + metres) / 111_000.0}


async def act(w: World, step: tuple[str, int, int], placed: list[str], number: int) -> None:
    kind, first, second = step
    if kind == "order":
        body = BODY | {"position": position(first, second), "notes": f"patient {first}"}
        answer = await w.client.post("/v1/orders", json=body, headers={"Idempotency-Key": f"k{number}"})
        assert answer.status_code == 201, answer.text
        placed.append(answer.json()["order_id"])
    elif kind == "wait":
        await w.hub.clock.sleep(float(first))
    elif placed:
        order_id = placed[first % len(placed)]
        answer = await w.client.post(f"/v1/orders/{order_id}/{kind}", json={"reason": "r"})
        assert answer.status_code in (200, 409), answer.text


async def check(w: World, asked_alone: set[str]) -> None:
    """What must hold at every moment between two requests."""
    stored = await w.hub.database.read(lambda s: orders.list_page(s, client=None, limit=200))
    by_id = {order.order_id: order for order in stored}
    carried: dict[str, int] = defaultdict(int)
    for order in stored:
        if order.state is OrderState.MERGED:
            assert order.merged_into is not None
            carrier = by_id[order.merged_into]
            # Served by an order that is not served by another one, and that will deliver or has delivered.
            assert carrier.state in DELIVERING - {OrderState.MERGED}, (order, carrier)
            carried[carrier.order_id] += 1
    for order in stored:
        if order.state not in TERMINAL_STATES:
            assert order.merged_orders == carried[order.order_id], order
    # One open order that may deliver for each patient, besides those that a person has split off.
    serving: dict[int, list[str]] = defaultdict(list)
    for order in stored:
        if order.state in DELIVERING - {OrderState.MERGED} and order.order_id not in asked_alone:
            patient = round((order.latitude_deg - 22.5601) * 111_000.0 / 500.0)
            serving[patient].append(order.order_id)
    assert all(len(found) == 1 for found in serving.values()), serving
    open_missions = await w.hub.database.read(missions.list_open)
    live = [m for m in open_missions if m.lost_at is None and m.aed_on_ground_at is None]
    for mission in live:
        order = by_id[mission.order_id]
        assert order.state is not OrderState.MERGED
    assert len({m.order_id for m in live}) == len(live)


@settings(max_examples=12, deadline=None)
@given(STEPS)
def test_one_open_mission_for_each_patient(steps: list[tuple[str, int, int]]):
    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            scripts = {f"bao-0{n}": Script(phase_s=15.0) for n in range(1, 5)}
            async with world(Path(folder), scripts=scripts, merge_radius_m=50.0) as w:
                placed: list[str] = []
                asked_alone: set[str] = set()
                for number, step in enumerate(steps):
                    before = await w.hub.database.read(lambda s: orders.list_page(s, client=None, limit=200))
                    await act(w, step, placed, number)
                    for order in before:
                        now = await w.hub.database.read(lambda s, o=order.order_id: orders.get(s, o))
                        if order.split_at is None and now.split_at is not None:
                            asked_alone.add(order.order_id)
                    await check(w, asked_alone)
                for order_id in placed:
                    await w.until(order_id, *(str(state) for state in TERMINAL_STATES), at_most_s=5000.0)
                await check(w, asked_alone)
                # Nobody who did not cancel was left behind by somebody who did.
                stored = await w.hub.database.read(lambda s: orders.list_page(s, client=None, limit=200))
                for order in stored:
                    if order.merged_into is not None and order.state is OrderState.CLOSED:
                        assert order.aed_on_ground_at is not None

    play(main())
