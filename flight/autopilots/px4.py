"""PX4 as it behaves, surprises included. Observed on v1.17.0 (software-in-the-loop) unless a comment says otherwise.

Link: a UDP link of PX4 answers the first source address it heard, until it restarts. Use ``udpin:`` (a
fixed port of ours): from a new port a restarted controller would command and never hear.
"""

from __future__ import annotations

import asyncio
import re

from core.clock import Clock
from flight.autopilots.base import ModeClass, ProfileEntry, WhyNot, read_profile
from flight.autopilots.conversation import (
    ARM_TIMEOUT_S,
    ATTEMPTS,
    CMD_ARM,
    CMD_DO_SET_MODE,
    DISARM_TIMEOUT_S,
    MODE_TIMEOUT_S,
    START_TIMEOUT_S,
    Conversation,
    StreamAge,
    WantedList,
)
from flight.autopilots.px4_items import canonical_item
from flight.autopilots.px4_payload import GripperOutput, find_output, operate_gripper
from flight.links.mavlink.command import Command
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.link import AUTOPILOT_COMPONENT
from flight.links.mavlink.mission import MissionType
from flight.links.mavlink.params import ParameterEncoding
from flight.model.outcomes import ActionOutcome, Obedience
from flight.model.view import MissionState, VehicleView
from planner.compile.mission_types import CompiledMission

_AUTO = 4
_MAIN_NAMES = {
    1: "MANUAL",
    2: "ALTCTL",
    3: "POSCTL",
    5: "ACRO",
    6: "OFFBOARD",
    7: "STABILIZED",
    8: "RATTITUDE",
}
_AUTO_NAMES = {
    1: "READY",
    2: "TAKEOFF",
    3: "LOITER",
    4: "MISSION",
    5: "RTL",
    6: "LAND",
    8: "FOLLOW",
    9: "PRECLAND",
}
"""PX4's own numbers (px4_custom_mode): custom_mode = main « 16 | sub « 24."""


def _mode(main: int, sub: int) -> int:
    return main << 16 | sub << 24


LOITER, MISSION, RTL, LAND, PRECLAND = (_mode(_AUTO, sub) for sub in (3, 4, 5, 6, 9))
_CLASSES = {
    MISSION: ModeClass.MISSION,
    _mode(_AUTO, 2): ModeClass.MISSION,
    LOITER: ModeClass.HOLD,
    RTL: ModeClass.RETURN,
    LAND: ModeClass.LAND,
    PRECLAND: ModeClass.LAND,
}

STREAMS_HZ: dict[str, tuple[int, float]] = {
    "HEARTBEAT": (0, 4.0),
    "SYS_STATUS": (1, 1.0),
    "GPS_RAW_INT": (24, 1.0),
    "GLOBAL_POSITION_INT": (33, 5.0),
    "SERVO_OUTPUT_RAW": (36, 4.0),
    "MISSION_CURRENT": (42, 4.0),
    "BATTERY_STATUS": (147, 1.0),
    "ESTIMATOR_STATUS": (230, 1.0),
    "WIND_COV": (231, 1.0),
    "HOME_POSITION": (242, 0.5),
    "EXTENDED_SYS_STATE": (245, 2.0),
}
"""What the director needs, and how often; 25 messages a second in all. FENCE_STATUS is never sent."""

_STREAM_SEEN: dict[str, StreamAge] = {
    "SYS_STATUS": lambda view: view.sys_status_s,
    "GPS_RAW_INT": lambda view: view.gps_s,
    "GLOBAL_POSITION_INT": lambda view: view.position_s,
    "SERVO_OUTPUT_RAW": lambda view: view.servo_s,
    "MISSION_CURRENT": lambda view: view.mission_s,
    "BATTERY_STATUS": lambda view: view.battery_s,
    "ESTIMATOR_STATUS": lambda view: view.ekf_s,
    "HOME_POSITION": lambda view: view.home_s,
    "EXTENDED_SYS_STATE": lambda view: view.landed_s,
}

# ESTIMATOR_STATUS_FLAGS (common.xml). PX4 sets CONST_POS_MODE whenever the vehicle is at rest: no sign of a fault.
_ATTITUDE, _VELOCITY_HORIZONTAL, _POSITION_ABSOLUTE = 0x01, 0x02, 0x10
_GPS_GLITCH = 0x400

FENCE_DISCARDED = re.compile(r"geofence invalid", re.IGNORECASE)
FENCE_VERDICT_S = 1.5
"""A fence that is discarded after its acknowledgement is said so by text, seen 0.7 s later; twice that."""
MISSION_VERDICT_S = 4.0
"""The verdict on a mission follows its acknowledgement; for 2 s after boot a good one counts as none."""
JUMP_SHOWN_S = 1.5
FORCE_DISARM = 21196.0


class PX4(Conversation):
    """Every PX4 difference, behind :class:`flight.autopilots.base.Autopilot`."""

    name = "px4"
    mav_autopilot = 12
    """MAV_AUTOPILOT_PX4 (common.xml)."""
    parameter_encoding = ParameterEncoding.BYTEWISE
    reads_in_order = True
    streams = STREAMS_HZ
    stream_seen = _STREAM_SEEN

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.profile: tuple[ProfileEntry, ...] = read_profile("px4_profile.json")
        self._gripper: tuple[VehicleConnection, int, GripperOutput] | None = None

    # --- what it says -------------------------------------------------------------------------

    def mode_name(self, custom_mode: int) -> str:
        main, sub = custom_mode >> 16 & 0xFF, custom_mode >> 24 & 0xFF
        if main == _AUTO:
            return f"AUTO.{_AUTO_NAMES.get(sub, sub)}"
        return _MAIN_NAMES.get(main, f"MODE_{main}_{sub}")

    def mode_class(self, custom_mode: int) -> ModeClass:
        """AUTO.LOITER both holds in the air and arms on the ground; AUTO.TAKEOFF is part of a mission."""
        return _CLASSES.get(custom_mode, ModeClass.PILOT)

    def estimator_ready(self, view: VehicleView) -> bool | None:
        if view.ekf_flags is None:
            return None
        needed = _ATTITUDE | _VELOCITY_HORIZONTAL | _POSITION_ABSOLUTE
        return view.ekf_flags & needed == needed and not view.ekf_flags & _GPS_GLITCH

    # --- modes --------------------------------------------------------------------------------

    async def _set_mode(self, link: VehicleConnection, mode: int) -> ActionOutcome:
        """HEARTBEAT is the evidence: disarmed, PX4 acknowledges modes twice, late, or modes that do not exist."""
        main, sub = mode >> 16 & 0xFF, mode >> 24 & 0xFF
        return await self._do_and_confirm(
            link,
            Command(CMD_DO_SET_MODE, param1=1.0, param2=float(main), param3=float(sub)),
            lambda view: view.custom_mode == mode,
            MODE_TIMEOUT_S,
            f"mode {self.mode_name(mode)}",
        )

    # --- setting up ---------------------------------------------------------------------------

    def _lists(self, mission: CompiledMission) -> tuple[WantedList, ...]:
        return (
            WantedList(MissionType.FENCE, mission.fence, canonical_item, "fence"),
            WantedList(MissionType.RALLY, mission.rally, canonical_item, "rally points"),
            WantedList(MissionType.MISSION, mission.items, canonical_item, "mission"),
        )

    async def upload(self, link: VehicleConnection, mission: CompiledMission) -> ActionOutcome:
        """The fence first, then the rest; then what PX4 thinks of them.

        Each list is read back. But PX4 judges afterwards: a fence without home or the vehicle inside is
        discarded with a text only, and still downloads as stored; a mission that is not flyable keeps its
        items and shows as MISSION_CURRENT.mission_state NO_MISSION. While a mission flies, a new one would
        be flown at once from its beginning: the caller holds first.
        """
        since_s = self._clock.monotonic_s()
        fence, *others = self._lists(mission)
        outcome = await self._upload_one(link, fence)
        fenced_s = self._clock.monotonic_s()
        for each in others:
            if outcome.obeyed:
                outcome = await self._upload_one(link, each)
        if not outcome.obeyed:
            return outcome
        outcome = await self._mission_verdict(link, len(mission.items), since_s)
        if not outcome.obeyed:
            return outcome
        return await self._fence_verdict(link, since_s, fenced_s + FENCE_VERDICT_S)

    async def _mission_verdict(self, link: VehicleConnection, count: int, since_s: float) -> ActionOutcome:
        uploaded_s = self._clock.monotonic_s()

        def flyable(view: VehicleView) -> bool:
            return (
                view.mission_s is not None
                and view.mission_s > uploaded_s
                and view.mission_total == count
                and view.mission_state not in (None, MissionState.UNKNOWN, MissionState.NO_MISSION)
            )

        if await link.wait_for(flyable, MISSION_VERDICT_S):
            return ActionOutcome(Obedience.OBEYED)
        view = link.view
        if view.mission_s is None or view.mission_s <= uploaded_s:
            return ActionOutcome(Obedience.UNANSWERED, "mission: no verdict on it was heard")
        state = "unknown" if view.mission_state is None else view.mission_state.name.lower()
        said = self._texts_since(link, since_s)
        return ActionOutcome(
            Obedience.REFUSED, f"mission: judged not flyable ({state}){f': {said}' if said else ''}"
        )

    async def _fence_verdict(self, link: VehicleConnection, since_s: float, until_s: float) -> ActionOutcome:
        def discarded(view: VehicleView) -> bool:
            return any(t.at_s >= since_s and FENCE_DISCARDED.search(t.text) for t in view.texts)

        if await link.wait_for(discarded, max(0.0, until_s - self._clock.monotonic_s())):
            return ActionOutcome(Obedience.REFUSED, f"fence discarded: {self._texts_since(link, since_s)}")
        return ActionOutcome(Obedience.OBEYED)

    # --- flying -------------------------------------------------------------------------------

    async def select_arming_mode(self, link: VehicleConnection) -> ActionOutcome:
        """AUTO.LOITER: armed in AUTO.MISSION it takes off at once, and after a landing that mode stays."""
        return await self._set_mode(link, LOITER)

    async def arm(self, link: VehicleConnection) -> ActionOutcome:
        """Arm only while HEARTBEAT shows AUTO.LOITER. Without a take-off it disarms by itself after 10 s.

        A refusal is TEMPORARILY_REJECTED; its reasons come as texts, sent only to links with our heartbeats.
        """
        selected = await self.select_arming_mode(link)
        if not selected.obeyed:
            return selected
        return await self._do_and_confirm(
            link, Command(CMD_ARM, param1=1.0), lambda view: view.armed is True, ARM_TIMEOUT_S, "arming"
        )

    async def start_mission(self, link: VehicleConnection, takeoff_seq: int) -> ActionOutcome:
        """The item first, then the mode. Not MISSION_START: that command arms as well."""
        positioned = await self._set_current(link, takeoff_seq)
        if not positioned.obeyed:
            return positioned
        if link.view.armed is not True:
            return ActionOutcome(Obedience.REFUSED, "not armed any more")
        return await self._do_and_confirm(
            link,
            Command(CMD_DO_SET_MODE, param1=1.0, param2=float(_AUTO), param3=4.0),
            lambda view: view.custom_mode == MISSION,
            START_TIMEOUT_S,
            "mission start",
        )

    async def _set_current(self, link: VehicleConnection, seq: int) -> ActionOutcome:
        """MISSION_SET_CURRENT has no acknowledgement, and DO_SET_MISSION_CURRENT is unsupported.
        MISSION_CURRENT is the evidence; items without a position pass too fast to be seen.
        """
        for _ in range(ATTEMPTS):
            since_s = self._clock.monotonic_s()
            link.send(
                "MISSION_SET_CURRENT",
                target_system=link.system_id,
                target_component=AUTOPILOT_COMPONENT,
                seq=seq,
            )

            def shown(view: VehicleView, since_s: float = since_s) -> bool:
                return (
                    view.mission_seq is not None
                    and seq <= view.mission_seq <= seq + 1
                    and view.mission_s is not None
                    and view.mission_s > since_s
                )

            if await link.wait_for(shown, JUMP_SHOWN_S):
                return ActionOutcome(Obedience.OBEYED)
        heard = link.view.mission_s is not None and link.view.mission_s > since_s
        what = f"jump to mission item {seq}"
        if not heard:
            return ActionOutcome(Obedience.UNANSWERED, f"{what}: no answer")
        return ActionOutcome(
            Obedience.NO_EFFECT, f"{what}: the vehicle stays at item {link.view.mission_seq}"
        )

    async def jump_to(self, link: VehicleConnection, seq: int) -> ActionOutcome:
        """The jump first, the mode second: entering the mission with the old item would fly towards it.

        A take-off item that is jumped to in the air is flown to like a waypoint.
        """
        jumped = await self._set_current(link, seq)
        if not jumped.obeyed or link.view.custom_mode == MISSION:
            return jumped
        return await self._set_mode(link, MISSION)

    async def resume_mission(self, link: VehicleConnection) -> ActionOutcome:
        """Re-entering the mode goes on with the current item, and repeats the last speed change."""
        return await self._set_mode(link, MISSION)

    async def hold(self, link: VehicleConnection) -> ActionOutcome:
        return await self._set_mode(link, LOITER)

    async def return_by_itself(self, link: VehicleConnection) -> ActionOutcome:
        """RTL to the closest of home and rally points (RTL_TYPE 0); it knows no fence."""
        return await self._set_mode(link, RTL)

    async def land(self, link: VehicleConnection) -> ActionOutcome:
        return await self._set_mode(link, LAND)

    async def terminate(self, link: VehicleConnection) -> ActionOutcome:
        """Forced disarming, which works in the air; DO_FLIGHTTERMINATION has a circuit breaker before it."""
        return await self._do_and_confirm(
            link,
            Command(CMD_ARM, param1=0.0, param2=FORCE_DISARM),
            lambda view: view.armed is False,
            DISARM_TIMEOUT_S,
            "flight termination",
        )

    # --- payload ------------------------------------------------------------------------------

    async def move_line(
        self, link: VehicleConnection, target_length_m: float, deadline_s: float
    ) -> ActionOutcome:
        """PX4 drives no winch: the command is not even acknowledged, a mission item waits and does nothing."""
        await asyncio.sleep(0)
        return ActionOutcome(Obedience.REFUSED, "PX4 drives no winch")

    async def stop_line(self, link: VehicleConnection, *, until_still: bool) -> ActionOutcome:
        """See :meth:`move_line`."""
        await asyncio.sleep(0)
        return ActionOutcome(Obedience.REFUSED, "PX4 drives no winch")

    async def release_load(
        self, link: VehicleConnection, deadline_s: float, why_not: WhyNot | None = None
    ) -> ActionOutcome:
        return await self._operate_gripper(link, release=True, deadline_s=deadline_s, why_not=why_not)

    async def hold_load(self, link: VehicleConnection, deadline_s: float) -> ActionOutcome:
        return await self._operate_gripper(link, release=False, deadline_s=deadline_s)

    async def _operate_gripper(
        self,
        link: VehicleConnection,
        *,
        release: bool,
        deadline_s: float,
        why_not: WhyNot | None = None,
    ) -> ActionOutcome:
        """Which output it is changes only with a reboot, and is read while the drone waits."""
        boot = link.view.reboots
        if self._gripper is None or self._gripper[:2] != (link, boot):
            found = await find_output(link)
            if isinstance(found, str):
                return ActionOutcome(Obedience.REFUSED, found)
            self._gripper = (link, boot, found)
        return await operate_gripper(
            link, self._clock, self._gripper[2], release=release, deadline_s=deadline_s, why_not=why_not
        )
