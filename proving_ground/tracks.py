"""What the vehicles truly did: their own positions, heights and batteries, whatever anybody believes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from geofences.airspace import Airspace
from proving_ground.eyes import Eye

EVERY_S = 0.5
"""Chosen: at 20 m/s a point every 10 m, a third of a corridor's half width."""


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """One moment of one vehicle. ``at_s`` after the drones were ready."""

    at_s: float
    latitude_deg: float
    longitude_deg: float
    altitude_amsl_m: float
    speed_m_s: float
    charge_fraction: float
    armed: bool


@dataclass(slots=True)
class Recorder:
    """Tracks of all vehicles while their motors turn, and which airspace was in force from when on."""

    tracks: dict[str, list[TrackPoint]] = field(default_factory=dict)
    skies: list[tuple[float, Airspace]] = field(default_factory=list)
    _next_s: float = 0.0

    def clear(self) -> None:
        """Begin anew: the scenario's clock starts."""
        self.tracks.clear()
        self.skies.clear()
        self._next_s = 0.0

    def sample(self, at_s: float, eyes: Mapping[str, Eye], airspace: Airspace | None) -> None:
        """Note where everybody is, twice a second. ``airspace``: the hub's; None while it is down, when none comes into
        force."""
        if airspace is not None and (not self.skies or self.skies[-1][1] is not airspace):
            self.skies.append((round(at_s, 3) if self.skies else -math.inf, airspace))
        if at_s < self._next_s:
            return
        self._next_s = at_s + EVERY_S
        for drone_id, eye in eyes.items():
            track = self.tracks.setdefault(drone_id, [])
            if not eye.armed and (not track or not track[-1].armed):
                continue
            place = eye.position
            track.append(
                TrackPoint(
                    at_s=round(at_s, 3),
                    latitude_deg=place.latitude_deg,
                    longitude_deg=place.longitude_deg,
                    altitude_amsl_m=eye.altitude_amsl_m,
                    speed_m_s=eye.ground_speed_m_s,
                    charge_fraction=eye.charge_fraction,
                    armed=eye.armed,
                )
            )
