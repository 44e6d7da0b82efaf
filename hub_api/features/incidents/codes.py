"""``/v1/severity-codes``: what a centre's own codes mean in grades I–IV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Security

from hub_api.dependencies import HubDep
from hub_api.features.incidents.requests import SeverityCodes
from hub_api.features.incidents.schemas import SeverityCodesView
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import incident_parts
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/severity-codes", tags=["incidents"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
Manager = Annotated[Principal, Security(authenticate, scopes=[Scope.CODES_MANAGE])]


@router.get(
    "", response_model=SeverityCodesView, summary="See the severity codes", responses=declared(401, 403)
)
async def get_severity_codes(hub: HubDep, who: Reader) -> SeverityCodesView:
    """Those of your client."""
    codes = await hub.database.read(lambda s: incident_parts.severity_codes(s, who.client))
    return SeverityCodesView.model_validate({"codes": codes})


@router.put(
    "",
    response_model=SeverityCodesView,
    summary="Say what your severity codes mean",
    responses=declared(400, 401, 403, 413, 422, 503),
)
async def set_severity_codes(hub: HubDep, who: Manager, body: SeverityCodes) -> SeverityCodesView:
    """The whole table, in the place of the one before; audited. A code that is not in it is refused, never guessed."""
    codes = await hub.severity_codes.replace(who.client, body.codes)
    return SeverityCodesView.model_validate({"codes": codes})
