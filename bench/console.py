"""The console with a hundred drones live at 4 Hz: the renderer's share of one core, and pictures a second.

A real hub in a process of its own (this one's thread), a hundred played drones on its bus, headless Chromium without a
graphics card. CPU time is what the kernel counted for the page's renderer process, so a loaded machine does no harm.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.report import Report
from core.clock import LoopClock
from core.geodesy import Wgs84Point
from flight.bus import telemetry_subject
from flight.messages import TelemetrySample, encode
from flight.model.phases import Phase
from hub_api.agent_room import AgentTask
from hub_api.hub import Hub, Parts
from hub_api.main import serve
from hub_api.settings import Settings
from planner.site import Site, load_site

DRONES = 100
PER_S = 4.0
MEASURED_S = 20.0
SITE_FILE = Path(__file__).parents[1] / "examples" / "sites" / "baoan.json"
_FRAMES = """async (seconds) => {
  let frames = 0; const began = performance.now();
  await new Promise((done) => { const tick = (now) => { frames += 1;
    if (now - began > seconds * 1000) done(); else requestAnimationFrame(tick); }; requestAnimationFrame(tick); });
  return frames / ((performance.now() - began) / 1000);
}"""


def _site() -> Site:
    site = load_site(SITE_FILE)
    first = site.drones[0]
    drones = tuple(
        replace(
            first,
            drone_id=f"d-{number:03d}",
            station_id=site.stations[number % len(site.stations)].station_id,
            system_id=1 + number,
            link=f"udpout:127.0.0.1:{14000 + number}",
        )
        for number in range(DRONES)
    )
    return replace(site, drones=drones)


async def _play(hub: Hub, drone_id: str, number: int) -> None:
    """Flies circles and says so four times a second."""
    began_s = hub.clock.monotonic_s()
    await hub.clock.sleep(number / DRONES / PER_S)
    while True:
        turn = (hub.clock.monotonic_s() - began_s) / 60.0 * math.tau + number
        radius = 0.004 + 0.0003 * number
        sample = TelemetrySample(
            drone_id=drone_id,
            flight_id=f"flt-{number}",
            at=hub.clock.now(),
            phase=Phase.OUTBOUND,
            position=Wgs84Point(22.572 + radius * math.sin(turn), 113.885 + radius * math.cos(turn)),
            altitude_amsl_m=80.0,
            height_above_home_m=74.0,
            velocity_east_m_s=10.0,
            velocity_north_m_s=5.0,
            velocity_up_m_s=0.0,
            heading_deg=math.degrees(-turn) % 360.0,
            charge_fraction=0.8,
            battery_voltage_v=25.0,
            battery_current_a=20.0,
            mode="AUTO",
            armed=True,
            mission_seq=3,
            line_length_m=0.0,
            wind_from_deg=90.0,
            wind_speed_m_s=4.0,
            link_age_s=0.1,
            eta_s=60.0,
        )
        await hub.bus.publish(
            telemetry_subject(drone_id), f"{drone_id}-{hub.clock.monotonic_s()}", encode(sample)
        )
        await hub.clock.sleep(1.0 / PER_S)


@contextmanager
def _hub(folder: Path) -> Iterator[str]:
    site, ready, urls = _site(), threading.Event(), []
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def agents(hub: Hub) -> list[AgentTask]:
        return [_play(hub, drone.drone_id, number) for number, drone in enumerate(site.drones)]

    async def run() -> None:
        event = asyncio.Event()
        stop.append((asyncio.get_running_loop(), event))
        settings = Settings(_env_file=None, data_dir=folder, demo=True, port=0, log_level="ERROR")

        def on_ready(url: str) -> None:
            urls.append(url)
            ready.set()

        await serve(settings, on_ready, Parts(clock=LoopClock(), site=site, agents=agents), event)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="hub")
    thread.start()
    assert ready.wait(120.0), "the hub did not start"
    try:
        yield urls[0]
    finally:
        loop, event = stop[0]
        loop.call_soon_threadsafe(event.set)
        thread.join(20.0)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(chromium: str) -> dict[str, Any]:
    """``cpu_fraction`` of one core by the page's renderer, ``frames_s``, both over :data:`MEASURED_S`."""
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory() as scratch,
        _hub(Path(scratch)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 900}, locale="en-GB")
        page.goto(f"{url}/console/")
        page.get_by_role("button", name="Operator", exact=True).click()
        page.locator(".ol-layers").wait_for()
        page.locator(f"[data-drone='d-{DRONES - 1:03d}']").wait_for()
        page.locator("[data-drone]").first.click()
        page.wait_for_timeout(8_000)
        session = browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        renderers = [item["id"] for item in processes if item["type"] == "renderer"]
        before = sum(map(_cpu_s, renderers))
        began_s = time.monotonic()
        frames_s = page.evaluate(_FRAMES, MEASURED_S)
        fraction = (sum(map(_cpu_s, renderers)) - before) / (time.monotonic() - began_s)
        browser.close()
    return {"drones": DRONES, "cpu_fraction": round(fraction, 3), "frames_s": round(frames_s, 1)}


def run(report: Report) -> None:
    """Measure and report; needs Chromium and the built console."""
    path = next(
        (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None
    )
    if path is None:
        raise RuntimeError("no Chromium here: apt-get install chromium")
    found = measure(path)
    note = "100 drones at 4 Hz, headless Chromium without a graphics card, 1600 × 900"
    report.add(
        "console.cpu_fraction", found["cpu_fraction"], "of one core", DRONES, f"renderer process; {note}"
    )
    report.add("console.frames_s", found["frames_s"], "1/s", DRONES, note)
