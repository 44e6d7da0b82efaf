"""Personal data of incidents at the end of its time, and after a rotation of keys."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from hub_api.store.database import Database
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.repositories import audit, incident_parts, incidents
from hub_api.vault import Vault

_BATCH = 100
"""Incidents changed in one transaction, so that nobody waits long for the writer."""


def erase_idle_incidents(session: Session, moment: datetime, *, now: datetime) -> int:
    """One batch: caller, address, responders and the patient of incidents closed or left alone before ``moment``."""
    found = incidents.list_sealed_idle_before(session, moment, _BATCH)
    for incident in found:
        incident_id = incident.incident_id
        before = audit.digest_of(incident.personal)
        # Not a move of the incident: only what its own time has ended is taken away.
        incidents.save(session, incident, personal=None, personal_erased_at=now)
        for party in incident_parts.parties_of(session, incident_id):
            incident_parts.set_party_personal(session, incident_id, party.party_id, None)
        for observation in incident_parts.observations_of(session, incident_id):
            incident_parts.set_observation_personal(session, observation.observation_id, None)
        audit.append(
            session, at=now, action="personal_data_erased", subject=incident_id, before=before, after=None
        )
    return len(found)


async def reseal_incidents(database: Database, vault: Vault) -> int:
    """Seal with the key in use what an older one sealed; how many texts that were."""
    position, count = "", 0
    while True:

        def work(session: Session, after: str = position) -> tuple[str, int]:
            found = incidents.list_sealed(session, after=after, limit=_BATCH)
            changed = sum(_reseal(session, vault, incident) for incident in found)
            return (found[-1].incident_id if found else ""), changed

        position, changed = await database.write(work)
        count += changed
        if not position:
            return count


def _reseal(session: Session, vault: Vault, incident: IncidentRecord) -> int:
    count = 0
    incident_id = incident.incident_id
    assert incident.personal is not None
    if not vault.uses_current_key(incident.personal):
        opened = vault.open(incident.personal, record=incident_id)
        incidents.save(session, incident, personal=vault.seal(opened, record=incident_id))
        count += 1
    for party in incident_parts.parties_of(session, incident_id):
        name = f"{incident_id}/{party.party_id}"
        if party.personal is not None and not vault.uses_current_key(party.personal):
            sealed = vault.seal(vault.open(party.personal, record=name), record=name)
            incident_parts.set_party_personal(session, incident_id, party.party_id, sealed)
            count += 1
    for observation in incident_parts.observations_of(session, incident_id):
        name = observation.observation_id
        if observation.personal is not None and not vault.uses_current_key(observation.personal):
            sealed = vault.seal(vault.open(observation.personal, record=name), record=name)
            incident_parts.set_observation_personal(session, name, sealed)
            count += 1
    return count
