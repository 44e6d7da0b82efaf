"""Webhook secrets and dead letters as the API shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class WebhookSecretView(BaseModel):
    """A signing secret, without the secret itself."""

    secret_id: str
    client: str
    created_at: datetime
    retired_until: datetime | None = Field(
        description="Until when it still signs beside its successor; null for the one in use."
    )


class WebhookSecretList(BaseModel):
    """What signs the client's callbacks now, newest first."""

    secrets: list[WebhookSecretView]


class SecretRotationRequest(BaseModel):
    """How long the old secret signs beside the new one."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"grace_s": 86400.0}]}
    )

    grace_s: float = Field(ge=0, le=30 * 86400.0, allow_inf_nan=False)


class NewWebhookSecretView(WebhookSecretView):
    """A new secret, shown this once."""

    secret: str = Field(description="`whsec_` and base64, as Standard Webhooks libraries take it.")


class DeadLetterView(BaseModel):
    """An update that its URL did not take in all its tries."""

    callback_id: int
    order_id: str | None = Field(description="null for an update of an incident itself.")
    incident_id: str | None = Field(description="null for an update of an order.")
    url: str
    attempts: int
    replays: int
    last_error: str | None
    created_at: datetime
    failed_at: datetime | None = Field(description="null once it is owed again.")


class DeadLetterPage(BaseModel):
    """Given-up updates, newest first."""

    dead_letters: list[DeadLetterView]
    next_before: int | None = Field(description="Pass as `before` for the next page; null on the last one.")
