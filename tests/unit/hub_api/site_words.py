"""What the tests of the site say: a landing point, and the requests that they repeat."""

from __future__ import annotations

from typing import Any

from tests.unit.hub_api.world import World

WHY = {"reason": "survey of 11 February"}


def landing_point(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Library lawn",
        "name_zh": "图书馆草坪",
        "position": {"reference_system": "WGS-84", "latitude_deg": 22.5512, "longitude_deg": 113.8812},
        "ground_amsl_m": 6.0,
        "position_quality": "surveyed",
        "delivery_methods": ["WINCH"],
        "surface": "grass",
        "clear_radius_m": 9.0,
        "slope_deg": 1.0,
        "obstacles": "two trees",
        "surveyed_on": "2026-02-11",
        "emergency_landing": False,
        "hours": [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "06:00", "end": "23:00"}],
        "walk": {
            "detour_factor": 1.2,
            "exit_s": 10.0,
            "description": "gate to the road",
            "description_zh": "通往道路的门",
        },
        "alternates": [],
        **changes,
    }


async def put(w: World, path: str, body: Any, **query: Any) -> Any:
    return await w.client.put(f"/v1/{path}", json=body, params={**WHY, **query})


async def delete(w: World, path: str, **query: Any) -> Any:
    return await w.client.delete(f"/v1/{path}", params={**WHY, **query})


async def point_ids(w: World) -> list[str]:
    shown = (await w.client.get("/v1/landing-points")).json()["landing_points"]
    return [point["landing_point_id"] for point in shown]
