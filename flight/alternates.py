"""A plan's alternates as plans of their own, flown on the mission that is on board already.

The mission carries a section to each alternate and home from there (:class:`planner.flight_plan.Alternate`),
so that nothing has to be written when the first landing point turns out to be taken: one jump diverts. From
then on the flight follows the plan made here, a plan that begins in the air over the first point, and reads
the same items under other names. Both are computed from what the flight knows, so a restarted controller
finds them again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from core.errors import DroneAedError
from planner.airframe import load_airframes
from planner.compile.mission_types import CompiledMission, ItemLeg, MissionIndices
from planner.energy import uncertainty_wh
from planner.flight_plan import Alternate, EnergyBudget, FlightPlan, Leg, Timing


def alternate_plans(plan: FlightPlan, mission: CompiledMission) -> tuple[FlightPlan, ...]:
    """Those of the plan's alternates that the mission carries, in the plan's order.

    Valid for as long as they were judged: the planner looked at the whole flight, begun as late as it may.
    An alternate that makes no sound plan by itself, say for its energy, is left out.
    """
    return tuple(each for _, each in _sound(plan, mission))


def _sound(plan: FlightPlan, mission: CompiledMission) -> Iterator[tuple[int, FlightPlan]]:
    for number in range(1, len(mission.indices.alternates) + 1):
        with contextlib.suppress(DroneAedError):
            yield number, _plan_of(plan, number)


def alternate_mission(
    plan: FlightPlan, mission: CompiledMission, wanted: FlightPlan
) -> CompiledMission | None:
    """``mission`` read as that of ``wanted``; None where ``wanted`` is no alternate of ``plan`` on board."""
    for number, each in _sound(plan, mission):
        if each == wanted:
            return _mission_of(mission, number)
    return None


def _plan_of(plan: FlightPlan, number: int) -> FlightPlan:
    alternate = plan.alternates[number - 1]
    names = {f"transfer-{number}": "outbound", f"home-{number}": "inbound"}
    return replace(
        plan,
        plan_id=f"{plan.plan_id}-alternate-{number}",
        landing_point_id=alternate.landing_point_id,
        start=plan.delivery,
        delivery=alternate.delivery,
        delivery_ground_amsl_m=alternate.delivery_ground_amsl_m,
        delivery_method=alternate.delivery_method,
        hover_budget_s=alternate.hover_budget_s,
        outbound=alternate.transfer,
        inbound=alternate.inbound,
        retrace=(),
        alternates=(),
        point_of_no_return=None,
        contingencies=tuple(
            replace(each, section=names[each.section]) for each in plan.contingencies if each.section in names
        ),
        timing=_timing(alternate),
        energy=_energy(plan, alternate),
        valid_until=plan.valid_until + timedelta(seconds=plan.timing.total_s),
    )


def _timing(alternate: Alternate) -> Timing:
    """From leaving the first point."""
    up, *over, down = alternate.transfer
    home_up, *home, land = alternate.inbound
    transfer_s = _seconds(alternate.transfer)
    return Timing(
        preparation_s=0.0,
        climb_s=up.duration_s,
        outbound_s=_seconds(over),
        descent_s=down.duration_s,
        lower_s=max(0.0, alternate.extra_s - transfer_s),
        time_to_aed_on_ground_s=alternate.extra_s,
        carry_s=alternate.carry_s,
        time_to_patient_s=alternate.extra_s + alternate.carry_s,
        hover_s=alternate.hover_budget_s,
        inbound_climb_s=home_up.duration_s,
        inbound_s=_seconds(home),
        landing_s=land.duration_s,
        total_s=transfer_s + alternate.hover_budget_s + _seconds(alternate.inbound),
    )


def _energy(plan: FlightPlan, alternate: Alternate) -> EnergyBudget:
    """What the planner counted on being left over the first point, its hover used up."""
    transfer_wh = sum(leg.energy_wh for leg in alternate.transfer)
    inbound_wh = sum(leg.energy_wh for leg in alternate.inbound)
    airframe = load_airframes().get(plan.airframe_id)
    uncertain_wh = plan.energy.uncertainty_wh
    if airframe is not None:
        uncertain_wh = min(uncertain_wh, uncertainty_wh(airframe, alternate.energy_wh))
    return EnergyBudget(
        outbound_wh=transfer_wh,
        hover_wh=max(0.0, alternate.energy_wh - transfer_wh - inbound_wh),
        inbound_wh=inbound_wh,
        total_wh=alternate.energy_wh,
        uncertainty_wh=uncertain_wh,
        reserve_wh=plan.energy.reserve_wh,
        usable_wh=max(0.0, plan.energy.usable_wh - plan.energy.outbound_wh - plan.energy.hover_wh),
    )


def _mission_of(mission: CompiledMission, number: int) -> CompiledMission:
    at = mission.indices.alternates[number - 1]
    names = {f"transfer-{number}": "outbound", f"home-{number}": "inbound"}
    return replace(
        mission,
        indices=MissionIndices(
            takeoff=at.transfer_first,
            delivery_hover=at.delivery_hover,
            winch_retract=at.winch_retract,
            inbound_first=at.inbound_first,
            land=at.land,
            retrace_first=at.inbound_first,
            retrace_land=at.land,
        ),
        item_legs=tuple(
            ItemLeg(section=names[leg.section], index=leg.index)
            if leg is not None and leg.section in names
            else None
            for leg in mission.item_legs
        ),
    )


def _seconds(legs: tuple[Leg, ...] | list[Leg]) -> float:
    return sum((leg.duration_s for leg in legs), 0.0)
