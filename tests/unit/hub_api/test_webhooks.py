"""Signed callbacks: what the example receiver takes and refuses, rotation, dead letters, replay by hand."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from hub_api.access.scopes import Role
from tests.unit.hub_api.test_access import an_account, bearer, log_in
from tests.unit.hub_api.test_callbacks import LIFE, URL, settled
from tests.unit.hub_api.world import World, play, world

EXAMPLE = Path(__file__).parents[3] / "examples" / "webhooks" / "receiver.py"


def load_receiver() -> ModuleType:
    spec = importlib.util.spec_from_file_location("receiver", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECEIVER = load_receiver()


async def rotate(w: World, grace_s: float = 0.0) -> str:
    answer = await w.client.post("/v1/webhooks/secrets/rotate", json={"grace_s": grace_s})
    assert answer.status_code == 201, answer.text
    secret: str = answer.json()["secret"]
    return secret


async def delivered(w: World) -> list[httpx.Request]:
    order = (await w.order(callback_url=URL)).json()
    await w.until(order["order_id"], "CLOSED")
    await settled(w, order["order_id"])
    return w.callbacks


def now_of(request: httpx.Request) -> float:
    return float(request.headers["webhook-timestamp"])


def test_the_example_receiver_takes_every_callback_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            verifier = RECEIVER.Verifier([await rotate(w)])
            requests = await delivered(w)
            assert len(requests) == len(LIFE)
            for request in requests:
                message_id = verifier.check(request.headers, request.content, now_of(request))
                # One that was not stored may come again; one that was may not.
                verifier.check(request.headers, request.content, now_of(request))
                verifier.remember(message_id, now_of(request))
                with pytest.raises(RECEIVER.Refused, match="came before"):
                    verifier.check(request.headers, request.content, now_of(request))

    play(main())


def test_the_signature_is_that_of_the_standard():
    """The example of the Standard Webhooks specification, as its libraries test it."""
    from hub_api.dispatch.webhooks import signature_of

    signed = signature_of(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_example_receiver_refuses_what_is_changed_old_or_signed_by_somebody_else(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            secret = await rotate(w)
            request = (await delivered(w))[0]
            now_s, headers = now_of(request), dict(request.headers)

            def refused(
                why: str, now_s: float = now_s, body: bytes = request.content, **changes: str
            ) -> None:
                changed = headers | {name.replace("_", "-"): value for name, value in changes.items()}
                with pytest.raises(RECEIVER.Refused, match=why):
                    RECEIVER.Verifier([secret]).check(changed, body, now_s)

            refused("signature", body=request.content.replace(b"DECIDED", b"DECLINED"))
            refused("signature", webhook_id="msg_999")
            refused("signature", webhook_timestamp=str(int(now_s) + 1))
            refused("signature", webhook_signature="")
            refused("signature", webhook_signature="v1,AAAA v1a,AAAA nonsense")
            refused("headers", webhook_timestamp="soon")
            refused("too old", now_s=now_s + RECEIVER.TOLERANCE_S + 1)
            refused("too old", now_s=now_s - RECEIVER.TOLERANCE_S - 1)
            with pytest.raises(RECEIVER.Refused, match="signature"):
                RECEIVER.Verifier([await rotate(w)]).check(headers, request.content, now_s)

    play(main())


def test_both_secrets_sign_until_the_grace_is_over(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            old = await rotate(w)
            new = await rotate(w, grace_s=3600.0)
            for request in await delivered(w):
                for secret in (old, new):
                    RECEIVER.Verifier([secret]).check(request.headers, request.content, now_of(request))
            await w.hub.clock.sleep(3600.0)
            w.callbacks.clear()
            order = (await w.order(key="late", callback_url=URL)).json()
            await w.until(order["order_id"], "DECIDED", "LAUNCHING", "AIRBORNE")
            await settled(w, order["order_id"])
            request = w.callbacks[0]
            RECEIVER.Verifier([new]).check(request.headers, request.content, now_of(request))
            with pytest.raises(RECEIVER.Refused):
                RECEIVER.Verifier([old]).check(request.headers, request.content, now_of(request))

    play(main())


def test_a_given_up_callback_is_listed_and_sent_again_by_hand(tmp_path: Path):
    broken = [True]

    async def main() -> None:
        answer = lambda request: httpx.Response(500 if broken[0] else 204)  # noqa: E731
        async with world(tmp_path, answer_callback=answer, callback_attempts=2) as w:
            order = (await w.order(callback_url=URL)).json()
            await w.until(order["order_id"], "CLOSED")
            await settled(w, order["order_id"])
            letters = (await w.client.get("/v1/webhooks/dead-letters")).json()["dead_letters"]
            assert len(letters) == len(LIFE)
            assert {letter["attempts"] for letter in letters} == {2}
            broken[0] = False
            w.callbacks.clear()
            first = letters[-1]["callback_id"]
            replayed = await w.client.post(f"/v1/webhooks/dead-letters/{first}/replay")
            assert (replayed.status_code, replayed.json()["failed_at"]) == (200, None)
            shown = await settled(w, order["order_id"])
            assert (shown["delivered"], shown["failed"]) == (1, len(LIFE) - 1)
            assert json.loads(w.callbacks[0].content)["state"] == LIFE[0]
            assert w.callbacks[0].headers["webhook-id"] == f"msg_{first}"
            again = await w.client.post(f"/v1/webhooks/dead-letters/{first}/replay")
            assert again.status_code == 409
            assert (await w.client.post("/v1/webhooks/dead-letters/99999/replay")).status_code == 404

    play(main())


def test_dead_letters_of_another_client_are_not_there(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, answer_callback=lambda r: httpx.Response(500), callback_attempts=1) as w:
            order = (await w.order(callback_url=URL)).json()
            await w.until(order["order_id"], "CLOSED")
            await settled(w, order["order_id"])
            (letter, *_) = (await w.client.get("/v1/webhooks/dead-letters")).json()["dead_letters"]
            await an_account(w, "elsewhere", Role.ADMINISTRATOR, "elsewhere")
            header = bearer((await log_in(w, "elsewhere")).json()["access_token"])
            mine = await w.client.get("/v1/webhooks/dead-letters", headers=header)
            assert mine.json()["dead_letters"] == []
            path = f"/v1/webhooks/dead-letters/{letter['callback_id']}/replay"
            assert (await w.client.post(path, headers=header)).status_code == 404

    play(main())


def test_a_secret_that_somebody_was_shown_is_not_retired_by_one_made_for_the_first_callback(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            shown: list[str] = []
            read = w.hub.database.read

            async def after_the_look(work: Any) -> Any:
                found = await read(work)
                if "Webhooks.headers_of" in getattr(work, "__qualname__", "") and not shown:
                    # Nobody has a secret yet: the centre makes one before ours is stored.
                    shown.append("")
                    shown[0] = await rotate(w)
                return found

            w.hub.database.read = after_the_look  # type: ignore[method-assign]
            requests = await delivered(w)
            verifier = RECEIVER.Verifier(shown)
            assert len(requests) == len(LIFE)
            for request in requests:
                verifier.check(request.headers, request.content, now_of(request))
            assert len((await w.client.get("/v1/webhooks/secrets")).json()["secrets"]) == 1

    play(main())
