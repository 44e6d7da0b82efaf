"""Structured logs: every line of an order carries its id, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_order_id: ContextVar[str | None] = ContextVar("order_id", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


@contextmanager
def order_context(order_id: str) -> Iterator[None]:
    """Log lines inside this block carry the order's id."""
    token = _order_id.set(order_id)
    try:
        yield
    finally:
        _order_id.reset(token)


@contextmanager
def request_context(request_id: str) -> Iterator[None]:
    """Log lines inside this block carry the request's id, which its answer carries too."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


class _AddIds(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.order_id = getattr(record, "order_id", None) or _order_id.get() or "-"
        record.request_id = _request_id.get() or "-"
        return True


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "order_id": getattr(record, "order_id", "-"),
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(*, log_format: str, level: str) -> None:
    """Send every log line of this process to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_AddIds())
    if log_format == "json":
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(name)s [%(order_id)s] %(message)s")
        )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # One line a request from the HTTP client would bury what matters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
