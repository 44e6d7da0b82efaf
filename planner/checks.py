"""Checks shared by the planner's values: a wrong number is refused where it enters, with its field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from core.errors import AirspaceError, ErrorCode


def refuse(field: str, detail: str, code: ErrorCode = ErrorCode.PLAN_INVALID) -> AirspaceError:
    """The exception that names the field at fault."""
    return AirspaceError(code, detail, field=field)


def check_number(
    field: str,
    number: float,
    *,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float = -math.inf,
    code: ErrorCode = ErrorCode.PLAN_INVALID,
) -> None:
    """Raise unless ``number`` is finite, > ``above`` and within [minimum, maximum]."""
    if type(number) is float and minimum <= number <= maximum and above < number < math.inf:
        # Nearly always; NaN compares false, and so do both infinities here.
        return
    if not isinstance(number, (int, float)) or isinstance(number, bool) or not math.isfinite(number):
        raise refuse(field, f"{number!r} is not a finite number", code)
    if not minimum <= number <= maximum or not number > above:
        low = f"above {above:g}" if above > -math.inf else f"at least {minimum:g}"
        raise refuse(field, f"{number} must be {low} and at most {maximum:g}", code)


def check_text(field: str, text: str, code: ErrorCode = ErrorCode.PLAN_INVALID) -> None:
    """Raise unless ``text`` is a string with something in it."""
    if not isinstance(text, str) or not text.strip():
        raise refuse(field, f"{text!r} is not a text", code)


def check_aware(field: str, moment: datetime, code: ErrorCode = ErrorCode.PLAN_INVALID) -> None:
    """Raise unless ``moment`` carries its time zone."""
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise refuse(field, f"{moment!r} is not a time with a time zone", code)


def check_unique(field: str, names: Sequence[str], code: ErrorCode = ErrorCode.PLAN_INVALID) -> None:
    """Raise when a name occurs twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise refuse(field, f"{name!r} occurs twice", code)
        seen.add(name)
