"""What the door refuses: each refusal is a 4xx with its reason, and nothing is stored half-way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub_api.security import Scope, create_api_key
from hub_api.settings import DEMO_API_KEY, Settings
from tests.unit.hub_api.world import BODY, PATIENT, World, play, world

BAD_BODIES: list[tuple[str, Any, str, str]] = [
    ("latitude", {"position": {**PATIENT, "latitude_deg": 91}}, "position.latitude_deg", "order_invalid"),
    (
        "longitude",
        {"position": {**PATIENT, "longitude_deg": -180.1}},
        "position.longitude_deg",
        "order_invalid",
    ),
    (
        "text number",
        {"position": {**PATIENT, "latitude_deg": "22.5"}},
        "position.latitude_deg",
        "order_invalid",
    ),
    (
        "unknown system",
        {"position": {**PATIENT, "reference_system": "CGCS2000"}},
        "position.reference_system",
        "reference_system_unknown",
    ),
    (
        "no system",
        {"position": {"latitude_deg": 22.5, "longitude_deg": 113.9}},
        "position.reference_system",
        "reference_system_unknown",
    ),
    ("no position", {"position": None}, "position", "order_invalid"),
    ("severity", {"severity": "V"}, "severity", "order_invalid"),
    ("floor zero", {"floor": 0}, "floor", "order_invalid"),
    ("huge floor", {"floor": 10**30}, "floor", "order_invalid"),
    ("boolean floor", {"floor": True}, "floor", "order_invalid"),
    ("unknown field", {"altitude_m": 3}, "altitude_m", "order_invalid"),
    ("control character", {"notes": "a\u0000b"}, "notes", "order_invalid"),
    ("callback scheme", {"callback_url": "file:///etc/passwd"}, "callback_url", "order_invalid"),
    ("callback host", {"callback_url": "http://"}, "callback_url", "order_invalid"),
    ("long notes", {"notes": "x" * 2001}, "notes", "order_invalid"),
]


async def nothing_stored(w: World) -> None:
    assert (await w.client.get("/v1/orders")).json()["orders"] == []


def test_a_bad_field_is_named(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            for name, changes, field, reason in BAD_BODIES:
                answer = await w.order(**changes)
                assert answer.status_code == 422, name
                assert answer.headers["content-type"] == "application/problem+json"
                body = answer.json()
                assert body["reason"] == reason, name
                assert field in [error["field"] for error in body["errors"]], name
                assert body["title_zh"]
            await nothing_stored(w)

    play(main())


MALFORMED = {
    "empty": b"",
    "cut off": b"{",
    "null": b"null",
    "list": b"[]",
    "string": b'"text"',
    "not utf-8": b"\xff\xfe",
    "nan": b'{"severity": NaN}',
    "doubled field": b'{"severity": "I", "severity": "II"}',
    "deep": b"[" * 20000,
    "surrogate": json.dumps({**BODY, "notes": "\ud800"}).encode(),
}


def test_a_malformed_body_is_a_4xx(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            for name, content in MALFORMED.items():
                answer = await w.client.post(
                    "/v1/orders",
                    content=content,
                    headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
                )
                assert answer.status_code in (400, 422), name
                assert answer.headers["content-type"] == "application/problem+json"
            await nothing_stored(w)

    play(main())


def test_a_missing_or_bad_idempotency_key_is_a_400(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            for key in (None, "", "with space", "ü", "x" * 201):
                headers = {} if key is None else {"Idempotency-Key": key.encode()}
                answer = await w.client.post("/v1/orders", json=BODY, headers=headers)
                assert answer.status_code == 400, key
                assert "Idempotency-Key" in answer.json()["detail"]
            await nothing_stored(w)

    play(main())


def test_a_large_body_is_refused_by_length_and_by_counting(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            large = json.dumps({**BODY, "notes": "x" * 70_000}).encode()

            async def in_pieces() -> Any:
                for start in range(0, len(large), 8192):
                    yield large[start : start + 8192]

            for content in (large, in_pieces()):
                answer = await w.client.post(
                    "/v1/orders",
                    content=content,
                    headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
                )
                assert answer.status_code == 413, answer.text
                assert answer.json()["reason"] == "body_too_large"
            await nothing_stored(w)

    play(main())


def test_a_request_without_a_valid_key_is_a_401(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            for headers in ({"X-API-Key": ""}, {"X-API-Key": "guess"}, {"Authorization": "Bearer guess"}):
                w.client.headers.pop("X-API-Key", None)
                answer = await w.client.get("/v1/orders", headers=headers)
                assert answer.status_code == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert answer.json()["code"] == 4101
            health = await w.client.get("/v1/health")
            assert health.status_code == 200

    play(main())


def test_a_key_opens_only_its_scopes_and_its_own_orders(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:

            async def key(client: str, *scopes: Scope) -> dict[str, str]:
                secret, _ = await create_api_key(
                    w.hub.database,
                    w.hub.ids,
                    w.hub.clock,
                    client=client,
                    name="test",
                    scopes=frozenset(map(str, scopes)),
                )
                return {"Authorization": f"Bearer {secret}"}

            w.client.headers.pop("X-API-Key")
            reader = await key("one", Scope.ORDERS_READ)
            writer = await key("one", Scope.ORDERS_WRITE)
            other = await key("two", Scope.ORDERS_READ, Scope.ORDERS_WRITE)
            refused = await w.client.post("/v1/orders", json=BODY, headers={**reader, "Idempotency-Key": "k"})
            assert (refused.status_code, refused.json()["code"]) == (403, 4102)
            placed = await w.client.post("/v1/orders", json=BODY, headers={**writer, "Idempotency-Key": "k"})
            assert placed.status_code == 201
            order_id = placed.json()["order_id"]
            assert (await w.client.get(f"/v1/orders/{order_id}", headers=reader)).status_code == 200
            for path in ("", "/events"):
                seen = await w.client.get(f"/v1/orders/{order_id}{path}", headers=other)
                assert seen.status_code == 404
            stolen = await w.client.post(
                f"/v1/orders/{order_id}/cancel", json={"reason": "mine"}, headers=other
            )
            assert stolen.status_code == 404
            assert (await w.client.get("/v1/orders", headers=other)).json()["orders"] == []
            for path in ("/v1/drones", "/v1/stations", "/v1/landing-points", "/v1/zones"):
                assert (await w.client.get(path, headers=reader)).status_code == 403

    play(main())


def test_the_demo_key_is_refused_outside_the_demo_even_if_a_demo_left_it(tmp_path: Path):
    async def status(demo: bool) -> int:
        async with world(tmp_path, demo=demo) as w:
            return (await w.client.get("/v1/orders", headers={"X-API-Key": DEMO_API_KEY})).status_code

    assert play(status(True)) == 200
    assert play(status(False)) == 401


def test_a_speed_up_outside_the_demo_is_refused():
    with pytest.raises(ValueError, match="demo mode"):
        Settings(_env_file=None, speedup=10.0)


ODD_REQUESTS = [
    ("GET", "/v1/orders/ord_x", 404),
    ("GET", "/v1/orders/%00", 404),
    ("GET", "/v1/orders/..%2f..%2fetc%2fpasswd", 404),
    ("GET", "/v1/orders/' OR 1=1 --", 404),
    ("GET", "/v1/orders?limit=0", 422),
    ("GET", "/v1/orders?before=x", 422),
    ("GET", "/v1/orders?state=FLYING", 422),
    ("GET", "/v1/drones/none", 404),
    ("GET", "/v1/nothing", 404),
    ("PUT", "/v1/orders", 405),
]


def test_odd_requests_are_problem_details(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            for method, path, status in ODD_REQUESTS:
                answer = await w.client.request(method, path)
                assert answer.status_code == status, path
                assert answer.headers["content-type"] == "application/problem+json"

    play(main())


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("secret path /etc/shadow")


def test_an_internal_fault_tells_nothing_internal(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async def main() -> None:
        async with world(tmp_path) as w:
            w.hub.fleet.view = broken  # type: ignore[method-assign]
            answer = await w.order()
            assert answer.status_code == 500
            assert answer.json()["code"] == 5003
            assert "secret" not in answer.text

    play(main())
    assert "secret path" in caplog.text


def test_a_planner_that_fails_is_an_explained_refusal(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async def main() -> None:
        async with world(tmp_path) as w:
            w.planner.decide = broken  # type: ignore[method-assign]
            answer = await w.order()
            assert answer.status_code == 201
            assert answer.json()["state"] == "DECLINED"
            assert answer.json()["decision"]["reasons"][0]["code"] == "planning_failed"
            assert "secret" not in answer.text

    play(main())
    assert "secret path" in caplog.text
