"""Changing the airspace while the hub runs: previewed, stored with a number, then in force, then told to drones.

A change is composed and indexed beside the airspace in force, stored in one transaction, and only then does it
count; a crash at any moment leaves the airspace before or after it, never between. Changes are made one at a
time. Every open flight is judged again, and told what it has to know.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from geofences.airspace import Airspace, AirspaceChange
from geofences.readers.result import Note
from hub_api.dispatch.airspace_book import Additions, AirspaceBook, read_authorisation, read_feed
from hub_api.dispatch.airspace_notices import notices_of
from hub_api.dispatch.ledger import Ledger, Turn
from hub_api.dispatch.planning import PLAN, Planning
from hub_api.store.database import Database
from hub_api.store.records import (
    AirspaceChangeRecord,
    AuthorisationRecord,
    FeedRecord,
    MissionRecord,
    NewEvent,
    RevocationRecord,
)
from hub_api.store.repositories import airspace as store
from hub_api.store.repositories import audit, events, missions, orders
from planner.flight_plan import FlightPlan
from planner.reasons import Reason

T = TypeVar("T")

LONGEST_ID = 80
"""As every other id: the store has no room for more, and nobody could revoke it by its address."""
OpenFlights = dict[str, tuple[str, FlightPlan]]
"""flight_id → (order_id, plan)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedFlight:
    """An open flight whose plan the new airspace forbids somewhere, and the first reason."""

    flight_id: str
    drone_id: str
    order_id: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a change does, or would do. ``change`` is None for a preview.

    ``notes``: what the reader repaired, tolerated or ignored, for a person to look at.
    """

    difference: AirspaceChange
    version: str
    previous_version: str
    affected: tuple[AffectedFlight, ...]
    notes: tuple[Note, ...] = ()
    change: AirspaceChangeRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    """A change that has been worked out and not stored: what is stored with it, and how it is called."""

    action: str
    subject: str
    additions: Additions
    store: Callable[[Session], None]
    notes: tuple[Note, ...] = ()


class AirspaceDesk:
    """Takes changes of the airspace from people and machines."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        ids: IdSource,
        clock: Clock,
        book: AirspaceBook,
        planning: Planning,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._ids = ids
        self._clock = clock
        self._book = book
        self._planning = planning
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """At start: put in force what was in force. Raises 3101 or 3102 if it cannot be composed any more."""
        stored = await self._database.read(_stored)
        additions = await _in_thread(partial(_additions_of, *stored))
        self._book.put_in_force(additions, await _in_thread(partial(self._book.compose, additions)))

    async def catch_up(self) -> None:
        """Wait for a change that is under way, and put in force what another hub stored."""
        async with self._lock:
            if await self._database.read(store.last_seq) != self._book.additions.change_seq:
                await self.load()
                await _in_thread(partial(self._planning.prepare, self._book.current))

    async def preview_feed(self, feed_id: str, file_format: str, content: bytes) -> Outcome:
        """What :meth:`put_feed` would do; nothing is changed."""
        proposal = await self._feed_proposal(feed_id, file_format, content, by="")
        airspace = await self._composed(proposal)
        return await self._judged(airspace, await self._database.read(_open_flights), proposal.notes)

    async def put_feed(
        self,
        feed_id: str,
        file_format: str,
        content: bytes,
        *,
        by: str,
        reason: str,
        expected_version: str | None,
    ) -> Outcome:
        """Put a zone file in force under a name, in place of the file of that name before."""
        async with self._lock:
            self._check_version(expected_version)
            proposal = await self._feed_proposal(feed_id, file_format, content, by=by)
            return await self._change(proposal, by=by, reason=reason)

    async def delete_feed(
        self, feed_id: str, *, by: str, reason: str, expected_version: str | None
    ) -> Outcome:
        """End a feed: its zones hold no more. 4005 if there is none of that name."""
        async with self._lock:
            self._check_version(expected_version)
            known = self._book.additions
            if feed_id not in known.feeds:
                raise DispatchError(
                    ErrorCode.RESOURCE_UNKNOWN, f"there is no feed {feed_id!r} · 没有该空域数据源"
                )
            feeds = {name: zones for name, zones in known.feeds.items() if name != feed_id}

            def remove(session: Session) -> None:
                store.delete_feed(session, feed_id)

            proposal = _Proposal(
                action="feed_deleted", subject=feed_id, additions=replace(known, feeds=feeds), store=remove
            )
            return await self._change(proposal, by=by, reason=reason)

    async def authorise(self, document: dict[str, Any], *, by: str, reason: str) -> Outcome:
        """Give a standing approval. 4003 if its id was used before, 3101 or 3102 for what is wrong in it."""
        given = read_authorisation(document)
        key = given.authorisation_id
        if len(key) > LONGEST_ID:
            raise DispatchError(
                ErrorCode.ORDER_INVALID,
                f"an id has at most {LONGEST_ID} characters · 标识过长",
                field="authorisation_id",
            )
        async with self._lock:
            known = self._book.additions
            used = {item.authorisation_id for item in self._book.base.authorisations}
            if key in used or key in known.authorisations or key in known.revoked:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    f"the id {key!r} was used before · 该编号已使用过",
                    field="authorisation_id",
                )
            record = AuthorisationRecord(
                authorisation_id=key, document=document, given_at=self._clock.now(), given_by=by
            )
            proposal = _Proposal(
                action="authorisation_given",
                subject=key,
                additions=replace(known, authorisations={**known.authorisations, key: given}),
                store=partial(store.add_authorisation, record=record),
            )
            return await self._change(proposal, by=by, reason=reason)

    async def revoke(self, authorisation_id: str, *, by: str, reason: str) -> Outcome:
        """End an approval, wherever it came from; flights that rely on it are told at once. 4005 if unknown."""
        async with self._lock:
            known = self._book.additions
            holding = {item.authorisation_id for item in self._book.authorisations(known)}
            if authorisation_id in known.revoked:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED, f"{authorisation_id!r} is revoked already · 该批件已撤销"
                )
            if authorisation_id not in holding:
                raise DispatchError(
                    ErrorCode.RESOURCE_UNKNOWN, f"there is no authorisation {authorisation_id!r} · 没有该批件"
                )
            record = RevocationRecord(
                authorisation_id=authorisation_id, revoked_at=self._clock.now(), revoked_by=by, reason=reason
            )
            proposal = _Proposal(
                action="authorisation_revoked",
                subject=authorisation_id,
                additions=replace(known, revoked=known.revoked | {authorisation_id}),
                store=partial(store.add_revocation, record=record),
            )
            return await self._change(proposal, by=by, reason=reason)

    async def changes(self, *, before_seq: int | None, limit: int) -> list[AirspaceChangeRecord]:
        """The newest changes first."""
        return await self._database.read(partial(store.changes, before_seq=before_seq, limit=limit))

    async def feeds(self) -> list[FeedRecord]:
        """The feeds in force."""
        return await self._database.read(store.feeds)

    async def revocations(self) -> list[RevocationRecord]:
        """Every revoked approval."""
        return await self._database.read(store.revocations)

    def _check_version(self, expected: str | None) -> None:
        if expected is not None and expected != self._book.current.version:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                f"version {self._book.current.version} is in force, not {expected}: look at it again · "
                f"当前空域版本为 {self._book.current.version}，请重新查看",
                field="expected_version",
            )

    async def _feed_proposal(self, feed_id: str, file_format: str, content: bytes, *, by: str) -> _Proposal:
        result = await _in_thread(partial(read_feed, file_format, content))
        known = self._book.additions
        feed = FeedRecord(
            feed_id=feed_id,
            file_format=file_format,
            content=content,
            changed_at=self._clock.now(),
            changed_by=by,
        )
        return _Proposal(
            action="feed_put",
            subject=feed_id,
            additions=replace(known, feeds={**known.feeds, feed_id: result.zones}),
            store=partial(store.put_feed, feed=feed),
            notes=result.notes,
        )

    async def _composed(self, proposal: _Proposal) -> Airspace:
        additions = replace(proposal.additions, change_seq=self._book.additions.change_seq + 1)
        return await _in_thread(partial(self._book.compose, additions))

    async def _change(self, proposal: _Proposal, *, by: str, reason: str) -> Outcome:
        airspace = await self._composed(proposal)
        await _in_thread(partial(self._planning.prepare, airspace))
        flights = await self._database.read(_open_flights)
        outcome = await self._judged(airspace, flights, proposal.notes)
        seq = self._book.additions.change_seq + 1
        change = AirspaceChangeRecord(
            seq=seq,
            at=self._clock.now(),
            by=by,
            action=proposal.action,
            subject=proposal.subject,
            reason=reason,
            version=airspace.version,
            previous_version=outcome.previous_version,
            added=outcome.difference.added,
            removed=outcome.difference.removed,
            changed=outcome.difference.changed,
        )

        def work(session: Session) -> None:
            if store.last_seq(session) != seq - 1:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    "another hub changed the airspace at the same moment · 另一系统同时修改了空域，请重试",
                )
            proposal.store(session)
            store.append_change(session, change)
            audit.append(
                session,
                at=change.at,
                action=f"airspace.{change.action}",
                subject=change.subject,
                before=audit.digest_of(change.previous_version),
                after=audit.digest_of(change.version),
                detail={"reason": reason, "version": change.version, "seq": seq},
            )
            self._tell(session, change, airspace, outcome.affected, flights)
            events.append(session, self._in_force(change))

        await self._database.write(work)
        self._book.put_in_force(replace(proposal.additions, change_seq=seq), airspace)
        return replace(outcome, change=change)

    def _in_force(self, change: AirspaceChangeRecord) -> NewEvent:
        """What tells every screen to ask for the zones again. Not which: who may read zones reads them there."""
        return NewEvent(
            message_id=self._ids.new("evt"),
            at=change.at,
            stored_at=change.at,
            kind="airspace_in_force",
            detail=f"Airspace {change.version} is in force.",
            detail_zh=f"空域 {change.version} 已生效。",
            data={"version": change.version},
        )

    def _tell(
        self,
        session: Session,
        change: AirspaceChangeRecord,
        airspace: Airspace,
        affected: Sequence[AffectedFlight],
        known: OpenFlights,
    ) -> None:
        """Owe every open flight what it must know, and write into its order that its plan is touched.

        ``known`` plans are not read again while the one writer is held; a flight that was accepted
        or re-routed meanwhile is.
        """
        told = {item.flight_id: item for item in affected}
        for mission in missions.list_open(session):
            _, plan = known.get(mission.flight_id, ("", None))
            if plan is None or plan.plan_id != mission.plan["plan_id"]:
                plan = PLAN.validate_python(mission.plan)
            for command in notices_of(change, airspace, plan, self._ids, self._clock.now()):
                self._ledger.owe_command(session, command, mission)
            item = told.get(mission.flight_id)
            if item is not None:
                self._record(session, mission, item, change)

    def _record(
        self, session: Session, mission: MissionRecord, item: AffectedFlight, change: AirspaceChangeRecord
    ) -> None:
        self._ledger.record(
            session,
            Turn(orders.get(session, mission.order_id)),
            "airspace_changed",
            f"Airspace {change.version} touches the flight of {mission.drone_id}: {item.reason.detail}",
            f"空域 {change.version} 影响 {mission.drone_id} 的航线：{item.reason.detail_zh}",
            mission=mission,
            data={"airspace_version": change.version, "action": change.action, "subject": change.subject},
        )

    async def _judged(self, airspace: Airspace, flights: OpenFlights, notes: tuple[Note, ...]) -> Outcome:
        before = self._book.current
        plans = {flight_id: plan for flight_id, (_, plan) in flights.items()}
        found = await _in_thread(partial(self._planning.forbidden, airspace, plans))
        return Outcome(
            difference=await _in_thread(partial(airspace.changes_since, before)),
            version=airspace.version,
            previous_version=before.version,
            affected=tuple(
                AffectedFlight(
                    flight_id=flight_id,
                    drone_id=flights[flight_id][1].drone_id,
                    order_id=flights[flight_id][0],
                    reason=reason,
                )
                for flight_id, reason in found.items()
            ),
            notes=notes,
        )


def digest_of(content: bytes) -> str:
    """SHA-256 of a feed's file, in hex: what a client compares its own copy with."""
    return hashlib.sha256(content).hexdigest()


async def _in_thread(work: Callable[[], T]) -> T:
    """Long computations beside the event loop, which keeps the drones' heartbeats going."""
    return await asyncio.get_running_loop().run_in_executor(None, work)


def _stored(
    session: Session,
) -> tuple[list[FeedRecord], list[AuthorisationRecord], list[RevocationRecord], int]:
    return (
        store.feeds(session),
        store.authorisations(session),
        store.revocations(session),
        store.last_seq(session),
    )


def _additions_of(
    feeds: list[FeedRecord],
    authorisations: list[AuthorisationRecord],
    revocations: list[RevocationRecord],
    last_seq: int,
) -> Additions:
    return Additions(
        feeds={feed.feed_id: read_feed(feed.file_format, feed.content).zones for feed in feeds},
        authorisations={item.authorisation_id: read_authorisation(item.document) for item in authorisations},
        revoked=frozenset(item.authorisation_id for item in revocations),
        change_seq=last_seq,
    )


def _open_flights(session: Session) -> OpenFlights:
    """Every flight that has not told its safe state."""
    return {
        mission.flight_id: (mission.order_id, PLAN.validate_python(mission.plan))
        for mission in missions.list_open(session)
    }
