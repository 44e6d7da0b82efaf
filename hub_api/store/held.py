"""A connection that one thread keeps: fetching one from the pool for each transaction, asking whether it lives and
handing it back cost more than the transaction of a small unit of work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from hub_api.store.prepared import for_one_transaction

T = TypeVar("T")


class HeldConnection:
    """Used by one thread at a time. One that is found dead when a transaction begins is replaced: nothing was done in it."""

    def __init__(
        self, engine: Engine, prepare: Callable[[Connection], None] = lambda _connection: None
    ) -> None:
        """``prepare``: what every connection does before its first transaction; if it raises, there is none."""
        self._engine = engine
        self._prepare = prepare
        self._connection: Connection | None = None

    def connect(self) -> None:
        """Now, if it is not connected: whatever keeps it from connecting is known before the first transaction."""
        if self._connection is None:
            connection = self._engine.connect()
            try:
                self._prepare(connection)
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The connection in a transaction that is committed at the end, or rolled back with whatever is raised."""
        transaction = self._begun()
        connection = transaction.connection
        try:
            with transaction:
                yield connection
        finally:
            if connection.invalidated:
                self.close()

    def _begun(self) -> RootTransaction:
        while True:
            fresh = self._connection is None
            try:
                self.connect()
                assert self._connection is not None
                return self._connection.begin()
            except DBAPIError as error:
                self.close()
                if fresh or not error.connection_invalidated:
                    raise

    def close(self) -> None:
        """Hang up; the next transaction connects anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # Not back to the pool: nobody else is to have it.
            connection.invalidate()
            connection.close()


class Readers:
    """A held connection for each thread that reads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = threading.local()
        self._all: list[HeldConnection] = []

    def look(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on one moment's snapshot."""
        held: HeldConnection | None = getattr(self._mine, "held", None)
        if held is None:
            held = self._mine.held = HeldConnection(self._engine)
            self._all.append(held)
        with (
            held.transaction() as connection,
            Session(connection, join_transaction_mode="rollback_only") as session,
        ):
            for_one_transaction(session, connection)
            return work(session)

    def close(self) -> None:
        """Hang up everywhere, once nobody reads any more."""
        for held in self._all:
            held.close()
