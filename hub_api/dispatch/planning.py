"""What the hub asks of the planner, and the answer as it is stored and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import NamedTuple, Protocol

from pydantic import TypeAdapter

from core.clock import Clock
from core.geodesy import Wgs84Point
from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.model import TimeWindow
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.verdicts import NOTHING_TOLD, CandidateAnswer, Told, tell
from planner.airframe import Airframe
from planner.benefit import Benefit
from planner.choice import (
    Candidate,
    Decision,
    DispatchRequest,
    DroneState,
    Severity,
    Traffic,
    choose,
)
from planner.corridor import corridor_of
from planner.flight_plan import FlightPlan
from planner.intent_volumes import volumes_of_plan
from planner.planning import plan_flight
from planner.policy import PlanningPolicy
from planner.reasons import Reason, from_verdict, verification_failed
from planner.rehearsal import rehearsals
from planner.site import Site
from planner.verify import Failed, verify_plan
from planner.warm import warm_up
from planner.weather import Quantity, warnings
from planner.wind import Wind

PLAN = TypeAdapter(FlightPlan)
"""A plan as it is stored with its mission."""

POLICY = PlanningPolicy(valid_s=40.0)
"""A drone leaves its pad within about 10 s; chosen four times that. All the while others keep out of its way,
so longer would only delay them; a drone that is not off by then refuses, and another one is sent."""

_STATES = 1024
"""Chosen: drones' states remembered; five looks at a fleet of two hundred."""

_REHEARSED = 8192
"""Chosen: as many questions as the planner remembers answers of; after that many all are asked again."""

_HOLDS_S = 600.0
"""Chosen: zones open and close by the hour."""

MOST_CANDIDATES = 200
"""Chosen: what a person reads and an answer within a second carries; 200 drones × 150 points would be 11 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One patient. ``floor`` as China counts: 1 is street level, −1 the first basement; None is not known."""

    patient: Wgs84Point
    severity: str
    floor: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The decision: a plan, or none and why; the candidates either way.

    ``delay_s``: how long the drone waits on its pad for others; the plan's own times count from after it.
    """

    plan: FlightPlan | None
    told: Told
    """The candidates, in the words in which they are stored and answered."""
    reasons: tuple[Reason, ...]
    airspace_version: str
    candidates_total: int | None = None
    """How many there were; of a city's tens of thousands only the first are spelled out. None: all are here."""
    refusals: Mapping[str, int] = field(default_factory=dict)
    """Every refused candidate's reasons, counted by their word."""
    delay_s: float = 0.0
    benefit: Benefit | None = None
    """Against the ambulance, where its arrival is known and a plan was found."""
    warnings: tuple[Reason, ...] = ()
    """What forecasts say against the flight; it flies all the same."""


def no_plan(reason: Reason) -> Answer:
    """Declined without the planner."""
    return Answer(plan=None, told=NOTHING_TOLD, reasons=(reason,), airspace_version="")


class Planning(Protocol):
    """Pure computation over a snapshot; runs in a worker thread."""

    def warm_up(self) -> None:
        """Do at start what the first order would otherwise wait for."""
        ...

    def prepare(self, airspace: Airspace) -> None:
        """Index an airspace before it comes into force, so that the first order in it does not wait."""
        ...

    def forbidden(self, airspace: Airspace, plans: Mapping[str, FlightPlan]) -> dict[str, Reason]:
        """Which plans ``airspace`` forbids somewhere from now on, and the first reason of each."""
        ...

    def decide(self, question: Question, drones: Sequence[DroneView], traffic: Traffic | None) -> Answer:
        """The best drone and landing point for the patient, or the reasons why there is none.

        ``traffic``: what other flights claim of the air; the plan fits between them.
        """
        ...


class _Known(NamedTuple):
    """A drone as the fleet shows it, as the planner takes it, and what keeps it from flying."""

    view: DroneView
    state: DroneState
    against: tuple[Reason, ...]


class SitePlanning:
    """The planner of :mod:`planner.choice` on one site and the airspace in force."""

    def __init__(
        self,
        site: Site | Callable[[], Site],
        airspace: Callable[[], Airspace],
        airframes: Mapping[str, Airframe] | Callable[[], Mapping[str, Airframe]],
        ids: IdSource,
        clock: Clock,
        *,
        weather_required: frozenset[Quantity] = frozenset(),
    ) -> None:
        """``site`` and ``airframes``: for good, or those in force when asked; never exchanged within a decision."""
        self._policy = replace(POLICY, weather_required=weather_required)
        # Nobody's decision at the start asks for weather; the kernels it warms up are the same.
        self._site_now = site if callable(site) else lambda: site
        self._airspace = airspace
        self._airframes_now = airframes if callable(airframes) else lambda: airframes
        self._ids = ids
        self._clock = clock
        # By identity; the view is kept, so that no other gets its place.
        self._states: dict[int, _Known] = {}
        self._rehearsed: dict[tuple[object, ...], tuple[str, float]] = {}

    @property
    def _site(self) -> Site:
        return self._site_now()

    @property
    def _airframes(self) -> Mapping[str, Airframe]:
        return self._airframes_now()

    def warm_up(self) -> None:
        """Index the airspace, load the kernels, and decide once for nobody: every drone ready, calm air."""
        self.prepare(self._airspace())
        now = self._clock.now()
        calm = Wind(from_deg=0.0, speed_m_s=0.0, measured_at=now)
        states = [
            DroneState(drone=drone, ready=True, not_ready_reasons=(), charge_fraction=1.0, wind=calm)
            for drone in self._site.drones
        ]
        if self._site.landing_points:
            self._choose(self._site.landing_points[0].position, Severity.I, None, now, states, None, POLICY)

    def prepare(self, airspace: Airspace) -> None:
        """Index the airspace for every airframe of the site."""
        used = {drone.airframe_id for drone in self._site.drones}
        known = [self._airframes[name] for name in used if name in self._airframes]
        warm_up(airspace, known, at=self._clock.now(), site=self._site, policy=POLICY)

    def forbidden(self, airspace: Airspace, plans: Mapping[str, FlightPlan]) -> dict[str, Reason]:
        """By the independent check that every plan passed when it was made, for the time it may still take."""
        now = self._clock.now()
        found: dict[str, Reason] = {}
        for key, plan in plans.items():
            airframe = self._airframes.get(plan.airframe_id)
            if airframe is None:
                continue
            window = TimeWindow.lasting(now, plan.timing.total_s)
            verified = verify_plan(plan, airspace=airspace, corridor=corridor_of(airframe), window=window)
            if isinstance(verified, Failed):
                said = verified.verdict and from_verdict("The way", "航路", verified.verdict)
                found[key] = said or verification_failed(verified.detail)
        return found

    def _choose(
        self,
        patient: Wgs84Point,
        severity: Severity,
        floor: int | None,
        at: datetime,
        states: Sequence[DroneState],
        traffic: Traffic | None,
        policy: PlanningPolicy,
    ) -> Decision:
        return choose(
            DispatchRequest(patient=patient, severity=severity, floor_of_building=floor, at=at),
            site=self._site,
            drone_states=states,
            airspace=self._airspace(),
            airframes=self._airframes,
            ids=self._ids,
            clock=self._clock,
            traffic=traffic,
            policy=policy,
        )

    def decide(self, question: Question, drones: Sequence[DroneView], traffic: Traffic | None) -> Answer:
        """The decision of :func:`planner.choice.choose`, each drone's own reasons spelled out.

        Refused candidates come nearest landing point first: those a person would ask about.
        """
        known = [self._known(view) for view in drones]
        decision = self._choose(
            question.patient,
            Severity(question.severity),
            question.floor,
            question.at,
            [drone.state for drone in known],
            traffic,
            self._policy,
        )
        against = {drone.state.drone.drone_id: drone.against for drone in known if drone.against}
        shown = islice(decision.candidates.telling(), MOST_CANDIDATES)
        return Answer(
            plan=decision.accepted,
            told=tell(_spelled(shown, against)),
            candidates_total=len(decision.candidates),
            refusals=dict(decision.candidates.refusals()),
            reasons=() if decision.declined_reason is None else (decision.declined_reason,),
            airspace_version=decision.airspace_version,
            delay_s=decision.delay_s,
            warnings=() if decision.accepted is None else self._warnings(decision.accepted, drones),
        )

    def rehearse(self, drones: Sequence[DroneView], *, geoid_undulation_m: float) -> Iterator[None]:
        """Plan for the next orders: one question each time it is asked to go on, none twice while its wind holds.

        ``geoid_undulation_m``: by which ways become volumes, as the traffic book's; these are drawn as well.
        Questions about drones of unknown charge or wind are left to their order, which refuses them.
        """
        states = [self._known(view).state for view in drones if view.charge_fraction is not None]
        airspace, site, now = self._airspace(), self._site, self._clock.now()
        # As time goes by other zones stand: what still holds is known, and found to be so in no time.
        held = airspace.version, now.timestamp() // _HOLDS_S
        for task in rehearsals(site, states, self._airframes, self._policy):
            wind = task.wind
            key = (
                *(task.drone_id, task.landing_point.landing_point_id, task.charge_fraction),
                *(wind.from_deg, wind.speed_m_s, wind.gust_m_s),
            )
            if self._rehearsed.get(key) == held:
                continue
            if len(self._rehearsed) >= _REHEARSED:
                self._rehearsed.clear()
            self._rehearsed[key] = held
            found = plan_flight(
                task, site=site, airspace=airspace, ids=self._ids, at=now, policy=self._policy
            )
            if isinstance(found, FlightPlan):
                volumes_of_plan(found, geoid_undulation_m=geoid_undulation_m)
            yield

    def _known(self, view: DroneView) -> _Known:
        """Orders that are decided together look at the very same fleet."""
        known = self._states.get(id(view))
        if known is None:
            if len(self._states) >= _STATES:
                self._states.clear()
            known = self._states[id(view)] = _Known(view, _state_of(view), _reasons_of(view))
        return known

    def _warnings(self, plan: FlightPlan, drones: Sequence[DroneView]) -> tuple[Reason, ...]:
        """What forecasts say against this flight while it lasts."""
        airframe = self._airframes[plan.airframe_id]
        weather = next(view.weather for view in drones if view.drone.drone_id == plan.drone_id)
        end = plan.created_at + timedelta(seconds=plan.timing.total_s)
        return warnings(weather, airframe.weather, airframe.wind_limit_m_s, start=plan.created_at, end=end)


def listed(reasons: Sequence[Reason]) -> tuple[str, str]:
    """Several reasons in one sentence, English and Chinese."""
    return "; ".join(reason.detail for reason in reasons), "；".join(reason.detail_zh for reason in reasons)


def reason_json(reason: Reason) -> dict[str, str]:
    """A reason as it is stored and told."""
    return {"code": reason.code, "detail": reason.detail, "detail_zh": reason.detail_zh}


def _reasons_of(view: DroneView) -> tuple[Reason, ...]:
    if view.charge_fraction is None and not view.not_ready:
        return (Reason("charge_unknown", "Its battery charge is not known.", "电池电量未知。"),)
    return view.not_ready


def _state_of(view: DroneView) -> DroneState:
    against = _reasons_of(view)
    return DroneState(
        drone=view.drone,
        ready=not against,
        not_ready_reasons=tuple(reason.code for reason in against),
        charge_fraction=0.0 if view.charge_fraction is None else view.charge_fraction,
        wind=view.wind,
        weather=view.weather,
    )


def _spelled(
    candidates: Iterable[Candidate], against: Mapping[str, tuple[Reason, ...]]
) -> list[Candidate | CandidateAnswer]:
    """«Not ready» alone helps nobody: the drone's own reasons, ``against``, take its place."""
    found: list[Candidate | CandidateAnswer] = []
    # By identity, as many have the very same; what the planner said is kept, so that nothing else gets its place.
    known: dict[tuple[int, int], tuple[tuple[Reason, ...], tuple[Reason, ...]]] = {}
    for candidate in candidates:
        own, said = against.get(candidate.drone_id), candidate.reasons
        if own is None:
            found.append(candidate)
            continue
        key = id(own), id(said)
        if key not in known:
            spelled = [own if reason.code == "drone_not_ready" else (reason,) for reason in said]
            known[key] = said, tuple(chain.from_iterable(spelled))
        found.append(CandidateAnswer(*candidate[:4], known[key][1], *candidate[5:]))
    return found
