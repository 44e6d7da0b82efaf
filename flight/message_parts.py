"""Values that commands and events are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import planner.reasons
from core.geodesy import Wgs84Point


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused or happened: a word for machines, a sentence for people, twice."""

    code: str
    detail: str
    detail_zh: str


def as_told(found: Iterable[planner.reasons.Reason]) -> tuple[Reason, ...]:
    """The planner's reasons as messages carry them."""
    return tuple(Reason(each.code, each.detail, each.detail_zh) for each in found)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that supports a claim: which message of the vehicle, what it said, when."""

    source: str
    observed: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleTruth:
    """What the vehicle itself shows, at one moment. None where it has not said so."""

    at: datetime
    armed: bool | None
    mode: str | None
    on_ground: bool | None
    position: Wgs84Point | None
    altitude_amsl_m: float | None
    mission_seq: int | None
    mission_matches_plan: bool | None
    line_length_m: float | None
    charge_fraction: float | None
