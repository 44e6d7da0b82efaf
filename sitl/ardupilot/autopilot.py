"""ArduCopter: owns the state, runs the slow loop, and gives the other files what they need of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from core.geodesy import Wgs84Point
from sitl.ardupilot import arming as arming_rules
from sitl.ardupilot import streams
from sitl.ardupilot.battery import BatteryMonitor
from sitl.ardupilot.commands import Commands
from sitl.ardupilot.failsafe import Failsafes
from sitl.ardupilot.fence import Fence
from sitl.ardupilot.gear import Gear
from sitl.ardupilot.land_detector import LandDetector
from sitl.ardupilot.manoeuvres import Landing, ReturnStage, ReturnToLaunch, Takeoff
from sitl.ardupilot.messages import MessageRouter
from sitl.ardupilot.mission import Mission, MissionState
from sitl.ardupilot.modes import FLYABLE, NEEDS_POSITION, Mode
from sitl.ardupilot.navigation import Submode
from sitl.ardupilot.parameters import Parameters
from sitl.ardupilot.stores import FenceStore, MissionStore, RallyStore
from sitl.ardupilot.transfer import Transfer
from sitl.ardupilot.tuning import Tuning
from sitl.autopilot import Autopilot
from sitl.channel import Channel

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

ARMING_DELAY_S = 2.0
"""ArduCopter's ARMING_DELAY_SEC: no take-off sooner after arming."""
REBOOT_S = 3.0
"""Chosen: silence of a rebooting vehicle."""


class ArduCopter(Autopilot):
    """The autopilot of one simulated vehicle."""

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        super().__init__(vehicle)
        settings = vehicle.settings
        wind = settings.wind
        self.parameters = Parameters(
            {
                "SYSID_THISMAV": vehicle.system_id,
                "SIM_WIND_SPD": wind.speed_m_s,
                "SIM_WIND_DIR": wind.from_deg,
                "SIM_WIND_TURB": wind.turbulence_m_s,
                "SIM_WIND_T": 0 if wind.profile_exponent > 0 else 1,
                **settings.airframe.parameters,
                **settings.parameters,
            }
        )
        self.parameters.on_change(lambda name: self.tuning.on_parameter(name))
        vehicle.set_wind(wind)
        self.quiet = False
        self._boot(first=True)

    def _boot(self, *, first: bool) -> None:
        vehicle = self.vehicle
        self.booted_s = vehicle.time_s
        self.reboot_after_ack = False
        self.silent_until_s = 0.0 if first else vehicle.time_s + REBOOT_S
        self.mode = Mode.STABILIZE
        self.armed = False
        self.landed = True
        self.taken_off = False
        self.told_to_go = False
        self._armed_s = 0.0
        self.land_detector = LandDetector(self)
        self.tuning = Tuning(self)
        self.home = vehicle.position
        self.home_amsl_m = self.body.altitude_amsl_m
        self.home_locked = False
        self.home_set = False
        self.home_changed = False
        self.guided_target: tuple[float, float, float] | None = None
        self.landing = Landing(self)
        self.takeoff = Takeoff(self)
        self.returning = ReturnToLaunch(self)
        self.battery = BatteryMonitor(self)
        if first:
            self.fence = Fence(self)
            self.mission_store = MissionStore(
                home=self._home_item,
                may_clear=lambda: not (self.armed and self.mission.state is MissionState.RUNNING),
                current=lambda: self.mission.nav_index,
                say=self.say,
            )
            self.rally = RallyStore(lambda count: self.parameters.set_internally("RALLY_TOTAL", count))
            self.fence_store = FenceStore(self._on_fence)
        self.fence.enabled = self.parameters["FENCE_ENABLE"] > 0
        self.mission = Mission(self)
        self.failsafes = Failsafes(self)
        self.arming = arming_rules.Arming(self)
        self.transfers = {
            store.mission_type: Transfer(store, self.say)
            for store in (self.mission_store, self.fence_store, self.rally)
        }
        self.commands = Commands(self)
        self.router = MessageRouter(self)
        self.body.motors_off()
        self.gear = Gear(self)
        self.tuning.apply_limits()

    def reboot(self) -> None:
        self._boot(first=False)

    # --- sensors ------------------------------------------------------------------------------
    @property
    def mode_name(self) -> str:
        return self.mode.name

    @property
    def attitude_ready(self) -> bool:
        """Good enough for modes without position: a little after half of the start-up (23 of 41 s)."""
        return self.now_s - self.booted_s >= self.vehicle.ready_after_s * 0.56

    @property
    def gps_ok(self) -> bool:
        return not self.vehicle.faults.gps_is_lost and self.parameters["SIM_GPS_DISABLE"] == 0

    @property
    def position_source_ok(self) -> bool:
        return self.gps_ok and self.estimator_ready and not self.vehicle.faults.estimator_is_lost

    @property
    def position_ok(self) -> bool:
        return self.estimator_ready and (
            self.position_source_ok or (self.armed and self.failsafes.position_lost_for_s < 8.0)
        )

    def _home_item(self) -> tuple[int, int, int]:
        return (
            round(self.home.latitude_deg * 1e7),
            round(self.home.longitude_deg * 1e7),
            round(self.home_amsl_m * 100),
        )

    def set_home(self, place: Wgs84Point, amsl_m: float, *, locked: bool) -> None:
        self.home, self.home_amsl_m = place, amsl_m
        self.home_locked = self.home_locked or locked
        self.home_changed = True

    # --- words --------------------------------------------------------------------------------
    def say(self, severity: int, text: str) -> None:
        """STATUSTEXT to everyone; longer texts are cut at 50 characters as one chunk is."""
        if self.quiet:
            return
        if "release_not_confirmed" in self.vehicle.faults and text.startswith("Gripper"):
            return
        for channel in self.vehicle.channels:
            channel.send(mavlink.MAVLink_statustext_message(severity, text[:50].encode("ascii", "replace")))

    # --- arming -------------------------------------------------------------------------------
    def on_armed(self) -> None:
        self.armed = True
        self._armed_s = self.now_s
        self.taken_off = False
        if self.position_ok and not self.home_locked:
            self.set_home(self.believed_position, self.body.altitude_amsl_m, locked=False)
        self.body.motors_idle()
        self.vehicle.witness("armed", self.mode.name)

    def disarm(self, why: str) -> None:
        if not self.armed:
            return
        self.say(6, "Disarming motors")
        self.armed = False
        self.told_to_go = False
        self.takeoff.cancel()
        self.body.motors_off()
        self.mission.reset()
        self.tuning.forget_speed()
        self.battery.reset()
        self.vehicle.witness("disarmed", why)

    def leave_ground(self) -> None:
        """A take-off was commanded: from now on the landed detector must see the ground anew."""
        self.taken_off = True

    @property
    def may_leave_ground(self) -> bool:
        return self.armed and self.told_to_go and self.now_s - self._armed_s >= ARMING_DELAY_S

    @property
    def is_landing(self) -> bool:
        return (
            self.mode is Mode.LAND
            or (self.mode is Mode.RTL and self.returning.stage is ReturnStage.LAND)
            or (self.mode is Mode.AUTO and self.mission.navigation.submode is Submode.LAND)
        )

    @property
    def is_taking_off(self) -> bool:
        climbing = not self.takeoff.complete and self.taken_off
        return climbing and (
            (self.mode is Mode.AUTO and self.mission.navigation.submode is Submode.TAKEOFF)
            or (self.mode is Mode.GUIDED and self.guided_target is None)
        )

    def release_parachute(self) -> None:
        """DO_PARACHUTE: only with CHUTE_ENABLED, armed, and high enough; otherwise a text at most."""
        if not self.parameters["CHUTE_ENABLED"] or not self.armed or self.landed:
            return
        if self.height_above_home_m < self.parameters["CHUTE_ALT_MIN"]:
            self.say(1, "Parachute: Too low")
            return
        self.say(6, "Parachute: Released")
        self.vehicle.deploy_parachute()
        self.disarm("parachute")

    @property
    def flown_item(self) -> int | None:
        return self.mission.nav_index if self.mode is Mode.AUTO else None

    # --- meddling -----------------------------------------------------------------------------
    def pilot_takes_over(self) -> None:
        self.set_mode(Mode.LOITER)

    def pilot_lands(self) -> None:
        self.set_mode(Mode.LAND)

    def forget_mission(self) -> None:
        self.mission_store.items.clear()
        self.mission_store.version += 1

    def cut_motors(self) -> None:
        self.disarm("radio")

    # --- modes --------------------------------------------------------------------------------
    def set_mode(self, wanted: Mode, *, land_pause_s: float = 0.0) -> bool:
        """Change the mode, or say why not. The same mode again is accepted and changes nothing."""
        if wanted is self.mode:
            return True
        reason = self._mode_refusal(wanted)
        if reason is not None:
            self.say(4, f"Mode change to {wanted.name} failed: {reason}")
            return False
        if self.mode is Mode.AUTO:
            self.mission.stop()
            self.body.scale_speed(1.0)
        self.mode = wanted
        self.vehicle.witness("mode", wanted.name)
        self.takeoff.cancel()
        if wanted is Mode.AUTO:
            self.tuning.forget_speed()
            self.mission.navigation.submode = Submode.LOITER
            self.mission.waiting_to_start = True
        elif self.armed and not self.landed:
            self._enter(wanted, land_pause_s)
        return True

    def _mode_refusal(self, wanted: Mode) -> str | None:
        if wanted not in FLYABLE:
            return "init failed"
        if wanted in NEEDS_POSITION and self.armed and not self.position_ok:
            return "requires position"
        if wanted is Mode.AUTO:
            if self.mission.count <= 1:
                return "init failed"
            if self.armed and self.landed and not self.mission.starts_with_takeoff():
                self.say(2, "Auto: Missing Takeoff Cmd")
                return "init failed"
        return None

    def _enter(self, mode: Mode, land_pause_s: float) -> None:
        body = self.body
        if mode is Mode.RTL:
            self.tuning.forget_speed()
            self.returning.start()
        elif mode is Mode.LAND:
            self.landing.start(pause_s=land_pause_s)
        elif mode is Mode.STABILIZE:
            body.motors_idle()
        else:
            self.guided_target = None
            body.hold_horizontally()
            body.climb_to(body.stopping_point()[2])
            body.point_nose(body.yaw_rad)

    def start_mission(self) -> bool:
        """MISSION_START: AUTO, and go. Accepted while disarmed too, where nothing moves."""
        if not self.set_mode(Mode.AUTO):
            return False
        self.told_to_go = True
        if self.mission.state is not MissionState.RUNNING and not self.mission.waiting_to_start:
            self.mission.start_or_resume()
        return True

    def user_takeoff(self, height_m: float) -> bool:
        """NAV_TAKEOFF in GUIDED: only armed, landed, and upwards."""
        if self.mode is not Mode.GUIDED or not self.armed or not self.landed:
            return False
        up = height_m + self.home_amsl_m - self.body.launch_amsl_m
        if up <= self.body.believed_up_m:
            return False
        self.guided_target = None
        self.told_to_go = True
        self.takeoff.start(up)
        return True

    def guided_go(self, north: float, east: float, up: float) -> bool:
        """A GUIDED destination. False: outside the fence."""
        height_m = up + self.body.launch_amsl_m - self.home_amsl_m
        if not self.fence.allows(north, east, height_m):
            return False
        self.guided_target = (north, east, up)
        if self.mode is Mode.GUIDED and self.armed and not self.landed:
            self.tuning.apply_limits()
            self.body.fly_to(north, east)
            self.body.climb_to(up)
            self.body.nose_follows_track()
        return True

    def enable_fence(self, on: bool) -> bool:
        if on and not self.fence.has_shapes and not self.parameters.integer("FENCE_TYPE") & 11:
            return False
        self.fence.enabled = on
        self.say(6, "Fence Enabled" if on else "Fence Disabled")
        return True

    def _on_fence(self) -> None:
        self.fence.load(self.fence_store.shapes)
        total = sum(len(shape.vertices) for shape in self.fence_store.shapes)
        self.parameters.set_internally("FENCE_TOTAL", total)

    # --- loops --------------------------------------------------------------------------------
    def update(self, step_s: float) -> None:
        now_s = self.now_s
        if now_s < self.silent_until_s:
            return
        if self.position_source_ok and not self.home_set and not self.armed:
            self.home_set = True
            self.set_home(self.believed_position, self.body.altitude_amsl_m, locked=False)
        self.land_detector.update(now_s)
        self.failsafes.update(now_s)
        self.arming.update(now_s)
        if self.armed or self.mode is Mode.AUTO:
            self._fly(now_s)
        for transfer in self.transfers.values():
            transfer.update(now_s)
        self.router.update(now_s)

    def _fly(self, now_s: float) -> None:
        grounded = self.landed and not self.taken_off
        if self.mode is Mode.AUTO:
            # The mission runs on the ground and disarmed too; only the motors wait.
            self.mission.update()
            if self.mission.reached is not None:
                streams.send_item_reached(self, self.mission.reached)
            grounded = self.landed and not self.taken_off
        elif self.mode is Mode.GUIDED and self.guided_target is None:
            self.takeoff.update()
            grounded = self.landed and not self.taken_off
        elif self.mode is Mode.RTL and not grounded:
            self.returning.update()
        elif self.mode is Mode.LAND and not grounded:
            self.landing.update()
        if not self.armed:
            self.body.motors_off()
        elif grounded:
            self.body.motors_idle()
            self._wait_on_ground(now_s)

    def _wait_on_ground(self, now_s: float) -> None:
        """Armed on the ground: RTL and LAND disarm at once, other modes after DISARM_DELAY."""
        if self.mode in (Mode.RTL, Mode.LAND):
            self.disarm("landed")
            return
        delay_s = self.parameters["DISARM_DELAY"]
        since_s = max(self._armed_s, self.land_detector.touched_s or 0.0)
        if 0 < delay_s <= now_s - since_s:
            self.disarm("not taken off")

    def stream(self) -> None:
        """Send what is due on every channel; called at least every 0.1 s."""
        if self.now_s >= self.silent_until_s:
            streams.send_due(self)

    def receive(self, message: Any, channel: Channel) -> None:
        if self.now_s >= self.silent_until_s:
            self.router.handle(message, channel)
