"""Updates to the centre's callback URL: in order, retried, and honest about failure."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub_api.dispatch.callbacks import MOST_AT_A_HOST
from tests.unit.hub_api.world import EPOCH, World, play, world

URL = "https://dispatch.example/updates"
LIFE = ["DECIDED", "LAUNCHING", "AIRBORNE", "DELIVERING", "DELIVERED", "RETURNING", "CLOSED"]

pytestmark = pytest.mark.usefixtures("each_database")


def states(w: World) -> list[str]:
    return [json.loads(request.content)["state"] for request in w.callbacks]


async def settled(w: World, order_id: str, pending: int = 0) -> dict[str, Any]:
    async with w.hub.clock.timeout(5000):
        while True:
            shown: dict[str, Any] = (await w.client.get(f"/v1/orders/{order_id}")).json()["callback"]
            if shown["pending"] <= pending:
                return shown
            await w.hub.clock.sleep(5.0)


def test_every_change_of_state_is_posted_in_order(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order(callback_url=URL, incident_reference="BA-1")).json()
            await w.until(order["order_id"], "CLOSED")
            shown = await settled(w, order["order_id"])
            assert states(w) == LIFE
            assert shown == {"url": URL, "delivered": 7, "pending": 0, "failed": 0, "last_error": None}
            body = json.loads(w.callbacks[-1].content)
            assert body["order_id"] == order["order_id"]
            assert body["incident_reference"] == "BA-1"
            assert body["detail_zh"]
            assert {str(request.url) for request in w.callbacks} == {URL}

    play(main())


def test_a_url_that_fails_for_a_while_gets_everything_in_order(tmp_path: Path):
    tries: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(1)
        if len(tries) <= 2:
            return httpx.Response(503)
        if len(tries) == 3:
            raise httpx.ConnectTimeout("too slow")
        return httpx.Response(200)

    async def main() -> None:
        async with world(tmp_path, answer_callback=answer) as w:
            order = (await w.order(callback_url=URL)).json()
            await w.until(order["order_id"], "CLOSED")
            shown = await settled(w, order["order_id"])
            assert shown["delivered"] == len(LIFE)
            assert states(w) == [LIFE[0]] * 3 + LIFE
            attempts = [request.headers["Drone-Aed-Attempt"] for request in w.callbacks[:4]]
            assert attempts == ["1", "2", "3", "4"]

    play(main())


def test_a_url_that_never_answers_is_given_up_and_the_order_says_so(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, answer_callback=lambda r: httpx.Response(302), callback_attempts=3) as w:
            order = (await w.order(callback_url=URL)).json()
            await w.until(order["order_id"], "CLOSED")
            shown = await settled(w, order["order_id"])
            assert (shown["delivered"], shown["failed"]) == (0, len(LIFE))
            assert shown["last_error"] == "status 302"
            assert len(w.callbacks) == 3 * len(LIFE)

    play(main())


def test_updates_that_were_owed_before_a_restart_are_sent_after_it(tmp_path: Path):
    async def before() -> str:
        async with world(tmp_path, answer_callback=lambda r: httpx.Response(500)) as w:
            order_id: str = (await w.order(callback_url=URL)).json()["order_id"]
            await w.until(order_id, "CLOSED")
            return order_id

    order_id = play(before())

    async def after() -> None:
        async with world(tmp_path, seed=2) as w:
            shown = await settled(w, order_id)
            assert shown["delivered"] == len(LIFE)
            assert states(w) == LIFE

    play(after())


def test_without_a_url_nothing_is_owed(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order = (await w.order()).json()
            closed = await w.until(order["order_id"], "CLOSED")
            assert closed["callback"] is None
            assert w.callbacks == []

    play(main())


def test_a_centre_that_does_not_answer_keeps_no_other_centre_waiting(tmp_path: Path):
    """Each of its requests lasts until the deadline; the other's updates go out meanwhile, each at once."""

    async def main() -> None:
        heard: dict[str, list[float]] = {"dead.example": [], "alive.example": []}
        under_way = most = 0

        async def answer(request: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            heard[request.url.host].append(w.hub.clock.monotonic_s())
            if request.url.host == "alive.example":
                return httpx.Response(204)
            under_way += 1
            most = max(most, under_way)
            await w.hub.clock.sleep(5.0)
            under_way -= 1
            raise httpx.ReadTimeout("too slow")

        async with world(tmp_path, answer_callback=answer) as w:  # type: ignore[arg-type]
            for number in range(40):
                await w.order(f"dead-{number}", callback_url="https://dead.example/updates")
            order = (await w.order("alive", callback_url="https://alive.example/updates")).json()
            if order["state"] != "DECLINED":
                await w.until(order["order_id"], "CLOSED")
            await settled(w, order["order_id"])
            told = [e for e in await w.events(order["order_id"]) if e["state"] is not None]
            first_s = (datetime.fromisoformat(told[0]["at"]) - EPOCH).total_seconds()
            assert heard["alive.example"][0] - first_s < 0.5
            assert most == MOST_AT_A_HOST

    play(main())


def test_whatever_a_url_makes_the_client_raise_is_its_own_failure(tmp_path: Path):
    def answer(_request: httpx.Request) -> httpx.Response:
        raise UnicodeError("label too long")

    async def main() -> None:
        async with world(tmp_path, answer_callback=answer, callback_attempts=2) as w:
            order = (await w.order(callback_url=URL)).json()
            await w.until(order["order_id"], "CLOSED")
            shown = await settled(w, order["order_id"])
            assert (shown["delivered"], shown["last_error"]) == (0, "UnicodeError")
            assert not w.hub.failure.done()

    play(main())


class Endless(httpx.AsyncByteStream):
    """An answer's body that never ends."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536


def test_an_answer_without_end_is_taken_and_read_by_nobody(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, answer_callback=lambda r: httpx.Response(200, stream=Endless())) as w:
            order = (await w.order(callback_url=URL)).json()
            await w.until(order["order_id"], "CLOSED")
            assert (await settled(w, order["order_id"]))["delivered"] == len(LIFE)

    play(main())


def test_an_answer_that_never_begins_is_no_answer_in_time(tmp_path: Path):
    """Neither a name server nor a server that sends a word now and then has a limit of its own."""

    async def main() -> None:
        async def answer(_request: httpx.Request) -> httpx.Response:
            await w.hub.clock.sleep(1e6)
            return httpx.Response(204)

        async with world(tmp_path, answer_callback=answer, callback_attempts=2) as w:  # type: ignore[arg-type]
            order = (await w.order(callback_url=URL)).json()
            await w.until(order["order_id"], "CLOSED")
            shown = await settled(w, order["order_id"])
            assert (shown["failed"], shown["last_error"]) == (len(LIFE), "no answer in time")

    play(main())
