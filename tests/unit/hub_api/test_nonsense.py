"""What no client should send and some will: refused with its field, or stored whole; never a fault of ours."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from hub_api.features.adapters.schemas import EIDO_EXAMPLE
from hub_api.keyring import Keyring
from hub_api.personal_data import PersonalData
from hub_api.vault import Vault
from tests.unit.hub_api.test_live_airspace import feed, put
from tests.unit.hub_api.world import BODY, PATIENT, World, play, world

NOBODY_S_MOMENTS = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-02-29T00:00:00+08:00",
    "2026-03-01T24:01:00+08:00",
    "2026-03-01T08:00:00",
    "1772352000",
    "2026-03-01",
)
LEAP_DAY = "2028-02-29T00:00:00+08:00"


async def send(w: World, method: str, path: str, body: Any = None, **query: Any) -> Any:
    key = f"{method} {path} {json.dumps(body)} {query}".encode().hex()[-190:]
    return await w.client.request(method, path, json=body, params=query, headers={"Idempotency-Key": key})


async def an_incident(w: World, **more: Any) -> str:
    answer = await send(w, "POST", "/v1/incidents", {"position": PATIENT, "severity": "I", **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["incident_id"])


def test_a_moment_outside_every_calendar_is_refused_by_its_field(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            incident = f"/v1/incidents/{await an_incident(w)}"
            station = w.hub.site.stations[0].station_id
            for moment in (*NOBODY_S_MOMENTS, 1772352000):
                patient = {"at": moment, "source": "caller"}
                party = {"kind": "volunteer", "state": "arrived", "at": moment}
                key = {"client": "c", "name": "n", "scopes": ["fleet:read"], "expires_at": moment}
                wind = {"from_deg": 1.0, "speed_m_s": 1.0, "measured_at": moment}
                for method, path, body in (
                    ("POST", "/v1/orders", BODY | {"ambulance_eta_at": moment}),
                    ("POST", "/v1/orders", BODY | {"called_at": moment}),
                    ("PATCH", incident, {"ambulance": {"dispatched_at": moment}}),
                    ("POST", f"{incident}/stages", {"stage": "rescued", "at": moment}),
                    ("POST", f"{incident}/observations", patient),
                    ("PUT", f"{incident}/parties/p1", party),
                    ("PUT", f"{incident}/parties/p1", party | {"at": LEAP_DAY, "eta_at": moment}),
                    ("POST", "/v1/keys", key),
                    ("POST", f"/v1/stations/{station}/weather", wind),
                ):
                    answer = await send(w, method, path, body)
                    assert answer.status_code == 422, (moment, method, path, answer.text)
                    assert answer.json()["errors"][0]["field"].rpartition(".")[2] in (
                        *("ambulance_eta_at", "called_at", "dispatched_at", "at", "eta_at"),
                        *("expires_at", "measured_at"),
                    )
                for path in ("/v1/reports/first-hands", "/v1/reports/response-times", "/v1/flights"):
                    answer = await send(w, "GET", path, since=moment, until=LEAP_DAY)
                    assert answer.status_code == 422, (moment, path, answer.text)

    play(main())


def test_a_leap_day_and_midnight_of_another_zone_are_moments_like_others(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for number, moment in enumerate((LEAP_DAY, "2026-03-01T00:00:00+08:00", "2026-02-28T16:00:00Z")):
                eta = {"ambulance_eta_at": moment, "called_at": moment}
                placed = await w.order(f"k{number}", separate=True, **eta)
                assert placed.status_code == 201, placed.text
                found = await w.client.get(f"/v1/incidents/{placed.json()['incident_id']}")
                assert found.status_code == 200, found.text
                (call,) = [stage for stage in found.json()["stages"] if stage["stage"] == "call"]
                assert call["at"] is not None

    play(main())


def test_an_incident_of_an_order_with_an_ambulance_can_be_seen(tmp_path: Path) -> None:
    """An order tells the ambulance's arrival and nothing else of it."""

    async def main() -> None:
        async with world(tmp_path) as w:
            placed = await w.order(ambulance_eta_at="2026-03-01T16:09:00+08:00")
            incident = f"/v1/incidents/{placed.json()['incident_id']}"
            for path in (incident, f"{incident}/hand-over"):
                shown = await w.client.get(path)
                assert shown.status_code == 200, shown.text
                ambulance = shown.json()["ambulance"]
                assert ambulance["eta_at"] == "2026-03-01T16:09:00+08:00"
                assert ambulance["unit"] is ambulance["dispatched_at"] is None

    play(main())


def test_a_new_arrival_of_the_ambulance_takes_nothing_else_away(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            told = {"unit": "BA-07", "dispatched_at": "2026-03-01T16:02:00+08:00"}
            incident = f"/v1/incidents/{await an_incident(w, ambulance=told)}"
            later = {"eta_at": "2026-03-01T16:12:00+08:00"}
            changed = (await send(w, "PATCH", incident, {"ambulance": later})).json()["ambulance"]
            assert changed == {"status": None, "on_scene_at": None} | told | later
            without_unit = (await send(w, "PATCH", incident, {"ambulance": {"unit": None}})).json()
            assert without_unit["ambulance"] == changed | {"unit": None}
            gone = (await send(w, "PATCH", incident, {"ambulance": None})).json()
            assert gone["ambulance"] is None

    play(main())


def test_a_change_that_is_refused_in_part_is_refused_whole(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            incident = f"/v1/incidents/{await an_incident(w)}"
            refused = await send(w, "PATCH", incident, {"floor": 3, "video_guidance": "start"})
            assert refused.status_code == 409, refused.text
            assert (await w.client.get(incident)).json()["floor"] is None

    play(main())


@pytest.mark.usefixtures("each_database")
def test_a_nul_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    """PostgreSQL takes none; SQLite would store it."""

    async def main() -> None:
        async with world(tmp_path) as w:
            for path in ("/v1/messages/a%00/send-again", "/v1/flights/%00", "/v1/keys/%00/revoke"):
                method = "GET" if "flights" in path else "POST"
                assert (await w.client.request(method, path)).status_code in (404, 422), path
            for path in ("/v1/incidents?reference=%00", "/v1/messages?subject=%00", "/v1/places?q=%00"):
                assert (await w.client.get(path)).status_code == 422, path
            given = {"authorisation_id": "a\0", "zone_ids": ["Z1"], "authority": "x", "number": "1"}
            answer = await send(w, "POST", "/v1/authorisations", {"authorisation": given, "reason": "r"})
            assert answer.status_code == 422, answer.text
            answer = await send(w, "POST", "/v1/weather/reports", {"reports": ["METAR ZGSZ\0"]})
            assert answer.status_code == 422, answer.text
            document = copy.deepcopy(EIDO_EXAMPLE) | {"$id": "a\0b"}
            answer = await w.client.post("/v1/adapters/eido", json=document)
            assert answer.status_code == 422, answer.text

    play(main())


DIGITS = "1" * 5000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/orders", f'{{"floor":{DIGITS}}}'),
        ("/v1/adapters/eido", f'{{"a":{DIGITS}}}'),
        ("/v1/adapters/eido", '{"a":"\\ud800"}'),
        ("/v1/authorisations", '{"authorisation":{"authority":"\\udc00"},"reason":"r"}'),
        ("/v1/orders", '{"notes":"\\ud83d"}'),
        ("/v1/adapters/eido", "[" * 30_000),
    ],
)
def test_json_that_no_text_can_hold_is_refused(tmp_path: Path, path: str, body: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
            answer = await w.client.post(path, content=body, headers=headers)
            assert answer.status_code in (400, 422), answer.text

    play(main())


def test_a_whole_character_written_as_two_halves_is_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            position = json.dumps(PATIENT)
            body = f'{{"position":{position},"severity":"I","notes":"\\ud83d\\ude91 \\u738b\\u5148\\u751f"}}'
            headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
            answer = await w.client.post("/v1/orders", content=body, headers=headers)
            assert answer.status_code == 201, answer.text
            assert answer.json()["notes"] == "🚑 王先生"

    play(main())


def test_parts_of_a_message_that_are_no_lists_are_no_fault_of_ours(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.client.put("/v1/severity-codes", json={"codes": {"9-E-1": "I"}})
            for number, role in enumerate((5, "Caller", ["Caller"])):
                person = {"$id": "p", "personIncidentRoleRegistryText": role}
                document = copy.deepcopy(EIDO_EXAMPLE) | {
                    "$id": f"urn:x:{number}",
                    "personComponent": [person | {"callBackReference": {"$ref": "c"}}],
                    "callbackComponent": [{"$id": "c", "callBackInformationUri": 5}],
                }
                answer = await w.client.post("/v1/adapters/eido", json=document)
                assert answer.status_code in (200, 201), answer.text
                assert answer.json()["incident"]["caller"] is None

    play(main())


def test_an_account_has_a_name_and_a_client(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            account = {"name": "li.na", "client": "c", "role": "viewer", "password": "x" * 12}
            for field in ("name", "client"):
                refused = await w.client.post("/v1/accounts", json=account | {field: " \t "})
                assert refused.status_code == 422, refused.text
                assert refused.json()["errors"][0]["field"] == field

    play(main())


def test_after_too_many_wrong_passwords_no_other_is_looked_at(tmp_path: Path) -> None:
    """Hashing is slow: who guesses must not keep everybody else from logging in."""

    async def main() -> None:
        async with world(tmp_path) as w:
            looked = 0

            async def matches(_password: str, _stored: str | None) -> bool:
                nonlocal looked
                looked += 1
                return False

            w.hub.gate.accounts._passwords.matches = matches  # type: ignore[method-assign]
            body = {"name": "nobody", "password": "wrong password"}
            codes = [(await w.client.post("/v1/auth/login", json=body)).status_code for _ in range(60)]
            assert codes[:50] == [401] * 50
            assert set(codes[51:]) == {429}
            assert looked <= 51

    play(main())


@pytest.mark.parametrize("sealed", ["v1.k.", "v1.k.AAAA", "v1.k.%%%", "v1.k.A"])
def test_a_sealed_text_that_was_cut_off_hides_nothing_else(sealed: str) -> None:
    personal = PersonalData(Vault(Keyring((("k", b"k" * 32),))))
    assert personal.reveal("ord_1", sealed, allowed=True).status == "unreadable"


@pytest.mark.usefixtures("each_database")
def test_an_authorisation_s_id_is_short_enough_to_be_revoked_by(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            assert (await put(w, feed("R1", restriction="REQ_AUTHORISATION"))).status_code == 200
            given = {
                "zone_ids": ["R1"],
                "authority": "x",
                "number": "1",
                "valid_from": "2026-01-01T00:00:00Z",
                "valid_until": "2026-12-01T00:00:00Z",
                "lower": 0,
                "lower_reference": "AGL",
                "upper": 120,
                "upper_reference": "AGL",
            }
            for length, status in ((81, 422), (80, 201)):
                body = {"authorisation": given | {"authorisation_id": "a" * length}, "reason": "r"}
                answer = await send(w, "POST", "/v1/authorisations", body)
                assert answer.status_code == status, answer.text
            revoked = await send(w, "POST", f"/v1/authorisations/{'a' * 80}/revoke", {"reason": "r"})
            assert revoked.status_code == 200, revoked.text

    play(main())
