"""The application: ``create_app(settings)`` for tests and servers, ``serve(settings)`` for commands."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn
from fastapi import Depends, FastAPI

from core.errors import ErrorCode, InternalError
from hub_api import VERSION, docs_page, logs, openapi, problems
from hub_api.body_limit import BodyLimit
from hub_api.commands.loading import settle_memory
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
from hub_api.only_watching import OnlyWatching
from hub_api.patience import ImpatientProtocol
from hub_api.request_log import RequestLog
from hub_api.settings import Settings, load_settings
from hub_api.wiring.opening import open_hub

log = logging.getLogger(__name__)

ROUTERS = (
    # A path is looked for in one after the other: where most requests go comes first.
    orders,
    *(health, metrics, tokens, incidents, severity_codes, incident_reports, ambulances, adapters),
    *(flights, records, reports, streams, alarms, webhooks, messages),
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


MOST_SAID_BYTES = 4096
"""Chosen: of one message that a stream's listener sends; it is dropped unread, and until then held."""
GRACE_S = 3
"""Seconds that open streams get at a stop; drones fly on without us, so nothing is lost by leaving."""


def create_app(settings: Settings | None = None, parts: Parts | None = None) -> FastAPI:
    """The hub as an ASGI application. Its parts start and stop with the lifespan."""
    chosen = settings or load_settings()

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
        # A redirect names an address by what the request said of our host, and sends a body with its key there.
        redirect_slashes=False,
        dependencies=[Depends(refuse_unknown_query)],
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.state.operations = [route for router in ROUTERS for route in router.routes]
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
    if not chosen.flies:
        app.add_middleware(OnlyWatching)
    app.add_middleware(RequestLog)
    return app


class _Server(uvicorn.Server):
    """Opens the hub before it listens and closes it afterwards; calls ``on_ready`` with its address once it really
    listens, whatever port the system chose.

    Not by uvicorn's lifespan, which logs a traceback of whatever keeps the hub from starting: here it is raised.
    """

    def __init__(
        self, application: FastAPI, config: uvicorn.Config, on_ready: Callable[[str], None] | None
    ) -> None:
        super().__init__(config)
        self._application = application
        self._on_ready = on_ready
        self._opened = AsyncExitStack()
        self.failure: BaseException | None = None
        """What broke a part of the hub while it ran."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        application = self._application
        await self._opened.enter_async_context(application.router.lifespan_context(application))
        application.state.hub.failure.add_done_callback(self._broken)
        try:
            await super().startup(sockets)
        except OSError as error:
            # Another one took the address while the hub was opened.
            raise _no_address(self.config.host, self.config.port, error) from error
        gc.collect()
        settle_memory()
        if self._on_ready is not None:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_ready(f"http://{host}:{port}")

    def _broken(self, failure: asyncio.Future[None]) -> None:
        if not failure.cancelled() and (error := failure.exception()) is not None:
            self.failure = error
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say «not ready», let streams end by themselves, then wait for the requests under way."""
        self._application.state.hub.stop_taking_work()
        await super().shutdown(sockets)
        if not self.force_exit:
            await self.close()

    async def close(self) -> None:
        """Close the hub, if it is open."""
        await self._opened.aclose()


def _no_address(host: str, port: int, error: OSError) -> InternalError:
    return InternalError(
        ErrorCode.SETTINGS_INVALID, f"cannot listen on {host}:{port}: {error.strerror}", field="port"
    )


def _bound(host: str, port: int) -> list[socket.socket]:
    """Sockets of this address, before anything is opened for it. Raises 5002 where it cannot be had."""
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _name, address in dict.fromkeys(found):
            bound.append(made := socket.socket(family, kind, protocol))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(address)
    except OSError as error:
        for each in bound:
            each.close()
        raise _no_address(host, port, error) from error
    return bound


async def serve(
    settings: Settings,
    on_ready: Callable[[str], None] | None = None,
    parts: Parts | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run until told to stop. Raises what keeps the hub from starting, and what broke if a part of it fails: better
    no hub than half a one.

    ``stop`` does what a signal does, for who runs the hub inside a program. ``on_ready`` is called once, with
    the address, when the hub listens and every part of it runs.
    """
    logs.configure(log_format=settings.log_format, level=settings.log_level)
    sockets = _bound(settings.host, settings.port)
    app = create_app(settings, parts)
    server = _Server(
        app,
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            lifespan="off",
            server_header=False,
            access_log=False,
            http=ImpatientProtocol,
            # The library that speaks the present interface of websockets.
            ws="websockets-sansio",
            # Nobody who listens has anything to say.
            ws_max_size=MOST_SAID_BYTES,
            timeout_graceful_shutdown=GRACE_S,
        ),
        on_ready,
    )

    async def stop_when_told() -> None:
        if stop is not None:
            await stop.wait()
            server.should_exit = True

    stopper = asyncio.ensure_future(stop_when_told())
    try:
        await server.serve(sockets)
    finally:
        stopper.cancel()
        await server.close()
        for each in sockets:
            each.close()
    if server.failure is not None:
        raise server.failure
