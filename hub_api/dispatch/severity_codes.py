"""What the centres' own severity codes mean: a table for each client, never guessed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from hub_api.store.database import Database
from hub_api.store.repositories import audit, incident_parts
from hub_api.store.units import actor_of


class SeverityCodes:
    """Reads and replaces the tables."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def grade_of(self, client: str, severity: str | None, code: str | None) -> str:
        """The grade of a request: its own, or what its centre's code means. Raises 4008, never guesses."""
        if code is None:
            if severity is None:
                raise DispatchError(
                    ErrorCode.ORDER_INVALID, "give severity or severity_code · 缺少病情分级", field="severity"
                )
            return severity
        meant = await self._database.read(lambda s: incident_parts.severity_of(s, client, code))
        if meant is None:
            raise DispatchError(
                ErrorCode.SEVERITY_CODE_UNKNOWN,
                f"code {code!r} has no grade; set it with PUT /v1/severity-codes · 代码 {code!r} 未设置对应分级",
                field="severity_code",
            )
        if severity is not None and severity != meant:
            raise DispatchError(
                ErrorCode.SEVERITY_CODE_UNKNOWN,
                f"code {code!r} means {meant}, the request says {severity} · 代码与分级不一致",
                field="severity_code",
            )
        return meant

    async def replace(self, client: str, codes: Mapping[str, str]) -> dict[str, str]:
        """The client's whole table of codes, in the place of the one before; written down."""

        def work(session: Session) -> dict[str, str]:
            before = incident_parts.severity_codes(session, client)
            now = self._clock.now()
            incident_parts.replace_severity_codes(session, client, codes, now)
            after = incident_parts.severity_codes(session, client)
            audit.append(
                session,
                at=now,
                action="severity_codes_set",
                subject=f"severity-codes:{client}",
                before=audit.digest_of(before),
                after=audit.digest_of(after),
                detail={"codes": len(after), "by": actor_of(session).actor_id},
            )
            return after

        return await self._database.write(work)
