"""Reading the record of a flight: what its folder holds, and the track as a time series.

Only the process that flew a drone has its folder, so «there is none here» is an ordinary answer. Records of earlier
releases lack some figures; those are None, never made up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import is_id
from flight.record import complete_lines

FIGURES = (
    "altitude_amsl_m",
    "height_above_home_m",
    "velocity_east_m_s",
    "velocity_north_m_s",
    "velocity_up_m_s",
    "heading_deg",
    "charge_fraction",
    "battery_voltage_v",
    "line_length_m",
    "wind_from_deg",
    "wind_speed_m_s",
    "link_age_s",
    "eta_s",
)
"""What a sample may say, besides its moment, place and phase."""


@dataclass(frozen=True, slots=True)
class TrackSample:
    """One moment of the track. ``figures`` by the names of :data:`FIGURES`; None where nothing was said."""

    at: datetime
    position: Wgs84Point
    phase: str
    figures: dict[str, float | None]

    @property
    def ground_speed_m_s(self) -> float | None:
        """Over ground, from the vehicle's own velocity."""
        east, north = self.figures["velocity_east_m_s"], self.figures["velocity_north_m_s"]
        return None if east is None or north is None else math.hypot(east, north)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSummary:
    """Figures of the whole track, whatever of it is shown. None where nothing was said."""

    flown_m: float
    highest_m: float | None
    fastest_m_s: float | None
    least_charge_fraction: float | None
    longest_silence_s: float | None


class FlightFolder:
    """The record of one flight on this host, if it is here."""

    def __init__(self, directory: Path, flight_id: str) -> None:
        # An id of ours holds no separator and no dot, so the folder can be no other than its own.
        self._folder = directory / flight_id if is_id(flight_id, "flt") else None

    @property
    def here(self) -> bool:
        return self._folder is not None and self._folder.is_dir()

    @property
    def finished(self) -> bool:
        """Whether the readable files are there; the KML is the last of them."""
        return self.file("track.kml") is not None

    def file(self, name: str) -> Path | None:
        """A file of the record; None where it isn't (yet)."""
        if self._folder is None or "/" in name or "\\" in name:
            return None
        path = self._folder / name
        return path if path.is_file() else None

    def files(self) -> dict[str, int]:
        """name → bytes of everything in the folder."""
        if not self.here or self._folder is None:
            return {}
        return {path.name: path.stat().st_size for path in sorted(self._folder.iterdir()) if path.is_file()}

    def track(self) -> list[TrackSample]:
        """Every complete sample in the order of time; empty where nothing was recorded."""
        path = self.file("track.jsonl")
        return [] if path is None else [_sample(line) for line in complete_lines(path)]

    def plans(self) -> list[Path]:
        """The plans of the flight in the order in which they were flown."""
        if not self.here or self._folder is None:
            return []
        later = sorted(self._folder.glob("plan-*.json"), key=lambda path: int(path.stem.partition("-")[2]))
        first = self.file("plan.json")
        return later if first is None else [first, *later]


def _sample(line: dict[str, Any]) -> TrackSample:
    return TrackSample(
        at=datetime.fromisoformat(line["at"]),
        position=Wgs84Point(line["latitude_deg"], line["longitude_deg"]),
        phase=str(line["phase"]),
        figures={name: line.get(name) for name in FIGURES},
    )


def thinned(samples: Sequence[TrackSample], every_s: float) -> list[TrackSample]:
    """At most one sample each ``every_s`` seconds; the first of every phase and the very last are always kept."""
    kept: list[TrackSample] = []
    for sample in samples:
        due = not kept or (sample.at - kept[-1].at).total_seconds() >= every_s
        if due or sample.phase != kept[-1].phase:
            kept.append(sample)
    if samples and kept[-1] is not samples[-1]:
        kept.append(samples[-1])
    return kept


def summary_of(samples: Sequence[TrackSample]) -> TrackSummary:
    """What the whole track comes to. Distances are over ground."""
    charges = _said(sample.figures["charge_fraction"] for sample in samples)
    return TrackSummary(
        flown_m=sum(
            geodesic_distance_m(one.position, other.position) for one, other in itertools.pairwise(samples)
        ),
        highest_m=_most(sample.figures["height_above_home_m"] for sample in samples),
        fastest_m_s=_most(sample.ground_speed_m_s for sample in samples),
        least_charge_fraction=min(charges, default=None),
        longest_silence_s=_most(sample.figures["link_age_s"] for sample in samples),
    )


def _said(figures: Iterable[float | None]) -> list[float]:
    return [figure for figure in figures if figure is not None]


def _most(figures: Iterable[float | None]) -> float | None:
    return max(_said(figures), default=None)
