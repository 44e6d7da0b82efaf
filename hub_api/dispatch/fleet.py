"""What the hub knows of every drone right now, and whether it may be sent.

Filled by telemetry and readiness reports; never by assumption: a drone that has not reported, or
not lately, is not ready, and the reason says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.clock import Clock
from flight.messages import Event, LinkChanged, PhaseChanged, PreflightChecked, TelemetrySample, VehicleState
from flight.model.phases import FLIGHT_PHASES, Phase
from flight.model.preflight import PreflightLevel
from hub_api.dispatch.narration import phase_zh
from hub_api.weather.book import WeatherBook
from planner.reasons import Reason
from planner.site import Drone, Site
from planner.weather import UNKNOWN, Weather
from planner.wind import Wind

STANDS_BY_S = 10.0
"""Chosen: a drone that was called off on its pad disarms and checks itself within seconds."""
LOOK_S = 0.2


@dataclass(slots=True)
class _Seen:
    """The last words of one drone."""

    sample: TelemetrySample | None = None
    heard_monotonic_s: float | None = None
    preflight: PreflightChecked | None = None
    phase: Phase = Phase.DISCONNECTED
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneView:
    """One drone as the API shows it and the planner takes it."""

    drone: Drone
    ready: bool
    not_ready: tuple[Reason, ...]
    mission_id: str | None
    phase: Phase
    telemetry: TelemetrySample | None
    telemetry_age_s: float | None
    readiness: PreflightChecked | None
    charge_fraction: float | None
    wind: Wind | None
    weather: Weather = UNKNOWN
    """What else is known of the air at its station."""


class TelemetryWatch:
    """One stream's view of the telemetry: the newest sample of each drone since it last looked.

    A stream that is slow misses samples, never the newest one. ``every_s`` real seconds pass at least between two
    looks: a viewer draws no faster than that.
    """

    def __init__(self, every_s: float = 0.0) -> None:
        self._fresh: dict[str, TelemetrySample] = {}
        self._wake = asyncio.Event()
        self._every_s = every_s
        self._next_s = 0.0

    def offer(self, sample: TelemetrySample) -> None:
        self._fresh[sample.drone_id] = sample
        self._wake.set()

    async def next(self) -> list[TelemetrySample]:
        """Wait for samples; at least one."""
        await self._wake.wait()
        loop = asyncio.get_running_loop()
        if (early_s := self._next_s - loop.time()) > 0.0:
            await asyncio.sleep(early_s)
        self._next_s = loop.time() + self._every_s
        self._wake.clear()
        found, self._fresh = list(self._fresh.values()), {}
        return found


class Fleet:
    """Live state of the site's drones. Lives on the event loop's thread only."""

    CLOCK_SKEW_S = 5.0
    """How far another clock may be ahead of ours (ASTM F3548-21 asks for ≤ 5 s)."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        *,
        telemetry_stale_s: float,
        weather_stale_s: float,
        care: Callable[[Drone], Sequence[Reason]] = lambda _drone: (),
        weather: WeatherBook | None = None,
    ) -> None:
        """``care``: what people, AED and dock say against flying a drone."""
        self._clock = clock
        self._care = care
        self._weather = weather
        self._started_s = clock.monotonic_s()
        self._weather_stale_s = weather_stale_s
        self._station_wind: dict[str, Wind] = {}
        self._stale_s = telemetry_stale_s
        self._drones = {drone.drone_id: drone for drone in site.drones}
        self._seen = {drone_id: _Seen() for drone_id in self._drones}
        self._settled = asyncio.Event()
        self._watches: set[TelemetryWatch] = set()
        self._rendered: dict[str, tuple[TelemetrySample, str]] = {}

    def begins(self) -> None:
        """The drones can be heard from now on. What a hub needs until then is no time in which they kept silent: one that
        started slowly would decline the orders that it takes up."""
        self._started_s = self._clock.monotonic_s()

    def take_site(self, site: Site) -> None:
        """Other drones from now on; what is known of those that stay is kept."""
        self._drones = {drone.drone_id: drone for drone in site.drones}
        self._seen = {drone_id: self._seen.get(drone_id, _Seen()) for drone_id in self._drones}
        self._rendered = {key: kept for key, kept in self._rendered.items() if key in self._drones}

    def watch(self, every_s: float = 0.0) -> TelemetryWatch:
        """Samples from now on, the newest known ones first. Give it back with :meth:`unwatch`."""
        watch = TelemetryWatch(every_s)
        for seen in self._seen.values():
            if seen.sample is not None:
                watch.offer(seen.sample)
        self._watches.add(watch)
        return watch

    def samples(self) -> list[TelemetrySample]:
        """The newest sample of every drone that was heard."""
        return [seen.sample for seen in self._seen.values() if seen.sample is not None]

    def unwatch(self, watch: TelemetryWatch) -> None:
        self._watches.discard(watch)

    def rendered(self, sample: TelemetrySample, render: Callable[[TelemetrySample], str]) -> str:
        """The sample as text, made once for all streams that show it alike."""
        known = self._rendered.get(sample.drone_id)
        if known is None or known[0] is not sample:
            known = self._rendered[sample.drone_id] = sample, render(sample)
        return known[1]

    def take_telemetry(self, sample: TelemetrySample) -> None:
        """Remember a sample; one of a drone that the site does not know is no business of ours."""
        seen = self._seen.get(sample.drone_id)
        if seen is None:
            return
        if seen.sample is not None and sample.at < seen.sample.at:
            return
        seen.sample = sample
        seen.phase = sample.phase
        seen.heard_monotonic_s = self._clock.monotonic_s()
        for watch in self._watches:
            watch.offer(sample)
        self._note_reports()

    def take_event(self, event: Event) -> None:
        """Remember what an event says about the drone itself."""
        seen = self._seen.get(event.drone_id)
        if seen is None:
            return
        if isinstance(event, PreflightChecked):
            seen.preflight = event
            self._note_reports()
        elif isinstance(event, (PhaseChanged, VehicleState)):
            seen.phase = event.phase
            self._note_reports()
        elif isinstance(event, LinkChanged):
            seen.link = event.link

    def take_station_wind(self, station_id: str, wind: Wind) -> None:
        """Remember what a station's sensor measured, unless something newer is known."""
        known = self._station_wind.get(station_id)
        if known is None or known.measured_at <= wind.measured_at:
            self._station_wind[station_id] = wind

    def measured_wind(self, station_id: str) -> Wind | None:
        """The newest reading of a station's sensor. Vehicles on the ground measure none."""
        return self._station_wind.get(station_id)

    def usable_wind(self, station_id: str) -> Wind | None:
        """The newest wind at a station if it is young enough to decide on."""
        return self._usable(self.measured_wind(station_id), self._clock.now())

    def _usable(self, wind: Wind | None, now: datetime) -> Wind | None:
        if wind is None or (now - wind.measured_at).total_seconds() > self._weather_stale_s:
            return None
        return wind

    def _note_reports(self) -> None:
        if not self._settled.is_set() and all(map(self._has_settled, self._seen.values())):
            self._settled.set()

    @staticmethod
    def _has_settled(seen: _Seen) -> bool:
        """A drone says «not ready» as long as its agent has not heard everything yet: that is no answer."""
        if seen.sample is None or seen.preflight is None:
            return False
        return seen.preflight.ready or seen.phase in FLIGHT_PHASES

    def holds_command(self, drone_id: str, settle_s: float) -> bool:
        """Whether a flight command should wait because the hub just started and the drone is not up yet.

        A command sent again after a restart would be refused by an agent that has not heard its
        vehicle, and a farther drone would fly instead.
        """
        if self._clock.monotonic_s() - self._started_s >= settle_s or drone_id not in self._seen:
            return False
        return not self._has_settled(self._seen[drone_id])

    async def wait_until_settled(self, settle_s: float) -> bool:
        """Wait until every drone is ready or flying, at most until ``settle_s`` after the start; whether all are.

        A drone that is away for good delays the first orders after a start, and no other.
        """
        left_s = settle_s - (self._clock.monotonic_s() - self._started_s)
        if not self._settled.is_set() and left_s > 0:
            try:
                async with self._clock.timeout(left_s):
                    await self._settled.wait()
            except TimeoutError:
                return False
        return self._settled.is_set()

    async def wait_ready(self, drone_id: str, at_most_s: float = STANDS_BY_S) -> bool:
        """Until a drone that was called off on its pad may be sent again; whether it may."""
        try:
            async with self._clock.timeout(at_most_s):
                while (view := self.view(drone_id, {})) is not None and not view.ready:
                    await self._clock.sleep(LOOK_S)
        except TimeoutError:
            return False
        return view is not None

    def settling(self, settle_s: float) -> bool:
        """Whether the hub started so recently that «not ready» means nothing yet."""
        started_ago_s = self._clock.monotonic_s() - self._started_s
        return not self._settled.is_set() and started_ago_s < settle_s

    def views(self, reserved: Mapping[str, str]) -> tuple[DroneView, ...]:
        """Every drone of the site. ``reserved``: drone → mission."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        return tuple(
            [
                self._view(drone, reserved.get(drone_id), now, now_s)
                for drone_id, drone in self._drones.items()
            ]
        )

    def phases(self) -> dict[str, Phase]:
        """The phase of every drone as last heard, without judging anything."""
        return {drone_id: seen.phase for drone_id, seen in self._seen.items()}

    def view(self, drone_id: str, reserved: Mapping[str, str]) -> DroneView | None:
        drone = self._drones.get(drone_id)
        if drone is None:
            return None
        return self._view(drone, reserved.get(drone_id), self._clock.now(), self._clock.monotonic_s())

    def _view(self, drone: Drone, mission_id: str | None, now: datetime, now_s: float) -> DroneView:
        seen = self._seen[drone.drone_id]
        age_s = _age_s(seen, now_s)
        not_ready = (*self._care(drone), *self._reasons(seen, age_s, mission_id))
        return DroneView(
            drone=drone,
            ready=not not_ready,
            not_ready=not_ready,
            mission_id=mission_id,
            phase=seen.phase,
            telemetry=seen.sample,
            telemetry_age_s=age_s,
            readiness=seen.preflight,
            charge_fraction=_charge_fraction(seen),
            wind=self._usable(self._station_wind.get(drone.station_id), now),
            weather=UNKNOWN if self._weather is None else self._weather.at(drone.station_id),
        )

    def _reasons(self, seen: _Seen, age_s: float | None, mission_id: str | None) -> list[Reason]:
        reasons: list[Reason] = []
        if mission_id is not None:
            reasons.append(_ON_MISSION)
        if age_s is None:
            reasons.append(
                Reason(
                    "never_reported", "it has not reported since the hub started", "系统启动后尚未上报状态"
                )
            )
            return reasons
        if age_s > self._stale_s:
            reasons.append(
                Reason(
                    "telemetry_stale",
                    f"last telemetry {age_s:.1f} s ago, allowed {self._stale_s:g} s",
                    f"遥测已中断 {age_s:.1f} 秒（允许 {self._stale_s:g} 秒）",
                )
            )
        if seen.phase is not Phase.STANDBY and mission_id is None:
            reasons.append(
                Reason("not_standby", f"its phase is {seen.phase}", f"未待命：{phase_zh(seen.phase)}")
            )
        if seen.preflight is None:
            reasons.append(Reason("never_checked", "no readiness report yet", "尚无飞行前检查结果"))
        elif not seen.preflight.ready and mission_id is None:
            blocking = [v for v in seen.preflight.verdicts if v.level is PreflightLevel.BLOCK]
            reasons.extend(Reason(v.code, v.detail, v.detail_zh) for v in blocking)
            if not blocking:
                reasons.append(Reason("not_ready", "the drone says it is not ready", "无人机报告未就绪"))
        return reasons


def taken(view: DroneView, mission_id: str) -> DroneView:
    """The drone as it will be once this mission is stored."""
    return replace(view, ready=False, not_ready=(_ON_MISSION, *view.not_ready), mission_id=mission_id)


def refusing(views: tuple[DroneView, ...], tried: Collection[str]) -> tuple[DroneView, ...]:
    """The same fleet for an order that some drones have failed."""
    if not tried:
        return views
    return tuple(
        replace(view, ready=False, not_ready=(_TRIED, *view.not_ready))
        if view.drone.drone_id in tried
        else view
        for view in views
    )


_TRIED = Reason("tried_before", "it already failed this order", "本订单已尝试过该无人机")


_ON_MISSION = Reason("on_mission", "it serves another order", "正在执行其他任务")


def _age_s(seen: _Seen, now_s: float) -> float | None:
    if seen.sample is None or seen.heard_monotonic_s is None:
        return None
    # Two silences add up: agent to hub, and vehicle to agent.
    return now_s - seen.heard_monotonic_s + (seen.sample.link_age_s or 0.0)


def _charge_fraction(seen: _Seen) -> float | None:
    if seen.sample is not None and seen.sample.charge_fraction is not None:
        return seen.sample.charge_fraction
    return None if seen.preflight is None else seen.preflight.charge_fraction
