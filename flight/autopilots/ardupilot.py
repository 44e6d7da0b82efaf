"""ArduCopter as it behaves, surprises included. Observed on V4.6.0-dev unless a comment says otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import resources

from core.clock import Clock
from flight.autopilots.ardupilot_items import canonical_item, canonical_mission_item
from flight.autopilots.ardupilot_payload import move_line, operate_gripper, stop_line
from flight.autopilots.base import ModeClass, ParameterRule, ProfileEntry
from flight.links.mavlink.command import Command, CommandOutcome, CommandResult, RetryClass
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.mission import Canonical, MissionType, TransferStatus, differences
from flight.links.mavlink.params import same_value
from flight.model.outcomes import ActionOutcome, Obedience
from flight.model.view import VehicleView
from planner.compile.mission_types import CompiledMission, MissionItem, RequiredParameter

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

CMD_DO_SET_MODE = 176
CMD_DO_FLIGHTTERMINATION = 185
CMD_DO_SET_MISSION_CURRENT = 224
CMD_MISSION_START = 300
CMD_ARM = 400
CMD_REQUEST_MESSAGE = 512
CMD_SET_MESSAGE_INTERVAL = 511
CMD_GET_HOME = 410

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

_STREAM_SEEN: dict[str, Callable[[VehicleView], float | None]] = {
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
STREAM_MISSING_AFTER_S = 6.0
"""Three periods of the slowest stream."""

EKF_POSITION_ABSOLUTE = 0x10
EKF_CONST_POSITION = 0x80
EKF_VELOCITY_HORIZONTAL = 0x02
EKF_ATTITUDE = 0x01

MODE_TIMEOUT_S = 3.0
ARM_TIMEOUT_S = 4.0
"""The acknowledgement of arming comes after the checks; HEARTBEAT may lag it by its period."""
START_TIMEOUT_S = 5.0
CONFIRM_POLL_S = 0.4
ATTEMPTS = 3


def _load_profile() -> tuple[ProfileEntry, ...]:
    text = resources.files("flight.autopilots").joinpath("ardupilot_profile.json").read_text("utf-8")
    return tuple(
        ProfileEntry(
            name=entry["name"],
            rule=ParameterRule(entry["rule"]),
            value=float(entry["value"]),
            blocks=bool(entry["blocks"]),
            reason=entry["reason"],
            reason_zh=entry["reason_zh"],
        )
        for entry in json.loads(text)["parameters"]
    )


@dataclass(frozen=True, slots=True)
class _List:
    mission_type: MissionType
    items: Sequence[MissionItem]
    canonical: Canonical
    name: str


class ArduPilot:
    """Every ArduCopter difference, behind :class:`flight.autopilots.base.Autopilot`."""

    name = "ardupilot"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.profile = _load_profile()

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

    def missing_streams(self, view: VehicleView, now_s: float) -> tuple[str, ...]:
        missing = []
        for name, seen_at in _STREAM_SEEN.items():
            seen_s = seen_at(view)
            if seen_s is None or now_s - seen_s > STREAM_MISSING_AFTER_S:
                missing.append(name)
        return tuple(missing)

    # --- small steps --------------------------------------------------------------------------

    async def _ask_for(self, link: VehicleConnection, message_id: int) -> None:
        """Have one message sent now instead of at its next period."""
        await link.command(Command(CMD_REQUEST_MESSAGE, param1=float(message_id)))

    async def _confirm(
        self, link: VehicleConnection, predicate: Callable[[VehicleView], bool], timeout_s: float
    ) -> bool:
        """Wait for a state that HEARTBEAT tells, asking for one instead of waiting for its period."""
        deadline_s = self._clock.monotonic_s() + timeout_s
        while not predicate(link.view):
            rest_s = deadline_s - self._clock.monotonic_s()
            if rest_s <= 0:
                return False
            await self._ask_for(link, STREAMS_HZ["HEARTBEAT"][0])
            if await link.wait_for(predicate, min(CONFIRM_POLL_S, max(rest_s, 0.0))):
                return True
        return True

    async def _until_obeyed(self, attempt: Callable[[], Awaitable[ActionOutcome]]) -> ActionOutcome:
        """Try an idempotent action a few times; a refusal is final."""
        outcome = ActionOutcome(Obedience.UNANSWERED)
        for _ in range(ATTEMPTS):
            outcome = await attempt()
            if outcome.status in (Obedience.OBEYED, Obedience.REFUSED):
                return outcome
        return outcome

    def _texts_since(self, link: VehicleConnection, since_s: float) -> str:
        """What it said about a refusal: the reasons come as texts, not in the acknowledgement."""
        said = [text.text for text in link.view.texts if text.at_s >= since_s and text.severity <= 5]
        return "; ".join(dict.fromkeys(said))

    def _judge(self, outcome: CommandOutcome, shown: bool, what: str, said: str = "") -> ActionOutcome:
        if shown:
            return ActionOutcome(Obedience.OBEYED)
        suffix = f": {said}" if said else ""
        if outcome.unanswered:
            return ActionOutcome(Obedience.UNANSWERED, f"{what}: no answer{suffix}")
        if not outcome.accepted:
            return ActionOutcome(Obedience.REFUSED, f"{what} was {outcome.describe()}{suffix}")
        return ActionOutcome(Obedience.NO_EFFECT, f"{what} was accepted and had no effect{suffix}")

    async def _set_mode(self, link: VehicleConnection, mode: int) -> ActionOutcome:
        def in_mode(view: VehicleView) -> bool:
            return view.custom_mode == mode

        async def attempt() -> ActionOutcome:
            since_s = self._clock.monotonic_s()
            outcome = await link.command(Command(CMD_DO_SET_MODE, param1=1.0, param2=float(mode)))
            shown = await self._confirm(link, in_mode, MODE_TIMEOUT_S if not outcome.result else 0.5)
            return self._judge(outcome, shown, f"mode {MODES[mode]}", self._texts_since(link, since_s))

        return await self._until_obeyed(attempt)

    # --- setting up ---------------------------------------------------------------------------

    async def request_streams(self, link: VehicleConnection) -> ActionOutcome:
        """Ask for every stream. 511 is acknowledged each; what counts is that they come."""
        refused = []
        for name, (message_id, rate_hz) in STREAMS_HZ.items():
            outcome = await link.command(
                Command(CMD_SET_MESSAGE_INTERVAL, param1=float(message_id), param2=1e6 / rate_hz)
            )
            if outcome.unanswered:
                return ActionOutcome(Obedience.UNANSWERED, f"stream {name}: no answer")
            if not outcome.accepted:
                refused.append(name)
        if refused:
            return ActionOutcome(Obedience.REFUSED, f"streams refused: {', '.join(refused)}")
        return ActionOutcome(Obedience.OBEYED)

    async def prepare_parameters(
        self, link: VehicleConnection, required: tuple[RequiredParameter, ...]
    ) -> ActionOutcome:
        """Write only what differs; values travel as C casts of floats."""
        held = await link.read_parameters([parameter.name for parameter in required])
        missing = [name for name, value in held.items() if value is None]
        if missing:
            return ActionOutcome(Obedience.UNANSWERED, f"parameters not readable: {', '.join(missing)}")
        wrong: list[str] = []

        async def write(parameter: RequiredParameter) -> None:
            outcome = await link.set_parameter(parameter.name, parameter.value)
            if not outcome.matches:
                wrong.append(f"{parameter.name} is {outcome.value}, the plan needs {parameter.value:g}")

        async with asyncio.TaskGroup() as group:
            for parameter in required:
                actual = held[parameter.name]
                if actual is None or not same_value(actual, parameter.value):
                    group.create_task(write(parameter))
        if wrong:
            return ActionOutcome(Obedience.NO_EFFECT, "; ".join(wrong))
        return ActionOutcome(Obedience.OBEYED)

    def _lists(self, mission: CompiledMission) -> tuple[_List, ...]:
        return (
            _List(MissionType.FENCE, mission.fence, canonical_item, "fence"),
            _List(MissionType.RALLY, mission.rally, canonical_item, "rally points"),
            _List(MissionType.MISSION, mission.items, canonical_mission_item, "mission"),
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

    async def _upload_one(self, link: VehicleConnection, wanted: _List) -> ActionOutcome:
        async def attempt() -> ActionOutcome:
            sent = await link.upload(wanted.mission_type, wanted.items)
            if sent.status is TransferStatus.REFUSED:
                return ActionOutcome(Obedience.REFUSED, f"{wanted.name} refused: {sent.describe()}")
            if sent.status is TransferStatus.TIMED_OUT:
                return ActionOutcome(Obedience.UNANSWERED, f"{wanted.name}: upload timed out")
            return await self._compare(link, wanted)

        return await self._until_obeyed(attempt)

    async def _compare(self, link: VehicleConnection, wanted: _List) -> ActionOutcome:
        read = await link.download(wanted.mission_type)
        if read.items is None:
            return ActionOutcome(Obedience.UNANSWERED, f"{wanted.name}: read-back {read.status.value}")
        found = differences(wanted.items, read.items, wanted.canonical)
        if found:
            return ActionOutcome(Obedience.NO_EFFECT, f"{wanted.name}: {'; '.join(found[:3])}")
        return ActionOutcome(Obedience.OBEYED)

    async def mission_matches(self, link: VehicleConnection, mission: CompiledMission) -> bool | None:
        outcome = await self._compare(link, self._lists(mission)[2])
        if outcome.status is Obedience.UNANSWERED:
            return None
        return outcome.obeyed

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

        async def attempt() -> ActionOutcome:
            since_s = self._clock.monotonic_s()
            outcome = await link.command(Command(CMD_ARM, param1=1.0))
            patience_s = ARM_TIMEOUT_S if not outcome.result else 0.5
            shown = await self._confirm(link, lambda view: view.armed is True, patience_s)
            return self._judge(outcome, shown, "arming", self._texts_since(link, since_s))

        return await self._until_obeyed(attempt)

    async def disarm(self, link: VehicleConnection) -> ActionOutcome:
        """Without force: refused in the air, which is what we want of it."""

        async def attempt() -> ActionOutcome:
            outcome = await link.command(Command(CMD_ARM, param1=0.0))
            shown = await self._confirm(link, lambda view: view.armed is False, 2.0)
            return self._judge(outcome, shown, "disarming")

        return await self._until_obeyed(attempt)

    async def start_mission(self, link: VehicleConnection, takeoff_seq: int) -> ActionOutcome:
        """Set the current item to the take-off, then MISSION_START.

        Setting AUTO alone on the ground is acknowledged and does nothing. Without setting the item, a
        mission that was left in the middle would resume there. The command needs item 1 = NAV_TAKEOFF.
        """
        positioned = await self._set_current(link, takeoff_seq)
        if not positioned.obeyed:
            return positioned

        async def attempt() -> ActionOutcome:
            since_s = self._clock.monotonic_s()
            outcome = await link.command(Command(CMD_MISSION_START))
            shown = await self._confirm(
                link, lambda view: view.custom_mode == AUTO, START_TIMEOUT_S if not outcome.result else 0.5
            )
            return self._judge(outcome, shown, "mission start", self._texts_since(link, since_s))

        return await self._until_obeyed(attempt)

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

        async def attempt() -> ActionOutcome:
            outcome = await link.command(Command(CMD_DO_FLIGHTTERMINATION, param1=1.0))
            shown = await self._confirm(link, lambda view: view.armed is False, 2.0)
            return self._judge(outcome, shown, "flight termination")

        return await self._until_obeyed(attempt)

    # --- payload ------------------------------------------------------------------------------

    async def move_line(
        self, link: VehicleConnection, target_length_m: float, deadline_s: float
    ) -> ActionOutcome:
        return await move_line(link, self._clock, target_length_m, deadline_s)

    async def stop_line(self, link: VehicleConnection, *, until_still: bool) -> ActionOutcome:
        return await stop_line(link, self._clock, until_still=until_still)

    async def release_load(self, link: VehicleConnection, deadline_s: float) -> ActionOutcome:
        return await operate_gripper(link, self._clock, release=True, deadline_s=deadline_s)

    async def hold_load(self, link: VehicleConnection, deadline_s: float) -> ActionOutcome:
        return await operate_gripper(link, self._clock, release=False, deadline_s=deadline_s)
