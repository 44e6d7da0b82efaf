"""Alembic's entry point: runs on the engine, or in the transaction of the connection, that the hub hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine

from hub_api.store.tables import Row

bind: Engine | Connection = context.config.attributes["bind"]


def migrate(connection: Connection) -> None:
    """Run what Alembic was asked for; a transaction that is open already stays the caller's."""
    context.configure(
        connection=connection,
        target_metadata=Row.metadata,
        # SQLite cannot alter most things in place; batch mode copies the table.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if isinstance(bind, Connection):
    migrate(bind)
else:
    with bind.connect() as opened:
        migrate(opened)
