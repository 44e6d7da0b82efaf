"""What goes wrong around the vehicle: people, weather, the hub's process and its database.

Each fault acts on a :class:`proving_ground.play.Play` through doors that a real cause would use as well: the API,
the sensors, the process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proving_ground import surroundings

if TYPE_CHECKING:
    from proving_ground.play import Play

Act = Callable[["Play", str, str, float], Awaitable[None]]
"""(play, drone_id, order name, strength)."""


@dataclass(frozen=True, slots=True)
class WorldFault:
    """One thing that happens. ``end`` None: it can't be taken back, its duration means nothing."""

    name: str
    explanation: str
    begin: Act
    end: Act | None = None
    default_strength: float = 1.0
    unit: str = ""


async def _cancel(play: Play, drone_id: str, order: str, strength: float) -> None:
    await play.centre.cancel(order, "误报 · false alarm")


async def _patient_moved(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.move_patient(play, order)


async def _second_call(play: Play, drone_id: str, order: str, strength: float) -> None:
    await play.centre.repeat_call(order)


async def _same_key(play: Play, drone_id: str, order: str, strength: float) -> None:
    await play.centre.send_again(order)


async def _wind(play: Play, drone_id: str, order: str, strength: float) -> None:
    play.blow(strength)


async def _wind_back(play: Play, drone_id: str, order: str, strength: float) -> None:
    play.blow(None)


async def _weather_stops(play: Play, drone_id: str, order: str, strength: float) -> None:
    play.weather_reports = False


async def _weather_again(play: Play, drone_id: str, order: str, strength: float) -> None:
    play.weather_reports = True


async def _rain_reported(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.report_rain(play, strength)


async def _rain_over(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.report_rain(play, 0.0)


async def _hub_killed(play: Play, drone_id: str, order: str, strength: float) -> None:
    await play.restart_hub(after_s=strength)


async def _database_down(play: Play, drone_id: str, order: str, strength: float) -> None:
    play.process.break_database()


async def _database_back(play: Play, drone_id: str, order: str, strength: float) -> None:
    play.process.mend_database()


async def _zone_activated(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.close_ahead(play, order, side_m=strength)


async def _zone_cleared(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.open_again(play)


async def _hold(play: Play, drone_id: str, order: str, strength: float) -> None:
    await play.centre.command(drone_id, "hold_flight")


async def _continue(play: Play, drone_id: str, order: str, strength: float) -> None:
    await play.centre.command(drone_id, "continue_flight")


async def _authorisation_revoked(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.revoke_authorisations(play, order)


async def _dock_stuck(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.report_dock(play, drone_id, "jammed")


async def _dock_freed(play: Play, drone_id: str, order: str, strength: float) -> None:
    await surroundings.report_dock(play, drone_id, "closed")


async def _clock_wrong(play: Play, drone_id: str, order: str, strength: float) -> None:
    surroundings.set_hub_clock(play, strength)


async def _clock_right(play: Play, drone_id: str, order: str, strength: float) -> None:
    surroundings.set_hub_clock(play, 0.0)


def _command(kind: str) -> Act:
    async def act(play: Play, drone_id: str, order: str, strength: float) -> None:
        await play.centre.command(drone_id, kind)

    return act


WORLD_FAULTS: dict[str, WorldFault] = {
    fault.name: fault
    for fault in (
        WorldFault("order_cancelled", "the centre cancels the order", _cancel),
        WorldFault(
            "order_moved",
            "the patient is at the next landing point's gate, not where the caller said",
            _patient_moved,
        ),
        WorldFault("second_call", "another caller orders for the same patient", _second_call),
        WorldFault("order_repeated", "the centre sends the same order again, same key", _same_key),
        WorldFault(
            "zone_activated",
            "a square of this side closes across the way ahead",
            _zone_activated,
            _zone_cleared,
            80.0,
            "m",
        ),
        WorldFault(
            "authorisation_revoked",
            "the authority calls back the approvals that the flight relies on",
            _authorisation_revoked,
        ),
        WorldFault(
            "dock_door_stuck",
            "the door of the drone's dock jams, and the dock says so",
            _dock_stuck,
            _dock_freed,
        ),
        WorldFault(
            "hub_clock_wrong",
            "somebody sets the time of day of the hub's machine wrong by this; a running hub keeps its own count",
            _clock_wrong,
            _clock_right,
            300.0,
            "s",
        ),
        WorldFault("wind_change", "the wind takes this speed", _wind, _wind_back, 16.0, "m/s"),
        WorldFault(
            "rain_reported",
            "the stations' gauges report rain of this rate",
            _rain_reported,
            _rain_over,
            12.0,
            "mm/h",
        ),
        WorldFault("weather_stale", "the stations' sensors fall silent", _weather_stops, _weather_again),
        WorldFault(
            "hub_killed",
            "hub and agents die at once and start again later",
            _hub_killed,
            None,
            5.0,
            "seconds",
        ),
        WorldFault("database_down", "the database refuses every write", _database_down, _database_back),
        WorldFault("disk_full", "nothing more can be stored", _database_down, _database_back),
        WorldFault("operator_hold", "the operator holds the flight", _hold, _continue),
        WorldFault("operator_return", "the operator calls the drone home", _command("return_home")),
        WorldFault("operator_abort", "the operator aborts the flight", _command("abort_flight")),
        WorldFault("operator_divert", "the operator sends it to a rally point", _command("divert_flight")),
        WorldFault("operator_land", "the operator lets it land where it is", _command("land_now")),
    )
}
