"""What became of something asked of a vehicle. Never a bool: «no» and «nobody knows» differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Obedience(StrEnum):
    """Whether the vehicle did it, judged by its state and not by its acknowledgement."""

    OBEYED = "obeyed"
    """Its state shows the effect."""
    REFUSED = "refused"
    """It said no."""
    NO_EFFECT = "no_effect"
    """It said yes, or nothing, and its state does not show the effect in time."""
    UNANSWERED = "unanswered"
    """Nothing came back: what it does is unknown."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing the vehicle said that supports an outcome."""

    source: str
    observed: str
    at_s: float


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """``detail``: one English sentence for the record."""

    status: Obedience
    detail: str = ""
    observations: tuple[Observation, ...] = field(default=())

    @property
    def obeyed(self) -> bool:
        return self.status is Obedience.OBEYED
