"""Which faults a view shows, in the phase in which it is seen. Debouncing is the tracker's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from flight.closed_zones import ClosedZones
from flight.landing_watch import HEIGHT_ERROR_M, LandingWatch
from flight.model.failsafe import WaysOpen
from flight.model.faults import LINK_LOST_AFTER_S, LINK_STALE_AFTER_S, Fault, Finding
from flight.model.phases import AIRBORNE_PHASES, LINE_OUT_PHASES, Phase
from flight.model.view import LandedState, MissionState, VehicleView
from flight.motor_load import MotorLoad
from flight.planned_way import PlannedWay
from flight.progress_watch import ProgressWatch
from flight.traffic import TrafficWatch
from planner.airframe import Airframe
from planner.corridor import Corridor, corridor_of
from planner.energy import battery_at
from planner.flight_plan import Leg

HOVER_DRIFT_LIMIT_M = 8.0
"""With the line out, farther than this from the delivery point is a deviation: the landing point's
clear radius is of this size (chosen)."""
HEIGHT_MARGIN_M = 3.0
"""Beyond the airframe's altitude error: what a barometer drifts with the weather within one flight (chosen)."""
REBOOT_SHOWN_FOR_S = 10.0
GPS_FIX_3D = 3
JUMP_MARGIN_M = 8.0
"""Noise and rounding of positions; a real glitch is tens of metres (chosen)."""
JUMP_SPEED_M_S = 40.0
"""No vehicle here flies faster, wind included (chosen: twice the fastest airframe)."""
JUMP_REMEMBERED_S = 5.0
"""A jump is seen in one message; it counts for this long, so that a position that keeps jumping stays a
fault (chosen)."""
FALLING_FACTOR = 1.6
FALLING_MARGIN_M_S = 2.0
"""Descending this much faster than planned is falling (chosen: gusts move a hover by 1 m/s)."""
CONTROL_SENSORS = 0x400 | 0x800 | 0x8000
"""MAV_SYS_STATUS_SENSOR: angular rate control, attitude stabilisation, motor outputs."""
TROUBLE_TEXTS = ("potential thrust loss", "crash:", "motor failure", "attitude failure")
"""What autopilots say about lost thrust and attitude, in lower case."""
TEXT_AGE_S = 5.0
STILL_M_S = 0.5

_ON_WAY = (Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING)
_TURNED_HOME = frozenset({Phase.INBOUND, Phase.RETURNING})


class FaultFinder:
    """One flight's. ``shows_mission``: whether item numbers mean a way now."""

    def __init__(
        self,
        way: PlannedWay,
        airframe: Airframe | None,
        *,
        estimator_ready: Callable[[VehicleView], bool | None],
        shows_mission: Callable[[VehicleView, float], bool],
    ) -> None:
        self.way = way
        self.zones = ClosedZones((), way.plan.home.position, None)
        """Replaced whenever a notice about zones comes."""
        self._airframe = airframe
        self._corridor: Corridor | None = None if airframe is None else corridor_of(airframe)
        self._landing = LandingWatch(way, airframe)
        self._traffic = TrafficWatch(way)
        self._progress = ProgressWatch(way)
        self._load = MotorLoad()
        self._estimator_ready = estimator_ready
        self._shows_mission = shows_mission
        self._reboots_before: int | None = None
        self._last: tuple[float, float, float] | None = None
        self._jumped: tuple[float, float] | None = None

    def findings(self, view: VehicleView, phase: Phase, now_s: float, now: datetime) -> list[Finding]:
        """Every fault condition that holds now."""
        found: list[Finding] = []
        self._load.look(view)
        silent_s = view.silent_for_s(now_s)
        if silent_s is not None and silent_s > LINK_STALE_AFTER_S:
            found.append(Finding(Fault.LINK_STALE, f"nothing heard for {silent_s:.1f} s"))
        if silent_s is not None and silent_s > LINK_LOST_AFTER_S:
            found.append(Finding(Fault.LINK_LOST, f"nothing heard for {silent_s:.1f} s"))
        if self._reboots_before is None:
            # PX4 is ready 4 s after its boot: one on the pad is no fault of the flight that follows.
            self._reboots_before = view.reboots
        rebooted = view.reboots > self._reboots_before
        if rebooted and view.boot_time_s is not None and view.boot_time_s < REBOOT_SHOWN_FOR_S:
            found.append(Finding(Fault.AUTOPILOT_REBOOTED, f"up for {view.boot_time_s:.0f} s"))
        if view.fence_breached:
            found.append(Finding(Fault.FENCE_BREACHED, "the autopilot reports a fence breach"))
        found += self._position(view, now_s)
        found += self._body(view, phase, now_s)
        found += self._traffic.findings(view, now_s)
        found += self._landing.findings(view, phase, now_s)
        found += self._energy(view, phase)
        found += self._wind(view)
        found += self._progress.findings(view, phase, now_s)
        found += self._mission(view, phase)
        found += self._deviation(view, phase, now_s)
        found += self._zones(view, phase, now)
        return found

    # --- the vehicle --------------------------------------------------------------------------

    def _position(self, view: VehicleView, now_s: float) -> list[Finding]:
        found = []
        if view.gps_fix_type is not None and view.gps_fix_type < GPS_FIX_3D:
            found.append(Finding(Fault.GPS_LOST, f"fix type {view.gps_fix_type}"))
        elif self._estimator_ready(view) is False:
            found.append(Finding(Fault.ESTIMATOR_FAILED, "the estimator has no absolute position"))
        jump = self._jump(view)
        if jump is not None:
            self._jumped = (now_s, jump)
        if self._jumped is not None and now_s - self._jumped[0] <= JUMP_REMEMBERED_S:
            found.append(Finding(Fault.GPS_GLITCH, f"the position jumped by {self._jumped[1]:.0f} m"))
        return found

    def _jump(self, view: VehicleView) -> float | None:
        """Metres, if the last two positions cannot both be true."""
        if view.position is None or view.position_s is None:
            return None
        here = self.way.place(view.position)
        before, self._last = self._last, (view.position_s, here.east_m, here.north_m)
        if before is None or view.position_s <= before[0]:
            return None
        moved_m = math.hypot(here.east_m - before[1], here.north_m - before[2])
        possible_m = JUMP_SPEED_M_S * (view.position_s - before[0]) + JUMP_MARGIN_M
        return moved_m if moved_m > possible_m else None

    def _body(self, view: VehicleView, phase: Phase, now_s: float) -> list[Finding]:
        if phase not in AIRBORNE_PHASES or not view.armed:
            return []
        found = []
        up_m_s = view.velocity_up_m_s
        if self._airframe is not None and up_m_s is not None:
            falling_m_s = FALLING_FACTOR * self._airframe.descent_rate_m_s + FALLING_MARGIN_M_S
            if up_m_s < -falling_m_s:
                found.append(Finding(Fault.MOTOR_TROUBLE, f"falling at {-up_m_s:.0f} m/s"))
        if view.unhealthy_sensors is not None and view.unhealthy_sensors & CONTROL_SENSORS:
            found.append(Finding(Fault.MOTOR_TROUBLE, "the autopilot reports its control unhealthy"))
        for text in view.texts:
            if now_s - text.at_s <= TEXT_AGE_S and text.text.lower().startswith(TROUBLE_TEXTS):
                found.append(Finding(Fault.MOTOR_TROUBLE, f"the autopilot said: {text.text}"))
        if self._lies_there(view):
            found.append(Finding(Fault.CRASHED, "on the ground with turning motors"))
        return found

    def _lies_there(self, view: VehicleView) -> bool:
        """Motors are stopped for this, so a landed detector's word is not enough: one that errs over a patient, or a frame
        that somebody forged, would drop the vehicle from its hover. They must also draw less than flying takes, and the
        height must not say otherwise; without a current nobody knows, and people are told by other faults."""
        speed_m_s, up_m_s = view.ground_speed_m_s or 0.0, view.velocity_up_m_s or 0.0
        if view.landed_state is not LandedState.ON_GROUND or max(speed_m_s, abs(up_m_s)) >= STILL_M_S:
            return False
        height_m = self.way.height_over_known_ground_m(view)
        high = height_m is not None and abs(height_m) > HEIGHT_ERROR_M
        return self._load.carries(view) is False and not high

    def _energy(self, view: VehicleView, phase: Phase) -> list[Finding]:
        if view.charge_fraction is None or self._airframe is None:
            return []
        battery = battery_at(self._airframe, view.charge_fraction)
        needed_wh = self.way.remaining_energy_wh(view, phase)
        if battery.usable_wh < 0.5 * battery.reserve_wh:
            return [Finding(Fault.BATTERY_CRITICAL, f"charge {view.charge_fraction:.0%}")]
        if needed_wh is not None and phase in _TURNED_HOME and battery.usable_wh < needed_wh:
            detail = f"{battery.usable_wh:.0f} Wh usable, {needed_wh:.0f} Wh needed to come home"
            return [Finding(Fault.BATTERY_CRITICAL, detail)]
        found = []
        if battery.usable_wh < battery.reserve_wh:
            found.append(Finding(Fault.BATTERY_LOW, f"charge {view.charge_fraction:.0%}"))
        if needed_wh is not None and battery.usable_wh < needed_wh + battery.reserve_wh:
            detail = f"{battery.usable_wh:.0f} Wh usable, {needed_wh:.0f} Wh and the reserve needed"
            found.append(Finding(Fault.ENERGY_SHORT, detail))
        return found

    def _wind(self, view: VehicleView) -> list[Finding]:
        speed_m_s = view.measured_wind[1]
        if self._airframe is None or speed_m_s is None or speed_m_s <= self._airframe.wind_limit_m_s:
            return []
        detail = f"{speed_m_s:.0f} m/s measured, {self._airframe.wind_limit_m_s:.0f} m/s allowed"
        return [Finding(Fault.WIND_ABOVE_LIMIT, detail)]

    def _mission(self, view: VehicleView, phase: Phase) -> list[Finding]:
        if phase not in AIRBORNE_PHASES or view.mission_state is not MissionState.NO_MISSION:
            return []
        return [Finding(Fault.MISSION_LOST, "the autopilot holds no valid mission any more")]

    # --- the way ------------------------------------------------------------------------------

    def _deviation(self, view: VehicleView, phase: Phase, now_s: float) -> list[Finding]:
        plan = self.way.plan
        if phase in LINE_OUT_PHASES or phase in (Phase.HOVERING, Phase.TOUCHING_DOWN):
            off_m = self.way.distance_m(view, plan.delivery)
            if HOVER_DRIFT_LIMIT_M < off_m < math.inf:
                detail = f"{off_m:.0f} m off the delivery, {HOVER_DRIFT_LIMIT_M:.0f} m allowed"
                return [Finding(Fault.DEVIATION, detail)]
            return []
        if phase not in _ON_WAY or not self._shows_mission(view, now_s):
            return []
        off = self.way.off_way(view)
        if off is None:
            return []
        side_m, height_m = off
        if side_m > plan.corridor_half_width_m:
            detail = f"{side_m:.0f} m off, {plan.corridor_half_width_m:.0f} m allowed"
            return [Finding(Fault.DEVIATION, detail)]
        if self._corridor is not None:
            allowed_m = self._corridor.altitude_error_m + HEIGHT_MARGIN_M
            if height_m > allowed_m:
                detail = f"{height_m:.0f} m above or below, {allowed_m:.0f} m allowed"
                return [Finding(Fault.DEVIATION, detail)]
        return []

    # --- zones that were closed meanwhile -----------------------------------------------------

    def _band(self, view: VehicleView) -> tuple[float, float]:
        """Altitudes between which the rest is flown, the error included."""
        plan = self.way.plan
        altitudes = [leg.end.altitude_amsl_m for leg in (*plan.outbound, *plan.inbound)]
        error_m = 0.0 if self._corridor is None else self._corridor.altitude_error_m
        return min(altitudes) - error_m, max(altitudes) + error_m

    def _altitude_m(self, view: VehicleView) -> float | None:
        if view.height_above_home_m is None:
            return None
        return view.height_above_home_m + self.way.plan.home.altitude_amsl_m

    def _zones(self, view: VehicleView, phase: Phase, now: datetime) -> list[Finding]:
        altitude_m = self._altitude_m(view)
        if self.zones.empty or view.position is None or altitude_m is None or self._corridor is None:
            return []
        here = self.way.place(view.position)
        if phase not in AIRBORNE_PHASES:
            met = self._met(view, (*self.way.plan.outbound, *self.way.plan.inbound), now, home=False)
            return [] if met is None else [Finding(Fault.ZONE_AHEAD, f"zone {met} was closed")]
        error_m = self._corridor.altitude_error_m
        inside = self.zones.around((here.east_m, here.north_m), altitude_m, error_m, now)
        if inside is not None:
            detail = f"inside zone {inside}, which was closed"
            on = self.way.line(view, self.way.ahead(view, phase))
            back = self.way.line(view, self.way.back(view, phase))
            sooner_back = self.zones.length_inside_m(back, altitude_m, now) < self.zones.length_inside_m(
                on, altitude_m, now
            )
            return [Finding(Fault.ZONE_TURN_BACK if sooner_back else Fault.ZONE_AROUND, detail)]
        legs = self.way.ahead(view, phase)
        home = self.way.is_on_way_home(view.mission_seq) or phase in _TURNED_HOME
        met = self._met(view, legs, now, home=home)
        return [] if met is None else [Finding(Fault.ZONE_AHEAD, f"zone {met} on the way was closed")]

    def _met(
        self,
        view: VehicleView,
        legs: Sequence[Leg],
        now: datetime,
        *,
        home: bool,
        leaving: frozenset[str] = frozenset(),
    ) -> str | None:
        """A zone that the legs meet, by what a way has to keep beside being flown well.

        On the way out that is the contingency volume: the flight geography is what the vehicle itself may be
        off, and a planned way keeps both. Going home the flight geography suffices: leaving is better than
        standing in a margin.
        """
        if not legs or self._corridor is None:
            return None
        clearance_m = self._corridor.flight_geography_m if home else self._corridor.contingency_m
        low_m, high_m = self._band(view)
        plan = self.way.plan
        for_s = 1.5 * sum(leg.duration_s for leg in legs) + plan.hover_budget_s + 60.0
        return self.zones.met_by(
            self.way.line(view, legs),
            clearance_m,
            low_amsl_m=low_m,
            high_amsl_m=high_m,
            now=now,
            for_s=for_s,
            leaving=leaving,
        )

    def ways_open(self, view: VehicleView, phase: Phase, now: datetime) -> WaysOpen:
        """Whether the planned way home and the straight way to the nearest rally point are free."""
        rally = self.way.nearest_rally(view)
        if self.zones.empty or view.position is None or self._corridor is None:
            return WaysOpen(home=True, rally=rally is not None)
        here = self.way.place(view.position)
        altitude_m, error_m = self._altitude_m(view), self._corridor.altitude_error_m
        # Whoever stands in a zone crosses it whichever way it goes; standing in it for good is no better way.
        around: tuple[str, ...] = ()
        if altitude_m is not None:
            around = self.zones.all_around((here.east_m, here.north_m), altitude_m, error_m, now)
        leaving = frozenset(around)
        home = self._met(view, self.way.back(view, phase), now, home=True, leaving=leaving) is None
        if rally is None:
            return WaysOpen(home=home, rally=False)
        low_m, high_m = self._band(view)
        met = self.zones.met_by(
            [(here.east_m, here.north_m), self.way.xy_of(rally)],
            self._corridor.flight_geography_m,
            low_amsl_m=low_m,
            high_amsl_m=high_m,
            now=now,
            for_s=120.0,
        )
        return WaysOpen(home=home, rally=met is None)
