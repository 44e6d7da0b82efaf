"""Reads one flight from what its vehicle shows: which triggers follow from a view.

No I/O and no clock: views and times come in. The only memory is what needs two moments to be seen
(settling, mode changes under way). Faults: :mod:`flight.fault_finder`; times and energy left:
:mod:`flight.planned_way`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from flight.autopilots.base import ModeClass
from flight.fault_finder import FaultFinder
from flight.model.phases import FLIGHT_PHASES, LINE_OUT_PHASES, Phase, Trigger
from flight.model.view import LandedState, MissionState, VehicleView
from flight.planned_way import PlannedWay
from planner.airframe import load_airframes
from planner.compile.mission_types import CompiledMission
from planner.flight_plan import DeliveryMethod, FlightPlan

ON_PAD_WITHIN_M = 8.0
"""Chosen: GPS error and a gust at touchdown; the pad's surroundings are the station's own ground."""
AT_RALLY_WITHIN_M = 15.0
"""Chosen: a rally point is an area kept free, not a pad."""
AT_DELIVERY_WITHIN_M = 3.0
AT_DELIVERY_HEIGHT_M = 1.5
SETTLED_SPEED_M_S = 0.5
SETTLED_FOR_S = 1.0
"""Half a second is a swing's turning point; a second of calm is a hover (chosen)."""
HEAD_CLEARANCE_M = 3.0
"""The hook hangs higher than a person with raised arms reaches: safe to approach (chosen)."""
LINE_STRAYS_M = 1.5
"""More than slack, rounding and a load that swings on its hook (chosen)."""
ROTOR_CLEARANCE_M = 10.0
"""Without a line the drone itself must be this high or far before people may come (chosen)."""
DISARMED_FOR_S = 1.5
"""In the air, stopped motors must be said for longer than a heartbeat's period: one frame, torn or forged, must not
end a flight that goes on (chosen)."""
MODE_GRACE_S = 4.0
"""From our own mode command until HEARTBEAT must show it; longer than its confirmation takes."""
AIRBORNE_ABOVE_M = 0.5

_MISSION_PHASES = frozenset(
    {
        Phase.CLIMBING,
        Phase.OUTBOUND,
        Phase.HOVERING,
        Phase.TOUCHING_DOWN,
        Phase.INBOUND,
        Phase.RETURNING,
    }
    | LINE_OUT_PHASES
)
_LINE_IN_PHASES = frozenset(
    {
        Phase.OUTBOUND,
        Phase.HOVERING,
        Phase.INBOUND,
        Phase.RETURNING,
        Phase.HOLDING,
        Phase.STANDING_OFF,
        Phase.REROUTING,
        Phase.DIVERTING,
        Phase.LANDING,
    }
)
_ARMED_PHASES = FLIGHT_PHASES - {
    Phase.PREPARING,
    Phase.WAITING,
    Phase.ARMING,
    Phase.UNLOADING,
    Phase.UNCLAIMED,
}
_MAY_COME_DOWN_HERE = frozenset({Phase.LANDING_HERE, Phase.HANDED_OVER})
"""Above the AED now is no word for the next moment: only a distance is, or motors that stand."""
_COMING_DOWN = frozenset({Phase.ARMED, Phase.LANDING, Phase.LANDING_HERE})
"""Phases whose end is that the motors stop (or, just armed on the pad, may be)."""
_GIVEN_BACK_IN = frozenset({Phase.HANDED_OVER, Phase.AUTOPILOT_RETURN, Phase.HOLDING, Phase.STANDING_OFF})


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
        self.way = PlannedWay(plan, mission)
        self.faults = FaultFinder(
            self.way,
            load_airframes().get(plan.airframe_id),
            estimator_ready=estimator_ready,
            shows_mission=self._shows_mission,
        )
        self._mode_class = mode_class
        self._expected: frozenset[ModeClass] = frozenset()
        self._grace_until_s = -math.inf
        self._reached = True
        self.mission_is_ours = True
        """False once the vehicle was found with another mission: its item numbers then mean nothing to us,
        and nobody's AUTO gives it back."""
        self.may_lower = True
        """False while the place below is reported occupied: a settled hover then stays a hover."""
        self._disarmed_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._approach_announced = False

    # --- modes --------------------------------------------------------------------------------

    def expect_mode(self, classes: frozenset[ModeClass], now_s: float, *, reached: bool = False) -> None:
        """We are about to command a mode: until it shows, others are not a takeover.

        ``reached``: it counts as shown already; for a restarted controller, which cannot know.
        """
        self._expected = classes
        self._grace_until_s = now_s + MODE_GRACE_S
        self._reached = reached or not classes

    def _mode_trigger(self, view: VehicleView, phase: Phase, now_s: float) -> Trigger | None:
        if view.custom_mode is None or phase not in _ARMED_PHASES or phase is Phase.DISARMING:
            return None
        shown = self._mode_class(view.custom_mode)
        if shown in self._expected:
            self._grace_until_s = -math.inf
            self._reached = True
        if now_s < self._grace_until_s:
            return None
        if phase in _GIVEN_BACK_IN and shown is ModeClass.MISSION:
            if not self._reached:
                # Our own stop has not arrived yet; nobody gave anything back.
                return None
            return Trigger.CONTROL_GIVEN_BACK if self.mission_is_ours else None
        if shown in self._expected or not self._expected:
            return None
        if shown is ModeClass.RETURN:
            return Trigger.AUTOPILOT_RETURNS
        if shown is ModeClass.LAND:
            return Trigger.AUTOPILOT_LANDS
        if shown is ModeClass.MISSION:
            return None
        if shown is ModeClass.HOLD and view.mission_state is MissionState.NO_MISSION:
            # PX4 stands by itself when its mission is gone: nobody has taken anything (see Fault.MISSION_LOST).
            return None
        return Trigger.CONTROL_TAKEN

    # --- triggers -----------------------------------------------------------------------------

    def observe(self, view: VehicleView, phase: Phase, now_s: float) -> Trigger | None:
        """The most important thing that the view shows in this phase, or None.

        Ending first, then who has control, then the way. Call again after each move.
        """
        if phase is Phase.ARMING:
            return Trigger.ARMED if view.armed else None
        if phase is Phase.UNLOADING:
            return Trigger.CONTROL_TAKEN if self._somebody_took_off(view) else None
        if phase is Phase.TOUCHING_DOWN and self._is_down_at_delivery(view):
            return Trigger.DOWN_AT_DELIVERY
        if (
            phase in _ARMED_PHASES
            and phase is not Phase.DISARMING
            and self._is_disarmed(view, now_s, at_once=phase in _COMING_DOWN)
        ):
            return self.disarmed_where(view)
        moded = self._mode_trigger(view, phase, now_s)
        if moded is not None:
            return moded
        if phase in (Phase.ARMED, Phase.DISARMING):
            return Trigger.AIRBORNE if self._is_airborne(view) else None
        if phase in _MISSION_PHASES and not self._shows_mission(view, now_s):
            return None
        return self._way_trigger(view, phase, now_s)

    def _is_disarmed(self, view: VehicleView, now_s: float, *, at_once: bool) -> bool:
        """Whether the motors stand. Where a landing ends they are expected to; anywhere else it must be said twice."""
        if view.armed is not False:
            self._disarmed_since_s = None
            return False
        if self._disarmed_since_s is None:
            self._disarmed_since_s = now_s
        return at_once or now_s - self._disarmed_since_s >= DISARMED_FOR_S

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
            phase in (Phase.CLIMBING, Phase.OUTBOUND, Phase.HOVERING, Phase.TOUCHING_DOWN)
            or phase in LINE_OUT_PHASES
        )
        if on_outward_side and seq is not None and seq >= indices.inbound_first:
            return Trigger.WAY_HOME_STARTED
        match phase:
            case Phase.CLIMBING if seq is not None and seq > indices.takeoff:
                return Trigger.CLIMBED
            case Phase.OUTBOUND if seq == indices.delivery_hover and self._is_at_delivery(view):
                return Trigger.AT_DELIVERY
            case Phase.HOVERING if self._is_settled(view, now_s) and self.may_lower:
                lands = self.plan.delivery_method is DeliveryMethod.LAND
                return Trigger.SETTLED_TO_LAND if lands else Trigger.SETTLED
            case Phase.INBOUND | Phase.RETURNING if (
                seq in (indices.land, indices.retrace_land)
                and self.way.distance_m(view, self.plan.landing) <= ON_PAD_WITHIN_M
            ):
                return Trigger.FINAL_DESCENT
            case Phase.DIVERTING | Phase.AUTOPILOT_RETURN if view.landed_state is LandedState.LANDING:
                return Trigger.FINAL_DESCENT
        return None

    def _is_airborne(self, view: VehicleView) -> bool:
        height_m = view.height_above_home_m
        return height_m is not None and height_m > AIRBORNE_ABOVE_M and view.on_ground is not True

    def _is_down_at_delivery(self, view: VehicleView) -> bool:
        """After we had it land: its own word for the ground, or stopped motors where it was to land."""
        if view.on_ground:
            return True
        return view.armed is False and self.way.distance_m(view, self.plan.delivery) <= ON_PAD_WITHIN_M

    def _somebody_took_off(self, view: VehicleView) -> bool:
        """In the air from where it stood. In LAND mode it is the landing that bounces."""
        return view.armed is True and view.landed_state is LandedState.IN_AIR and not self.lands(view)

    def is_over_delivery(self, view: VehicleView) -> bool:
        """Above the landing point, at whatever height: here it may come down."""
        return self.way.distance_m(view, self.plan.delivery) <= AT_DELIVERY_WITHIN_M

    def lands(self, view: VehicleView) -> bool:
        """Whether a mode that comes down where the vehicle is flies it."""
        return view.custom_mode is not None and self._mode_class(view.custom_mode) is ModeClass.LAND

    def _is_at_delivery(self, view: VehicleView) -> bool:
        if view.height_above_home_m is None:
            return False
        wanted_m = self.plan.delivery.altitude_amsl_m - self.plan.home.altitude_amsl_m
        return (
            self.way.distance_m(view, self.plan.delivery) <= AT_DELIVERY_WITHIN_M
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
        if self.way.distance_m(view, self.plan.home) <= ON_PAD_WITHIN_M:
            return Trigger.DISARMED_ON_PAD
        # Where it was diverted to is one as well, whether the autopilot knows it as such or not.
        elsewhere = (
            self.plan.rally_points
            if self.plan.lands_at is None
            else (*self.plan.rally_points, self.plan.lands_at)
        )
        if any(self.way.distance_m(view, place) <= AT_RALLY_WITHIN_M for place in elsewhere):
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

    def is_clear_to_approach(self, view: VehicleView, phase: Phase) -> bool:
        """After the release: whether people may walk up to the AED, and were not told so yet."""
        if self._approach_announced:
            return False
        hook_m = self.hook_height_m(view)
        away_m = self.way.distance_m(view, self.plan.delivery)
        needed_m = (
            HEAD_CLEARANCE_M if self.plan.delivery_method is DeliveryMethod.WINCH else ROTOR_CLEARANCE_M
        )
        above = phase not in _MAY_COME_DOWN_HERE and hook_m is not None and hook_m >= needed_m
        return above or ROTOR_CLEARANCE_M <= away_m < math.inf

    @property
    def approach_announced(self) -> bool:
        """Whether people were told that they may come."""
        return self._approach_announced

    def announced_approach(self) -> None:
        """It is said now; or it was, before the agent started again."""
        self._approach_announced = True

    def return_seq(self, view: VehicleView) -> int:
        """Where «return now» jumps to."""
        held, self.way.held_seq = self.way.held_seq, None
        return self.way.return_seq(view.mission_seq if held is None else held)

    def is_on_way_home(self, view: VehicleView) -> bool:
        """Whether the current item is already one of a way home."""
        return self.way.held_seq is None and self.way.is_on_way_home(view.mission_seq)
