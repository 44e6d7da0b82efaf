"""How an incident is told: to callback addresses, and to the audit log as a digest."""

from __future__ import annotations

import json

from hub_api.store.incident_records import IncidentRecord
from hub_api.store.records import EventRecord
from hub_api.store.repositories import audit
from hub_api.store.rows import FieldsOf

_TOUCHED = frozenset({"version", "updated_at", "warned_at"})
_digested_of = FieldsOf([name for name in IncidentRecord.__dataclass_fields__ if name not in _TOUCHED])


def digest_of_incident(incident: IncidentRecord | None) -> str | None:
    """The incident without what its orders' moves touch (they are written down themselves)."""
    if incident is None:
        return None
    return audit.digest_of_fields(_digested_of(incident))


def callback_body(incident: IncidentRecord, record: EventRecord) -> str:
    """What a callback URL is told: what happened, and where to read the rest. No personal data."""
    return json.dumps(
        {
            "event_id": str(record.seq),
            "incident_id": incident.incident_id,
            "incident_reference": incident.reference,
            "incident_state": incident.state,
            "order_id": record.order_id,
            "order_state": record.state,
            "kind": record.kind,
            "at": record.at.isoformat(),
            "detail": record.detail,
            "detail_zh": record.detail_zh,
            "incident_url": f"/v1/incidents/{incident.incident_id}",
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
