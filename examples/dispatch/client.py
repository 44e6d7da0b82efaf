"""A dispatch system's side of the hub's API, to copy: report an incident, order an AED, follow it.

对接示例：上报急救事件、请求无人机 AED、跟踪结果。仅使用 Python 标准库。

Nothing but Python's standard library. Every request that creates something carries an idempotency key and is sent
again with the same key until it is answered: the hub never doubles it, however often it comes.
"""

from __future__ import annotations

import json
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

TIMEOUT_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
GIVE_UP_S = 120.0
"""Then a person must know: an AED that nobody confirmed is not on its way. 超时后必须人工介入。"""
FINAL = {"CLOSED", "CANCELLED", "DECLINED", "FAILED"}


class Refused(Exception):
    """The hub understood and said no: 4xx. Sending it again would change nothing; ``problem`` says why."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status, self.problem = status, problem
        faults = "; ".join(f"{e['field']}: {e['detail']}" for e in problem.get("errors", []))
        super().__init__(f"{status} {problem.get('reason')}: {problem.get('detail')} {faults}")


class Hub:
    """The hub, with retries. ``key`` is an API key with orders:write, orders:read and personal:read."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url.rstrip("/"), key
        # A proxy of the surroundings must not stand between a centre and its drones.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def send(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """One request, repeated until it is answered. Raises :class:`Refused`, or TimeoutError."""
        headers = {"X-API-Key": self._key, "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        pause_s, began_s = FIRST_PAUSE_S, time.monotonic()
        while True:
            request = urllib.request.Request(self._url + path, data, headers, method=method)
            try:
                with self._open(request, timeout=TIMEOUT_S) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                wait_s = float(error.headers.get("Retry-After") or 0.0)
                if error.code < 500 and error.code != 429:
                    raise Refused(error.code, json.load(error)) from None
                pause_s = max(pause_s, wait_s)
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                pass
            if time.monotonic() - began_s > GIVE_UP_S:
                raise TimeoutError(
                    f"{method} {path} was not answered for {GIVE_UP_S:.0f} s · 未得到应答，请人工处理"
                )
            # Not all centres at the same moment after an outage.
            time.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(LONGEST_PAUSE_S, 2.0 * pause_s)

    def report(self, incident: dict[str, Any]) -> dict[str, Any]:
        """Report an incident; its own number is the key."""
        return self.send("POST", "/v1/incidents", incident, key=f"incident-{incident['reference']}")

    def order(self, incident_id: str, number: int = 1) -> dict[str, Any]:
        """Order an AED to it. ``number`` counts orders of your own, so that a retry is no second order."""
        return self.send(
            "POST", f"/v1/incidents/{incident_id}/orders", {}, key=f"order-{incident_id}-{number}"
        )

    def follow(self, order_id: str, every_s: float = 2.0) -> dict[str, Any]:
        """Ask until the order has ended. Callbacks (examples/webhooks/receiver.py) save the asking."""
        said = None
        while True:
            order = self.send("GET", f"/v1/orders/{urllib.parse.quote(order_id)}")
            # An order for a patient whom a drone serves already is MERGED: its mission is another order's.
            if order["mission_state"] != said:
                said = order["mission_state"]
                print(f"{order['order_id']} {order['state']} / {said}", flush=True)
            if order["state"] in FINAL:
                return order
            time.sleep(every_s)


def main(url: str, key: str) -> int:
    """Report the example incident, order an AED, follow it; 0 if the AED stood on the ground."""
    hub, here = Hub(url, key), Path(__file__).parent
    incident = json.loads((here / "incident.json").read_text(encoding="utf-8"))
    # Where you know no address for callbacks yet, ask instead.
    incident.pop("callback_url")
    try:
        known = hub.report(incident)
        print(f"incident {known['incident_id']}, severity {known['severity']}", flush=True)
        order = hub.order(known["incident_id"])
    except Refused as refusal:
        print(f"refused · 被拒绝: {refusal}", file=sys.stderr)
        return 2
    decision = order["decision"]
    if decision["outcome"] == "declined":
        for reason in decision["reasons"]:
            print(f"declined · 未派出: {reason['code']} {reason['detail_zh']}", flush=True)
        return 1
    eta = decision["eta"]
    print(f"drone {decision['drone_id']}, AED on the ground at {eta['aed_on_ground_at']}", flush=True)
    ended = hub.follow(order["order_id"])
    return 0 if ended["aed_on_ground_at"] is not None else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(
            "usage: client.py HUB_URL API_KEY, e.g. client.py http://127.0.0.1:8120 demo-key-known-to-everybody"
        )
    raise SystemExit(main(sys.argv[1], sys.argv[2]))
