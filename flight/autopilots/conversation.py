"""What talking to any MAVLink autopilot has in common: asking, insisting, judging by state, comparing lists.

Nothing here knows which autopilot it is; what differs is given by the subclasses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from core.clock import Clock
from core.geodesy import geodesic_distance_m
from flight.links.mavlink.command import Command, CommandOutcome, RetryClass
from flight.links.mavlink.connection import VehicleConnection
from flight.links.mavlink.mission import Canonical, MissionType, TransferStatus, differences
from flight.links.mavlink.params import same_value
from flight.model.outcomes import ActionOutcome, Obedience
from flight.model.view import VehicleView
from planner.compile.mission_types import CompiledMission, MissionItem, RequiredParameter
from planner.flight_plan import RoutePoint

CMD_DO_SET_MODE = 176
CMD_DO_SET_HOME = 179
CMD_DO_FLIGHTTERMINATION = 185
CMD_DO_SET_MISSION_CURRENT = 224
CMD_MISSION_START = 300
CMD_ARM = 400
CMD_SET_MESSAGE_INTERVAL = 511
CMD_REQUEST_MESSAGE = 512

HEARTBEAT_ID = 0
HOME_POSITION_ID = 242
STREAM_MISSING_AFTER_S = 6.0
"""Three periods of the slowest stream."""
MODE_TIMEOUT_S = 3.0
ARM_TIMEOUT_S = 4.0
"""The acknowledgement of arming comes after the checks; HEARTBEAT may lag it by its period."""
START_TIMEOUT_S = 5.0
DISARM_TIMEOUT_S = 2.0
AFTER_REFUSAL_S = 0.5
"""A state that contradicts the refusal would show within this (chosen: two HEARTBEATs at 4 Hz)."""
CONFIRM_POLL_S = 0.4
ATTEMPTS = 3
HOME_TIMEOUT_S = 3.0
HOME_WITHIN_M = 1.0
"""HOME_POSITION has 1e-7 degrees and millimetres; a metre is far more than any rounding (chosen)."""

StreamAge = Callable[[VehicleView], float | None]


@dataclass(frozen=True, slots=True)
class WantedList:
    """One list for one store of the autopilot. ``canonical`` knows what the autopilot keeps of an item."""

    mission_type: MissionType
    items: Sequence[MissionItem]
    canonical: Canonical
    name: str


class Conversation:
    """Steps that every autopilot needs. ``streams``: name → message id and rate in Hz; ``stream_seen``:
    when each of them that must come was last heard."""

    streams: Mapping[str, tuple[int, float]]
    stream_seen: Mapping[str, StreamAge]

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def mode_name(self, custom_mode: int) -> str:
        """The autopilot's own name of a mode."""
        raise NotImplementedError

    def _lists(self, mission: CompiledMission) -> tuple[WantedList, ...]:
        """Fence, rally points and mission, in the order in which this autopilot takes them."""
        raise NotImplementedError

    # --- asking and judging -------------------------------------------------------------------

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
            await self._ask_for(link, HEARTBEAT_ID)
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

    async def _do_and_confirm(
        self,
        link: VehicleConnection,
        command: Command,
        predicate: Callable[[VehicleView], bool],
        timeout_s: float,
        what: str,
    ) -> ActionOutcome:
        """Command, then wait for the state that HEARTBEAT must show; repeated while nothing refuses."""

        async def attempt() -> ActionOutcome:
            since_s = self._clock.monotonic_s()
            outcome = await link.command(command)
            patience_s = timeout_s if outcome.accepted or outcome.unanswered else AFTER_REFUSAL_S
            shown = await self._confirm(link, predicate, patience_s)
            return self._judge(outcome, shown, what, self._texts_since(link, since_s))

        return await self._until_obeyed(attempt)

    # --- setting up ---------------------------------------------------------------------------

    def missing_streams(self, view: VehicleView, now_s: float) -> tuple[str, ...]:
        """Streams that should come and do not."""
        missing = []
        for name, seen_at in self.stream_seen.items():
            seen_s = seen_at(view)
            if seen_s is None or now_s - seen_s > STREAM_MISSING_AFTER_S:
                missing.append(name)
        return tuple(missing)

    async def request_streams(self, link: VehicleConnection) -> ActionOutcome:
        """Ask for every stream. 511 is acknowledged each; what counts is that they come."""
        refused = []
        for name, (message_id, rate_hz) in self.streams.items():
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
        """Write only what differs, and believe only what the vehicle states back."""
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

    async def _upload_one(self, link: VehicleConnection, wanted: WantedList) -> ActionOutcome:
        async def attempt() -> ActionOutcome:
            sent = await link.upload(wanted.mission_type, wanted.items)
            if sent.status is TransferStatus.REFUSED:
                return ActionOutcome(Obedience.REFUSED, f"{wanted.name} refused: {sent.describe()}")
            if sent.status is TransferStatus.TIMED_OUT:
                return ActionOutcome(Obedience.UNANSWERED, f"{wanted.name}: upload timed out")
            return await self._compare(link, wanted)

        return await self._until_obeyed(attempt)

    async def _compare(self, link: VehicleConnection, wanted: WantedList) -> ActionOutcome:
        read = await link.download(wanted.mission_type)
        if read.items is None:
            return ActionOutcome(Obedience.UNANSWERED, f"{wanted.name}: read-back {read.status.value}")
        found = differences(wanted.items, read.items, wanted.canonical)
        if found:
            return ActionOutcome(Obedience.NO_EFFECT, f"{wanted.name}: {'; '.join(found[:3])}")
        return ActionOutcome(Obedience.OBEYED)

    async def mission_matches(self, link: VehicleConnection, mission: CompiledMission) -> bool | None:
        """Whether the vehicle holds this mission; None: it could not be read."""
        wanted = next(each for each in self._lists(mission) if each.mission_type is MissionType.MISSION)
        outcome = await self._compare(link, wanted)
        if outcome.status is Obedience.UNANSWERED:
            return None
        return outcome.obeyed

    # --- on the ground ------------------------------------------------------------------------

    async def disarm(self, link: VehicleConnection) -> ActionOutcome:
        """Without force: refused in the air, which is what we want of it."""
        return await self._do_and_confirm(
            link,
            Command(CMD_ARM, param1=0.0),
            lambda view: view.armed is False,
            DISARM_TIMEOUT_S,
            "disarming",
        )

    async def lock_home(self, link: VehicleConnection, home: RoutePoint) -> ActionOutcome:
        """Set home to the plan's pad, so that it stays there wherever the vehicle arms again.

        ArduCopter moves its home to where it arms unless home was set by command; PX4 leaves it. Heights of
        missions, rally points and the return count from home. Confirmed by HOME_POSITION.
        """

        def is_there(view: VehicleView) -> bool:
            return (
                view.home is not None
                and view.home_altitude_amsl_m is not None
                and geodesic_distance_m(view.home, home.position) <= HOME_WITHIN_M
                and abs(view.home_altitude_amsl_m - home.altitude_amsl_m) <= HOME_WITHIN_M
            )

        command = Command(
            CMD_DO_SET_HOME,
            param5=round(home.position.latitude_deg * 1e7),
            param6=round(home.position.longitude_deg * 1e7),
            param7=home.altitude_amsl_m,
            retry=RetryClass.IDEMPOTENT,
            integer=True,
        )

        async def attempt() -> ActionOutcome:
            outcome = await link.command(command)
            await self._ask_for(link, HOME_POSITION_ID)
            shown = await link.wait_for(is_there, HOME_TIMEOUT_S)
            return self._judge(outcome, shown and outcome.accepted, "setting home")

        return await self._until_obeyed(attempt)
