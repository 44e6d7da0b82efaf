"""A planner that takes the first drone and the nearest point: legal as values, not as flights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from core.geodesy import Wgs84Point, geodesic_distance_m
from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.model import CircleArea, Restriction, Volume, Zone
from hub_api.dispatch.airborne_planning import Whereabouts
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.planning import Answer, Question
from hub_api.dispatch.refuges import Place
from hub_api.dispatch.verdicts import CandidateAnswer, tell
from planner.choice import Traffic
from planner.flight_plan import (
    AutopilotFence,
    DeliveryMethod,
    EnergyBudget,
    FlightPlan,
    Kinematics,
    Leg,
    LegKind,
    RouteObjective,
    RoutePoint,
    Timing,
)
from planner.reasons import Reason
from planner.site import Site, load_site
from planner.wind import Wind

SITE_FILE = Path(__file__).parents[3] / "examples" / "sites" / "baoan.json"


@cache
def a_site() -> Site:
    return load_site(SITE_FILE)


@cache
def an_airspace() -> Airspace:
    circle = CircleArea(Wgs84Point(22.58, 113.90), 300.0)
    zone = Zone(zone_id="Z1", restriction=Restriction.PROHIBITED, volumes=(Volume(circle),), name="heliport")
    return Airspace((zone,), version="test-1")


def a_plan(drone: DroneView, site: Site, landing_point_id: str, now: datetime, plan_id: str) -> FlightPlan:
    """Straight there and back; legal as a value, not as a flight."""
    pad = site.station(drone.drone.station_id)
    point = site.landing_point(landing_point_id)
    home = RoutePoint(pad.position, pad.ground_amsl_m)
    above_home = RoutePoint(pad.position, pad.ground_amsl_m + 80.0)
    above_point = RoutePoint(point.position, pad.ground_amsl_m + 80.0)
    delivery = RoutePoint(point.position, point.ground_amsl_m + 15.0)

    def leg(kind: LegKind, start: RoutePoint, end: RoutePoint) -> Leg:
        return Leg(
            kind=kind,
            start=start,
            end=end,
            length_m=100.0,
            ground_speed_m_s=0.0,
            duration_s=10.0,
            energy_wh=5.0,
        )

    def way(first: RoutePoint, up: RoutePoint, over: RoutePoint, last: RoutePoint) -> tuple[Leg, ...]:
        return (
            leg(LegKind.CLIMB, first, up),
            leg(LegKind.CRUISE, up, over),
            leg(LegKind.DESCENT, over, last),
        )

    return FlightPlan(
        plan_id=plan_id,
        drone_id=drone.drone.drone_id,
        station_id=pad.station_id,
        landing_point_id=landing_point_id,
        airframe_id=drone.drone.airframe_id,
        home=home,
        delivery=delivery,
        delivery_ground_amsl_m=point.ground_amsl_m,
        delivery_method=DeliveryMethod.WINCH,
        hover_budget_s=60.0,
        outbound=way(home, above_home, above_point, delivery),
        inbound=way(delivery, above_point, above_home, home),
        rally_points=(),
        autopilot_fence=AutopilotFence(
            inclusion=(
                Wgs84Point(22.5, 113.8),
                Wgs84Point(22.5, 114.0),
                Wgs84Point(22.7, 114.0),
            ),
            exclusions=(),
            ceiling_amsl_m=150.0,
        ),
        wind=Wind(from_deg=0.0, speed_m_s=0.0, measured_at=now),
        route_objective=RouteObjective.SHORTEST,
        kinematics=Kinematics(
            acceptance_radius_m=5.0,
            ground_speed_max_m_s=20.0,
            climb_rate_m_s=6.0,
            descent_rate_m_s=4.5,
            landing_rate_m_s=0.6,
            landing_slow_below_m=8.0,
            acceleration_m_s2=4.0,
            vertical_acceleration_m_s2=2.5,
        ),
        corridor_half_width_m=30.0,
        timing=Timing(
            preparation_s=4.0,
            climb_s=10.0,
            outbound_s=60.0,
            descent_s=10.0,
            lower_s=10.0,
            time_to_aed_on_ground_s=94.0,
            carry_s=60.0,
            time_to_patient_s=154.0,
            hover_s=60.0,
            inbound_climb_s=10.0,
            inbound_s=60.0,
            landing_s=10.0,
            total_s=244.0,
        ),
        energy=EnergyBudget(
            outbound_wh=15.0,
            hover_wh=10.0,
            inbound_wh=15.0,
            total_wh=40.0,
            uncertainty_wh=5.0,
            reserve_wh=5.0,
            usable_wh=100.0,
        ),
        airspace_version="test-1",
        terrain="flat",
        authorisation_ids=(),
        conditions=(),
        created_at=now,
        valid_until=now + timedelta(seconds=120),
    )


class FirstReady:
    """A planner without geography: the first ready drone, the first landing point."""

    def __init__(self, site: Site, ids: IdSource) -> None:
        self._site_now: Callable[[], Site] = lambda: site
        self._ids = ids
        self.questions: list[Question] = []

    def follow(self, site: Callable[[], Site]) -> None:
        """Plan on the site in force from now on."""
        self._site_now = site

    @property
    def _site(self) -> Site:
        return self._site_now()

    def warm_up(self) -> None:
        self.questions.clear()

    def prepare(self, airspace: Airspace) -> None:
        """Nothing to index."""

    def forbidden(self, airspace: Airspace, plans: Mapping[str, FlightPlan]) -> dict[str, Reason]:
        """Plans here are values, not flights."""
        return {}

    def decide(self, question: Question, drones: Sequence[DroneView], traffic: Traffic | None) -> Answer:
        self.questions.append(question)
        point = self._site.landing_points[0].landing_point_id
        plan: FlightPlan | None = None
        candidates = []
        for drone in drones:
            reasons = drone.not_ready
            verdict = "refused" if reasons else "possible"
            if plan is None and drone.ready:
                plan = a_plan(drone, self._site, point, question.at, self._ids.new("plan"))
                verdict = "chosen"
            candidates.append(
                CandidateAnswer(
                    station_id=drone.drone.station_id,
                    drone_id=drone.drone.drone_id,
                    landing_point_id=point,
                    verdict=verdict,
                    reasons=reasons,
                    time_to_patient_s=None if reasons else 154.0,
                    least_time_to_patient_s=None if reasons else 94.0,
                )
            )
        none = Reason("no_candidate", "No drone can fly now.", "目前没有可用无人机。")
        return Answer(
            plan=plan,
            told=tell(candidates),
            reasons=() if plan else (none,),
            airspace_version="test-1",
        )


class NearestWay:
    """Ways in the air without geography: straight to the landing point next to the patient, or none."""

    def __init__(self, site: Site, ids: IdSource) -> None:
        self._site, self._ids = site, ids
        self.none: Reason | None = None
        self.reach_m = 1500.0
        self.diverted: list[Place] = []
        self.diversions_found = 100
        """After so many questions there is no way any more."""

    def _nearest(self, where: Whereabouts) -> list[tuple[float, str]]:
        found = [
            (geodesic_distance_m(point.position, where.patient), point.landing_point_id)
            for point in self._site.landing_points
        ]
        return sorted(each for each in found if each[0] <= self.reach_m)

    def serves(self, landing_point_id: str, where: Whereabouts) -> bool:
        return landing_point_id in {name for _, name in self._nearest(where)}

    def nearest(self, where: Whereabouts) -> str | None:
        found = self._nearest(where)
        return found[0][1] if found else None

    def reroute(
        self, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        nearest = self.nearest(where)
        if self.none is not None or nearest is None:
            return (self.none or Reason("no_landing_point_near", "none near", "附近没有"),)
        return a_plan(view, self._site, nearest, where.at, self._ids.new("plan"))

    def divert(
        self, to: Place, where: Whereabouts, view: DroneView, plan: FlightPlan, traffic: Traffic
    ) -> FlightPlan | tuple[Reason, ...]:
        self.diverted.append(to)
        if self.none is not None or len(self.diverted) > self.diversions_found:
            return (self.none or Reason("no_route", "no way", "没有航路"),)
        point = to.place_id if to.landing_point is not None else plan.landing_point_id
        made = a_plan(view, self._site, point, where.at, self._ids.new("plan"))
        if to.landing_point is not None:
            return made
        here, end = RoutePoint(to.position, 95.0), RoutePoint(to.position, to.ground_amsl_m)
        up, over, down = made.inbound
        home = (
            replace(up, start=here, end=here),
            replace(over, start=here, end=here),
            replace(down, start=here, end=end),
        )
        return replace(made, start=here, outbound=(), inbound=home, lands_at=end)
