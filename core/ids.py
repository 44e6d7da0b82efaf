"""Identifiers: sortable by time, readable by kind, and reproducible under a seed.

``<kind>_<26 characters>``: a ULID (48 bits of milliseconds, 80 bits of randomness, Crockford
base 32), so that logs sort by themselves and nobody mixes an order with a flight.
Source of the layout: the ULID specification.
"""

from __future__ import annotations

import random
import re
import secrets
from typing import Literal, get_args

from core.clock import Clock

IdKind = Literal[
    "inc",
    "ord",
    "mis",
    "flt",
    "plan",
    "cmd",
    "evt",
    "key",
    "acc",
    "whs",
    "msg",
    "obs",
    "mov",
    "div",
    "idb",
    "pho",
    "pre",
]
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PATTERN = re.compile(rf"^({'|'.join(get_args(IdKind))})_[{_ALPHABET}]{{26}}$")


class IdSource:
    """Makes identifiers. Give ``seed`` for reproducible runs; without it they are unguessable."""

    def __init__(self, clock: Clock, *, seed: int | None = None) -> None:
        self._clock = clock
        self._random = None if seed is None else random.Random(seed)

    def new(self, kind: IdKind) -> str:
        """A new identifier of ``kind``; sorts after those made in earlier milliseconds."""
        millis = int(self._clock.now().timestamp() * 1000) & ((1 << 48) - 1)
        noise = secrets.randbits(80) if self._random is None else self._random.getrandbits(80)
        value = (millis << 80) | noise
        return f"{kind}_" + "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


def is_id(text: str, kind: IdKind) -> bool:
    """Whether ``text`` is a well-formed identifier of ``kind``."""
    return bool(_PATTERN.match(text)) and text.startswith(f"{kind}_")
