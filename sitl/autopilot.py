"""What every simulated autopilot has, whichever firmware it plays: clock, place, home, words.

A personality (``sitl/ardupilot``, ``sitl/px4``) owns modes, missions, failsafes and commands; the body, the
delivery gear and the channels belong to the vehicle.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.geodesy import Wgs84Point
from sitl.channel import Channel
from sitl.parameters import ParameterStore

if TYPE_CHECKING:
    from sitl.vehicle import SimulatedVehicle

ABOVE_SEA_FRAMES = frozenset({0, 5})
TERRAIN_FRAMES = frozenset({10, 11})


class Personality(StrEnum):
    """The firmware a simulated vehicle behaves like."""

    ARDUPILOT = "ardupilot"
    """ArduCopter 4.6."""
    PX4 = "px4"
    """PX4 1.17, multicopter."""


class Autopilot(ABC):
    """Owner of home and of what the vehicle believes about itself.

    Local coordinates are metres north, east, up from the launch point; altitudes are above mean sea level
    where the name says so.
    """

    parameters: ParameterStore

    def __init__(self, vehicle: SimulatedVehicle) -> None:
        self.vehicle = vehicle
        self.body = vehicle.body
        self.booted_s = vehicle.time_s
        self.armed = False
        self.landed = True
        self.taken_off = False
        self.home = vehicle.position
        self.home_amsl_m = self.body.altitude_amsl_m
        self.home_set = False
        self.home_changed = False

    # --- what a personality must do -----------------------------------------------------------
    @property
    @abstractmethod
    def mode_name(self) -> str:
        """The mode's name as its firmware spells it."""

    @property
    @abstractmethod
    def gps_ok(self) -> bool:
        """The receiver has a fix."""

    @property
    @abstractmethod
    def position_ok(self) -> bool:
        """A position good enough for autonomous modes."""

    @property
    @abstractmethod
    def flown_item(self) -> int | None:
        """The item of the stored mission that is being flown; None in any other mode."""

    @abstractmethod
    def update(self, step_s: float) -> None:
        """The slow loop: modes, mission, failsafes."""

    @abstractmethod
    def stream(self) -> None:
        """Send what is due on every channel; called at least every 0.1 s."""

    @abstractmethod
    def receive(self, message: Any, channel: Channel) -> None:
        """One decoded message from the peer of ``channel``."""

    @abstractmethod
    def reboot(self) -> None:
        """Start anew, as after a power cycle; stored missions and parameters stay."""

    @abstractmethod
    def pilot_takes_over(self) -> None:
        """A safety pilot switches to a mode of his own and holds position."""

    @abstractmethod
    def pilot_lands(self) -> None:
        """The safety pilot's switch for landing."""

    @abstractmethod
    def forget_mission(self) -> None:
        """The stored mission is lost."""

    @abstractmethod
    def cut_motors(self) -> None:
        """Motors off at once, wherever the vehicle is."""

    @abstractmethod
    def say(self, severity: int, text: str) -> None:
        """STATUSTEXT to whoever this firmware tells."""

    # --- time ---------------------------------------------------------------------------------
    @property
    def now_s(self) -> float:
        return self.vehicle.time_s

    @property
    def time_boot_ms(self) -> int:
        return round((self.now_s - self.booted_s) * 1000)

    @property
    def unix_us(self) -> int:
        """The vehicle's time of day, microseconds since 1970."""
        wrong_s = self.vehicle.faults.active.get("clock_wrong", 0.0)
        now = self.vehicle.settings.epoch + timedelta(seconds=self.now_s + wrong_s)
        return round(now.timestamp() * 1e6)

    @property
    def estimator_ready(self) -> bool:
        """The estimator uses GPS: so many seconds after power-on as the settings say."""
        return self.now_s - self.booted_s >= self.vehicle.ready_after_s

    # --- place --------------------------------------------------------------------------------
    @property
    def believed_local(self) -> tuple[float, float]:
        """North and east of where the autopilot thinks it is."""
        return self.body.believed_north_east_m

    @property
    def believed_position(self) -> Wgs84Point:
        return self.body.place_of(*self.believed_local)

    @property
    def believed_amsl_m(self) -> float:
        """Altitude the autopilot thinks it is at; its barometer can deceive it."""
        return self.body.launch_amsl_m + self.body.believed_up_m

    @property
    def home_local(self) -> tuple[float, float]:
        return self.body.local_of(self.home)

    @property
    def height_above_home_m(self) -> float:
        return self.believed_amsl_m - self.home_amsl_m

    def to_local(self, x: int, y: int) -> tuple[float, float]:
        """North and east of a position in 1e-7 degrees."""
        return self.body.local_of(Wgs84Point(x * 1e-7, y * 1e-7))

    def up_from(self, altitude_m: float, frame: int) -> float:
        """Local height of an altitude given above sea level (0, 5), home (3, 6) or terrain (10, 11)."""
        if frame in ABOVE_SEA_FRAMES:
            return altitude_m - self.body.launch_amsl_m
        if frame in TERRAIN_FRAMES:
            return altitude_m + self.body.up_m - self.body.height_above_ground_m
        return altitude_m + self.home_amsl_m - self.body.launch_amsl_m
