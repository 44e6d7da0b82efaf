"""The generic HTTPS gateway: filled, signed and judged as its file says; a bad file stops the start. Source: A6."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from core.clock import LoopClock
from core.errors import InternalError
from hub_api.messages.gateways import (
    NO_CLOSING,
    SMS_FIELDS,
    VIDEO_CLOSE_FIELDS,
    VIDEO_FIELDS,
    GatewaySms,
    GatewayVideo,
)
from hub_api.messages.ports import NotTaken, Role, RoomClosed, Sms, SmsTaken, VideoRoom, VideoRoomRequest
from hub_api.outgoing.destinations import Destinations
from hub_api.outgoing.gateway import Gateway, GatewayFile, read_gateway
from tests.unit.hub_api.test_messages import invite, until_done
from tests.unit.hub_api.world import EPOCH, play, world

EXAMPLES = Path(__file__).parents[3] / "examples" / "gateways"
SECRET = SecretStr("s3cret of the carrier")
HOSTS = Destinations.parse("sms.example, video.example", field="gateway_hosts")
SMS = Sms(
    message_id="msg_1",
    subject="inc_1",
    purpose="video_link",
    role=Role.CALLER,
    phone="13800000000",
    text='${secret} "quoted" 请点击 https://video.example/r/1',
    link="https://video.example/r/1",
)
ROOM = VideoRoomRequest(message_id="msg_2", subject="inc_1", roles=(Role.CALLER, Role.DOCTOR))
Answer = Callable[[httpx.Request], httpx.Response]


def read(name: str, known: frozenset[str]) -> GatewayFile:
    return read_gateway(EXAMPLES / name, field="f", known=known, destinations=HOSTS, demo=False)


def ask(file: GatewayFile, answer: Answer, send: Callable[[Gateway], Any]) -> tuple[list[httpx.Request], Any]:
    reached: list[httpx.Request] = []

    def network(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        return answer(request)

    async def main() -> Any:
        gateway = Gateway(
            file,
            secret=SECRET,
            clock=LoopClock(epoch=EPOCH),
            destinations=HOSTS,
            transport=httpx.MockTransport(network),
            field="sms_gateway",
        )
        try:
            return await send(gateway)
        finally:
            await gateway.close()

    return reached, asyncio.run(main())


def send_sms(gateway: Gateway) -> Any:
    return GatewaySms(gateway).send(SMS)


def open_room(gateway: Gateway) -> Any:
    return GatewayVideo(gateway).open_room(ROOM)


def test_the_example_s_message_is_filled_signed_and_read_back():
    taken = {"code": "OK", "data": {"msgId": 4711}}
    (request,), answer = ask(
        read("sms.json", SMS_FIELDS), lambda r: httpx.Response(200, json=taken), send_sms
    )
    assert answer == SmsTaken(reference="4711")
    body = json.loads(request.content)
    # What comes in is never looked through for placeholders.
    assert body == {
        "requestId": "msg_1",
        "mobile": "13800000000",
        "content": SMS.text,
        "templateParams": {"link": SMS.link},
    }
    assert request.headers["Idempotency-Key"] == "msg_1"
    signed = f"msg_1.{request.headers['X-Timestamp']}.".encode() + request.content
    expected = hmac.new(SECRET.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["X-Signature"] == expected


def test_the_example_s_room_has_a_link_for_each_role():
    room = {"room": {"id": "r1", "links": {"caller": "https://v.example/c", "doctor": "https://v.example/d"}}}
    (request,), answer = ask(
        read("video.json", VIDEO_FIELDS), lambda r: httpx.Response(201, json=room), open_room
    )
    assert answer == VideoRoom(
        room_id="r1", links={Role.CALLER: "https://v.example/c", Role.DOCTOR: "https://v.example/d"}
    )
    assert request.headers["Authorization"] == f"Bearer {SECRET.get_secret_value()}"
    assert json.loads(request.content)["participants"] == ["caller", "doctor"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda r: httpx.Response(503), "status 503"),
        (lambda r: httpx.Response(302, headers={"Location": "http://127.0.0.1/"}), "status 302"),
        (lambda r: httpx.Response(200, text="<html>"), "the answer is not JSON"),
        (lambda r: httpx.Response(200, content=b"[" * 60_000), "the answer is not JSON"),
        (lambda r: httpx.Response(200, json={"code": "ok"}), "the answer's /code is not 'OK'"),
        (lambda r: httpx.Response(200, json={"code": True}), "the answer's /code is not 'OK'"),
        (lambda r: httpx.Response(200, json={"code": "OK"}), "the answer has no /data/msgId"),
        (lambda r: httpx.Response(200, json={"code": "OK", "x": "y" * 70_000}), "the answer is too long"),
    ],
)
def test_what_is_no_success_says_why(answer: Answer, why: str):
    reached, found = ask(read("sms.json", SMS_FIELDS), answer, send_sms)
    assert found == NotTaken(why=why)
    assert len(reached) == 1


def test_a_fault_s_own_words_are_not_kept_because_they_may_hold_a_number():
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout(f"no answer from {request.url} for 13800000000")

    _, found = ask(read("sms.json", SMS_FIELDS), fail, send_sms)
    assert found == NotTaken(why="ConnectTimeout")


@pytest.mark.parametrize(
    "link",
    [
        "http://v.example/c",
        "javascript:alert(1)",
        "https://",
        "https://v.example/" + "x" * 500,
        "https://[v.example/c",
    ],
)
def test_a_link_that_nobody_should_click_is_no_answer(link: str):
    room = {"room": {"id": "r1", "links": {"caller": link, "doctor": "https://v.example/d"}}}
    _, found = ask(read("video.json", VIDEO_FIELDS), lambda r: httpx.Response(200, json=room), open_room)
    assert found == NotTaken(why="the link for the caller is no https address")


@pytest.mark.parametrize("name", ["", "r" * 501, "r\n1", "\ud800"])
def test_a_room_that_could_not_be_closed_by_its_name_is_no_answer(name: str):
    room = {"room": {"id": name, "links": {role: "https://v.example/c" for role in ("caller", "doctor")}}}
    text = json.dumps(room)
    _, found = ask(read("video.json", VIDEO_FIELDS), lambda r: httpx.Response(200, text=text), open_room)
    assert found == NotTaken(why="the room's name cannot be kept")


def test_a_long_name_of_a_room_is_kept_whole_so_that_its_end_reaches_it():
    name = "r" * 300
    room = {"room": {"id": name, "links": {role: "https://v.example/c" for role in ("caller", "doctor")}}}
    _, found = ask(read("video.json", VIDEO_FIELDS), lambda r: httpx.Response(200, json=room), open_room)
    assert found.room_id == name


def test_a_carrier_s_number_that_nobody_could_read_does_not_make_the_message_unsent():
    taken = {"code": "OK", "data": {"msgId": "\x00"}}
    _, found = ask(read("sms.json", SMS_FIELDS), lambda r: httpx.Response(200, json=taken), send_sms)
    assert found == SmsTaken(reference=None)


def test_an_answer_that_trickles_in_is_not_waited_for():
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.02)
                yield b" "

    file = read("sms.json", SMS_FIELDS).model_copy(update={"timeout_s": 0.1})
    _, found = ask(file, lambda r: httpx.Response(200, stream=Trickle()), send_sms)
    assert found == NotTaken(why="no whole answer in time")


def test_forms_and_addresses_are_escaped():
    file = GatewayFile.model_validate(
        {
            "url": "https://sms.example/${phone}",
            "body": {"to": "${phone}", "t": "${text}"},
            "encoding": "form",
        }
    )
    odd = Sms(
        message_id="m", subject="s", purpose="p", role=Role.CALLER, phone="1/../2?x=&y", text="a=b&c=汉"
    )
    (request,), _ = ask(file, lambda r: httpx.Response(200), lambda g: GatewaySms(g).send(odd))
    assert request.url.raw_path == b"/1%2F..%2F2%3Fx%3D%26y"
    assert parse_qs(request.content.decode()) == {"to": [odd.phone], "t": [odd.text]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"body": {"x": "${passwort}"}}, "passwort"),
        ({"url": "http://sms.example/"}, "https://"),
        ({"url": "https://other.example/"}, "GATEWAY_HOSTS"),
        ({"url": "https://${phone}/"}, "names no host"),
        ({"url": "https://sms.example/?key=${secret}"}, "ends up in logs"),
        ({"signature": {"header": "X", "over": "${message_id}"}}, "covers"),
        ({"signature": {"header": "X", "value": "fixed"}}, "signature.value"),
        ({"success": {"pointer": "code", "equals": "OK"}}, "JSON pointer"),
        ({"unknown": 1}, "unknown"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_a_file_that_would_fail_in_the_night_stops_the_start(
    tmp_path: Path, change: dict[str, Any], says: str
):
    path = tmp_path / "gateway.json"
    path.write_text(json.dumps(json.loads((EXAMPLES / "sms.json").read_text()) | change))
    with pytest.raises(InternalError, match=says):
        read_gateway(path, field="f", known=SMS_FIELDS, destinations=HOSTS, demo=False)


def test_a_missing_secret_stops_the_start(tmp_path: Path):
    async def main() -> None:
        async with world(
            tmp_path, demo=False, gateway_hosts="sms.example", sms_gateway_file=EXAMPLES / "sms.json"
        ):
            raise AssertionError("it started")

    with pytest.raises(InternalError, match="sms_gateway_secret"):
        play(main())


def test_a_hub_with_both_gateways_brings_the_links_and_logs_no_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    reached: list[httpx.Request] = []

    def network(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        if len(reached) in (1, 3):
            return httpx.Response(500, text="13800000000 is busy")
        if request.url.host == "video.example":
            links = {"caller": "https://v.example/c?t=SECRETLINK", "doctor": "https://v.example/d"}
            return httpx.Response(200, json={"room": {"id": "r1", "links": links}})
        return httpx.Response(200, json={"code": "OK", "data": {"msgId": "n"}})

    async def main() -> None:
        async with world(
            tmp_path,
            demo=False,
            gateway_transport=httpx.MockTransport(network),
            gateway_hosts="sms.example,video.example",
            sms_gateway_file=EXAMPLES / "sms.json",
            sms_gateway_secret="s",
            video_gateway_file=EXAMPLES / "video.json",
            video_gateway_secret="v",
        ) as w:
            await invite(w)
            done = await until_done(w)
            assert {record.state for record in done} == {"sent"}
            ids = [r.headers["Idempotency-Key"] for r in reached]
            assert len(ids) == 5
            assert len(set(ids)) == 3

    play(main())
    assert "138000" not in caplog.text
    assert "139000" not in caplog.text
    assert "SECRETLINK" not in caplog.text


def test_a_room_is_closed_where_the_service_can_be_asked():
    def close_room(gateway: Gateway) -> Any:
        return GatewayVideo(gateway, gateway).close_room("msg_1", "r/1")

    asked, found = ask(
        read("video-close.json", VIDEO_CLOSE_FIELDS), lambda r: httpx.Response(200, json={}), close_room
    )
    assert str(asked[0].url) == "https://video.example/api/rooms/r%2F1/close"
    assert found == RoomClosed(room_id="r/1")


def test_a_room_that_nobody_can_close_is_said_to_stay_open():
    def close_room(gateway: Gateway) -> Any:
        return GatewayVideo(gateway).close_room("msg_1", "r1")

    asked, found = ask(read("video.json", VIDEO_FIELDS), lambda r: httpx.Response(200, json={}), close_room)
    assert asked == []
    assert found == NotTaken(why=NO_CLOSING)
