"""FlightPlan → mission, fence and rally lists for ArduPilot and PX4.

Layout (ArduPilot; PX4 has no sequence 0 for home):

    0 home · 1 NAV_TAKEOFF · DO_CHANGE_SPEED · WAYPOINT per cruise leg · LOITER_TIME over the landing
    point · DO_WINCH retract · WAYPOINT per leg home · NAV_LAND on the pad
    [· WAYPOINTs of the way out backwards · NAV_LAND on the pad]

PX4 flies on after a landing that is not the last item: there the ways home share one at the end.
    [· per alternate: WAYPOINT up over the landing point · WAYPOINT per leg of the transfer · LOITER_TIME over
       the alternate · DO_WINCH retract · WAYPOINT per leg home · NAV_LAND on the pad]

Delivery by landing has the same mission: unattended it hovers and goes home with the AED. The landing
itself is commanded, because a landing in the middle of a mission disarms ArduCopter and makes PX4 take
off again among the people. The way home from the ground there is :func:`compile_way_home`.

The AED is released only under supervision during the loiter. If the controller dies, the loiter ends
by itself and the vehicle flies the planned legal way home. «Return now» from outbound leg k is a jump
to the item that flies back to the leg's start: the same leg backwards, therefore legal.

Ground speeds: the plan's differ from leg to leg when there is wind. Then every cruise item is
preceded by its own DO_CHANGE_SPEED, so that a jump never leaves an old speed in force; in calm air
one after the take-off is enough (ArduPilot), or none, because the parameter says it (PX4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from planner.airframe import load_airframes
from planner.checks import refuse
from planner.compile import mavlink_numbers as mav
from planner.compile.dialects import DIALECTS, Dialect, returns_are_proved
from planner.compile.fence_items import fence_items
from planner.compile.mission_types import (
    AlternateIndices,
    CompiledMission,
    ItemLeg,
    MissionIndices,
    MissionItem,
)
from planner.compile.parameters import required_parameters
from planner.flight_plan import Alternate, DeliveryMethod, FlightPlan, Leg, RoutePoint

JUMP_REPEATS = 1000.0
"""More often than a flight can pass the jump: used up, it would no longer jump (chosen)."""
SPEED_STEP_M_S = 0.05
"""Ground speeds closer than this are one speed (chosen: far below what an autopilot holds)."""


def autopilot_of(plan: FlightPlan) -> str:
    """The kind of autopilot of the plan's type of drone. Raises 3201 for a type that nobody described."""
    airframe = load_airframes().get(plan.airframe_id)
    if airframe is None:
        raise refuse("airframe_id", f"no airframe {plan.airframe_id!r} is known")
    return airframe.autopilot


def compile_mission(plan: FlightPlan, *, autopilot: str | None = None) -> CompiledMission:
    """The plan as ``autopilot`` («ardupilot» or «px4»; None: that of the plan's airframe) takes it.

    Heights are above home (frame 3), so that they ride on the vehicle's own barometer like the
    vehicle's own home does. Raises 3201 when the plan doesn't fit the autopilot's limits, and for a
    winch on an autopilot that drives none.
    """
    return _compile(plan, autopilot, whole=True)


def compile_way_home(plan: FlightPlan, *, autopilot: str | None = None) -> CompiledMission:
    """The way home after a delivery by landing: take-off from the landing point, inbound, NAV_LAND on the pad.

    Heights stay above the plan's home: lock it before the flight, because ArduCopter moves its home to
    where it arms. Every index of the way out points at the take-off. Raises as :func:`compile_mission`.
    """
    return _compile(plan, autopilot, whole=False)


def _compile(plan: FlightPlan, autopilot: str | None, *, whole: bool) -> CompiledMission:
    name = autopilot_of(plan) if autopilot is None else autopilot
    dialect = DIALECTS.get(name)
    if dialect is None:
        raise refuse("autopilot", f"{name!r} is none of {sorted(DIALECTS)}")
    if plan.delivery_method is DeliveryMethod.WINCH and not dialect.drives_winch:
        raise refuse("delivery_method", f"{dialect.name} drives no winch")
    writer = _Writer(plan, dialect)
    if whole:
        writer.write()
    else:
        writer.write_way_home()
    fence = fence_items(plan, dialect)
    rally = _rally_items(plan, dialect)
    if len(writer.items) > dialect.max_items:
        raise refuse("items", f"{len(writer.items)} items are more than {dialect.name} takes")
    return CompiledMission(
        autopilot=dialect.name,
        items=tuple(writer.items),
        fence=fence,
        rally=rally,
        indices=writer.indices(),
        return_entry=writer.return_entry(),
        item_legs=tuple(writer.legs),
        required_parameters=required_parameters(plan, dialect),
    )


class _Writer:
    """Appends items one by one and remembers where each leg ended up."""

    def __init__(self, plan: FlightPlan, dialect: Dialect) -> None:
        self.plan = plan
        self.dialect = dialect
        self.items: list[MissionItem] = []
        self.legs: list[ItemLeg | None] = []
        self.entry: dict[tuple[str, int], int] = {}
        """(section, leg index) → sequence number at which that leg can be entered by a jump."""
        speeds = [leg.ground_speed_m_s for leg in _cruise(*plan.sections().values())]
        # A mission begun in the air is entered by jumps: every leg then says its own speed.
        self.uniform_speed = plan.start is None and max(speeds) - min(speeds) <= SPEED_STEP_M_S
        self.first_speed_m_s = speeds[0]
        self.winch_seq: int | None = None
        self.alternates: list[AlternateIndices] = []

    def write(self) -> None:
        plan = self.plan
        self._home()
        if plan.start is not None:
            self._begin_in_the_air()
            if plan.delivers:
                self._deliver(mav.NAV_WAYPOINT)
        else:
            self._deliver(mav.NAV_TAKEOFF)
        if plan.retrace and not self.dialect.lands_for_good:
            self._both_ways_home_to_one_landing()
            return
        self._home_section("inbound", plan.inbound)
        if plan.retrace:
            self._home_section("retrace", plan.retrace)
        for number, alternate in enumerate(plan.alternates, start=1):
            # Speeds of legs, winch and all: what doesn't fit for certain is left out, and the indices say so.
            # So is everything behind a landing that doesn't end the mission.
            most = 2 * (len(alternate.transfer) + len(alternate.inbound)) + 1
            if self.dialect.lands_for_good and len(self.items) + most <= self.dialect.max_items:
                self.alternates.append(self._alternate(number, alternate))

    def _alternate(self, number: int, alternate: Alternate) -> AlternateIndices:
        """To another landing point and home from there; entered by a jump from the first hover."""
        transfer, home = f"transfer-{number}", f"home-{number}"
        last = len(alternate.transfer) - 1
        self._leg(transfer, 0, mav.NAV_WAYPOINT, param4=self.dialect.yaw_free)
        for index in range(1, last):
            self._cruise_leg(transfer, index)
        self._leg(transfer, last, mav.NAV_LOITER_TIME, param1=alternate.hover_budget_s)
        winch = None
        if alternate.delivery_method is DeliveryMethod.WINCH:
            winch = self._retract(alternate.delivery.altitude_amsl_m - alternate.delivery_ground_amsl_m)
        self._home_section(home, alternate.inbound)
        return AlternateIndices(
            landing_point_id=alternate.landing_point_id,
            transfer_first=self.entry[transfer, 0],
            delivery_hover=self.entry[transfer, last],
            winch_retract=winch,
            inbound_first=self.entry[home, 0],
            land=self.entry[home, len(alternate.inbound) - 1],
        )

    def _retract(self, line_m: float) -> int:
        """The winch pulls in what it may have let out; the sequence number."""
        self._append(None, mav.DO_WINCH, param1=1.0, param2=mav.WINCH_RELATIVE_LENGTH, param3=-line_m)
        return len(self.items) - 1

    def _begin_in_the_air(self) -> None:
        """Autopilots want a take-off first; the vehicle is set to what comes after it, so it is never flown."""
        first = (self.plan.outbound or self.plan.inbound)[0]
        self._append(None, mav.NAV_TAKEOFF, point=first.end, param4=self.dialect.yaw_free)

    def _deliver(self, first_command: int) -> None:
        plan = self.plan
        last = len(plan.outbound) - 1
        self._leg("outbound", 0, first_command, param4=self.dialect.yaw_free)
        self._uniform_speed()
        for index in range(1, last):
            self._cruise_leg("outbound", index)
        self._leg("outbound", last, mav.NAV_LOITER_TIME, param1=plan.hover_budget_s)
        if plan.delivery_method is DeliveryMethod.WINCH:
            self.winch_seq = self._retract(plan.delivery.altitude_amsl_m - plan.delivery_ground_amsl_m)

    def write_way_home(self) -> None:
        """Only the way home, beginning with a take-off where the vehicle stands."""
        self._home()
        self._leg("inbound", 0, mav.NAV_TAKEOFF, param4=self.dialect.yaw_free)
        self._uniform_speed()
        for index in range(1, len(self.plan.inbound) - 1):
            self._cruise_leg("inbound", index)
        self._leg("inbound", len(self.plan.inbound) - 1, mav.NAV_LAND, param4=self.dialect.yaw_free)
        takeoff = self.entry["inbound", 0]
        self.entry["outbound", 0] = self.entry["outbound", len(self.plan.outbound) - 1] = takeoff
        for index in range(len(self.plan.retrace)):
            home_index = 0 if index == 0 else len(self.plan.inbound) - 1
            self.entry["retrace", index] = self.entry["inbound", home_index]

    def _home(self) -> None:
        if self.dialect.home_first:
            self._append(None, mav.NAV_WAYPOINT, point=self.plan.home, frame=mav.FRAME_GLOBAL_AMSL)

    def _uniform_speed(self) -> None:
        if self.uniform_speed and not self.dialect.speed_by_parameter:
            self._speed(self.first_speed_m_s)

    def _home_section(self, section: str, legs: Sequence[Leg]) -> None:
        self._leg(section, 0, mav.NAV_WAYPOINT, param4=self.dialect.yaw_free)
        for index in range(1, len(legs) - 1):
            self._cruise_leg(section, index)
        self._leg(section, len(legs) - 1, mav.NAV_LAND, param4=self.dialect.yaw_free)

    def _both_ways_home_to_one_landing(self) -> None:
        """The way home, a jump over the retracing, the retracing, and one landing for both at the very end.

        A real PX4 1.17.0 took off from its pad again after a landing with a section behind it. Jumps are
        resolved while the next item is looked for, so the jump is never an active item.
        """
        inbound, retrace = self.plan.inbound, self.plan.retrace
        for section, legs in (("inbound", inbound), ("retrace", retrace)):
            self._leg(section, 0, mav.NAV_WAYPOINT, param4=self.dialect.yaw_free)
            for index in range(1, len(legs) - 1):
                self._cruise_leg(section, index)
            if section == "inbound":
                jump = len(self.items)
                height_m = round(legs[-1].start.altitude_amsl_m, 2)
                self._append(None, mav.DO_JUMP, param2=JUMP_REPEATS, height_m=height_m)
        self._leg("inbound", len(inbound) - 1, mav.NAV_LAND, param4=self.dialect.yaw_free)
        land = self.entry["inbound", len(inbound) - 1]
        self.entry["retrace", len(retrace) - 1] = land
        self.items[jump] = replace(self.items[jump], param1=float(land))

    def _cruise_leg(self, section: str, index: int) -> None:
        entry = len(self.items)
        if not self.uniform_speed:
            leg = self.plan.section(section)[index]
            self._speed(leg.ground_speed_m_s, leg.end.altitude_amsl_m)
        self._leg(section, index, mav.NAV_WAYPOINT, param4=self.dialect.yaw_free)
        self.entry[section, index] = entry

    def _leg(
        self, section: str, index: int, command: int, *, param1: float = 0.0, param4: float = 0.0
    ) -> None:
        self.entry[section, index] = len(self.items)
        leg = self.plan.section(section)[index]
        self._append(
            ItemLeg(section=section, index=index), command, point=leg.end, param1=param1, param4=param4
        )

    def _speed(self, speed_m_s: float, altitude_amsl_m: float = 0.0) -> None:
        self._append(
            None,
            mav.DO_CHANGE_SPEED,
            param1=mav.SPEED_TYPE_GROUND,
            param2=round(speed_m_s, 2),
            param3=mav.THROTTLE_UNCHANGED,
            height_m=round(altitude_amsl_m, 2) if self.dialect.item_keeps_altitude else 0.0,
        )

    def _append(
        self,
        leg: ItemLeg | None,
        command: int,
        *,
        point: RoutePoint | None = None,
        frame: int = mav.FRAME_RELATIVE_TO_HOME,
        param1: float = 0.0,
        param2: float = 0.0,
        param3: float = 0.0,
        param4: float = 0.0,
        height_m: float = 0.0,
    ) -> None:
        seq = len(self.items)
        if point is None:
            item = MissionItem(
                seq=seq,
                frame=self.dialect.do_frame,
                command=command,
                param1=param1,
                param2=param2,
                param3=param3,
                param4=param4,
                height_m=height_m,
            )
        else:
            above_m = 0.0 if frame == mav.FRAME_GLOBAL_AMSL else self.plan.home.altitude_amsl_m
            item = MissionItem(
                seq=seq,
                frame=frame,
                command=command,
                param1=param1,
                param2=param2,
                param3=param3,
                param4=param4,
                latitude_deg=round(point.position.latitude_deg, 7),
                longitude_deg=round(point.position.longitude_deg, 7),
                height_m=round(point.altitude_amsl_m - above_m, 2),
            )
        self.items.append(item)
        self.legs.append(leg)

    def indices(self) -> MissionIndices:
        plan = self.plan
        back = "retrace" if plan.retrace else "inbound"
        back_legs = plan.retrace or plan.inbound
        return MissionIndices(
            takeoff=self.entry["outbound" if plan.delivers else "inbound", 0],
            delivery_hover=self.entry["outbound", len(plan.outbound) - 1] if plan.delivers else None,
            winch_retract=self.winch_seq,
            inbound_first=self.entry["inbound", 0],
            land=self.entry["inbound", len(plan.inbound) - 1],
            retrace_first=self.entry[back, 0],
            retrace_land=self.entry[back, len(back_legs) - 1],
            alternates=tuple(self.alternates),
        )

    def return_entry(self) -> tuple[int, ...]:
        """For each item, the sequence number that starts the legal way home while flying towards it."""
        plan = self.plan
        back = "retrace" if plan.retrace else "inbound"
        last = len(plan.outbound) - 1
        found: list[int] = []
        following = self.entry["inbound", 0]
        for leg in reversed(self.legs):
            if leg is None:
                # A DO item belongs to the leg after it.
                found.append(following)
                continue
            section, _, number = leg.section.partition("-")
            if section == "transfer" and leg.index == len(plan.section(leg.section)) - 1:
                # The hover over an alternate: home from there.
                following = self.entry[f"home-{number}", 0]
            elif section != "outbound":
                following = self.entry[leg.section, leg.index]
            elif leg.index == last:
                following = self.entry["inbound", 0]
            elif leg.index == 0:
                # Over the pad: straight down again. Begun in the air: on from there, home.
                following = self.entry[back, last]
            else:
                # The leg of the way back that ends where this one began; both count from their own start.
                following = self.entry[back, last - leg.index]
            found.append(following)
        return tuple(reversed(found))


def _cruise(*sections: Sequence[Leg]) -> list[Leg]:
    return [leg for section in sections for leg in section[1:-1]]


def _rally_items(plan: FlightPlan, dialect: Dialect) -> tuple[MissionItem, ...]:
    if not returns_are_proved(plan, dialect.name):
        raise refuse("rally_points", f"{dialect.name} may return straight home, which is not legal here")
    if len(plan.rally_points) > dialect.max_rally_points:
        raise refuse("rally_points", f"{len(plan.rally_points)} are more than {dialect.name} takes")
    return tuple(
        MissionItem(
            seq=seq,
            # PX4 misreads the INT frames (5, 6) of rally points: frame 3 for everybody.
            frame=mav.FRAME_RELATIVE_TO_HOME,
            command=mav.RALLY_POINT,
            latitude_deg=round(point.position.latitude_deg, 7),
            longitude_deg=round(point.position.longitude_deg, 7),
            # With home's ground for all of them the return is flown at the one height that was checked.
            height_m=0.0
            if dialect.rally_tells_ground
            else round(point.altitude_amsl_m - plan.home.altitude_amsl_m, 2),
        )
        for seq, point in enumerate(plan.rally_points)
    )
