"""What a map gets of a hundred drones: everything it draws, rendered once, in one message as often as it draws."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.geodesy import Wgs84Point
from flight.model.phases import Phase
from hub_api.access.principal import Principal
from hub_api.access.scopes import ROLE_SCOPES, Role, Scope
from hub_api.dispatch.fleet import Fleet
from hub_api.features.streams.messages import StreamMessage, Topic, stream
from hub_api.features.streams.telemetry import telemetry_json
from tests.unit.hub_api.played_drone import Script
from tests.unit.hub_api.test_flight_records import sample
from tests.unit.hub_api.world import EPOCH, World, play, world

VIEWER = Principal("acc_viewer", "demo", frozenset(map(str, ROLE_SCOPES[Role.VIEWER])), "person", "viewer")
QUIET = {f"bao-0{n}": Script(silent_from_start=True) for n in (1, 2, 3, 4)}


async def singly(found: AsyncIterator[list[StreamMessage]]) -> AsyncGenerator[StreamMessage, None]:
    """What comes together, one by one."""
    async for messages in found:
        for message in messages:
            yield message


@contextlib.asynccontextmanager
async def listening(w: World, every_s: float | None) -> AsyncIterator[AsyncIterator[StreamMessage]]:
    found = stream(w.hub, VIEWER, frozenset({Topic.TELEMETRY}), after=None, telemetry_every_s=every_s)
    messages = singly(found)
    async with contextlib.aclosing(found), contextlib.aclosing(messages):
        assert (await anext(messages)).kind == "hello"
        yield messages


def test_a_sample_says_everything_that_is_drawn_and_null_for_what_is_not_known():
    full = sample("bao-01", "flt_1", EPOCH, 12.0, Phase.OUTBOUND)
    shown = json.loads(telemetry_json(full))
    assert (shown["ground_speed_m_s"], shown["wind_speed_m_s"], shown["eta_s"]) == (5.0, 2.0, 78.0)
    assert shown["link_age_s"] == pytest.approx(0.05, abs=0.01)
    assert (shown["mode"], shown["battery_voltage_v"]) == ("AUTO", 50.0)
    poor = replace(full, position=None, velocity_east_m_s=None, link_age_s=None, eta_s=None)
    shown = json.loads(telemetry_json(poor))
    assert shown["latitude_deg"] is shown["ground_speed_m_s"] is shown["link_age_s"] is shown["eta_s"] is None
    assert shown["phase"] == "outbound"


def test_a_batch_holds_the_newest_of_every_drone_and_comes_no_more_often_than_asked(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=QUIET) as w, listening(w, 0.25) as messages:
            loop = asyncio.get_running_loop()

            async def fly() -> None:
                for number in range(60):
                    for drone_id in QUIET:
                        moment = w.hub.clock.now()
                        w.hub.fleet.take_telemetry(
                            replace(
                                sample(drone_id, "flt_1", moment, 0.0, Phase.OUTBOUND),
                                position=Wgs84Point(22.5, 113.0 + number * 1e-3),
                            )
                        )
                    await asyncio.sleep(0.05)

            began_s = loop.time()
            task = asyncio.ensure_future(fly())
            came: list[tuple[float, dict[str, Any]]] = []
            while not came or came[-1][1]["samples"][0]["longitude_deg"] < 113.0589:
                message = await anext(messages)
                assert message.kind == "telemetry_batch"
                came.append((loop.time(), json.loads(message.data_json)))
            await task
            gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(came)]
            assert min(gaps) >= 0.249
            assert 10 <= len(came) <= 14
            assert all(len(batch["samples"]) == len(QUIET) for _, batch in came[1:])
            for at_s, batch in came[1:]:
                # The newest sample, not the first one that waited: they come every 0.05 s.
                number = round((batch["samples"][0]["longitude_deg"] - 113.0) / 1e-3)
                assert at_s - began_s - 0.05 * number < 0.051

    play(main())


def test_a_sample_is_rendered_once_however_many_follow(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, scripts=QUIET) as w:
            made: list[str] = []

            def render(given: Any) -> str:
                made.append(given.drone_id)
                return telemetry_json(given)

            fleet: Fleet = w.hub.fleet
            one = sample("bao-01", "flt_1", EPOCH, 1.0, Phase.OUTBOUND)
            two = replace(one, at=EPOCH + timedelta(seconds=1))
            assert {fleet.rendered(one, render) for _ in range(50)} == {telemetry_json(one)}
            assert fleet.rendered(two, render) == telemetry_json(two)
            assert made == ["bao-01", "bao-01"]

    play(main())


def test_a_viewer_sees_the_fleet_and_may_change_nothing(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            body = {"name": "wall", "client": "demo", "role": "viewer", "password": "a long pass phrase 1"}
            made = await w.client.post("/v1/accounts", json=body)
            assert made.status_code == 201, made.text
            login = await w.client.post(
                "/v1/auth/login", json={"name": "wall", "password": "a long pass phrase 1"}
            )
            token = {"Authorization": f"Bearer {login.json()['access_token']}", "X-API-Key": ""}
            for path in ("drones", "stations", "landing-points", "zones", "orders", "flights"):
                assert (await w.client.get(f"/v1/{path}", headers=token)).status_code == 200, path
            for path in ("accounts", "keys", "audit"):
                assert (await w.client.get(f"/v1/{path}", headers=token)).status_code == 403, path
            document = (await w.client.get("/openapi.json")).json()
            tried = 0
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    if method == "get" or path.startswith("/v1/auth") or not operation.get("security"):
                        continue
                    filled = path.replace("{", "").replace("}", "")
                    answer = await w.client.request(method, filled, headers=token, json={})
                    own = path.startswith("/v1/accounts/me")
                    assert answer.status_code == 403 or own, (method, path, answer.status_code)
                    tried += 1
            assert tried > 15

    play(main())


def test_no_role_that_only_looks_has_a_scope_that_changes():
    changing = {
        *(Scope.ORDERS_WRITE, Scope.FLEET_COMMAND, Scope.FLEET_MAINTAIN, Scope.ZONES_WRITE),
        *(Scope.WEATHER_WRITE, Scope.WEBHOOKS_MANAGE, Scope.ACCESS_MANAGE, Scope.ADMIN),
    }
    for role in (Role.VIEWER, Role.AUDITOR, Role.TEST_ENGINEER):
        assert not ROLE_SCOPES[role] & changing
