"""Every log line that belongs to an incident says so, whoever writes it and whatever goes wrong."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.errors import ErrorCode, InternalError
from hub_api import logs
from hub_api.dispatch import flights
from hub_api.messages.ports import NotTaken, Sms, SmsTaken
from tests.unit.hub_api.test_pre_emption import FAR, placed
from tests.unit.hub_api.world import PATIENT, World, play, world


@contextmanager
def lines(log_format: str = "json") -> Iterator[io.StringIO]:
    """What the hub would write to standard error."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logs.make_handler(log_format, stream), root.level
    # The requests' own lines are the test's.
    handler.addFilter(lambda record: not record.name.startswith("httpx"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


class NoCarrier:
    """Takes no short message."""

    async def send(self, _message: Sms) -> SmsTaken | NotTaken:
        return NotTaken(why="the carrier is down")


async def a_life_with_faults(w: World) -> dict[str, str]:
    """Two incidents in which much fails; every id of them → its incident."""
    report = {
        "reference": "BA-1",
        "position": PATIENT,
        "severity": "I",
        "caller": {"name": "李", "phone": "13800000000"},
        "callback_url": "https://centre.example/incident",
    }
    answer = await w.client.post("/v1/incidents", json=report, headers={"Idempotency-Key": "report"})
    here = f"/v1/incidents/{answer.json()['incident_id']}"
    first = await w.client.post(
        f"{here}/orders",
        json={"callback_url": "https://centre.example/order"},
        headers={"Idempotency-Key": "first"},
    )
    second = await placed(w, "second", "II", position=FAR, callback_url="https://centre.example/order")
    owners: dict[str, str] = {}
    for order_id in (first.json()["order_id"], second["order_id"]):
        closed = await w.until(order_id, "CLOSED")
        ids = [order_id, closed["incident_id"], *(flight["flight_id"] for flight in closed["flights"])]
        owners |= dict.fromkeys(ids, closed["incident_id"])
    late = await w.client.post(f"/v1/orders/{second['order_id']}/cancel", json={"reason": "误报"})
    assert late.status_code == 409
    assert (await w.client.post(f"{here}/close", json={"outcome": "handed_over"})).status_code == 200
    # The callbacks and the message are tried again, and fail again.
    await w.hub.clock.sleep(30.0)
    return owners


def test_every_line_about_an_order_or_a_flight_names_its_incident(tmp_path: Path):
    async def main() -> dict[str, str]:
        def refuse(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(500)

        async with world(tmp_path, answer_callback=refuse, sms=NoCarrier()) as w:
            return await a_life_with_faults(w)

    with lines() as written:
        owners = play(main())
    found = [json.loads(line) for line in written.getvalue().splitlines()]
    about = [(line, owners[name]) for line in found for name in owners if name in json.dumps(line)]
    wrong = [line for line, incident_id in about if line["incident_id"] != incident_id]
    assert not wrong, wrong[:3]
    said = {line["message"].split(":")[0].split(" (")[0] for line, _ in about}
    assert {"order_received", "aed_on_ground", "incident_received", "incident_closed"} <= said
    # By other parts of the hub than the ledger: the planner, the callbacks, the messages.
    loggers = {line["logger"].rpartition(".")[2] for line, _ in about}
    assert {"ledger", "incident_ledger", "asking", "callbacks", "sender"} <= loggers, loggers
    # And nothing else is taken for an incident's.
    assert {line["incident_id"] for line in found} == {"-", *owners.values()}


def test_a_fault_s_line_names_its_incident_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: Any, **_more: Any) -> Any:
        raise InternalError(ErrorCode.BROKEN_INVARIANT, "something of ours")

    async def main() -> tuple[str, str]:
        async with world(tmp_path) as w:
            with monkeypatch.context() as patch:
                patch.setattr(w.planner, "decide", broken)
                declined = await placed(w, "k", "I")
            assert declined["decision"]["reasons"][0]["code"] == "planning_failed"
            flown = await placed(w, "k2", "I")
            await w.until(flown["order_id"], "AIRBORNE")
            with monkeypatch.context() as patch:
                patch.setattr(w.hub.personal, "show", broken)
                assert (await w.client.get(f"/v1/orders/{flown['order_id']}")).status_code == 500
            # Stored for a flight that a drone says nothing sensible of.
            with monkeypatch.context() as patch:
                patch.setattr(flights, "narrate", broken)
                await w.until(flown["order_id"], "AIRBORNE")
                await w.hub.clock.sleep(15.0)
            return declined["incident_id"], flown["incident_id"]

    with lines() as written:
        declined, flown = play(main())
    faults = [json.loads(line) for line in written.getvalue().splitlines() if '"ERROR"' in line]
    by_kind = {
        kind: line["incident_id"]
        for line in faults
        for kind in ("planning failed", "internal error", "was set aside")
        if kind in line["message"]
    }
    assert by_kind == {"planning failed": declined, "internal error": flown, "was set aside": flown}


def test_a_text_line_shows_incident_and_order():
    logs.remember("flt_9", order_id="ord_9", incident_id="inc_9")
    with lines("text") as written:
        logging.getLogger("x").warning("hello", extra={"about": "flt_9"})
        with logs.order_context("ord_9"):
            logging.getLogger("x").warning("inside")
        logging.getLogger("x").warning("outside")
    hello, inside, outside = written.getvalue().splitlines()
    assert "[inc_9 ord_9] hello" in hello
    assert "[inc_9 ord_9] inside" in inside
    assert "[- -] outside" in outside


def test_only_the_newest_owners_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(logs, "REMEMBERED", 3)
    owners = logs._Owners()
    for number in range(5):
        owners.remember((f"ord_{number}",), f"ord_{number}", f"inc_{number}")
    assert owners.of("ord_1") == (None, None)
    assert owners.of("ord_4") == ("ord_4", "inc_4")


@pytest.mark.parametrize(
    ("path", "named"),
    [("/v1/incidents/inc_7/events", "inc_7"), ("/v1/orders/ord_7", "ord_7"), ("/v1/orders/x%0Ay", "-")],
)
def test_a_request_is_about_what_its_path_names(tmp_path: Path, path: str, named: str):
    """Unknown here: then the id itself is what is known."""

    async def main() -> str:
        async with world(tmp_path) as w:
            seen: list[str] = []
            find = w.hub.gate.identify

            async def identify(*args: Any, **more: Any) -> Any:
                record = logging.LogRecord("x", logging.INFO, __file__, 1, "…", (), None)
                logs._AddIds().filter(record)
                shown = {record.order_id, record.incident_id} - {"-"}  # type: ignore[attr-defined]
                seen.append(next(iter(shown), "-"))
                return await find(*args, **more)

            w.hub.gate.identify = identify  # type: ignore[method-assign]
            await w.client.get(path)
            return seen[0]

    assert play(main()) == named
