"""What is known of drones on the ground right now, kept in memory for decisions; the store is its source.

Changed on the event loop only. Times pass by themselves: a self-test grows old without anybody reporting it, so
findings are made when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.clock import Clock
from hub_api.care.model import (
    AedReport,
    DockReport,
    Due,
    Finding,
    Level,
    MaintenanceDone,
    MaintenanceRule,
    OutOfService,
    due_of,
    judge_aed,
    judge_dock,
    judge_due,
    judge_no_aed,
)
from hub_api.store.repositories.flights import NOT_FLOWN, Flown
from planner.reasons import Reason
from planner.site import Drone, Site


@dataclass(slots=True, kw_only=True)
class CareFacts:
    """Everything that the store knows about the drones' care."""

    out_of_service: dict[str, OutOfService] = field(default_factory=dict)
    aeds: dict[str, AedReport] = field(default_factory=dict)
    docks: dict[str, DockReport] = field(default_factory=dict)
    rules: dict[tuple[str, str], MaintenanceRule] = field(default_factory=dict)
    """(airframe_id, rule_id)"""
    done: dict[tuple[str, str], MaintenanceDone] = field(default_factory=dict)
    """(drone_id, rule_id): the last time."""
    flown: dict[str, Flown] = field(default_factory=dict)


class CareBook:
    """Judges the facts. ``aed_report_required``: an AED that nobody reported keeps its drone on the ground."""

    def __init__(self, clock: Clock, *, aed_report_required: bool, dock_silent_s: float) -> None:
        self._clock = clock
        self._required = aed_report_required
        self._dock_silent_s = dock_silent_s
        self.facts = CareFacts()

    def findings(self, drone: Drone, site: Site) -> list[Finding]:
        """Everything to be said of a drone, its AED, its dock and its maintenance; what blocks comes first."""
        return sorted(self._found(drone, site), key=lambda finding: finding.level is not Level.BLOCK)

    def _found(self, drone: Drone, site: Site) -> list[Finding]:
        found: list[Finding] = []
        out = self.facts.out_of_service.get(drone.drone_id)
        if out is not None:
            found.append(
                Finding(
                    Level.BLOCK,
                    Reason(
                        "out_of_service",
                        f"{out.by} took it out of service: {out.reason}",
                        f"{out.by} 已停用该无人机：{out.reason}",
                    ),
                )
            )
        found += self.aed_findings(drone.drone_id, site)
        found += self.dock_findings(drone.station_id)
        if self.facts.rules:
            for due in self.due(drone):
                found += judge_due(due)
        return found

    def refusals(self, drone: Drone, site: Site) -> tuple[Reason, ...]:
        """Why the drone stays on the ground; empty when nothing here keeps it."""
        return tuple([each.reason for each in self._found(drone, site) if each.level is Level.BLOCK])

    def aed_findings(self, drone_id: str, site: Site) -> list[Finding]:
        return self.judge_aed(self.facts.aeds.get(drone_id), site)

    def judge_aed(self, report: AedReport | None, site: Site) -> list[Finding]:
        """What would be found of this report now."""
        if report is None:
            # Of every drone at every look, where nobody reports AEDs.
            return judge_no_aed(required=self._required)
        now = self._clock.now()
        today = now.astimezone(site.zone_info).date()
        return judge_aed(report, now, today, required=self._required)

    def dock_findings(self, station_id: str) -> list[Finding]:
        report = self.facts.docks.get(station_id)
        return [] if report is None else judge_dock(report, self._clock.now(), silent_s=self._dock_silent_s)

    def flown(self, drone_id: str) -> Flown:
        return self.facts.flown.get(drone_id, NOT_FLOWN)

    def rules_of(self, airframe_id: str) -> Iterable[MaintenanceRule]:
        return (rule for (owner, _), rule in sorted(self.facts.rules.items()) if owner == airframe_id)

    def due(self, drone: Drone) -> list[Due]:
        """Where the drone stands with every rule of its airframe."""
        flown = self.flown(drone.drone_id)
        return [
            due_of(
                rule,
                self.facts.done.get((drone.drone_id, rule.rule_id)),
                flights=flown.flights,
                air_h=flown.air_s / 3600.0,
                now=self._clock.now(),
            )
            for rule in self.rules_of(drone.airframe_id)
        ]
