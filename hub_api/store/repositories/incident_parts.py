"""What belongs to an incident: its parties, how the patient was, and the centre's own codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, update
from sqlmodel import Session, col, select

from hub_api.store.incident_records import ObservationRecord, PartyRecord
from hub_api.store.incident_tables import IncidentObservationRow, IncidentPartyRow, SeverityCodeRow
from hub_api.store.prepared import Prepared
from hub_api.store.rows import Rows

_PARTY = tuple(PartyRecord.__dataclass_fields__)
_OBSERVATION = tuple(ObservationRecord.__dataclass_fields__)
_PARTIES = Rows(IncidentPartyRow, PartyRecord, _PARTY)
_PARTIES_OF = Prepared(
    _PARTIES.select.where(_PARTIES.columns.incident_id == bindparam("incident_id")).order_by(
        _PARTIES.columns.party_id
    )
)


def find_party(session: Session, incident_id: str, party_id: str) -> PartyRecord | None:
    row = session.get(IncidentPartyRow, (incident_id, party_id))
    return None if row is None else PartyRecord(**{name: getattr(row, name) for name in _PARTY})


def put_party(session: Session, party: PartyRecord) -> None:
    """Store a party, or what is newly known of it."""
    session.merge(IncidentPartyRow(**{name: getattr(party, name) for name in _PARTY}))
    session.flush()


def parties_of(session: Session, incident_id: str) -> list[PartyRecord]:
    """Everybody who takes part, by id."""
    return _PARTIES.all(session, _PARTIES_OF, incident_id=incident_id)


def add_observation(session: Session, observation: ObservationRecord) -> None:
    session.add(IncidentObservationRow(**{name: getattr(observation, name) for name in _OBSERVATION}))
    session.flush()


def observations_of(session: Session, incident_id: str) -> list[ObservationRecord]:
    """How the patient was, in the order of the moments."""
    query = (
        select(IncidentObservationRow)
        .where(col(IncidentObservationRow.incident_id) == incident_id)
        .order_by(col(IncidentObservationRow.at), col(IncidentObservationRow.observation_id))
    )
    return [
        ObservationRecord(**{name: getattr(row, name) for name in _OBSERVATION})
        for row in session.exec(query)
    ]


def set_party_personal(session: Session, incident_id: str, party_id: str, sealed: str | None) -> None:
    """Seal anew, or erase with None."""
    session.execute(
        update(IncidentPartyRow)
        .where(col(IncidentPartyRow.incident_id) == incident_id, col(IncidentPartyRow.party_id) == party_id)
        .values(personal=sealed)
    )


def set_observation_personal(session: Session, observation_id: str, sealed: str | None) -> None:
    """Seal anew, or erase with None."""
    session.execute(
        update(IncidentObservationRow)
        .where(col(IncidentObservationRow.observation_id) == observation_id)
        .values(personal=sealed)
    )


def severity_of(session: Session, client: str, code: str) -> str | None:
    """The grade that the client has given for its own code; None if it has not."""
    row = session.get(SeverityCodeRow, (client, code))
    return None if row is None else row.severity


def severity_codes(session: Session, client: str) -> dict[str, str]:
    """Every code of a client with its grade."""
    query = (
        select(SeverityCodeRow)
        .where(col(SeverityCodeRow.client) == client)
        .order_by(col(SeverityCodeRow.code))
    )
    return {row.code: row.severity for row in session.exec(query)}


def replace_severity_codes(session: Session, client: str, codes: Mapping[str, str], at: datetime) -> None:
    """The client's whole table, in the place of the one before."""
    session.execute(delete(SeverityCodeRow).where(col(SeverityCodeRow.client) == client))
    session.add_all(
        SeverityCodeRow(client=client, code=code, severity=severity, changed_at=at)
        for code, severity in codes.items()
    )
    session.flush()
