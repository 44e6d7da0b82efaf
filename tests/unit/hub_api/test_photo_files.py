"""Files that are sent as photos: upright pictures, or refused, whatever is in them."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.errors import DispatchError
from hub_api.site_data.photos import redrawn

ORIENTATION, DESCRIPTION, POSITION = 0x0112, 0x010E, 0x8825


def photo(kind: str, orientation: int = 6) -> bytes:
    """With what a telephone writes beside it."""
    image = Image.new("RGB", (64, 32), "white")
    image.paste("red", (0, 0, 32, 16))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[DESCRIPTION] = "x" * 50
    exif[POSITION] = {1: "N", 2: (22.0, 33.0, 1.5)}
    out = io.BytesIO()
    image.save(out, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))
    return out.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_upright_however_the_telephone_was_held(kind: str, orientation: int) -> None:
    content = photo(kind, orientation)
    drawn, width, height = redrawn(content)
    with Image.open(io.BytesIO(drawn)) as found, Image.open(io.BytesIO(content)) as sent:
        expected = ImageOps.exif_transpose(sent).convert("RGB")
        assert found.size == expected.size == (width, height)
        assert np.abs(np.asarray(found, dtype=int) - np.asarray(expected, dtype=int)).mean() < 8.0
        assert not dict(found.getexif())


def outcome(content: bytes) -> bool:
    """Whether it is a picture; nothing else than a refusal is raised."""
    try:
        drawn, _, _ = redrawn(content)
    except DispatchError:
        return False
    assert drawn.startswith(b"\xff\xd8")
    return True


def test_what_is_written_wrongly_beside_a_picture_does_not_matter() -> None:
    """Each byte of what the telephone wrote, changed by itself."""
    content = photo("JPEG")
    start = content.index(b"Exif\0\0")
    found = [
        outcome(content[:at] + bytes([value]) + content[at + 1 :])
        for at in range(start + 6, start + 120)
        for value in (0, 1, 2, 5, 7, 10, 12, 255)
    ]
    assert sum(found) > 0.9 * len(found)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_is_broken_anywhere_is_a_picture_or_refused(kind: str) -> None:
    chance = random.Random(7)
    whole = photo(kind)
    found = set()
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 2, 5, 20])):
            at = chance.randrange(len(content))
            if chance.random() < 0.8:
                content[at] = chance.randrange(256)
            else:
                content[at:at] = chance.randbytes(chance.randrange(8))
        found.add(outcome(bytes(content[: chance.choice([len(content), chance.randrange(len(content))])])))
    assert found == {True, False}


@pytest.mark.parametrize(("width", "height"), [(8_000, 8_000), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_a_small_file_that_claims_to_be_huge_is_refused_before_it_is_unpacked(
    width: int, height: int
) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))

    head = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    content = b"\x89PNG\r\n\x1a\n" + chunks
    assert not outcome(content)
