"""Who may use the hub: keys of machines, accounts of people, and where those log in from."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Text
from sqlmodel import Field

from hub_api.store.tables import Row, UtcDateTime


class ApiKeyRow(Row, table=True):
    """A machine's credential. Only the hash of the secret is kept."""

    __tablename__ = "api_keys"

    key_id: str = Field(primary_key=True, max_length=40)
    client: str = Field(max_length=80)
    name: str = Field(max_length=120)
    secret_sha256: str = Field(max_length=64, unique=True)
    scopes: list[str] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    previous_sha256: str | None = Field(default=None, max_length=64, unique=True)
    previous_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccountRow(Row, table=True):
    """A person. ``epoch`` grows when their tokens must not be believed any more."""

    __tablename__ = "accounts"

    account_id: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=80, unique=True)
    client: str = Field(max_length=80)
    role: str = Field(max_length=20)
    password_argon2: str = Field(sa_type=Text)
    epoch: int = Field(default=1)
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = Field(default=0)
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LoginNetworkRow(Row, table=True):
    """A network that somebody tried to log in to an account from."""

    __tablename__ = "login_networks"

    account_id: str = Field(primary_key=True, max_length=40, foreign_key="accounts.account_id")
    network: str = Field(primary_key=True, max_length=64)
    failures: int = Field(default=0)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    succeeded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
