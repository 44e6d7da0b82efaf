"""Where a vehicle is on its planned way, and what is left of it: distances, times, energy.

Arithmetic in the plan's local plane; views come in, nothing is remembered but the last projection.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.errors import AirspaceError
from core.geodesy import EnuOffset, LocalFrame, Wgs84Point, geodesic_distance_m, initial_bearing_deg
from flight.model.phases import LINE_OUT_PHASES, STANDING_PHASES, Phase
from flight.model.view import VehicleView
from planner.compile.mission_types import CompiledMission
from planner.flight_plan import FlightPlan, Leg, RoutePoint

XY = tuple[float, float]
NEAR_GROUND_WITHIN_M = 8.0
"""As for «on its pad»: here the plan knows the ground's height."""
_AT_DELIVERY_PHASES = LINE_OUT_PHASES | {Phase.HOVERING, Phase.TOUCHING_DOWN}


class PlannedWay:
    """One plan and its mission, asked about the vehicle's place on it."""

    def __init__(self, plan: FlightPlan, mission: CompiledMission) -> None:
        self.plan = plan
        self.mission = mission
        self.frame = LocalFrame(plan.home.position)
        self.held_seq: int | None = None
        """The item that was flown when the mission was written anew; until the vehicle flies again, this and
        not MISSION_CURRENT says where it is on its way."""
        self._here: tuple[Wgs84Point, EnuOffset] | None = None
        ends = [point for legs in plan.sections().values() for leg in legs for point in (leg.start, leg.end)]
        self._on_plane = {
            point.position: self.frame.to_enu(point.position)
            for point in (*ends, *plan.rally_points, plan.home, plan.delivery)
        }
        self.legs = [self._leg_of(seq) for seq in range(len(mission.items))]
        self._rest: dict[int, tuple[Leg, ...]] = {}
        """Asked many times a second, and the plan never changes: looked up once for each item."""
        self._home_s = sum(leg.duration_s for leg in plan.inbound)
        self._home_wh = sum(leg.energy_wh for leg in plan.inbound)

    def _leg_of(self, seq: int) -> Leg | None:
        named = self.mission.item_legs[seq]
        return None if named is None else self.plan.section(named.section)[named.index]

    # --- places -------------------------------------------------------------------------------

    def place(self, position: Wgs84Point) -> EnuOffset:
        """In the plan's plane. Projected once for each position heard; every question then is arithmetic."""
        if self._here is None or self._here[0] is not position:
            self._here = (position, self._projected(position))
        return self._here[1]

    def place_of(self, other: Wgs84Point) -> EnuOffset:
        """Of something else than the vehicle, in the plan's plane."""
        return self._projected(other)

    def _projected(self, position: Wgs84Point) -> EnuOffset:
        """Beyond the plane's reach (100 km) no vehicle of ours is: a forged frame or a broken receiver says so.
        It is then simply very far away, which every check here takes for a fault."""
        try:
            return self.frame.to_enu(position)
        except AirspaceError:
            bearing_rad = math.radians(initial_bearing_deg(self.frame.origin, position))
            away_m = geodesic_distance_m(self.frame.origin, position)
            return EnuOffset(away_m * math.sin(bearing_rad), away_m * math.cos(bearing_rad))

    def xy_of(self, point: RoutePoint) -> XY:
        """A point of the plan in its plane."""
        offset = self._on_plane[point.position]
        return offset.east_m, offset.north_m

    def distance_m(self, view: VehicleView, point: RoutePoint) -> float:
        """Horizontal distance to a point of the plan; infinite while the position is unknown."""
        if view.position is None:
            return math.inf
        mine, its = self.place(view.position), self._on_plane[point.position]
        return math.hypot(mine.east_m - its.east_m, mine.north_m - its.north_m)

    def height_over_known_ground_m(self, view: VehicleView) -> float | None:
        """None where the plan does not know the ground below, or the height is not told."""
        if view.height_above_home_m is None:
            return None
        plan = self.plan
        if self.distance_m(view, plan.home) <= NEAR_GROUND_WITHIN_M:
            return view.height_above_home_m
        if self.distance_m(view, plan.delivery) <= NEAR_GROUND_WITHIN_M:
            return plan.home.altitude_amsl_m + view.height_above_home_m - plan.delivery_ground_amsl_m
        return None

    def nearest_rally(self, view: VehicleView) -> RoutePoint | None:
        """The rally point that the autopilot's own return takes; None where the plan has none."""
        return min(self.plan.rally_points, key=lambda rally: self.distance_m(view, rally), default=None)

    # --- beside the way -----------------------------------------------------------------------

    def off_way(self, view: VehicleView) -> tuple[float, float] | None:
        """(sideways, in height) metres from the current leg or one of the two before it, whichever is nearer.

        None where no leg is known. In height a leg reaches from its lower to its higher end.
        """
        seq = view.mission_seq
        if seq is None or not 0 <= seq < len(self.legs) or view.position is None:
            return None
        near = [leg for leg in self.legs[max(0, seq - 2) : seq + 1] if leg is not None]
        if not near:
            return None
        return min((self._off_leg(view, view.position, leg) for leg in near), key=lambda off: sum(off))

    def _off_leg(self, view: VehicleView, position: Wgs84Point, leg: Leg) -> tuple[float, float]:
        p = self.place(position)
        (ax, ay), (bx, by) = self.xy_of(leg.start), self.xy_of(leg.end)
        along_e, along_n = bx - ax, by - ay
        square = along_e * along_e + along_n * along_n
        t = 0.0
        if square > 0:
            t = ((p.east_m - ax) * along_e + (p.north_m - ay) * along_n) / square
            t = min(1.0, max(0.0, t))
        side_m = math.hypot(p.east_m - ax - t * along_e, p.north_m - ay - t * along_n)
        if view.height_above_home_m is None:
            return side_m, 0.0
        altitude_m = view.height_above_home_m + self.plan.home.altitude_amsl_m
        low_m, high_m = sorted((leg.start.altitude_amsl_m, leg.end.altitude_amsl_m))
        return side_m, max(low_m - altitude_m, altitude_m - high_m, 0.0)

    # --- the rest -----------------------------------------------------------------------------

    def return_seq(self, seq: int | None) -> int:
        """Where «return now» jumps to from item ``seq``. Without a known item: the beginning of the way back
        from the delivery, which the vehicle reaches only over its own mission."""
        if seq is None or not 0 <= seq < len(self.mission.return_entry):
            return self.mission.indices.retrace_first
        return self.mission.return_entry[seq]

    def rest_from(self, seq: int | None) -> tuple[Leg, ...]:
        """The legs from item ``seq`` to the end of its section; empty where no leg is known."""
        if seq is None or not 0 <= seq < len(self.legs):
            return ()
        rest = self._rest.get(seq)
        if rest is None:
            named = next((n for n in self.mission.item_legs[seq:] if n is not None), None)
            rest = () if named is None else tuple(self.plan.section(named.section)[named.index :])
            self._rest[seq] = rest
        return rest

    def is_on_way_home(self, seq: int | None) -> bool:
        """Whether item ``seq`` is already one of a way home."""
        if seq is None or not self.mission.indices.inbound_first <= seq < len(self.legs):
            return False
        named = next((each for each in self.mission.item_legs[seq:] if each is not None), None)
        return named is not None and not named.section.startswith("transfer")

    def ahead(self, view: VehicleView, phase: Phase) -> Sequence[Leg]:
        """What is still to be flown as planned, the current leg first."""
        if phase in _AT_DELIVERY_PHASES:
            return self.plan.inbound
        seq = view.mission_seq
        rest = self.rest_from(seq)
        return rest if self.is_on_way_home(seq) else (*rest, *self.plan.inbound)

    def back(self, view: VehicleView, phase: Phase) -> Sequence[Leg]:
        """The legs that «return now» would fly."""
        if phase in _AT_DELIVERY_PHASES:
            return self.plan.inbound
        seq = view.mission_seq
        if self.is_on_way_home(seq):
            return self.rest_from(seq)
        back_seq = self.return_seq(seq)
        rest = self.rest_from(back_seq)
        # Back from a transfer is on over the alternate, and home from there.
        return rest if self.is_on_way_home(back_seq) else (*rest, *self.plan.inbound)

    def line(self, view: VehicleView, legs: Sequence[Leg]) -> list[XY]:
        """From where the vehicle is over the ends of ``legs``, in the plan's plane."""
        if view.position is None:
            return []
        here = self.place(view.position)
        line = [(here.east_m, here.north_m)]
        for leg in legs:
            xy = self.xy_of(leg.end)
            if xy != line[-1]:
                line.append(xy)
        return line

    def _to_end_m(self, view: VehicleView, leg: Leg) -> float | None:
        """Metres to the end of a leg, height included; None while the place is not known."""
        if view.position is None or view.height_above_home_m is None:
            return None
        end_height_m = leg.end.altitude_amsl_m - self.plan.home.altitude_amsl_m
        return math.hypot(self.distance_m(view, leg.end), end_height_m - view.height_above_home_m)

    def _left_of(self, view: VehicleView, leg: Leg) -> float:
        to_end_m = self._to_end_m(view, leg)
        if to_end_m is None or leg.length_m <= 0:
            return 1.0
        return min(1.0, to_end_m / leg.length_m)

    def to_end_of_leg_m(self, view: VehicleView) -> float | None:
        """Metres, height included, to the end of the leg that is being flown; None where leg or place is not known."""
        rest = self.rest_from(view.mission_seq)
        return self._to_end_m(view, rest[0]) if rest else None

    def seconds_left(self, view: VehicleView, legs: Sequence[Leg]) -> float:
        """Of ``legs``, the first of which is being flown."""
        if not legs:
            return 0.0
        return legs[0].duration_s * self._left_of(view, legs[0]) + sum(leg.duration_s for leg in legs[1:])

    def eta_s(self, view: VehicleView, phase: Phase) -> float | None:
        """Seconds to the AED on the ground before the release, to the pad afterwards."""
        timing = self.plan.timing
        if phase in (Phase.PREPARING, Phase.ARMING, Phase.ARMED):
            return timing.time_to_aed_on_ground_s
        if phase in (Phase.HOVERING, Phase.LOWERING, Phase.RELEASING, Phase.TOUCHING_DOWN):
            return timing.lower_s
        home_s = self._home_s
        if phase in (Phase.RETRACTING, Phase.RECOVERING_LINE):
            return home_s + timing.lower_s
        if phase not in (Phase.CLIMBING, Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING, Phase.LANDING):
            return None
        if phase in (Phase.INBOUND, Phase.RETURNING) and not self.is_on_way_home(view.mission_seq):
            # The jump is on its way; the current item is still one of the way out.
            return home_s
        rest = self.rest_from(view.mission_seq)
        if not rest:
            return None
        seconds = self.seconds_left(view, rest)
        return seconds + (timing.lower_s if phase in (Phase.CLIMBING, Phase.OUTBOUND) else 0.0)

    def remaining_energy_wh(self, view: VehicleView, phase: Phase) -> float | None:
        """What the planned rest of the flight takes; None where no plan describes the rest."""
        inbound_wh = self._home_wh
        if phase in _AT_DELIVERY_PHASES:
            return inbound_wh
        moving = (Phase.CLIMBING, Phase.OUTBOUND, Phase.INBOUND, Phase.RETURNING)
        if phase not in moving and phase not in STANDING_PHASES:
            return None
        return self._energy_of(view, self.rest_from(view.mission_seq), inbound_wh)

    def _energy_of(self, view: VehicleView, rest: Sequence[Leg], inbound_wh: float) -> float | None:
        if not rest:
            return None
        needed_wh = rest[0].energy_wh * self._left_of(view, rest[0]) + sum(leg.energy_wh for leg in rest[1:])
        if not self.is_on_way_home(view.mission_seq):
            needed_wh += self.plan.energy.hover_wh + inbound_wh
        return needed_wh

    def endurance_s(self) -> float:
        """How long the vehicle can stay up at most: the whole usable energy at the plan's mean power."""
        energy, timing = self.plan.energy, self.plan.timing
        flying_s = max(1.0, timing.total_s - timing.preparation_s)
        return flying_s * energy.usable_wh / max(1.0, energy.total_wh)
