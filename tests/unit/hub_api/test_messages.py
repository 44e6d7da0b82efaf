"""Short messages and video links: stored before sent, sent once, given up with a reason. Source: A5, A6."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from core.errors import DispatchError, ErrorCode, InternalError
from hub_api.messages.ports import NotTaken, Recipient, Role, Sms, SmsTaken, VideoRoom, VideoRoomRequest
from hub_api.messages.recorder import Recorder
from hub_api.messages.service import Outcome
from hub_api.store.repositories import messages as store
from hub_api.store.repositories.messages import MessageRecord, MessageState
from tests.unit.hub_api.world import EPOCH, World, play, world

pytestmark = pytest.mark.usefixtures("each_database")
PEOPLE = (
    Recipient(role=Role.CALLER, phone="138 0000-0000"),
    Recipient(role=Role.DOCTOR, phone="+8613900000000"),
)


class Flaky(Recorder):
    """Both services; the first ``failures`` requests are not taken."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.asked = 0

    def _fails(self) -> bool:
        self.asked += 1
        return self.asked <= self.failures

    async def send(self, sms: Sms) -> SmsTaken | NotTaken:
        return NotTaken(why="status 503") if self._fails() else await super().send(sms)

    async def open_room(self, request: VideoRoomRequest) -> VideoRoom | NotTaken:
        return NotTaken(why="status 503") if self._fails() else await super().open_room(request)


async def invite(
    w: World, subject: str = "inc_1", people: Sequence[Recipient] = PEOPLE, *, drill: bool = False
) -> None:
    await w.hub.database.write(
        lambda s: w.hub.messages.owe_video_link(
            s, subject=subject, client="demo", recipients=people, drill=drill
        )
    )
    w.hub.wake_messages()


async def until_done(w: World, subject: str = "inc_1") -> list[MessageRecord]:
    async with w.hub.clock.timeout(5000):
        while True:
            found = await w.hub.database.read(lambda s: store.of_subject(s, subject))
            if found and all(record.state is not MessageState.OWED for record in found):
                return found
            await w.hub.clock.sleep(1.0)


def test_caller_and_doctor_each_get_their_own_link_to_one_room(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await invite(w)
            done = await until_done(w)
            assert (done[0].kind, done[0].role) == ("video_room", None)
            assert {(record.kind, record.role) for record in done[1:]} == {
                ("sms", "caller"),
                ("sms", "doctor"),
            }
            assert {sms.phone for sms in w.hub.recorder.sms} == {"13800000000", "+8613900000000"}
            for sms in w.hub.recorder.sms:
                assert sms.link is not None
                assert sms.link in sms.text
                assert sms.link.endswith(f"/{sms.role}")
            assert len(w.hub.recorder.rooms) == 1

    play(main())


def test_a_service_that_fails_for_a_while_gets_each_message_once(tmp_path: Path):
    async def main() -> None:
        flaky = Flaky(failures=4)
        async with world(tmp_path, sms=flaky, video=flaky) as w:
            await invite(w)
            done = await until_done(w)
            assert all(record.state is MessageState.SENT for record in done)
            assert len(flaky.sms) == 2
            assert len(flaky.rooms) == 1
            assert max(record.attempts for record in done) > 1

    play(main())


def test_a_service_that_never_takes_it_is_given_up_and_a_person_sends_it_again(tmp_path: Path):
    told: list[Outcome] = []

    async def main() -> None:
        flaky = Flaky(failures=3)
        async with world(tmp_path, sms=flaky, video=flaky, message_attempts=3) as w:
            w.hub.messages.on_outcome = lambda _session, outcome: told.append(outcome)
            await invite(w)
            (room,) = await until_done(w)
            assert (room.state, room.attempts, room.last_error) == (MessageState.FAILED, 3, "status 503")
            await w.hub.database.write(lambda s: w.hub.messages.send_again(s, room.message_id, client="demo"))
            w.hub.wake_messages()
            done = await until_done(w)
            assert [record.state for record in done] == [MessageState.SENT] * 3
            # A retry keeps its id, so that the service can tell; a person's «again» is a message of its own.
            assert flaky.rooms[0].message_id == f"{room.message_id}.1"
            with pytest.raises(DispatchError, match="not given up"):
                await w.hub.database.write(
                    lambda s: w.hub.messages.send_again(s, room.message_id, client="demo")
                )
            with pytest.raises(DispatchError, match="no message"):
                await w.hub.database.write(
                    lambda s: w.hub.messages.send_again(s, room.message_id, client="another")
                )
            assert [outcome.state for outcome in told] == [MessageState.FAILED, *[MessageState.SENT] * 3]
            assert (await w.client.get("/v1/audit/verification")).json()["whole"]

    play(main())


def test_a_message_that_comes_too_late_is_not_sent(tmp_path: Path):
    async def main() -> None:
        flaky = Flaky(failures=1000)
        async with world(tmp_path, sms=flaky, video=flaky, message_attempts=50, message_usable_s=60) as w:
            await invite(w)
            (room,) = await until_done(w)
            assert room.last_error == "too late: status 503"
            assert w.hub.clock.now() - EPOCH < timedelta(seconds=90)

    play(main())


def test_a_drill_rings_nobody_whatever_is_configured(tmp_path: Path):
    async def main() -> None:
        real = Flaky(failures=0)
        async with world(tmp_path, sms=real, video=real) as w:
            await invite(w, drill=True)
            await until_done(w)
            assert (len(real.sms), len(real.rooms)) == (0, 0)
            assert w.hub.recorder.sms
            assert all("演练" in sms.text for sms in w.hub.recorder.sms)
            assert len(w.hub.recorder.sms) == 2

    play(main())


def test_without_a_service_the_message_says_so(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path, demo=False, message_attempts=1) as w:
            await invite(w)
            (room,) = await until_done(w)
            assert room.last_error == "no video service is configured"

    play(main())


def test_a_number_that_cannot_be_dialled_is_given_up_at_once(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await invite(w, people=(Recipient(role=Role.CALLER, phone="ask the neighbour"),))
            _, sms = await until_done(w)
            assert (sms.state, sms.attempts) == (MessageState.FAILED, 0)
            assert sms.last_error == "the telephone number cannot be dialled"
            assert "neighbour" not in (sms.sealed or "")

    play(main())


def test_what_was_owed_before_a_kill_is_sent_after_it(tmp_path: Path):
    async def before() -> None:
        stuck = Flaky(failures=1000)
        async with world(tmp_path, sms=stuck, video=stuck) as w:
            await invite(w)
            await w.hub.clock.sleep(3.0)

    async def after() -> None:
        async with world(tmp_path, seed=2, epoch=EPOCH + timedelta(seconds=60)) as w:
            done = await until_done(w)
            assert [record.state for record in done] == [MessageState.SENT] * 3

    play(before())
    play(after())


def test_what_is_withdrawn_is_not_sent(tmp_path: Path):
    async def main() -> None:
        stuck = Flaky(failures=1000)
        async with world(tmp_path, sms=stuck, video=stuck) as w:
            await invite(w)
            await w.hub.clock.sleep(2.0)

            def work(session: Session) -> int:
                return w.hub.messages.withdraw(session, "inc_1", why="the incident is closed")

            assert await w.hub.database.write(work) == 1
            asked = stuck.asked
            await w.hub.clock.sleep(600.0)
            assert stuck.asked == asked
            (room,) = await until_done(w)
            assert room.last_error == "the incident is closed"

    play(main())


def test_a_message_erased_while_it_is_owed_is_given_up_and_others_are_sent(tmp_path: Path):
    async def main() -> None:
        away = Flaky(failures=1)
        async with world(tmp_path, sms=away, video=away) as w:
            await invite(w)
            await w.hub.clock.sleep(0.1)

            def erase(session: Session) -> None:
                (owed,) = store.of_subject(session, "inc_1")
                store.set_sealed(session, owed.message_id, None)

            await w.hub.database.write(erase)
            (room,) = await until_done(w)
            assert room.state is MessageState.FAILED
            assert "erased" in (room.last_error or "")
            await invite(w, "inc_2")
            done = await until_done(w, "inc_2")
            assert {record.state for record in done} == {MessageState.SENT}

    play(main())


def test_a_port_that_raises_keeps_nobody_else_waiting(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    class Broken(Recorder):
        async def send(self, sms: Sms) -> SmsTaken | NotTaken:
            if sms.role is Role.CALLER:
                raise KeyError(sms.phone)
            return await super().send(sms)

    async def main() -> None:
        broken = Broken()
        async with world(tmp_path, sms=broken, video=broken) as w:
            await invite(w)
            done = {record.role: record for record in await until_done(w)}
            assert done["doctor"].state is MessageState.SENT
            assert done["caller"].last_error in ("unexpected KeyError", "too late: unexpected KeyError")
            assert "unexpected KeyError" in caplog.text
            assert "13800000000" not in caplog.text

    play(main())


def test_what_is_on_its_way_while_another_cannot_be_stored_is_not_sent_beside_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Slow(Recorder):
        asked = 0

        async def send(self, sms: Sms) -> SmsTaken | NotTaken:
            if sms.role is Role.DOCTOR:
                self.asked += 1
                await w.hub.clock.sleep(10.0)
            return await super().send(sms)

    stored = store.mark_sent

    def failing(session: Session, message_id: str, **what: Any) -> bool:
        record = store.find(session, message_id)
        assert record is not None
        if record.role == "caller" and slow.asked == 1:
            raise InternalError(ErrorCode.STORE_FAILED, "the disk is full")
        return stored(session, message_id, **what)

    async def main() -> None:
        nonlocal w
        async with world(tmp_path, sms=slow, video=slow) as w:
            await invite(w)
            await w.hub.clock.sleep(8.0)
            assert slow.asked == 1
            monkeypatch.undo()
            assert {record.state for record in await until_done(w)} == {MessageState.SENT}
            assert slow.asked == 1

    w: World
    slow = Slow()
    monkeypatch.setattr(store, "mark_sent", failing)
    play(main())


def test_a_message_withdrawn_on_its_last_try_is_not_told_as_given_up(tmp_path: Path):
    told: list[Outcome] = []

    class Late(Recorder):
        async def open_room(self, request: VideoRoomRequest) -> VideoRoom | NotTaken:
            await w.hub.clock.sleep(30.0)
            return NotTaken(why="status 503")

    async def main() -> None:
        nonlocal w
        late = Late()
        async with world(tmp_path, sms=late, video=late, message_attempts=1) as w:
            w.hub.messages.on_outcome = lambda _session, outcome: told.append(outcome)
            await invite(w)
            await w.hub.clock.sleep(5.0)
            await w.hub.database.write(lambda s: w.hub.messages.withdraw(s, "inc_1", why="closed"))
            await w.hub.clock.sleep(60.0)
            (room,) = await until_done(w)
            assert room.last_error == "closed"
            assert told == []

    w: World
    play(main())


def test_numbers_and_texts_are_sealed_at_rest(tmp_path: Path):
    async def main() -> None:
        async with world(tmp_path) as w:
            await invite(w)
            for record in await until_done(w):
                assert "138" not in repr(record)
                assert "video.invalid" not in repr(record)
                assert w.hub.messages.content(record)

    play(main())


def test_the_api_shows_what_was_sent_and_masks_numbers_by_role(tmp_path: Path):
    async def main() -> None:
        flaky = Flaky(failures=1)
        async with world(tmp_path, sms=flaky, video=flaky, message_attempts=1) as w:
            await invite(w)
            await until_done(w)
            keys = {}
            for client, scopes in {
                "demo": ["orders:read", "orders:write", "personal:read"],
                "masked": ["orders:read", "orders:read-all"],
                "another": ["orders:read", "orders:write", "personal:read"],
            }.items():
                made = await w.client.post("/v1/keys", json={"client": client, "name": "n", "scopes": scopes})
                keys[client] = {"X-API-Key": made.json()["secret"]}
            (dead,) = (
                await w.client.get("/v1/messages", params={"state": "failed"}, headers=keys["demo"])
            ).json()["messages"]
            again = f"/v1/messages/{dead['message_id']}/send-again"
            assert (await w.client.post(again, headers=keys["another"])).status_code == 404
            assert (await w.client.post(again, headers=keys["masked"])).status_code == 403
            assert (await w.client.post(again, headers=keys["demo"])).json()["state"] == "owed"
            await until_done(w)
            assert (await w.client.post(again, headers=keys["demo"])).status_code == 409

            async def endings(who: str) -> set[str | None]:
                answer = await w.client.get("/v1/messages", params={"subject": "inc_1"}, headers=keys[who])
                assert "138" not in answer.text
                assert "video.invalid" not in answer.text
                return {message["phone_ending"] for message in answer.json()["messages"]}

            assert await endings("demo") == {None, "0000"}
            assert await endings("masked") == {None}
            assert await endings("another") == set()
            text = (await w.client.get("/metrics")).text
            assert 'drone_aed_messages_total{kind="sms",outcome="sent"} 2.0' in text
            assert "drone_aed_messages_dead 0.0" in text

    play(main())


def test_numbers_are_erased_by_the_retention_rule_and_cannot_be_sent_again(tmp_path: Path):
    async def main() -> None:
        flaky = Flaky(failures=1)
        async with world(tmp_path, sms=flaky, video=flaky, message_attempts=1) as w:
            await invite(w)
            (room,) = await until_done(w)
            hub = w.hub
            later = hub.clock.now() + timedelta(seconds=1)
            assert await hub.personal.erase_finished_before(hub.database, later, now=later) == 1
            found = await hub.database.read(lambda s: store.find(s, room.message_id))
            assert found is not None
            assert found.sealed is None
            answer = await w.client.post(f"/v1/messages/{room.message_id}/send-again")
            assert answer.status_code == 409, answer.text
            assert (await w.client.get("/v1/audit/verification")).json()["whole"]

    play(main())
