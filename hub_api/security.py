"""What routes need of security: who asks, and that they may. The parts are in :mod:`hub_api.access`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Request, Security
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer, OAuth2, SecurityScopes

from core.errors import DispatchError, ErrorCode
from hub_api.access.keys import create_api_key, ensure_demo_key, hash_secret
from hub_api.access.principal import Principal
from hub_api.access.scopes import Scope
from hub_api.actor import set_actor

__all__ = [
    "Principal",
    "Scope",
    "authenticate",
    "create_api_key",
    "ensure_demo_key",
    "hash_secret",
]

_api_key_header = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="ApiKey")
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="Bearer",
    description="A token from `/v1/auth/token` or `/v1/auth/login`, or an API key.",
)
_oauth2 = OAuth2(
    auto_error=False,
    scheme_name="OAuth2",
    flows=OAuthFlows(
        clientCredentials=OAuthFlowClientCredentials(
            tokenUrl="/v1/auth/token", scopes={str(scope): "" for scope in Scope}
        )
    ),
)


async def authenticate(
    request: Request,
    required: SecurityScopes,
    header_key: Annotated[str | None, Security(_api_key_header)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    _document: Annotated[str | None, Security(_oauth2)],
) -> Principal:
    """Who asks; raises 4101 (401) without a valid credential, 4102 (403) without the scope, 4103 (429).

    4005 or 4001 for a NUL in the address: no name holds one, and not every database takes it.
    """
    if "\x00" in request.scope["path"]:
        raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, "no name holds a NUL · 名称不可含空字符")
    if b"%00" in request.scope["query_string"]:
        raise DispatchError(
            ErrorCode.ORDER_INVALID, "no parameter holds a NUL · 参数不可含空字符", field="query"
        )
    secret = header_key or (bearer.credentials if bearer else None)
    request.state.credential = secret
    if not secret:
        raise DispatchError(
            ErrorCode.CREDENTIALS_MISSING,
            "send X-API-Key or Authorization: Bearer · 请提供 X-API-Key 或 Authorization: Bearer",
        )
    principal: Principal = await request.app.state.hub.gate.identify(
        secret,
        address=request.client.host if request.client else "unknown",
        ordering=Scope.ORDERS_WRITE in required.scopes,
    )
    require(principal, required.scopes)
    set_actor(principal.actor)
    return principal


def require(principal: Principal, scopes: list[str]) -> None:
    """Raises 4102 unless the principal has every scope."""
    for scope in scopes:
        if not principal.may(scope):
            raise DispatchError(
                ErrorCode.CREDENTIALS_INSUFFICIENT,
                f"the credentials lack the scope {scope} · 凭证缺少权限 {scope}",
            )


async def still_allowed(request: Request, principal: Principal) -> bool:
    """Whether the credential of an authenticated request still holds; streams ask again and again."""
    allowed: bool = await request.app.state.hub.gate.still_holds(request.state.credential, principal)
    return allowed
