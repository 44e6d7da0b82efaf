"""ArduCopter as it behaves, surprises included. Observed on V4.6.0-dev unless a comment says otherwise."""

from __future__ import annotations

import asyncio

from core.clock import Clock
from flight.autopilots.ardupilot_items import canonical_item, canonical_mission_item
from flight.autopilots.ardupilot_payload import move_line, operate_gripper, stop_line
from flight.autopilots.base import ModeClass, ProfileEntry, WhyNot, read_profile
from flight.autopilots.conversation import (
    ARM_TIMEOUT_S,
    ATTEMPTS,
    CMD_ARM,
    CMD_DO_FLIGHTTERMINATION,
    CMD_DO_SET_MISSION_CURRENT,
    CMD_DO_SET_MODE,
    CMD_MISSION_START,
    DISARM_TIMEOUT_S,
    MODE_TIMEOUT_S,
    START_TIMEOUT_S,
    Conversation,
    StreamAge,
    WantedList,
)
from flight.links.mavlink.command import Command, CommandOutcome, CommandResult, RetryClass
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.mission import MissionType
from flight.links.mavlink.params import ParameterEncoding
from flight.model.outcomes import ActionOutcome, Obedience
from flight.model.view import VehicleView
from planner.compile.mission_types import CompiledMission

MODES = {
    0: "STABILIZE",
    2: "ALT_HOLD",
    3: "AUTO",
    4: "GUIDED",
    5: "LOITER",
    6: "RTL",
    9: "LAND",
    16: "POSHOLD",
    17: "BRAKE",
    21: "SMART_RTL",
    27: "AUTO_RTL",
}
AUTO, GUIDED, RTL, LAND, BRAKE = 3, 4, 6, 9, 17

_CLASSES = {
    3: ModeClass.MISSION,
    4: ModeClass.OFFERED,
    17: ModeClass.HOLD,
    6: ModeClass.RETURN,
    21: ModeClass.RETURN,
    27: ModeClass.RETURN,
    9: ModeClass.LAND,
}

STREAMS_HZ: dict[str, tuple[int, float]] = {
    # name: (message id, rate). By default only HEARTBEAT, STATUSTEXT and TIMESYNC come.
    "HEARTBEAT": (0, 4.0),
    "SYS_STATUS": (1, 1.0),
    "GPS_RAW_INT": (24, 1.0),
    "GLOBAL_POSITION_INT": (33, 5.0),
    "MISSION_CURRENT": (42, 4.0),
    "BATTERY_STATUS": (147, 1.0),
    "FENCE_STATUS": (162, 1.0),
    "WIND": (168, 1.0),
    "EKF_STATUS_REPORT": (193, 1.0),
    "HOME_POSITION": (242, 0.5),
    "EXTENDED_SYS_STATE": (245, 2.0),
    "WINCH_STATUS": (9005, 4.0),
}
"""What the director needs, and how often; 24 messages a second in all. HEARTBEAT is 1 Hz by itself,
so «armed» and the mode would lag the acknowledgement by up to a second."""

_STREAM_SEEN: dict[str, StreamAge] = {
    "SYS_STATUS": lambda view: view.sys_status_s,
    "GPS_RAW_INT": lambda view: view.gps_s,
    "GLOBAL_POSITION_INT": lambda view: view.position_s,
    "MISSION_CURRENT": lambda view: view.mission_s,
    "BATTERY_STATUS": lambda view: view.battery_s,
    "EKF_STATUS_REPORT": lambda view: view.ekf_s,
    "HOME_POSITION": lambda view: view.home_s,
    "EXTENDED_SYS_STATE": lambda view: view.landed_s,
    "WINCH_STATUS": lambda view: view.winch_s,
}
EKF_POSITION_ABSOLUTE = 0x10
EKF_CONST_POSITION = 0x80
EKF_VELOCITY_HORIZONTAL = 0x02
EKF_ATTITUDE = 0x01


class ArduPilot(Conversation):
    """Every ArduCopter difference, behind :class:`flight.autopilots.base.Autopilot`."""

    name = "ardupilot"
    mav_autopilot = 3
    """MAV_AUTOPILOT_ARDUPILOTMEGA (common.xml)."""
    parameter_encoding = ParameterEncoding.CAST
    reads_in_order = False
    streams = STREAMS_HZ
    stream_seen = _STREAM_SEEN

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.profile: tuple[ProfileEntry, ...] = read_profile("ardupilot_profile.json")

    # --- what it says -------------------------------------------------------------------------

    def mode_name(self, custom_mode: int) -> str:
        return MODES.get(custom_mode, f"MODE_{custom_mode}")

    def mode_class(self, custom_mode: int) -> ModeClass:
        return _CLASSES.get(custom_mode, ModeClass.PILOT)

    def estimator_ready(self, view: VehicleView) -> bool | None:
        if view.ekf_flags is None:
            return None
        needed = EKF_POSITION_ABSOLUTE | EKF_VELOCITY_HORIZONTAL | EKF_ATTITUDE
        return view.ekf_flags & needed == needed and not view.ekf_flags & EKF_CONST_POSITION

    async def _set_mode(self, link: VehicleConnection, mode: int) -> ActionOutcome:
        return await self._do_and_confirm(
            link,
            Command(CMD_DO_SET_MODE, param1=1.0, param2=float(mode)),
            lambda view: view.custom_mode == mode,
            MODE_TIMEOUT_S,
            f"mode {MODES[mode]}",
        )

    # --- setting up ---------------------------------------------------------------------------

    def _lists(self, mission: CompiledMission) -> tuple[WantedList, ...]:
        return (
            WantedList(MissionType.FENCE, mission.fence, canonical_item, "fence"),
            WantedList(MissionType.RALLY, mission.rally, canonical_item, "rally points"),
            WantedList(MissionType.MISSION, mission.items, canonical_mission_item, "mission"),
        )

    async def upload(self, link: VehicleConnection, mission: CompiledMission) -> ActionOutcome:
        """All three lists, each read back. They are stores of their own, so they travel together.

        Mission and rally uploads are not atomic: a failed one leaves a mix, which a flight must not
        start on; the caller does not arm.
        """

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._upload_one(link, each)) for each in self._lists(mission)]
        outcomes = [task.result() for task in tasks]
        worst = next((outcome for outcome in outcomes if not outcome.obeyed), None)
        return worst or ActionOutcome(Obedience.OBEYED)

    # --- flying -------------------------------------------------------------------------------

    async def select_arming_mode(self, link: VehicleConnection) -> ActionOutcome:
        """GUIDED: AUTO, RTL and LAND refuse to arm, and the prearm checks depend on the mode."""
        return await self._set_mode(link, GUIDED)

    async def arm(self, link: VehicleConnection) -> ActionOutcome:
        """Arm in GUIDED. Armed without a take-off it disarms by itself after 10 s."""
        if link.view.custom_mode != GUIDED:
            selected = await self.select_arming_mode(link)
            if not selected.obeyed:
                return selected

        return await self._do_and_confirm(
            link, Command(CMD_ARM, param1=1.0), lambda view: view.armed is True, ARM_TIMEOUT_S, "arming"
        )

    async def start_mission(self, link: VehicleConnection, takeoff_seq: int) -> ActionOutcome:
        """Set the current item to the take-off, then MISSION_START.

        Setting AUTO alone on the ground is acknowledged and does nothing. Without setting the item, a
        mission that was left in the middle would resume there. The command needs item 1 = NAV_TAKEOFF.
        """
        positioned = await self._set_current(link, takeoff_seq)
        if not positioned.obeyed:
            return positioned

        return await self._do_and_confirm(
            link,
            Command(CMD_MISSION_START),
            lambda view: view.custom_mode == AUTO,
            START_TIMEOUT_S,
            "mission start",
        )

    async def _set_current(self, link: VehicleConnection, seq: int) -> ActionOutcome:
        """One copy at a time: a repeated jump runs DO items again. MISSION_CURRENT is the evidence.

        It never shows DO items: a jump to one shows the navigation item behind it.
        """

        def arrived(view: VehicleView) -> bool:
            return view.mission_seq is not None and seq <= view.mission_seq <= seq + 2

        outcome = CommandOutcome(None, 0)
        for _ in range(ATTEMPTS):
            since_s = self._clock.monotonic_s()

            def shown(view: VehicleView, since_s: float = since_s) -> bool:
                return arrived(view) and view.mission_s is not None and view.mission_s >= since_s

            outcome = await link.command(
                Command(CMD_DO_SET_MISSION_CURRENT, param1=float(seq), retry=RetryClass.CHECK_FIRST)
            )
            if await link.wait_for(shown, 1.5):
                return ActionOutcome(Obedience.OBEYED)
            if outcome.result not in (CommandResult.ACCEPTED, None):
                break
        return self._judge(outcome, False, f"jump to mission item {seq}")

    async def jump_to(self, link: VehicleConnection, seq: int) -> ActionOutcome:
        """The jump first, the mode second: entering AUTO with the old item would fly towards it."""
        jumped = await self._set_current(link, seq)
        if not jumped.obeyed:
            return jumped
        if link.view.custom_mode != AUTO:
            return await self._set_mode(link, AUTO)
        return jumped

    async def resume_mission(self, link: VehicleConnection) -> ActionOutcome:
        """Re-entering AUTO resumes at the current item (MIS_RESTART 0, checked before the flight)."""
        return await self._set_mode(link, AUTO)

    async def hold(self, link: VehicleConnection) -> ActionOutcome:
        """BRAKE: stands by itself, shows in HEARTBEAT, and needs no pilot's sticks as LOITER would."""
        return await self._set_mode(link, BRAKE)

    async def return_by_itself(self, link: VehicleConnection) -> ActionOutcome:
        """RTL flies straight to the nearest rally point."""
        return await self._set_mode(link, RTL)

    async def land(self, link: VehicleConnection) -> ActionOutcome:
        return await self._set_mode(link, LAND)

    async def terminate(self, link: VehicleConnection) -> ActionOutcome:
        """DO_FLIGHTTERMINATION disarms at once."""

        return await self._do_and_confirm(
            link,
            Command(CMD_DO_FLIGHTTERMINATION, param1=1.0),
            lambda view: view.armed is False,
            DISARM_TIMEOUT_S,
            "flight termination",
        )

    # --- payload ------------------------------------------------------------------------------

    async def move_line(
        self, link: VehicleConnection, target_length_m: float, deadline_s: float
    ) -> ActionOutcome:
        return await move_line(link, self._clock, target_length_m, deadline_s)

    async def stop_line(self, link: VehicleConnection, *, until_still: bool) -> ActionOutcome:
        return await stop_line(link, self._clock, until_still=until_still)

    async def release_load(
        self, link: VehicleConnection, deadline_s: float, why_not: WhyNot | None = None
    ) -> ActionOutcome:
        return await operate_gripper(link, self._clock, release=True, deadline_s=deadline_s, why_not=why_not)

    async def hold_load(self, link: VehicleConnection, deadline_s: float) -> ActionOutcome:
        return await operate_gripper(link, self._clock, release=False, deadline_s=deadline_s)
