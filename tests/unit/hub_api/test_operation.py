"""A hub that runs: streams that resume, health that tells the truth, metrics, a quiet end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from hub_api.settings import DEMO_API_KEY
from tests.unit.hub_api.server import running_hub
from tests.unit.hub_api.test_access import PASSWORD
from tests.unit.hub_api.world import BODY

KEY = {"X-API-Key": DEMO_API_KEY}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        running_hub(tmp_path) as (url, _),
        httpx.Client(base_url=url, headers=KEY, timeout=20.0, trust_env=False) as client,
    ):
        yield client


def socket(client: httpx.Client, query: str, **options: Any) -> ClientConnection:
    url = str(client.base_url).replace("http", "ws", 1).rstrip("/")
    options = {"additional_headers": KEY} | options
    return connect(f"{url}/v1/stream?{query}", proxy=None, **options)


def place(client: httpx.Client, key: str) -> str:
    answer = client.post("/v1/orders", json=BODY, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    order_id: str = answer.json()["order_id"]
    return order_id


def until(connection: ClientConnection, state: str) -> list[dict[str, Any]]:
    found = []
    while True:
        message = json.loads(connection.recv(timeout=10))
        if message["type"] == "event":
            found.append(message)
            if message["state"] == state:
                return found


def test_a_websocket_that_breaks_off_resumes_without_gap_or_double(hub: httpx.Client):
    with socket(hub, "topics=incidents&after=0") as connection:
        assert json.loads(connection.recv(timeout=10))["type"] == "hello"
        order_id = place(hub, "k1")
        first = until(connection, "AIRBORNE")
    with socket(hub, f"topics=incidents&after={first[-1]['event_id']}") as connection:
        rest = until(connection, "CLOSED")
    heard = [event["event_id"] for event in (*first, *rest)]
    stored = hub.get(f"/v1/orders/{order_id}/events").text
    assert heard == [line.removeprefix("id: ") for line in stored.splitlines() if line.startswith("id: ")]
    assert {event["order_id"] for event in (*first, *rest)} == {order_id}


def test_topics_bring_fleet_and_telemetry(hub: httpx.Client):
    with socket(hub, "topics=telemetry,fleet&after=0") as connection:
        place(hub, "k1")
        seen: dict[str, set[str]] = {"telemetry": set(), "event": set()}
        deadline_s = time.monotonic() + 20.0
        while len(seen["telemetry"]) < 4 or "aed_on_ground" not in seen["event"]:
            message = json.loads(connection.recv(timeout=10))
            if message["type"] in seen:
                seen[message["type"]].add(
                    message.get("drone_id") if message["type"] == "telemetry" else message["kind"]
                )
            assert time.monotonic() < deadline_s, seen


def test_a_map_takes_all_drones_in_one_message(hub: httpx.Client):
    with socket(hub, "topics=telemetry&telemetry_every_s=0.5") as connection:
        drones: set[str] = set()
        while len(drones) < 4:
            message = json.loads(connection.recv(timeout=10))
            if message["type"] != "hello":
                assert message["type"] == "telemetry_batch"
                drones |= {sample["drone_id"] for sample in message["samples"]}


def test_a_browser_brings_its_token_as_a_subprotocol(hub: httpx.Client):
    hub.post(
        "/v1/accounts", json={"name": "wang", "client": "demo", "role": "operator", "password": PASSWORD}
    )
    token = hub.post("/v1/auth/login", json={"name": "wang", "password": PASSWORD}).json()["access_token"]
    with socket(
        hub, "topics=incidents", additional_headers={}, subprotocols=["drone-aed.v1", f"bearer.{token}"]
    ) as connection:
        assert connection.subprotocol == "drone-aed.v1"
        assert json.loads(connection.recv(timeout=10))["type"] == "hello"


def test_a_websocket_is_refused_with_a_code_that_says_why(hub: httpx.Client):
    made = hub.post("/v1/keys", json={"client": "c", "name": "n", "scopes": ["zones:read"]}).json()
    cases = [
        ("topics=incidents", {}, 4401),
        ("topics=incidents", {"X-API-Key": "daed_wrong"}, 4401),
        ("topics=fleet", {"X-API-Key": made["secret"]}, 4403),
        ("", KEY, 4400),
        ("topics=weather", KEY, 4400),
        ("topics=fleet&after=-1", KEY, 4400),
        ("topics=telemetry&telemetry_every_s=0", KEY, 4400),
        ("topics=telemetry&telemetry_every_s=nan", KEY, 4400),
        ("topics=fleet&from=yesterday", KEY, 4400),
        (f"topics=fleet&{'%E6%97%A0' * 60}=1", KEY, 4400),
        ("topics=fleet&after=1&after=2", KEY, 4400),
        ("topics=fleet&after=1'%20OR%201=1", KEY, 4400),
    ]
    for query, headers, code in cases:
        with socket(hub, query, additional_headers=headers) as connection:
            with pytest.raises(ConnectionClosed) as caught:
                connection.recv(timeout=10)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == code, query


def test_another_client_s_orders_are_not_in_the_stream(hub: httpx.Client):
    made = hub.post("/v1/keys", json={"client": "other", "name": "n", "scopes": ["orders:read"]}).json()
    with socket(
        hub, "topics=incidents&after=0", additional_headers={"X-API-Key": made["secret"]}
    ) as connection:
        assert json.loads(connection.recv(timeout=10))["type"] == "hello"
        place(hub, "k1")
        with pytest.raises(TimeoutError):
            connection.recv(timeout=1.5)


def test_health_and_metrics_tell_what_is_so(hub: httpx.Client):
    place(hub, "k1")
    assert hub.get("/v1/health/live").json() == {"status": "alive"}
    ready = hub.get("/v1/health/ready")
    assert (ready.status_code, ready.json()["ready"]) == (200, True), ready.text
    anonymous = httpx.get(f"{hub.base_url}/metrics", trust_env=False)
    assert anonymous.status_code == 401
    text = hub.get("/metrics").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["drone_aed_drones"]) == 4
    assert float(values['drone_aed_decision_seconds_count{state="DECIDED"}']) == 1
    assert float(values['drone_aed_events_total{kind="order_received"}']) == 1
    request = 'drone_aed_http_request_seconds_count{method="POST",route="/v1/orders",status="201"}'
    assert float(values[request]) == 1
    assert "ord_" not in text


def test_answers_carry_the_request_s_id(hub: httpx.Client):
    assert hub.get("/v1/health", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    made = hub.get("/v1/health", headers={"X-Request-Id": "a\tb; drop"}).headers["X-Request-Id"]
    assert made.isalnum()


def last_words(connection: ClientConnection) -> int | None:
    try:
        while True:
            connection.recv(timeout=10)
    except ConnectionClosed:
        return connection.close_code


def test_a_stop_ends_streams_quietly_and_at_once(tmp_path: Path):
    with running_hub(tmp_path, phase_s=5.0) as (url, server):
        with httpx.Client(base_url=url, headers=KEY, timeout=20.0, trust_env=False) as client:
            order_id = place(client, "k1")
            ended = threading.Event()
            faults: list[Exception] = []

            def follow() -> None:
                try:
                    with httpx.stream(
                        "GET",
                        f"{url}/v1/orders/{order_id}/events",
                        headers=KEY,
                        timeout=20.0,
                        trust_env=False,
                    ) as stream:
                        for _ in stream.iter_lines():
                            started.set()
                except httpx.HTTPError as fault:
                    faults.append(fault)
                ended.set()

            started = threading.Event()
            thread = threading.Thread(target=follow)
            thread.start()
            assert started.wait(10)
            with socket(client, "topics=incidents") as connection:
                connection.recv(timeout=10)
                began_s = time.monotonic()
                server.stop()
                took_s = time.monotonic() - began_s
                # What was under way still comes; then the connection ends with a reason.
                assert last_words(connection) == 1012
            thread.join(10)
        assert ended.is_set()
        assert faults == []
        assert took_s < 3.0


def test_a_websocket_does_not_outlive_its_key_because_others_guess_from_its_address(
    hub: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("hub_api.features.streams.routes.RECHECK_S", 0.3)
    made = hub.post("/v1/keys", json={"client": "demo", "name": "n", "scopes": ["orders:read"]}).json()
    with socket(hub, "topics=incidents", additional_headers={"X-API-Key": made["secret"]}) as connection:
        assert json.loads(connection.recv(timeout=10))["type"] == "hello"
        seen = {hub.get("/v1/orders", headers={"X-API-Key": f"daed_{n}"}).status_code for n in range(60)}
        assert seen == {401, 429}, "no more guesses are looked at"
        assert hub.post(f"/v1/keys/{made['key_id']}/revoke").status_code == 200
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
