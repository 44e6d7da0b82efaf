"""From a credential to a principal: API keys, tokens of machines and of people, and how often each may ask."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.errors import DispatchError, ErrorCode, InternalError
from hub_api.access.accounts import Accounts, IssuedToken, scopes_of
from hub_api.access.keys import hash_secret
from hub_api.access.networks import host_of, neighbourhood_of
from hub_api.access.principal import Principal
from hub_api.access.rate_limit import RateLimit
from hub_api.access.tokens import TokenClaims, TokenSigner, looks_like_token
from hub_api.settings import DEMO_API_KEY
from hub_api.store.database import Database
from hub_api.store.records import ApiKeyRecord
from hub_api.store.repositories import api_keys

log = logging.getLogger(__name__)

_KEY_EPOCH = 0

KEY_KNOWN_S = 1.0
"""Chosen: so long may a key that another process revoked, the command line or another hub, open this one."""
_MOST_KNOWN = 1_000


class RateLimited(DispatchError):
    """4103: too many requests; says after how many seconds one will pass."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            ErrorCode.RATE_LIMITED,
            f"too many requests; try again in {retry_after_s} s · 请求过于频繁，请在 {retry_after_s} 秒后重试",
        )
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Buckets: what clients ask, the orders they place, and wrong credentials, by machine and by its neighbourhood."""

    requests: RateLimit
    orders: RateLimit
    failures: RateLimit
    failures_nearby: RateLimit


@dataclass(frozen=True, slots=True)
class _Known:
    """A key as it was read for the hash of a secret; ``until``: when that secret opens it no more."""

    key: ApiKeyRecord
    until: datetime | None
    read_at_s: float


class Gate:
    """Finds out who asks.

    A machine that orders a hundred times a second has one key: it is read again after :data:`KEY_KNOWN_S`, and at
    once after every change of a key in this process (:meth:`forget_keys`, called with its commit).
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        signer: TokenSigner,
        accounts: Accounts,
        limits: Limits,
        demo: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer
        self.accounts = accounts
        self._limits = limits
        self._demo = demo
        self._known: dict[str, _Known] = {}
        self._epoch = 0

    async def identify(self, secret: str, *, address: str, ordering: bool = False) -> Principal:
        """Who holds this credential. Raises 4101, or 4103 for a client or an address that asks too often."""
        try:
            principal = await self._principal(secret)
        except DispatchError:
            self.note_failure(address)
            raise
        bucket = self._limits.orders if ordering else self._limits.requests
        self._pass(bucket.take(principal.key_id))
        return principal

    async def still_holds(self, secret: str, principal: Principal) -> bool:
        """Whether a stream that began with this credential may go on: it holds, and has every right it had. A store
        that does not answer for a moment says nothing about it."""
        try:
            now = await self._principal(secret)
        except DispatchError:
            return False
        except InternalError:
            log.exception("credentials of a stream could not be looked at; trying again later")
            return True
        return now.client == principal.client and principal.scopes <= now.scopes

    def check_failures(self, address: str) -> None:
        """Raises 4103 where too many wrong credentials came from, before another one is looked at."""
        self._pass(self._limits.failures.wait_s(host_of(address)))
        self._pass(self._limits.failures_nearby.wait_s(neighbourhood_of(address)))

    def note_failure(self, address: str) -> None:
        """Count a wrong credential; raises 4103 where too many come from."""
        # A machine that is stopped takes nothing from its neighbours.
        self._pass(self._limits.failures.take(host_of(address)))
        self._pass(self._limits.failures_nearby.take(neighbourhood_of(address)))

    def forgive(self, address: str) -> None:
        """What was counted as a wrong credential was none."""
        self._limits.failures.give_back(host_of(address))
        self._limits.failures_nearby.give_back(neighbourhood_of(address))

    @staticmethod
    def _pass(wait_s: int | None) -> None:
        if wait_s is not None:
            raise RateLimited(wait_s)

    async def _principal(self, secret: str) -> Principal:
        if looks_like_token(secret):
            return await self._of_token(self._signer.check(secret))
        key = await self.key_of(secret)
        return Principal(key.key_id, key.client, key.scopes, "machine", key.name)

    async def key_of(self, secret: str) -> ApiKeyRecord:
        """The open key with this secret. Raises 4101."""
        if secret == DEMO_API_KEY and not self._demo:
            raise DispatchError(
                ErrorCode.CREDENTIALS_MISSING,
                "the demo key is refused outside demo mode · 演示密钥仅限演示模式使用",
            )
        digest, now = hash_secret(secret), self._clock.now()
        known = self._known.get(digest)
        if known is not None and self._clock.monotonic_s() - known.read_at_s <= KEY_KNOWN_S:
            if known.until is None or now < known.until:
                return known.key
            del self._known[digest]
        epoch, read_at_s = self._epoch, self._clock.monotonic_s()
        found = await self._database.read(lambda session: api_keys.find_usable(session, digest, now))
        if found is None:
            self._known.pop(digest, None)
            raise DispatchError(
                ErrorCode.CREDENTIALS_MISSING,
                "the API key is unknown, revoked or expired · 密钥无效、已吊销或已过期",
            )
        if epoch == self._epoch:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[digest] = _Known(*found, read_at_s)
        return found[0]

    def forget_keys(self) -> None:
        """A key was made, rotated or revoked: what was read before that counts no more, arrived or not."""
        self._epoch += 1
        self._known.clear()

    async def _of_token(self, claims: TokenClaims) -> Principal:
        if claims.subject.startswith("acc_"):
            account = await self.accounts.of_token(claims)
            if account is None:
                raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "the token was called back · 令牌已被收回")
            scopes = claims.scopes & scopes_of(account)
            return Principal(account.account_id, account.client, scopes, "person", account.name)
        key = await self._database.read(lambda session: api_keys.find(session, claims.subject))
        ended = key is not None and key.expires_at is not None and key.expires_at <= self._clock.now()
        if key is None or key.revoked_at is not None or ended:
            raise DispatchError(
                ErrorCode.CREDENTIALS_MISSING,
                "the token's key is revoked or expired · 令牌所属密钥已吊销或已过期",
            )
        return Principal(key.key_id, key.client, claims.scopes & key.scopes, "machine", key.name)

    def claims_of(self, token: str) -> TokenClaims:
        """What a token says. Raises 4101."""
        return self._signer.check(token)

    async def client_credentials(
        self, key_id: str, secret: str, wanted: frozenset[str] | None
    ) -> IssuedToken:
        """OAuth 2.0 client credentials (RFC 6749, 4.4): a key's id and secret for a short-lived token.

        ``wanted``: fewer scopes than the key has, or None for all. Raises 4101, 4102.
        """
        key = await self.key_of(secret)
        if key.key_id != key_id:
            raise DispatchError(
                ErrorCode.CREDENTIALS_MISSING,
                "client_id and client_secret do not match · client_id 与 client_secret 不匹配",
            )
        if wanted is not None and not wanted <= key.scopes:
            raise DispatchError(
                ErrorCode.CREDENTIALS_INSUFFICIENT,
                f"the key lacks {', '.join(sorted(wanted - key.scopes))} · 密钥缺少所请求的权限",
                field="scope",
            )
        scopes = key.scopes if wanted is None else wanted
        token = self._signer.issue(subject=key.key_id, client=key.client, scopes=scopes, epoch=_KEY_EPOCH)
        return IssuedToken(token, self._signer.lifetime_s, scopes)
