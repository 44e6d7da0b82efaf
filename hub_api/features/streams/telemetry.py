"""Telemetry as streams show it: what a map and a flight panel need, four times a second for a hundred drones.

A sample is made into text once, whoever follows; a viewer that draws may have all drones in one message.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from flight.messages import TelemetrySample


def telemetry_json(sample: TelemetrySample) -> str:
    """A sample; WGS-84, metres, degrees, seconds; null where the vehicle has not said it."""
    position = sample.position
    east, north = sample.velocity_east_m_s, sample.velocity_north_m_s
    shown: dict[str, Any] = {
        "type": "telemetry",
        "drone_id": sample.drone_id,
        "flight_id": sample.flight_id,
        "at": sample.at.isoformat(),
        "phase": str(sample.phase),
        "latitude_deg": None if position is None else round(position.latitude_deg, 7),
        "longitude_deg": None if position is None else round(position.longitude_deg, 7),
        "altitude_amsl_m": _rounded(sample.altitude_amsl_m),
        "height_above_home_m": _rounded(sample.height_above_home_m),
        "heading_deg": _rounded(sample.heading_deg),
        "ground_speed_m_s": None if east is None or north is None else _rounded(math.hypot(east, north)),
        "climb_rate_m_s": _rounded(sample.velocity_up_m_s),
        "charge_fraction": _rounded(sample.charge_fraction, 4),
        "battery_voltage_v": _rounded(sample.battery_voltage_v),
        "line_length_m": _rounded(sample.line_length_m),
        "wind_from_deg": _rounded(sample.wind_from_deg),
        "wind_speed_m_s": _rounded(sample.wind_speed_m_s),
        "link_age_s": _rounded(sample.link_age_s),
        "mode": sample.mode,
        "armed": sample.armed,
        "eta_s": _rounded(sample.eta_s),
        "shows_phase": sample.shows_phase,
    }
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def batch_json(samples: Iterable[str]) -> str:
    """Samples that are text already, in one message."""
    return f'{{"type":"telemetry_batch","samples":[{",".join(samples)}]}}'


def _rounded(figure: float | None, decimals: int = 2) -> float | None:
    return None if figure is None else round(figure, decimals)
