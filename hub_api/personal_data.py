"""Callers and patients' notes: taken out of a request before it is stored, sealed, and erased in time.

The request that is stored, shown in lists, streamed and logged never holds them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from sqlmodel import Session

from core.errors import InternalError
from hub_api.incident_personal_data import erase_idle_incidents, reseal_incidents
from hub_api.store.database import Database
from hub_api.store.records import OrderRecord
from hub_api.store.repositories import audit, messages, orders, webhook_secrets
from hub_api.vault import Vault

log = logging.getLogger(__name__)

FIELDS = ("caller", "notes")
"""The fields of an order's request that are about people."""
_BATCH = 200
"""Orders changed in one transaction, so that nobody waits long for the writer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Personal data of an order as one reader may see it; ``values`` is empty unless it is shown."""

    status: Literal["shown", "masked", "erased", "unreadable"]
    values: dict[str, Any]


class PersonalData:
    """Splits, seals, opens and erases the personal data of orders."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def split(self, order_id: str, request: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The request without personal data, and that data sealed for this order (even if there is none)."""
        plain = {name: value for name, value in request.items() if name not in FIELDS}
        personal = {name: request.get(name) for name in FIELDS}
        return plain, self._vault.seal(personal, record=order_id)

    def show(self, order: OrderRecord, *, allowed: bool) -> Shown:
        """What a reader sees. Text that cannot be opened must not hide the order itself."""
        return self.reveal(order.order_id, order.personal, allowed=allowed)

    def seal(self, record_id: str, values: dict[str, Any]) -> str:
        """Personal data of a record other than an order's request, sealed for it."""
        return self._vault.seal(values, record=record_id)

    def reveal(self, record_id: str, sealed: str | None, *, allowed: bool) -> Shown:
        """What a reader sees of such a record."""
        if sealed is None:
            return Shown("erased", {})
        if not allowed:
            return Shown("masked", {})
        try:
            return Shown("shown", self._vault.open(sealed, record=record_id))
        except InternalError as error:
            log.error(
                "personal data of %s cannot be opened: %s",
                record_id,
                error.detail,
                extra={"about": record_id},
            )
            return Shown("unreadable", {})

    async def seal_earlier_orders(self, database: Database) -> int:
        """Seal what an earlier release stored in plain words; how many orders that were."""
        return await self._in_batches(database, self._seal_some)

    def _seal_some(self, session: Session) -> int:
        found = orders.list_unsealed(session, _BATCH)
        for order in found:
            request, sealed = self.split(order.order_id, order.request)
            orders.save(session, order, request=request, personal=sealed)
        return len(found)

    async def reseal(self, database: Database) -> int:
        """After a rotation: seal everything with the key in use, so that the old one can go. How many."""
        position, count = "", 0
        while True:

            def work(session: Session, after: str = position) -> tuple[str, int]:
                found = orders.list_sealed(session, after=after, limit=_BATCH)
                changed = 0
                for order in found:
                    assert order.personal is not None
                    if self._vault.uses_current_key(order.personal):
                        continue
                    opened = self._vault.open(order.personal, record=order.order_id)
                    orders.save(session, order, personal=self._vault.seal(opened, record=order.order_id))
                    changed += 1
                return (found[-1].order_id if found else ""), changed

            position, changed = await database.write(work)
            count += changed
            if not position:
                break
        count += await database.write(self._reseal_secrets)
        count += await reseal_incidents(database, self._vault)
        return count + await self._reseal_all_messages(database)

    async def _reseal_all_messages(self, database: Database) -> int:
        position, count = "", 0
        while True:
            position, changed = await database.write(partial(self._reseal_messages, after=position))
            count += changed
            if not position:
                return count

    def _reseal_messages(self, session: Session, after: str) -> tuple[str, int]:
        found = messages.sealed_after(session, after, _BATCH)
        changed = 0
        for message in found:
            assert message.sealed is not None
            if not self._vault.uses_current_key(message.sealed):
                opened = self._vault.open(message.sealed, record=message.message_id)
                messages.set_sealed(
                    session, message.message_id, self._vault.seal(opened, record=message.message_id)
                )
                changed += 1
        return (found[-1].message_id if found else ""), changed

    def _reseal_secrets(self, session: Session) -> int:
        count = 0
        for secret in webhook_secrets.list_all(session):
            if not self._vault.uses_current_key(secret.sealed):
                opened = self._vault.open(secret.sealed, record=secret.secret_id)
                webhook_secrets.reseal(
                    session, secret.secret_id, self._vault.seal(opened, record=secret.secret_id)
                )
                count += 1
        return count

    async def erase_finished_before(self, database: Database, moment: datetime, *, now: datetime) -> int:
        """Erase the personal data of every order finished, every incident closed or left alone, and every message
        made, before ``moment``; how many they were."""
        some = (erase_some, erase_idle_incidents, erase_some_messages)
        return sum(
            [await self._in_batches(database, partial(erase, moment=moment, now=now)) for erase in some]
        )

    async def _in_batches(self, database: Database, work: Any) -> int:
        count = 0
        while done := await database.write(work):
            count += done
        return count


def erase_some(session: Session, moment: datetime, *, now: datetime) -> int:
    """One batch of :meth:`PersonalData.erase_finished_before`; needs no key."""
    found = orders.list_sealed_finished_before(session, moment, _BATCH)
    for order in found:
        before = audit.digest_of(order.personal)
        orders.save(session, order, personal=None, personal_erased_at=now)
        audit.append(
            session, at=now, action="personal_data_erased", subject=order.order_id, before=before, after=None
        )
    return len(found)


def erase_some_messages(session: Session, moment: datetime, *, now: datetime) -> int:
    """The same for telephone numbers, texts and links of messages."""
    found = messages.sealed_created_before(session, moment, _BATCH)
    for message in found:
        messages.set_sealed(session, message.message_id, None)
        audit.append(
            session,
            at=now,
            action="personal_data_erased",
            subject=message.subject,
            before=audit.digest_of(message.sealed),
            after=None,
            detail={"message_id": message.message_id},
        )
    return len(found)
