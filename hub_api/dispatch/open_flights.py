"""The open flights with their plans, as they are stored: what every other way through the air keeps clear of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlmodel import Session

from hub_api.dispatch.planning import PLAN
from hub_api.dispatch.traffic import OpenFlight
from hub_api.store.repositories import missions
from planner.flight_plan import FlightPlan


def open_flights(
    session: Session, *, known: Collection[str] = (), but: str | None = None
) -> tuple[OpenFlight, ...]:
    """Every flight that has not told its end, but for one. Those in ``known`` come without their plan: it is large, and
    whoever asks has it."""
    listed = [
        OpenFlight(flight_id=flight_id, drone_id=drone_id, airborne_at=airborne_at, plan=None)
        for flight_id, drone_id, airborne_at in missions.in_progress(session)
        if flight_id != but
    ]
    unknown = [flight.flight_id for flight in listed if flight.flight_id not in known]
    return with_plans(listed, stored_plans(session, unknown))


def stored_plans(session: Session, flight_ids: Sequence[str]) -> dict[str, FlightPlan]:
    """The plans of flights, by flight."""
    stored = missions.plans_of(session, flight_ids)
    return {flight_id: PLAN.validate_python(plan) for flight_id, plan in stored.items()}


def with_plans(flights: Sequence[OpenFlight], plans: Mapping[str, FlightPlan]) -> tuple[OpenFlight, ...]:
    """The same flights, each with its plan where there is one among ``plans``."""
    return tuple(
        replace(flight, plan=plans[flight.flight_id]) if flight.flight_id in plans else flight
        for flight in flights
    )
