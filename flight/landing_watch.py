"""A landing that does not end: how long it may take, and when the vehicle stands and has not noticed.

Autopilots stop their motors when they have found the ground by themselves. One that does not find it (a real ArduCopter
in 8 m/s of wind leans against it on its pad) stands with turning rotors among people who believe it down.
"""

from __future__ import annotations

from flight.model.faults import LINK_STALE_AFTER_S, Fault, Finding
from flight.model.phases import Phase
from flight.model.view import LandedState, VehicleView
from flight.motor_load import carries
from flight.planned_way import PlannedWay
from planner.airframe import Airframe

COMING_DOWN_PHASES = frozenset({Phase.TOUCHING_DOWN, Phase.LANDING, Phase.LANDING_HERE})
LANDING_ALLOWANCE_S = 30.0
"""Beyond the predicted descent: 7 s of landing detection were seen on a real PX4; a mode that is asked for again and a
gust take the rest (chosen)."""
AT_REST_M_S = 0.3
"""Half of what the slowest landing descends with, and more than a standing estimator wanders (chosen)."""
HEIGHT_ERROR_M = 5.0
"""What height may be told on a known ground: a barometer's drift within a flight (chosen)."""
HEIGHT_ERROR_LANDING_M = 15.0
"""The same where the autopilot itself says that it is landing and its motors carry nothing (chosen)."""
MOVES_M_S = 0.3
"""Vertical speed from which on a descent is one (chosen; landings descend with 0.5 m/s and more)."""


class LandingWatch:
    """One flight's. Time is an argument."""

    def __init__(self, way: PlannedWay, airframe: Airframe | None) -> None:
        self._way = way
        self._airframe = airframe
        self._phase: Phase | None = None
        self._due_s = 0.0
        self._moving_a: list[float] = []

    def findings(self, view: VehicleView, phase: Phase, now_s: float) -> list[Finding]:
        """What is wrong with the landing under way; nothing in any other phase."""
        if phase not in COMING_DOWN_PHASES or self._airframe is None:
            self._phase = None
            return []
        if phase is not self._phase:
            # Each descent has its own time: one that was told to land elsewhere begins anew.
            self._phase = phase
            self._due_s = now_s + self._descent_s(view) + LANDING_ALLOWANCE_S
            self._moving_a = []
        up_m_s, current_a = view.velocity_up_m_s, view.battery_current_a
        if up_m_s is not None and up_m_s < -MOVES_M_S and current_a is not None and now_s <= self._due_s:
            self._moving_a.append(current_a)
        if now_s <= self._due_s or view.armed is not True or not view.heard_within(LINK_STALE_AFTER_S, now_s):
            return []
        late_s = now_s - self._due_s + LANDING_ALLOWANCE_S
        found = [Finding(Fault.LANDING_OVERDUE, f"{late_s:.0f} s longer than a descent from there takes")]
        if self._stands(view):
            found.append(Finding(Fault.GROUND_UNNOTICED, "at rest on the ground with turning motors"))
        return found

    def _descent_s(self, view: VehicleView) -> float:
        """From where the vehicle is, by the airframe's rates; where its height is unknown, from the plan's top."""
        assert self._airframe is not None
        plan = self._way.plan
        top_amsl_m = max(leg.end.altitude_amsl_m for leg in (*plan.outbound, *plan.inbound))
        low_amsl_m = min(plan.home.altitude_amsl_m, plan.delivery_ground_amsl_m)
        height_m = top_amsl_m - low_amsl_m
        if view.height_above_home_m is not None:
            height_m = plan.home.altitude_amsl_m + view.height_above_home_m - low_amsl_m
        slow_m = min(max(height_m, 0.0), self._airframe.landing_slow_below_m)
        fast_m = max(0.0, height_m - slow_m)
        return fast_m / self._airframe.descent_rate_m_s + slow_m / self._airframe.landing_rate_m_s

    def _stands(self, view: VehicleView) -> bool:
        speed_m_s, up_m_s = view.ground_speed_m_s, view.velocity_up_m_s
        if speed_m_s is None or up_m_s is None or max(speed_m_s, abs(up_m_s)) > AT_REST_M_S:
            return False
        lands = view.landed_state is LandedState.LANDING
        height_m = self._way.height_over_known_ground_m(view)
        flies = self._motors_carry(view)
        if flies is None:
            # Without a current, nothing but the autopilot's own word and a known ground close below is enough.
            return lands and height_m is not None and abs(height_m) <= HEIGHT_ERROR_M
        if flies:
            return False
        if height_m is None:
            return lands
        return abs(height_m) <= (HEIGHT_ERROR_LANDING_M if lands else HEIGHT_ERROR_M)

    def _motors_carry(self, view: VehicleView) -> bool | None:
        """Against what the same descent drew while it moved, which is less than a hover draws."""
        if not self._moving_a:
            return None
        return carries(view.battery_current_a, sum(self._moving_a) / len(self._moving_a))
