"""The 120 centre of a play: it sends orders, and sends them again with the same key while the hub cannot take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from proving_ground.schema import OrderLine

if TYPE_CHECKING:
    from proving_ground.play import Play

NOT_NOW = 503
"""The hub's «not now, later»: nothing was taken, and the same key may come again."""
AGAIN_AFTER_S = 2.0
"""Where the answer does not name its own ``Retry-After``, or nobody answers: what a centre's gateway does (chosen)."""
GIVE_UP_AFTER_S = 180.0
"""Then a dispatcher takes the telephone (chosen)."""


@dataclass(slots=True)
class Placed:
    """An order that was sent: its line, its last answer, and the moment of the first sending (seconds after the
    drones were ready).

    ``answers``: the HTTP status of every sending, equal ones in a row once; 0 where nobody answered.
    """

    line: OrderLine
    sent_at_s: float
    answers: tuple[int, ...]
    body: dict[str, Any]

    @property
    def status(self) -> int:
        """Of the last answer."""
        return self.answers[-1]

    @property
    def order_id(self) -> str | None:
        """None where the hub refused to take it."""
        order_id: str | None = self.body.get("order_id")
        return order_id


class Centre:
    """Everything that people and programs outside do to the hub of one play."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._name = play.scenario.name
        self.placed: dict[str, Placed] = {}

    async def place(self, line: OrderLine) -> None:
        """Send one order."""
        await self._post(line.name, line, key=f"{self._name}-{line.name}")

    async def send_again(self, name: str) -> None:
        """The same order, same key: a centre that did not hear the answer."""
        line = self.placed[name].line
        await self._post(f"{name}-again", line, key=f"{self._name}-{name}")

    async def repeat_call(self, name: str) -> None:
        """Another order for the same patient, as a second caller causes it."""
        line = self.placed[name].line
        await self._post(f"{name}-second", line, key=f"{self._name}-{name}-second")

    async def _post(self, name: str, line: OrderLine, *, key: str) -> None:
        body = {
            "position": line.patient.model_dump(),
            "severity": line.severity,
            **({} if line.floor is None else {"floor": line.floor}),
        }
        sent_at_s = self._play.now_s
        answers: list[int] = []
        while True:
            answer = await self._ask(body, key)
            status = 0 if answer is None else answer.status_code
            if answers[-1:] != [status]:
                answers.append(status)
            gone_s = self._play.now_s - sent_at_s
            if answer is not None and (status != NOT_NOW or gone_s > GIVE_UP_AFTER_S):
                self.placed[name] = Placed(line, sent_at_s, tuple(answers), answer.json())
                return
            if answer is None and gone_s > GIVE_UP_AFTER_S:
                self.placed[name] = Placed(line, sent_at_s, tuple(answers), {})
                return
            named = None if answer is None else answer.headers.get("Retry-After")
            await self._play.clock.sleep(AGAIN_AFTER_S if named is None else float(named))

    async def _ask(self, body: dict[str, Any], key: str) -> httpx.Response | None:
        if not self._play.process.is_up:
            return None
        return await self._play.client.post("/v1/orders", json=body, headers={"Idempotency-Key": key})

    async def cancel(self, name: str, reason: str) -> None:
        """Cancel an order that was sent."""
        order_id = self.placed[name].order_id
        if order_id is not None:
            await self._play.client.post(f"/v1/orders/{order_id}/cancel", json={"reason": reason})

    async def command(self, drone_id: str, kind: str) -> None:
        """What an operator does at the console."""
        await self._play.client.post(
            f"/v1/drones/{drone_id}/commands", json={"command": kind, "reason": "scenario"}
        )
