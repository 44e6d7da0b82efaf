"""``/v1/airspace`` and ``/v1/authorisations``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Security

from core.errors import DispatchError, ErrorCode
from geofences.manifest import FORMATS
from geofences.readers.result import Note
from hub_api.dependencies import HubDep
from hub_api.dispatch.airspace_desk import Outcome, digest_of
from hub_api.features.airspace.schemas import (
    AffectedFlightView,
    AirspaceView,
    AuthorisationList,
    AuthorisationRequest,
    AuthorisationState,
    ChangeList,
    ChangeOutcome,
    ChangeView,
    FeedView,
    NoteView,
    RevocationRequest,
    RevokedView,
)
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.strict_json import StrictJsonRoute
from hub_api.two_languages import of_reader

router = APIRouter(tags=["airspace"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ZONES_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.ZONES_WRITE])]
FeedId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", description="Name of the feed.")]
Format = Annotated[
    str,
    Query(alias="format", pattern=f"^({'|'.join(sorted(FORMATS))})$", description="How the file is written."),
]
Why = Annotated[str, Query(min_length=1, max_length=500, description="For the record.")]
Expected = Annotated[
    str | None, Query(max_length=120, description="Refuse (409) unless this version is in force.")
]
_SQUARE = (
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"identifier":"POLICE-7",'
    '"restriction":"PROHIBITED","name":"Police operation"},"geometry":{"type":"Polygon","coordinates":'
    "[[[113.87,22.55],[113.872,22.55],[113.872,22.552],[113.87,22.552],[113.87,22.55]]]}}]}"
)
_FILE = {
    "requestBody": {
        "required": True,
        "description": "The zone file as it is.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "examples": {"geojson": {"summary": "A closed square (format=geojson)", "value": _SQUARE}},
            }
        },
    }
}


@router.get(
    "/v1/airspace", response_model=AirspaceView, summary="The airspace in force", responses=declared(401, 403)
)
async def get_airspace(hub: HubDep, who: Reader) -> AirspaceView:
    """Its version and what it is made of. The zones themselves: `GET /v1/zones`."""
    counts = {feed_id: len(zones) for feed_id, zones in hub.airspace_book.additions.feeds.items()}
    return AirspaceView(
        version=hub.airspace.version,
        base_version=hub.airspace_book.base.version,
        zone_count=len(hub.airspace.zones),
        terrain=hub.airspace.terrain.description,
        feeds=[
            FeedView(
                feed_id=feed.feed_id,
                file_format=feed.file_format,
                sha256=digest_of(feed.content),
                zone_count=counts.get(feed.feed_id, 0),
                changed_at=feed.changed_at,
                changed_by=feed.changed_by,
            )
            for feed in await hub.airspace_desk.feeds()
        ],
    )


@router.get(
    "/v1/airspace/changes",
    response_model=ChangeList,
    summary="How the airspace changed",
    responses=declared(401, 403, 422),
)
async def list_changes(
    hub: HubDep,
    who: Reader,
    before: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Only changes older than this.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ChangeList:
    """Who changed what, when and why; newest first."""
    found = await hub.airspace_desk.changes(before_seq=before, limit=limit)
    return ChangeList(
        changes=[
            ChangeView.model_validate({name: getattr(item, name) for name in ChangeView.model_fields})
            for item in found
        ],
        next_before=found[-1].seq if len(found) == limit else None,
    )


@router.post(
    "/v1/airspace/feeds/{feed_id}/preview",
    response_model=ChangeOutcome,
    summary="See what a zone file would change",
    responses=declared(400, 401, 403, 404, 413, 422),
    openapi_extra=_FILE,
)
async def preview_feed(
    hub: HubDep, who: Writer, request: Request, feed_id: FeedId, file_format: Format
) -> ChangeOutcome:
    """Zones added, removed and changed, open flights that it would forbid, and what was odd in the file."""
    return _view(await hub.airspace_desk.preview_feed(feed_id, file_format, await _content(request)))


@router.put(
    "/v1/airspace/feeds/{feed_id}",
    response_model=ChangeOutcome,
    summary="Put a zone file in force",
    responses=declared(400, 401, 403, 404, 409, 413, 422),
    openapi_extra=_FILE,
)
async def put_feed(
    hub: HubDep,
    who: Writer,
    request: Request,
    feed_id: FeedId,
    file_format: Format,
    reason: Why,
    expected_version: Expected = None,
) -> ChangeOutcome:
    """The file takes the place of the feed's earlier one as a whole, or is refused as a whole.

    Decisions use it from the moment of this answer. Flights whose way it closes stop before it and are led round
    it, turned back or landed.
    """
    outcome = await hub.airspace_desk.put_feed(
        feed_id,
        file_format,
        await _content(request),
        by=who.known_as,
        reason=reason,
        expected_version=expected_version,
    )
    return _view(outcome)


@router.delete(
    "/v1/airspace/feeds/{feed_id}",
    response_model=ChangeOutcome,
    summary="End a zone feed",
    responses=declared(401, 403, 404, 409, 422),
)
async def delete_feed(
    hub: HubDep, who: Writer, feed_id: FeedId, reason: Why, expected_version: Expected = None
) -> ChangeOutcome:
    """Its zones hold no more."""
    return _view(
        await hub.airspace_desk.delete_feed(
            feed_id, by=who.known_as, reason=reason, expected_version=expected_version
        )
    )


@router.get(
    "/v1/authorisations",
    response_model=AuthorisationList,
    summary="List airspace authorisations",
    responses=declared(401, 403),
)
async def list_authorisations(hub: HubDep, who: Reader) -> AuthorisationList:
    """Approvals that hold or will hold, and those that were revoked."""
    now = hub.clock.now()
    given = hub.airspace_book.additions.authorisations
    return AuthorisationList(
        authorisations=[
            AuthorisationState(
                authorisation_id=item.authorisation_id,
                zone_ids=list(item.zone_ids),
                authority=item.authority,
                number=item.number,
                valid_from=item.valid_from,
                valid_until=item.valid_until,
                valid_now=item.valid_from <= now <= item.valid_until,
                source="api" if item.authorisation_id in given else "site",
            )
            for item in hub.airspace.authorisations
        ],
        revoked=[
            RevokedView(
                authorisation_id=item.authorisation_id,
                revoked_at=item.revoked_at,
                revoked_by=item.revoked_by,
                reason=item.reason,
            )
            for item in await hub.airspace_desk.revocations()
        ],
    )


@router.post(
    "/v1/authorisations",
    response_model=ChangeOutcome,
    status_code=201,
    summary="Give an airspace authorisation",
    responses=declared(400, 401, 403, 409, 413, 422),
)
async def authorise(hub: HubDep, who: Writer, body: AuthorisationRequest) -> ChangeOutcome:
    """It opens the zones it names, inside its area, heights and validity only; never a prohibited one."""
    return _view(await hub.airspace_desk.authorise(body.authorisation, by=who.known_as, reason=body.reason))


@router.post(
    "/v1/authorisations/{authorisation_id}/revoke",
    response_model=ChangeOutcome,
    summary="Revoke an airspace authorisation",
    responses=declared(400, 401, 403, 404, 409, 413, 422),
)
async def revoke(
    hub: HubDep,
    who: Writer,
    authorisation_id: Annotated[str, Path(min_length=1, max_length=80)],
    body: RevocationRequest,
) -> ChangeOutcome:
    """It holds no more from now on, in decisions and in flight: a drone that relies on it leaves its zones."""
    return _view(await hub.airspace_desk.revoke(authorisation_id, by=who.known_as, reason=body.reason))


async def _content(request: Request) -> bytes:
    content = await request.body()
    if not content:
        raise DispatchError(
            ErrorCode.ORDER_INVALID, "send the zone file as the body · 请在请求体中提交空域文件", field="body"
        )
    return content


def _view(outcome: Outcome) -> ChangeOutcome:
    return ChangeOutcome(
        applied=outcome.change is not None,
        version=outcome.version,
        previous_version=outcome.previous_version,
        added=list(outcome.difference.added),
        removed=list(outcome.difference.removed),
        changed=list(outcome.difference.changed),
        affected_flights=[
            AffectedFlightView(
                flight_id=item.flight_id,
                drone_id=item.drone_id,
                order_id=item.order_id,
                reason=item.reason.code,
                detail=item.reason.detail,
                detail_zh=item.reason.detail_zh,
            )
            for item in outcome.affected
        ],
        notes=[_note_view(note) for note in outcome.notes],
    )


def _note_view(note: Note) -> NoteView:
    what, what_zh = of_reader(note.what, otherwise_zh="读取时有改动")
    return NoteView(kind=str(note.kind), feature=note.feature, field=note.field, what=what, what_zh=what_zh)
