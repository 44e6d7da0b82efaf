"""Alembic's entry point: runs on the engine that the hub hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Engine

from hub_api.store.tables import Row

engine: Engine = context.config.attributes["engine"]

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Row.metadata,
        # SQLite cannot alter most things in place; batch mode copies the table.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
