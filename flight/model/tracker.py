"""Debounces findings: a condition must hold before it counts and be gone before it clears."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flight.model.faults import LATCHED, RULES, Fault, Finding


@dataclass(slots=True)
class _Track:
    first_s: float | None = None
    gone_s: float | None = None
    present: bool = False
    detail: str = ""


class FaultTracker:
    """The faults of one flight.

    ``latched`` faults are facts of the flight (a jam, an unconfirmed release): they are set and
    cleared by name. Time is an argument.
    """

    def __init__(self) -> None:
        self._tracks: dict[Fault, _Track] = {fault: _Track() for fault in Fault}

    @property
    def present(self) -> dict[Fault, str]:
        """The faults that count now, with their details."""
        return {fault: track.detail for fault, track in self._tracks.items() if track.present}

    def update(self, findings: Iterable[Finding], now_s: float) -> tuple[list[Finding], list[Fault]]:
        """Take the conditions seen now; returns the faults that appeared and those that cleared.

        Latched faults are not touched: they end by :meth:`clear`.
        """
        seen = {finding.fault: finding.detail for finding in findings}
        appeared: list[Finding] = []
        cleared: list[Fault] = []
        for fault, track in self._tracks.items():
            if fault in LATCHED:
                continue
            rule = RULES[fault]
            if fault in seen:
                track.gone_s = None
                track.detail = seen[fault]
                track.first_s = now_s if track.first_s is None else track.first_s
                if not track.present and now_s - track.first_s >= rule.set_after_s:
                    track.present = True
                    appeared.append(Finding(fault, track.detail))
            else:
                track.first_s = None
                if track.present:
                    track.gone_s = now_s if track.gone_s is None else track.gone_s
                    if now_s - track.gone_s >= rule.clear_after_s:
                        track.present, track.gone_s = False, None
                        cleared.append(fault)
        return appeared, cleared

    def latch(self, fault: Fault, detail: str) -> bool:
        """Set a fact; False if it was known already."""
        track = self._tracks[fault]
        known, track.present, track.detail = track.present, True, detail
        return not known

    def clear(self, *faults: Fault) -> list[Fault]:
        """End facts; returns those that were present."""
        ended = [fault for fault in faults if self._tracks[fault].present]
        for fault in ended:
            self._tracks[fault] = _Track()
        return ended
