"""The application: ``create_app(settings)`` for tests and servers, ``serve(settings)`` for commands."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import Depends, FastAPI

from hub_api import VERSION, docs_page, logs, openapi, problems
from hub_api.body_limit import BodyLimit
from hub_api.console import pages as console_pages
from hub_api.features.access.routes import router as access
from hub_api.features.access.tokens import router as tokens
from hub_api.features.adapters.routes import router as adapters
from hub_api.features.airspace.routes import router as airspace
from hub_api.features.alarms.routes import router as alarms
from hub_api.features.audit.routes import router as audit
from hub_api.features.console.routes import router as console
from hub_api.features.drones.routes import router as drones
from hub_api.features.flights.record_routes import router as records
from hub_api.features.flights.routes import router as flights
from hub_api.features.health.routes import router as health
from hub_api.features.incidents.ambulance_routes import router as ambulances
from hub_api.features.incidents.codes import router as severity_codes
from hub_api.features.incidents.reports import router as incident_reports
from hub_api.features.incidents.routes import router as incidents
from hub_api.features.landing_points.routes import router as landing_points
from hub_api.features.messages.routes import router as messages
from hub_api.features.metrics.routes import router as metrics
from hub_api.features.orders.routes import router as orders
from hub_api.features.readiness.board_routes import router as readiness
from hub_api.features.readiness.care_routes import router as care
from hub_api.features.reports.routes import router as reports
from hub_api.features.site.photo_routes import router as photos
from hub_api.features.site.routes import router as site
from hub_api.features.stations.routes import router as stations
from hub_api.features.streams.routes import router as streams
from hub_api.features.weather.routes import router as weather
from hub_api.features.webhooks.routes import router as webhooks
from hub_api.features.zones.routes import router as zones
from hub_api.hub import Parts
from hub_api.known_query import refuse_unknown_query
from hub_api.patience import ImpatientProtocol
from hub_api.request_log import RequestLog
from hub_api.settings import Settings
from hub_api.wiring.opening import open_hub

log = logging.getLogger(__name__)

ROUTERS = (
    *(health, metrics, tokens, incidents, severity_codes, incident_reports, ambulances, adapters),
    *(orders, flights, records, reports, streams, alarms, webhooks, messages),
    *(
        readiness,
        care,
        stations,
        drones,
        landing_points,
        site,
        photos,
        zones,
        airspace,
        access,
        audit,
        console,
    ),
    weather,
)
"""In the order of the documentation."""

_COLLECT_AFTER = 10_000
"""Chosen: objects that are made before the collector looks at the young ones; an order makes some thousands."""

GRACE_S = 3
"""Seconds that open streams get at a stop; drones fly on without us, so nothing is lost by leaving."""


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> FastAPI:
    """The hub as an ASGI application. Its parts start and stop with the lifespan."""
    chosen = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_hub(chosen, parts) as hub:
            app.state.hub = hub
            yield

    app = FastAPI(
        title="drone-aed hub",
        version=VERSION,
        summary="AED delivery by drone for emergency centres · 面向120急救中心的无人机AED投送",
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        dependencies=[Depends(refuse_unknown_query)],
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    docs_page.install(app)
    console_pages.install(app, chosen)
    openapi.install(app)
    app.add_middleware(
        BodyLimit,
        max_body_bytes=chosen.max_body_bytes,
        larger={
            "/v1/airspace/feeds/": chosen.max_zone_file_bytes,
            "/v1/photos": chosen.max_photo_bytes,
        },
    )
    app.add_middleware(RequestLog)
    return app


def _settle_memory() -> None:
    """What the start made stays: airspace, site, modules. The collector need not look through it for garbage again and
    again: from now on it looks at what came later, and less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])


class _AnnouncingServer(uvicorn.Server):
    """Calls ``on_ready`` with its address once it really listens, whatever port the system chose."""

    def __init__(
        self, application: FastAPI, config: uvicorn.Config, on_ready: Callable[[str], None] | None
    ) -> None:
        super().__init__(config)
        self._application = application
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _settle_memory()
        if self.started and self._on_ready is not None:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_ready(f"http://{host}:{port}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say «not ready», let streams end by themselves, then wait for the requests under way."""
        hub = getattr(self._application.state, "hub", None)
        if hub is not None:
            hub.stop_taking_work()
        await super().shutdown(sockets)


async def serve(
    settings: Settings,
    on_ready: Callable[[str], None] | None = None,
    parts: Parts | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run until told to stop. Raises what broke if a part of the hub fails: better no hub than half a one.

    ``stop`` does what a signal does, for who runs the hub inside a program. ``on_ready`` is called once, with
    the address, when the hub listens and every part of it runs.
    """
    logs.configure(log_format=settings.log_format, level=settings.log_level)
    app = create_app(settings, parts)
    server = _AnnouncingServer(
        app,
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            lifespan="on",
            server_header=False,
            access_log=False,
            http=ImpatientProtocol,
            # The library that speaks the present interface of websockets.
            ws="websockets-sansio",
            timeout_graceful_shutdown=GRACE_S,
        ),
        on_ready,
    )
    failures: list[BaseException] = []
    started = app.router.lifespan_context

    @asynccontextmanager
    async def watched(application: FastAPI) -> AsyncIterator[None]:
        async with started(application):
            future = application.state.hub.failure

            def stop(_done: object) -> None:
                if not future.cancelled() and (error := future.exception()) is not None:
                    failures.append(error)
                    server.should_exit = True

            future.add_done_callback(stop)
            yield

    app.router.lifespan_context = watched

    async def stop_when_told() -> None:
        if stop is not None:
            await stop.wait()
            server.should_exit = True

    stopper = asyncio.ensure_future(stop_when_told())
    try:
        await server.serve()
    finally:
        stopper.cancel()
    if failures:
        raise failures[0]
    if not server.started:
        raise SystemExit(3)
