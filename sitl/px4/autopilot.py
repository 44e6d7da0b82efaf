"""PX4: owns the state, resolves the mode, runs the slow loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import Wgs84Point
from sitl.autopilot import Autopilot
from sitl.channel import Channel
from sitl.px4 import streams
from sitl.px4.arming import Arming
from sitl.px4.commands import Commands
from sitl.px4.failsafe import Failsafes
from sitl.px4.fence import Fence
from sitl.px4.gripper import Gripper
from sitl.px4.guidance import Guidance, LandDetector
from sitl.px4.home import HomeKeeper
from sitl.px4.manoeuvres import Hold, Landing, Return, ReturnStage, TakeoffMode
from sitl.px4.messages import MessageRouter
from sitl.px4.mission import Mission
from sitl.px4.modes import PREVENTS_ARMING, Mode
from sitl.px4.parameters import Parameters
from sitl.px4.stores import FENCE_LIMIT, MISSION_LIMIT, RALLY_LIMIT, PlanStore
from sitl.px4.transfer import Transfer

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

REBOOT_S = 3.0
"""Chosen: silence of a rebooting vehicle."""
TEXT_NEEDS_GCS_S = 5.0
"""A link without a ground station's heartbeat for this long gets no texts."""
CHUNK_CHARACTERS = 50
MISSION_REPORT_S = 1.0


class Px4(Autopilot):
    """The autopilot of one simulated vehicle."""

    parameters: Parameters

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        super().__init__(vehicle)
        settings = vehicle.settings
        self.parameters = Parameters(
            {
                "MAV_SYS_ID": vehicle.system_id,
                **settings.airframe.px4_parameters,
                **settings.parameters,
            }
        )
        self.parameters.on_change(self._on_parameter)
        vehicle.set_wind(settings.wind)
        self.fence_store = PlanStore(mavlink.MAV_MISSION_TYPE_FENCE, FENCE_LIMIT, self._on_fence)
        self.rally_store = PlanStore(mavlink.MAV_MISSION_TYPE_RALLY, RALLY_LIMIT, lambda marked: None)
        self.mission_store = PlanStore(
            mavlink.MAV_MISSION_TYPE_MISSION, MISSION_LIMIT, lambda marked: self.mission.on_stored(marked)
        )
        self._text_id = 0
        self._boot(first=True)

    def _boot(self, *, first: bool) -> None:
        now_s = self.vehicle.time_s
        self.booted_s = now_s
        self.silent_until_s = 0.0 if first else now_s + REBOOT_S
        self.reboot_after_ack = False
        self.armed = False
        self.landed = True
        self.taken_off = False
        self.home_set = False
        self.mode = Mode.AUTO_LOITER
        """What HEARTBEAT shows: the user's wish, or what a failsafe made of it."""
        self._intended = Mode.AUTO_LOITER
        self._after_disarming = Mode.AUTO_LOITER
        self._running: Mode | None = None
        self._armed_s = 0.0
        self._next_report_s = 0.0
        self.guidance = Guidance(self)
        self.land_detector = LandDetector(self)
        self.home_keeper = HomeKeeper(self)
        self.fence = Fence(self)
        self.mission = Mission(self)
        self.hold = Hold(self)
        self.takeoff = TakeoffMode(self)
        self.landing = Landing(self)
        self.returning = Return(self)
        self.failsafes = Failsafes(self)
        self.arming = Arming(self)
        self.gripper = Gripper(self)
        self.commands = Commands(self)
        stores = {
            store.mission_type: store for store in (self.mission_store, self.fence_store, self.rally_store)
        }
        self.transfer = Transfer(stores, lambda: self.mission.current, self.say)
        self.router = MessageRouter(self)
        self.body.motors_off()
        self.vehicle.payload.relax()
        self.guidance.apply_limits()
        if self.fence_store.items:
            self.fence.changed()

    def reboot(self) -> None:
        self._boot(first=False)

    # --- sensors ------------------------------------------------------------------------------
    @property
    def mode_name(self) -> str:
        return self.mode.name

    @property
    def gps_ok(self) -> bool:
        return not self.vehicle.faults.gps_is_lost

    @property
    def position_source_ok(self) -> bool:
        return self.gps_ok and self.estimator_ready and not self.vehicle.faults.estimator_is_lost

    @property
    def position_ok(self) -> bool:
        return self.position_source_ok or (self.armed and self.failsafes.position_lost_for_s < 5.0)

    @property
    def battery_remaining(self) -> float:
        """Share of the pack left, by counting."""
        capacity_ah = self.vehicle.settings.airframe.battery_capacity_ah
        return min(max(1.0 - self.body.consumed_ah / capacity_ah, 0.0), 1.0)

    @property
    def shows_active_mission(self) -> bool:
        """MISSION_CURRENT calls taking off and landing «active» as well."""
        return self.mode in (Mode.AUTO_MISSION, Mode.AUTO_TAKEOFF, Mode.AUTO_LAND)

    @property
    def is_landing(self) -> bool:
        returning = self.mode is Mode.AUTO_RTL and self.returning.stage is ReturnStage.LAND
        in_mission = self.mode is Mode.AUTO_MISSION and self.mission.descending
        return returning or in_mission or self.mode in (Mode.AUTO_LAND, Mode.DESCEND)

    # --- words --------------------------------------------------------------------------------
    def say(self, severity: int, text: str) -> None:
        """STATUSTEXT in chunks of 50 characters, with the tab PX4 ends them with, where a GCS listens."""
        now_s = self.now_s
        content = (text + "\t").encode("ascii", "replace")
        self._text_id = (self._text_id + 1) % 65536
        number = self._text_id if len(content) > CHUNK_CHARACTERS else 0
        chunks = [content[at : at + CHUNK_CHARACTERS] for at in range(0, len(content), CHUNK_CHARACTERS)]
        for channel in self.vehicle.channels:
            heard_s = channel.gcs_heard_s
            if heard_s is None or now_s - heard_s > TEXT_NEEDS_GCS_S:
                continue
            for index, chunk in enumerate(chunks):
                channel.send(mavlink.MAVLink_statustext_message(severity, chunk, number, index))

    # --- changes ------------------------------------------------------------------------------
    def _on_parameter(self, name: str) -> None:
        if name.startswith(("MPC_", "NAV_ACC_RAD")):
            self.guidance.apply_limits()

    def _on_fence(self, marked: int | None) -> None:
        self.fence.changed()

    def set_home(self, place: Wgs84Point, amsl_m: float, *, manual: bool = False) -> None:
        self.home, self.home_amsl_m = place, amsl_m
        self.home_set = self.home_changed = True
        self.home_keeper.manual = self.home_keeper.manual or manual
        self.mission.check_again()

    @property
    def mission_in_progress(self) -> bool:
        return self.mode is Mode.AUTO_MISSION and not self.mission.finished

    def on_armed(self, by: str) -> None:
        self.say(6, f"Armed by {by}")
        self.armed = True
        self._armed_s = self.now_s
        self.taken_off = False
        if not self.mission_in_progress:
            # Into a mission home is not refreshed: it stays where it was.
            self.home_keeper.refresh()
        self.body.motors_idle()
        self.vehicle.witness("armed", self.mode.name)

    def disarm(self, by: str, *, forced: bool = False) -> bool:
        """False: refused, because the vehicle flies."""
        if not self.armed:
            return True
        if not forced and not self.landed:
            self.say(2, "Disarming denied: not landed")
            return False
        self.armed = False
        self.taken_off = False
        self._running = None
        self.guidance.idle()
        self.body.motors_off()
        self.mission.on_disarmed()
        self.failsafes.on_disarmed()
        self._intended = self._after_disarming
        self.say(6, f"Disarmed by {by}")
        self.vehicle.witness("disarmed", by)
        return True

    def terminate(self) -> None:
        """Flight termination: the motors stop, wherever it is."""
        self.say(0, "Flight termination active")
        self._intended = self._after_disarming = Mode.TERMINATION
        self.vehicle.witness("terminated")

    def want_mode(self, mode: Mode, *, force: bool = False) -> bool:
        """The user's wish. Disarmed everything is granted; in the air only what can be flown."""
        if self.mode is Mode.TERMINATION:
            return False
        if self.armed and not force:
            complaint = self.arming.mode_complaint(mode)
            if complaint is not None:
                self.say(2, f"Switching to mode not possible: {complaint}")
                return False
        self._intended = mode
        if mode not in PREVENTS_ARMING and mode is not Mode.AUTO_TAKEOFF:
            self._after_disarming = mode
        self.failsafes.user_changed_mode()
        return True

    @property
    def flown_item(self) -> int | None:
        return self.mission.current if self.mode is Mode.AUTO_MISSION else None

    # --- meddling -----------------------------------------------------------------------------
    def pilot_takes_over(self) -> None:
        self.want_mode(Mode.POSCTL)

    def pilot_lands(self) -> None:
        self.want_mode(Mode.AUTO_LAND)

    def forget_mission(self) -> None:
        self.mission_store.clear()

    def cut_motors(self) -> None:
        self.disarm("kill-switch", forced=True)

    # --- loops --------------------------------------------------------------------------------
    def update(self, step_s: float) -> None:
        now_s = self.now_s
        if now_s < self.silent_until_s:
            return
        self.home_keeper.update(now_s)
        was_landed = self.landed
        self.land_detector.update(now_s)
        if was_landed and not self.landed:
            self.home_keeper.on_takeoff(now_s)
        self.failsafes.update(now_s)
        self._follow_completion()
        self._resolve_mode()
        self.arming.update()
        self.gripper.update(now_s)
        self.mission.update(now_s)
        if self.armed:
            self.guidance.update()
            self._fly(now_s)
            self._disarm_when_done(now_s)
        elif self.mode is not Mode.AUTO_RTL:
            self.returning.watch(now_s)
        self.transfer.update(now_s)
        self.router.update()
        self._report_mission(now_s)

    def _follow_completion(self) -> None:
        """A finished take-off or mission in the air ends in Hold."""
        if not self.armed or self.landed:
            return
        if self.mode is Mode.AUTO_TAKEOFF and self._intended is Mode.AUTO_TAKEOFF and self.takeoff.complete:
            on = self.parameters.integer("COM_TAKEOFF_ACT") == 1 and self.mission.valid
            self.want_mode(Mode.AUTO_MISSION if on else Mode.AUTO_LOITER, force=True)
        elif self.mode is Mode.AUTO_MISSION and self._intended is Mode.AUTO_MISSION and self.mission.finished:
            self.want_mode(Mode.AUTO_LOITER, force=True)

    def _resolve_mode(self) -> None:
        wanted = self.failsafes.mode or self._intended
        if wanted is not self.mode:
            self.mode = wanted
            self.vehicle.witness("mode", wanted.name)
        if self._running is self.mode or not self.armed:
            return
        if self._running is Mode.AUTO_MISSION:
            self.mission.deactivate()
        self._running = self.mode
        if self.mode is Mode.AUTO_MISSION:
            self.mission.activate()
        elif self.mode is Mode.AUTO_LOITER:
            self.hold.activate()
        elif self.mode is Mode.AUTO_TAKEOFF:
            self.takeoff.activate()
        elif self.mode is Mode.AUTO_RTL:
            self.returning.activate()
        elif self.mode in (Mode.AUTO_LAND, Mode.DESCEND):
            self.landing.activate()
        elif self.mode is Mode.TERMINATION:
            # The parachute is triggered by the termination outputs, whether one is there or not.
            self.vehicle.deploy_parachute()
        elif self.landed:
            self.guidance.idle()
        else:
            self.guidance.hold()

    def _fly(self, now_s: float) -> None:
        if self.mode is Mode.AUTO_LOITER:
            self.hold.update()
        elif self.mode is Mode.AUTO_TAKEOFF:
            self.takeoff.update()
        elif self.mode is Mode.AUTO_RTL:
            self.returning.update(now_s)
        elif self.mode in (Mode.AUTO_LAND, Mode.DESCEND):
            self.landing.update()
        if self.mode is not Mode.AUTO_RTL:
            self.returning.watch(now_s)
        if self.landed and self.taken_off and self.is_landing:
            self.guidance.idle()

    def _disarm_when_done(self, now_s: float) -> None:
        after_landing_s = self.parameters["COM_DISARM_LAND"]
        before_takeoff_s = self.parameters["COM_DISARM_PRFLT"]
        if self.taken_off:
            # A landing in the middle of a mission does not disarm.
            rested_s = now_s - self.land_detector.landed_since_s
            if self.landed and not self.mission_in_progress and 0 < after_landing_s <= rested_s:
                self.disarm("landing")
        elif 0 < before_takeoff_s <= now_s - self._armed_s - self.parameters["COM_SPOOLUP_TIME"]:
            self.disarm("auto preflight disarming")

    def _report_mission(self, now_s: float) -> None:
        slow = now_s >= self._next_report_s
        if slow:
            self._next_report_s = now_s + MISSION_REPORT_S
        if self.mission.changed_current or slow:
            self.mission.changed_current = False
            streams.broadcast(self, 42)
        reached = self.mission.take_reached(slow)
        if reached is not None:
            streams.send_item_reached(self, reached)

    def stream(self) -> None:
        if self.now_s >= self.silent_until_s:
            streams.send_due(self)

    def receive(self, message: Any, channel: Channel) -> None:
        if self.now_s >= self.silent_until_s:
            self.router.handle(message, channel)
