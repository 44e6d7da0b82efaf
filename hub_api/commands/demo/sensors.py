"""The stations' sensors in the demo: they post the wind that the simulated world really has, on a fine day."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path

import httpx

from core.errors import DroneAedError
from hub_api.commands.demo.client import HubClient

WIND_FROM_DEG = 120.0
WIND_SPEED_M_S = 4.0
PERIOD_S = 2.0
"""Real seconds; at every speed-up far more often than a reading grows stale."""


class StationSensors:
    """Posts a reading for every station at once and then periodically, until stopped."""

    def __init__(self, client: HubClient, site_file: Path) -> None:
        self._client = client
        stations = json.loads(site_file.read_text(encoding="utf-8"))["stations"]
        self._station_ids = [station["station_id"] for station in stations]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._post, name="demo-sensors", daemon=True)
        self._thread.start()

    def _post(self) -> None:
        while True:
            # A reading that does not arrive is what it is for a real sensor: the next one follows.
            with contextlib.suppress(httpx.TransportError, DroneAedError):
                measured_at = self._client.get("/v1/health")["now"]
                for station_id in self._station_ids:
                    self._client.post(
                        f"/v1/stations/{station_id}/weather",
                        {
                            "from_deg": WIND_FROM_DEG,
                            "speed_m_s": WIND_SPEED_M_S,
                            "rain_rate_mm_h": 0.0,
                            "visibility_m": 15_000.0,
                            "temperature_deg_c": 22.0,
                            "pressure_hpa": 1015.0,
                            "measured_at": measured_at,
                        },
                    )
            if self._stopped.wait(PERIOD_S):
                return

    def stop(self) -> None:
        """Stop posting."""
        self._stopped.set()
        self._thread.join()
