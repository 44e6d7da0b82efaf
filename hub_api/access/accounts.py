"""Accounts of people: log in, log in again, made and changed by an administrator, locked after failures."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from hub_api.access.names import require_name
from hub_api.access.passwords import Passwords
from hub_api.access.scopes import ROLE_SCOPES, Role
from hub_api.access.tokens import TokenClaims, TokenSigner
from hub_api.actor import Actor, acting_as
from hub_api.settings import DEMO_CLIENT, DEMO_PASSWORD
from hub_api.store.database import Database
from hub_api.store.records import AccountRecord
from hub_api.store.repositories import accounts, audit

log = logging.getLogger(__name__)

MOST_FAILURES = 5
"""Chosen: OWASP ASVS asks for a limit; five leaves room for a person's typing."""
LOCKED_S = 900.0
"""Chosen: a quarter of an hour makes guessing hopeless and ends by itself."""
_REFUSED = "name or password is not right, or the account is locked or disabled"


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and how long it lasts."""

    token: str
    lifetime_s: float
    scopes: frozenset[str]


class Accounts:
    """People who may log in."""

    def __init__(
        self,
        *,
        database: Database,
        ids: IdSource,
        clock: Clock,
        signer: TokenSigner,
        passwords: Passwords,
        session_s: float,
        demo: bool = False,
    ) -> None:
        self._database = database
        self._ids = ids
        self._clock = clock
        self._signer = signer
        self._passwords = passwords
        self._session = timedelta(seconds=session_s)
        self._demo = demo

    async def log_in(self, name: str, password: str) -> IssuedToken:
        """A token for the right password. Raises 4101, always with the same words."""
        if password == DEMO_PASSWORD:
            await self._admit_to_demo(name)
        found = await self._database.read(lambda session: accounts.credentials(session, name))
        right = await self._passwords.matches(password, None if found is None else found[1])
        if found is None:
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, _REFUSED)
        account_id = found[0].account_id
        with acting_as(Actor("person", account_id, found[0].client)):
            account = await self._database.write(lambda session: self._note(session, account_id, right))
        if account is None:
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, _REFUSED)
        return self._issue(account, self._clock.now())

    async def _admit_to_demo(self, name: str) -> None:
        """In demo mode every role's name is an account, made when somebody first asks; elsewhere its well-known
        password opens nothing, even if a demo left the account behind. Raises 4101."""
        if not self._demo:
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, _REFUSED)
        known = await self._database.read(lambda session: accounts.credentials(session, name))
        if known is None and name in frozenset(Role):
            with suppress(DispatchError):  # two screens at once: the other one made it
                await self.create(name=name, client=DEMO_CLIENT, role=Role(name), password=DEMO_PASSWORD)

    def _note(self, session: Session, account_id: str, right: bool) -> AccountRecord | None:
        """Count the attempt; the account if it may come in."""
        now = self._clock.now()
        account = _known(session, account_id)
        locked = account.locked_until is not None and account.locked_until > now
        if account.disabled_at is not None or locked:
            return None
        if right:
            if account.failures:
                accounts.save(session, account_id, failures=0, locked_until=None)
            audit.append(session, at=now, action="logged_in", subject=account_id)
            return account
        failures = account.failures + 1
        if failures < MOST_FAILURES:
            accounts.save(session, account_id, failures=failures)
            audit.append(session, at=now, action="login_failed", subject=account_id)
            return None
        accounts.save(session, account_id, failures=0, locked_until=now + timedelta(seconds=LOCKED_S))
        audit.append(
            session, at=now, action="account_locked", subject=account_id, detail={"locked_s": LOCKED_S}
        )
        log.warning("account %s is locked after %d wrong passwords", account_id, failures)
        return None

    async def renew(self, claims: TokenClaims) -> IssuedToken:
        """A fresh token for one that still holds, until the working session is over. Raises 4101."""
        account = await self.of_token(claims)
        if account is None or self._clock.now() >= claims.authenticated_at + self._session:
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "log in again")
        return self._issue(account, claims.authenticated_at)

    async def of_token(self, claims: TokenClaims) -> AccountRecord | None:
        """The open account behind a token; None if it was closed or its tokens were called back."""
        account = await self._database.read(lambda session: accounts.find(session, claims.subject))
        if account is None or account.disabled_at is not None or account.epoch != claims.epoch:
            return None
        return account

    def _issue(self, account: AccountRecord, authenticated_at: datetime) -> IssuedToken:
        scopes = scopes_of(account)
        token = self._signer.issue(
            subject=account.account_id,
            client=account.client,
            scopes=scopes,
            epoch=account.epoch,
            authenticated_at=authenticated_at,
        )
        return IssuedToken(token, self._signer.lifetime_s, scopes)

    async def create(self, *, name: str, client: str, role: Role, password: str) -> AccountRecord:
        """A new person. Raises 4001 for a bad password or a name that is not plain, 4004 if it is taken."""
        require_name(name, "name")
        require_name(client, "client")
        hashed = await self._hash(password)
        account = AccountRecord(
            account_id=self._ids.new("acc"),
            name=name,
            client=client,
            role=role.value,
            epoch=1,
            created_at=self._clock.now(),
        )

        def work(session: Session) -> None:
            accounts.insert(session, account, password_argon2=hashed)
            audit.append(
                session,
                at=account.created_at,
                action="account_created",
                subject=account.account_id,
                after=audit.digest_of(account),
                detail={"client": account.client, "role": account.role},
            )

        try:
            await self._database.write(work)
        except IntegrityError:
            raise DispatchError(
                ErrorCode.TRANSITION_REFUSED, "there is an account of this name", field="name"
            ) from None
        return account

    async def _hash(self, password: str) -> str:
        """Raises 4001 for a password that is no good, the well-known one outside the demo included."""
        if password == DEMO_PASSWORD and not self._demo:
            raise DispatchError(ErrorCode.ORDER_INVALID, "everybody knows this password", field="password")
        return await self._passwords.hash(password)

    async def change(
        self,
        account_id: str,
        *,
        role: Role | None = None,
        disabled: bool | None = None,
        unlock: bool = False,
        password: str | None = None,
    ) -> AccountRecord:
        """Change an account; whatever narrows it calls its tokens back at once. Raises 4005 unknown, 4001."""
        hashed = None if password is None else await self._hash(password)

        def work(session: Session) -> AccountRecord:
            before = _known(session, account_id)
            now = self._clock.now()
            changes: dict[str, Any] = {}
            if role is not None and role != before.role:
                changes["role"] = role.value
            if disabled is not None and disabled != (before.disabled_at is not None):
                changes["disabled_at"] = now if disabled else None
            if unlock:
                changes |= {"locked_until": None, "failures": 0}
            stored = dict(changes)
            if hashed is not None:
                stored["password_argon2"] = hashed
            if set(stored) - {"locked_until", "failures"}:
                changes["epoch"] = stored["epoch"] = before.epoch + 1
            if not stored:
                return before
            accounts.save(session, account_id, **stored)
            after = replace(before, **changes)
            audit.append(
                session,
                at=now,
                action="account_changed",
                subject=account_id,
                before=audit.digest_of(before),
                after=audit.digest_of(after),
                detail={"changed": sorted(set(stored) - {"epoch"})},
            )
            return after

        return await self._database.write(work)


def scopes_of(account: AccountRecord) -> frozenset[str]:
    """What the account's role may do."""
    return frozenset(str(scope) for scope in ROLE_SCOPES[Role(account.role)])


def _known(session: Session, account_id: str) -> AccountRecord:
    found = accounts.find(session, account_id)
    if found is None:
        raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no account {account_id[:60]!r}")
    return found
