"""Signing against pymavlink's own signer, and against those who would like to be believed."""

import random
import stat
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as foreign

from core.clock import Clock
from core.errors import ErrorCode, LinkError
from flight.links.key_store import KeyStore
from flight.links.mavlink.framing import FrameParser, FrameWriter
from flight.links.mavlink.signing import (
    FLUSH_S,
    TICKS_PER_S,
    KeySigner,
    SignatureGuard,
    SigningKey,
    SigningTimes,
    ticks_of,
)

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(range(1, 33)))


class Wall:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return 0.0

    sleep: Any = None
    timeout: Any = None


def vehicle(
    wall: Clock, key: SigningKey | None = KEY, *, behind_s: float = 0.0, link_id: int = 0
) -> foreign.MAVLink:
    """A sender on pymavlink's signer."""
    mav = foreign.MAVLink(None, srcSystem=7, srcComponent=1)
    if key is not None:
        mav.signing.secret_key = key.secret
        mav.signing.sign_outgoing = True
        mav.signing.link_id = link_id
        mav.signing.timestamp = ticks_of(wall.now()) - round(behind_s * TICKS_PER_S)
    return mav


def beat(mav: foreign.MAVLink, *, version_1: bool = False) -> bytes:
    message = foreign.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3)
    return bytes(message.pack(mav, force_mavlink1=version_1))


class Ear:
    """A parser that expects system 7 to sign with KEY."""

    def __init__(self, times: SigningTimes, *keys: SigningKey, **options: Any) -> None:
        self.guard = SignatureGuard(times)
        self.counts = self.guard.expect(7, *(keys or (KEY,)), **options)
        self.parser = FrameParser(judge=self.guard)

    def hears(self, frame: bytes) -> bool:
        return bool(self.parser.feed_datagram(frame))


@pytest.fixture
def wall() -> Wall:
    return Wall()


def test_a_foreign_signer_is_believed(wall: Wall) -> None:
    ear, mav = Ear(SigningTimes(wall)), vehicle(wall)
    assert all(ear.hears(beat(mav)) for _ in range(50))
    assert (ear.counts.verified, ear.counts.rejected()) == (50, {})


def test_a_foreign_verifier_believes_us(wall: Wall) -> None:
    times = SigningTimes(wall)
    writer, signer = FrameWriter(255, 190), KeySigner(KEY, times, link_id=3)
    mav = foreign.MAVLink(None, srcSystem=7, srcComponent=1)
    mav.signing.secret_key = KEY.secret
    mav.signing.timestamp = ticks_of(wall.now()) - 1000
    frames = [writer.pack("HEARTBEAT", signer=signer, type=6, mavlink_version=3) for _ in range(20)]
    assert len({frame[-12:-6] for frame in frames}) == 20, "a time was used twice"
    for frame in frames:
        (message,) = mav.parse_buffer(bytearray(frame))
        assert (message.get_type(), message._signed, message._link_id) == ("HEARTBEAT", True, 3)
    with pytest.raises(foreign.MAVError):
        mav.parse_buffer(bytearray(frames[3]))  # a replay
    forged = bytearray(frames[-1])
    forged[-1] ^= 1
    with pytest.raises(foreign.MAVError):
        mav.parse_buffer(forged)


def test_attack_1_unsigned_traffic_before_and_after_the_first_byte(wall: Wall) -> None:
    """pymavlink forgets a key that was set before the first byte and then believes unsigned frames."""
    ear = Ear(SigningTimes(wall))
    unsigned = vehicle(wall, None)
    assert not ear.hears(beat(unsigned, version_1=True)), "MAVLink 1 can't be signed and must not get in"
    assert not ear.hears(beat(unsigned))
    mav = vehicle(wall)
    assert ear.hears(beat(mav))
    for version_1 in (True, False, True):
        assert not ear.hears(beat(unsigned, version_1=version_1))
    assert ear.hears(beat(mav))
    assert ear.counts.rejected() == {"unsigned": 5}


def test_attack_2_a_forged_frame_far_ahead_blocks_nobody(wall: Wall) -> None:
    """pymavlink stores the time of a stream before it verifies: one such frame silences the vehicle."""
    ear, mav = Ear(SigningTimes(wall)), vehicle(wall)
    assert ear.hears(beat(mav))
    forger = vehicle(wall, OTHER)
    forger.signing.timestamp = 2**48 - 2
    assert not ear.hears(beat(forger))
    assert ear.hears(beat(mav)), "the genuine vehicle was locked out"
    assert ear.counts.rejected() == {"forged": 1}


def test_every_flipped_bit_is_noticed(wall: Wall) -> None:
    frame = beat(vehicle(wall))
    for bit in range(8, 8 * len(frame)):
        broken = bytearray(frame)
        broken[bit // 8] ^= 1 << bit % 8
        assert not Ear(SigningTimes(wall)).hears(bytes(broken)), f"bit {bit}"
    assert Ear(SigningTimes(wall)).hears(frame)


def test_replayed_doubled_and_overtaken_frames_are_heard_once(wall: Wall) -> None:
    ear, mav = Ear(SigningTimes(wall)), vehicle(wall)
    frames = [beat(mav) for _ in range(10)]
    assert [ear.hears(frame) for frame in frames] == [True] * 10
    random.Random(1).shuffle(frames)
    assert not any(ear.hears(frame) for frame in frames)
    assert ear.counts.rejected() == {"replayed": 10}


def test_streams_are_apart_and_new_ones_may_be_a_minute_behind(wall: Wall) -> None:
    ear = Ear(SigningTimes(wall))
    assert ear.hears(beat(vehicle(wall)))
    assert ear.hears(beat(vehicle(wall, behind_s=59.0, link_id=1)))
    assert not ear.hears(beat(vehicle(wall, behind_s=61.0, link_id=2)))
    assert ear.hears(beat(vehicle(wall, behind_s=-3600.0, link_id=2)))
    assert ear.counts.rejected() == {"too_old": 1}


def test_vehicles_without_a_key_are_not_judged_and_keys_are_apart(wall: Wall) -> None:
    ear = Ear(SigningTimes(wall))
    ear.guard.expect(8, OTHER)
    nine = foreign.MAVLink(None, srcSystem=9, srcComponent=1)
    assert ear.hears(beat(nine))
    eight = vehicle(wall, KEY)
    eight.srcSystem = 8
    assert not ear.hears(beat(eight)), "another vehicle's key opens nothing"
    eight = vehicle(wall, OTHER)
    eight.srcSystem = 8
    assert ear.hears(beat(eight))


def test_a_key_is_handed_over_once(wall: Wall) -> None:
    proofs: list[SigningKey] = []
    ear = Ear(SigningTimes(wall), KEY, OTHER, on_proof=proofs.append)
    old, new = vehicle(wall), vehicle(wall, OTHER)
    assert ear.hears(beat(old))
    assert ear.hears(beat(new))
    assert proofs == [KEY, OTHER]
    assert not ear.hears(beat(old)), "the old key is over once the new one is proved"
    first = Ear(SigningTimes(wall), KEY, unsigned_too=True)
    assert first.hears(beat(vehicle(wall, None)))
    assert first.hears(beat(vehicle(wall)))
    assert not first.hears(beat(vehicle(wall, None)))


# --- over restarts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("clock_set_back_s", [0.0, 3600.0])
def test_no_time_is_used_twice_over_restarts(
    wall: Wall, tmp_path: Path, killed: bool, clock_set_back_s: float
) -> None:
    path = tmp_path / "times.json"
    used: list[int] = []
    for _ in range(5):
        times = SigningTimes(wall, path)
        for _ in range(200):
            used.append(times.take(KEY.key_id))
            wall.at += timedelta(milliseconds=400)
        if not killed:
            times.close()
        wall.at -= timedelta(seconds=clock_set_back_s)
    assert all(later > earlier for earlier, later in pairwise(used))


@pytest.mark.parametrize("killed", [True, False])
def test_a_recording_is_no_use_after_a_restart(wall: Wall, tmp_path: Path, killed: bool) -> None:
    path = tmp_path / "times.json"
    times = SigningTimes(wall, path)
    ear, mav = Ear(times), vehicle(wall)
    recording: list[bytes] = []
    for _ in range(60):
        wall.at += timedelta(seconds=0.5)
        mav.signing.timestamp = ticks_of(wall.now())
        recording.append(beat(mav))
        assert ear.hears(recording[-1])
        if len(recording) % 4 == 0:  # every two seconds, as the hub does
            times.flush()
    if not killed:
        times.close()
    again = Ear(SigningTimes(wall, path))
    assert not any(again.hears(frame) for frame in recording)
    wall.at += timedelta(seconds=FLUSH_S + 0.1)
    mav.signing.timestamp = ticks_of(wall.now())
    assert again.hears(beat(mav)), "the vehicle itself must be heard again at once"


def test_we_follow_a_vehicle_whose_clock_is_ahead(wall: Wall, tmp_path: Path) -> None:
    times = SigningTimes(wall, tmp_path / "times.json")
    ahead = vehicle(wall, behind_s=-86400.0)
    assert Ear(times).hears(beat(ahead))
    first = times.take(KEY.key_id)
    assert first > ticks_of(wall.now()) + 86400 * TICKS_PER_S, "the vehicle would take us for a replay"
    assert times.take(OTHER.key_id) < ticks_of(wall.now()) + 60 * TICKS_PER_S, (
        "one key's clock spoils no other"
    )
    restarted = SigningTimes(wall, tmp_path / "times.json")
    assert restarted.take(KEY.key_id) > first


def test_unreadable_times_stop_the_start(wall: Wall, tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    SigningTimes(wall, path).close()
    path.write_text("{")
    with pytest.raises(LinkError) as caught:
        SigningTimes(wall, path)
    assert caught.value.code is ErrorCode.LINK_KEY_INVALID


# --- keys on disk -----------------------------------------------------------------------------------------


def test_keys_survive_and_stay_private(wall: Wall, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    store = KeyStore(path, wall)
    key = store.prepare("drone-1")
    assert store.prepare("drone-1") == key, "a key that may have been sent must not be forgotten"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyStore(path, wall).keys("drone-1").all == (key,)
    store.proved("drone-1", key)
    newer = store.prepare("drone-1")
    again = KeyStore(path, wall)
    assert (again.keys("drone-1").active, again.keys("drone-1").pending) == (key, newer)
    assert list(tmp_path.iterdir()) == [path], "no copy of the secrets is left behind"
    assert key.secret.hex() not in repr(again.keys("drone-1"))
    store.remove("drone-1")
    assert key.secret.hex() not in path.read_text()


def test_a_store_that_others_can_read_or_that_is_damaged_is_refused(wall: Wall, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    KeyStore(path, wall).prepare("drone-1")
    text = path.read_text()

    def refused() -> None:
        with pytest.raises(LinkError) as caught:
            KeyStore(path, wall)
        assert caught.value.code is ErrorCode.LINK_KEY_INVALID

    path.chmod(0o640)
    refused()
    path.chmod(0o600)
    assert KeyStore(path, wall).vehicles == ("drone-1",)
    for damaged in (
        "",
        "{}",
        text.replace('"secret": "', '"secret": "00', 1)[:-4],
        text.replace("keys 1", "keys 9"),
    ):
        path.write_text(damaged)
        refused()
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    refused()


def test_no_key_is_all_zero_or_short() -> None:
    for secret in (bytes(32), b"short"):
        with pytest.raises(LinkError):
            SigningKey(secret)
    assert SigningKey.from_passphrase("x").secret.hex().startswith("2d711642b726b044")
