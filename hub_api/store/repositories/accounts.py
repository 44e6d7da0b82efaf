"""People who may log in. The password's hash never leaves this module but through :func:`credentials`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub_api.store.records import AccountRecord
from hub_api.store.tables import AccountRow

_FIELDS = tuple(AccountRecord.__dataclass_fields__)


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
