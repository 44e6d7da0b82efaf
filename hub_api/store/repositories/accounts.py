"""People who may log in. The password's hash never leaves this module but through :func:`credentials`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from hub_api.store.access_tables import AccountRow, LoginNetworkRow
from hub_api.store.records import AccountRecord, LoginNetworkRecord

_FIELDS = tuple(AccountRecord.__dataclass_fields__)
_NETWORK_FIELDS = tuple(LoginNetworkRecord.__dataclass_fields__)


def _record(row: AccountRow) -> AccountRecord:
    return AccountRecord(**{name: getattr(row, name) for name in _FIELDS})


def insert(session: Session, account: AccountRecord, *, password_argon2: str) -> None:
    """``IntegrityError`` if the name is taken."""
    fields = {name: getattr(account, name) for name in _FIELDS}
    session.add(AccountRow(**fields, password_argon2=password_argon2))
    session.flush()


def credentials(session: Session, name: str) -> tuple[AccountRecord, str] | None:
    """The account of this name and its password's hash."""
    row = session.exec(select(AccountRow).where(col(AccountRow.name) == name)).first()
    return None if row is None else (_record(row), row.password_argon2)


def find(session: Session, account_id: str) -> AccountRecord | None:
    row = session.get(AccountRow, account_id)
    return None if row is None else _record(row)


def list_all(session: Session) -> list[AccountRecord]:
    return [_record(row) for row in session.exec(select(AccountRow).order_by(col(AccountRow.name)))]


def save(session: Session, account_id: str, **changes: Any) -> None:
    """Write the changed fields; ``password_argon2`` too."""
    session.execute(update(AccountRow).where(col(AccountRow.account_id) == account_id).values(**changes))


def network(session: Session, account_id: str, name: str) -> LoginNetworkRecord:
    """What is known of a network for an account; nothing, for a new one."""
    row = session.get(LoginNetworkRow, (account_id, name))
    if row is None:
        return LoginNetworkRecord(account_id=account_id, network=name)
    return LoginNetworkRecord(**{field: getattr(row, field) for field in _NETWORK_FIELDS})


def put_network(session: Session, record: LoginNetworkRecord) -> None:
    session.merge(LoginNetworkRow(**{field: getattr(record, field) for field in _NETWORK_FIELDS}))
    session.flush()


def forget_networks(
    session: Session, account_id: str, *, failed_before: datetime, succeeded_before: datetime
) -> None:
    """Drop the networks of an account from which nothing was heard since: no row for each that once guessed."""
    failed, succeeded = col(LoginNetworkRow.failed_at), col(LoginNetworkRow.succeeded_at)
    session.execute(
        delete(LoginNetworkRow).where(
            col(LoginNetworkRow.account_id) == account_id,
            or_(failed.is_(None), failed < failed_before),
            or_(succeeded.is_(None), succeeded < succeeded_before),
        )
    )


def unlock_networks(session: Session, account_id: str) -> None:
    """Forget every wrong password of an account, wherever it came from."""
    session.execute(
        update(LoginNetworkRow)
        .where(col(LoginNetworkRow.account_id) == account_id)
        .values(failures=0, locked_until=None)
    )
