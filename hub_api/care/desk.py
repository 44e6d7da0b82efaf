"""Taking reports about drones on the ground: stored with audit and event, then counted in decisions.

What a cabinet says every minute is stored every time and told only when it changes what may fly or what is seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, DroneAedError, ErrorCode
from core.ids import IdSource
from flight.bus import Bus, commands_subject
from flight.messages import AedSelfTested, encode
from hub_api.care.book import CareBook, CareFacts
from hub_api.care.model import (
    DOORS_ZH,
    AedReport,
    DockReport,
    Level,
    MaintenanceDone,
    MaintenanceRule,
    OutOfService,
    found_zh,
    judge_dock,
)
from hub_api.dispatch.feed import EventFeed
from hub_api.store.database import Database
from hub_api.store.records import EventRecord, NewEvent
from hub_api.store.repositories import audit, care, events, flights
from hub_api.store.repositories.flights import Flown
from planner.site import Drone, Site

log = logging.getLogger(__name__)

RETRY_S = 1.0
FLIGHT_OVER = frozenset({"flight_ended", "flight_closed_by_hand"})
"""Kinds of events after which a drone has flown more."""


class Recall(Protocol):
    """Calls back what stands on its pad and was told to fly."""

    def __call__(self, session: Session, drone_id: str, *, by: str, reason: str) -> None:
        """In the transaction of ``session``."""
        ...


class CareDesk:
    """Changes what the care book knows, in the store first."""

    def __init__(
        self,
        *,
        database: Database,
        ids: IdSource,
        clock: Clock,
        book: CareBook,
        bus: Bus,
        site: Callable[[], Site],
        recall: Recall,
    ) -> None:
        """``recall`` calls a drone back that has not taken off, in the same transaction."""
        self._database = database
        self._ids = ids
        self._clock = clock
        self._book = book
        self._bus = bus
        self._site = site
        self._recall = recall

    async def load(self) -> None:
        """At start: know what was known."""
        self._book.facts = await self._database.read(_stored)

    async def follow(self, feed: EventFeed) -> None:
        """Count flights as they end. Until cancelled."""
        listener = feed.listen(lambda event: event.kind in FLIGHT_OVER)
        try:
            while not feed.closed:
                event = await listener.next()
                self._book.facts.flown.update(await self._flown(None if event is None else event.drone_id))
        finally:
            feed.leave(listener)
        # The hub stops: nobody counts any more.
        await asyncio.Event().wait()

    async def _flown(self, drone_id: str | None) -> dict[str, Flown]:
        """What the store knows, as soon as it answers: a fault of a moment ends neither the counting nor the hub."""
        while True:
            try:
                return await self._database.read(
                    lambda s: flights.flown(s) if drone_id is None else flights.flown_by(s, drone_id)
                )
            except DroneAedError:
                log.exception("flights could not be counted; trying again")
                await self._clock.sleep(RETRY_S)

    async def take_out_of_service(self, drone_id: str, *, reason: str, by: str) -> None:
        """The drone is never chosen from now on. One in flight finishes; one that waits on its pad is called back, for
        somebody may stand at its propellers. Again: the new reason counts."""
        self._drone(drone_id)
        known = self._book.facts.out_of_service.get(drone_id)
        since = self._clock.now() if known is None else known.since
        out = OutOfService(drone_id=drone_id, since=since, by=by, reason=reason)

        def work(session: Session) -> None:
            care.put_out_of_service(session, out)
            self._write_down(
                session, "drone_out_of_service", drone_id, before=known, after=out, detail={"reason": reason}
            )
            self._tell(
                session,
                "drone_out_of_service",
                f"{by} took {drone_id} out of service: {reason}",
                f"{by} 停用 {drone_id}：{reason}",
                drone_id=drone_id,
                data={"reason": reason, "by": by},
            )
            self._recall(session, drone_id, by=by, reason=reason)

        await self._database.write(work)
        self._book.facts.out_of_service[drone_id] = out

    async def put_in_service(self, drone_id: str, *, reason: str, by: str) -> None:
        """The drone may be chosen again. Raises 4004 if it was not out."""
        self._drone(drone_id)
        known = self._book.facts.out_of_service.get(drone_id)

        def work(session: Session) -> None:
            if not care.put_in_service(session, drone_id):
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED, f"{drone_id} is in service · 该无人机未被停用"
                )
            self._write_down(
                session, "drone_in_service", drone_id, before=known, after=None, detail={"reason": reason}
            )
            self._tell(
                session,
                "drone_in_service",
                f"{by} put {drone_id} back in service: {reason}",
                f"{by} 恢复启用 {drone_id}：{reason}",
                drone_id=drone_id,
                data={"reason": reason, "by": by},
            )

        await self._database.write(work)
        self._book.facts.out_of_service.pop(drone_id, None)

    async def report_aed(self, report: AedReport) -> None:
        """The newest word about a drone's AED; the drone's own checks get its self-test. 4001 for a future test."""
        drone, now = self._drone(report.drone_id), self._clock.now()
        if report.self_tested_at is not None:
            _check_past(report.self_tested_at, now, "self_tested_at")
        known = self._book.facts.aeds.get(drone.drone_id)
        before, after = self._aed_codes(known), self._aed_codes(report)
        changed = known is None or known.serial != report.serial or before != after

        def work(session: Session) -> None:
            care.put_aed(session, report)
            if not changed:
                return
            codes = sorted(code for code, _ in after)
            said_zh = found_zh(self._book.judge_aed(report, self._site()))
            self._write_down(
                session,
                "aed_reported",
                drone.drone_id,
                before=known,
                after=report,
                detail={"serial": report.serial, "findings": codes},
            )
            self._tell(
                session,
                "aed_reported",
                f"AED {report.serial} on {drone.drone_id}: {', '.join(codes) or 'in order'}",
                f"{drone.drone_id} 的 AED {report.serial}：{said_zh}",
                drone_id=drone.drone_id,
                data={"serial": report.serial, "findings": codes},
            )

        await self._database.write(work)
        self._book.facts.aeds[drone.drone_id] = report
        if report.self_tested_at is not None and report.self_test_passed is not None:
            notice = AedSelfTested(
                command_id=self._ids.new("cmd"),
                drone_id=drone.drone_id,
                issued_at=now,
                passed=report.self_test_passed,
                tested_at=report.self_tested_at,
                detail=report.self_test_detail,
            )
            await self._bus.publish(commands_subject(drone.drone_id), notice.command_id, encode(notice))

    async def report_dock(self, report: DockReport) -> None:
        """The newest word of a dock; an older one that comes late changes nothing. 4005 for an unknown station."""
        if all(station.station_id != report.station_id for station in self._site().stations):
            raise DispatchError(
                ErrorCode.RESOURCE_UNKNOWN, f"there is no station {report.station_id[:60]!r} · 没有该站点"
            )
        _check_past(report.measured_at, self._clock.now(), "measured_at")
        known = self._book.facts.docks.get(report.station_id)
        if known is not None and known.measured_at > report.measured_at:
            return
        changed = known is None or (known.door, known.mains_power) != (report.door, report.mains_power)

        def work(session: Session) -> None:
            care.put_dock(session, report)
            found = judge_dock(report, report.measured_at, silent_s=1.0)
            codes = sorted(finding.reason.code for finding in found)
            if not changed:
                return
            self._tell(
                session,
                "dock_changed",
                f"Dock of {report.station_id}: door {report.door}, {', '.join(codes) or 'in order'}",
                f"{report.station_id} 机库：舱门{DOORS_ZH[report.door]}，{found_zh(found)}",
                data={"station_id": report.station_id, "door": report.door, "findings": codes},
            )

        await self._database.write(work)
        self._book.facts.docks[report.station_id] = report

    async def set_rule(self, rule: MaintenanceRule, *, by: str) -> MaintenanceRule:
        """A rule in place of the one of its name; days go on from when that was set."""
        key = (rule.airframe_id, rule.rule_id)
        known = self._book.facts.rules.get(key)
        kept = rule if known is None else replace(rule, set_at=known.set_at)

        def work(session: Session) -> None:
            care.put_rule(session, kept)
            subject = f"{rule.airframe_id}/{rule.rule_id}"
            self._write_down(
                session, "maintenance_rule_set", subject, before=known, after=kept, detail={"by": by}
            )

        await self._database.write(work)
        self._book.facts.rules[key] = kept
        return kept

    async def delete_rule(self, airframe_id: str, rule_id: str, *, by: str) -> None:
        """4005 if there is none."""
        known = self._book.facts.rules.get((airframe_id, rule_id))

        def work(session: Session) -> None:
            if not care.delete_rule(session, airframe_id, rule_id):
                raise DispatchError(
                    ErrorCode.RESOURCE_UNKNOWN, f"there is no rule {rule_id[:40]!r} · 没有该维护规则"
                )
            self._write_down(
                session,
                "maintenance_rule_deleted",
                f"{airframe_id}/{rule_id}",
                before=known,
                after=None,
                detail={"by": by},
            )

        await self._database.write(work)
        self._book.facts.rules.pop((airframe_id, rule_id), None)

    async def maintenance_done(
        self, drone_id: str, rule_id: str, *, done_at: datetime, by: str, note: str
    ) -> MaintenanceDone:
        """Work was done: the rule counts from here. 4005 for a rule that the drone's airframe doesn't have."""
        drone = self._drone(drone_id)
        if (drone.airframe_id, rule_id) not in self._book.facts.rules:
            raise DispatchError(
                ErrorCode.RESOURCE_UNKNOWN,
                f"{drone.airframe_id} has no rule {rule_id[:40]!r} · 该机型没有此维护规则",
                field="rule_id",
            )
        _check_past(done_at, self._clock.now(), "done_at")

        def work(session: Session) -> MaintenanceDone:
            flown = flights.flown(session, {drone_id}, until=done_at).get(drone_id, flights.NOT_FLOWN)
            done = MaintenanceDone(
                drone_id=drone_id,
                rule_id=rule_id,
                done_at=done_at,
                flights_then=flown.flights,
                air_h_then=flown.air_s / 3600.0,
                by=by,
                note=note,
            )
            care.add_done(session, done)
            self._write_down(
                session, "maintenance_done", drone_id, before=None, after=done, detail={"rule_id": rule_id}
            )
            self._tell(
                session,
                "maintenance_done",
                f"{by} did {rule_id} on {drone_id}: {note}",
                f"{by} 已完成 {drone_id} 的维护 {rule_id}：{note}",
                drone_id=drone_id,
                data={"rule_id": rule_id, "by": by},
            )
            return done

        done = await self._database.write(work)
        newest = self._book.facts.done.get((drone_id, rule_id))
        if newest is None or newest.done_at <= done.done_at:
            self._book.facts.done[drone_id, rule_id] = done
        return done

    async def history(self, drone_id: str, *, limit: int) -> list[MaintenanceDone]:
        """What was done on a drone, newest first."""
        self._drone(drone_id)
        return await self._database.read(lambda s: care.done_on(s, drone_id, limit=limit))

    def _drone(self, drone_id: str) -> Drone:
        for drone in self._site().drones:
            if drone.drone_id == drone_id:
                return drone
        raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no drone {drone_id[:60]!r} · 没有该无人机")

    def _aed_codes(self, report: AedReport | None) -> set[tuple[str, Level]]:
        found = self._book.judge_aed(report, self._site())
        return {(finding.reason.code, finding.level) for finding in found}

    def _write_down(
        self,
        session: Session,
        action: str,
        subject: str,
        *,
        before: object | None,
        after: object | None,
        detail: dict[str, Any],
    ) -> None:
        audit.append(
            session,
            at=self._clock.now(),
            action=f"care.{action}",
            subject=subject,
            before=None if before is None else audit.digest_of(asdict(before)),  # type: ignore[call-overload]
            after=None if after is None else audit.digest_of(asdict(after)),  # type: ignore[call-overload]
            detail=detail,
        )

    def _tell(
        self,
        session: Session,
        kind: str,
        detail: str,
        detail_zh: str,
        *,
        data: dict[str, Any],
        drone_id: str | None = None,
    ) -> EventRecord:
        now = self._clock.now()
        return events.append(
            session,
            NewEvent(
                message_id=self._ids.new("evt"),
                at=now,
                stored_at=now,
                kind=kind,
                drone_id=drone_id,
                detail=detail,
                detail_zh=detail_zh,
                data=data,
            ),
        )


def _check_past(moment: datetime, now: datetime, field: str) -> None:
    ahead_s = (moment - now).total_seconds()
    if ahead_s > 5.0:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            f"{ahead_s:.0f} s in the future of the hub's clock · 时间比系统时钟超前 {ahead_s:.0f} 秒",
            field=field,
        )


def _stored(session: Session) -> CareFacts:
    return CareFacts(
        out_of_service={item.drone_id: item for item in care.out_of_service(session)},
        aeds={item.drone_id: item for item in care.aeds(session)},
        docks={item.station_id: item for item in care.docks(session)},
        rules={(item.airframe_id, item.rule_id): item for item in care.rules(session)},
        done={(item.drone_id, item.rule_id): item for item in care.last_done(session)},
        flown=flights.flown(session),
    )
