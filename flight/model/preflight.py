"""Readiness as a list of verdicts, each with its reason.

Run continuously while a drone waits, so that an order finds the answer ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PreflightLevel(StrEnum):
    """How a verdict weighs."""

    OK = "ok"
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class PreflightVerdict:
    """One check and what it found. ``check`` names the check, ``code`` the finding, for machines."""

    check: str
    level: PreflightLevel
    code: str
    detail: str
    detail_zh: str
