"""Reads one flight from what its vehicle shows: which triggers, faults and times follow from a view.

No I/O and no clock: views and times come in. The only memory is what needs two moments to be seen
(settling, mode changes under way).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from core.geodesy import EnuOffset, LocalFrame, Wgs84Point
from flight.autopilots.base import ModeClass
from flight.model.failsafe import LINK_LOST_AFTER_S, LINK_STALE_AFTER_S, Fault, Finding
from flight.model.phases import FLIGHT_PHASES, LINE_OUT_PHASES, Phase, Trigger
from flight.model.view import LandedState, VehicleView
from planner.airframe import load_airframes
from planner.compile.mission_types import CompiledMission
from planner.energy import battery_at
from planner.flight_plan import DeliveryMethod, FlightPlan, Leg, RoutePoint

ON_PAD_WITHIN_M = 8.0
"""Chosen: GPS error and a gust at touchdown; the pad's surroundings are the station's own ground."""
AT_RALLY_WITHIN_M = 15.0
"""Chosen: a rally point is an area kept free, not a pad."""
AT_DELIVERY_WITHIN_M = 3.0
AT_DELIVERY_HEIGHT_M = 1.5
SETTLED_SPEED_M_S = 0.5
SETTLED_FOR_S = 1.0
"""Half a second is a swing's turning point; a second of calm is a hover (chosen)."""
HOVER_DRIFT_LIMIT_M = 8.0
"""With the line out, farther than this from the delivery point is a deviation: the landing point's
clear radius is of this size (chosen)."""
HEAD_CLEARANCE_M = 3.0
"""The hook hangs higher than a person with raised arms reaches: safe to approach (chosen)."""
LINE_STRAYS_M = 1.5
"""More than slack, rounding and a load that swings on its hook (chosen)."""
ROTOR_CLEARANCE_M = 10.0
"""Without a line the drone itself must be this high or far before people may come (chosen)."""
MODE_GRACE_S = 4.0
"""From our own mode command until HEARTBEAT must show it; longer than its confirmation takes."""
AIRBORNE_ABOVE_M = 0.5
REBOOT_SHOWN_FOR_S = 10.0
GPS_FIX_3D = 3

_MISSION_PHASES = frozenset(
    {Phase.CLIMBING, Phase.OUTBOUND, Phase.HOVERING, Phase.INBOUND, Phase.RETURNING} | LINE_OUT_PHASES
)
_LINE_IN_PHASES = frozenset(
    {
        Phase.OUTBOUND,
        Phase.HOVERING,
        Phase.INBOUND,
        Phase.RETURNING,
        Phase.HOLDING,
        Phase.DIVERTING,
        Phase.LANDING,
    }
)
_ARMED_PHASES = FLIGHT_PHASES - {Phase.PREPARING, Phase.ARMING}


class Director:
    """One flight's reader. ``estimator_ready`` and ``mode_class`` come from the autopilot."""

    def __init__(
        self,
        plan: FlightPlan,
        mission: CompiledMission,
        *,
        mode_class: Callable[[int], ModeClass],
        estimator_ready: Callable[[VehicleView], bool | None],
    ) -> None:
        self.plan = plan
        self.mission = mission
        self._mode_class = mode_class
        self._estimator_ready = estimator_ready
        self._frame = LocalFrame(plan.home.position)
        self._airframe = load_airframes().get(plan.airframe_id)
        self._expected: frozenset[ModeClass] = frozenset()
        self._grace_until_s = -math.inf
        self.mission_is_ours = True
        """False once the vehicle was found with another mission: its item numbers then mean nothing to us,
        and nobody's AUTO gives it back."""
        self._calm_since_s: float | None = None
        self._approach_announced = False
        self._here: tuple[Wgs84Point, EnuOffset] | None = None
        self._on_plane = {
            point.position: self._frame.to_enu(point.position)
            for leg in (*plan.outbound, *plan.inbound, *plan.retrace)
            for point in (leg.start, leg.end)
        }
        self._on_plane.update({p.position: self._frame.to_enu(p.position) for p in plan.rally_points})
        self._legs = [self._leg_of(seq) for seq in range(len(mission.items))]
        self._airborne_since_s: float | None = None

    def _leg_of(self, seq: int) -> Leg | None:
        named = self.mission.item_legs[seq]
        if named is None:
            return None
        return self.plan.section(named.section)[named.index]

    # --- modes --------------------------------------------------------------------------------

    def expect_mode(self, classes: frozenset[ModeClass], now_s: float) -> None:
        """We are about to command a mode: until it shows, others are not a takeover."""
        self._expected = classes
        self._grace_until_s = now_s + MODE_GRACE_S

    def _mode_trigger(self, view: VehicleView, phase: Phase, now_s: float) -> Trigger | None:
        if view.custom_mode is None or phase not in _ARMED_PHASES or phase is Phase.DISARMING:
            return None
        shown = self._mode_class(view.custom_mode)
        if shown in self._expected:
            self._grace_until_s = -math.inf
        if now_s < self._grace_until_s:
            return None
        if phase in (Phase.HANDED_OVER, Phase.AUTOPILOT_RETURN, Phase.HOLDING) and shown is ModeClass.MISSION:
            return Trigger.CONTROL_GIVEN_BACK if self.mission_is_ours else None
        if shown in self._expected or not self._expected:
            return None
        if shown is ModeClass.RETURN:
            return Trigger.AUTOPILOT_RETURNS
        if shown is ModeClass.LAND:
            return Trigger.AUTOPILOT_LANDS
        if shown is ModeClass.MISSION:
            return None
        return Trigger.CONTROL_TAKEN

    # --- triggers -----------------------------------------------------------------------------

    def observe(self, view: VehicleView, phase: Phase, now_s: float) -> Trigger | None:
        """The most important thing that the view shows in this phase, or None.

        Ending first, then who has control, then the way. Call again after each move.
        """
        if phase is Phase.ARMING:
            return Trigger.ARMED if view.armed else None
        if phase in _ARMED_PHASES and phase is not Phase.DISARMING and view.armed is False:
            return self.disarmed_where(view)
        moded = self._mode_trigger(view, phase, now_s)
        if moded is not None:
            return moded
        if phase in (Phase.ARMED, Phase.DISARMING):
            return Trigger.AIRBORNE if self._is_airborne(view) else None
        if phase in _MISSION_PHASES and not self._shows_mission(view, now_s):
            return None
        return self._way_trigger(view, phase, now_s)

    def _shows_mission(self, view: VehicleView, now_s: float) -> bool:
        """Sequence numbers mean a way only while the mission is what flies, and our own jump is over."""
        return (
            view.custom_mode is not None
            and self.mission_is_ours
            and self._mode_class(view.custom_mode) is ModeClass.MISSION
            and view.mission_seq is not None
            and now_s >= self._grace_until_s
        )

    def _way_trigger(self, view: VehicleView, phase: Phase, now_s: float) -> Trigger | None:
        seq, indices = view.mission_seq, self.mission.indices
        on_outward_side = (
            phase in (Phase.CLIMBING, Phase.OUTBOUND, Phase.HOVERING) or phase in LINE_OUT_PHASES
        )
        if on_outward_side and seq is not None and seq >= indices.inbound_first:
            return Trigger.WAY_HOME_STARTED
        match phase:
            case Phase.CLIMBING if seq is not None and seq > indices.takeoff:
                return Trigger.CLIMBED
            case Phase.OUTBOUND if seq == indices.delivery_hover and self._is_at_delivery(view):
                return Trigger.AT_DELIVERY
            case Phase.HOVERING if self._is_settled(view, now_s):
                return Trigger.SETTLED
            case Phase.INBOUND | Phase.RETURNING if (
                seq in (indices.land, indices.retrace_land)
                and self._distance_m(view, self.plan.home) <= ON_PAD_WITHIN_M
            ):
                return Trigger.FINAL_DESCENT
            case Phase.DIVERTING | Phase.AUTOPILOT_RETURN if view.landed_state is LandedState.LANDING:
                return Trigger.FINAL_DESCENT
        return None

    def _is_airborne(self, view: VehicleView) -> bool:
        height_m = view.height_above_home_m
        return height_m is not None and height_m > AIRBORNE_ABOVE_M and view.on_ground is not True

    def _plane(self, position: Wgs84Point) -> EnuOffset:
        """Projected once for each position heard; every question about it then is arithmetic."""
        if self._here is None or self._here[0] is not position:
            self._here = (position, self._frame.to_enu(position))
        return self._here[1]

    def _distance_m(self, view: VehicleView, point: RoutePoint) -> float:
        """Horizontal distance; infinite while the position is unknown."""
        if view.position is None:
            return math.inf
        mine, its = self._plane(view.position), self._on_plane[point.position]
        return math.hypot(mine.east_m - its.east_m, mine.north_m - its.north_m)

    def _is_at_delivery(self, view: VehicleView) -> bool:
        if view.height_above_home_m is None:
            return False
        wanted_m = self.plan.delivery.altitude_amsl_m - self.plan.home.altitude_amsl_m
        return (
            self._distance_m(view, self.plan.delivery) <= AT_DELIVERY_WITHIN_M
            and abs(view.height_above_home_m - wanted_m) <= AT_DELIVERY_HEIGHT_M
        )

    def _is_settled(self, view: VehicleView, now_s: float) -> bool:
        speed_m_s = view.ground_speed_m_s
        calm = (
            self._is_at_delivery(view)
            and speed_m_s is not None
            and speed_m_s <= SETTLED_SPEED_M_S
            and abs(view.velocity_up_m_s or 0.0) <= SETTLED_SPEED_M_S
        )
        if not calm:
            self._calm_since_s = None
            return False
        self._calm_since_s = now_s if self._calm_since_s is None else self._calm_since_s
        return now_s - self._calm_since_s >= SETTLED_FOR_S

    def disarmed_where(self, view: VehicleView) -> Trigger:
        """Which ending a stop of the motors at this place is."""
        if self._distance_m(view, self.plan.home) <= ON_PAD_WITHIN_M:
            return Trigger.DISARMED_ON_PAD
        if any(self._distance_m(view, rally) <= AT_RALLY_WITHIN_M for rally in self.plan.rally_points):
            return Trigger.DISARMED_AT_RALLY
        return Trigger.DISARMED_ELSEWHERE

    # --- delivery -----------------------------------------------------------------------------

    def height_over_delivery_m(self, view: VehicleView) -> float | None:
        """Of the vehicle above the ground of the landing point, by its own height above home."""
        if view.height_above_home_m is None:
            return None
        pad_over_ground_m = self.plan.home.altitude_amsl_m - self.plan.delivery_ground_amsl_m
        return view.height_above_home_m + pad_over_ground_m

    def hook_height_m(self, view: VehicleView) -> float | None:
        """Of the hook above the ground of the landing point."""
        height_m = self.height_over_delivery_m(view)
        if height_m is None:
            return None
        if self.plan.delivery_method is not DeliveryMethod.WINCH:
            return height_m
        return None if view.line_length_m is None else height_m - view.line_length_m

    def line_strays(self, view: VehicleView, phase: Phase) -> bool:
        """Whether the line is out where it must be in: a late command, or a brake that slips."""
        return (
            phase in _LINE_IN_PHASES
            and self.plan.delivery_method is DeliveryMethod.WINCH
            and view.line_length_m is not None
            and view.line_length_m > LINE_STRAYS_M
        )

    def is_clear_to_approach(self, view: VehicleView) -> bool:
        """After the release: whether people may walk up to the AED. True once at most."""
        if self._approach_announced:
            return False
        hook_m = self.hook_height_m(view)
        away_m = self._distance_m(view, self.plan.delivery)
        needed_m = (
            HEAD_CLEARANCE_M if self.plan.delivery_method is DeliveryMethod.WINCH else ROTOR_CLEARANCE_M
        )
        clear = (hook_m is not None and hook_m >= needed_m) or ROTOR_CLEARANCE_M <= away_m < math.inf
        self._approach_announced = clear
        return clear

    def announced_approach(self) -> None:
        """A restarted agent: it was said before."""
        self._approach_announced = True

    def return_seq(self, view: VehicleView) -> int:
        """Where «return now» jumps to. Without a known item: the beginning of the way back from the
        delivery, which the vehicle reaches only over its own mission."""
        seq = view.mission_seq
        if seq is None or not 0 <= seq < len(self.mission.return_entry):
            return self.mission.indices.retrace_first
        return self.mission.return_entry[seq]

    def is_on_way_home(self, view: VehicleView) -> bool:
        """Whether the current item is already one of a way home."""
        return view.mission_seq is not None and view.mission_seq >= self.mission.indices.inbound_first

    # --- faults -------------------------------------------------------------------------------

    def findings(self, view: VehicleView, phase: Phase, now_s: float) -> list[Finding]:
        """Every fault condition that holds now; debouncing is the tracker's."""
        found: list[Finding] = []
        silent_s = view.silent_for_s(now_s)
        if silent_s is not None and silent_s > LINK_STALE_AFTER_S:
            found.append(Finding(Fault.LINK_STALE, f"nothing heard for {silent_s:.1f} s"))
        if silent_s is not None and silent_s > LINK_LOST_AFTER_S:
            found.append(Finding(Fault.LINK_LOST, f"nothing heard for {silent_s:.1f} s"))
        if view.gps_fix_type is not None and view.gps_fix_type < GPS_FIX_3D:
            found.append(Finding(Fault.GPS_LOST, f"fix type {view.gps_fix_type}"))
        elif self._estimator_ready(view) is False:
            found.append(Finding(Fault.GPS_LOST, "the estimator has no absolute position"))
        if view.reboots and view.boot_time_s is not None and view.boot_time_s < REBOOT_SHOWN_FOR_S:
            found.append(Finding(Fault.AUTOPILOT_REBOOTED, f"up for {view.boot_time_s:.0f} s"))
        if view.fence_breached:
            found.append(Finding(Fault.FENCE_BREACHED, "the autopilot reports a fence breach"))
        found += self._battery_findings(view, phase)
        found += self._deviation_findings(view, phase, now_s)
        return found

    def _battery_findings(self, view: VehicleView, phase: Phase) -> list[Finding]:
        if view.charge_fraction is None or self._airframe is None:
            return []
        battery = battery_at(self._airframe, view.charge_fraction)
        if battery.usable_wh < 0.5 * battery.reserve_wh:
            return [Finding(Fault.BATTERY_CRITICAL, f"charge {view.charge_fraction:.0%}")]
        needed_wh = self.remaining_energy_wh(view, phase)
        if needed_wh is not None and battery.usable_wh < needed_wh + battery.reserve_wh:
            detail = f"{battery.usable_wh:.0f} Wh usable, {needed_wh:.0f} Wh and the reserve needed"
            return [Finding(Fault.BATTERY_LOW, detail)]
        return []

    def _deviation_findings(self, view: VehicleView, phase: Phase, now_s: float) -> list[Finding]:
        if phase in LINE_OUT_PHASES or phase is Phase.HOVERING:
            off_m, limit_m = self._distance_m(view, self.plan.delivery), HOVER_DRIFT_LIMIT_M
        elif phase in (Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING) and self._shows_mission(view, now_s):
            distance_m = self.off_track_m(view)
            if distance_m is None:
                return []
            off_m, limit_m = distance_m, self.plan.corridor_half_width_m
        else:
            return []
        if off_m <= limit_m or math.isinf(off_m):
            return []
        return [Finding(Fault.DEVIATION, f"{off_m:.0f} m off, {limit_m:.0f} m allowed")]

    def off_track_m(self, view: VehicleView) -> float | None:
        """Horizontal distance from the current leg or the one flown before it."""
        seq = view.mission_seq
        if seq is None or not 0 <= seq < len(self._legs) or view.position is None:
            return None
        near = [leg for leg in self._legs[max(0, seq - 2) : seq + 1] if leg is not None]
        if not near:
            return None
        return min(self._distance_to_leg_m(view.position, leg) for leg in near)

    def _distance_to_leg_m(self, position: Wgs84Point, leg: Leg) -> float:
        p = self._plane(position)
        a, b = self._on_plane[leg.start.position], self._on_plane[leg.end.position]
        along_e, along_n = b.east_m - a.east_m, b.north_m - a.north_m
        square = along_e * along_e + along_n * along_n
        t = 0.0
        if square > 0:
            t = ((p.east_m - a.east_m) * along_e + (p.north_m - a.north_m) * along_n) / square
            t = min(1.0, max(0.0, t))
        return math.hypot(p.east_m - a.east_m - t * along_e, p.north_m - a.north_m - t * along_n)

    # --- what is left -------------------------------------------------------------------------

    def _rest_of_legs(self, view: VehicleView) -> tuple[list[Leg], float] | None:
        """The legs from the current one to the end of its section, and what is left of the first (0…1)."""
        seq = view.mission_seq
        if seq is None or not 0 <= seq < len(self._legs):
            return None
        named = next((n for n in self.mission.item_legs[seq:] if n is not None), None)
        if named is None:
            return None
        legs = list(self.plan.section(named.section)[named.index :])
        return legs, self._left_of(view, legs[0])

    def _left_of(self, view: VehicleView, leg: Leg) -> float:
        if view.height_above_home_m is None or leg.length_m <= 0:
            return 1.0
        end_height_m = leg.end.altitude_amsl_m - self.plan.home.altitude_amsl_m
        flat_m = self._distance_m(view, leg.end)
        if math.isinf(flat_m):
            return 1.0
        return min(1.0, math.hypot(flat_m, end_height_m - view.height_above_home_m) / leg.length_m)

    def eta_s(self, view: VehicleView, phase: Phase) -> float | None:
        """Seconds to the AED on the ground before the release, to the pad afterwards."""
        timing = self.plan.timing
        if phase in (Phase.PREPARING, Phase.ARMING, Phase.ARMED):
            return timing.time_to_aed_on_ground_s
        if phase in (Phase.HOVERING, Phase.LOWERING, Phase.RELEASING):
            return timing.lower_s
        if phase in (Phase.RETRACTING, Phase.RECOVERING_LINE):
            return sum(leg.duration_s for leg in self.plan.inbound) + timing.lower_s
        if phase not in (Phase.CLIMBING, Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING, Phase.LANDING):
            return None
        if phase in (Phase.INBOUND, Phase.RETURNING) and not self.is_on_way_home(view):
            # The jump is on its way; the current item is still one of the way out.
            return sum(leg.duration_s for leg in self.plan.inbound)
        rest = self._rest_of_legs(view)
        if rest is None:
            return None
        legs, left = rest
        seconds = legs[0].duration_s * left + sum(leg.duration_s for leg in legs[1:])
        return seconds + (timing.lower_s if phase in (Phase.CLIMBING, Phase.OUTBOUND) else 0.0)

    def remaining_energy_wh(self, view: VehicleView, phase: Phase) -> float | None:
        """What the planned rest of the flight takes; None where no plan describes the rest."""
        inbound_wh = sum(leg.energy_wh for leg in self.plan.inbound)
        hover_wh = self.plan.energy.hover_wh
        if phase in (Phase.HOVERING, *LINE_OUT_PHASES):
            return inbound_wh
        if phase not in (Phase.CLIMBING, Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING, Phase.HOLDING):
            return None
        rest = self._rest_of_legs(view)
        if rest is None:
            return None
        legs, left = rest
        needed_wh = legs[0].energy_wh * left + sum(leg.energy_wh for leg in legs[1:])
        if not self.is_on_way_home(view):
            needed_wh += hover_wh + inbound_wh
        return needed_wh

    def endurance_s(self) -> float:
        """How long the vehicle can stay up at most: the whole usable energy at the plan's mean power."""
        energy, timing = self.plan.energy, self.plan.timing
        flying_s = max(1.0, timing.total_s - timing.preparation_s)
        return flying_s * energy.usable_wh / max(1.0, energy.total_wh)
