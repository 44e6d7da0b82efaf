"""The audit log as the API shows it."""

from __future__ import annotations

from pydantic import BaseModel, Field


class AuditEntryView(BaseModel):
    """One change."""

    seq: int
    at: str = Field(description="RFC 3339, as it was hashed.")
    actor_kind: str = Field(description="person | machine | hub | command_line")
    actor_id: str
    client: str | None
    action: str
    subject: str
    before_sha256: str | None
    after_sha256: str | None
    detail: str = Field(description="JSON, as it was hashed.")
    previous_hash: str
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first."""

    entries: list[AuditEntryView]
    next_before: int | None = Field(description="Pass as `before` for the next page; null on the last one.")


class AuditVerdictView(BaseModel):
    """Whether the chain of hashes is whole."""

    whole: bool
    entries: int
    head: str = Field(description="Hash of the newest entry: note it elsewhere to notice a cut end.")
    faults: list[str]
