"""Whom the hub tells by itself: callbacks, messages, the authority."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from hub_api.settings.group import SettingsGroup


class OutsideSettings(SettingsGroup):
    """Callbacks, messages and the authority."""

    callback_timeout_s: float = Field(5.0, gt=0, description="Deadline of one callback request.")
    callback_attempts: int = Field(
        8, ge=1, le=50, description="Tries per callback; the pause doubles from 1 s, at most 300 s."
    )
    callback_hosts: str | None = Field(
        None,
        description="Where orders' callbacks may go: hosts (`dispatch.example`, `*.example.cn`) and networks "
        "(`10.20.0.0/16`), separated by commas; nothing else then. None: every public address, and in demo mode anywhere.",
    )
    gateway_hosts: str | None = Field(
        None,
        description="Hosts that the gateway files below may name, written like `callback_hosts`. Required with them "
        "outside demo mode.",
    )
    sms_gateway_file: Path | None = Field(
        None,
        description="How the carrier of short messages is asked, as examples/gateways/sms.json. None: messages are given up "
        "with that reason; in demo mode they are recorded.",
    )
    sms_gateway_secret: SecretStr | None = Field(
        None, description="What `${secret}` and the signature in `sms_gateway_file` stand for."
    )
    video_gateway_file: Path | None = Field(
        None, description="How the video service is asked, as examples/gateways/video.json."
    )
    video_close_gateway_file: Path | None = Field(
        None,
        description="How the video service is told to close a room, as examples/gateways/video-close.json; its secret is "
        "the same. None: rooms stay open for as long as the service keeps them, and each is listed as given up.",
    )
    video_gateway_secret: SecretStr | None = Field(
        None, description="What `${secret}` and the signature in `video_gateway_file` stand for."
    )
    message_usable_s: float = Field(
        1800.0,
        ge=60,
        description="How long after it was owed a short message or video link is still worth sending; then it is given up.",
    )
    message_attempts: int = Field(
        8, ge=1, le=50, description="Tries per message; the pause doubles from 1 s, at most 60 s."
    )
    identification: bool | None = Field(
        None,
        description="Whether the authority is told where drones fly (network identification). None: yes; in demo mode no.",
    )
    identification_gateway_file: Path | None = Field(
        None,
        description="How the authority is told, as examples/gateways/identification.json. None: recorded in "
        "`data_dir`/identification only.",
    )
    identification_gateway_secret: SecretStr | None = Field(
        None, description="What `${secret}` and the signature in `identification_gateway_file` stand for."
    )
    identification_keys: SecretStr | None = Field(
        None,
        description="Keys that sign network identification (seeds of Ed25519), written like `personal_keys`. Required "
        "with it outside demo mode.",
    )
    identification_period_s: float = Field(
        1.0, ge=0.5, le=2.0, description="Between two reports of a drone; the authority wants 2 s at most."
    )
    identification_keep_s: float = Field(
        30 * 86400.0,
        ge=86400,
        description="How long reports that the authority does not take are kept, and recorded ones.",
    )
    operator_id: str = Field(
        "drone-aed", max_length=80, description="Who flies, as the authority registered it."
    )
