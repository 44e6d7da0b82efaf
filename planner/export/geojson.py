"""A plan as GeoJSON (RFC 7946): (longitude, latitude, metres AMSL); every figure in the properties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.geodesy import Wgs84Point
from planner.flight_plan import FlightPlan, Leg, RoutePoint


def to_geojson(plan: FlightPlan) -> dict[str, Any]:
    """A FeatureCollection: way out, way back, (way out backwards, ways of alternates), fence, rally points, pad,
    delivery, alternates."""
    features = [
        *(_way(name, legs) for name, legs in plan.sections().items() if legs),
        {
            "type": "Feature",
            "properties": {"kind": "autopilot_fence", "ceiling_amsl_m": plan.autopilot_fence.ceiling_amsl_m},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    _ring(plan.autopilot_fence.inclusion),
                    *(_ring(ring) for ring in plan.autopilot_fence.exclusions),
                ],
            },
        },
        _point(plan.home, {"kind": "home", "station_id": plan.station_id}),
        _point(
            plan.delivery,
            {
                "kind": "delivery",
                "landing_point_id": plan.landing_point_id,
                "delivery_method": plan.delivery_method.value,
                "ground_amsl_m": plan.delivery_ground_amsl_m,
            },
        ),
        *(
            _point(
                alternate.delivery,
                {
                    "kind": "alternate",
                    "landing_point_id": alternate.landing_point_id,
                    "delivery_method": alternate.delivery_method.value,
                    "ground_amsl_m": alternate.delivery_ground_amsl_m,
                },
            )
            for alternate in plan.alternates
        ),
        *(_point(point, {"kind": "rally", "index": index}) for index, point in enumerate(plan.rally_points)),
    ]
    return {
        "type": "FeatureCollection",
        "properties": {
            "plan_id": plan.plan_id,
            "drone_id": plan.drone_id,
            "airspace_version": plan.airspace_version,
            "corridor_half_width_m": plan.corridor_half_width_m,
            "time_to_patient_s": plan.timing.time_to_patient_s,
            "energy_wh": plan.energy.total_wh,
            "created_at": plan.created_at.isoformat(),
            "valid_until": plan.valid_until.isoformat(),
        },
        "features": features,
    }


def _coordinates(point: RoutePoint) -> list[float]:
    return [point.position.longitude_deg, point.position.latitude_deg, point.altitude_amsl_m]


def _way(kind: str, legs: Sequence[Leg]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {
            "kind": kind,
            "length_m": sum(leg.length_m for leg in legs),
            "duration_s": sum(leg.duration_s for leg in legs),
            "energy_wh": sum(leg.energy_wh for leg in legs),
        },
        "geometry": {
            "type": "LineString",
            "coordinates": [_coordinates(legs[0].start), *(_coordinates(leg.end) for leg in legs)],
        },
    }


def _point(point: RoutePoint, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": _coordinates(point)},
    }


def _ring(ring: Sequence[Wgs84Point]) -> list[list[float]]:
    return [[point.longitude_deg, point.latitude_deg] for point in (*ring, ring[0])]
