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
from hub_api.store.records import AccountRecord, LoginNetworkRecord
from hub_api.store.repositories import accounts, audit

log = logging.getLogger(__name__)

MOST_FAILURES = 5
"""Chosen: wrong passwords from one network before it is locked out; five leaves room for a person's typing."""
LOCKED_S = 900.0
"""Chosen: a quarter of an hour makes guessing from one network hopeless and ends by itself."""
MOST_FAILURES_ANYWHERE = 50
"""Chosen: half of what NIST SP 800-63B (5.2.2) allows in a row; ten networks take part by then."""
GUARDED_S = 3600.0
"""Chosen: so long only networks that the person has come from before may try. Whoever sits there loses nothing by it."""
KNOWN_S = 90 * 86400.0
"""Chosen: a network counts as the person's own for a quarter of a year after the last log-in from there."""
_REFUSED = "name or password is not right, or the account is locked or disabled · 用户名或口令错误，或账户已锁定或停用"


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

    async def log_in(self, name: str, password: str, *, network: str) -> IssuedToken:
        """A token for the right password, from a network that is not locked out. Raises 4101, always with the same
        words (docs/decisions/0033)."""
        if password == DEMO_PASSWORD:
            await self._admit_to_demo(name)
        found = await self._database.read(lambda session: accounts.credentials(session, name))
        right = await self._passwords.matches(password, None if found is None else found[1])
        if found is None:
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, _REFUSED)
        account_id = found[0].account_id
        with acting_as(Actor("person", account_id, found[0].client)):
            account = await self._database.write(
                lambda session: self._note(session, account_id, network, right)
            )
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

    def _note(self, session: Session, account_id: str, network: str, right: bool) -> AccountRecord | None:
        """Count the attempt; the account if it may come in."""
        now = self._clock.now()
        account = _known(session, account_id)
        before = accounts.network(session, account_id, network)
        if account.disabled_at is not None or _ahead(before.locked_until, now):
            return None
        known_since = now - timedelta(seconds=KNOWN_S)
        known = before.succeeded_at is not None and before.succeeded_at >= known_since
        if _ahead(account.locked_until, now) and not known:
            return None
        if right:
            if account.failures:
                accounts.save(session, account_id, failures=0)
            accounts.put_network(session, replace(before, failures=0, locked_until=None, succeeded_at=now))
            audit.append(session, at=now, action="logged_in", subject=account_id)
            return account
        accounts.forget_networks(
            session,
            account_id,
            failed_before=now - timedelta(seconds=LOCKED_S),
            succeeded_before=known_since,
        )
        self._count(session, account, replace(before, failures=before.failures + 1, failed_at=now), now)
        return None

    @staticmethod
    def _count(session: Session, account: AccountRecord, network: LoginNetworkRecord, now: datetime) -> None:
        """A wrong password: it locks its network out, and many from anywhere guard the account."""
        locked, guarded = network.failures >= MOST_FAILURES, account.failures + 1 >= MOST_FAILURES_ANYWHERE
        if locked:
            network = replace(network, failures=0, locked_until=now + timedelta(seconds=LOCKED_S))
        accounts.put_network(session, network)
        if guarded:
            until = now + timedelta(seconds=GUARDED_S)
            accounts.save(session, account.account_id, failures=0, locked_until=until)
        else:
            accounts.save(session, account.account_id, failures=account.failures + 1)
        detail: dict[str, Any] = {"network": network.network}
        if guarded:
            detail["guarded_s"] = GUARDED_S
        if locked:
            detail["locked_s"] = LOCKED_S
        audit.append(
            session,
            at=now,
            action="account_guarded" if guarded else "account_locked" if locked else "login_failed",
            subject=account.account_id,
            detail=detail,
        )
        if guarded or locked:
            log.warning(
                "account %s is %s after wrong passwords; the last came from %s",
                account.account_id,
                "open to its known networks only" if guarded else "locked for one network",
                network.network,
            )

    async def renew(self, claims: TokenClaims) -> IssuedToken:
        """A fresh token for one that still holds, until the working session is over. Raises 4101."""
        account = await self.of_token(claims)
        if account is None or self._clock.now() >= claims.authenticated_at + self._session:
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "log in again · 请重新登录")
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
                ErrorCode.TRANSITION_REFUSED, "there is an account of this name · 已有同名账户", field="name"
            ) from None
        return account

    async def _hash(self, password: str) -> str:
        """Raises 4001 for a password that is no good, the well-known one outside the demo included."""
        if password == DEMO_PASSWORD and not self._demo:
            raise DispatchError(
                ErrorCode.ORDER_INVALID,
                "everybody knows this password · 该口令为公开口令，不可使用",
                field="password",
            )
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
            if unlock:
                accounts.unlock_networks(session, account_id)
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
        raise DispatchError(
            ErrorCode.RESOURCE_UNKNOWN, f"there is no account {account_id[:60]!r} · 没有该账户"
        )
    return found


def _ahead(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now
