"""No page takes more than two seconds to show on loopback; a city's zones and drones hold none of them up."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.desk import Desk

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

LIMIT_S = 2.0
TRIES = 4
"""The best counts: what else the machine does at that moment is no property of the page."""
ZONES, DRONES = 5000, 200
PAGES = {
    "": ".ol-layers canvas",
    "readiness": "main table",
    "records": "main table",
    "figures": "main dl",
    "administration": "main table tbody tr",
    "administration/zones": "main .map canvas",
    "shortcuts": "main table",
}
"""What has to be there for a page to be shown."""


ONE_EACH = {"drones", "stations", "flights", "maintenance"}
CORNERS = 24


def zones() -> bytes:
    """A city's worth of areas, most of them in sight of the stations."""
    features = []
    for number in range(ZONES):
        longitude_deg, latitude_deg = 113.80 + (number % 100) * 0.0021, 22.50 + (number // 100) * 0.0030
        radius_deg = 0.0006 + 0.0012 * (number * 7919 % 97) / 97
        ring = [
            [longitude_deg + radius_deg * math.cos(angle), latitude_deg + radius_deg * math.sin(angle)]
            for angle in (2 * math.pi * corner / CORNERS for corner in range(CORNERS))
        ]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                "properties": {
                    "identifier": f"C-{number}",
                    "name": f"Block {number}",
                    "restriction": "PROHIBITED",
                    "upper_m_agl": 120,
                },
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def many_drones(route: Route) -> None:
    """The hub's own answer about its drones, as if the site had two hundred."""
    answer = route.fetch()
    told: dict[str, Any] = answer.json()
    drones = []
    for number in range(DRONES):
        drone = deepcopy(told["drones"][number % len(told["drones"])])
        drone["drone_id"] = f"city-{number:03d}"
        drones.append(drone)
    route.fulfill(response=answer, json={**told, "drones": drones})


def processor_s() -> dict[int, float]:
    """Processor time, so far, of each who takes part: this process with the hub in it, and every process below it."""
    parents, times_s = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
            times_s[int(folder.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    return {pid: time_s for pid, time_s in times_s.items() if pid in mine}


def since(before_s: dict[int, float]) -> float:
    return sum(now_s - before_s.get(pid, 0.0) for pid, now_s in processor_s().items())


def show(page: Page, path: str) -> None:
    """Until everything that the page is for is there; on the map the zones as well."""
    page.locator(PAGES[path]).first.wait_for()
    if path == "":
        page.locator(".hint.missing").wait_for(state="detached")


def seconds_to_show(page: Page, url: str, path: str) -> tuple[float, float]:
    """(by the clock, of processor time) from the address to what the page is for, everything loaded anew; the best of
    some tries. On a machine that does nothing else a page takes no longer than either.
    """
    best_s, best_work_s = math.inf, math.inf
    for _ in range(TRIES):
        page.goto("about:blank")
        before_s, began_s = processor_s(), time.perf_counter()
        page.goto(f"{url}/console/#/{path}")
        show(page, path)
        best_s = min(best_s, time.perf_counter() - began_s)
        best_work_s = min(best_work_s, since(before_s))
        if min(best_s, best_work_s) < LIMIT_S:
            break
    return round(best_s, 2), round(best_work_s, 2)


@pytest.mark.parametrize("size", ["demo", "city"])
def test_every_page_shows_in_time(desk: Desk, size: str):
    page = desk.open(language="en")
    if size == "city":
        desk.put_zones(page, "city", zones())
        page.route("**/v1/drones", many_drones)
        page.route("**/v1/readiness", many_drones)
    took_s = {path: seconds_to_show(page, desk.url, path) for path in PAGES}
    print(f"\n{size}: (by the clock, of processor time) in s {took_s}, load {os.getloadavg()[0]:.1f}")
    if size == "city":
        page.goto(f"{desk.url}/console/#/readiness")
        expect(page.locator("main tbody tr")).to_have_count(DRONES)
        page.unroute_all(behavior="wait")
        desk.remove_zones(page, "city")
    slow = {path: took for path, took in took_s.items() if min(took) >= LIMIT_S}
    assert slow == {}, (slow, os.getloadavg())


def twice(value: Any, name: str = "") -> Any:
    """Every list of an answer with each of its entries doubled, except of what the API promises one each."""
    if isinstance(value, dict):
        return {key: twice(item, key) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    return [twice(item) for item in value for _ in range(1 if name in ONE_EACH else 2)]


def test_what_the_hub_says_twice_is_shown_twice(desk: Desk):
    """A vehicle that has said nothing yet is «unknown» in several checks: a code names a kind of reason, no reason."""
    page = desk.open(language="en")
    order = desk.place()

    def doubled(route: Route) -> None:
        answer = route.fetch()
        told = twice(answer.json())
        for drone in told.get("drones", []):
            reason = {"code": "unknown", "detail": "not known", "detail_zh": "未知"}
            drone["not_ready_reasons"] = [reason, reason]
        route.fulfill(response=answer, json=told)

    for path in ("drones", "readiness", "orders/*", "incidents/*"):
        page.route(f"**/v1/{path}", doubled)
    page.locator(f"[data-order='{order['order_id']}']").click()
    candidates = len(order["decision"]["candidates"])
    page.get_by_role("tab", name="Decision").click()
    expect(page.locator("[role=tabpanel] tbody tr")).to_have_count(2 * candidates)
    page.get_by_role("tab", name="Incident").click()
    expect(page.locator("[role=tabpanel] ol li")).to_have_count(12)
    page.get_by_role("button", name="Close").click()
    page.locator("[data-drone='bao-04']").click()
    expect(page.locator("aside li").filter(has_text="not known")).to_have_count(2)
    page.goto(f"{desk.url}/console/#/readiness")
    expect(page.locator("main tbody tr").first.get_by_text("not known")).to_have_count(2)
