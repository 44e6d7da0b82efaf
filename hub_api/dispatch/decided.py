"""How a decision is told: stored with its order, and said in a sentence."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.geodesy import Wgs84Point
from core.spans import span, span_zh
from hub_api.dispatch.planning import Answer, reason_json


def waits(delay_s: float) -> str:
    return f"; it waits {span(delay_s)} on its pad for other flights" if delay_s > 0.0 else ""


def waits_zh(delay_s: float) -> str:
    return f"；为避让其他飞行，在机坪等待 {span_zh(delay_s)}" if delay_s > 0.0 else ""


def _position_json(position: Wgs84Point) -> dict[str, float]:
    return {"latitude_deg": position.latitude_deg, "longitude_deg": position.longitude_deg}


def decision_json(answer: Answer, flight_id: str | None, now: datetime) -> dict[str, Any]:
    """The decision as it is stored with the order; its candidates are stored beside it."""
    stored: dict[str, Any] = {
        "outcome": "declined" if answer.plan is None else "accepted",
        "decided_at": now.isoformat(),
        "airspace_version": answer.airspace_version or None,
        "reasons": [reason_json(reason) for reason in answer.reasons],
        "candidates_total": (
            answer.told.count if answer.candidates_total is None else answer.candidates_total
        ),
        "refusals": dict(answer.refusals),
        "benefit": None if answer.benefit is None else asdict(answer.benefit),
    }
    plan = answer.plan
    if plan is not None:
        stored |= {
            "flight_id": flight_id,
            "plan_id": plan.plan_id,
            "drone_id": plan.drone_id,
            "station_id": plan.station_id,
            "station_position": _position_json(plan.home.position),
            "landing_point_id": plan.landing_point_id,
            "landing_point_position": _position_json(plan.delivery.position),
            "delivery_method": str(plan.delivery_method),
            "take_off_delay_s": answer.delay_s,
            "eta_aed_on_ground_s": answer.delay_s + plan.timing.time_to_aed_on_ground_s,
            "eta_patient_s": answer.delay_s + plan.timing.time_to_patient_s,
            "eta_drone_home_s": answer.delay_s + plan.timing.total_s,
            "conditions": list(plan.conditions),
            "warnings": [reason_json(reason) for reason in answer.warnings],
            "authorisation_ids": list(plan.authorisation_ids),
        }
    return stored
