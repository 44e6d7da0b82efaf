"""What is prepared in the hub's process is prepared in the planner's too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from geofences.airspace import Airspace
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Answer, Planning, Question
from hub_api.planner_process.decider import ProcessDecider
from planner.choice import Traffic
from planner.flight_plan import FlightPlan
from planner.reasons import Reason


class PreparedThereToo:
    """The planning of this process; what it prepares the planner's process prepares at the same time."""

    def __init__(self, here: Planning, decider: ProcessDecider, airspace: Callable[[], Airspace]) -> None:
        self._here, self._decider, self._airspace = here, decider, airspace

    def warm_up(self) -> None:
        """Index what is in force, for re-checks and ways in the air. Decisions are warmed up where they are made."""
        self._here.prepare(self._airspace())

    def prepare(self, airspace: Airspace) -> None:
        """See :class:`Planning`."""
        self._here.prepare(airspace)
        self._decider.prepare(airspace)

    def forbidden(self, airspace: Airspace, plans: Mapping[str, FlightPlan]) -> dict[str, Reason]:
        """See :class:`Planning`."""
        return self._here.forbidden(airspace, plans)

    def decide(self, question: Question, drones: Sequence[DroneView], traffic: Traffic | None) -> Answer:
        """See :class:`Planning`."""
        return self._here.decide(question, drones, traffic)
