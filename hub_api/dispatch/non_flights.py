"""Why nothing took off, in one machine-readable word: what the take-off share is added up by."""

from __future__ import annotations

from typing import Any

from hub_api.dispatch.order_states import OrderState
from hub_api.dispatch.planning import Answer
from hub_api.store.records import OrderRecord

CANCELLED = "cancelled_before_take_off"
NOT_OFF_THE_GROUND = "not_off_the_ground"
"""Every drone that was sent refused, did not answer, or gave up on its pad."""
_SUMMARIES = frozenset({"no_candidate", "no_drone_ready"})
"""Words of the planner that say only that nothing goes; the candidates say why."""
NO_DRONE_HELPS = frozenset({"order_too_old", "attempts_exhausted", "planning_failed", "no_benefit"})
"""Words of a decision that another drone does not change: not another order's, and not one that is ready later."""
_TRIED = frozenset({"attempts_exhausted", "tried_before"})


def word_of(answer: Answer) -> str | None:
    """The word of a decision that sends nothing; None where it sends a drone."""
    if answer.plan is not None:
        return None
    word = answer.reasons[0].code if answer.reasons else "unknown"
    if word in _SUMMARIES:
        word = answer.told.nearest_refusal or word
    return NOT_OFF_THE_GROUND if word in _TRIED else word[:60]


def non_flight_reason(order: OrderRecord, state: OrderState) -> str | None:
    """The word for an order that ends in ``state``; None if something took off for it."""
    if order.airborne_at is not None or state is OrderState.CLOSED:
        return None
    if state is OrderState.CANCELLED:
        return CANCELLED
    decision: dict[str, Any] = order.decision or {}
    reasons = decision.get("reasons") or [{"code": "unknown"}]
    word = decision.get("non_flight") or reasons[0]["code"]
    return str(word)[:60]
