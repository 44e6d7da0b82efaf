"""The hub as an emergency centre sees it: plain HTTP and server-sent events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from core.errors import ErrorCode, InternalError


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One server-sent event of an order."""

    event_id: str
    kind: str
    data: dict[str, Any]


class HubClient:
    """A client of one hub with one API key."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._http = httpx.Client(base_url=base_url, headers={"X-API-Key": api_key}, timeout=20.0)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> Any:
        """The JSON of a GET; raises 5003 with the hub's own words on any error."""
        response = self._http.get(path)
        if response.is_error:
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT, f"GET {path} answered {response.status_code}: {response.text}"
            )
        return response.json()

    def post(self, path: str, body: dict[str, Any]) -> None:
        """A POST that must succeed; raises 5003 with the hub's own words otherwise."""
        response = self._http.post(path, json=body)
        if response.is_error:
            raise InternalError(
                ErrorCode.BROKEN_INVARIANT, f"POST {path} answered {response.status_code}: {response.text}"
            )

    def wait_until(
        self, question: Callable[[], str | None], *, timeout_s: float, check: Callable[[], None]
    ) -> None:
        """Ask until the answer is None (satisfied); ``check`` may raise because a process died."""
        deadline_s = time.monotonic() + timeout_s
        while (missing := question()) is not None:
            check()
            if time.monotonic() > deadline_s:
                raise InternalError(ErrorCode.BROKEN_INVARIANT, f"after {timeout_s:g} s still: {missing}")
            time.sleep(0.1)

    def place(self, order: dict[str, Any], idempotency_key: str) -> httpx.Response:
        """POST the order; the caller reads the status."""
        return self._http.post("/v1/orders", json=order, headers={"Idempotency-Key": idempotency_key})

    def follow(self, order_id: str) -> Iterator[StreamEvent]:
        """Events of an order until the hub ends the stream; reconnects where it broke off."""
        last_id = ""
        failures = 0
        while failures < 5:
            headers = {"Last-Event-ID": last_id} if last_id else {}
            try:
                with self._http.stream(
                    "GET",
                    f"/v1/orders/{order_id}/events",
                    headers=headers,
                    timeout=httpx.Timeout(5.0, read=60.0),
                ) as response:
                    response.raise_for_status()
                    for event in _parse(response.iter_lines()):
                        last_id, failures = event.event_id or last_id, 0
                        yield event
                    return
            except httpx.TransportError:
                failures += 1
                time.sleep(0.5)
        raise InternalError(
            ErrorCode.BROKEN_INVARIANT, f"the event stream of {order_id} broke off five times"
        )


def _parse(lines: Iterator[str]) -> Iterator[StreamEvent]:
    """Server-sent events (WHATWG HTML, section 9.2): fields until a blank line; comments start with a colon."""
    event_id, kind = "", "message"
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield StreamEvent(event_id, kind, json.loads("\n".join(data)))
            kind, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            event_id = value
        elif field == "event":
            kind = value
        elif field == "data":
            data.append(value)
