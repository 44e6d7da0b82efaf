"""``/v1/accounts`` and ``/v1/keys``: who may use the hub."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response, Security

from core.errors import DispatchError, ErrorCode
from hub_api.access.accounts import scopes_of
from hub_api.access.keys import create_api_key, revoke_api_key, rotate_api_key, unknown_key
from hub_api.dependencies import HubDep
from hub_api.features.access.schemas import (
    AccountChange,
    AccountList,
    AccountRequest,
    AccountView,
    KeyList,
    KeyRequest,
    KeyView,
    NewKeyView,
    RotationRequest,
)
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.records import AccountRecord, ApiKeyRecord
from hub_api.store.repositories import accounts, api_keys
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1", tags=["access"], route_class=StrictJsonRoute)

Manager = Annotated[Principal, Security(authenticate, scopes=[Scope.ACCESS_MANAGE])]
_Id = Path(max_length=60, pattern=r"^[\x21-\x7e]+$")
AccountId = Annotated[str, _Id]
KeyId = Annotated[str, _Id]
_BODY = declared(400, 401, 403, 409, 413, 422, 503)
_CHANGE = declared(400, 401, 403, 404, 409, 413, 422, 503)


@router.get("/accounts", response_model=AccountList, summary="List accounts", responses=declared(401, 403))
async def list_accounts(hub: HubDep, who: Manager) -> AccountList:
    """Every person who may log in, or might once."""
    found = await hub.database.read(accounts.list_all)
    return AccountList(accounts=[_account_view(account) for account in found])


@router.post(
    "/accounts", status_code=201, response_model=AccountView, summary="Make an account", responses=_BODY
)
async def create_account(hub: HubDep, who: Manager, body: AccountRequest) -> AccountView:
    """A person with a role; what the role may do is listed in the account."""
    account = await hub.gate.accounts.create(
        name=body.name, client=body.client, role=body.role, password=body.password
    )
    return _account_view(account)


@router.patch(
    "/accounts/{account_id}", response_model=AccountView, summary="Change an account", responses=_CHANGE
)
async def change_account(
    hub: HubDep, who: Manager, account_id: AccountId, body: AccountChange
) -> AccountView:
    """Role, password, disabled, unlocked. Tokens issued before a change stop working at once."""
    if account_id == who.key_id and (body.disabled or body.role is not None):
        raise DispatchError(
            ErrorCode.TRANSITION_REFUSED,
            "nobody closes or changes the role of their own account · 不可停用本人账户或更改本人角色",
        )
    return _account_view(
        await hub.gate.accounts.change(
            account_id,
            role=body.role,
            disabled=body.disabled,
            unlock=body.unlock,
            password=body.password,
        )
    )


@router.get("/keys", response_model=KeyList, summary="List keys", responses=declared(401, 403))
async def list_keys(hub: HubDep, who: Manager) -> KeyList:
    """Every key of every machine; secrets are not kept and cannot be shown."""
    return KeyList(keys=[_key_view(key) for key in await hub.database.read(api_keys.list_all)])


@router.post("/keys", status_code=201, response_model=NewKeyView, summary="Make a key", responses=_BODY)
async def create_key(hub: HubDep, who: Manager, body: KeyRequest, response: Response) -> NewKeyView:
    """A key for a machine. Its secret is shown in this answer and never again."""
    if Scope.ADMIN in body.scopes and not who.may(Scope.ADMIN):
        raise DispatchError(
            ErrorCode.CREDENTIALS_INSUFFICIENT,
            "only who has the scope admin may give it · 仅管理员可授予管理员权限",
            field="scopes",
        )
    secret, key = await create_api_key(
        hub.database,
        hub.ids,
        hub.clock,
        client=body.client,
        name=body.name,
        scopes=frozenset(str(scope) for scope in body.scopes),
        expires_at=body.expires_at,
    )
    response.headers["Cache-Control"] = "no-store"
    return NewKeyView(**_key_view(key).model_dump(), secret=secret)


@router.post("/keys/{key_id}/rotate", response_model=NewKeyView, summary="Rotate a key", responses=_CHANGE)
async def rotate_key(
    hub: HubDep, who: Manager, key_id: KeyId, body: RotationRequest, response: Response
) -> NewKeyView:
    """A new secret; the old one works for a while longer, so that nothing stands still."""
    await _may_touch(hub, who, key_id)
    secret = await rotate_api_key(hub.database, hub.clock, key_id, grace_s=body.grace_s)
    found = await hub.database.read(lambda session: api_keys.find(session, key_id))
    assert found is not None
    response.headers["Cache-Control"] = "no-store"
    return NewKeyView(**_key_view(found).model_dump(), secret=secret)


@router.post(
    "/keys/{key_id}/revoke",
    response_model=KeyView,
    summary="Revoke a key",
    responses=declared(401, 403, 404, 422, 503),
)
async def revoke_key(hub: HubDep, who: Manager, key_id: KeyId) -> KeyView:
    """Close a key for ever, its tokens included, at once. Safe to repeat."""
    await _may_touch(hub, who, key_id)
    return _key_view(await revoke_api_key(hub.database, hub.clock, key_id))


async def _may_touch(hub: HubDep, who: Principal, key_id: str) -> None:
    """A new secret for an ``admin`` key would be that key."""
    found = await hub.database.read(lambda session: api_keys.find(session, key_id))
    if found is None:
        raise unknown_key(key_id)
    if Scope.ADMIN in found.scopes and not who.may(Scope.ADMIN):
        raise DispatchError(
            ErrorCode.CREDENTIALS_INSUFFICIENT, "the key has the scope admin · 该密钥具有管理员权限"
        )


def _account_view(account: AccountRecord) -> AccountView:
    return AccountView.model_validate(
        {
            "account_id": account.account_id,
            "name": account.name,
            "client": account.client,
            "role": account.role,
            "scopes": sorted(scopes_of(account)),
            "created_at": account.created_at,
            "disabled_at": account.disabled_at,
            "locked_until": account.locked_until,
        }
    )


def _key_view(key: ApiKeyRecord) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        client=key.client,
        name=key.name,
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        previous_until=key.previous_until,
    )
