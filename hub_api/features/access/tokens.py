"""``/v1/auth``: credentials in, short-lived tokens out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer

from core.errors import DispatchError, ErrorCode
from hub_api.access.accounts import IssuedToken
from hub_api.access.networks import network_of
from hub_api.dependencies import HubDep
from hub_api.features.access.schemas import LoginRequest, PrincipalView, TokenView
from hub_api.problems import declared
from hub_api.security import Principal, authenticate
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/auth", tags=["access"], route_class=StrictJsonRoute)

Anybody = Annotated[Principal, Security(authenticate)]
_basic = HTTPBasic(auto_error=False, scheme_name="ClientBasic", description="Key id and secret.")
_bearer = HTTPBearer(auto_error=False, scheme_name="Bearer")


@router.post(
    "/token",
    response_model=TokenView,
    summary="Exchange a key for a token",
    responses=declared(400, 401, 403, 413, 422, 429, 503),
)
async def issue_token(
    hub: HubDep,
    request: Request,
    response: Response,
    basic: Annotated[HTTPBasicCredentials | None, Security(_basic)],
    grant_type: Annotated[str, Form(pattern="^client_credentials$", max_length=40)],
    client_id: Annotated[str | None, Form(max_length=80, description="The key's id.")] = None,
    client_secret: Annotated[str | None, Form(max_length=200, description="The key's secret.")] = None,
    scope: Annotated[
        str | None, Form(max_length=600, description="Fewer scopes than the key has, separated by spaces.")
    ] = None,
) -> TokenView:
    """OAuth 2.0 client credentials (RFC 6749, 4.4), by HTTP Basic or by form fields."""
    key_id = basic.username if basic else client_id
    secret = basic.password if basic else client_secret
    if not key_id or not secret:
        raise DispatchError(
            ErrorCode.CREDENTIALS_MISSING,
            "send client_id and client_secret · 请提供 client_id 和 client_secret",
        )
    hub.gate.check_failures(_address(request))
    wanted = frozenset(scope.split()) if scope and scope.strip() else None
    try:
        issued = await hub.gate.client_credentials(key_id, secret, wanted)
    except DispatchError as error:
        if error.code is ErrorCode.CREDENTIALS_MISSING:
            hub.gate.note_failure(_address(request))
        raise
    return _token_view(response, issued)


@router.post(
    "/login",
    response_model=TokenView,
    summary="Log in",
    responses=declared(400, 401, 413, 422, 429, 503),
)
async def log_in(hub: HubDep, request: Request, response: Response, body: LoginRequest) -> TokenView:
    """A person's token. Five wrong passwords lock the account for a quarter of an hour, for the network they came from."""
    # Counted before the password is looked at, and not after: hashing is slow, and a hundred guesses at once must not
    # keep others waiting because none of them is wrong yet.
    hub.gate.note_failure(_address(request))
    try:
        issued = await hub.gate.accounts.log_in(
            body.name, body.password, network=network_of(_address(request))
        )
    except DispatchError:
        raise
    except BaseException:
        hub.gate.forgive(_address(request))
        raise
    hub.gate.forgive(_address(request))
    return _token_view(response, issued)


@router.post(
    "/renew",
    response_model=TokenView,
    summary="Renew a person's token",
    responses=declared(401, 403, 429, 503),
)
async def renew(
    hub: HubDep,
    who: Anybody,
    response: Response,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> TokenView:
    """A fresh token for one that still works, until the working session is over; then log in again."""
    if who.kind != "person" or bearer is None:
        raise DispatchError(
            ErrorCode.CREDENTIALS_MISSING, "only a person's token can be renewed · 仅人员令牌可续期"
        )
    return _token_view(response, await hub.gate.accounts.renew(hub.gate.claims_of(bearer.credentials)))


@router.get("/me", response_model=PrincipalView, summary="See who you are", responses=declared(401, 403))
async def see_me(who: Anybody) -> PrincipalView:
    """Whose credentials these are and what they may do."""
    return PrincipalView(
        id=who.key_id, kind=who.kind, name=who.name, client=who.client, scopes=sorted(who.scopes)
    )


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _token_view(response: Response, issued: IssuedToken) -> TokenView:
    response.headers["Cache-Control"] = "no-store"
    return TokenView(
        access_token=issued.token, expires_in=int(issued.lifetime_s), scope=" ".join(sorted(issued.scopes))
    )
