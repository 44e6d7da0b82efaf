"""Doors through which the world acts on a play's hub: the airspace authority, the dock, and the machine's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub_api.store.repositories import missions

if TYPE_CHECKING:
    from proving_ground.play import Play


async def plan_of(play: Play, order: str) -> dict[str, Any]:
    """The plan that the order's newest flight follows."""
    order_id = play.placed[order].order_id
    stored = await play.hub.database.read(lambda session: missions.of_order(session, order_id or ""))
    if not stored:
        raise RuntimeError(f"{order} has no flight")
    return stored[-1].plan


async def revoke_authorisations(play: Play, order: str) -> None:
    """The authority calls back every approval that the order's flight relies on."""
    relied_on = (await plan_of(play, order))["authorisation_ids"]
    if not relied_on:
        raise RuntimeError(f"the flight of {order} relies on no authorisation that could be revoked")
    for authorisation_id in relied_on:
        answer = await play.client.post(
            f"/v1/authorisations/{authorisation_id}/revoke", json={"reason": "scenario"}
        )
        answer.raise_for_status()


async def report_dock(play: Play, drone_id: str, door: str) -> None:
    """What the sensors of the drone's dock say."""
    station_id = next(drone.station_id for drone in play.site.drones if drone.drone_id == drone_id)
    answer = await play.client.put(
        f"/v1/stations/{station_id}/dock",
        json={"door": door, "mains_power": True, "measured_at": play.clock.now().isoformat()},
    )
    answer.raise_for_status()


def set_hub_clock(play: Play, ahead_s: float) -> None:
    """Somebody sets the time of day of the hub's machine."""
    play.hub_clock.ahead_s = ahead_s
