"""A whole incident as a centre works with it: reported, ordered, merged, split, approved late, flown, closed.

Everything is told to two callback addresses, which a small server here keeps.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.hub.lives import BODY, Life, flown

ALARM_S = 1.0


class Receiver:
    """Takes callbacks for as long as it is open; ``received``: path → what came, in order."""

    def __init__(self) -> None:
        received: dict[str, list[dict[str, Any]]] = {}
        self.received = received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.setdefault(self.path, []).append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def event_ids(self, path: str) -> set[str]:
        return {update["event_id"] for update in self.received.get(path, ())}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class OneIncident:
    """Three orders for one patient: the first flies after an alarm, the second ends with it, the third is split off and
    refused. Close it with :meth:`close`."""

    settings = {  # noqa: RUF012
        "DRONE_AED_DEFAULT_MODE": "approve",
        "DRONE_AED_APPROVAL_ALARM_S": f"{ALARM_S:g}",
        "DRONE_AED_APPROVAL_CHAIN": '["role:operator", "role:administrator"]',
    }

    def __init__(self) -> None:
        self._receiver = Receiver()
        self._at = datetime.now(UTC).isoformat()
        self._incident_id = self._first = self._second = self._third = ""

    def close(self) -> None:
        self._receiver.close()

    def begins(self, step: str) -> bool:
        return "incident_received" in step

    def tell(self, life: Life) -> None:
        report = {
            "reference": "BA-1",
            "position": BODY["position"],
            "severity": "I",
            "callback_url": f"{self._receiver.url}/incident",
        }
        incident = _done(life.send("POST", "/v1/incidents", report, key="report"), 200, 201)
        self._incident_id = incident["incident_id"]
        here = f"/v1/incidents/{self._incident_id}"
        # 409: it was escalated further already, by the order.
        _done(life.send("POST", f"{here}/escalate", {"level": "ground_aed", "reason": "心脏骤停"}), 200, 409)
        order = {"callback_url": f"{self._receiver.url}/order"}
        self._first = _done(life.send("POST", f"{here}/orders", order, key="first"), 200, 201)["order_id"]
        self._second = self._another(life, "second")
        self._third = self._another(life, "third")
        # 409: it is split off already.
        _done(life.send("POST", f"/v1/orders/{self._third}/split", {"reason": "另一患者"}), 200, 409)
        third = life.until(
            f"/v1/orders/{self._third}", lambda o: o["state"] in ("AWAITING_APPROVAL", "DECLINED")
        )
        if third["state"] == "AWAITING_APPROVAL":
            no = {"reason": "重复", "flight_id": third["decision"]["flight_id"]}
            _done(life.send("POST", f"/v1/orders/{self._third}/refuse", no), 200)
        treats = {"kind": "volunteer", "state": "treating", "at": self._at}
        # 409: it is closed already.
        _done(life.send("PUT", f"{here}/parties/v1", treats), 200, 409)
        self._approve_after_the_alarm(life)
        life.until_closed(self._first)
        _done(life.send("POST", f"{here}/close", {"outcome": "handed_over"}), 200)
        life.until_quiet()
        life.until(f"/v1/orders/{self._first}", lambda o: o["callback"]["pending"] == 0)
        own = {event["event_id"] for event in self._own_events(life)}
        life.until("/v1/health", lambda _: own <= self._receiver.event_ids("/incident"))

    def _another(self, life: Life, key: str) -> str:
        """Another order for the same patient."""
        order = _done(life.send("POST", "/v1/orders", BODY | {"severity": "II"}, key=key), 200, 201)
        order_id: str = order["order_id"]
        return order_id

    def _approve_after_the_alarm(self, life: Life) -> None:
        """When the second in line is asked, and as often as the plan has to be made again."""

        def alarmed(order: dict[str, Any]) -> bool:
            return order["state"] != "AWAITING_APPROVAL" or order["approval"]["level"] >= 1

        def stand_by(answer: dict[str, Any]) -> bool:
            return all(
                reason["code"] == "on_mission"
                for drone in answer["drones"]
                for reason in drone["not_ready_reasons"]
            )

        while True:
            order = life.until(f"/v1/orders/{self._first}", alarmed)
            if order["state"] != "AWAITING_APPROVAL":
                return
            life.until("/v1/drones", stand_by)
            yes = {"flight_id": order["decision"]["flight_id"]}
            _done(life.send("POST", f"/v1/orders/{self._first}/approve", yes), 200, 409)

    def check(self, life: Life, folder: Path, told: str) -> None:
        incident = life.get(f"/v1/incidents/{self._incident_id}")
        assert incident["state"] == "CLOSED", told
        assert len(life.get("/v1/incidents")["incidents"]) == 1, told
        states = {order["order_id"]: order["state"] for order in life.get("/v1/orders")["orders"]}
        assert states == {self._first: "CLOSED", self._second: "CLOSED", self._third: "DECLINED"}, told
        first = life.get(f"/v1/orders/{self._first}")
        assert flown(folder) == [f["flight_id"] for f in first["flights"] if f["withdrawn"] is None], told
        assert len(flown(folder)) == 1, told
        kinds = {order_id: Counter(e["kind"] for e in life.events(order_id)) for order_id in states}
        for order_id, once in (
            (self._first, ("order_received", "decision_proposed", "aed_on_ground", "flight_ended")),
            (self._first, ("order_split_off",)),
            (self._second, ("order_received", "order_merged")),
            (self._third, ("order_received", "order_merged", "order_split", "decision_proposed")),
            (self._third, ("approval_refused",)),
        ):
            found = kinds[order_id]
            assert {kind: found[kind] for kind in once} == dict.fromkeys(once, 1), (told, found)
        assert kinds[self._first]["order_merged_here"] == 2, told
        assert kinds[self._first]["approval_given"] + kinds[self._first]["approval_outdated"] >= 1, told
        levels = [
            event["data"]["level"] for event in life.events(self._first) if event["kind"] == "approval_alarm"
        ]
        assert levels == list(range(1, len(levels) + 1)), (told, levels)
        assert levels, told
        self._check_incident(life, told)
        self._check_callbacks(first, told)
        assert all(drone["mission_id"] is None for drone in life.get("/v1/drones")["drones"]), told
        assert life.get("/v1/audit/verification")["whole"], told

    def _check_incident(self, life: Life, told: str) -> None:
        events = self._own_events(life)
        kinds = Counter(event["kind"] for event in events)
        once = ("incident_received", "incident_escalated", "incident_closed", "order_joined")
        assert {kind: kinds[kind] for kind in once} == dict.fromkeys(once, 1), (told, kinds)
        stages = Counter(event["data"]["stage"] for event in events if event["kind"] == "stage_reached")
        assert stages["rescued"] == 1, (told, stages)

    def _own_events(self, life: Life) -> list[dict[str, Any]]:
        """The incident's, without its orders'. Each is told to its callback."""
        found = life.get(f"/v1/incidents/{self._incident_id}/events?limit=500")["events"]
        return [event for event in found if event["order_id"] is None]

    def _check_callbacks(self, first: dict[str, Any], told: str) -> None:
        """Each was told at least once, and nothing was told that is not stored."""
        callback = first["callback"]
        assert callback["failed"] == 0, told
        assert callback["delivered"] == len(self._receiver.event_ids("/order")), (told, callback)


def _done(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in statuses, answer.text
    found: dict[str, Any] = answer.json()
    return found
