"""Another place for a drone in the air, because the patient moved or a person chose it: proved, and clear of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import IdSource
from geofences.airspace import Airspace
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import POLICY
from hub_api.dispatch.refuges import Place
from planner import reasons
from planner.airframe import Airframe
from planner.candidates import OCCUPIED_S
from planner.choice import Traffic
from planner.flight_plan import FlightPlan
from planner.intent_volumes import PRIORITIES, intent_of_plan
from planner.reasons import Reason
from planner.replan import Airborne, Refuge, replan_flight
from planner.site import LandingPoint, Site
from planner.task import FlightTask, NoPlan
from planner.walk import carry_s
from planner.wind import Wind

MOST_TRIED = 4
"""Chosen: the drone stands in the air while it is planned; farther landing points would not be better than these."""
_STATE_UNKNOWN = Reason(
    "drone_state_unknown",
    "Position, height or charge of the drone are not known.",
    "无人机位置、高度或电量未知。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where the patient is now."""

    patient: Wgs84Point
    floor: int | None
    at: datetime


class AirbornePlanning(Protocol):
    """Pure computation; :meth:`reroute` runs in a worker thread."""

    def serves(self, landing_point_id: str, where: Whereabouts) -> bool:
        """Whether the patient can be reached on foot from there in useful time."""
        ...

    def nearest(self, where: Whereabouts) -> str | None:
        """The landing point from which the patient is reached first on foot; None if from none."""
        ...

    def reroute(
        self, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        """The plan from where the drone stands whose AED reaches the patient first, or why there is none."""
        ...

    def divert(
        self, to: Place, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        """The plan from where the drone stands to a place that a person chose, or every reason against it."""
        ...


class SiteAirbornePlanning:
    """On one site and the airspace in force."""

    def __init__(
        self,
        site: Callable[[], Site],
        airspace: Callable[[], Airspace],
        airframes: Callable[[], Mapping[str, Airframe]],
        ids: IdSource,
    ) -> None:
        self._site, self._airspace, self._airframes, self._ids = site, airspace, airframes, ids

    def serves(self, landing_point_id: str, where: Whereabouts) -> bool:
        return any(point.landing_point_id == landing_point_id for _, point in self._points(where))

    def nearest(self, where: Whereabouts) -> str | None:
        points = self._points(where)
        return points[0][1].landing_point_id if points else None

    def _points(self, where: Whereabouts) -> list[tuple[float, LandingPoint]]:
        """Usable landing points with the way on foot, the shortest first; none beyond the limit of a decision."""
        site, until = self._site(), where.at + timedelta(seconds=OCCUPIED_S)
        found = [
            (
                carry_s(geodesic_distance_m(point.position, where.patient), point.walk, where.floor),
                point.landing_point_id,
                point,
            )
            for point in site.landing_points
            if point.usable_throughout(where.at, until, site.zone_info)
        ]
        return [(carry, point) for carry, _, point in sorted(found) if carry <= POLICY.carry_limit_s]

    def reroute(
        self, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        standing, airframe = _standing(view, plan), self._airframes().get(plan.airframe_id)
        points = self._points(where)[:MOST_TRIED]
        if standing is None or airframe is None:
            return (_STATE_UNKNOWN,)
        if not points:
            return (
                Reason(
                    "no_landing_point_near",
                    "No landing point is within reach of the patient on foot.",
                    "患者步行可达范围内没有投放点。",
                ),
            )
        against: dict[tuple[str, str], Reason] = {}
        best: FlightPlan | None = None
        for carry, point in points:
            found = self._to(point, carry, standing, view, plan, airframe, where.at)
            refused = found.reasons if isinstance(found, NoPlan) else _meets(found, traffic)
            against.update({(reason.code, reason.detail): reason for reason in refused})
            if isinstance(found, NoPlan) or refused:
                continue
            if best is None or found.timing.time_to_patient_s < best.timing.time_to_patient_s:
                best = found
        return tuple(against.values()) if best is None else best

    def divert(
        self, to: Place, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        standing, airframe = _standing(view, plan), self._airframes().get(plan.airframe_id)
        if standing is None or airframe is None:
            return (_STATE_UNKNOWN,)
        # A flight that only lands has a landing point none the less: where it was to deliver.
        point = to.landing_point or self._site().landing_point(plan.landing_point_id)
        carry = carry_s(geodesic_distance_m(point.position, where.patient), point.walk, where.floor)
        refuge = None if to.landing_point is not None else to.refuge
        found = self._to(point, carry, standing, view, plan, airframe, where.at, refuge)
        if isinstance(found, NoPlan):
            return found.reasons
        return _meets(found, traffic) or found

    def _to(
        self,
        point: LandingPoint,
        carry: float,
        standing: Airborne,
        view: DroneView,
        plan: FlightPlan,
        airframe: Airframe,
        at: datetime,
        refuge: Refuge | None = None,
    ) -> FlightPlan | NoPlan:
        site = self._site()
        task = FlightTask(
            drone_id=plan.drone_id,
            station=site.station(plan.station_id),
            landing_point=point,
            airframe=airframe,
            method=plan.delivery_method,
            wind=_wind(view, plan, at),
            charge_fraction=standing.charge_fraction,
            carry_s=carry,
        )
        return replan_flight(
            standing,
            task,
            deliver=refuge is None,
            site=site,
            airspace=self._airspace(),
            ids=self._ids,
            at=at,
            policy=POLICY,
            refuge=refuge,
        )


def _standing(view: DroneView, plan: FlightPlan) -> Airborne | None:
    sample = view.telemetry
    if sample is None or sample.position is None or sample.height_above_home_m is None:
        return None
    if sample.charge_fraction is None:
        return None
    return Airborne(
        position=sample.position,
        # By its height above home: that is what missions are flown by.
        altitude_amsl_m=plan.home.altitude_amsl_m + sample.height_above_home_m,
        charge_fraction=sample.charge_fraction,
    )


def _wind(view: DroneView, plan: FlightPlan, at: datetime) -> Wind:
    """What the vehicle measures, else its station, else what the flight was planned with."""
    sample = view.telemetry
    if sample is not None and sample.wind_from_deg is not None and sample.wind_speed_m_s is not None:
        return Wind(from_deg=sample.wind_from_deg, speed_m_s=sample.wind_speed_m_s, measured_at=at)
    return view.wind or plan.wind


def _meets(plan: FlightPlan, traffic: Traffic) -> tuple[Reason, ...]:
    """A drone that stands in the air waits for nobody: a way that meets another flight's claim is not taken."""
    intent = intent_of_plan(
        plan,
        owner=traffic.owner,
        priority=max(PRIORITIES.values()),
        geoid_undulation_m=traffic.geoid_undulation_m,
    )
    return tuple(
        reasons.conflict(
            conflict.intent_id,
            conflict.owner,
            "another flight claims the air on this way",
            "该航路空域已被其他飞行占用",
        )
        for conflict in traffic.intents.conflicts(intent)[:1]
    )
