"""``/v1/audit``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Security

from hub_api.dependencies import HubDep
from hub_api.features.audit.schemas import AuditEntryView, AuditPage, AuditVerdictView
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import audit

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Auditor = Annotated[Principal, Security(authenticate, scopes=[Scope.AUDIT_READ])]


@router.get("", response_model=AuditPage, summary="Read the audit log", responses=declared(401, 403, 422))
async def read_audit_log(
    hub: HubDep,
    who: Auditor,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Entries older than this.")] = None,
    subject: Annotated[
        str | None,
        Query(max_length=200, pattern=r"^[\x21-\x7e]+$", description="Only of this order, key, account…"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Every change with who made it and digests of what was before and after. No personal data."""
    found = await hub.database.read(
        lambda session: audit.page(session, before=before, subject=subject, limit=limit + 1)
    )
    page = found[:limit]
    return AuditPage(
        entries=[
            AuditEntryView(**{name: getattr(entry, name) for name in AuditEntryView.model_fields})
            for entry in page
        ],
        next_before=page[-1].seq if len(found) > limit else None,
    )


@router.get(
    "/verification",
    response_model=AuditVerdictView,
    summary="Verify the audit log",
    responses=declared(401, 403, 422),
)
async def verify_audit_log(
    hub: HubDep,
    who: Auditor,
    known_seq: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Of a head noted earlier.")
    ] = None,
    known_hash: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$", description="Of the same.")] = None,
) -> AuditVerdictView:
    """Walks the whole chain. With a head that was noted earlier it also shows that nothing was cut off."""
    known = (known_seq, known_hash) if known_seq is not None and known_hash is not None else None
    found = await hub.database.read(lambda session: audit.verify(session, known_head=known))
    return AuditVerdictView(
        whole=not found.faults, entries=found.entries, head=found.head, faults=list(found.faults[:100])
    )
