"""Tokens, accounts and keys as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from hub_api.access.keys import MOST_GRACE_S
from hub_api.access.names import LABEL_CHARACTERS, NAME_CHARACTERS, plain
from hub_api.access.passwords import LEAST_CHARACTERS, MOST_CHARACTERS
from hub_api.access.scopes import Role, Scope
from hub_api.features.fields import Text80
from hub_api.moments import Moment

_Plain = AfterValidator(plain)
Name80 = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS), _Plain]
Name120 = Annotated[str, Field(min_length=1, max_length=LABEL_CHARACTERS), _Plain]
Password = Annotated[str, Field(min_length=LEAST_CHARACTERS, max_length=MOST_CHARACTERS)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TokenView(BaseModel):
    """An access token (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="What the token may do, separated by spaces.")


class LoginRequest(_Request):
    """A person's name and password."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"name": "li.na", "password": "correct horse battery"}]},
    )

    name: Text80
    password: str = Field(min_length=1, max_length=MOST_CHARACTERS)


class PrincipalView(BaseModel):
    """Who the credentials stand for."""

    id: str = Field(description="Account or key.")
    kind: Literal["person", "machine", "hub", "command_line"]
    name: str
    client: str
    scopes: list[str]


class AccountRequest(_Request):
    """A new person."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "li.na",
                    "client": "shenzhen-120",
                    "role": "dispatcher",
                    "password": "correct horse battery",
                }
            ]
        },
    )

    name: Name80
    client: Name80 = Field(description="Whose orders the person works on.")
    role: Role = Field(strict=False)
    password: Password


class AccountChange(_Request):
    """What to change; everything left out stays."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"disabled": True}]}
    )

    role: Role | None = Field(None, strict=False)
    disabled: bool | None = Field(None, description="True closes the account at once, its tokens included.")
    unlock: bool = Field(False, description="Lift a lock after wrong passwords before its time.")
    password: Password | None = None


class AccountView(BaseModel):
    """A person who may log in."""

    account_id: str
    name: str
    client: str
    role: Role
    scopes: list[str]
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None = Field(
        description="After wrong passwords from many networks: until when only networks from which the person logged "
        "in before are let in."
    )


class AccountList(BaseModel):
    """Every account."""

    accounts: list[AccountView]


class KeyRequest(_Request):
    """A new key for a machine."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "client": "shenzhen-120",
                    "name": "dispatch system",
                    "scopes": ["orders:write", "orders:read", "personal:read"],
                }
            ]
        },
    )

    client: Name80
    name: Name120
    scopes: Annotated[list[Annotated[Scope, Field(strict=False)]], Field(min_length=1, max_length=30)]
    expires_at: Moment | None = None


class RotationRequest(_Request):
    """How long the old secret still works beside the new one."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"grace_s": 3600.0}]}
    )

    grace_s: float = Field(ge=0, le=MOST_GRACE_S, allow_inf_nan=False)


class KeyView(BaseModel):
    """A machine's key, without its secret."""

    key_id: str
    client: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None = Field(description="Until when the secret before the last one works.")


class KeyList(BaseModel):
    """Every key."""

    keys: list[KeyView]


class NewKeyView(KeyView):
    """A key with its secret, which is shown this once."""

    secret: str
