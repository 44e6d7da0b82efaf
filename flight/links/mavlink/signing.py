"""MAVLink 2 signing: who may speak for a vehicle, and proof that it is us who speak to it.

A signature is the first 48 bits of SHA-256 over key, frame, link id and a time in 10 µs since 2015
(MAVLink message signing specification). Each sender's stream (system, component, link id) must go
forward in time; a stream never heard before may be at most a minute behind. What is easy to get wrong,
and tested here:

- The time of a stream moves only **after** its signature was verified: a forged frame with a time far
  ahead would otherwise block all later genuine ones.
- A vehicle with a key is never believed unsigned, from the first byte on and in MAVLink 1 too, which
  can't be signed: there is no moment before signing «is switched on».
- Our own times are reserved on disk before they are used and the heard ones are written down every
  :data:`FLUSH_S`, so that neither a kill -9 nor a clock set back lets anything be said or heard twice.

ArduPilot accepts unsigned frames on its first link (channel 0, usually USB) whatever its key: a cable or
companion computer there commands the vehicle without one. That link must stay inside the airframe.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from core.clock import Clock
from core.errors import ErrorCode, LinkError
from flight.links.private_file import read_private, write_private

log = logging.getLogger(__name__)

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
"""Where signing times begin (MAVLink message signing specification)."""
TICKS_PER_S = 100_000
TIME_BYTES = 6
SIGNATURE_HASH_BYTES = 6
NEW_STREAM_BEHIND_S = 60.0
"""How far a stream that was never heard may be behind (specification)."""
RESERVE_S = 60.0
"""Our times are reserved on disk this far ahead: one write a minute; a restart skips at most this much."""
FLUSH_S = 2.0
"""How often the heard times are written. After a crash each stream is believed from this much behind its
last written time on, which a vehicle reaches by itself in that time."""
CLOCK_TRUST_S = 600.0
"""A time further ahead of our clock than this concerns one key only and is reserved for it alone."""


# Looked up once: these run for every message of a fleet. A signature ends in 6 bytes of time, little end
# first, and 6 of hash; before them stands the link id. Comparing takes no constant time: it differs by less
# than a nanosecond a byte, and over a link that jitters by a million times that nobody measures it.
_sha256 = hashlib.sha256
_ticks_of = int.from_bytes


def ticks_of(now: datetime) -> int:
    """Signing time of a moment."""
    return int((now - EPOCH).total_seconds() * TICKS_PER_S)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """32 secret bytes. Its ``key_id`` may be shown to anyone; the secret is in no text made of it."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != 32 or not any(self.secret):
            raise LinkError(ErrorCode.LINK_KEY_INVALID, "a signing key is 32 bytes, not all zero")

    @property
    def key_id(self) -> str:
        """Names the key without giving it away."""
        return hashlib.sha256(b"drone-aed key id" + self.secret).hexdigest()[:12]

    @classmethod
    def from_passphrase(cls, passphrase: str) -> SigningKey:
        """As MAVProxy and Mission Planner do it: SHA-256 of the text."""
        return cls(hashlib.sha256(passphrase.encode()).digest())

    def signature(self, signed: bytes) -> bytes:
        """Of a frame with its link id and time."""
        return hashlib.sha256(self.secret + signed).digest()[:SIGNATURE_HASH_BYTES]


class Rejection(StrEnum):
    """Why a frame was not believed."""

    UNSIGNED = "unsigned"
    FORGED = "forged"
    """The signature isn't one of this vehicle's key."""
    REPLAYED = "replayed"
    """Rightly signed, and not later than what was heard on that stream."""
    TOO_OLD = "too_old"
    """Rightly signed, a new stream, more than a minute behind."""


Stream = tuple[str, int, int, int]
"""Key id, system id, component id, link id."""


NEVER = -1


@dataclass(slots=True)
class StreamTime:
    """The last believed time of a stream; :data:`NEVER` before the first."""

    ticks: int = NEVER


class SigningTimes:
    """All times of all keys, heard and said, kept over restarts in one file (None: in memory only)."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock, self._path = clock, path
        self._heard: dict[Stream, StreamTime] = {}
        self._streams_of: dict[str, list[StreamTime]] = {}
        self._said: dict[str, int] = {}
        self._reserved = 0
        self._reserved_for: dict[str, int] = {}
        self._floor = 0
        self._floor_for: dict[str, int] = {}
        self._written_heard = 0
        self._lock = threading.Lock()
        self._number = self._written = 0
        if path is not None and path.exists():
            self._load(path)

    def now(self) -> int:
        """The present in ticks."""
        return ticks_of(self._clock.now())

    def _load(self, path: Path) -> None:
        try:
            held = json.loads(read_private(path))
            margin = 0 if held["closed"] else round(FLUSH_S * TICKS_PER_S)
            for key_id, system_id, component_id, link_id, ticks in held["heard"]:
                stream = self.stream((str(key_id), int(system_id), int(component_id), int(link_id)))
                stream.ticks = int(ticks) + margin
            self._floor = self._reserved = int(held["reserved"])
            self._reserved_for = {str(key_id): int(ticks) for key_id, ticks in held["reserved_for"].items()}
            self._floor_for = dict(self._reserved_for)
        except (OSError, ValueError, KeyError, TypeError) as error:
            # Without the times a recording could be played to us: a person must look.
            raise LinkError(
                ErrorCode.LINK_KEY_INVALID, f"{path}: the signing times can't be read: {error}"
            ) from error

    def stream(self, stream: Stream) -> StreamTime:
        """Where the time of a stream is kept. Who moves it does so after verification only, and forward."""
        known = self._heard.get(stream)
        if known is None:
            known = self._heard[stream] = StreamTime()
            self._streams_of.setdefault(stream[0], []).append(known)
        return known

    def take(self, key_id: str) -> int:
        """The next time to sign with. Never the same twice, over restarts too."""
        now = self.now()
        floor = max(self._floor, self._floor_for.get(key_id, 0))
        # A vehicle whose clock is ahead believes only what is later than it said itself.
        heard = max((stream.ticks for stream in self._streams_of.get(key_id, ())), default=NEVER)
        ticks = max(now, self._said.get(key_id, 0) + 1, heard + 1, floor + 1)
        if ticks > max(self._reserved, self._reserved_for.get(key_id, 0)):
            ahead = ticks + round(RESERVE_S * TICKS_PER_S)
            if ticks <= now + round(CLOCK_TRUST_S * TICKS_PER_S):
                self._reserved = ahead
            else:
                self._reserved_for[key_id] = ahead
            self.write(self._content(closed=False))
        self._said[key_id] = ticks
        return ticks

    def flush(self) -> None:
        """Write the heard times if there are new ones."""
        content = self.unwritten()
        if content is not None:
            self.write(content)

    def unwritten(self) -> bytes | None:
        """What is to be written, or None; to be handed to :meth:`write`, on another thread if need be."""
        if self._path is None or self._written_heard == self._heard_sum():
            return None
        return self._content(closed=False)

    def close(self) -> None:
        """Write everything; the next start needs no margin then."""
        self.write(self._content(closed=True))

    def _heard_sum(self) -> int:
        """Grows with every believed frame."""
        return sum(stream.ticks for stream in self._heard.values())

    def _content(self, *, closed: bool) -> bytes:
        self._written_heard = self._heard_sum()
        content = {
            "closed": closed,
            "reserved": self._reserved,
            "reserved_for": self._reserved_for,
            "heard": [[*stream, time.ticks] for stream, time in self._heard.items() if time.ticks != NEVER],
        }
        self._number += 1
        return b"%d\n" % self._number + json.dumps(content).encode()

    def write(self, content: bytes) -> None:
        """Put a content on disk unless a later one is there already."""
        if self._path is None:
            return
        number, _, text = content.partition(b"\n")
        with self._lock:
            if int(number) > self._written:
                write_private(self._path, text)
                self._written = int(number)


@dataclass(slots=True)
class SigningCounts:
    """What was believed and what was not."""

    verified: int = 0
    unsigned: int = 0
    forged: int = 0
    replayed: int = 0
    too_old: int = 0

    def rejected(self) -> dict[str, int]:
        """By reason, without the zeros."""
        every = {reason.value: getattr(self, reason.value) for reason in Rejection}
        return {reason: count for reason, count in every.items() if count}


@dataclass(slots=True)
class _Expected:
    keys: list[SigningKey]
    unsigned_too: bool
    on_proof: Callable[[SigningKey], None] | None
    counts: SigningCounts
    handing_over: bool
    """Until the newest key is proved."""
    secret: bytes
    """Of the first key: the one that nearly every frame is signed with."""
    streams: dict[int, StreamTime] = field(default_factory=dict)
    """By component and link id, of the first key; none while a key is handed over."""


class SignatureGuard:
    """Judges the frames of one link (:class:`flight.links.mavlink.framing.Judge`).

    Vehicles without a key are not judged: nobody expects signatures of them.
    """

    def __init__(self, times: SigningTimes) -> None:
        self.times = times
        self._expected: dict[int, _Expected] = {}

    def expect(
        self,
        system_id: int,
        *keys: SigningKey,
        unsigned_too: bool = False,
        on_proof: Callable[[SigningKey], None] | None = None,
    ) -> SigningCounts:
        """Believe this vehicle only with one of ``keys``. Returns its counts, which go on over calls.

        ``unsigned_too`` is for the moment in which a key is handed over: it ends by itself with the first
        frame that the new key signed. ``on_proof`` hears which key a verified frame proved.
        """
        if not keys:
            raise LinkError(ErrorCode.LINK_KEY_INVALID, f"no key to expect of system {system_id}")
        before = self._expected.get(system_id)
        counts = SigningCounts() if before is None else before.counts
        handing_over = len(keys) > 1 or unsigned_too or on_proof is not None
        self._expected[system_id] = _Expected(
            list(keys), unsigned_too, on_proof, counts, handing_over, keys[0].secret
        )
        return counts

    def is_strict(self, system_id: int) -> bool:
        """Whether what is admitted of this vehicle was rightly signed."""
        expected = self._expected.get(system_id)
        return expected is not None and not expected.unsigned_too

    def forget(self, system_id: int) -> None:
        """Expect no signatures of this vehicle any more."""
        self._expected.pop(system_id, None)

    def admits(self, system_id: int, component_id: int, raw: bytes, signed: bool) -> bool:
        """Whether this frame is believed; counts why not."""
        expected = self._expected.get(system_id)
        if expected is None:
            return True
        if signed and _sha256(expected.secret + raw[:-6]).digest().startswith(raw[-6:]):
            stream = expected.streams.get(component_id << 8 | raw[-13])
            ticks = _ticks_of(raw[-12:-6], "little")
            if stream is not None and ticks > stream.ticks > NEVER:
                # The next frame of a stream that is known: nearly every one.
                stream.ticks = ticks
                expected.counts.verified += 1
                return True
            return self._admits_key(system_id, component_id, expected, expected.keys[0], raw)
        return self._admits_otherwise(system_id, component_id, expected, raw, signed)

    def _admits_otherwise(
        self, system_id: int, component_id: int, expected: _Expected, raw: bytes, signed: bool
    ) -> bool:
        """A frame that the first key did not sign."""
        counts = expected.counts
        if not signed:
            if expected.unsigned_too:
                return True
            counts.unsigned += 1
            return False
        for key in expected.keys[1:]:
            if key.signature(raw[:-6]) == raw[-6:]:
                return self._admits_key(system_id, component_id, expected, key, raw)
        counts.forged += 1
        return False

    def _admits_key(
        self, system_id: int, component_id: int, expected: _Expected, key: SigningKey, raw: bytes
    ) -> bool:
        """A frame rightly signed with ``key``: is it new?"""
        counts = expected.counts
        stream = self.times.stream((key.key_id, system_id, component_id, raw[-13]))
        ticks = _ticks_of(raw[-12:-6], "little")
        if stream.ticks == NEVER:
            if ticks < self.times.now() - NEW_STREAM_BEHIND_S * TICKS_PER_S:
                counts.too_old += 1
                return False
        elif ticks <= stream.ticks:
            counts.replayed += 1
            return False
        stream.ticks = ticks
        counts.verified += 1
        if expected.handing_over:
            self._proved(expected, key)
        else:
            expected.streams[component_id << 8 | raw[-13]] = stream
        return True

    @staticmethod
    def _proved(expected: _Expected, key: SigningKey) -> None:
        on_proof = expected.on_proof
        if key is expected.keys[-1]:
            # The newest key is in use: the older ones and unsigned frames are over.
            expected.keys = [key]
            expected.secret = key.secret
            expected.streams = {}
            expected.unsigned_too = False
            expected.handing_over = False
        if on_proof is not None:
            on_proof(key)


class KeySigner:
    """Signs what we send to one vehicle (:class:`flight.links.mavlink.framing.Signer`)."""

    def __init__(self, key: SigningKey, times: SigningTimes, *, link_id: int = 0) -> None:
        self.key = key
        self._times = times
        self._key_id = key.key_id
        self._link_id = bytes((link_id,))

    def sign(self, frame: bytes) -> bytes:
        tail = self._link_id + self._times.take(self._key_id).to_bytes(TIME_BYTES, "little")
        return tail + self.key.signature(frame + tail)
