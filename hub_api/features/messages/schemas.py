"""Messages as the API shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hub_api.store.repositories.messages import MessageKind, MessageState


class MessageView(BaseModel):
    """A short message or a request for a video room, without the number, the text and the link."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "message_id": "msg_01KJM6JM000ZA52GRHJFKC7WSS",
                    "kind": "sms",
                    "purpose": "video_link",
                    "subject": "inc_01KJM6JM000ZA52GRHJFKC7WSS",
                    "role": "caller",
                    "drill": False,
                    "state": "sent",
                    "phone_ending": "0000",
                    "attempts": 1,
                    "replays": 0,
                    "last_error": None,
                    "created_at": "2026-03-01T08:00:00Z",
                    "expires_at": "2026-03-01T08:30:00Z",
                    "sent_at": "2026-03-01T08:00:01Z",
                    "failed_at": None,
                }
            ]
        }
    )

    message_id: str
    kind: MessageKind
    purpose: str
    subject: str = Field(description="The incident or order that it is about.")
    role: str | None = Field(description="caller | doctor; null for a room.")
    drill: bool = Field(description="Sent to the recorder; rang nobody.")
    state: MessageState = Field(description="«sent»: the service took it, which is not that anybody read it.")
    phone_ending: str | None = Field(
        description="The last four digits, for who may see the centre's callers; null otherwise and once erased."
    )
    attempts: int
    replays: int
    last_error: str | None
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None


class MessagePage(BaseModel):
    """Messages, newest first."""

    messages: list[MessageView]
    next_before: str | None = Field(description="Pass as `before` for the next page; null on the last one.")
