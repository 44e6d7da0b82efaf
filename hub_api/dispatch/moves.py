"""A patient who is somewhere else: the next decision, a flight called off on its pad, or another way in the air.

The new position is stored with the order first. A drone under way is told only if another landing point serves the
patient better; what becomes of it then is :mod:`hub_api.dispatch.move_driver`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.geodesy import Wgs84Point
from core.ids import IdSource
from hub_api.dispatch.airborne_planning import AirbornePlanning, Whereabouts
from hub_api.dispatch.ledger import Ledger, Turn, unknown_order
from hub_api.dispatch.move_driver import UNDER_ANOTHER_COMMAND, UNDER_WAY, WITHDRAWN, MoveDriver, notice_of
from hub_api.dispatch.order_states import OrderEvent, OrderState, Refuse, advance
from hub_api.store.database import Database
from hub_api.store.records import MissionRecord, MoveRecord, OrderRecord
from hub_api.store.repositories import diversions, missions, moves, orders


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPosition:
    """A validated request. ``client`` None: of every client's orders; ``sender`` is who sent it."""

    sender: str
    client: str | None
    key: str
    body_sha256: str
    position: dict[str, Any]
    patient: Wgs84Point
    floor: int | None
    reason: str


class MoveDesk:
    """Takes new positions, and brings the drones to them."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        ids: IdSource,
        clock: Clock,
        planning: AirbornePlanning,
        driver: MoveDriver,
        decide_later: Callable[[str], None],
        keep_s: float,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._ids = ids
        self._clock = clock
        self._planning = planning
        self._driver = driver
        self._decide_later = decide_later
        self._keep = timedelta(seconds=keep_s)

    async def move(self, order_id: str, new: NewPosition) -> bool:
        """Store the new position and begin what follows; True if the same request had come before.

        Raises 4002 unknown, 4003 for a key with another body, 4004 where it is too late, with the reason.
        """
        nearest = self._planning.nearest(self._where(new.patient, new.floor))
        decide, begun, replay = await self._database.write(
            lambda session: self._store(session, order_id, new, nearest)
        )
        if decide:
            self._decide_later(order_id)
        if begun is not None:
            self._driver.begin(begun)
        return replay

    def _store(
        self, session: Session, order_id: str, new: NewPosition, nearest: str | None
    ) -> tuple[bool, str | None, bool]:
        known = orders.find_by_key(session, new.sender, new.key, not_before=self._clock.now() - self._keep)
        if known is not None:
            if known[0] != new.body_sha256 or known[1].order_id != order_id:
                raise DispatchError(
                    ErrorCode.IDEMPOTENCY_CONFLICT,
                    "this key came with another request before · 幂等键已用于另一请求",
                    field="header.idempotency-key",
                )
            return False, None, True
        order = orders.find(session, order_id)
        if order is None or (new.client is not None and order.client != new.client):
            raise unknown_order(order_id)
        rule = advance(order.state, OrderEvent.MOVED)
        if isinstance(rule, Refuse):
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED, f"{rule.why} (state {order.state}) · {rule.why_zh}"
            )
        now = self._ledger.now()
        orders.forget_key_if_older(session, new.sender, new.key, now - self._keep)
        orders.remember_key(
            session, new.sender, new.key, body_sha256=new.body_sha256, order_id=order_id, at=now
        )
        turn = Turn(order)
        if _place(order) == (new.patient.latitude_deg, new.patient.longitude_deg, new.floor):
            return False, None, False
        self._ledger.change(
            session,
            turn,
            latitude_deg=new.patient.latitude_deg,
            longitude_deg=new.patient.longitude_deg,
            request={**order.request, "position": new.position, "floor": new.floor},
        )
        mission = missions.find(session, order.mission_id) if order.mission_id else None
        decide, begun = False, None
        what, what_zh, follows = "it is decided for the new place", "按新位置决定", "decision"
        if mission is not None and order.state is OrderState.AWAITING_APPROVAL:
            self._ledger.withdraw(session, mission, WITHDRAWN)
            decide = self._ledger.apply(session, turn, OrderEvent.MOVED)
        elif order.state is OrderState.WAITING:
            decide = self._ledger.apply(session, turn, OrderEvent.MOVED)
        elif mission is not None and mission.open and order.state in UNDER_WAY:
            begun, (what, what_zh, follows) = self._follow(session, mission, new, nearest)
        self._ledger.record(
            session,
            turn,
            "patient_moved",
            f"The patient is somewhere else ({new.reason}): {what}",
            f"患者位置变更（{new.reason}）：{what_zh}",
            mission=mission,
            data={"position": new.position, "floor": new.floor, "reason": new.reason, "follows": follows},
            tell=True,
        )
        return decide, begun, False

    def _follow(
        self, session: Session, mission: MissionRecord, new: NewPosition, nearest: str | None
    ) -> tuple[str | None, tuple[str, str, str]]:
        """What becomes of the flight under way: the move that is begun, and the words for it."""
        where, drone_id = self._where(new.patient, new.floor), mission.drone_id
        for diversion in diversions.open_diversions(session, flight_id=mission.flight_id):
            if diversion.place_kind == "landing_point" and not self._planning.serves(
                diversion.place_id, where
            ):
                # The person chose it for where the patient was.
                diversions.supersede(session, flight_id=mission.flight_id, at=self._ledger.now())
                if diversion.reroute_id is None and not diversion.held_before:
                    self._ledger.owe_command(session, self._ledger.go_on_of(mission), mission)
                said = (
                    f"{drone_id} is told; it was sent to {diversion.place_id}, which does not serve the new place",
                    f"将通知 {drone_id}；原改飞的 {diversion.place_id} 无法服务新位置",
                    "drone_told",
                )
                # It goes on from its stop first.
                return self._tell(session, mission, new, at_once=False), said
            said = (
                f"{diversion.by} has just sent {drone_id} elsewhere, and that stands",
                f"{diversion.by} 刚刚令 {drone_id} 改飞，以该指令为准",
                "diversion_stands",
            )
            return self._tell(session, mission, new, at_once=False), said
        if nearest == mission.landing_point_id:
            return None, ("the landing point stays the nearest", "投放点不变", "flight_kept")
        said = f"{drone_id} is told", f"已通知 {drone_id}", "drone_told"
        # One that a person holds is told as soon as it goes on: the word to go on would clear what it was told before.
        at_once = mission.phase not in UNDER_ANOTHER_COMMAND
        return self._tell(session, mission, new, at_once=at_once), said

    def _tell(
        self, session: Session, mission: MissionRecord, new: NewPosition, *, at_once: bool = True
    ) -> str:
        """Begin a move; its drone is told at once, or when a person's command is seen through."""
        now = self._ledger.now()
        moves.supersede(session, flight_id=mission.flight_id, at=now)
        notice = notice_of(mission, new.reason, self._ids.new("cmd"), now)
        move = MoveRecord(
            move_id=self._ids.new("mov"),
            order_id=mission.order_id,
            flight_id=mission.flight_id,
            mission_id=mission.mission_id,
            at=now,
            told_at=now,
            notice_id=notice.command_id if at_once else moves.NOT_TOLD,
            reason=new.reason,
        )
        moves.insert(session, move)
        if at_once:
            self._ledger.owe_command(session, notice, mission)
        if mission.airborne_at is None:
            # Called off on its pad: no failure of the drone, it may be chosen again.
            missions.save(session, mission, withdrawn=WITHDRAWN)
        return move.move_id

    def _where(self, patient: Wgs84Point, floor: int | None) -> Whereabouts:
        return Whereabouts(patient=patient, floor=floor, at=self._clock.now())


def _place(order: OrderRecord) -> tuple[float, float, int | None]:
    return order.latitude_deg, order.longitude_deg, order.request.get("floor")
