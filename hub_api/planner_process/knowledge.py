"""What the planner's process knows by now, so that a question tells it no more than what has changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from flight.model.phases import Phase
from hub_api.dispatch.deciding import Ticket, names_of
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Question
from hub_api.dispatch.traffic import OpenFlight
from hub_api.planner_process.messages import Ask, DroneNews, FlightNews, Heard
from planner.weather import UNKNOWN


class Knowledge:
    """Of one process, once it has heard everything that was sent to it; of a new one: nothing."""

    def __init__(self, forget: Sequence[str] = ()) -> None:
        """``forget``: flights of which it may know something that does not hold."""
        self._names: tuple[str, ...] | None = None
        self._news: dict[str, DroneNews] = {}
        self._views: dict[str, DroneView] = {}
        self._fleet: Sequence[DroneView] | None = None
        self._flights: Sequence[OpenFlight] | None = None
        self._known: set[str] = set()
        self._again = list(forget)

    @property
    def flights(self) -> Collection[str]:
        """Those whose plan it has."""
        return self._known

    def forget(self, flight_id: str) -> None:
        """The flight's plan is given again, if it was given."""
        if flight_id in self._known:
            self._known.discard(flight_id)
            self._again.append(flight_id)

    def ask(
        self,
        number: int,
        setting: int,
        question: Question,
        fleet: Sequence[DroneView],
        flights: Sequence[OpenFlight],
        flight_id: str | None,
        beside: Sequence[Ticket],
        supposed: bool,
    ) -> Ask:
        """The question as it is to be sent now, with what has changed since the last one."""
        names, news, same_fleet = self._names, [], fleet is self._fleet
        if not same_fleet:
            names = tuple([view.drone.drone_id for view in fleet])
            # Orders that are decided together are asked about the same views, but for what the ones before took.
            other = [view for view in fleet if self._views.get(view.drone.drone_id) is not view]
            self._views = dict(zip(names, fleet, strict=True))
            news = [found for found in map(_news_of, other) if self._news.get(found.drone.drone_id) != found]
            self._news.update((found.drone.drone_id, found) for found in news)
            self._fleet = fleet
        again, self._again = tuple(self._again), []
        same_flights = flights is self._flights and not again
        ask = Ask(
            number=number,
            setting=setting,
            question=question,
            fleet=None if names == self._names else names,
            news=tuple(news),
            heard=None if same_fleet and same_flights else self._heard_of(flights),
            flights=None
            if same_flights
            else tuple([self._flight_news(flight, supposed) for flight in flights]),
            flight_id=flight_id,
            beside=tuple([ticket.number for ticket in beside]),
            supposed=supposed,
            forget=again,
        )
        # A list might be another one under the same name next time.
        self._names, self._flights = names, tuple(flights)
        if not supposed:
            self._known = names_of(flights, beside, flight_id)
        return ask

    def _heard_of(self, flights: Sequence[OpenFlight]) -> dict[str, Heard]:
        """The last telemetry of whatever is in the air."""
        airborne = {flight.drone_id for flight in flights if flight.airborne_at is not None}
        return {
            drone_id: Heard(view.telemetry, view.telemetry_age_s)
            for drone_id in airborne
            if (view := self._views.get(drone_id)) is not None
            and view.telemetry is not None
            and view.telemetry_age_s is not None
        }

    def _flight_news(self, flight: OpenFlight, supposed: bool) -> FlightNews:
        plan = None if not supposed and flight.flight_id in self._known else flight.plan
        return FlightNews(flight.flight_id, flight.drone_id, flight.airborne_at, plan)


def _news_of(view: DroneView) -> DroneNews:
    return DroneNews(view.drone, view.not_ready, view.phase, view.charge_fraction, view.wind, view.weather)


def steady_news_of(view: DroneView) -> DroneNews:
    """What stays while a drone comes and goes: an order is asked about it when it is ready again."""
    wind = view.wind and replace(view.wind, measured_at=_WHENEVER)
    return DroneNews(view.drone, (), Phase.STANDBY, view.charge_fraction, wind, UNKNOWN)


_WHENEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""An answer holds for a wind, whenever it was measured."""
