"""What Prometheus reads: counted while the hub works, looked up when it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hub_api.store.records import EventRecord

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FIRST_HANDS_BUCKETS_S = (60.0, 120.0, 180.0, 240.0, 300.0, 420.0, 600.0, 900.0, 1800.0)
"""Minutes: every one of them costs survival."""
_DECISION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 15.0)
"""Around the promise of one second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is looked up at each scrape."""

    drones: int
    drones_ready: int
    open_orders: int
    open_incidents: int
    commands_owed: int
    callbacks_dead: int
    messages_owed: int
    messages_dead: int
    identification_owed: int
    audit_entries: int
    stream_listeners: int
    last_event: int
    planner_away: int
    planner_rehearsing: int
    planner_starts: int


class Metrics:
    """One hub's metrics, in a registry of their own: two hubs in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        registry = self._registry
        self.requests = Histogram(
            "drone_aed_http_request_seconds",
            "Time until the answer began, by operation and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.decisions = Histogram(
            "drone_aed_decision_seconds",
            "From «decide» to the stored decision, by the order's state after it.",
            ("state",),
            buckets=_DECISION_BUCKETS_S,
            registry=registry,
        )
        self._first_hands = Histogram(
            "drone_aed_call_to_first_hands_seconds",
            "From the call to the first hands on the patient, of incidents whose centre told both.",
            buckets=_FIRST_HANDS_BUCKETS_S,
            registry=registry,
        )
        self._events = Counter("drone_aed_events", "Stored events, by kind.", ("kind",), registry=registry)
        self._messages = Counter(
            "drone_aed_messages",
            "Tries to hand short messages and video requests over, by kind and outcome.",
            ("kind", "outcome"),
            registry=registry,
        )
        self.identified = Counter(
            "drone_aed_identification_reports",
            "Reports of flying drones that the authority took.",
            registry=registry,
        )
        self.identification_refused = Counter(
            "drone_aed_identification_refused",
            "Requests with reports that it did not take.",
            registry=registry,
        )
        self.identification_delay = Histogram(
            "drone_aed_identification_delay_seconds",
            "From the making of a batch until it was taken.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 10.0, 60.0, 600.0, 3600.0),
            registry=registry,
        )
        self.planned_here = Counter(
            "drone_aed_planned_here",
            "Questions answered in the hub's own process because the planner's was away.",
            registry=registry,
        )
        self._gauges = {
            name: Gauge(f"drone_aed_{name}", text, registry=registry)
            for name, text in {
                "drones": "Drones of the site.",
                "drones_ready": "Drones that could take the next order.",
                "open_orders": "Orders that are not final.",
                "open_incidents": "Incidents without an outcome.",
                "commands_owed": "Commands that no drone has answered yet.",
                "callbacks_dead": "Callbacks that were given up and not sent again.",
                "messages_owed": "Short messages and video requests that no service has taken yet.",
                "identification_owed": "Batches of network identification that the authority has not taken yet.",
                "messages_dead": "Short messages and video requests that were given up and not sent again.",
                "audit_entries": "Entries of the audit log; it never gets smaller.",
                "stream_listeners": "Open streams.",
                "last_event": "Position of the newest event.",
                "planner_away": "1 while the planner's process does not answer and decisions are made in the hub's own.",
                "planner_rehearsing": "1 while the planner's process plans for the next orders in the winds of now.",
                "planner_starts": "How often the planner's process was started since the hub was; 0 where there is none.",
            }.items()
        }

    def count_events(self, events: list[EventRecord]) -> None:
        """Called with every committed batch."""
        for event in events:
            self._events.labels(event.kind).inc()
            if event.kind == "stage_reached" and "call_to_first_hands_s" in event.data:
                self._first_hands.observe(event.data["call_to_first_hands_s"])

    def count_message(self, kind: str, outcome: str) -> None:
        """Called with every try."""
        self._messages.labels(kind, outcome).inc()

    def count_identified(self, reports: int, delay_s: float) -> None:
        """Called with every batch that was taken."""
        self.identified.inc(reports)
        self.identification_delay.observe(delay_s)

    def render(self, snapshot: Snapshot) -> bytes:
        """The text exposition format."""
        for name, gauge in self._gauges.items():
            gauge.set(getattr(snapshot, name))
        return generate_latest(self._registry)
