"""Every operation asked with every role's token, with a forged one and with none: let in by the document, or not.

One request each, with the document's own examples and things that exist. The scopes that the document names for
an operation decide, and nothing else: who has them is let in, who lacks them gets 403, who is nobody gets 401.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from hub_api.access.principal import Principal
from hub_api.access.scopes import ROLE_SCOPES, Role, Scope
from tests.unit.hub_api.test_access import an_account, bearer, log_in
from tests.unit.hub_api.test_contract import DOCUMENT, ENDLESS
from tests.unit.hub_api.world import World, play, world

FORGED = "eyJhbGciOiJIUzI1NiIsImtpZCI6InQxIn0.eyJzdWIiOiJhY2NfMSIsImV4cCI6MX0.c2lnbmF0dXJl"
"""Shaped like a token of ours, long over and signed by nobody."""
FOR_EVERYBODY = {"/v1/auth/login", "/v1/auth/token"}
"""They take their own credentials, in the body."""
READS = {"get"}
CREDENTIALS = {"/v1/auth/renew"}
"""Changes nothing but the asker's own token."""

Operation = dict[str, Any]


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def operations() -> list[tuple[str, str, Operation]]:
    return [(m, path, op) for path, methods in document()["paths"].items() for m, op in methods.items()]


def body_of(operation: Operation, schemas: Mapping[str, Any]) -> tuple[str, bytes]:
    """(content type, body) by the document's first example; nothing where it takes nothing."""
    for content_type, content in operation.get("requestBody", {}).get("content", {}).items():
        if "$ref" in content["schema"]:
            examples = schemas[content["schema"]["$ref"].rsplit("/", 1)[1]].get("examples", [{}])
            value = examples[0]
        else:
            value = next(iter(content["examples"].values()))["value"]
        if content_type == "application/x-www-form-urlencoded":
            return content_type, b"grant_type=client_credentials"
        return content_type, value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return "", b""


QUERY = {"reason": "survey", "format": "geojson", "landing_point_id": "lp-1", "q": "a", "topics": "orders"}
QUERY |= {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T00:00:00Z", "kind": "flight_lost"}


async def things(w: World) -> dict[str, str]:
    """What the paths may name, so that requests reach what they ask for."""
    placed = (await w.order("roles", callback_url="https://dispatch.example/u")).json()
    drone = w.hub.site.drones[0]
    account = await an_account(w, "somebody", Role.VIEWER)
    key = await w.client.post("/v1/keys", json={"client": "demo", "name": "k", "scopes": ["fleet:read"]})
    assert key.status_code == 201, key.text
    return {
        "order_id": placed["order_id"],
        "incident_id": placed["incident_id"],
        "flight_id": placed["flights"][0]["flight_id"],
        "drone_id": drone.drone_id,
        "station_id": drone.station_id,
        "airframe_id": drone.airframe_id,
        "account_id": account,
        "key_id": key.json()["key_id"],
        "rule_id": "propellers",
        "item_id": "example-1",
        "name": "kml",
        "party_id": "caller",
        "feed_id": "roles",
    }


class Asker:
    """Sends each operation once with one credential and holds the answer against the document."""

    def __init__(self, w: World, named: Mapping[str, str], headers: Mapping[str, str]) -> None:
        self._w, self._named, self._headers = w, named, headers
        self._schemas = document()["components"]["schemas"]

    async def ask(self, method: str, path: str, operation: Operation) -> httpx.Response:
        url, query, headers = path, {}, dict(self._headers)
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            if parameter["in"] == "path":
                url = url.replace(f"{{{name}}}", self._named.get(name, "unknown-1"))
            elif parameter["required"] and parameter["in"] == "query":
                query[name] = QUERY[name]
            elif parameter["required"]:
                headers[name] = "roles-1"
        content_type, content = body_of(operation, self._schemas)
        if content:
            headers["Content-Type"] = content_type
        answer = await self._w.client.request(method, url, params=query, content=content, headers=headers)
        where = (method, path, answer.status_code, answer.text[:300])
        assert answer.status_code < 500, where
        declared = operation["responses"].get(str(answer.status_code))
        assert declared is not None, where
        if answer.content:
            assert answer.headers["content-type"].split(";")[0] in declared.get("content", {}), where
        return answer


def scopes_of(operation: Operation) -> frozenset[str] | None:
    """The scopes that the document asks for; None where it asks for no credential."""
    ways = operation.get("security")
    if not ways:
        return None
    return frozenset(next(iter(ways[0].values())))


@asynccontextmanager
async def open_hub(folder: Path) -> AsyncIterator[tuple[World, dict[str, str]]]:
    async with world(folder, request_rate_s=1e6, order_rate_s=1e6) as w:
        yield w, await things(w)


def commands(w: World) -> list[Any]:
    return [command for drone in w.drones.values() for command in drone.commands]


async def state_of(w: World) -> tuple[Any, ...]:
    """What a person without a right to it must not have changed."""
    seen = [
        (await w.client.get(path)).json()
        for path in ("/v1/orders", "/v1/incidents", "/v1/site", "/v1/accounts", "/v1/keys", "/v1/airspace")
    ]
    return (seen, len(commands(w)))


def test_without_a_valid_credential_nothing_opens(tmp_path: Path):
    async def main() -> None:
        async with open_hub(tmp_path) as (w, named):
            # Time passes here: the order's flight is over first, so that nothing changes by itself.
            await w.until(named["order_id"], "CLOSED")
            before = await state_of(w)
            for headers in ({"X-API-Key": ""}, bearer(FORGED), {"X-API-Key": "rubbish"}):
                asker = Asker(w, named, headers)
                for method, path, operation in operations():
                    if scopes_of(operation) is None or path in FOR_EVERYBODY:
                        continue
                    answer = await asker.ask(method, path, operation)
                    if answer.status_code == 429:
                        # Who guesses credentials is slowed down.
                        await w.hub.clock.sleep(float(answer.headers["retry-after"]))
                        answer = await asker.ask(method, path, operation)
                    assert answer.status_code == 401, (method, path, headers, answer.text)
            assert await state_of(w) == before

    play(main())


def test_each_role_is_let_in_by_the_scopes_that_the_document_names(tmp_path: Path):
    async def main() -> None:
        async with open_hub(tmp_path) as (w, named):
            for role in Role:
                asker = await as_role(w, named, role)
                let_in = refused = 0
                for method, path, operation in operations():
                    needed = scopes_of(operation)
                    if needed is None or path in FOR_EVERYBODY:
                        continue
                    holder = Principal("acc_1", "centre", ROLE_SCOPES[role])
                    missing = {scope for scope in needed if not holder.may(scope)}
                    if path in ENDLESS and not missing:
                        continue  # A stream has no end; tests of its own follow it.
                    answer = await asker.ask(method, path, operation)
                    where = (role, method, path, answer.status_code, answer.text[:300])
                    assert answer.status_code != 401, where
                    if missing:
                        assert answer.status_code == 403, where
                        refused += 1
                    elif needed:
                        assert answer.status_code != 403, where
                        let_in += answer.is_success
                assert refused > 0, role
                assert let_in > 0, role

    play(main())


def test_a_viewer_commands_nothing(tmp_path: Path):
    async def main() -> None:
        async with open_hub(tmp_path) as (w, named):
            asker = await as_role(w, named, Role.VIEWER)
            before = await state_of(w)
            for method, path, operation in operations():
                if method in READS or path in FOR_EVERYBODY | CREDENTIALS:
                    continue
                answer = await asker.ask(method, path, operation)
                assert answer.status_code == 403, (method, path, answer.text)
            assert await state_of(w) == before

    play(main())


def test_what_a_viewer_may_is_reading():
    assert {scope for scope in ROLE_SCOPES[Role.VIEWER] if ":read" not in scope} == set()
    assert Scope.PERSONAL_READ not in ROLE_SCOPES[Role.VIEWER]


async def as_role(w: World, named: Mapping[str, str], role: Role) -> Asker:
    """With the token of an account that has the role."""
    await an_account(w, f"r-{role}", role, client="demo")
    token = (await log_in(w, f"r-{role}")).json()["access_token"]
    return Asker(w, named, bearer(token))
