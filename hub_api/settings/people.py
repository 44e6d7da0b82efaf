"""Secrets, sessions, and data of people."""

from __future__ import annotations

from pydantic import Field, SecretStr

from hub_api.settings.group import SettingsGroup


class PeopleSettings(SettingsGroup):
    """Secrets, sessions and personal data."""

    personal_keys: SecretStr | None = Field(
        None,
        description="Keys that seal callers and patients' notes at rest, `name:base64`, the newest first. "
        "`drone-aed secrets` makes them. Required outside demo mode.",
    )
    personal_keep_s: float = Field(
        90 * 86400.0,
        ge=86400,
        description="How long after an order's end its caller and notes are kept, then erased. "
        "Chosen: 90 days; set what the authority prescribes.",
    )
    token_keys: SecretStr | None = Field(
        None,
        description="Keys that sign access tokens, written like `personal_keys`. Required outside demo mode.",
    )
    token_lifetime_s: float = Field(
        900.0, ge=60, le=3600, description="How long an access token works before it must be renewed."
    )
    session_s: float = Field(
        12 * 3600.0,
        ge=600,
        description="How long a person may renew tokens before logging in again: a shift.",
    )
