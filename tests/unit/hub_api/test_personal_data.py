"""Callers and patients' notes: sealed at rest, shown to their own client only, erased in time."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import InternalError
from hub_api.access.scopes import Role
from hub_api.keyring import keyring, new_key
from hub_api.store.repositories import orders
from hub_api.vault import Vault
from tests.unit.hub_api.test_access import a_key, an_account, bearer, log_in
from tests.unit.hub_api.world import EPOCH, TEST_KEYS, play, world

PHONE, NAME, NOTES = "13812345678", "李女士", "男，58岁，无意识"
PERSONAL = {"caller": {"name": NAME, "phone": PHONE}, "notes": NOTES}
SECRETS = (PHONE, NAME, NOTES)


def vault(*keys: str) -> Vault:
    return Vault(keyring(SecretStr(",".join(keys)), field="personal_keys", demo=False))


def test_a_sealed_text_opens_for_its_record_and_with_an_older_key():
    old, new = new_key("old"), new_key("new")
    sealed = vault(old).seal({"notes": NOTES}, record="ord_1")
    assert NOTES not in sealed
    assert vault(new, old).open(sealed, record="ord_1") == {"notes": NOTES}
    assert not vault(new, old).uses_current_key(sealed)
    with pytest.raises(InternalError, match="belongs elsewhere"):
        vault(old).open(sealed, record="ord_2")
    with pytest.raises(InternalError, match="not set"):
        vault(new).open(sealed, record="ord_1")


@pytest.mark.parametrize("position", [10, 30, -3])
def test_a_changed_text_does_not_open(position: int):
    one = vault(new_key("k"))
    sealed = list(one.seal({"notes": NOTES}, record="ord_1"))
    sealed[position] = "A" if sealed[position] != "A" else "B"
    with pytest.raises(InternalError):
        one.open("".join(sealed), record="ord_1")


def test_the_same_text_is_never_sealed_alike():
    one = vault(new_key("k"))
    assert len({one.seal({"notes": NOTES}, record="ord_1") for _ in range(50)}) == 50


def test_nothing_personal_is_in_the_files_of_the_hub(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await w.order(**PERSONAL, callback_url="https://centre.example/cb")
            shown = answer.json()
            assert (shown["personal_data"], shown["caller"], shown["notes"]) == (
                "shown",
                PERSONAL["caller"],
                NOTES,
            )
            await w.until(shown["order_id"], "CLOSED")
            assert w.callbacks
            assert all(
                text not in str(request.content.decode()) for request in w.callbacks for text in SECRETS
            )

    play(main())
    for path in tmp_path.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for text in SECRETS:
            assert text.encode() not in content, path
            assert json.dumps(text)[1:-1].encode() not in content, path


@pytest.mark.parametrize("role", Role)
def test_only_a_dispatcher_of_the_same_client_sees_people(tmp_path: Path, role: Role):
    async def main() -> None:
        async with world(tmp_path) as w:
            _key_id, secret = await a_key(w, "orders:write", "orders:read", client="centre")
            body = {
                "position": {"reference_system": "WGS-84", "latitude_deg": 22.56, "longitude_deg": 113.89},
                "severity": "I",
                **PERSONAL,
            }
            placed = await w.client.post(
                "/v1/orders", json=body, headers={"Idempotency-Key": "k", "X-API-Key": secret}
            )
            order_id = placed.json()["order_id"]
            assert placed.json()["personal_data"] == "masked", "a key without personal:read"
            await w.until(order_id, "CLOSED")
            await an_account(w, "same", role, "centre")
            await an_account(w, "other", role, "elsewhere")
            for name in ("same", "other"):
                header = bearer((await log_in(w, name)).json()["access_token"])
                seen = role is Role.DISPATCHER and name == "same"
                for path in (f"/v1/orders/{order_id}", "/v1/orders", f"/v1/orders/{order_id}/events"):
                    text = (await w.client.get(path, headers=header)).text
                    found = [item for item in SECRETS if item in text]
                    assert bool(found) == (seen and path == f"/v1/orders/{order_id}"), (name, path, found)

    play(main())


def test_personal_data_is_erased_when_its_time_is_over_and_the_order_stays(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            order_id = (await w.order(**PERSONAL)).json()["order_id"]
            await w.until(order_id, "CLOSED")
            finished = (await w.client.get(f"/v1/orders/{order_id}")).json()["finished_at"]
            assert finished is not None
            now = w.hub.clock.now()
            after = now + timedelta(seconds=1)
            early = await w.hub.personal.erase_finished_before(
                w.hub.database, EPOCH - timedelta(days=1), now=now
            )
            assert early == 0
            # The order's, and that of the incident that it made.
            assert await w.hub.personal.erase_finished_before(w.hub.database, after, now=now) == 2
            assert await w.hub.personal.erase_finished_before(w.hub.database, after, now=now) == 0
            view = (await w.client.get(f"/v1/orders/{order_id}")).json()
            assert (view["personal_data"], view["caller"], view["notes"]) == ("erased", None, None)
            assert view["state"] == "CLOSED"
            entries = (await w.client.get("/v1/audit", params={"subject": order_id})).json()["entries"]
            assert entries[0]["action"] == "personal_data_erased"

    play(main())


def test_after_a_rotation_everything_is_sealed_anew_and_the_old_key_can_go(tmp_path: Path):
    new = new_key("p2")

    async def before() -> str:
        async with world(tmp_path) as w:
            order_id: str = (await w.order(**PERSONAL)).json()["order_id"]
            await w.until(order_id, "CLOSED")
            return order_id

    async def rotated(order_id: str) -> None:
        async with world(tmp_path, personal_keys=f"{new},{TEST_KEYS['personal_keys']}") as w:
            assert (await w.client.get(f"/v1/orders/{order_id}")).json()["notes"] == NOTES
            assert await w.hub.personal.reseal(w.hub.database) >= 1
            assert await w.hub.personal.reseal(w.hub.database) == 0

    async def after(order_id: str) -> None:
        async with world(tmp_path, personal_keys=new) as w:
            assert (await w.client.get(f"/v1/orders/{order_id}")).json()["notes"] == NOTES
        async with world(tmp_path, personal_keys=new_key("p3")) as w:
            view = (await w.client.get(f"/v1/orders/{order_id}")).json()
            assert (view["personal_data"], view["state"]) == ("unreadable", "CLOSED")

    order_id = play(before())
    play(rotated(order_id))
    play(after(order_id))


def test_orders_of_an_earlier_release_are_sealed_at_the_start(tmp_path: Path):
    async def before() -> str:
        async with world(tmp_path) as w:
            order_id: str = (await w.order()).json()["order_id"]
            await w.until(order_id, "CLOSED")

            def undo(session) -> None:
                order = orders.get(session, order_id)
                orders.save(session, order, request=order.request | PERSONAL, personal=None)

            await w.hub.database.write(undo)
            return order_id

    async def after(order_id: str) -> None:
        async with world(tmp_path) as w:
            stored = await w.hub.database.read(lambda s: orders.get(s, order_id))
            assert "caller" not in stored.request
            assert "notes" not in stored.request
            view = (await w.client.get(f"/v1/orders/{order_id}")).json()
            assert view["caller"] == PERSONAL["caller"]

    play(after(play(before())))
