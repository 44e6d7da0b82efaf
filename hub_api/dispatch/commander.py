"""Commands that a person gives to a drone: stored, sent like every other command, answer awaited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from core.clock import Clock
from core.ids import IdSource
from flight import messages as m
from flight.model.phases import Phase
from hub_api.dispatch.feed import EventFeed, Listener
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.narration import command_zh
from hub_api.store.database import Database
from hub_api.store.records import EventRecord, MissionRecord
from hub_api.store.repositories import audit, diversions, missions, moves, orders
from planner.reasons import Reason

ANSWER_S = 5.0
"""How long a person waits for the drone's answer; afterwards the command is still on its way."""

FlightCommandKind = Literal[
    "abort_flight", "return_home", "hold_flight", "continue_flight", "divert_flight", "land_now"
]

_GOES_ELSEWHERE = frozenset({"abort_flight", "return_home", "divert_flight", "land_now"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOutcome:
    """What the drone said. ``pending``: nothing yet; the command is sent again until it is answered."""

    command_id: str
    outcome: Literal["accepted", "refused", "pending"]
    reasons: tuple[Reason, ...] = ()


class Commander:
    """Sends a person's commands through the outbox and waits a moment for the answer."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        ids: IdSource,
        clock: Clock,
        feed: EventFeed,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._ids = ids
        self._clock = clock
        self._feed = feed

    async def command_flight(
        self, drone_id: str, kind: FlightCommandKind, *, reason: str, by: str
    ) -> CommandOutcome:
        """Command the flight that the drone is on. Raises 4004 if it is on none."""
        command_id = self._ids.new("cmd")

        def work(session: Session) -> None:
            mission = missions.under_command(session, drone_id)
            # The drone does what it was told last: a diversion that is under way would overtake it.
            diversions.supersede(session, flight_id=mission.flight_id, at=self._ledger.now())
            if kind in _GOES_ELSEWHERE or (kind == "continue_flight" and mission.phase == Phase.STANDING_OFF):
                # It goes where the person says, or on as planned: the patient who moved does not stop it again.
                moves.supersede(session, flight_id=mission.flight_id, at=self._ledger.now())
            self._ledger.owe_command(
                session, self._flight_command(kind, command_id, mission, reason), mission
            )
            self._ledger.record(
                session,
                Turn(orders.get(session, mission.order_id)),
                "operator_command",
                f"{by} commands {drone_id}: {kind} ({reason})",
                f"{by} 对 {drone_id} 下达{command_zh(kind)}：{reason}",
                mission=mission,
                data={"command": kind, "reason": reason, "by": by},
            )

        return await self.send(command_id, work)

    async def confirm_aed_loaded(self, drone_id: str, *, confirmed_by: str) -> CommandOutcome:
        """Tell the drone that a person hung an AED on its hook; it checks before it believes."""
        command = m.ConfirmAedLoaded(
            command_id=self._ids.new("cmd"),
            drone_id=drone_id,
            issued_at=self._clock.now(),
            confirmed_by=confirmed_by,
        )

        def work(session: Session) -> None:
            self._ledger.owe_command(session, command, None)
            # The name is what somebody typed; whose credentials it was is the log's own.
            audit.append(
                session,
                at=command.issued_at,
                action="aed_loaded_confirmed",
                subject=drone_id,
                detail={"confirmed_by": confirmed_by, "command_id": command.command_id},
            )

        return await self.send(command.command_id, work)

    async def send(self, command_id: str, work: Callable[[Session], None]) -> CommandOutcome:
        """Store what ``work`` owes, a command of this id among it, and wait a moment for the drone's answer."""
        listener = self._feed.listen(lambda event: event.data.get("command_id") == command_id)
        try:
            await self._database.write(work)
            return await self._answer(command_id, listener)
        finally:
            self._feed.leave(listener)

    async def _answer(self, command_id: str, listener: Listener) -> CommandOutcome:
        try:
            async with self._clock.timeout(ANSWER_S):
                event = await listener.next()
        except TimeoutError:
            return CommandOutcome(command_id=command_id, outcome="pending")
        if event is None:
            return CommandOutcome(command_id=command_id, outcome="pending")
        return _outcome(command_id, event)

    def _flight_command(
        self, kind: FlightCommandKind, command_id: str, mission: MissionRecord, reason: str
    ) -> m.FlightCommand:
        now = self._clock.now()
        if kind == "continue_flight":
            return m.ContinueFlight(
                command_id=command_id, drone_id=mission.drone_id, flight_id=mission.flight_id, issued_at=now
            )
        makers = {
            "abort_flight": m.AbortFlight,
            "return_home": m.ReturnHome,
            "hold_flight": m.HoldFlight,
            "divert_flight": m.DivertFlight,
            "land_now": m.LandNow,
        }
        return makers[kind](
            command_id=command_id,
            drone_id=mission.drone_id,
            flight_id=mission.flight_id,
            issued_at=now,
            reason=reason,
        )


def _outcome(command_id: str, event: EventRecord) -> CommandOutcome:
    if event.kind == "command_accepted":
        return CommandOutcome(command_id=command_id, outcome="accepted")
    reasons = tuple(
        Reason(item["code"], item["detail"], item["detail_zh"]) for item in event.data.get("reasons", ())
    )
    return CommandOutcome(command_id=command_id, outcome="refused", reasons=reasons)
