"""The order's table is complete, and a finished order stays finished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.dispatch.order_states import (
    TABLE,
    TERMINAL_STATES,
    Effect,
    Ignore,
    Move,
    OrderEvent,
    OrderState,
    Refuse,
    advance,
)

S, E = OrderState, OrderEvent


def test_every_pair_is_declared():
    assert set(TABLE) == set(OrderState)
    for state, rules in TABLE.items():
        assert set(rules) == set(OrderEvent), state


def test_every_state_is_documented_and_reachable():
    reached = {S.RECEIVED}
    grown = True
    while grown:
        following = {
            rule.state for state in reached for rule in TABLE[state].values() if isinstance(rule, Move)
        }
        grown = not following <= reached
        reached |= following
    assert reached == set(OrderState)


def test_every_state_that_is_not_final_can_become_final():
    can_end = set(TERMINAL_STATES)
    while True:
        more = {
            state
            for state, rules in TABLE.items()
            if any(isinstance(rule, Move) and rule.state in can_end for rule in rules.values())
        } - can_end
        if not more:
            break
        can_end |= more
    assert can_end == set(OrderState)


@given(st.sampled_from(sorted(TERMINAL_STATES)), st.sampled_from(list(OrderEvent)))
def test_a_final_state_never_moves(state: OrderState, event: OrderEvent):
    assert not isinstance(advance(state, event), Move)


@given(st.lists(st.sampled_from(list(OrderEvent)), max_size=30))
def test_delivered_is_never_taken_back(events: list[OrderEvent]):
    """After the AED stood on the ground the order ends as CLOSED or not at all."""
    state, delivered = S.RECEIVED, False
    for event in events:
        rule = advance(state, event)
        if isinstance(rule, Move):
            state = rule.state
        delivered = delivered or state is S.DELIVERED
        if delivered:
            assert state in {S.DELIVERED, S.RETURNING, S.CLOSED}


@given(st.lists(st.sampled_from(list(OrderEvent)), max_size=30))
def test_closed_means_that_an_aed_stood_on_the_ground(events: list[OrderEvent]):
    state, seen = S.RECEIVED, []
    for event in events:
        rule = advance(state, event)
        if isinstance(rule, Move):
            state = rule.state
            seen.append(event)
    assert (state is S.CLOSED) <= bool({E.AED_ON_GROUND, E.CARRIER_CLOSED} & set(seen))
    # Only an order that a drone was found for can fail; without one it is declined.
    assert (state is S.FAILED) <= bool({E.ACCEPTED, E.PROPOSED, E.CARRIER_FAILED} & set(seen))
    assert (state is S.CANCELLED) <= (E.CANCEL in seen)


@pytest.mark.parametrize("state", sorted(set(OrderState) - TERMINAL_STATES - {S.DELIVERED, S.RETURNING}))
def test_cancel_is_accepted_until_the_aed_is_on_the_ground(state: OrderState):
    assert isinstance(advance(state, E.CANCEL), Move | Ignore)


@pytest.mark.parametrize("state", [S.DELIVERED, S.RETURNING, S.CLOSED, S.DECLINED, S.FAILED])
def test_cancel_afterwards_is_refused_with_a_reason(state: OrderState):
    rule = advance(state, E.CANCEL)
    assert isinstance(rule, Refuse)
    assert rule.why
    assert rule.why_zh


@pytest.mark.parametrize("state", [S.DECIDED, S.LAUNCHING, S.AIRBORNE, S.DELIVERING])
def test_a_lost_delivery_asks_for_another_drone(state: OrderState):
    assert advance(state, E.DELIVERY_LOST) == Move(S.REDECIDING, (Effect.DECIDE_AGAIN,))
    assert advance(state, E.CANCEL) == Move(S.CANCELLING, (Effect.RECALL_FLIGHTS,))
