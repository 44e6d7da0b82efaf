"""``/v1/reports``: the take-off share and the response times, as JSON for a console and as CSV for a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response, Security
from pydantic import BaseModel

from core.errors import DispatchError, ErrorCode
from hub_api.dependencies import HubDep
from hub_api.features.reports.figures import (
    MEASURES,
    Share,
    ShareGroup,
    Spread,
    TimesGroup,
    key_of,
    ratio,
    shares,
    times,
)
from hub_api.features.reports.schemas import (
    ResponseTimesReport,
    ShareGroupView,
    ShareView,
    SpreadView,
    TakeOffShareReport,
    TimesGroupView,
)
from hub_api.moments import Moment
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import reports

router = APIRouter(prefix="/v1/reports", tags=["reports"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.REPORTS_READ])]
DEFAULT_PERIOD = timedelta(days=30)
LONGEST_PERIOD = timedelta(days=400)
"""Chosen: a year and what a year's report looks back on."""


Since = Annotated[
    Moment | None, Query(description="Received at or after this moment (RFC 3339). Default: 30 days before.")
]
Until = Annotated[Moment | None, Query(description="Received before this moment. Default: now.")]
Format = Annotated[
    Literal["json", "csv"], Query(description="csv: one line a group, UTF-8 with a byte order mark.")
]


def _csv_or(model: type[BaseModel]) -> dict[int | str, dict[str, object]]:
    content: dict[str, object] = {"text/csv": {"schema": {"type": "string"}}}
    return {200: {"model": model, "content": content}, **declared(401, 403, 422)}


@router.get(
    "/take-off-share",
    response_model=TakeOffShareReport,
    summary="Report the take-off share",
    responses=_csv_or(TakeOffShareReport),
)
async def take_off_share(
    hub: HubDep,
    who: Reader,
    since: Since = None,
    until: Until = None,
    group_by: Annotated[ShareGroup, Query(description="What the groups are.")] = "reason",
    format: Format = "json",
) -> TakeOffShareReport | Response:
    """Of the alerts received in a period: how many flew, delivered, came before the ambulance; and why the others did
    not fly. Orders of your own client; of every client with `orders:read-all` or `reports:read`. Drills are not counted.
    """
    start, end = _period(hub.clock.now(), since, until)
    zone = hub.site.zone_info
    client = who.visible_figures_client
    whole, groups = await hub.database.read(
        lambda s: shares(reports.orders_of(s, client=client, since=start, until=end), key_of(group_by, zone))
    )
    report = TakeOffShareReport(
        since=start,
        until=end,
        timezone=hub.site.timezone,
        group_by=group_by,
        total=_share_view(whole),
        groups=[
            ShareGroupView(key=key, **_share_view(share).model_dump())
            for key, share in groups.items()
            if group_by != "none"
        ],
    )
    if format == "json":
        return report
    names = [name for name in ShareGroupView.model_fields if name not in ("key", "non_flights")]
    return _csv(
        ["key", *names, "non_flights"],
        (
            [key, *(getattr(view, name) for name in names), _listed(view.non_flights)]
            for key, view in [("total", report.total), *((group.key, group) for group in report.groups)]
        ),
    )


@router.get(
    "/response-times",
    response_model=ResponseTimesReport,
    summary="Report the response times",
    responses=_csv_or(ResponseTimesReport),
)
async def response_times(
    hub: HubDep,
    who: Reader,
    since: Since = None,
    until: Until = None,
    group_by: Annotated[TimesGroup, Query(description="What the groups are.")] = "none",
    format: Format = "json",
) -> ResponseTimesReport | Response:
    """From the order to the decision, to the take-off, to the AED on the ground, and ahead of the ambulance.

    An order counts in every measure that it reached. Visibility and drills as in the take-off share.
    """
    start, end = _period(hub.clock.now(), since, until)
    zone = hub.site.zone_info
    client = who.visible_figures_client
    found = await hub.database.read(
        lambda s: times(reports.orders_of(s, client=client, since=start, until=end), key_of(group_by, zone))
    )
    groups = [_times_view(key, measured) for key, measured in found.items() if key != "all"]
    report = ResponseTimesReport(
        since=start,
        until=end,
        timezone=hub.site.timezone,
        group_by=group_by,
        total=_times_view("all", found["all"]),
        groups=groups,
    )
    if format == "json":
        return report
    columns = list(SpreadView.model_fields)
    return _csv(
        ["key", "measure", *columns],
        (
            [view.key, name, *(getattr(getattr(view, name), column) for column in columns)]
            for view in [report.total, *groups]
            for name in MEASURES
        ),
    )


def _period(now: datetime, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = now if until is None else until
    try:
        start = end - DEFAULT_PERIOD if since is None else since
        length = end - start
    except OverflowError:
        raise DispatchError(
            ErrorCode.ORDER_INVALID, "no such period · 时间范围无效", field="query.until"
        ) from None
    if length <= timedelta(0):
        raise DispatchError(
            ErrorCode.ORDER_INVALID, "since must be before until · since 须早于 until", field="query.since"
        )
    if length > LONGEST_PERIOD:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            f"at most {LONGEST_PERIOD.days} days · 时间范围最长 {LONGEST_PERIOD.days} 天",
            field="query.since",
        )
    return start, end


def _share_view(share: Share) -> ShareView:
    return ShareView(
        orders=share.orders,
        open=share.orders - share.settled,
        took_off=share.took_off,
        take_off_share=ratio(share.took_off, share.settled),
        delivered=share.delivered,
        delivered_share=ratio(share.delivered, share.took_off),
        ahead_of_ambulance=share.ahead,
        ahead_share=ratio(share.ahead, share.compared),
        non_flights=dict(share.reasons.most_common()),
    )


def _times_view(key: str, measured: dict[str, Spread]) -> TimesGroupView:
    return TimesGroupView(key=key, **{name: SpreadView(**asdict(found)) for name, found in measured.items()})


def _listed(counts: dict[str, int]) -> str:
    return "; ".join(f"{reason}={count}" for reason, count in counts.items())


def _csv(header: list[str], lines: Iterable[list[object]]) -> Response:
    """With a byte order mark: the tables that offices use take it for UTF-8 only then."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([["" if value is None else value for value in line] for line in lines])
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8")
