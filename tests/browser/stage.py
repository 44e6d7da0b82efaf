"""What the browser looks at: simulated vehicles and a hub as processes of their own, in accelerated time."""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub_api.commands.demo.client import HubClient
from hub_api.commands.demo.sensors import StationSensors
from hub_api.settings import DEMO_API_KEY
from tests.chaos.hub.processes import HubProcess, site_file, vehicles

SPEEDUP = 4.0
"""Chosen: a flight takes a minute. Twice as fast, a second that a busy machine loses is a link gone stale."""
READY_LIMIT_S = 90.0
NEAR_CENTRE = {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901}
XIN_AN = {"reference_system": "GCJ-02", "latitude_deg": 22.5700, "longitude_deg": 113.8990}


class Stage:
    """A running hub with ready drones, and the emergency centre's side of it."""

    def __init__(self, hub: HubProcess, url: str, fleet: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.console = f"{url}/console/"
        self.hub = hub
        self._fleet = fleet
        self.centre = HubClient(url, DEMO_API_KEY)

    def place(self, position: dict[str, Any] = NEAR_CENTRE, **fields: Any) -> dict[str, Any]:
        """An order of the centre, decided."""
        body = {"position": position, "severity": "I", **fields}
        answer = self.centre.place(body, f"browser-{secrets.token_hex(8)}")
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view

    def order(self, order_id: str) -> dict[str, Any]:
        view: dict[str, Any] = self.centre.get(f"/v1/orders/{order_id}")
        return view

    def wait(self, question: Any, limit_s: float = READY_LIMIT_S) -> Any:
        """The first truthy answer."""
        deadline_s = time.monotonic() + limit_s
        while not (answer := question()):
            assert time.monotonic() < deadline_s, "waited in vain"
            time.sleep(0.2)
        return answer

    @contextmanager
    def silent_vehicles(self) -> Iterator[None]:
        """No vehicle says or hears anything; they stand still in their own time until it is over."""
        self._fleet.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._fleet.send_signal(signal.SIGCONT)

    def ready(self) -> set[str]:
        """The drones that could fly now."""
        return {drone["drone_id"] for drone in self.centre.get("/v1/drones")["drones"] if drone["ready"]}

    def drones_ready(self) -> bool:
        drones = self.centre.get("/v1/drones")["drones"]
        stations = self.centre.get("/v1/stations")["stations"]
        return len(self.ready()) == len(drones) and all(
            (station["wind"] or {}).get("usable") for station in stations
        )


@contextmanager
def a_stage(folder: Path, *, drones: int = 4, speedup: float = SPEEDUP) -> Iterator[Stage]:
    """Everything started and ready; stopped at the end."""
    site = site_file(folder, drones)
    with vehicles(folder, site, speedup, seed=1) as fleet:
        hub = HubProcess(folder, site, speedup)
        stage = Stage(hub, str(hub.client.base_url).rstrip("/"), fleet)
        sensors: StationSensors | None = None
        try:
            hub.start()
            sensors = StationSensors(stage.centre, site)
            stage.wait(stage.drones_ready)
            yield stage
        finally:
            if sensors is not None:
                sensors.stop()
            stage.centre.close()
            hub.close()
