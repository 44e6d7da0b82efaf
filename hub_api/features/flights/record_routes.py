"""``/v1/flights``: looking back at flights. What a drone's own record holds is only here if it was flown from here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Path, Query, Response, Security
from fastapi.responses import FileResponse

from core.errors import DispatchError, ErrorCode
from core.ids import is_id
from flight.record_reading import FlightFolder, TrackSample
from hub_api.dependencies import HubDep
from hub_api.features.flights.report_facts import ReportFacts
from hub_api.features.flights.schemas import (
    FlightEventPage,
    FlightPage,
    FlightPlanView,
    FlightRecordView,
    TrackView,
)
from hub_api.features.flights.views import (
    line_of,
    plan_view,
    planned_of,
    plans_of,
    record_of,
    track_view,
)
from hub_api.features.orders.views import event_view
from hub_api.moments import Moment
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.records import MissionRecord, OrderRecord
from hub_api.store.repositories import flights
from hub_api.store.repositories.flights import FlightFilter, FlightLine, FlightOutcome

router = APIRouter(prefix="/v1/flights", tags=["records"])

T = TypeVar("T")
Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]
FlightId = Annotated[str, Path(max_length=60, description="As given when the flight was commanded.")]
Name = Annotated[str | None, Query(max_length=80, pattern=r"^[^\x00-\x1f]+$")]
FILES: dict[str, tuple[str, str, str]] = {
    "tlog": ("flight.tlog", "application/octet-stream", "tlog"),
    "kml": ("track.kml", "application/vnd.google-earth.kml+xml", "kml"),
}
"""What can be downloaded → (name in the record, media type, ending)."""
_PDF = "application/pdf"
_EVENTS_IN_REPORT = 400
"""Chosen: more than any flight tells; a report is for people."""


@router.get("", response_model=FlightPage, summary="List flights", responses=declared(401, 403, 422))
async def list_flights(
    hub: HubDep,
    who: Reader,
    outcome: Annotated[FlightOutcome | None, Query(description="Only flights that came this far.")] = None,
    drone_id: Name = None,
    station_id: Name = None,
    order_id: Annotated[str | None, Query(pattern=r"^ord_[0-9A-HJKMNP-TV-Z]{26}$")] = None,
    drill: Annotated[bool | None, Query(description="Only drills, or only what was no drill.")] = None,
    since: Annotated[
        Moment | None, Query(description="Commanded at or after this moment (RFC 3339).")
    ] = None,
    until: Annotated[Moment | None, Query(description="Commanded before this moment.")] = None,
    before: Annotated[
        str | None, Query(pattern=r"^flt_[0-9A-HJKMNP-TV-Z]{26}$", description="Flights older than this one.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> FlightPage:
    """Newest first: those of the client's own orders, of every order for operators, auditors and maintainers."""
    wanted = FlightFilter(
        client=who.visible_flights_client,
        outcome=outcome,
        drone_id=drone_id,
        station_id=station_id,
        order_id=order_id,
        drill=drill,
        since=since,
        until=until,
    )
    found = await hub.database.read(lambda s: flights.page(s, wanted, before=before, limit=limit + 1))
    page = found[:limit]
    return FlightPage(
        flights=[line_of(line) for line in page],
        next_before=page[-1].mission.flight_id if len(found) > limit else None,
    )


@router.get(
    "/{flight_id}",
    response_model=FlightRecordView,
    summary="See a flight",
    responses=declared(401, 403, 404, 422),
)
async def get_flight(hub: HubDep, who: Reader, flight_id: FlightId) -> FlightRecordView:
    """What was planned, what happened, and what of its record can be downloaded here."""
    mission, order = await _find(hub, flight_id, who)
    folder = _folder(hub, mission)
    line = line_of(
        FlightLine(
            mission=mission,
            severity=order.severity,
            incident_reference=order.request.get("incident_reference"),
            drill=order.drill,
        )
    )
    plans, record = await _in_thread(lambda: (plans_of(folder, mission), record_of(folder, mission)))
    return FlightRecordView(
        **line.model_dump(),
        order_state=order.state,
        received_at=order.received_at,
        planned=planned_of(plans[0]),
        record=record,
    )


@router.get(
    "/{flight_id}/plan",
    response_model=FlightPlanView,
    summary="See a flight's plan",
    responses=declared(401, 403, 404, 422),
)
async def get_plan(
    hub: HubDep,
    who: Reader,
    flight_id: FlightId,
    number: Annotated[
        int | None, Query(ge=1, le=99, description="1 is the plan at take-off; the last one without this.")
    ] = None,
) -> FlightPlanView:
    """Ways, corridor, alternates, heights, landing point and the zones around, as GeoJSON."""
    mission, _ = await _find(hub, flight_id, who)
    folder, airspace = _folder(hub, mission), hub.airspace
    plans = await _in_thread(lambda: plans_of(folder, mission))
    chosen = len(plans) if number is None else number
    if chosen > len(plans):
        raise DispatchError(
            ErrorCode.RESOURCE_UNKNOWN,
            f"{len(plans)} plans of this flight are known here · 本机仅有 {len(plans)} 份计划",
        )
    return await _in_thread(lambda: plan_view(plans, chosen, airspace))


@router.get(
    "/{flight_id}/track",
    response_model=TrackView,
    summary="See where a flight was",
    responses=declared(401, 403, 404, 422),
)
async def get_track(
    hub: HubDep,
    who: Reader,
    flight_id: FlightId,
    every_s: Annotated[
        float, Query(ge=0, le=600, description="At most one sample each so many seconds; 0 gives all.")
    ] = 1.0,
) -> TrackView:
    """Position, height, speed, battery, link and phase over time, for replay and plots.

    404 where the record isn't on this hub's host; the flight itself may well be known.
    """
    mission, _ = await _find(hub, flight_id, who)
    recorded = await _track(hub, mission)
    return await _in_thread(lambda: track_view(mission, recorded, every_s))


@router.get(
    "/{flight_id}/events",
    response_model=FlightEventPage,
    summary="See what happened on a flight",
    responses=declared(401, 403, 404, 422),
)
async def get_events(
    hub: HubDep,
    who: Reader,
    flight_id: FlightId,
    after: Annotated[int, Query(ge=0, le=10**18 - 1, description="Only events after this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> FlightEventPage:
    """In the order in which the hub stored them. To follow a flight live: `/v1/stream`."""
    mission, _ = await _find(hub, flight_id, who)
    found = await hub.database.read(
        lambda s: flights.events_of(s, mission.flight_id, after=after, limit=limit + 1)
    )
    page = found[:limit]
    return FlightEventPage(
        events=[event_view(event) for event in page],
        next_after=str(page[-1].seq) if len(found) > limit else None,
    )


@router.get(
    "/{flight_id}/files/{name}",
    summary="Download a flight's file",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The file. `report.pdf` is made of what is known now, in Chinese and English.",
            "content": {
                media: {"schema": {"type": "string", "format": "binary"}}
                for media in (_PDF, *(media for _, media, _ in FILES.values()))
            },
        },
        **declared(401, 403, 404, 422),
    },
)
async def get_file(
    hub: HubDep, who: Reader, flight_id: FlightId, name: Literal["tlog", "kml", "report.pdf"]
) -> Response:
    """`.tlog` (MAVLink, both ways) and KML come from the drone's own record, the report from everything known."""
    mission, order = await _find(hub, flight_id, who)
    if name == "report.pdf":
        return await _report(hub, mission, order)
    stored, media_type, ending = FILES[name]
    path = _folder(hub, mission).file(stored)
    if path is None:
        raise _no_record(hub, mission)
    return FileResponse(path, media_type=media_type, filename=f"{mission.flight_id}.{ending}")


async def _report(hub: HubDep, mission: MissionRecord, order: OrderRecord) -> Response:
    folder, airspace = _folder(hub, mission), hub.airspace
    events = await hub.database.read(
        lambda s: flights.events_of(s, mission.flight_id, after=0, limit=_EVENTS_IN_REPORT)
    )

    def made() -> bytes:
        # Loaded with the first report, not at the start that somebody waits for.
        from hub_api.features.flights.report import flight_report

        plans = plans_of(folder, mission)
        facts = ReportFacts(
            mission=mission,
            order_id=order.order_id,
            severity=order.severity,
            drill=order.drill,
            received_at=order.received_at,
            incident_reference=order.request.get("incident_reference"),
            site=hub.site,
            plans=tuple(plans),
            track=tuple(folder.track()),
            events=tuple(events),
            zones=airspace.zones,
            zones_version=airspace.version,
            made_at=hub.clock.now(),
            record_here=folder.here,
        )
        return flight_report(facts, font_file=hub.settings.report_font_file)

    content = await _in_thread(made)
    disposition = f'attachment; filename="{mission.flight_id}.pdf"'
    return Response(content, media_type=_PDF, headers={"Content-Disposition": disposition})


async def _find(hub: HubDep, flight_id: str, who: Principal) -> tuple[MissionRecord, OrderRecord]:
    """4005 for a flight that does not exist or is another client's: the answer is the same."""
    client = who.visible_flights_client
    found = None
    if is_id(flight_id, "flt"):
        found = await hub.database.read(lambda s: flights.find(s, flight_id, client=client))
    if found is None:
        raise DispatchError(
            ErrorCode.RESOURCE_UNKNOWN, f"there is no flight {flight_id[:60]!r} · 没有这次飞行"
        )
    return found


def _folder(hub: HubDep, mission: MissionRecord) -> FlightFolder:
    return FlightFolder(hub.settings.records_dir, mission.flight_id)


async def _track(hub: HubDep, mission: MissionRecord) -> list[TrackSample]:
    folder = _folder(hub, mission)
    if not folder.here:
        raise _no_record(hub, mission)
    return await _in_thread(folder.track)


def _no_record(hub: HubDep, mission: MissionRecord) -> DispatchError:
    if _folder(hub, mission).here:
        return DispatchError(
            ErrorCode.RESOURCE_UNKNOWN,
            "the flight is still being recorded; ask again when it has ended · 飞行记录尚未完成",
        )
    return DispatchError(
        ErrorCode.RESOURCE_UNKNOWN,
        f"the record of {mission.flight_id} is not on this hub: {mission.drone_id} was flown by another process or host, "
        "or never left · 本机没有该次飞行的记录，可能由其他主机执行或未起飞",
    )


async def _in_thread(work: Callable[[], T]) -> T:
    """Files and drawings beside the event loop, which keeps the drones' heartbeats going."""
    return await asyncio.get_running_loop().run_in_executor(None, work)
