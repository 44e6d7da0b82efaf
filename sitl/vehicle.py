"""A simulated vehicle: body, delivery gear, autopilot and its MAVLink channels, without any I/O.

Time is simulated time only: :meth:`SimulatedVehicle.step` is the one way forward. Bytes come in by
:meth:`receive` and go out by :meth:`take_outgoing`; whoever owns the vehicle carries them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from core.geodesy import Wgs84Point
from sitl.airframe import Airframe, load_airframe
from sitl.ardupilot.autopilot import ArduCopter
from sitl.autopilot import Autopilot, Personality
from sitl.body import Body, Terrain
from sitl.channel import Channel
from sitl.columns import TICK_S
from sitl.faults import Faults, weather
from sitl.faults.link import Attacker, Link
from sitl.faults.traffic import Intruder
from sitl.payload import Payload
from sitl.px4.autopilot import Px4
from sitl.telemetry import POSITION_MESSAGES
from sitl.weather import Weather, Wind

AUTOPILOT_TICKS = 5
"""The autopilot's slow loop (modes, mission, failsafes) runs every 0.1 s; controllers run every tick."""


READY_AFTER_S = {Personality.ARDUPILOT: 41.0, Personality.PX4: 4.5}
"""Observed in software-in-the-loop."""
_PERSONALITIES: dict[Personality, type[ArduCopter] | type[Px4]] = {
    Personality.ARDUPILOT: ArduCopter,
    Personality.PX4: Px4,
}


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Something a bystander could testify: armed, released, dropped, crashed …"""

    at_s: float
    what: str
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class VehicleSettings:
    """How a vehicle is set up before power-on."""

    airframe: Airframe = field(default_factory=lambda: load_airframe("delivery_quad"))
    parameters: dict[str, float] = field(default_factory=dict)
    """Autopilot parameters on top of the airframe's own."""
    wind: Wind = field(default_factory=Wind)
    rain_mm_h: float = 0.0
    temperature_c: float = 15.0
    heading_deg: float = 0.0
    loaded: bool = True
    """An AED hangs on the hook."""
    autopilot: Personality | None = None
    """The firmware it behaves like; None: the airframe's own."""
    ready_after_s: float | None = None
    """From power-on until the estimator uses GPS; None: as observed, see READY_AFTER_S."""
    gnss_height_wanders: bool = True
    """PX4 only: what it takes for its altitude wanders, and home's altitude is corrected for it in flight, as in its
    own simulator."""
    epoch: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    """Time of day at power-on. Fixed by default, so that two runs are equal."""
    terrain: Terrain | None = None
    """Ground height under the vehicle; None: flat at the launch altitude."""


class SimulatedVehicle:
    """One vehicle on its launch point, powered on at ``time_s`` 0.

    ``launch_amsl_m`` is the ground altitude at the launch point. Everything random (turbulence, GPS noise,
    random faults) comes from ``seed``.
    """

    def __init__(
        self,
        system_id: int,
        launch: Wgs84Point,
        launch_amsl_m: float = 0.0,
        *,
        settings: VehicleSettings | None = None,
        seed: int = 0,
    ) -> None:
        self.settings = settings or VehicleSettings()
        self.system_id = system_id
        self.random = random.Random(f"vehicle {system_id} {seed}")
        self.launch = launch
        self.launch_amsl_m = launch_amsl_m
        self.body = Body(
            self.settings.airframe,
            launch=launch,
            launch_amsl_m=launch_amsl_m,
            heading_deg=self.settings.heading_deg,
            seed=self.random.getrandbits(63),
            terrain=self.settings.terrain,
        )
        self.payload = Payload(self.settings.airframe, loaded=self.settings.loaded)
        self._load_seen = self.payload.load
        """As the last bystander saw it: a fault may take it between two looks."""
        self.ticks = 0
        self.witnessed: list[Witnessed] = []
        self.channels: list[Channel] = []
        self.faults = Faults(self)
        self._weather = Weather(
            wind=self.settings.wind,
            rain_mm_h=self.settings.rain_mm_h,
            temperature_c=self.settings.temperature_c,
        )
        link_chance = random.Random(f"link {system_id} {seed}")
        active = self.faults.active
        self._uplink = Link(link_chance, active)
        self._downlink = Link(link_chance, active)
        self._attacker = Attacker(link_chance, active, system_id)
        self._intruder = Intruder(self)
        self._arrived: dict[int, list[bytes]] = {}
        self._frozen: dict[int, Any] = {}
        self._owed_s = 0.0
        self.personality = self.settings.autopilot or Personality(self.settings.airframe.autopilot)
        given_s = self.settings.ready_after_s
        self.ready_after_s = READY_AFTER_S[self.personality] if given_s is None else given_s
        self.autopilot: Autopilot = _PERSONALITIES[self.personality](self)
        self.open_channel()

    # --- time ---------------------------------------------------------------------------------
    @property
    def time_s(self) -> float:
        """Seconds since power-on, exact multiples of the tick."""
        return self.ticks * TICK_S

    def step(self, duration_s: float) -> None:
        """Advance simulated time. Fractions of a tick are kept for the next call, nothing is lost."""
        self._owed_s += duration_s
        count = int(self._owed_s / TICK_S + 1e-9)
        self._owed_s -= count * TICK_S
        while count > 0:
            chunk = min(count, AUTOPILOT_TICKS - self.ticks % AUTOPILOT_TICKS)
            if min([channel.shortest_interval_s for channel in self.channels]) < 0.099:
                chunk = 1
            self.body.run(chunk)
            self.ticks += chunk
            count -= chunk
            if self.ticks % AUTOPILOT_TICKS == 0:
                self._slow_loop()
            self.autopilot.stream()

    def _slow_loop(self) -> None:
        step_s = AUTOPILOT_TICKS * TICK_S
        self.body.update_ground()
        self.faults.update()
        self._hear_late()
        self.payload.update(self.time_s, step_s, self.body.height_above_ground_m)
        self.body.set_mass(self.settings.airframe.empty_mass_kg + self.payload.carried_kg)
        self.autopilot.update(step_s)
        if self.faults.active:
            self._intruder.update(step_s)
            self._attack(step_s)
        if self.payload.load is not self._load_seen:
            self._load_seen = self.payload.load
            # Nobody's news is that a person hung a load on.
            if self.payload.released_at_height_m is not None:
                self.witness(
                    self.payload.load.value, f"{self.payload.released_at_height_m:.2f} m above ground"
                )

    def deploy_parachute(self) -> bool:
        """Pull the parachute. False: there is none, or it jams; the motors are off in any case."""
        if "parachute_jam" in self.faults:
            self.body.motors_off()
            self.witness("parachute jammed")
            return False
        opened = self.body.open_parachute()
        self.witness("parachute open" if opened else "no parachute")
        return opened

    # --- air ----------------------------------------------------------------------------------
    def set_wind(self, wind: Wind) -> None:
        """The wind of the place; active faults make of it what they do."""
        self._weather = replace(self._weather, wind=wind)
        self.refresh_weather()

    def set_weather(self, weather: Weather) -> None:
        """All of the weather of the place."""
        self._weather = weather
        self.refresh_weather()

    def refresh_weather(self) -> None:
        """Bring the weather, with what active faults make of it, to the body."""
        self.body.set_weather(weather.changed(self._weather, self.faults.active, self.faults.since_s()))

    def witness(self, what: str, detail: str = "") -> None:
        self.witnessed.append(Witnessed(self.time_s, what, detail))

    def frozen_telemetry(self, builders: Mapping[int, Callable[[Any], Any]]) -> dict[int, Any]:
        """The messages that go out as they were when telemetry froze; empty while it does not."""
        if "telemetry_frozen" not in self.faults:
            self._frozen.clear()
        elif not self._frozen:
            self._frozen = {
                number: build(self.autopilot)
                for number, build in builders.items()
                if number in POSITION_MESSAGES
            }
        return dict(self._frozen)

    # --- bytes --------------------------------------------------------------------------------
    def open_channel(self) -> Channel:
        """A further MAVLink conversation; channel 0 exists from the start."""
        channel = Channel(self.system_id)
        self.channels.append(channel)
        return channel

    def receive(self, data: bytes, channel: int = 0) -> None:
        """Bytes from the peer of ``channel``; answers wait in :meth:`take_outgoing`."""
        if self._uplink.is_plain:
            self._hear(data, channel)
            return
        self._uplink.send(channel, data, self.time_s)
        self._hear_late()

    def _hear(self, data: bytes, channel: int) -> None:
        spoken = self.channels[channel]
        for message in spoken.decode(data):
            self.autopilot.receive(message, spoken)

    def _hear_late(self) -> None:
        if not self._uplink.is_plain:
            for channel, data in self._uplink.take(self.time_s):
                self._hear(data, channel)

    def _attack(self, step_s: float) -> None:
        for frame in self._attacker.attack(step_s, self.autopilot.time_boot_ms):
            for channel in range(len(self.channels)):
                self._arrived.setdefault(channel, []).append(frame)

    def take_outgoing(self, channel: int = 0) -> list[bytes]:
        """Datagrams for the peer of ``channel`` since the last call."""
        datagrams = self.channels[channel].take_outgoing()
        if self._downlink.is_plain and not self._arrived:
            return datagrams
        for datagram in datagrams:
            self._attacker.hear(datagram)
            self._downlink.send(channel, datagram, self.time_s)
        for number, datagram in self._downlink.take(self.time_s):
            self._arrived.setdefault(number, []).append(datagram)
        return self._arrived.pop(channel, [])

    # --- what a test may look at --------------------------------------------------------------
    @property
    def position(self) -> Wgs84Point:
        """True position, whatever the autopilot believes."""
        return self.body.position

    @property
    def altitude_amsl_m(self) -> float:
        return self.body.altitude_amsl_m

    @property
    def armed(self) -> bool:
        return self.autopilot.armed

    @property
    def mode(self) -> str:
        return self.autopilot.mode_name
