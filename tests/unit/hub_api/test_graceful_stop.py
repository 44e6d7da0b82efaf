"""A hub that is asked to go while messages, callbacks, reports and an order are under way: soon gone, nothing lost."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, select

from hub_api.dispatch.planning import Answer
from hub_api.main import GRACE_S
from hub_api.messages.ports import NotTaken, Sms, SmsTaken, VideoRoom, VideoRoomRequest
from hub_api.settings import DEMO_API_KEY
from hub_api.store.database import make_engine
from hub_api.store.repositories import identification
from hub_api.store.repositories import messages as messages_store
from hub_api.store.tables import CallbackRow
from tests.unit.hub_api.played_planning import FirstReady
from tests.unit.hub_api.server import running_hub
from tests.unit.hub_api.world import BODY, PATIENT, database_url_of

KEY = {"X-API-Key": DEMO_API_KEY}


@dataclass
class Outside:
    """Carrier, video service, authority and the centre's URL at once. ``hangs``: they take a request and never answer."""

    hangs: bool
    begun: set[str] = field(default_factory=set)
    taken: list[tuple[str, str]] = field(default_factory=list)

    async def _take(self, kind: str, *names: str) -> None:
        self.begun.add(kind)
        if self.hangs:
            await asyncio.sleep(3600.0)
        self.taken += [(kind, name) for name in names]

    async def callback(self, request: httpx.Request) -> httpx.Response:
        await self._take("callback", f"{request.url} {json.loads(request.content)['event_id']}")
        return httpx.Response(204)

    def parts(self) -> dict[str, Any]:
        return {
            "sms": _Carrier(self),
            "video": _Video(self),
            "identification": _Authority(self),
            "callback_transport": httpx.MockTransport(self.callback),
        }

    def names(self, kind: str) -> list[str]:
        return [name for of, name in self.taken if of == kind]


@dataclass
class _Carrier:
    outside: Outside

    async def send(self, sms: Sms) -> SmsTaken | NotTaken:
        await self.outside._take("message", sms.message_id)
        return SmsTaken(reference=None)


@dataclass
class _Video:
    outside: Outside

    async def open_room(self, request: VideoRoomRequest) -> VideoRoom | NotTaken:
        await self.outside._take("message", request.message_id)
        links = {role: f"https://video.example/{role}" for role in request.roles}
        return VideoRoom(room_id="r1", links=links)


@dataclass
class _Authority:
    outside: Outside

    async def send(self, batches: Sequence[dict[str, str]]) -> str | None:
        await self.outside._take("batch", *(batch["batch_id"] for batch in batches))
        return None


class SlowPlanner(FirstReady):
    """Thinks long over the second order."""

    def decide(self, *asked: Any) -> Answer:
        if self.questions:
            time.sleep(1.0)
        return super().decide(*asked)


@dataclass
class Owed:
    callbacks: set[str]
    messages: set[str]
    batches: set[str]


def owed(tmp_path: Path) -> Owed:
    """What the store says is still to be sent."""
    engine = make_engine(database_url_of(tmp_path))
    try:
        with Session(engine) as session:
            return Owed(
                callbacks={
                    f"{url} {seq}"
                    for url, seq in session.exec(
                        select(CallbackRow.url, CallbackRow.event_seq).where(
                            col(CallbackRow.delivered_at).is_(None)
                        )
                    )
                },
                messages={record.message_id for record in messages_store.owed(session, 1000)},
                batches={batch["batch_id"] for _, _, _, batch in identification.oldest(session, 1000)},
            )
    finally:
        engine.dispose()


def work(client: httpx.Client) -> None:
    """An incident that rings and an order that flies and is told of."""
    report = {
        "reference": "BA-1",
        "position": PATIENT,
        "severity": "I",
        "caller": {"name": "李", "phone": "13800000000"},
        "callback_url": "https://centre.example/incident",
    }
    answer = client.post("/v1/incidents", json=report, headers={"Idempotency-Key": "report"})
    assert answer.status_code == 201, answer.text
    order = client.post(
        f"/v1/incidents/{answer.json()['incident_id']}/orders",
        json={"callback_url": "https://centre.example/order"},
        headers={"Idempotency-Key": "order"},
    )
    assert order.status_code == 201, order.text


@pytest.mark.usefixtures("each_database")
def test_what_is_under_way_at_a_stop_is_sent_by_the_next_hub(tmp_path: Path):
    outside = Outside(hangs=True)
    answers: list[httpx.Response] = []
    with (
        running_hub(
            tmp_path, phase_s=0.5, parts=outside.parts(), planner=SlowPlanner, identification=True
        ) as (url, server),
        httpx.Client(base_url=url, headers=KEY, timeout=30.0, trust_env=False) as client,
    ):
        work(client)
        deadline_s = time.monotonic() + 20.0
        while outside.begun != {"callback", "message", "batch"}:
            assert time.monotonic() < deadline_s, outside.begun
            time.sleep(0.02)

        def order() -> None:
            answers.append(
                httpx.post(
                    f"{url}/v1/orders",
                    json=BODY,
                    headers=KEY | {"Idempotency-Key": "late"},
                    timeout=30.0,
                    trust_env=False,
                )
            )

        asking = threading.Thread(target=order)
        asking.start()
        time.sleep(0.4)
        assert not answers
        began_s = time.monotonic()
        server.stop()
        took_s = time.monotonic() - began_s
        asking.join(10)
    # Who was waiting for a decision got it; who hangs is not waited for.
    assert [answer.status_code for answer in answers] == [201]
    assert answers[0].json()["decision"]["outcome"] == "accepted"
    assert took_s < GRACE_S + 2.0
    assert outside.taken == []
    left = owed(tmp_path)
    assert left.callbacks
    assert left.messages
    assert left.batches

    again = Outside(hangs=False)
    with running_hub(tmp_path, parts=again.parts(), identification=True):
        deadline_s = time.monotonic() + 30.0
        while not (
            left.callbacks <= set(again.names("callback"))
            and left.messages <= set(again.names("message"))
            and left.batches <= set(again.names("batch"))
        ):
            assert time.monotonic() < deadline_s, (left, again.taken)
            time.sleep(0.05)
    batches = [name for name in again.names("batch") if name in left.batches]
    assert batches == sorted(left.batches), "in their order, each once"
    for kind, names in (("callback", left.callbacks), ("message", left.messages)):
        assert sorted(name for name in again.names(kind) if name in names) == sorted(names), kind
