"""Alembic migrations; run at start by :func:`hub_api.store.database.upgrade`."""
