"""Accounts, audit log, webhook secrets; personal data in a column of its own.

Keys of the first release saw callers with ``orders:read``; they keep that right under its new name.
Personal data of earlier orders is sealed by the hub at its next start, since only it has the key.

Revision: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_argon2", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("disabled_at", _MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
    )
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.String(length=120), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("before_sha256", sa.String(length=64), nullable=True),
        sa.Column("after_sha256", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_subject", "audit_log", ["subject"], unique=False)
    op.create_table(
        "webhook_secrets",
        sa.Column("secret_id", sa.String(length=40), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("retired_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("secret_id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index("ix_webhook_secrets_client", "webhook_secrets", ["client"], unique=False)
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("expires_at", _MOMENT, nullable=True))
        keys.add_column(sa.Column("previous_sha256", sa.String(length=64), nullable=True))
        keys.add_column(sa.Column("previous_until", _MOMENT, nullable=True))
        keys.create_unique_constraint(op.f("uq_api_keys_previous_sha256"), ["previous_sha256"])
    op.add_column("orders", sa.Column("personal", sa.Text(), nullable=True))
    op.add_column("orders", sa.Column("personal_erased_at", _MOMENT, nullable=True))
    with op.batch_alter_table("callbacks") as callbacks:
        callbacks.add_column(sa.Column("replays", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("callbacks") as callbacks:
        callbacks.alter_column("replays", existing_type=sa.Integer(), server_default=None)
    _keep_rights_of_keys()
    _make_audit_log_append_only()


def _keep_rights_of_keys() -> None:
    keys = sa.table("api_keys", sa.column("key_id", sa.String), sa.column("scopes", sa.JSON))
    connection = op.get_bind()
    for key_id, scopes in connection.execute(sa.select(keys.c.key_id, keys.c.scopes)).all():
        if "orders:read" in scopes and "personal:read" not in scopes:
            wider = sorted([*scopes, "personal:read"])
            connection.execute(keys.update().where(keys.c.key_id == key_id).values(scopes=wider))


def _make_audit_log_append_only() -> None:
    """A mistake in our own code cannot rewrite history; whoever owns the database is caught by the hash chain."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_log_no_{action.lower()} BEFORE {action} ON audit_log "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def downgrade() -> None:
    # In place, without a copy of the table: other tables refer to orders.
    op.drop_column("callbacks", "replays")
    op.drop_column("orders", "personal_erased_at")
    op.drop_column("orders", "personal")
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_constraint(op.f("uq_api_keys_previous_sha256"), type_="unique")
        keys.drop_column("previous_until")
        keys.drop_column("previous_sha256")
        keys.drop_column("expires_at")
    op.drop_table("webhook_secrets")
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_is_append_only()")
    op.drop_table("accounts")
