"""Who gets in and what for: keys, tokens, people, roles, lock-out, rate limits."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pydantic import SecretStr

from core.errors import DispatchError, InternalError
from core.virtual_time import run_virtual
from hub_api.access.accounts import LOCKED_S, MOST_FAILURES
from hub_api.access.gate import KEY_KNOWN_S
from hub_api.access.keys import revoke_api_key
from hub_api.access.passwords import Passwords
from hub_api.access.scopes import ROLE_SCOPES, Role, Scope
from hub_api.keyring import demo_key, keyring, new_key
from hub_api.security import create_api_key
from hub_api.store.database import Database
from hub_api.wiring.ground import FAILURES_AT_ONCE
from tests.unit.hub_api.world import BODY, World, play, world

PASSWORD = "correct horse battery"


async def a_key(w: World, *scopes: str, client: str = "centre") -> tuple[str, str]:
    """(key id, secret)"""
    secret, record = await create_api_key(
        w.hub.database, w.hub.ids, w.hub.clock, client=client, name="test", scopes=frozenset(scopes)
    )
    return record.key_id, secret


async def a_token(w: World, key_id: str, secret: str, **form: str) -> httpx.Response:
    return await w.client.post(
        "/v1/auth/token",
        data={"grant_type": "client_credentials", "client_id": key_id, "client_secret": secret, **form},
    )


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-API-Key": ""}


async def an_account(w: World, name: str, role: Role, client: str = "centre") -> str:
    answer = await w.client.post(
        "/v1/accounts", json={"name": name, "client": client, "role": role, "password": PASSWORD}
    )
    assert answer.status_code == 201, answer.text
    account_id: str = answer.json()["account_id"]
    return account_id


async def log_in(w: World, name: str, password: str = PASSWORD) -> httpx.Response:
    return await w.client.post("/v1/auth/login", json={"name": name, "password": password})


def test_a_key_buys_a_token_that_runs_out(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, token_lifetime_s=900.0) as w:
            key_id, secret = await a_key(w, Scope.ORDERS_READ, Scope.FLEET_READ)
            issued = (await a_token(w, key_id, secret, scope="fleet:read")).json()
            assert issued["token_type"] == "Bearer"
            assert issued["expires_in"] == 900
            header = bearer(issued["access_token"])
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 200
            narrowed = await w.client.get("/v1/orders", headers=header)
            assert narrowed.status_code == 403
            await w.hub.clock.sleep(899.0)
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 200
            await w.hub.clock.sleep(1.0)
            late = await w.client.get("/v1/drones", headers=header)
            assert (late.status_code, late.json()["reason"]) == (401, "credentials_missing")

    play(main())


def test_a_token_is_refused_for_wrong_secret_more_scopes_and_other_grants(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            key_id, secret = await a_key(w, Scope.FLEET_READ)
            other_id, other = await a_key(w, Scope.FLEET_READ)
            assert (await a_token(w, key_id, secret + "x")).status_code == 401
            assert (await a_token(w, key_id, other)).status_code == 401
            assert (await a_token(w, other_id, secret, scope="")).status_code == 401
            assert (await a_token(w, key_id, secret, scope="admin")).status_code == 403
            assert (await a_token(w, key_id, secret, grant_type="password")).status_code == 422
            basic = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
            answer = await w.client.post(
                "/v1/auth/token",
                data={"grant_type": "client_credentials"},
                headers={"Authorization": f"Basic {basic}"},
            )
            assert answer.status_code == 200, answer.text

    play(main())


def forged(token: str, tamper: str) -> str:
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    if tamper == "scope":
        claims["scope"] = "admin"
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return f"{head}.{body}.{signature}"
    if tamper == "none":
        return jwt.encode(claims | {"scope": "admin"}, key="", algorithm="none", headers={"kid": "t1"})
    if tamper == "other key":
        return jwt.encode(claims, key=b"x" * 32, algorithm="HS256", headers={"kid": "t1"})
    if tamper == "unknown key id":
        return jwt.encode(claims, key=b"x" * 32, algorithm="HS256", headers={"kid": "t9"})
    if tamper == "no key id":
        return jwt.encode(claims, key=b"x" * 32, algorithm="HS256")
    return "a.b.c"


@pytest.mark.parametrize("tamper", ["scope", "none", "other key", "unknown key id", "no key id", "rubbish"])
def test_a_forged_token_opens_nothing(tmp_path: Path, tamper: str):
    async def main() -> None:
        async with world(tmp_path) as w:
            issued = (await a_token(w, *await a_key(w, Scope.FLEET_READ))).json()["access_token"]
            answer = await w.client.get("/v1/drones", headers=bearer(forged(issued, tamper)))
            assert answer.status_code == 401, answer.text

    play(main())


def test_revoking_a_key_ends_its_tokens_at_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            key_id, secret = await a_key(w, Scope.FLEET_READ)
            header = bearer((await a_token(w, key_id, secret)).json()["access_token"])
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 200
            assert (await w.client.post(f"/v1/keys/{key_id}/revoke")).status_code == 200
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 401
            assert (await w.client.get("/v1/drones", headers={"X-API-Key": secret})).status_code == 401

    play(main())


def test_a_key_that_another_process_revokes_is_known_for_a_second_at_most(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            key_id, secret = await a_key(w, Scope.FLEET_READ)
            header = {"X-API-Key": secret}
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 200
            other = Database(w.hub.database.engine, on_committed=lambda _events: None)
            await revoke_api_key(other, w.hub.clock, key_id)
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 200
            await asyncio.sleep(KEY_KNOWN_S + 0.01)
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 401

    play(main())


def test_a_key_that_is_revoked_while_it_is_read_is_not_remembered(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            key_id, secret = await a_key(w, Scope.FLEET_READ)
            gate, read = w.hub.gate, w.hub.database.read

            async def slow(work: Any) -> Any:
                found = await read(work)
                await revoke_api_key(w.hub.database, w.hub.clock, key_id)
                return found

            w.hub.database.read = slow  # type: ignore[method-assign]
            assert (await gate.key_of(secret)).key_id == key_id
            w.hub.database.read = read  # type: ignore[method-assign]
            with pytest.raises(DispatchError, match="revoked"):
                await gate.key_of(secret)

    play(main())


def test_a_rotated_key_takes_both_secrets_until_the_grace_is_over(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            key_id, old = await a_key(w, Scope.FLEET_READ)
            answer = await w.client.post(f"/v1/keys/{key_id}/rotate", json={"grace_s": 60.0})
            new = answer.json()["secret"]

            async def status(secret: str) -> int:
                return (await w.client.get("/v1/drones", headers={"X-API-Key": secret})).status_code

            assert [await status(old), await status(new)] == [200, 200]
            await w.hub.clock.sleep(60.0)
            assert [await status(old), await status(new)] == [401, 200]

    play(main())


def test_an_expired_key_is_refused(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            ends = (w.hub.clock.now() + timedelta(seconds=30)).isoformat()
            body = {"client": "c", "name": "n", "scopes": ["fleet:read"], "expires_at": ends}
            made = (await w.client.post("/v1/keys", json=body)).json()
            header = {"X-API-Key": made["secret"]}
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 200
            await w.hub.clock.sleep(30.0)
            assert (await w.client.get("/v1/drones", headers=header)).status_code == 401

    play(main())


PROBES: dict[Scope, tuple[str, str, Any]] = {
    Scope.ORDERS_READ: ("GET", "/v1/orders", None),
    Scope.FLEET_READ: ("GET", "/v1/drones", None),
    Scope.FLEET_COMMAND: ("POST", "/v1/drones/bao-01/commands", {"command": "hold_flight", "reason": "r"}),
    Scope.FLEET_MAINTAIN: ("POST", "/v1/drones/bao-01/aed-loaded", {"confirmed_by": "me"}),
    Scope.ZONES_READ: ("GET", "/v1/zones", None),
    Scope.AUDIT_READ: ("GET", "/v1/audit", None),
    Scope.ACCESS_MANAGE: ("GET", "/v1/keys", None),
    Scope.ORDERS_WRITE: ("POST", "/v1/orders/ord_01KJM6JM008GQ741755PS246JR/cancel", {"reason": "r"}),
}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_it_is_for_and_nothing_else(tmp_path: Path, role: Role):
    async def main() -> None:
        async with world(tmp_path) as w:
            await an_account(w, "person", role)
            header = bearer((await log_in(w, "person")).json()["access_token"])
            for scope, (method, path, body) in PROBES.items():
                answer = await w.client.request(method, path, json=body, headers=header)
                allowed = scope in ROLE_SCOPES[role]
                assert (answer.status_code != 403) == allowed, (role, scope, answer.text)
                assert answer.status_code != 401

    play(main())


def test_wrong_passwords_lock_an_account_for_a_while_and_tell_nothing(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await an_account(w, "li.na", Role.DISPATCHER)
            answers = [await log_in(w, "li.na", "wrong password") for _ in range(MOST_FAILURES)]
            answers += [await log_in(w, "li.na"), await log_in(w, "nobody.here")]
            assert {answer.status_code for answer in answers} == {401}
            assert len({answer.text for answer in answers}) == 1
            await w.hub.clock.sleep(LOCKED_S)
            assert (await log_in(w, "li.na")).status_code == 200
            actions = [e["action"] for e in (await w.client.get("/v1/audit")).json()["entries"]]
            assert "account_locked" in actions

    play(main())


def test_closing_or_changing_an_account_ends_its_tokens(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            account_id = await an_account(w, "wang", Role.OPERATOR)
            token = (await log_in(w, "wang")).json()["access_token"]
            assert (await w.client.get("/v1/drones", headers=bearer(token))).status_code == 200
            changed = await w.client.patch(f"/v1/accounts/{account_id}", json={"role": "auditor"})
            assert changed.json()["role"] == "auditor"
            assert (await w.client.get("/v1/drones", headers=bearer(token))).status_code == 401
            token = (await log_in(w, "wang")).json()["access_token"]
            await w.client.patch(f"/v1/accounts/{account_id}", json={"disabled": True})
            assert (await w.client.get("/v1/drones", headers=bearer(token))).status_code == 401
            assert (await log_in(w, "wang")).status_code == 401

    play(main())


def test_a_person_renews_until_the_shift_is_over(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, token_lifetime_s=900.0, session_s=2000.0) as w:
            await an_account(w, "zhao", Role.OPERATOR)
            token = (await log_in(w, "zhao")).json()["access_token"]
            for _ in range(2):
                await w.hub.clock.sleep(800.0)
                answer = await w.client.post("/v1/auth/renew", headers=bearer(token))
                assert answer.status_code == 200, answer.text
                token = answer.json()["access_token"]
            await w.hub.clock.sleep(800.0)
            assert (await w.client.post("/v1/auth/renew", headers=bearer(token))).status_code == 401

    play(main())


def test_an_administrator_cannot_make_itself_everything(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            account_id = await an_account(w, "root", Role.ADMINISTRATOR)
            header = bearer((await log_in(w, "root")).json()["access_token"])
            body = {"client": "c", "name": "n", "scopes": ["admin"]}
            assert (await w.client.post("/v1/keys", json=body, headers=header)).status_code == 403
            keys = (await w.client.get("/v1/keys", headers=header)).json()["keys"]
            (demo,) = [key for key in keys if "admin" in key["scopes"]]
            rotate = await w.client.post(
                f"/v1/keys/{demo['key_id']}/rotate", json={"grace_s": 0.0}, headers=header
            )
            assert rotate.status_code == 403
            self_change = await w.client.patch(
                f"/v1/accounts/{account_id}", json={"role": "operator"}, headers=header
            )
            assert self_change.status_code == 409

    play(main())


def test_a_client_that_asks_too_often_is_told_when_to_come_back_and_may_still_order(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, request_rate_s=1.0, order_rate_s=10.0) as w:
            answers = [await w.client.get("/v1/drones") for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 200, 429]
            assert answers[-1].headers["Retry-After"] == "1"
            assert answers[-1].json()["reason"] == "rate_limited"
            assert (await w.order()).status_code == 201
            await w.hub.clock.sleep(1.0)
            assert (await w.client.get("/v1/drones")).status_code == 200

    play(main())


def test_guessing_keys_is_slowed_down(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            statuses = [
                (await w.client.get("/v1/drones", headers={"X-API-Key": f"daed_{n}"})).status_code
                for n in range(60)
            ]
            assert statuses[:50] == [401] * 50
            assert set(statuses[50:]) == {429}

    play(main())


@pytest.mark.parametrize("field", ["personal_keys", "token_keys"])
@pytest.mark.parametrize("text", [None, "demo", "short:AAAA", "k:not base64!", ":", "twice"])
def test_missing_known_or_malformed_secrets_stop_the_hub_outside_the_demo(field: str, text: str | None):
    if text == "demo":
        text = f"{new_key('a')},{demo_key(field)}"
    if text == "twice":
        text = f"{new_key('a')},{new_key('a')}"
    with pytest.raises(InternalError) as caught:
        keyring(None if text is None else SecretStr(text), field=field, demo=False)
    assert caught.value.field == field
    assert text is None or len(text) < 10 or text not in str(caught.value)


def test_the_hub_does_not_start_without_secrets_outside_the_demo(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, demo=False, token_keys=None):
            raise AssertionError("it started")

    with pytest.raises(InternalError, match="token_keys"):
        run_virtual(main())


def test_the_address_of_a_centre_s_callbacks_is_its_own(tmp_path: Path):
    """Path and query of such an address often are its secret; who watches the wall screen sees the host."""

    async def main() -> None:
        async with world(tmp_path) as w:
            url = "https://centre.example/cb?token=geheim"
            _, secret = await a_key(w, Scope.ORDERS_WRITE, Scope.ORDERS_READ, client="centre")
            own = {"X-API-Key": secret}
            body = BODY | {"callback_url": url}
            placed = await w.client.post("/v1/orders", json=body, headers=own | {"Idempotency-Key": "k"})
            assert placed.status_code == 201, placed.text
            incident = f"/v1/incidents/{placed.json()['incident_id']}"
            await w.client.patch(incident, json={"callback_url": url}, headers=own)
            await an_account(w, "viewer", Role.VIEWER, client="authority")
            viewer = bearer((await log_in(w, "viewer")).json()["access_token"])
            order = f"/v1/orders/{placed.json()['order_id']}"
            for header, shown in ((own, url), (viewer, "https://centre.example/…")):
                seen = await w.client.get(order, headers=header)
                assert seen.json()["callback"]["url"] == shown
                seen = await w.client.get(incident, headers=header)
                assert seen.json()["callback_url"] == shown
                assert ("geheim" in seen.text) == (header is own)

    play(main())


def test_guesses_that_come_all_at_once_do_not_keep_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    looked_at = 0

    async def counting(passwords: Passwords, password: str, stored: str | None) -> bool:
        nonlocal looked_at
        looked_at += 1
        await asyncio.sleep(0.1)
        return password == PASSWORD and stored is not None

    monkeypatch.setattr(Passwords, "matches", counting)

    async def main() -> None:
        async with world(tmp_path) as w:
            await an_account(w, "li.na", Role.DISPATCHER)
            # Right ones are not counted, however many.
            for _ in range(FAILURES_AT_ONCE + 5):
                assert (await log_in(w, "li.na")).status_code == 200
            before = looked_at
            guesses = [
                log_in(w, f"nobody.{number}", "wrong password") for number in range(FAILURES_AT_ONCE + 20)
            ]
            statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
            assert statuses.count(401) == FAILURES_AT_ONCE
            assert statuses.count(429) == 20
            assert looked_at - before == FAILURES_AT_ONCE

    play(main())
