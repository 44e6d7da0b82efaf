"""Hostile requests: clear 4xx, nothing stored, the service unharmed."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from hub_api.settings import DEMO_API_KEY
from tests.unit.hub_api.server import running_hub
from tests.unit.hub_api.world import BODY

KEY = {"X-API-Key": DEMO_API_KEY}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        running_hub(tmp_path_factory.mktemp("hostile")) as (url, _),
        httpx.Client(base_url=url, headers=KEY, timeout=20.0, trust_env=False) as client,
    ):
        yield client


SQL = "' OR '1'='1'; DROP TABLE orders; --"


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/orders/{SQL}",
        f"/v1/orders?state={SQL}",
        f"/v1/orders?before={SQL}",
        f"/v1/drones/{SQL}",
        f"/v1/audit?subject={SQL}",
        f"/v1/webhooks/dead-letters?before={SQL}",
        "/v1/orders/../../etc/passwd",
        "/v1/orders/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/docs/..%2f..%2fsettings.py",
        "/v1/drones/%00",
        "/v1/drones/%ff%fe",
        "/v1/orders/ord_00000000000000000000000000",
        "/v1/orders?limit=99999999999999999999999999",
        "/v1/orders?after=" + "9" * 500,
        "/v1/stream/events?topics=incidents&after=" + "9" * 30,
    ],
)
def test_tricks_in_addresses_find_nothing(hub: httpx.Client, path: str):
    answer = hub.get(path)
    assert answer.status_code in (404, 422) or (
        path.startswith("/v1/orders?after") and answer.status_code == 200
    )
    assert "Traceback" not in answer.text
    assert "sqlite" not in answer.text.lower()


@pytest.mark.parametrize("text", [SQL, "{{7*7}}", "${jndi:ldap://x}", "<script>alert(1)</script>", "../../x"])
def test_tricks_in_texts_stay_texts(hub: httpx.Client, text: str):
    answer = hub.post(
        "/v1/orders", json=BODY | {"notes": text}, headers={"Idempotency-Key": f"k{abs(hash(text))}"}
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["notes"] == text
    assert answer.headers["content-type"] == "application/json"


def test_ten_megabytes_are_refused_announced_or_not(hub: httpx.Client):
    headers = {"Idempotency-Key": "big", "Content-Type": "application/json"}
    body = b'{"notes":"' + b"x" * 10_000_000 + b'"}'

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    answer = hub.post("/v1/orders", content=body, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (413, "body_too_large")
    try:
        answer = hub.post("/v1/orders", content=chunks(), headers=headers)
    except httpx.TransportError:
        # The connection was closed while we were still pushing: that is an answer too.
        return
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 20_000,
        b'{"position":' * 3000,
        b'{"severity":"I","severity":"II"}',
        b'{"position":{"latitude_deg":NaN}}',
        b'{"floor":1e400}',
        '{"notes":"\ud800"}'.encode("utf-8", "surrogatepass"),
    ],
)
def test_broken_json_is_a_4xx(hub: httpx.Client, content: bytes):
    headers = {"Idempotency-Key": "broken", "Content-Type": "application/json"}
    answer = hub.post("/v1/orders", content=content, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": ""},
        {"X-API-Key": SQL},
        {"X-API-Key": "x" * 7000},
        {"Authorization": "Bearer a.b.c", "X-API-Key": ""},
        {"Authorization": "Basic eDp5", "X-API-Key": ""},
        {"Authorization": "Bearer " + "." * 5000, "X-API-Key": ""},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30.", "X-API-Key": ""},
    ],
)
def test_strange_credentials_are_401(hub: httpx.Client, headers: dict[str, str]):
    answer = hub.get("/v1/orders", headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, "credentials_missing")


def test_the_service_is_unharmed(hub: httpx.Client):
    assert hub.get("/v1/health/ready").status_code == 200
    assert hub.get("/v1/audit/verification").json()["whole"] is True
