"""The tables. SQLModel rows don't validate on construction, so they never leave ``hub_api.store``.

Times are stored as UTC; SQLite keeps no time zone, so :class:`UtcDateTime` re-attaches it and
refuses naive values on the way in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, LargeBinary, MetaData, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Named constraints, so that migrations can change them on both databases."""


_NAIVE = "a naive time cannot be stored: it names no zone"


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(_NAIVE)
        return value.astimezone(UTC)

    def bind_processor(self, dialect: Any) -> Any:
        """SQLite keeps the text that SQLAlchemy would make of it, which takes that several times as long."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        """The same of what comes back; SQLite's texts are in UTC."""
        return _of_text if dialect.name == "sqlite" else _in_utc

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return _in_utc(value)


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _as_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(_NAIVE)
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class Row(SQLModel):
    """Base of every table; owns the metadata that Alembic compares."""

    metadata = MetaData(naming_convention=NAMING)


class AuditRow(Row, table=True):
    """One change: append-only (triggers refuse anything else), each row bound to the one before by its hash."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_subject", "subject"),)

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: str = Field(max_length=40)
    actor_kind: str = Field(max_length=20)
    actor_id: str = Field(max_length=120)
    client: str | None = Field(default=None, max_length=80)
    action: str = Field(max_length=60)
    subject: str = Field(max_length=200)
    before_sha256: str | None = Field(default=None, max_length=64)
    after_sha256: str | None = Field(default=None, max_length=64)
    detail: str = Field(sa_type=Text)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class WebhookSecretRow(Row, table=True):
    """What callbacks of one client are signed with, sealed by the vault. A retired one signs on until its end."""

    __tablename__ = "webhook_secrets"
    __table_args__ = (Index("ix_webhook_secrets_client", "client"),)

    secret_id: str = Field(primary_key=True, max_length=40)
    client: str = Field(max_length=80)
    sealed: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    retired_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OrderRow(Row, table=True):
    """A request to deliver. ``version`` grows with every change (optimistic check)."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("ix_orders_state", "state"),
        Index("ix_orders_received_at", "received_at"),
        Index("ix_orders_incident_id", "incident_id"),
        Index("ix_orders_merged_into", "merged_into"),
    )

    order_id: str = Field(primary_key=True, max_length=40)
    client: str = Field(max_length=80)
    state: str = Field(max_length=20)
    version: int = Field(default=1)
    received_at: datetime = Field(sa_type=UtcDateTime)
    request: dict[str, Any] = Field(sa_type=JSON)
    latitude_deg: float
    longitude_deg: float
    severity: str = Field(max_length=8)
    personal: str | None = Field(default=None, sa_type=Text)
    personal_erased_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mission_id: str | None = Field(default=None, max_length=40)
    decision: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    airborne_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    aed_on_ground_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mode: str = Field(default="automatic", max_length=20)
    needs_approval: bool = Field(default=False)
    approved: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    ambulance_eta_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    station_id: str | None = Field(default=None, max_length=80)
    non_flight_reason: str | None = Field(default=None, max_length=60)
    pre_empted: int = Field(default=0)
    # Without constraints: SQLite would have to copy every order and event at the migration.
    incident_id: str | None = Field(default=None, max_length=40)
    merged_into: str | None = Field(default=None, max_length=40)
    merged_orders: int = Field(default=0)
    split_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waiting_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DecisionCandidatesRow(Row, table=True):
    """The candidates of an order's last decision, see :mod:`hub_api.dispatch.verdicts`."""

    __tablename__ = "decision_candidates"

    order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), primary_key=True, max_length=40)
    document: str = Field(sa_type=Text)


class IdempotencyRow(Row, table=True):
    """One client's key, bound to the body it came with. Its primary key is what makes doubles impossible."""

    __tablename__ = "idempotency_keys"

    client: str = Field(primary_key=True, max_length=80)
    key: str = Field(primary_key=True, max_length=200)
    body_sha256: str = Field(max_length=64)
    order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    created_at: datetime = Field(sa_type=UtcDateTime)


class MissionRow(Row, table=True):
    """Our answer to an order: one plan, one drone, one flight. An order may need several in turn."""

    __tablename__ = "missions"
    __table_args__ = (Index("ix_missions_order_id", "order_id"),)

    mission_id: str = Field(primary_key=True, max_length=40)
    order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    attempt: int
    flight_id: str = Field(unique=True, max_length=40)
    drone_id: str = Field(max_length=80)
    station_id: str = Field(max_length=80)
    landing_point_id: str = Field(max_length=80)
    plan: dict[str, Any] = Field(sa_type=JSON)
    command_id: str = Field(max_length=40)
    created_at: datetime = Field(sa_type=UtcDateTime)
    phase: str | None = Field(default=None, max_length=40)
    accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    airborne_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    aed_on_ground_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lost_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    safe_state: str | None = Field(default=None, max_length=40)
    end_reason: str | None = Field(default=None, sa_type=Text)
    commanded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn: str | None = Field(default=None, max_length=40)


class ApprovalRow(Row, table=True):
    """One proposed flight put before people: whom it was shown to last, and what they answered."""

    __tablename__ = "approvals"
    __table_args__ = (
        Index("ix_approvals_order_id", "order_id"),
        Index("ix_approvals_next_alarm_at", "next_alarm_at"),
    )

    mission_id: str = Field(
        sa_column_args=(ForeignKey("missions.mission_id"),), primary_key=True, max_length=40
    )
    order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    next_alarm_at: datetime = Field(sa_type=UtcDateTime)
    level: int = Field(default=0)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answer: str | None = Field(default=None, max_length=20)
    answered_by: str | None = Field(default=None, max_length=120)
    reason: str | None = Field(default=None, sa_type=Text)


class PreEmptionRow(Row, table=True):
    """A drone that is called back on its pad for a more urgent order, and what became of it."""

    __tablename__ = "pre_emptions"
    __table_args__ = (
        Index("ix_pre_emptions_outcome", "outcome"),
        Index("ix_pre_emptions_taker_order_id", "taker_order_id"),
    )

    pre_emption_id: str = Field(primary_key=True, max_length=40)
    taker_order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    victim_order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    victim_mission_id: str = Field(sa_column_args=(ForeignKey("missions.mission_id"),), max_length=40)
    drone_id: str = Field(max_length=80)
    abort_id: str = Field(max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=20)


class MoveRow(Row, table=True):
    """A patient who moved while a drone was under way: what it was told, and what became of it."""

    __tablename__ = "moves"
    __table_args__ = (Index("ix_moves_settled_at", "settled_at"), Index("ix_moves_flight_id", "flight_id"))

    move_id: str = Field(primary_key=True, max_length=40)
    order_id: str = Field(sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    mission_id: str = Field(sa_column_args=(ForeignKey("missions.mission_id"),), max_length=40)
    flight_id: str = Field(max_length=40)
    at: datetime = Field(sa_type=UtcDateTime)
    told_at: datetime = Field(sa_type=UtcDateTime)
    notice_id: str = Field(max_length=40)
    reason: str = Field(sa_type=Text)
    reroute_id: str | None = Field(default=None, max_length=40)
    plan_id: str | None = Field(default=None, max_length=40)
    tries: int = Field(default=0)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=20)


class ReservationRow(Row, table=True):
    """A drone taken by a mission. The primary key makes a second mission for one drone impossible."""

    __tablename__ = "reservations"

    drone_id: str = Field(primary_key=True, max_length=80)
    mission_id: str = Field(sa_column_args=(ForeignKey("missions.mission_id"),), unique=True, max_length=40)
    since: datetime = Field(sa_type=UtcDateTime)


class EventRow(Row, table=True):
    """What happened, append-only. ``seq`` is the stream position; ``message_id`` makes a repeat harmless."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_order_id_seq", "order_id", "seq"),
        Index("ix_events_flight_id_seq", "flight_id", "seq"),
        Index("ix_events_incident_id_seq", "incident_id", "seq"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(unique=True, max_length=80)
    at: datetime = Field(sa_type=UtcDateTime)
    stored_at: datetime = Field(sa_type=UtcDateTime)
    kind: str = Field(max_length=60)
    order_id: str | None = Field(default=None, sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    mission_id: str | None = Field(default=None, max_length=40)
    flight_id: str | None = Field(default=None, max_length=40)
    drone_id: str | None = Field(default=None, max_length=80)
    state: str | None = Field(default=None, max_length=20)
    detail: str = Field(default="", sa_type=Text)
    detail_zh: str = Field(default="", sa_type=Text)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    incident_id: str | None = Field(default=None, max_length=40)


class OutboxRow(Row, table=True):
    """A bus command stored with the decision that caused it; the relay sends it until it is settled."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_settled_at", "settled_at"),)

    seq: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(unique=True, max_length=40)
    subject: str = Field(max_length=200)
    payload: str = Field(sa_type=Text)
    kind: str = Field(max_length=60)
    drone_id: str = Field(max_length=80)
    mission_id: str | None = Field(default=None, max_length=40)
    created_at: datetime = Field(sa_type=UtcDateTime)
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    publications: int = Field(default=0)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=40)


class CallbackRow(Row, table=True):
    """An update owed to a callback URL: of an order, or of an incident."""

    __tablename__ = "callbacks"
    __table_args__ = (
        Index("ix_callbacks_open", "delivered_at", "failed_at", "next_attempt_at"),
        Index("ix_callbacks_order_id", "order_id"),
        Index("ix_callbacks_incident_id", "incident_id"),
    )

    seq: int | None = Field(default=None, primary_key=True)
    order_id: str | None = Field(default=None, sa_column_args=(ForeignKey("orders.order_id"),), max_length=40)
    incident_id: str | None = Field(default=None, max_length=40)
    event_seq: int
    url: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = Field(default=0)
    replays: int = Field(default=0)
    last_error: str | None = Field(default=None, max_length=300)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AirspaceFeedRow(Row, table=True):
    """An uploaded zone file in force, as it came. A feed's next version takes its place."""

    __tablename__ = "airspace_feeds"

    feed_id: str = Field(primary_key=True, max_length=40)
    file_format: str = Field(max_length=20)
    content: bytes = Field(sa_type=LargeBinary)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(max_length=120)


class AuthorisationRow(Row, table=True):
    """A standing approval given while the hub runs, in the shape of an authorisation file."""

    __tablename__ = "authorisations"

    authorisation_id: str = Field(primary_key=True, max_length=80)
    document: dict[str, Any] = Field(sa_type=JSON)
    given_at: datetime = Field(sa_type=UtcDateTime)
    given_by: str = Field(max_length=120)


class RevocationRow(Row, table=True):
    """An approval that holds no more, wherever it came from. Kept for good: it can't be given again."""

    __tablename__ = "revocations"

    authorisation_id: str = Field(primary_key=True, max_length=80)
    revoked_at: datetime = Field(sa_type=UtcDateTime)
    revoked_by: str = Field(max_length=120)
    reason: str = Field(sa_type=Text)


class AirspaceChangeRow(Row, table=True):
    """What changed in the airspace, append-only. ``seq`` is part of the version that came of it."""

    __tablename__ = "airspace_changes"

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(max_length=120)
    action: str = Field(max_length=40)
    subject: str = Field(max_length=80)
    reason: str = Field(sa_type=Text)
    version: str = Field(max_length=120)
    previous_version: str = Field(max_length=120)
    added: list[str] = Field(sa_type=JSON)
    removed: list[str] = Field(sa_type=JSON)
    changed: list[str] = Field(sa_type=JSON)
