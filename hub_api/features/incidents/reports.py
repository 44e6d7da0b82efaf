"""``/v1/reports/first-hands``: how long patients waited for the first hands. Source: A10, B1, G9."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, Field

from core.errors import DispatchError, ErrorCode
from hub_api.dependencies import HubDep
from hub_api.dispatch.incident_states import STAGE_ZH, Stage, gap_s
from hub_api.moments import Moment
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.incident_records import IncidentRecord
from hub_api.store.repositories import incidents

router = APIRouter(prefix="/v1/reports", tags=["reports"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
LONGEST = timedelta(days=400)
"""Chosen: a year and its comparison; more would keep a reader of the database busy."""


class GapReport(BaseModel):
    """One gap over all incidents that have both ends; null without any."""

    incidents: int = Field(description="How many have both ends.")
    median_s: float | None
    p90_s: float | None = Field(description="Nearest rank: nine of ten waited no longer.")
    longest_s: float | None


class StageReport(BaseModel):
    """How many incidents reached a stage."""

    stage: Stage
    name_zh: str
    incidents: int


class FirstHandsReport(BaseModel):
    """急救空窗期. Exercises are left out; a gap without a reported call time is not counted, and not guessed."""

    since: datetime
    until: datetime
    incidents: int
    stages: list[StageReport]
    call_to_first_hands: GapReport
    call_to_dispatched: GapReport
    located_to_first_hands: GapReport


@router.get(
    "/first-hands",
    response_model=FirstHandsReport,
    summary="How long patients waited for first hands",
    responses=declared(401, 403, 422),
)
async def first_hands(
    hub: HubDep,
    who: Reader,
    since: Annotated[Moment, Query(description="Incidents received from here on.")],
    until: Annotated[Moment, Query(description="And before this moment.")],
) -> FirstHandsReport:
    """Of your client's incidents; of all for who sees all."""
    if not timedelta(0) < until - since <= LONGEST:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            "until must be after since, by at most 400 days · 时间范围无效",
            field="query.until",
        )
    found = await hub.database.read(
        lambda s: incidents.list_received(s, client=who.visible_client, since=since, until=until)
    )
    return FirstHandsReport(
        since=since,
        until=until,
        incidents=len(found),
        stages=[
            StageReport(
                stage=stage,
                name_zh=STAGE_ZH[stage],
                incidents=sum(1 for incident in found if stage in incident.stages),
            )
            for stage in Stage
        ],
        call_to_first_hands=_gap(found, Stage.CALL, Stage.RESCUED),
        call_to_dispatched=_gap(found, Stage.CALL, Stage.DISPATCHED),
        located_to_first_hands=_gap(found, Stage.LOCATED, Stage.RESCUED),
    )


def _gap(found: list[IncidentRecord], start: Stage, end: Stage) -> GapReport:
    gaps = sorted(gap for item in found if (gap := gap_s(item.stages, start, end)) is not None)
    return GapReport(
        incidents=len(gaps),
        median_s=_rank(gaps, 0.5),
        p90_s=_rank(gaps, 0.9),
        longest_s=gaps[-1] if gaps else None,
    )


def _rank(ordered: list[float], share: float) -> float | None:
    """The nearest rank: the least value that at least this share does not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
