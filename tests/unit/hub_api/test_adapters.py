"""CAP 1.2 and NENA EIDO at the edge: mapped without a guess, or refused with the element at fault. Source: A1, A3."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from hub_api.adapters.cap import NAMESPACE
from hub_api.features.adapters.schemas import CAP_EXAMPLE, EIDO_EXAMPLE
from tests.unit.hub_api.incident_words import incident
from tests.unit.hub_api.world import World, play, world

pytestmark = pytest.mark.usefixtures("each_database")


async def cap(w: World, text: str = CAP_EXAMPLE, *, order: bool = False) -> httpx.Response:
    return await w.client.post(
        "/v1/adapters/cap",
        params={"order": order},
        content=text.encode(),
        headers={"Content-Type": "application/cap+xml"},
    )


async def eido(w: World, document: Any, *, order: bool = False) -> httpx.Response:
    return await w.client.post("/v1/adapters/eido", params={"order": order}, content=json.dumps(document))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The example with one field changed; None takes it away."""
    document = deepcopy(EIDO_EXAMPLE)
    *way, last = path.split(".")
    place: Any = document
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


CODES = {"codes": {"9-E-1": "I", "CAP:Extreme": "II", "EIDO:1": "I"}}


def test_an_alert_becomes_an_incident_and_an_order_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            first = await cap(w, order=True)
            assert first.status_code == 201, first.text
            seen = first.json()["incident"]
            assert (seen["source"], seen["reference"], seen["severity"]) == ("cap", "BA-120-2026-000888", "I")
            assert seen["position"]["reference_system"] == "WGS-84"
            assert (seen["position"]["latitude_deg"], seen["position"]["longitude_deg"]) == (
                22.5792,
                113.8876,
            )
            assert (seen["floor"], seen["caller"]["phone"]) == (3, "13800000000")
            assert seen["address"] == "宝安区新安街道示例路1号2栋301"
            assert "心脏骤停" in seen["notes"]
            again = await cap(w, order=True)
            assert (again.status_code, again.headers["Idempotent-Replay"]) == (200, "true")
            assert again.json()["order_id"] == first.json()["order_id"]
            assert sum(len(d.flown) for d in w.drones.values()) <= 1
            await w.until(first.json()["order_id"], "CLOSED")
            assert sum(len(d.flown) for d in w.drones.values()) == 1
            other = await cap(w, CAP_EXAMPLE.replace("58岁", "59岁"))
            assert (other.status_code, other.json()["code"]) == (409, 4003)

    play(main())


def test_an_update_adds_to_the_incident_and_a_cancel_calls_the_drone_back(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            first = (await cap(w, order=True)).json()
            incident_id = first["incident"]["incident_id"]
            update = CAP_EXAMPLE.replace("000888</identifier>", "000888-2</identifier>")
            update = update.replace("<msgType>Alert", "<msgType>Update").replace("<value>3<", "<value>5<")
            added = await cap(w, update)
            assert added.status_code == 200, added.text
            assert (added.json()["incident"]["incident_id"], added.json()["incident"]["floor"]) == (
                incident_id,
                5,
            )
            await w.until(first["order_id"], "AIRBORNE")
            reference = "cad@120.example,BA-120-2026-000888,2026-03-01T16:02:05+08:00"
            cancel = CAP_EXAMPLE.replace("000888</identifier>", "000888-3</identifier>")
            cancel = cancel.replace("<msgType>Alert", "<msgType>Cancel")
            cancel = cancel.replace("<incidents>", f"<references>{reference}</references><incidents>")
            back = await cap(w, cancel)
            assert back.status_code == 200, back.text
            assert (await cap(w, cancel)).status_code == 200
            await w.until(first["order_id"], "CANCELLED")
            closed = await incident(w, incident_id)
            assert (closed["state"], closed["outcome"]) == ("CLOSED", "cancelled")
            unknown = await cap(w, cancel.replace("cad@120.example,BA", "cad@other.example,BA"))
            assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (404, "alert.references")

    play(main())


def test_a_grade_is_never_guessed_from_a_cap_severity(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            parameter = "<parameter><valueName>severity</valueName><value>I</value></parameter>"
            bare = CAP_EXAMPLE.replace(parameter, "")
            refused = await cap(w, bare)
            assert (refused.status_code, refused.json()["reason"]) == (422, "severity_code_unknown")
            assert "CAP:Extreme" in refused.json()["detail"]
            await w.client.put("/v1/severity-codes", json=CODES)
            assert (await cap(w, bare)).json()["incident"]["severity"] == "II"
            code = "<eventCode><valueName>MPDS</valueName><value>9-E-1</value></eventCode>"
            coded = bare.replace("<description>", f"{code}<description>").replace("000888", "000889")
            assert (await cap(w, coded)).json()["incident"]["severity"] == "I"

    play(main())


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (NAMESPACE, "urn:oasis:names:tc:emergency:cap:1.1", "alert"),
        ("<identifier>BA-120-2026-000888</identifier>", "", "alert.identifier"),
        ("cad@120.example", "cad <120", "body"),
        ("cad@120.example", "cad, 120", "alert.sender"),
        ("2026-03-01T16:02:05+08:00", "2026-03-01T08:02:05Z", "alert.sent"),
        ("<status>Actual", "<status>Test", "alert.status"),
        ("<status>Actual", "<status>真实", "alert.status"),
        ("<msgType>Alert", "<msgType>Ack", "alert.msgType"),
        ("<msgType>Alert", "<msgType>Cancel", "alert.references"),
        ("<category>Health", "<category>Met", "alert.info.category"),
        ("<circle>22.5792,113.8876 0.02</circle>", "", "alert.info.area"),
        ("22.5792,113.8876 0.02", "22.5792,113.8876 20", "alert.info.area.circle"),
        ("22.5792,113.8876 0.02", "nan,113.8876 0.02", "alert.info.area.circle"),
        ("22.5792,113.8876 0.02", "92.5,113.8876 0.02", "alert.info.area.circle"),
        ("<value>I<", "<value>1<", "alert.info.parameter.severity"),
        ("<value>3<", "<value>3rd<", "alert.info.parameter.floor"),
        ("<value>3<", "<value>0<", "alert.info.parameter.floor"),
        ("<parameter><valueName>floor", "<parameter><valueName>severity", "alert.info.parameter.severity"),
        ("<valueName>floor</valueName><value>3<", "<valueName>called_at</valueName><value>16:02<", None),
        (
            "<valueName>floor</valueName><value>3<",
            "<valueName>reference_system</valueName><value>CGCS<",
            None,
        ),
    ],
)
def test_what_has_no_place_in_an_incident_is_refused_by_its_name(
    tmp_path: Path, old: str, new: str, field: str | None
):
    async def main() -> None:
        async with world(tmp_path) as w:
            assert old in CAP_EXAMPLE
            answer = await cap(w, CAP_EXAMPLE.replace(old, new, 1))
            assert answer.status_code == 422, answer.text
            body = answer.json()
            assert body["reason"] == "message_unmappable"
            assert re.search("[\u4e00-\u9fff]", body["detail_zh"])
            if field is not None:
                assert body["errors"][0]["field"] == field
            assert (await w.client.get("/v1/incidents")).json()["incidents"] == []

    play(main())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="klingon"?><alert/>',
        b'<!DOCTYPE a [<!ENTITY x "y">]><alert>&x;</alert>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><alert/>',
        b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>',
        b"<a>" * 20_000,
        b"<alert>" + b"<x/>" * 5000 + b"</alert>",
    ],
)
def test_hostile_xml_is_refused_and_the_hub_goes_on(tmp_path: Path, content: bytes):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await w.client.post("/v1/adapters/cap", content=content)
            assert answer.status_code == 422, answer.text
            assert "passwd" not in answer.text
            large = await w.client.post("/v1/adapters/cap", content=b"<alert>" + b" " * 70_000)
            assert large.status_code == 413
            assert (await w.order()).status_code == 201

    play(main())


def test_an_exercise_flies_as_a_drill(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await cap(w, CAP_EXAMPLE.replace("<status>Actual", "<status>Exercise"), order=True)
            body = answer.json()
            assert body["incident"]["exercise"] is True
            order = (await w.client.get(f"/v1/orders/{body['order_id']}")).json()
            assert (order["mode"], order["drill"]) == ("drill", True)

    play(main())


CAP_ORDER = (
    *("identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses"),
    *("code", "note", "references", "incidents", "info"),
)
INFO_ORDER = (
    *("language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience"),
    *("eventCode", "effective", "onset", "expires", "senderName", "headline", "description", "instruction"),
    *("web", "contact", "parameter", "resource", "area"),
)


def names(element: Element) -> list[str]:
    return [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]


@pytest.mark.parametrize("closed", [False, True])
def test_an_incident_is_given_as_an_alert_without_personal_data(tmp_path: Path, closed: bool):
    """The order and the words of the standard (3.2); the whole schema accepted these documents when they were made."""

    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await cap(w)).json()["incident"]["incident_id"]
            if closed:
                await w.client.post(f"/v1/incidents/{incident_id}/close", json={"outcome": "handed_over"})
            answer = await w.client.get(f"/v1/incidents/{incident_id}/cap")
            assert answer.headers["content-type"] == "application/cap+xml"
            for secret in ("13800000000", "示例路", "58岁"):
                assert secret not in answer.text
            alert = fromstring(answer.content)
            told = names(alert)
            assert told == sorted(told, key=CAP_ORDER.index)
            assert {"identifier", "sender", "sent", "status", "msgType", "scope"} <= set(told)
            info = alert.find(f"{{{NAMESPACE}}}info")
            assert names(info) == sorted(names(info), key=INFO_ORDER.index)
            text = {child.tag.removeprefix(f"{{{NAMESPACE}}}"): child.text for child in alert}
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", text["sent"])
            assert text["msgType"] == ("Cancel" if closed else "Alert")
            if closed:
                assert text["references"].startswith(f"drone-aed,{incident_id},")
            else:
                # What we give can be taken by another hub of ours.
                async with world(tmp_path / "other", seed=7) as partner:
                    taken = await partner.client.post("/v1/adapters/cap", content=answer.content)
                    assert taken.status_code == 201, taken.text
                    assert taken.json()["incident"]["severity"] == "I"

    (tmp_path / "other").mkdir()
    play(main())


def test_an_eido_becomes_an_incident_and_an_order_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            unmapped = await eido(w, EIDO_EXAMPLE)
            assert (unmapped.status_code, unmapped.json()["reason"]) == (422, "severity_code_unknown")
            await w.client.put("/v1/severity-codes", json=CODES)
            first = await eido(w, EIDO_EXAMPLE, order=True)
            assert first.status_code == 201, first.text
            seen = first.json()["incident"]
            assert (seen["source"], seen["reference"]) == ("eido", "BA-120-2026-000999")
            assert (seen["severity"], seen["severity_code"]) == ("I", "9-E-1")
            assert (seen["position"]["latitude_deg"], seen["position"]["longitude_deg"]) == (
                22.5792,
                113.8876,
            )
            again = await eido(w, EIDO_EXAMPLE, order=True)
            assert (again.status_code, again.json()["order_id"]) == (200, first.json()["order_id"])
            later = changed("lastUpdateTimeStamp", "2026-03-01T08:03:00Z")
            later["callComponent"] = [{"$id": "c1", "callStartTimestamp": "2026-03-01T08:01:40.0Z"}]
            later["personComponent"] = [
                {
                    "$id": "p1",
                    "personIncidentRoleRegistryText": ["Caller"],
                    "callBackReference": {"$ref": "cb1"},
                }
            ]
            later["callbackComponent"] = [{"$id": "cb1", "callBackInformationUri": ["tel:13800000000"]}]
            later["emergencyResourceComponent"] = [
                {
                    "$id": "BA-07",
                    "emergencyResourceTypeCommonRegistryText": "Ambulance",
                    "eta": "2026-03-01T08:11:00Z",
                }
            ]
            later["cautionComponent"] = []
            added = (await eido(w, later)).json()
            assert added["incident"]["incident_id"] == seen["incident_id"]
            assert added["incident"]["caller"]["phone"] == "13800000000"
            assert added["incident"]["ambulance"]["unit"] == "BA-07"
            assert added["incident"]["stages"][0]["at"] is not None
            assert added["ignored"] == ["eido.cautionComponent"]

    play(main())


PLACE = "locationComponent.0.locationByValue"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("$id", None, "eido.$id"),
        ("agencyComponent", None, "eido.agencyComponent"),
        ("eidoVersion", "2.0", "eido.eidoVersion"),
        ("incidentComponent", None, "eido.incidentComponent"),
        ("incidentComponent", [], "eido.incidentComponent"),
        (
            "incidentComponent.incidentPriorityInternalText",
            None,
            "eido.incidentComponent.incidentPriorityInternalText",
        ),
        ("incidentComponent.locationReference", None, "eido.incidentComponent.locationReference"),
        ("locationComponent", {"a": 1}, "eido.locationComponent"),
        (PLACE, "<presence/>", "eido.locationComponent.locationByValue"),
        (PLACE, "no xml", "eido.locationComponent.locationByValue"),
        (PLACE, '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "eido.locationComponent.locationByValue"),
        (
            PLACE,
            EIDO_EXAMPLE["locationComponent"][0]["locationByValue"].replace("4326", "4490"),
            "eido.locationComponent.locationByValue",
        ),
        (
            PLACE,
            EIDO_EXAMPLE["locationComponent"][0]["locationByValue"].replace("22.5792 113.8876", "22,5 113,8"),
            "eido.locationComponent.locationByValue",
        ),
    ],
)
def test_an_eido_that_says_too_little_is_refused_by_its_name(
    tmp_path: Path, path: str, value: Any, field: str
):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.client.put("/v1/severity-codes", json=CODES)
            answer = await eido(w, changed(path, value))
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["field"] == field

    play(main())


def test_a_location_elsewhere_is_not_fetched(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            document = changed(PLACE, None)
            document["locationComponent"][0]["locationByReferenceUrl"] = "http://127.0.0.1:1/secret"
            answer = await eido(w, document)
            assert answer.json()["errors"][0]["field"] == "eido.locationComponent.locationByReferenceUrl"

    play(main())


@pytest.mark.parametrize("content", [b"", b"[" * 60_000, b"[1]", b'"x"', b'{"a":1,"a":2}', b"\xff", b"NaN"])
def test_hostile_json_is_refused(tmp_path: Path, content: bytes):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await w.client.post("/v1/adapters/eido", content=content)
            assert answer.status_code == 422, answer.text

    play(main())
