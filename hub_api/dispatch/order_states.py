"""The life of an order, as one file of tables.

Every (state, event) pair is declared: it moves the order, is ignored for a stated reason, or is
refused for a stated reason. No clock, no I/O: :func:`advance` answers with the next state and
with effects as data, which :mod:`hub_api.dispatch.service` stores before it carries them out.

An order may need more than one flight (a drone that refuses or turns back is replaced), so the
events speak of «the current flight» and of «all flights»; one flight's own phases belong to
:mod:`flight`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class OrderState(StrEnum):
    """Where an order is. Each docstring says what is allowed there."""

    RECEIVED = "RECEIVED"
    """Stored, not yet decided. Nothing flies. May be cancelled at once."""
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    """A plan is proved and its drone kept; nothing is commanded until a person approves. May be cancelled."""
    DECIDED = "DECIDED"
    """A plan is chosen and its command stored; the drone has not answered yet."""
    LAUNCHING = "LAUNCHING"
    """The drone accepted the flight and prepares: checks, upload, arming, take-off."""
    AIRBORNE = "AIRBORNE"
    """On the way to the landing point. A cancel brings the drone back."""
    DELIVERING = "DELIVERING"
    """Over the landing point, lowering. A cancel stops the lowering if the AED still hangs."""
    DELIVERED = "DELIVERED"
    """The AED is on the ground and may be approached. A cancel is refused: nothing can be taken back."""
    RETURNING = "RETURNING"
    """AED delivered, the drone flies home. The order is still watched until the drone is safe."""
    REDECIDING = "REDECIDING"
    """The current flight will not deliver; another drone is being chosen. May be cancelled."""
    WAITING = "WAITING"
    """It lost its drone and no other can fly now. Decided again when one stands ready, until a stated moment; then
    it fails. May be cancelled."""
    CANCELLING = "CANCELLING"
    """Cancelled by the centre; a drone still has to reach its safe state."""
    MERGED = "MERGED"
    """Another order's mission serves the same patient. Ends with that order, or is split off to be decided on its
    own. May be cancelled; the mission flies on for the other order."""
    FAILING = "FAILING"
    """No drone will deliver; the centre has been told; a drone still has to reach its safe state."""
    DECLINED = "DECLINED"
    """Decided: no drone can or may serve it. Final, with every candidate's reasons, or the operator's."""
    CLOSED = "CLOSED"
    """Delivered, and every drone of this order is safe. Final."""
    CANCELLED = "CANCELLED"
    """Cancelled before delivery, and every drone of this order is safe. Final."""
    FAILED = "FAILED"
    """Not delivered although accepted, and every drone of this order is safe. Final, with reasons."""


class OrderEvent(StrEnum):
    """What may happen to an order."""

    ACCEPTED = "ACCEPTED"
    """The decision found a drone; its plan and command are stored in the same transaction."""
    PROPOSED = "PROPOSED"
    """The decision found a drone; its plan is stored, its drone kept, and a person is asked."""
    DECLINED = "DECLINED"
    """The decision found no drone; or, after an earlier flight was lost, a person refused the next one."""
    NO_DRONE_YET = "NO_DRONE_YET"
    """The decision found no drone now, for an order that lost the one it had; one may become ready in time."""
    APPROVED = "APPROVED"
    """A person (or the policy for unanswered requests) let the proposed flight go; its command is stored."""
    REFUSED = "REFUSED"
    """A person (or that policy) refused the proposed flight, and no other flight of the order is open."""
    WITHDRAWN = "WITHDRAWN"
    """The proposed flight is off: its plan is outdated, or its drone serves a more urgent order."""
    MOVED = "MOVED"
    """The patient is somewhere else."""
    FLIGHT_ACCEPTED = "FLIGHT_ACCEPTED"
    """The drone took the command."""
    TAKEN_OFF = "TAKEN_OFF"
    """The current flight left the ground."""
    LOWERING = "LOWERING"
    """The current flight began to hand over the AED."""
    AED_ON_GROUND = "AED_ON_GROUND"
    """A flight of this order put the AED on the ground, confirmed by the vehicle."""
    TURNED_HOME = "TURNED_HOME"
    """The current flight is on its way home after the delivery."""
    DELIVERY_LOST = "DELIVERY_LOST"
    """The current flight refused, turned back, did not answer or ended: it will not deliver."""
    FLIGHTS_ENDED = "FLIGHTS_ENDED"
    """No flight of this order is open any more: each is in its named safe state."""
    CANCEL = "CANCEL"
    """The centre does not need the AED any more."""
    MERGED = "MERGED"
    """Another order for the same patient was there first."""
    SPLIT = "SPLIT"
    """A person says that it is another patient; or the order that served it is gone."""
    CARRIER_CLOSED = "CARRIER_CLOSED"
    """The order whose mission serves this one is closed: its AED is on the ground."""
    CARRIER_DECLINED = "CARRIER_DECLINED"
    """The order that was to serve this one was declined."""
    CARRIER_FAILED = "CARRIER_FAILED"
    """The order whose mission served this one failed."""


class Effect(StrEnum):
    """What the service has to do after the new state is stored."""

    DECIDE_AGAIN = "DECIDE_AGAIN"
    """Choose another drone, without those that already failed this order."""
    RECALL_FLIGHTS = "RECALL_FLIGHTS"
    """Send the abort command to every open flight of this order that has not delivered."""


@dataclass(frozen=True, slots=True)
class Move:
    """The event moves the order to ``state``."""

    state: OrderState
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignore:
    """The event is expected here and changes nothing."""

    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The event may not happen here; the reason is told to whoever caused it."""

    why: str
    why_zh: str


Rule = Move | Ignore | Refuse

LOST_ITS_DRONE = frozenset({OrderState.REDECIDING, OrderState.WAITING})
UNDECIDED = frozenset({OrderState.RECEIVED}) | LOST_ITS_DRONE
"""No flight of the order will deliver as things stand: a decision may give it one."""
TERMINAL_STATES = frozenset({OrderState.DECLINED, OrderState.CLOSED, OrderState.CANCELLED, OrderState.FAILED})

_S, _E = OrderState, OrderEvent

_DECIDED_ALREADY = Refuse("the order is already decided", "订单已作出决定")
_NO_FLIGHT = Refuse("the order has no current flight", "订单当前没有飞行任务")
_FINAL = Refuse("the order is finished", "订单已结束")
_EARLIER = Ignore("an earlier stage reported late")
_STILL_OPEN = Refuse("the current flight has not told that it will not deliver", "当前飞行尚未报告无法送达")
_ON_GROUND = Refuse("the AED is already on the ground", "AED 已送达地面")
_AGAIN = Move(_S.REDECIDING, (Effect.DECIDE_AGAIN,))
_RECALL = Move(_S.CANCELLING, (Effect.RECALL_FLIGHTS,))
# Another drone of the same order may still be on its way there: it is called back.
_DELIVERED = Move(_S.DELIVERED, (Effect.RECALL_FLIGHTS,))
_NOT_CURRENT = Ignore("the flight is not the one the order waits for")
_NOT_ASKED = Refuse("the order does not wait for an approval", "订单未在等待批准")
_NOTHING_PROPOSED = Ignore("no flight is proposed")
_TOLD = Ignore("the drone is told, and the order follows what becomes of its flight")
_TAKEN_UP = Ignore("the next decision takes the new position")
_TOO_LOW = Refuse("the AED is already on its way down", "AED 正在下放")
_NO_PROMISE = Refuse("an order that never had a drone is declined at once", "从未分配无人机的订单立即拒绝")
_ENDING = Refuse("no drone of this order will deliver any more", "本订单不再有无人机投送")

_HAS_ITS_DECISION: dict[OrderEvent, Rule] = {
    _E.ACCEPTED: _DECIDED_ALREADY,
    _E.PROPOSED: _DECIDED_ALREADY,
    _E.DECLINED: _DECIDED_ALREADY,
    _E.NO_DRONE_YET: _DECIDED_ALREADY,
}
_ASKS_NOBODY: dict[OrderEvent, Rule] = {
    _E.APPROVED: _NOT_ASKED,
    _E.REFUSED: _NOT_ASKED,
    _E.WITHDRAWN: _NOTHING_PROPOSED,
}

TABLE: dict[OrderState, dict[OrderEvent, Rule]] = {
    _S.RECEIVED: {
        _E.ACCEPTED: Move(_S.DECIDED),
        _E.PROPOSED: Move(_S.AWAITING_APPROVAL),
        _E.DECLINED: Move(_S.DECLINED),
        _E.NO_DRONE_YET: _NO_PROMISE,
        **_ASKS_NOBODY,
        _E.MOVED: _TAKEN_UP,
        _E.FLIGHT_ACCEPTED: _NO_FLIGHT,
        _E.TAKEN_OFF: _NO_FLIGHT,
        _E.LOWERING: _NO_FLIGHT,
        _E.AED_ON_GROUND: _NO_FLIGHT,
        _E.TURNED_HOME: _NO_FLIGHT,
        _E.DELIVERY_LOST: _NO_FLIGHT,
        _E.FLIGHTS_ENDED: _NO_FLIGHT,
        _E.CANCEL: Move(_S.CANCELLED),
    },
    _S.AWAITING_APPROVAL: {
        _E.ACCEPTED: _DECIDED_ALREADY,
        _E.PROPOSED: _DECIDED_ALREADY,
        _E.DECLINED: Move(_S.FAILING),
        _E.NO_DRONE_YET: _DECIDED_ALREADY,
        _E.APPROVED: Move(_S.DECIDED),
        _E.REFUSED: Move(_S.DECLINED),
        _E.WITHDRAWN: _AGAIN,
        _E.MOVED: _AGAIN,
        _E.FLIGHT_ACCEPTED: _NOT_CURRENT,
        _E.TAKEN_OFF: _NOT_CURRENT,
        _E.LOWERING: _NOT_CURRENT,
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _NOT_CURRENT,
        _E.DELIVERY_LOST: _NOT_CURRENT,
        _E.FLIGHTS_ENDED: Ignore("the proposed flight waits for its approval"),
        _E.CANCEL: _RECALL,
    },
    _S.DECIDED: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _TOLD,
        _E.FLIGHT_ACCEPTED: Move(_S.LAUNCHING),
        _E.TAKEN_OFF: Move(_S.AIRBORNE),
        _E.LOWERING: Move(_S.DELIVERING),
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _STILL_OPEN,
        _E.DELIVERY_LOST: _AGAIN,
        _E.FLIGHTS_ENDED: _STILL_OPEN,
        _E.CANCEL: _RECALL,
    },
    _S.LAUNCHING: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _TOLD,
        _E.FLIGHT_ACCEPTED: Ignore("the drone repeated its answer"),
        _E.TAKEN_OFF: Move(_S.AIRBORNE),
        _E.LOWERING: Move(_S.DELIVERING),
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _STILL_OPEN,
        _E.DELIVERY_LOST: _AGAIN,
        _E.FLIGHTS_ENDED: _STILL_OPEN,
        _E.CANCEL: _RECALL,
    },
    _S.AIRBORNE: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _TOLD,
        _E.FLIGHT_ACCEPTED: _EARLIER,
        _E.TAKEN_OFF: _EARLIER,
        _E.LOWERING: Move(_S.DELIVERING),
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _STILL_OPEN,
        _E.DELIVERY_LOST: _AGAIN,
        _E.FLIGHTS_ENDED: _STILL_OPEN,
        _E.CANCEL: _RECALL,
    },
    _S.DELIVERING: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _TOO_LOW,
        _E.FLIGHT_ACCEPTED: _EARLIER,
        _E.TAKEN_OFF: _EARLIER,
        _E.LOWERING: Ignore("the drone repeated its phase"),
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _STILL_OPEN,
        _E.DELIVERY_LOST: _AGAIN,
        _E.FLIGHTS_ENDED: _STILL_OPEN,
        _E.CANCEL: _RECALL,
    },
    _S.DELIVERED: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _ON_GROUND,
        _E.FLIGHT_ACCEPTED: _EARLIER,
        _E.TAKEN_OFF: _EARLIER,
        _E.LOWERING: _EARLIER,
        _E.AED_ON_GROUND: Ignore("the delivery is already recorded"),
        _E.TURNED_HOME: Move(_S.RETURNING),
        _E.DELIVERY_LOST: Ignore("the AED is already on the ground"),
        _E.FLIGHTS_ENDED: Move(_S.CLOSED),
        _E.CANCEL: _ON_GROUND,
    },
    _S.RETURNING: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _ON_GROUND,
        _E.FLIGHT_ACCEPTED: _EARLIER,
        _E.TAKEN_OFF: _EARLIER,
        _E.LOWERING: _EARLIER,
        _E.AED_ON_GROUND: Ignore("the delivery is already recorded"),
        _E.TURNED_HOME: Ignore("the drone repeated its phase"),
        _E.DELIVERY_LOST: Ignore("the AED is already on the ground"),
        _E.FLIGHTS_ENDED: Move(_S.CLOSED),
        _E.CANCEL: _ON_GROUND,
    },
    _S.REDECIDING: {
        _E.ACCEPTED: Move(_S.DECIDED),
        _E.PROPOSED: Move(_S.AWAITING_APPROVAL),
        _E.DECLINED: Move(_S.FAILING),
        _E.NO_DRONE_YET: Move(_S.WAITING),
        **_ASKS_NOBODY,
        _E.MOVED: _TAKEN_UP,
        _E.FLIGHT_ACCEPTED: _NOT_CURRENT,
        _E.TAKEN_OFF: _NOT_CURRENT,
        _E.LOWERING: _NOT_CURRENT,
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _NOT_CURRENT,
        _E.DELIVERY_LOST: Ignore("another drone is already being chosen"),
        _E.FLIGHTS_ENDED: Ignore("another drone is being chosen"),
        _E.CANCEL: _RECALL,
    },
    _S.WAITING: {
        _E.ACCEPTED: Move(_S.DECIDED),
        _E.PROPOSED: Move(_S.AWAITING_APPROVAL),
        _E.DECLINED: Move(_S.FAILING),
        _E.NO_DRONE_YET: Ignore("it waits already, and no longer than it was told"),
        **_ASKS_NOBODY,
        _E.MOVED: _AGAIN,
        _E.FLIGHT_ACCEPTED: _NOT_CURRENT,
        _E.TAKEN_OFF: _NOT_CURRENT,
        _E.LOWERING: _NOT_CURRENT,
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _NOT_CURRENT,
        _E.DELIVERY_LOST: Ignore("another drone is already waited for"),
        _E.FLIGHTS_ENDED: Ignore("another drone is waited for"),
        _E.CANCEL: _RECALL,
    },
    _S.CANCELLING: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _ENDING,
        _E.FLIGHT_ACCEPTED: Ignore("the flight is being recalled"),
        _E.TAKEN_OFF: Ignore("the flight is being recalled"),
        _E.LOWERING: Ignore("the flight is being recalled"),
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: Ignore("the flight is being recalled"),
        _E.DELIVERY_LOST: Ignore("the order is cancelled, no delivery is expected"),
        _E.FLIGHTS_ENDED: Move(_S.CANCELLED),
        _E.CANCEL: Ignore("the order is already being cancelled"),
    },
    _S.FAILING: {
        **_HAS_ITS_DECISION,
        **_ASKS_NOBODY,
        _E.MOVED: _ENDING,
        _E.FLIGHT_ACCEPTED: _NOT_CURRENT,
        _E.TAKEN_OFF: _NOT_CURRENT,
        _E.LOWERING: _NOT_CURRENT,
        _E.AED_ON_GROUND: _DELIVERED,
        _E.TURNED_HOME: _NOT_CURRENT,
        _E.DELIVERY_LOST: Ignore("the centre already knows that no AED will come"),
        _E.FLIGHTS_ENDED: Move(_S.FAILED),
        _E.CANCEL: _RECALL,
    },
    _S.DECLINED: {event: _FINAL for event in OrderEvent},
    _S.CLOSED: {event: _FINAL for event in OrderEvent},
    _S.CANCELLED: {
        **{event: _FINAL for event in OrderEvent},
        _E.CANCEL: Ignore("the order is already cancelled"),
    },
    _S.FAILED: {event: _FINAL for event in OrderEvent},
}

_OF_MERGES: dict[OrderEvent, Rule] = {
    _E.MERGED: Refuse("the order is already decided on its own", "订单已单独作出决定"),
    _E.SPLIT: Refuse("the order is not merged into another", "订单未并入其他订单"),
    _E.CARRIER_CLOSED: Ignore("the order is not merged into another"),
    _E.CARRIER_DECLINED: Ignore("the order is not merged into another"),
    _E.CARRIER_FAILED: Ignore("the order is not merged into another"),
}
_SERVED_BY_ANOTHER = Ignore("the mission belongs to another order")
for _rules in TABLE.values():
    _rules.update({event: rule for event, rule in _OF_MERGES.items() if _rules.get(event) is not _FINAL})
TABLE[_S.RECEIVED][_E.MERGED] = Move(_S.MERGED)
TABLE[_S.MERGED] = {
    **{event: _SERVED_BY_ANOTHER for event in OrderEvent},
    _E.APPROVED: _NOT_ASKED,
    _E.REFUSED: _NOT_ASKED,
    _E.MOVED: Refuse(
        "another order's mission serves it: move that one, or split this one off",
        "由其他订单的任务服务：请更新该订单，或先拆分",
    ),
    _E.MERGED: Ignore("the order is already merged"),
    _E.SPLIT: Move(_S.RECEIVED, (Effect.DECIDE_AGAIN,)),
    _E.CARRIER_CLOSED: Move(_S.CLOSED),
    _E.CARRIER_DECLINED: Move(_S.DECLINED),
    _E.CARRIER_FAILED: Move(_S.FAILED),
    _E.CANCEL: Move(_S.CANCELLED),
}


def advance(state: OrderState, event: OrderEvent) -> Rule:
    """What ``event`` does to an order in ``state``. Total: every pair is declared."""
    return TABLE[state][event]


def mermaid() -> str:
    """The diagram of ``docs/orders.md``, generated from the table (a test fails when it is stale)."""
    lines = ["stateDiagram-v2", "    [*] --> RECEIVED"]
    for state, rules in TABLE.items():
        for event, rule in rules.items():
            if isinstance(rule, Move):
                lines.append(f"    {state} --> {rule.state}: {event}")
    lines.extend(f"    {state} --> [*]" for state in OrderState if state in TERMINAL_STATES)
    return "\n".join(lines) + "\n"
