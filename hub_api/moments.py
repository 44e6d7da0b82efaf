"""Moments as they come in: written out with their offset, and such that every clock and database can hold them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Chosen: whoever is rescued was born after the one and is dead before the other; a year 1 or 9999 is a program's
«nothing», and leaves the calendar when it is brought to UTC."""
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.DOTALL)


def _written_out(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _WRITTEN.fullmatch(value):
        raise ValueError(
            "a moment is written out with its offset, e.g. 2026-03-01T16:09:00+08:00 · "
            "时间须完整写出并带时区，例如 2026-03-01T16:09:00+08:00"
        )
    return value


def _in_time(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise ValueError("the year is not between 1900 and 2200 · 年份须在 1900 至 2200 之间")
    return moment


Moment = Annotated[
    AwareDatetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_in_time)
]
"""A moment with its offset from UTC; JSON has no type of its own for it, and a number would be guessed at."""
