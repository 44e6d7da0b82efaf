"""Keeps a waiting drone's verdicts fresh, so that an order finds the answer ready.

Asks for streams until they come, reads the parameter profile, has the hook state that it holds, and
publishes the verdicts whenever one changes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from core.clock import Clock
from core.ids import IdSource
from flight.autopilots.base import Autopilot
from flight.closed_zones import ClosedZones
from flight.journal import Remembered
from flight.links.mavlink.connection import VehicleConnection
from flight.messages import Event, PreflightChecked, Reason
from flight.model.faults import LINK_STALE_AFTER_S
from flight.model.outcomes import ActionOutcome
from flight.model.preflight import (
    AedOnBoard,
    ParameterFinding,
    PreflightLevel,
    PreflightVerdict,
    check_plan,
    check_vehicle,
    ready,
)
from flight.model.preflight_world import (
    check_authorisations,
    check_closed_zone,
    check_self_test,
    check_wind,
)
from geofences.airspace import Airspace
from planner.airframe import load_airframes
from planner.flight_plan import DeliveryMethod, FlightPlan
from planner.site import Drone

CHECK_PERIOD_S = 0.5
PARAMETERS_AGE_S = 60.0
"""A parameter that somebody changes on the pad is seen within a minute."""
HOOK_TIMEOUT_S = 4.0
RETRY_S = 2.0


class Readiness:
    """The verdicts of one drone. ``active`` is set by the owner while no flight is under way."""

    def __init__(
        self,
        drone: Drone,
        link: VehicleConnection,
        autopilot: Autopilot,
        clock: Clock,
        publish: Callable[[Event], Awaitable[None]],
        ids: IdSource,
        airspace: Callable[[], Airspace] | None = None,
    ) -> None:
        self.active = False
        self.aed_missing = False
        self._drone, self._link, self._autopilot, self._clock = drone, link, autopilot, clock
        self._publish_event, self._ids = publish, ids
        airframe = load_airframes().get(drone.airframe_id)
        self._expects_winch = airframe is None or airframe.delivery(DeliveryMethod.WINCH) is not None
        self._wind_limit_m_s = None if airframe is None else airframe.wind_limit_m_s
        self._airspace = airspace
        self._memory = Remembered()
        self._hook_closed_at_boot: int | None = None
        self._mode_selected_at_boot: int | None = None
        self._parameters: tuple[ParameterFinding, ...] | None = None
        self._parameters_read_s: float | None = None
        self._published: tuple[tuple[str, PreflightLevel, str], ...] | None = None
        self._asked_hook_s: float | None = None

    def remember(self, memory: Remembered) -> None:
        """What people and the hub said about weather, AED, zones and authorisations."""
        self._memory = memory
        self.aed_missing = memory.aed_missing

    async def run(self) -> None:
        """Until cancelled. Streams are kept up in flight too; everything else only on the ground."""
        asked_streams_s = -RETRY_S
        seen_reboots = 0
        while True:
            await self._clock.sleep(CHECK_PERIOD_S)
            view, now_s = self._link.view, self._clock.monotonic_s()
            silent_s = view.silent_for_s(now_s)
            if silent_s is None:
                continue
            if view.reboots != seen_reboots:
                seen_reboots = view.reboots
                self._parameters = None
            if silent_s <= LINK_STALE_AFTER_S and view.autopilot_type == self._autopilot.mav_autopilot:
                missing = self._autopilot.missing_streams(view, now_s)
                if missing and now_s - asked_streams_s >= RETRY_S:
                    await self._autopilot.request_streams(self._link)
                    asked_streams_s = self._clock.monotonic_s()
                if self.active:
                    await self._refresh()
            if self.active:
                await self.publish()

    async def _refresh(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._parameters is None or now_s - (self._parameters_read_s or 0.0) > PARAMETERS_AGE_S:
            await self.read_profile()
        view = self._link.view
        if self._mode_selected_at_boot != view.reboots and view.armed is False:
            # The autopilot's own checks depend on the mode. Once a boot: a pilot who then chooses
            # another one on the ground has his reasons, and preparing a flight selects it again.
            selected = await self._autopilot.select_arming_mode(self._link)
            if selected.obeyed:
                self._mode_selected_at_boot = view.reboots
        known = self._hook_closed_at_boot == view.reboots
        asked_lately = self._asked_hook_s is not None and now_s - self._asked_hook_s < 5 * RETRY_S
        if not known and not self.aed_missing and not asked_lately and view.armed is False:
            await self.close_hook()

    async def read_profile(self) -> tuple[ParameterFinding, ...]:
        """Compare the vehicle's parameters with the profile; differences are shown, never written here."""
        profile = self._autopilot.profile
        held = await self._link.read_parameters({entry.name for entry in profile})
        findings = []
        for entry in profile:
            actual = held[entry.name]
            findings.append(
                ParameterFinding(
                    name=entry.name,
                    actual=actual,
                    holds=actual is not None and entry.holds(actual),
                    blocks=entry.blocks,
                    wanted=f"{entry.rule.value} {entry.value:g}",
                    reason=entry.reason,
                    reason_zh=entry.reason_zh,
                )
            )
        self._parameters = tuple(findings)
        self._parameters_read_s = self._clock.monotonic_s()
        return self._parameters

    async def write_profile(self) -> tuple[str, ...]:
        """On command only: write what blocks. Returns what could not be written."""
        failed = []
        for entry in self._autopilot.profile:
            held = (await self._link.read_parameters([entry.name]))[entry.name]
            if held is not None and not entry.holds(held):
                outcome = await self._link.set_parameter(entry.name, entry.value_for(held))
                if not outcome.matches:
                    failed.append(entry.name)
        await self.read_profile()
        return tuple(failed)

    async def close_hook(self) -> ActionOutcome:
        """Have the hook close, and state that it holds."""
        self._asked_hook_s = self._clock.monotonic_s()
        outcome = await self._autopilot.hold_load(self._link, self._clock.monotonic_s() + HOOK_TIMEOUT_S)
        self._hook_closed_at_boot = self._link.view.reboots if outcome.obeyed else None
        return outcome

    def hook_opened(self) -> None:
        """The hook was commanded open: what it stated before is history."""
        self._hook_closed_at_boot = None

    @property
    def _aed(self) -> AedOnBoard:
        if self.aed_missing:
            return AedOnBoard.MISSING
        if self._hook_closed_at_boot == self._link.view.reboots:
            return AedOnBoard.CONFIRMED
        return AedOnBoard.UNCONFIRMED

    def verdicts(self) -> tuple[PreflightVerdict, ...]:
        """What can be said now without a plan. Computed from what was heard; asks nothing."""
        view, now_s = self._link.view, self._clock.monotonic_s()
        seen = check_vehicle(
            view,
            now_s,
            estimator_ready=self._autopilot.estimator_ready(view),
            missing_streams=self._autopilot.missing_streams(view, now_s),
            parameters=self._parameters,
            aed=self._aed,
            expects_winch=self._expects_winch,
            expected_autopilot=self._autopilot.mav_autopilot,
            conflict=self._link.conflict,
        )
        now, wind, test = self._clock.now(), self._memory.wind, self._memory.self_test
        return (
            *seen,
            check_wind(
                None if wind is None else wind.strongest_m_s,
                None if wind is None else wind.measured_at,
                self._wind_limit_m_s,
                now,
            ),
            check_self_test(
                None if test is None else test.passed,
                None if test is None else test.tested_at,
                "" if test is None else test.detail,
                now,
            ),
        )

    def _plan_verdicts(self, plan: FlightPlan, departs_at: datetime) -> tuple[PreflightVerdict, ...]:
        memory = self._memory
        airspace = None if self._airspace is None else self._airspace()
        zones = ClosedZones(
            memory.closed_zones, plan.home.position, None if airspace is None else airspace.terrain
        )
        return (
            *check_plan(self._link.view, plan),
            check_authorisations(
                plan,
                known=None if airspace is None else airspace.authorisations,
                revoked=memory.revoked,
                departs_at=departs_at,
            ),
            check_closed_zone(zones.on_plan(plan, departs_at)),
        )

    def refusals(self, plan: FlightPlan, departs_at: datetime | None = None) -> tuple[Reason, ...]:
        """Why this plan cannot be flown at ``departs_at`` (now); empty when it can."""
        return tuple(
            Reason(f"{verdict.check}_{verdict.code}", verdict.detail, verdict.detail_zh)
            for verdict in (*self.verdicts(), *self._plan_verdicts(plan, departs_at or self._clock.now()))
            if verdict.level is PreflightLevel.BLOCK
        )

    async def publish(self, *, force: bool = False) -> None:
        """Say the verdicts, if one changed since they were last said."""
        verdicts = self.verdicts()
        key = tuple((verdict.check, verdict.level, verdict.code) for verdict in verdicts)
        if key == self._published and not force:
            return
        self._published = key
        view = self._link.view
        await self._publish_event(
            PreflightChecked(
                event_id=self._ids.new("evt"),
                drone_id=self._drone.drone_id,
                at=self._clock.now(),
                ready=ready(verdicts),
                verdicts=verdicts,
                charge_fraction=view.charge_fraction,
                wind_from_deg=view.measured_wind[0],
                wind_speed_m_s=view.measured_wind[1],
            )
        )
