"""Both databases for the hub's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.hub_api.world import database_kind, drop_databases


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs a test once on each database; worlds made meanwhile are stored there."""
    token = database_kind.set(request.param)
    yield request.param
    database_kind.reset(token)
    drop_databases()
