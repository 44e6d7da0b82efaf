"""API keys of machines: made, rotated, revoked. A secret is shown once; the database keeps its hash.

The secret has 256 bits of randomness, so a plain SHA-256 is enough: there is nothing to guess and
nothing to slow down (unlike passwords).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from hub_api.access.names import LABEL_CHARACTERS, require_name
from hub_api.access.scopes import Scope
from hub_api.settings import DEMO_API_KEY, DEMO_CLIENT
from hub_api.store.database import Database
from hub_api.store.records import ApiKeyRecord
from hub_api.store.repositories import api_keys, audit

_PREFIX = "daed_"
MOST_GRACE_S = 7 * 86400.0
"""Chosen: a secret that leaked is of no use after a week, whoever forgot about it."""


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    return _PREFIX + secrets.token_urlsafe(32)


async def create_api_key(
    database: Database,
    ids: IdSource,
    clock: Clock,
    *,
    client: str,
    name: str,
    scopes: frozenset[str],
    expires_at: datetime | None = None,
) -> tuple[str, ApiKeyRecord]:
    """Make a key for ``client``; returns its secret, which is stored nowhere, and its record.

    Raises 4001 for an unknown scope, a name that is not plain, or an end that is past.
    """
    unknown = scopes - {str(scope) for scope in Scope}
    if unknown:
        raise DispatchError(
            ErrorCode.ORDER_INVALID, f"unknown scopes: {sorted(unknown)} · 未知的权限范围", field="scopes"
        )
    if not scopes:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            "a key without scopes opens nothing · 密钥至少须有一项权限",
            field="scopes",
        )
    require_name(client, "client")
    require_name(name, "name", most_characters=LABEL_CHARACTERS)
    if expires_at is not None and expires_at <= clock.now():
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            "the key would have ended already · 密钥的到期时间已过",
            field="expires_at",
        )
    secret = new_secret()
    record = ApiKeyRecord(
        key_id=ids.new("key"),
        client=client,
        name=name,
        scopes=frozenset(map(str, scopes)),
        created_at=clock.now(),
        expires_at=expires_at,
    )

    def work(session: Session) -> None:
        api_keys.insert(session, record, secret_sha256=hash_secret(secret))
        audit.append(
            session,
            at=record.created_at,
            action="key_created",
            subject=record.key_id,
            after=audit.digest_of(record),
            detail={"client": record.client, "scopes": sorted(record.scopes)},
        )

    await database.write(work)
    return secret, record


async def rotate_api_key(database: Database, clock: Clock, key_id: str, *, grace_s: float) -> str:
    """A new secret for an open key; the old one works ``grace_s`` longer. Raises 4005 unknown, 4004 revoked,
    4001 for a grace that is none."""
    if not 0.0 <= grace_s <= MOST_GRACE_S:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            f"grace_s is 0 to {MOST_GRACE_S:.0f} · grace_s 须为 0 至 {MOST_GRACE_S:.0f}",
            field="grace_s",
        )
    secret = new_secret()

    def work(session: Session) -> None:
        now = clock.now()
        before = _open_key(session, key_id)
        api_keys.rotate(
            session,
            key_id,
            secret_sha256=hash_secret(secret),
            previous_until=now + timedelta(seconds=grace_s),
        )
        audit.append(
            session,
            at=now,
            action="key_rotated",
            subject=key_id,
            before=audit.digest_of(before),
            after=audit.digest_of(api_keys.find(session, key_id)),
            detail={"grace_s": grace_s},
        )

    await database.write(work)
    return secret


async def revoke_api_key(database: Database, clock: Clock, key_id: str) -> ApiKeyRecord:
    """Close a key for ever; its tokens too. At once in this process, within a second in another one
    (:data:`hub_api.access.gate.KEY_KNOWN_S`). Raises 4005 unknown. Safe to repeat."""

    def work(session: Session) -> ApiKeyRecord:
        now = clock.now()
        before = api_keys.find(session, key_id)
        if before is None:
            raise unknown_key(key_id)
        if api_keys.revoke(session, key_id, now):
            session.expire_all()
            audit.append(
                session,
                at=now,
                action="key_revoked",
                subject=key_id,
                before=audit.digest_of(before),
                after=audit.digest_of(api_keys.find(session, key_id)),
            )
        found = api_keys.find(session, key_id)
        assert found is not None
        return found

    return await database.write(work)


def unknown_key(key_id: str) -> DispatchError:
    return DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no key {key_id[:60]!r} · 没有该密钥")


def _open_key(session: Session, key_id: str) -> ApiKeyRecord:
    found = api_keys.find(session, key_id)
    if found is None:
        raise unknown_key(key_id)
    if found.revoked_at is not None:
        raise DispatchError(
            ErrorCode.TRANSITION_REFUSED, "the key is revoked; make a new one · 密钥已吊销，请新建"
        )
    return found


async def ensure_demo_key(database: Database, ids: IdSource, clock: Clock, *, demo: bool) -> None:
    """In demo mode the well-known key works; outside it is revoked if a demo left it behind."""
    now = clock.now()
    digest = hash_secret(DEMO_API_KEY)
    record = ApiKeyRecord(
        key_id=ids.new("key"),
        client=DEMO_CLIENT,
        name="well-known demo key",
        scopes=frozenset({str(Scope.ADMIN)}),
        created_at=now,
    )

    def work(session: Session) -> None:
        existing = api_keys.find_by_hash(session, digest)
        if demo and existing is None:
            api_keys.insert(session, record, secret_sha256=digest)
            audit.append(
                session,
                at=now,
                action="demo_key_created",
                subject=record.key_id,
                after=audit.digest_of(record),
            )
        if not demo and existing is not None and api_keys.revoke(session, existing.key_id, now):
            audit.append(session, at=now, action="demo_key_revoked", subject=existing.key_id)

    await database.write(work)
