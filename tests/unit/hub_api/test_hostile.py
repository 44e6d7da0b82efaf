"""Hostile requests: clear 4xx, nothing stored, the service unharmed."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from hub_api import body_limit, patience
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
    assert answer.status_code in (404, 422)
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


def raw(hub: httpx.Client, *parts: bytes, pause_s: float = 0.0, patience_s: float = 20.0) -> bytes:
    """Bytes on a connection of their own, and what comes back until it is closed or nothing more comes."""
    with socket.create_connection((hub.base_url.host, hub.base_url.port or 80), timeout=patience_s) as wire:
        try:
            for part in parts:
                wire.sendall(part)
                time.sleep(pause_s)
            answer = b""
            while more := wire.recv(65536):
                answer += more
        except ConnectionError:
            return answer
        return answer


CREDENTIALS = f"X-API-Key: {DEMO_API_KEY}\r\n".encode()
ORDER = json.dumps(BODY).encode()


@pytest.mark.parametrize(
    ("head", "statuses"),
    [
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 422)),
        (b"Content-Length: -1\r\n\r\n", (400,)),
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", (400,)),
        (b"Content-Length: 99999999999999999999\r\n\r\n", (400, 413)),
        (b"Transfer-Encoding: gzip\r\n\r\n", (400, 501)),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", (400,)),
        (b"X-A: 1\r\n" * 20_000 + b"\r\n", (400, 431)),
        (b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n", (400, 431)),
        (b"Idempotency-Key: a\r\n b: folded\r\nContent-Length: 2\r\n\r\n{}", (400, 415)),
        (b"X-Request-Id: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", (400,)),
        (b"X-Request-Id: a\0b\r\nContent-Length: 0\r\n\r\n", (400,)),
        (b": nameless\r\nContent-Length: 0\r\n\r\n", (400,)),
    ],
)
def test_a_head_that_says_two_things_or_nothing_is_a_4xx(
    hub: httpx.Client, head: bytes, statuses: tuple[int, ...]
):
    answer = raw(hub, b"POST /v1/orders HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + CREDENTIALS + head)
    # Closed without a word while we were still pushing: that is an answer too.
    assert not answer or int(answer.split(b" ")[1]) in statuses, answer[:300]
    assert b"Set-Cookie" not in answer


@pytest.mark.parametrize("line", [b"GET /v1/orders\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 1000])
def test_what_is_no_http_is_refused(hub: httpx.Client, line: bytes):
    answer = raw(hub, line + b"\r\n\r\n")
    assert b" 400 " in answer.splitlines()[0], answer[:200]


def test_an_order_in_small_chunks_without_a_length_is_taken_once(hub: httpx.Client):
    def chunks() -> Iterator[bytes]:
        for start in range(0, len(ORDER), 7):
            yield ORDER[start : start + 7]

    headers = {"Idempotency-Key": "chunks", "Content-Type": "application/json"}
    first = hub.post("/v1/orders", content=chunks(), headers=headers)
    assert first.status_code == 201, first.text
    again = hub.post("/v1/orders", content=ORDER, headers=headers)
    assert (again.status_code, again.json()["order_id"]) == (200, first.json()["order_id"])


def test_heads_that_never_end_are_hung_up_on_and_hinder_nobody(
    hub: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(patience, "HEAD_S", 1.5)
    address = (hub.base_url.host, hub.base_url.port or 80)
    slow = [socket.create_connection(address, timeout=20.0) for _ in range(100)]
    try:
        for number, wire in enumerate(slow):
            # Some say nothing at all.
            wire.sendall(b"GET /v1/orders HTTP/1.1\r\nHost: h\r\nX-A: " if number % 2 else b"")
        began_s = time.monotonic()
        assert hub.get("/v1/health/live").status_code == 200
        assert time.monotonic() - began_s < 1.4
        answers = [wire.recv(1000) for wire in slow]
        assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}
        assert all(wire.recv(1000) == b"" for wire in slow)
    finally:
        for wire in slow:
            wire.close()


def test_the_second_head_of_a_connection_has_a_deadline_too(
    hub: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(patience, "HEAD_S", 0.5)
    answer = raw(hub, b"GET /v1/health/live HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /v1/health HT", pause_s=0.3)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


def test_a_body_that_never_ends_is_a_408(hub: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(body_limit, "PATIENCE_S", 0.5)
    monkeypatch.setattr(body_limit, "SLOWEST_BYTES_S", 1e9)
    head = (
        b"POST /v1/orders HTTP/1.1\r\nHost: h\r\nIdempotency-Key: slow\r\nContent-Type: application/json\r\n"
    )
    answer = raw(hub, head + CREDENTIALS + b"Content-Length: 200\r\n\r\n{", b'"', b"f", pause_s=0.1)
    assert answer.startswith(b"HTTP/1.1 408 "), answer[:300]
    assert b"application/problem+json" in answer
    assert b'"reason":"body_too_slow"' in answer
    assert "408" in hub.get("/openapi.json").json()["paths"]["/v1/orders"]["post"]["responses"]


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (
            "application/json; charset=gbk",
            json.dumps(BODY | {"notes": "北门"}, ensure_ascii=False).encode("gbk"),
        ),
        ("application/json; charset=utf-16", json.dumps(BODY).encode("utf-16")),
        ("application/x-www-form-urlencoded", b"severity=I"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", ORDER),
        ("application/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
    ],
)
def test_another_charset_or_kind_of_body_is_a_4xx(hub: httpx.Client, content_type: str, content: bytes):
    headers = {"Idempotency-Key": "kind", "Content-Type": content_type}
    answer = hub.post("/v1/orders", content=content, headers=headers)
    assert answer.status_code in (400, 415, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "name",
    ["li\u202ena", "li\u200bna", "li\r\nSet-Cookie: a=b", "li\x1b[2J", "\ufeffli", "li\u2066na", "ｌｉ"],
)
def test_a_name_that_looks_like_another_is_refused(hub: httpx.Client, name: str):
    account = {"name": name, "client": "demo", "role": "viewer", "password": "correct horse battery"}
    answer = hub.post("/v1/accounts", json=account)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == "name"
    key = {"client": name, "name": "n", "scopes": ["fleet:read"]}
    assert hub.post("/v1/keys", json=key).status_code == 422


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/orders", "GET, POST"),
        ("/v1/orders/ord_1", "GET"),
        ("/v1/drones/bao-01", "DELETE, GET, PUT"),
        ("/v1/health/live", "GET"),
    ],
)
def test_a_method_that_is_not_allowed_hears_which_are(hub: httpx.Client, path: str, methods: str):
    for method in ("OPTIONS", "TRACE", "PROPFIND", "get"):
        answer = hub.request(method, path) if method != "get" else _as_sent(hub, method, path)
        assert answer.status_code == 405
        assert answer.headers["allow"] == methods
        assert answer.json()["detail_zh"] == f"此处可用方法：{methods}"


def _as_sent(hub: httpx.Client, method: str, path: str) -> httpx.Response:
    """The client would write it in capitals."""
    answer = raw(hub, f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    pairs = [tuple(line.split(": ", 1)) for line in lines[1:]]
    return httpx.Response(int(lines[0].split(" ")[1]), headers=pairs, content=body)  # type: ignore[arg-type]


def test_methods_that_nobody_knows_make_no_metric_each(hub: httpx.Client):
    for number in range(30):
        assert hub.request(f"ODD{number}", "/v1/orders").status_code == 405
    told = hub.get("/metrics").text
    assert 'method="other"' in told
    assert "ODD" not in told


@pytest.mark.parametrize("path", ["/v1/orders/", "/v1/orders%2f", "/v1//orders", "/v1/drones/"])
def test_an_address_that_is_nearly_one_is_not_led_elsewhere(hub: httpx.Client, path: str):
    for answer in (hub.get(path), hub.post(path, content=ORDER)):
        assert answer.status_code == 404
        assert "location" not in answer.headers
        assert answer.json()["detail_zh"] == "该地址下没有内容"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip", "x-nonsense"])
def test_a_packed_body_is_not_unpacked(hub: httpx.Client, encoding: str):
    packed = gzip.compress(b" " * 50_000_000)
    headers = {"Idempotency-Key": "gz", "Content-Type": "application/json", "Content-Encoding": encoding}
    for path in ("/v1/orders", "/v1/airspace/feeds/f/preview?format=geojson"):
        answer = hub.post(path, content=packed, headers=headers)
        assert answer.status_code == 415, answer.text
        assert "未压缩" in answer.json()["detail_zh"]
    answer = hub.post("/v1/orders", content=b"{}", headers=headers | {"Content-Encoding": "identity"})
    assert answer.status_code == 422
    assert "415" in hub.get("/openapi.json").json()["paths"]["/v1/orders"]["post"]["responses"]


def test_json_that_does_not_say_so_is_told_to(hub: httpx.Client):
    for headers in ({}, {"Content-Type": "text/plain"}):
        answer = hub.post("/v1/orders", content=ORDER, headers={"Idempotency-Key": "plain"} | headers)
        assert answer.status_code == 415
        assert "application/json" in answer.json()["detail"]
    answer = hub.post(
        "/v1/orders", content=b"[]", headers={"Idempotency-Key": "list", "Content-Type": "application/json"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize("named", ["*", '"x", {tag}', "W/{tag}", "{tag}"])
def test_whoever_has_the_zones_is_not_sent_them_again(hub: httpx.Client, named: str):
    tag = hub.get("/v1/zones").headers["etag"]
    answer = hub.get("/v1/zones", headers={"If-None-Match": named.format(tag=tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    for other in ('"x"', "", '"x", *', tag[:-2] + '"'):
        assert hub.get("/v1/zones", headers={"If-None-Match": other}).status_code == 200


def test_a_word_that_is_none_of_ours_hears_which_there_are(hub: httpx.Client):
    answer = hub.post("/v1/incidents/inc_1/escalate", json={"level": "Volunteers", "reason": "r"})
    (error,) = answer.json()["errors"]
    assert (error["field"], error["reason"]) == ("level", "enum")
    assert "'volunteers'" in error["detail"]
    assert "'volunteers'" in error["detail_zh"]
    for wrong in (None, 7, [], {}):
        answer = hub.post("/v1/incidents/inc_1/escalate", json={"level": wrong, "reason": "r"})
        assert answer.json()["errors"][0]["reason"] == "enum"


@pytest.mark.parametrize(
    ("change", "said", "said_zh"),
    [
        ({"floor": 0}, "floors count as in China", "没有 0 层"),
        ({"notes": "\x07"}, "control characters are not allowed", "不允许使用控制字符"),
        ({"ambulance_eta_at": 7}, "a moment is written out", "时间须完整写出并带时区"),
        ({"ambulance_eta_at": "0001-01-01T00:00:00Z"}, "the year is not between", "年份须在"),
    ],
)
def test_our_own_rules_are_told_in_both_languages(
    hub: httpx.Client, change: dict[str, object], said: str, said_zh: str
):
    answer = hub.post("/v1/orders", json=BODY | change, headers={"Idempotency-Key": "rule"})
    (error,) = answer.json()["errors"]
    assert error["detail"].startswith(said)
    assert said_zh in error["detail_zh"]
    assert "Value error" not in answer.text


def a_screen(hub: httpx.Client) -> ClientConnection:
    address = str(hub.base_url).replace("http", "ws").rstrip("/") + "/v1/stream?topics=incidents"
    return connect(address, additional_headers=KEY, proxy=None)


@pytest.mark.parametrize("said", ["{", "", b"\0", b"\xff" * 4000])
def test_whoever_talks_to_a_stream_is_not_listened_to(hub: httpx.Client, said: bytes | str):
    with a_screen(hub) as screen:
        assert json.loads(screen.recv(timeout=10))["type"] == "hello"
        screen.send(said)
        # It goes on telling.
        hub.post(
            "/v1/orders",
            json=BODY,
            headers={"Idempotency-Key": f"talk{len(said)}{said[:1]!r}".replace("\\", "")},
        )
        assert json.loads(screen.recv(timeout=10))["type"] == "event"


@pytest.mark.parametrize("said", ["x" * 100_000, b"x" * 100_000])
def test_whoever_talks_much_to_a_stream_is_hung_up_on(hub: httpx.Client, said: bytes | str):
    with a_screen(hub) as screen:
        screen.recv(timeout=10)
        screen.send(said)
        with pytest.raises(ConnectionClosed) as closed:
            _hear_out(screen)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def _hear_out(screen: ClientConnection) -> None:
    """Flights of other tests may be told of until then."""
    while True:
        screen.recv(timeout=10)


def test_the_service_is_unharmed(hub: httpx.Client):
    assert hub.get("/v1/health/ready").status_code == 200
    assert hub.get("/v1/audit/verification").json()["whole"] is True
