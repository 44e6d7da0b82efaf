"""Our two ways of framing against each other and against pymavlink, on clean, noisy and torn streams."""

import math
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as foreign

from flight.links.mavlink import kernel
from flight.links.mavlink.framing import FrameParser, Message

MAPPED = [cls for msg_id, cls in sorted(foreign.mavlink_map.items()) if msg_id >= 0]
KEY = bytes(range(32))


def random_frame(rng: random.Random, mav: foreign.MAVLink) -> bytes:
    """A frame of any message with any content, built and signed by pymavlink."""
    cls = rng.choice(MAPPED)
    sizes = cls.unpacker.unpack(bytes(rng.randrange(256) for _ in range(cls.unpacker.size)))
    flat, at, values = list(sizes), 0, {}
    types = dict(zip(cls.fieldnames, cls.fieldtypes, strict=True))
    for name, length in zip(cls.ordered_fieldnames, cls.array_lengths, strict=True):
        if types[name] == "char":
            # Text as the protocol allows it: pymavlink decodes anything else differently.
            values[name] = "".join(rng.choices("abcXYZ 019", k=rng.randrange(length + 1 or 1))).encode()
            if length == 0:
                values[name] = b"x"
            at += 1
        elif length:
            values[name] = flat[at : at + length]
            at += length
        else:
            values[name] = flat[at]
            at += 1
    if rng.random() < 0.4:
        values = {name: type(value)() if not isinstance(value, list) else [0] * len(value)
                  if rng.random() < 0.7 else value for name, value in values.items()}  # fmt: skip
    mav.srcSystem, mav.srcComponent = rng.randrange(1, 255), rng.randrange(1, 255)
    mav.signing.sign_outgoing = rng.random() < 0.3
    message = cls(*[values[name] for name in cls.fieldnames])
    version_1 = cls.id < 256 and rng.random() < 0.2 and not mav.signing.sign_outgoing
    frame = message.pack(mav, force_mavlink1=version_1)
    mav.seq = (mav.seq + 1) % 256
    return bytes(frame)


def signing_sender() -> foreign.MAVLink:
    mav = foreign.MAVLink(None, srcSystem=1, srcComponent=1)
    mav.signing.secret_key = KEY
    mav.signing.timestamp = 1
    return mav


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, tuple | list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, str):
        return bool(ours == (theirs if isinstance(theirs, str) else theirs.rstrip(b"\0").decode()))
    if isinstance(ours, float) and math.isnan(ours):
        return math.isnan(theirs)
    return bool(ours == theirs)


def agree(ours: Message, theirs: Any) -> bool:
    return (
        ours.name == theirs.get_type()
        and (ours.system_id, ours.component_id) == (theirs.get_srcSystem(), theirs.get_srcComponent())
        and bytes(theirs.get_msgbuf()) == ours.raw
        and all(
            same(ours.fields[n], getattr(theirs, name)) for n, name in enumerate(theirs.ordered_fieldnames)
        )
    )


def pymavlink_reads(stream: bytes) -> list[Any]:
    mav = foreign.MAVLink(None, srcSystem=255, srcComponent=190)
    mav.robust_parsing = True
    found = mav.parse_buffer(bytearray(stream)) or []
    return [m for m in found if m.get_type() != "BAD_DATA" and not m.get_type().startswith("UNKNOWN")]


def in_python(stream: bytes, cuts: list[int], *, datagram: bool = False) -> tuple[list[Message], Any]:
    parser, found, at, turn = FrameParser(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        piece = stream[at : at + step]
        found += parser.feed_datagram(piece) if datagram else parser.feed(piece)
        at, turn = at + step, turn + 1
    return found, parser.counts


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    assert kernel.load() is not None, "numba is a dependency: the kernel must load here"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 60))
def test_pymavlink_reads_the_same_messages_in_the_same_order(seed: int, count: int) -> None:
    rng, mav = random.Random(seed), signing_sender()
    stream = b""
    for _ in range(count):
        # Junk without magics: pymavlink drops a good frame behind a false start, we don't.
        stream += bytes(rng.randrange(0xF0) for _ in range(rng.choice((0, 0, 0, 3, 30))))
        stream += random_frame(rng, mav)
    theirs = pymavlink_reads(stream)
    assert len(theirs) == count
    for ours in (FrameParser().feed(stream), in_python(stream, [rng.randrange(1, 200), 7, 90])[0]):
        assert len(ours) == count
        assert all(map(agree, ours, theirs))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), damage=st.floats(0, 0.02))
def test_on_a_damaged_stream_we_find_all_that_pymavlink_finds(seed: int, damage: float) -> None:
    rng, mav = random.Random(seed), signing_sender()
    stream = bytearray(b"".join(random_frame(rng, mav) for _ in range(60)))
    for at in range(len(stream)):
        if rng.random() < damage:
            stream[at] = rng.choice((0xFD, 0xFE, rng.randrange(256)))
    stream += bytes(600)  # so that a false start at the end doesn't wait for more
    ours = iter(FrameParser().feed(bytes(stream)))
    for theirs in pymavlink_reads(bytes(stream)):
        assert any(agree(mine, theirs) for mine in ours), f"lost {theirs}"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), damage=st.floats(0, 0.05), datagram=st.booleans())
def test_the_kernel_and_the_plain_loop_agree(seed: int, damage: float, datagram: bool) -> None:
    rng, mav = random.Random(seed), signing_sender()
    pieces = [random_frame(rng, mav)[: rng.choice((300, 300, rng.randrange(1, 60)))] for _ in range(120)]
    stream = bytearray(b"".join(pieces))
    for at in range(len(stream)):
        if rng.random() < damage:
            stream[at] = rng.choice((0xFD, 0xFE, rng.randrange(256)))
    size = rng.randrange(700, 5000)
    fast, fast_counts = in_python(bytes(stream), [size], datagram=datagram)
    slow_parser = FrameParser()
    slow: list[Message] = []
    rest = b""
    for at in range(0, len(stream), size):
        piece = rest + bytes(stream[at : at + size])
        stopped = slow_parser._take_plain(piece, datagram, slow.append)
        rest = b"" if datagram else piece[stopped:]
    assert [(m.name, m.system_id, m.component_id, m.raw) for m in fast] == [
        (m.name, m.system_id, m.component_id, m.raw) for m in slow
    ]
    assert all(same(a.fields[:-3], b.fields[:-3]) for a, b in zip(fast, slow, strict=True) if a.fields is a)
    assert fast_counts == slow_parser.counts


@pytest.mark.parametrize("size", [300, 4096])
@pytest.mark.parametrize("magics", [False, True])
def test_a_million_random_bytes_do_no_harm(size: int, magics: bool) -> None:
    rng = random.Random(7)
    stream = FrameParser()
    lonely = FrameParser()
    good = foreign.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3).pack(foreign.MAVLink(None, 3, 1))
    for _ in range(1_000_000 // size):
        noise = rng.randbytes(size)
        if magics:
            noise = noise.replace(b"\x00", b"\xfd").replace(b"\x01", b"\xfe")
        stream.feed(noise)
        assert len(lonely.feed_datagram(noise[: size // 2] + good + noise[size // 2 :])) <= 2
    stream.feed(bytes(600))
    assert stream.feed(good)[-1].name == "HEARTBEAT", "the parser must hear again after any noise"
    assert stream.counts.frames <= 1_000_000 / 65536 + 10, "16 bits of CRC let little noise through"
