"""Video guidance: the severity decides, caller and doctor get the link, and a drill rings nobody. Source: A5, A6."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub_api.messages.ports import NotTaken, Role, RoomClosed, Sms, SmsTaken, VideoRoom, VideoRoomRequest
from tests.unit.hub_api.incident_words import CALLER, DOCTOR, incident, kinds, report, stage_times
from tests.unit.hub_api.world import World, play, world

pytestmark = pytest.mark.usefixtures("each_database")

BOTH: dict[str, Any] = {"caller": CALLER, "doctor": DOCTOR}


async def settle(w: World) -> None:
    await w.hub.clock.sleep(5.0)


def rung(w: World) -> list[tuple[Role, str]]:
    return [(sms.role, sms.phone) for sms in w.hub.recorder.sms]


def test_a_grave_case_opens_one_room_and_rings_caller_and_doctor_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, **BOTH)).json()["incident_id"]
            await report(w, **BOTH)
            await settle(w)
            assert len(w.hub.recorder.rooms) == 1
            assert rung(w) == [(Role.CALLER, CALLER["phone"]), (Role.DOCTOR, DOCTOR["phone"])]
            seen = await incident(w, incident_id)
            assert [(m["kind"], m["role"], m["state"]) for m in seen["messages"]] == [
                ("video_room", None, "sent"),
                ("sms", "caller", "sent"),
                ("sms", "doctor", "sent"),
            ]
            # The stage of guidance is reached by what really happened.
            assert stage_times(seen)["guided"] is not None
            assert [s["source"] for s in seen["stages"] if s["stage"] == "guided"] == ["video_link_sent"]
            told = await kinds(w, incident_id)
            assert told.count("video_guidance_started") == 1
            assert told.count("message_sent") == 3
            exchanged = (await w.client.get(f"/v1/incidents/{incident_id}/exchanges")).json()["exchanges"]
            assert {"caller", "doctor", "video service"} <= {item["partner"] for item in exchanged}

    play(main())


@pytest.mark.parametrize(
    ("changes", "rings"),
    [
        ({"severity": "II"}, True),
        ({"severity": "III"}, False),
        ({"severity": "III", "video_guidance": "start"}, True),
        ({"severity": "I", "video_guidance": "none"}, False),
        ({"severity": "I", "caller": {"name": "无电话"}}, False),
    ],
)
def test_the_severity_decides_unless_the_centre_does(tmp_path: Path, changes: dict[str, Any], rings: bool):
    async def main() -> None:
        async with world(tmp_path) as w:
            answer = await report(w, **(BOTH | changes))
            assert answer.status_code == 201, answer.text
            await settle(w)
            assert bool(rung(w)) == rings

    play(main())


def test_an_order_alone_rings_nobody(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.order(caller=CALLER)
            await settle(w)
            assert rung(w) == []

    play(main())


def test_a_doctor_who_is_named_later_comes_into_a_room_with_the_caller(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, caller=CALLER)).json()["incident_id"]
            await settle(w)
            await w.client.patch(f"/v1/incidents/{incident_id}", json={"floor": 7})
            await settle(w)
            assert rung(w) == [(Role.CALLER, CALLER["phone"])]
            await w.client.patch(f"/v1/incidents/{incident_id}", json={"doctor": DOCTOR})
            await settle(w)
            assert [room.roles for room in w.hub.recorder.rooms] == [
                (Role.CALLER,),
                (Role.CALLER, Role.DOCTOR),
            ]

    play(main())


def test_the_centre_starts_and_stops_guidance(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, severity="IV")).json()["incident_id"]
            url = f"/v1/incidents/{incident_id}"
            unreachable = await w.client.patch(url, json={"video_guidance": "start"})
            assert (unreachable.status_code, unreachable.json()["errors"][0]["field"]) == (
                409,
                "caller.phone",
            )
            started = await w.client.patch(url, json={"video_guidance": "start", "caller": CALLER})
            assert started.json()["video_guidance"] == "start"
            await settle(w)
            assert rung(w) == [(Role.CALLER, CALLER["phone"])]
            stopped = await w.client.patch(url, json={"video_guidance": "none", "doctor": DOCTOR})
            assert stopped.json()["video_guidance"] == "none"
            await settle(w)
            assert len(rung(w)) == 1

    play(main())


class Deaf:
    """A carrier that takes nothing for a while."""

    def __init__(self, refusals: int) -> None:
        self.refusals, self.tries = refusals, 0

    async def send(self, sms: Sms) -> SmsTaken | NotTaken:
        self.tries += 1
        if self.tries <= self.refusals:
            return NotTaken(why="status 503")
        return SmsTaken(reference="r")


@pytest.mark.parametrize("refusals", [2, 10_000])
def test_a_carrier_that_takes_nothing_is_tried_again_then_given_up_and_told(tmp_path: Path, refusals: int):
    async def main() -> None:
        carrier = Deaf(refusals)
        async with world(tmp_path, sms=carrier, message_attempts=3) as w:
            incident_id = (await report(w, caller=CALLER)).json()["incident_id"]
            await w.hub.clock.sleep(60.0)
            seen = await incident(w, incident_id)
            reached = stage_times(seen)["guided"] is not None
            assert reached == (refusals == 2)
            assert ("message_given_up" in await kinds(w, incident_id)) == (refusals > 2)
            assert carrier.tries == 3

    play(main())


def test_a_drill_goes_to_the_recorder_and_to_nobody_else(tmp_path: Path):
    async def main() -> None:
        carrier = Deaf(0)
        async with world(tmp_path, sms=carrier) as w:
            incident_id = (await report(w, caller=CALLER, exercise=True)).json()["incident_id"]
            await settle(w)
            assert carrier.tries == 0
            (sms,) = w.hub.recorder.sms
            assert sms.text.startswith("【演练")
            assert sms.subject == incident_id

    play(main())


def test_what_is_still_owed_is_withdrawn_when_the_incident_closes(tmp_path: Path):
    async def main() -> None:
        carrier = Deaf(10_000)
        async with world(tmp_path, sms=carrier, message_attempts=50) as w:
            incident_id = (await report(w, caller=CALLER)).json()["incident_id"]
            await settle(w)
            await w.client.post(f"/v1/incidents/{incident_id}/close", json={"outcome": "false_alarm"})
            tries = carrier.tries
            await w.hub.clock.sleep(120.0)
            assert carrier.tries == tries
            seen = await incident(w, incident_id)
            (sms,) = [m for m in seen["messages"] if m["kind"] == "sms"]
            assert (sms["state"], sms["last_error"]) == ("failed", "the incident is closed")

    play(main())


async def closed(w: World, incident_id: str) -> None:
    answer = await w.client.post(f"/v1/incidents/{incident_id}/close", json={"outcome": "handed_over"})
    assert answer.status_code == 200, answer.text
    await settle(w)


def test_the_room_is_closed_with_its_incident(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, **BOTH)).json()["incident_id"]
            other = (await report(w, "k2", reference="BA-2", **BOTH)).json()["incident_id"]
            await settle(w)
            rooms = {room.subject: f"drill-{room.message_id}" for room in w.hub.recorder.rooms}
            await closed(w, incident_id)
            assert list(w.hub.recorder.closed) == [rooms[incident_id]]
            seen = await incident(w, incident_id)
            assert ("video_close", "sent") in [(m["kind"], m["state"]) for m in seen["messages"]]
            # Once, whatever is said about it again.
            await w.client.post(f"/v1/incidents/{incident_id}/close", json={"outcome": "handed_over"})
            await settle(w)
            assert list(w.hub.recorder.closed) == [rooms[incident_id]]
            assert rooms[other] not in w.hub.recorder.closed

    play(main())


def test_a_room_that_is_not_wanted_any_more_is_closed_and_another_one_opened_later(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            incident_id = (await report(w, **BOTH)).json()["incident_id"]
            await settle(w)
            path = f"/v1/incidents/{incident_id}"
            assert (await w.client.patch(path, json={"video_guidance": "none"})).status_code == 200
            await settle(w)
            assert len(w.hub.recorder.closed) == 1
            assert (await w.client.patch(path, json={"video_guidance": "start"})).status_code == 200
            await settle(w)
            assert len(w.hub.recorder.rooms) == 2
            await closed(w, incident_id)
            assert len(w.hub.recorder.closed) == 2

    play(main())


class SlowService:
    """Thinks for a while before it gives a room."""

    def __init__(self) -> None:
        self.closed: list[str] = []

    async def open_room(self, request: VideoRoomRequest) -> VideoRoom | NotTaken:
        await asyncio.sleep(10.0)
        return VideoRoom(room_id="r1", links={role: f"https://v.example/{role}" for role in request.roles})

    async def close_room(self, message_id: str, room_id: str) -> RoomClosed | NotTaken:
        self.closed.append(room_id)
        return RoomClosed(room_id=room_id)


def test_a_room_that_opens_after_its_incident_was_closed_is_closed_and_rings_nobody(tmp_path: Path):
    async def main() -> None:
        service = SlowService()
        async with world(tmp_path, video=service) as w:
            incident_id = (await report(w, **BOTH)).json()["incident_id"]
            await settle(w)
            await closed(w, incident_id)
            assert service.closed == []
            await w.hub.clock.sleep(20.0)
            assert service.closed == ["r1"]
            assert rung(w) == []

    play(main())
