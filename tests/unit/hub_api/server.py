"""A hub that really listens, in a thread of its own: played drones, real time, real HTTP and WebSockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.clock import LoopClock
from core.ids import IdSource
from flight.bus import InProcessBus
from hub_api.agent_room import AgentTask
from hub_api.hub import Hub, Parts
from hub_api.main import serve
from hub_api.settings import Settings
from tests.unit.hub_api.played_drone import PlayedDrone, Script
from tests.unit.hub_api.played_planning import SITE_FILE, FirstReady, a_site, an_airspace
from tests.unit.hub_api.world import TEST_KEYS, database_url_of

START_LIMIT_S = 30.0


class Server:
    """A running hub: where it listens, and how to stop it as a signal would."""

    def __init__(
        self,
        data_dir: Path,
        script: Script,
        settings: dict[str, Any],
        parts: Mapping[str, Any],
        planner: type[FirstReady],
    ) -> None:
        """``parts``: what takes the place of the ordinary parts, besides the played ones."""
        self._url = ""
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._fault: BaseException | None = None
        self._script = script
        self._parts = parts
        self._planner = planner
        self._settings = Settings(
            _env_file=None,
            **(
                {
                    "data_dir": data_dir,
                    "database_url": database_url_of(data_dir),
                    "demo": True,
                    "port": 0,
                    "site_file": SITE_FILE,
                    "log_level": "ERROR",
                    "merge_radius_m": 0.0,
                }
                | TEST_KEYS
                | settings
            ),
        )
        self._thread = threading.Thread(target=self._run, name="hub")

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as fault:
            self._fault = fault
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        clock = LoopClock()
        ids = IdSource(clock)
        site = a_site()

        def agents(hub: Hub) -> list[AgentTask]:
            return [PlayedDrone(drone.drone_id, hub, self._script).run() for drone in site.drones]

        def ready(url: str) -> None:
            self._url = url
            self._ready.set()

        played: dict[str, Any] = {
            "clock": clock,
            "bus": InProcessBus(clock),
            "ids": ids,
            "site": site,
            "airspace": an_airspace(),
            "planning": self._planner(site, ids),
            "agents": agents,
            "agent_of": lambda hub, drone: PlayedDrone(drone.drone_id, hub, self._script).run(),
        }
        parts = Parts(**(played | dict(self._parts)))
        await serve(self._settings, ready, parts, self._stop)

    def start(self) -> str:
        self._thread.start()
        assert self._ready.wait(START_LIMIT_S)
        if self._fault is not None:
            raise self._fault
        return self._url

    def stop(self) -> None:
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_LIMIT_S)
        assert not self._thread.is_alive()
        if self._fault is not None:
            raise self._fault


@contextmanager
def running_hub(
    data_dir: Path,
    *,
    phase_s: float = 0.05,
    parts: Mapping[str, Any] | None = None,
    planner: type[FirstReady] = FirstReady,
    **settings: Any,
) -> Iterator[tuple[str, Server]]:
    """(URL, server)"""
    server = Server(data_dir, Script(phase_s=phase_s), settings, parts or {}, planner)
    url = server.start()
    try:
        yield url, server
    finally:
        server.stop()
