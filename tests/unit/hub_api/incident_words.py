"""What the tests of incidents say: people, places, and the requests that they repeat."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tests.unit.hub_api.world import EPOCH, PATIENT, World

CALLER = {"name": "李女士", "phone": "13812345678"}
DOCTOR = {"name": "张医生", "phone": "13987654321"}
ADDRESS, ACCESS, NOTES = "示例路1号2栋301", "北门进，门禁码4711", "男，58岁，无意识"
SECRETS = (*CALLER.values(), *DOCTOR.values(), ADDRESS, ACCESS, NOTES, "王志愿者", "13700000001")
REPORT: dict[str, Any] = {"position": PATIENT, "severity": "I", "reference": "BA-1"}
FULL: dict[str, Any] = REPORT | {
    "caller": CALLER,
    "doctor": DOCTOR,
    "address": ADDRESS,
    "access_notes": ACCESS,
    "notes": NOTES,
    "floor": 3,
}


def at(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


async def report(w: World, key: str = "i1", **changes: Any) -> httpx.Response:
    return await w.client.post("/v1/incidents", json={**REPORT, **changes}, headers={"Idempotency-Key": key})


async def incident(w: World, incident_id: str, **headers: str) -> dict[str, Any]:
    answer = await w.client.get(f"/v1/incidents/{incident_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def kinds(w: World, incident_id: str) -> list[str]:
    found = (await w.client.get(f"/v1/incidents/{incident_id}/events")).json()["events"]
    return [event["kind"] for event in found]


def stage_times(view: dict[str, Any]) -> dict[str, str | None]:
    return {stage["stage"]: stage["at"] for stage in view["stages"]}
