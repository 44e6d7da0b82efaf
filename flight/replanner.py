"""Asks the planner for another way in flight, so that a flight finds one when nobody else answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from core.ids import IdSource
from geofences.airspace import Airspace
from geofences.model import Restriction, Zone
from planner.airframe import load_airframes
from planner.flight_plan import FlightPlan
from planner.policy import DEFAULT_POLICY, PlanningPolicy
from planner.reasons import Reason
from planner.replan import Airborne, replan_flight
from planner.site import Site
from planner.task import FlightTask, NoPlan
from planner.wind import Wind


class Replanner(Protocol):
    """What an agent asks. Called in a thread: it may take a second."""

    def __call__(
        self,
        standing: Airborne,
        plan: FlightPlan,
        *,
        deliver: bool,
        closed: Sequence[Zone],
        wind: Wind,
        at: datetime,
    ) -> FlightPlan | NoPlan:
        """Another plan for the flight that follows ``plan`` and stands at ``standing``."""
        ...


class SiteReplanner:
    """Plans over the site's pads and landing points in the airspace of this moment.

    Zones that an agent was told to be closed count as prohibited, also where ``airspace`` does not know them
    yet or holds an authorisation that was taken back.
    """

    def __init__(
        self,
        site: Site | Callable[[], Site],
        airspace: Callable[[], Airspace],
        ids: IdSource,
        policy: PlanningPolicy = DEFAULT_POLICY,
    ) -> None:
        self._site_now = site if callable(site) else lambda: site
        self._airspace, self._ids, self._policy = airspace, ids, policy

    def __call__(
        self,
        standing: Airborne,
        plan: FlightPlan,
        *,
        deliver: bool,
        closed: Sequence[Zone],
        wind: Wind,
        at: datetime,
    ) -> FlightPlan | NoPlan:
        site = self._site_now()
        station = next((each for each in site.stations if each.station_id == plan.station_id), None)
        point = next(
            (each for each in site.landing_points if each.landing_point_id == plan.landing_point_id),
            None,
        )
        airframe = load_airframes().get(plan.airframe_id)
        if station is None or point is None or airframe is None:
            detail = "the site does not know the plan's station, landing point or airframe"
            return NoPlan((Reason("not_of_this_site", detail, "站点数据中没有该计划的起降坪、投放点或机型"),))
        airspace = self._airspace()
        known = {zone.zone_id for zone in airspace.zones}
        for zone in closed:
            version = f"{airspace.version}+{zone.zone_id}"
            if zone.zone_id in known:
                airspace = airspace.without_zone(zone.zone_id, version=version)
            airspace = airspace.with_zone(replace(zone, restriction=Restriction.PROHIBITED), version=version)
        task = FlightTask(
            drone_id=plan.drone_id,
            station=station,
            landing_point=point,
            airframe=airframe,
            method=plan.delivery_method,
            wind=wind,
            charge_fraction=standing.charge_fraction,
            carry_s=plan.timing.carry_s,
        )
        return replan_flight(
            standing,
            task,
            deliver=deliver,
            site=site,
            airspace=airspace,
            ids=self._ids,
            at=at,
            policy=self._policy,
        )
