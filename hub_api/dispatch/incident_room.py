"""Who takes part in an incident and how the patient is: what comes in while it is open. Source: A2, A12."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.ids import IdSource
from hub_api.dispatch.incident_ledger import IncidentLedger, refuse_if_closed
from hub_api.dispatch.incident_states import SOURCE_ZH, PartyKind, PartyRole, PartyState, Stage
from hub_api.dispatch.incidents import IncidentService
from hub_api.personal_data import PersonalData
from hub_api.store.database import Database
from hub_api.store.incident_records import IncidentRecord, ObservationRecord, PartyRecord
from hub_api.store.repositories import incident_parts, incidents


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyReport:
    """What is reported of a party; ``personal`` are name and telephone."""

    kind: PartyKind
    role: PartyRole | None
    state: PartyState
    at: datetime
    eta_at: datetime | None
    callback_url: str | None
    personal: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """How the patient is at a moment; ``values`` is sealed as a whole."""

    key: str
    body_sha256: str
    at: datetime
    source: str
    values: dict[str, Any]


_WORKED_ON: dict[str, Any] = {"managed": True, "personal_erased_at": None}
"""What comes in is about people again, also where an incident was left alone so long that all else is erased."""


class IncidentRoom:
    """Takes what parties report. Each method is one transaction."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: IncidentLedger,
        service: IncidentService,
        personal: PersonalData,
        ids: IdSource,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._service = service
        self._personal = personal
        self._ids = ids

    async def report_party(
        self, incident_id: str, party_id: str, report: PartyReport, *, client: str | None
    ) -> PartyRecord:
        """A party joined, or got further. The same report again changes nothing.

        Who treats has hands on the patient: the rescue began. Source: A10. Raises 4001 for a callback address
        that is not allowed.
        """
        self._ledger.check_callback(report.callback_url)

        def work(session: Session) -> PartyRecord:
            incident = self._service.of(session, incident_id, client)
            refuse_if_closed(incident)
            known = incident_parts.find_party(session, incident_id, party_id)
            times = {} if known is None else dict(known.times)
            times.setdefault(str(report.state), report.at.isoformat())
            party = PartyRecord(
                incident_id=incident_id,
                party_id=party_id,
                kind=report.kind,
                role=report.role,
                state=report.state,
                times=times,
                eta_at=report.eta_at,
                callback_url=report.callback_url,
                personal=self._sealed(known, incident_id, party_id, report.personal),
                changed_at=self._ledger.now(),
            )
            if known is not None and _same(known, party):
                return known
            incident_parts.put_party(session, party)
            incident = self._ledger.change(
                session,
                incident,
                "party_reported",
                f"{report.kind} {party_id}: {report.state}",
                f"{report.kind} {party_id}：{report.state}",
                _WORKED_ON,
                data={
                    "party_id": party_id,
                    "kind": report.kind,
                    "role": report.role,
                    "state": report.state,
                    "at": report.at.isoformat(),
                },
            )
            if report.state is PartyState.TREATING:
                self._ledger.stamp(session, incident, Stage.RESCUED, report.at, source="party_treating")
            return party

        return await self._database.write(work)

    def _sealed(
        self, known: PartyRecord | None, incident_id: str, party_id: str, personal: dict[str, Any]
    ) -> str | None:
        """Sealed anew only where it changed, so that the same report again is the same record."""
        name = party_record_name(incident_id, party_id)
        if known is not None and self._personal.reveal(name, known.personal, allowed=True).values == personal:
            return known.personal
        return self._personal.seal(name, personal)

    async def observe(
        self, incident_id: str, observation: Observation, *, client: str | None
    ) -> tuple[IncidentRecord, bool]:
        """How the patient is now; whether the same observation came before. CPR counts as first hands."""
        try:
            return await self._database.write(lambda s: self._observe(s, incident_id, observation, client))
        except IntegrityError:
            # Another hub on the same database stored this key a moment ago.
            return await self._database.write(lambda s: self._observe(s, incident_id, observation, client))

    def _observe(
        self, session: Session, incident_id: str, observation: Observation, client: str | None
    ) -> tuple[IncidentRecord, bool]:
        incident = self._service.of(session, incident_id, client)
        key = f"{incident_id}:{observation.key}"
        if (known := self._service.known(session, incident.client, key, observation.body_sha256)) is not None:
            return known, True
        refuse_if_closed(incident)
        now = self._ledger.now()
        observation_id = self._ids.new("obs")
        incident_parts.add_observation(
            session,
            ObservationRecord(
                observation_id=observation_id,
                incident_id=incident_id,
                at=observation.at,
                stored_at=now,
                source=observation.source,
                personal=self._personal.seal(observation_id, observation.values),
            ),
        )
        incidents.remember_key(
            session,
            client=incident.client,
            key=key,
            body_sha256=observation.body_sha256,
            incident_id=incident_id,
            at=now,
        )
        incident = self._ledger.change(
            session,
            incident,
            "patient_observed",
            f"The patient's state was reported by {observation.source}",
            f"患者状态已更新（{SOURCE_ZH.get(observation.source, observation.source)}）",
            _WORKED_ON,
            data={"observation_id": observation_id, "source": observation.source},
        )
        if observation.values.get("cpr_in_progress"):
            incident = self._ledger.stamp(
                session, incident, Stage.RESCUED, observation.at, source="cpr_reported"
            )
        return incident, False


def party_record_name(incident_id: str, party_id: str) -> str:
    """What a party's personal data is sealed for."""
    return f"{incident_id}/{party_id}"


def _same(known: PartyRecord, party: PartyRecord) -> bool:
    names = ("kind", "role", "state", "times", "eta_at", "callback_url", "personal")
    return all(getattr(known, name) == getattr(party, name) for name in names)
