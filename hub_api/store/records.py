"""What the store hands out and takes in: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub_api.dispatch.order_states import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecord:
    """A machine's credential, without its secret."""

    key_id: str
    client: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    previous_until: datetime | None = None
    """Until when the secret before the last rotation is still taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """A person who may log in, without the password's hash."""

    account_id: str
    name: str
    client: str
    role: str
    epoch: int
    created_at: datetime
    disabled_at: datetime | None = None
    failures: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginNetworkRecord:
    """A network that somebody tried to log in to an account from, and what came of it."""

    account_id: str
    network: str
    failures: int = 0
    failed_at: datetime | None = None
    locked_until: datetime | None = None
    succeeded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One entry of the audit log; ``at`` is the text that was hashed."""

    seq: int
    at: str
    actor_kind: str
    actor_id: str
    client: str | None
    action: str
    subject: str
    before_sha256: str | None
    after_sha256: str | None
    detail: str
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecretRecord:
    """A client's signing secret as stored: sealed. ``retired_until`` once a newer one took its place."""

    secret_id: str
    client: str
    sealed: str
    created_at: datetime
    retired_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """A request to deliver, and where it stands. Position in WGS-84.

    ``request`` is as it was sent, without personal data; that is sealed in ``personal`` until it is erased.
    """

    order_id: str
    client: str
    state: OrderState
    version: int
    received_at: datetime
    request: dict[str, Any]
    latitude_deg: float
    longitude_deg: float
    severity: str
    personal: str | None = None
    personal_erased_at: datetime | None = None
    mission_id: str | None = None
    decision: dict[str, Any] | None = None
    decided_at: datetime | None = None
    airborne_at: datetime | None = None
    aed_on_ground_at: datetime | None = None
    finished_at: datetime | None = None
    mode: str = "automatic"
    needs_approval: bool = False
    """Whether each of its flights waits for a person."""
    approved: dict[str, Any] | None = None
    """What the newest approval covers: a drone and a landing point, whoever gave it."""
    ambulance_eta_at: datetime | None = None
    station_id: str | None = None
    """Whose drone was chosen last; before that, the station next to the patient."""
    non_flight_reason: str | None = None
    """Why nothing ever took off for it, in one word; None while it is open, or when something did."""
    pre_empted: int = 0
    """How often its drone went to a more urgent order."""
    incident_id: str | None = None
    merged_into: str | None = None
    """The order whose mission serves this one."""
    merged_orders: int = 0
    """How many orders the mission of this one serves besides it."""
    split_at: datetime | None = None
    """When it was taken out of a merge, to be decided on its own."""
    withdrawn_at: datetime | None = None
    """When its centre cancelled it while other orders still needed its mission."""
    waiting_until: datetime | None = None
    """Until when it waits, or waited in vain, for another drone; None after a decision that found one."""

    @property
    def drill(self) -> bool:
        """Nobody is in need: everything is practised, and flagged as such everywhere."""
        return self.mode == "drill"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRecord:
    """One plan, one drone, one flight, in answer to an order. ``plan`` is a serialised FlightPlan.

    ``commanded_at`` None: proposed only, no command was ever owed. ``withdrawn``: why the hub itself took the
    flight back; its drone has not failed the order then.
    """

    mission_id: str
    order_id: str
    attempt: int
    flight_id: str
    drone_id: str
    station_id: str
    landing_point_id: str
    plan: dict[str, Any]
    command_id: str
    created_at: datetime
    phase: str | None = None
    accepted_at: datetime | None = None
    airborne_at: datetime | None = None
    aed_on_ground_at: datetime | None = None
    lost_at: datetime | None = None
    ended_at: datetime | None = None
    safe_state: str | None = None
    end_reason: str | None = None
    commanded_at: datetime | None = None
    withdrawn: str | None = None

    @property
    def open(self) -> bool:
        """Whether the flight has not yet told its final safe state."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecord:
    """One proposed flight put before people. ``level`` counts the alarms."""

    mission_id: str
    order_id: str
    asked_at: datetime
    next_alarm_at: datetime
    level: int = 0
    answered_at: datetime | None = None
    answer: str | None = None
    answered_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreEmptionRecord:
    """A drone that is called back on its pad for a more urgent order. ``outcome`` None: it has not answered yet."""

    pre_emption_id: str
    taker_order_id: str
    victim_order_id: str
    victim_mission_id: str
    drone_id: str
    abort_id: str
    at: datetime
    until: datetime
    settled_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRecord:
    """A patient who moved while a drone was under way. ``notice_id`` and ``reroute_id`` are commands of the outbox;
    ``plan_id`` is the way that was sent last."""

    move_id: str
    order_id: str
    mission_id: str
    flight_id: str
    at: datetime
    told_at: datetime
    notice_id: str
    reason: str
    reroute_id: str | None = None
    plan_id: str | None = None
    tries: int = 0
    settled_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event about to be stored. ``message_id`` is unique: storing it twice stores it once."""

    message_id: str
    at: datetime
    stored_at: datetime
    kind: str
    order_id: str | None = None
    mission_id: str | None = None
    flight_id: str | None = None
    drone_id: str | None = None
    state: OrderState | None = None
    detail: str = ""
    detail_zh: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    incident_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord(NewEvent):
    """A stored event; ``seq`` is its position in the stream."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRecord:
    """A bus command that is owed. ``settled_at`` is set once the drone's answer is stored."""

    seq: int
    message_id: str
    subject: str
    payload: bytes
    kind: str
    drone_id: str
    mission_id: str | None
    created_at: datetime
    published_at: datetime | None
    publications: int
    settled_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRecord:
    """An update owed to a callback URL: of an order, or of an incident (then ``order_id`` is None)."""

    seq: int
    order_id: str | None
    incident_id: str | None
    event_seq: int
    url: str
    body: str
    created_at: datetime
    next_attempt_at: datetime
    attempts: int
    replays: int
    last_error: str | None
    delivered_at: datetime | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRecord:
    """An uploaded zone file in force."""

    feed_id: str
    file_format: str
    content: bytes
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationRecord:
    """An approval given while the hub runs; ``document`` in the shape of an authorisation file."""

    authorisation_id: str
    document: dict[str, Any]
    given_at: datetime
    given_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRecord:
    """An approval that holds no more."""

    authorisation_id: str
    revoked_at: datetime
    revoked_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AirspaceChangeRecord:
    """One change of the airspace; zone ids that it added, removed and changed."""

    seq: int
    at: datetime
    by: str
    action: str
    subject: str
    reason: str
    version: str
    previous_version: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
