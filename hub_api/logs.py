"""Structured logs: every line of an order or a flight carries the order's id and its incident's, as text or as JSON.

Whoever writes a line knows one of these ids at best. So the owners of what is open are remembered where they are stored
(:func:`remember`), and the lines are completed from there.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

REMEMBERED = 20_000
"""Chosen: orders, flights and missions whose incident is known to the log; a day of a large city."""

_about: ContextVar[str | None] = ContextVar("about", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class _Owners:
    """Which order and incident an order, a flight, a mission or a message belongs to; the newest so many."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[str | None, str | None]] = OrderedDict()
        # Planner, writer and event loop write lines; a dictionary that is being cut is no place for two of them.
        self._lock = threading.Lock()

    def remember(self, names: Iterable[str | None], order_id: str | None, incident_id: str | None) -> None:
        with self._lock:
            for name in names:
                if name is not None:
                    self._known[name] = order_id, incident_id
                    self._known.move_to_end(name)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def of(self, name: str | None) -> tuple[str | None, str | None]:
        if name is None:
            return None, None
        with self._lock:
            return self._known.get(name, (None, None))


_owners = _Owners()


def remember(*names: str | None, order_id: str | None, incident_id: str | None) -> None:
    """Lines about these ids belong to that order and incident from now on. No promise: the oldest are forgotten."""
    _owners.remember((*names, order_id, incident_id), order_id, incident_id)


def bind(about: str) -> None:
    """Log lines of the rest of this task, and of the tasks that it begins, are about this order, flight or incident."""
    _about.set(about)


@contextmanager
def order_context(order_id: str) -> Iterator[None]:
    """Log lines inside this block carry the order's id and its incident's."""
    token = _about.set(order_id)
    try:
        yield
    finally:
        _about.reset(token)


@contextmanager
def request_context(request_id: str, about: str | None) -> Iterator[None]:
    """Log lines inside this block carry the request's id, which its answer carries too; ``about`` is the order,
    flight or incident that its path names."""
    token, subject = _request_id.set(request_id), _about.set(about)
    try:
        yield
    finally:
        _request_id.reset(token)
        _about.reset(subject)


class _AddIds(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        about = getattr(record, "about", None) or getattr(record, "order_id", None) or _about.get() or ""
        order_id, incident_id = _owners.of(about)
        if order_id is None and incident_id is None:
            # Not remembered: the id itself is all that is known.
            order_id = about if about.startswith("ord_") else None
            incident_id = about if about.startswith("inc_") else None
        record.order_id = order_id or "-"
        record.incident_id = getattr(record, "incident_id", None) or incident_id or "-"
        record.request_id = _request_id.get() or "-"
        return True


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "order_id": getattr(record, "order_id", "-"),
            "incident_id": getattr(record, "incident_id", "-"),
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def make_handler(log_format: str, stream: TextIO) -> logging.Handler:
    """What writes lines with their ids, as ``text`` or ``json``."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(_AddIds())
    if log_format == "json":
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(
            logging.Formatter(
                "%(asctime)s %(levelname)-7s %(name)s [%(incident_id)s %(order_id)s] %(message)s"
            )
        )
    return handler


def configure(*, log_format: str, level: str) -> None:
    """Send every log line of this process to standard error in one format."""
    root = logging.getLogger()
    root.handlers[:] = [make_handler(log_format, sys.stderr)]
    root.setLevel(level)
    # One line a request from the HTTP client would bury what matters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
