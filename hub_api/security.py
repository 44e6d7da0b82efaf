"""API keys with scopes. A key is shown once, when it is made; the database keeps its hash.

The secret has 256 bits of randomness, so a plain SHA-256 is enough: there is nothing to guess and
nothing to slow down (unlike passwords).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource
from hub_api.settings import DEMO_API_KEY
from hub_api.store.database import Database
from hub_api.store.records import ApiKeyRecord
from hub_api.store.repositories import api_keys

_PREFIX = "daed_"


class Scope(StrEnum):
    """What a key may do."""

    ORDERS_WRITE = "orders:write"
    """Place and cancel orders of its own client."""
    ORDERS_READ = "orders:read"
    """See orders of its own client."""
    FLEET_READ = "fleet:read"
    """See stations, drones and landing points."""
    FLEET_COMMAND = "fleet:command"
    """Command drones in flight."""
    ZONES_READ = "zones:read"
    """See the airspace."""
    WEATHER_WRITE = "weather:write"
    """Report what a station's sensors measure."""
    ADMIN = "admin"
    """Everything, for every client."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    key_id: str
    client: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    @property
    def visible_client(self) -> str | None:
        """The client whose orders it may see; None for an administrator: all."""
        return None if Scope.ADMIN in self.scopes else self.client


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


async def create_api_key(
    database: Database, ids: IdSource, clock: Clock, *, client: str, name: str, scopes: frozenset[str]
) -> tuple[str, ApiKeyRecord]:
    """Make a key for ``client``; returns its secret, which is stored nowhere, and its record.

    Raises 4001 for an unknown scope or an empty client.
    """
    unknown = scopes - {str(scope) for scope in Scope}
    if unknown:
        raise DispatchError(ErrorCode.ORDER_INVALID, f"unknown scopes: {sorted(unknown)}", field="scopes")
    if not scopes:
        raise DispatchError(ErrorCode.ORDER_INVALID, "a key without scopes opens nothing", field="scopes")
    if not 1 <= len(client.strip()) <= 80 or not 1 <= len(name.strip()) <= 120:
        raise DispatchError(ErrorCode.ORDER_INVALID, "client and name must not be empty", field="client")
    secret = _PREFIX + secrets.token_urlsafe(32)
    record = ApiKeyRecord(
        key_id=ids.new("key"), client=client.strip(), name=name.strip(), scopes=scopes, created_at=clock.now()
    )
    await database.write(lambda session: api_keys.insert(session, record, secret_sha256=hash_secret(secret)))
    return secret, record


async def ensure_demo_key(database: Database, ids: IdSource, clock: Clock, *, demo: bool) -> None:
    """In demo mode the well-known key works; outside it is revoked if a demo left it behind."""
    now = clock.now()
    digest = hash_secret(DEMO_API_KEY)
    record = ApiKeyRecord(
        key_id=ids.new("key"),
        client="demo",
        name="well-known demo key",
        scopes=frozenset({str(Scope.ADMIN)}),
        created_at=now,
    )

    def work(session: Session) -> None:
        existing = api_keys.find_by_hash(session, digest)
        if demo and existing is None:
            api_keys.insert(session, record, secret_sha256=digest)
        if not demo and existing is not None:
            api_keys.revoke(session, existing.key_id, now)

    await database.write(work)


_api_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="ApiKey")
_bearer = HTTPBearer(
    auto_error=False, scheme_name="Bearer", description="The same API key as a bearer token."
)


async def authenticate(
    request: Request,
    required: SecurityScopes,
    header_key: Annotated[str | None, Security(_api_key_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Principal:
    """Who asks; raises 4101 (401) without a valid key, 4102 (403) without the scope."""
    secret = header_key or (bearer.credentials if bearer else None)
    if not secret:
        raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "send X-API-Key or Authorization: Bearer")
    hub = request.app.state.hub
    if secret == DEMO_API_KEY and not hub.settings.demo:
        raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "the demo key is refused outside demo mode")
    digest = hash_secret(secret)
    record = await hub.database.read(lambda session: api_keys.find_by_hash(session, digest))
    if record is None or record.revoked_at is not None:
        raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "the API key is unknown or revoked")
    principal = Principal(record.key_id, record.client, record.scopes)
    for scope in required.scopes:
        if not principal.may(scope):
            raise DispatchError(ErrorCode.CREDENTIALS_INSUFFICIENT, f"the API key lacks the scope {scope}")
    return principal
