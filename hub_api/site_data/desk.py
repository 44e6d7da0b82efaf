"""Changing the site while the hub runs: previewed, stored with a number, then in force between two decisions.

A change is composed beside the site in force, stored in one transaction, and only then does it count; a crash at any
moment leaves the site before or after it. Nothing changes while a decision is being made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from hub_api.dispatch.planning import PLAN
from hub_api.site_data.book import (
    ID_FIELD,
    SECTIONS,
    Document,
    Item,
    Section,
    SiteBook,
    SiteEdits,
    SiteInForce,
    document_of,
    items_of,
    read_document,
)
from hub_api.site_data.in_use import OpenPlan, against_change, against_removal
from hub_api.store.database import Database
from hub_api.store.records import NewEvent
from hub_api.store.repositories import audit, events, missions
from hub_api.store.repositories import site as store
from hub_api.store.repositories.site import SiteChangeRecord, SiteItemRecord

Applied = Callable[[SiteInForce, SiteInForce], Awaitable[tuple[str, ...]]]
"""Called with the site before and after, when the change is in force; what people should know of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOutcome:
    """What a change does, or would do. ``change`` is None for a preview and where nothing differs."""

    section: Section
    item_id: str
    action: str
    """added | changed | removed | unchanged"""
    before: Document | None
    after: Document | None
    fields: tuple[str, ...]
    version: str
    previous_version: str
    notes: tuple[str, ...] = ()
    change: SiteChangeRecord | None = None


class SiteDesk:
    """Takes changes of the site from people."""

    def __init__(
        self,
        *,
        database: Database,
        ids: IdSource,
        clock: Clock,
        book: SiteBook,
        between_decisions: Callable[[], AbstractAsyncContextManager[None]],
        applied: Applied,
        flying: Callable[[str], bool],
    ) -> None:
        """``flying(drone_id)``: whether the drone itself speaks of a flight, one that is stored here or not."""
        self._database = database
        self._ids = ids
        self._clock = clock
        self._book = book
        self._between_decisions = between_decisions
        self._applied = applied
        self._flying = flying
        self._lock = asyncio.Lock()

    async def put(
        self,
        section: Section,
        item_id: str,
        document: Document,
        *,
        by: str,
        reason: str,
        expected_version: str | None,
        preview: bool,
    ) -> SiteOutcome:
        """An item in place of the one of its id, or a new one. Raises 3103 with the field at fault, 4004 where an
        open flight relies on what would change."""
        document = {**document, ID_FIELD[section]: item_id}
        item = read_document(section, document)
        async with self._lock:
            self._check_version(expected_version)
            known = items_of(self._book.current, section).get(item_id)
            if known == item:
                return self._unchanged(section, item_id, known)
            if known is not None:
                self._check_on_ground(section, item_id)
                objection = against_change(section, item_id, known, item, await self._flights())
                if objection is not None:
                    raise DispatchError(
                        ErrorCode.TRANSITION_REFUSED,
                        f"{objection.detail} · {objection.detail_zh}",
                        field=objection.field,
                    )
            return await self._change(section, item_id, known, item, by=by, reason=reason, preview=preview)

    async def delete(
        self,
        section: Section,
        item_id: str,
        *,
        by: str,
        reason: str,
        expected_version: str | None,
        preview: bool,
    ) -> SiteOutcome:
        """Take an item away. Raises 4005 if it isn't there, 4004 with what still needs it."""
        async with self._lock:
            self._check_version(expected_version)
            known = items_of(self._book.current, section).get(item_id)
            if known is None:
                raise DispatchError(
                    ErrorCode.RESOURCE_UNKNOWN, f"{item_id[:60]!r} is not in the site · 站点数据中没有该项"
                )
            self._check_on_ground(section, item_id)
            objection = against_removal(section, item_id, self._book.site, await self._flights())
            if objection is not None:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    f"{objection.detail} · {objection.detail_zh}",
                    field=objection.field,
                )
            return await self._change(section, item_id, known, None, by=by, reason=reason, preview=preview)

    async def changes(
        self, *, before_seq: int | None, item_id: str | None, limit: int
    ) -> list[SiteChangeRecord]:
        """The newest changes first."""
        return await self._database.read(
            partial(store.changes, before_seq=before_seq, item_id=item_id, limit=limit)
        )

    def _check_version(self, expected: str | None) -> None:
        version = self._book.current.version
        if expected is not None and expected != version:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                f"version {version} is in force, not {expected}: look at it again · 当前版本为 {version}，请刷新后再试",
                field="expected_version",
            )

    def _check_on_ground(self, section: Section, item_id: str) -> None:
        if section == "drones" and self._flying(item_id):
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED, f"{item_id} reports a flight · 该无人机报告正在飞行", field="id"
            )

    async def _flights(self) -> list[OpenPlan]:
        found = await self._database.read(missions.list_open)
        return [OpenPlan(mission.flight_id, PLAN.validate_python(mission.plan)) for mission in found]

    def _unchanged(self, section: Section, item_id: str, known: Item) -> SiteOutcome:
        version, document = self._book.current.version, document_of(known)
        return SiteOutcome(
            section=section,
            item_id=item_id,
            action="unchanged",
            before=document,
            after=document,
            fields=(),
            version=version,
            previous_version=version,
        )

    async def _change(
        self,
        section: Section,
        item_id: str,
        known: Item | None,
        item: Item | None,
        *,
        by: str,
        reason: str,
        preview: bool,
    ) -> SiteOutcome:
        before = None if known is None else document_of(known)
        after = None if item is None else document_of(item)
        edits = self._book.edits.with_item(section, item_id, after)
        composed = self._book.compose(edits)
        outcome = SiteOutcome(
            section=section,
            item_id=item_id,
            action="added" if before is None else "removed" if after is None else "changed",
            before=before,
            after=after,
            fields=_differences(before, after),
            version=composed.version,
            previous_version=self._book.current.version,
        )
        if preview:
            return outcome
        change = SiteChangeRecord(
            seq=edits.change_seq,
            at=self._clock.now(),
            by=by,
            action=outcome.action,
            section=section,
            item_id=item_id,
            reason=reason,
            version=outcome.version,
            previous_version=outcome.previous_version,
            fields=outcome.fields,
        )
        async with self._between_decisions():
            await self._database.write(lambda session: self._store(session, change, outcome))
            earlier = self._book.current
            self._book.put_in_force(edits, composed)
            notes = await self._applied(earlier, composed)
        return replace(outcome, change=change, notes=notes)

    def _store(self, session: Session, change: SiteChangeRecord, outcome: SiteOutcome) -> None:
        if store.last_seq(session) != change.seq - 1:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                "another hub changed the site at the same moment · 另一系统同时修改了站点数据，请重试",
            )
        if change.section in ("stations", "landing_points", "drones", "airframes"):
            self._check_still_unused(session, change, outcome)
        store.put_item(
            session,
            SiteItemRecord(
                section=change.section,
                item_id=change.item_id,
                document=outcome.after,
                changed_at=change.at,
                changed_by=change.by,
            ),
        )
        store.append_change(session, change)
        audit.append(
            session,
            at=change.at,
            action=f"site.{change.action}",
            subject=f"{change.section}/{change.item_id}",
            before=audit.digest_of(outcome.before),
            after=audit.digest_of(outcome.after),
            detail={"reason": change.reason, "version": change.version, "fields": list(change.fields)},
        )
        events.append(
            session,
            NewEvent(
                message_id=self._ids.new("evt"),
                at=change.at,
                stored_at=change.at,
                kind="site_changed",
                drone_id=change.item_id if change.section == "drones" else None,
                detail=f"{change.by} {change.action} {change.section}/{change.item_id}: {change.reason}",
                detail_zh=f"{change.by} 修改站点数据 {change.section}/{change.item_id}：{change.reason}",
                data={
                    "section": change.section,
                    "item_id": change.item_id,
                    "action": change.action,
                    "version": change.version,
                },
            ),
        )

    def _check_still_unused(self, session: Session, change: SiteChangeRecord, outcome: SiteOutcome) -> None:
        """A decision may have been stored since we looked, by this hub or by another one."""
        flights = [
            OpenPlan(mission.flight_id, PLAN.validate_python(mission.plan))
            for mission in missions.list_open(session)
        ]
        section: Section = outcome.section
        if outcome.before is None:
            return
        if outcome.after is None:
            objection = against_removal(section, change.item_id, self._book.site, flights)
        else:
            objection = against_change(
                section,
                change.item_id,
                read_document(section, outcome.before),
                read_document(section, outcome.after),
                flights,
            )
        if objection is not None:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED,
                f"{objection.detail} · {objection.detail_zh}",
                field=objection.field,
            )


async def load(database: Database, book: SiteBook) -> None:
    """At start: put in force what was in force. Raises 3103 if it doesn't fit the site file any more."""
    found, seq = await database.read(lambda session: (store.items(session), store.last_seq(session)))
    items: dict[Section, dict[str, Document | None]] = {}
    for section in SECTIONS:
        mine = {item.item_id: item.document for item in found if item.section == section}
        if mine:
            items[section] = mine
    edits = SiteEdits(items=items, change_seq=seq)
    book.put_in_force(edits, book.compose(edits))


def _differences(before: Document | None, after: Document | None) -> tuple[str, ...]:
    """Names of the fields that differ; every field of what is new or gone."""
    one, other = before or {}, after or {}
    return tuple(name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name))
