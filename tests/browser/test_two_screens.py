"""Several operators at several screens: what one of them does, the others see."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk
from tests.browser.operator import hold

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

MIDDLE = (22.5450, 113.9200)
"""Of a place where there is no zone: its ground is as dark as the map's."""
AROUND_PX = 24
PROHIBITED = (0xFF, 0x6B, 0x57)
"""The edge of a prohibited zone on the map."""


def zone(height_m: int) -> bytes:
    """A square of about 100 m around the middle."""
    latitude_deg, longitude_deg = MIDDLE
    half_deg = 0.0005
    south, north, west, east = (
        latitude_deg - half_deg,
        latitude_deg + half_deg,
        longitude_deg - half_deg,
        longitude_deg + half_deg,
    )
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {
        "identifier": "LIVE-1",
        "name": "Fair",
        "restriction": "PROHIBITED",
        "upper_m_agl": height_m,
    }
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def drawn(page: Page) -> bool:
    """Whether the map shows an edge of a prohibited zone around its middle."""
    box = page.locator(".target").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    clip = {"x": x - AROUND_PX, "y": y - AROUND_PX, "width": 2 * AROUND_PX, "height": 2 * AROUND_PX}
    picture = Image.open(BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]
    colours = picture.getcolors(AROUND_PX**2 * 4) or []
    return any(
        all(abs(part - wanted) < 40 for part, wanted in zip(colour, PROHIBITED, strict=True))
        for _, colour in colours
        if isinstance(colour, tuple)
    )


def soon(page: Page, wanted: bool) -> bool:
    """Whether it is drawn so within five seconds: long for an event, short of the question that makes up for a lost one."""
    for _ in range(25):
        if drawn(page) == wanted:
            return True
        page.wait_for_timeout(200)
    return False


def test_a_zone_added_changed_and_removed_is_drawn_anew_on_every_screen(desk: Desk):
    pages = [desk.open(language="en"), desk.open()]
    for page in pages:
        page.keyboard.press("/")
        page.keyboard.type(f"{MIDDLE[0]}, {MIDDLE[1]}")
        page.keyboard.press("Enter")
        expect(page.locator(".hint.missing")).to_have_count(0)
    pages[0].wait_for_timeout(600)
    assert [drawn(page) for page in pages] == [False, False]
    desk.put_zones(pages[0], "live", zone(60))
    assert [soon(page, True) for page in pages] == [True, True]
    for height_m in (60, 90):
        if height_m == 90:
            desk.put_zones(pages[1], "live", zone(90))
            pages[0].wait_for_timeout(3000)
        for page in pages:
            page.locator(".target").click()
            expect(page.locator(".card")).to_contain_text("LIVE-1")
            expect(page.locator(".card")).to_contain_text(f"{height_m} m")
            page.locator(".card").get_by_role("button").click()
    desk.remove_zones(pages[1], "live")
    assert [soon(page, False) for page in pages] == [True, True]


def test_an_alarm_acknowledged_at_one_screen_is_silent_at_the_other(desk: Desk):
    pages = [desk.open(language="en") for _ in range(2)]
    desk.place()
    alarms = [page.locator("[data-alarm='decision_proposed']") for page in pages]
    for alarm in alarms:
        expect(alarm).to_be_visible()
    # Asked when this screen was not there yet, and asked again: one alarm, and the button that answers it in sight.
    pages.append(desk.open(language="en"))
    alarms = [page.locator("[data-alarm]") for page in pages]
    expect(alarms[2]).to_have_count(1)
    expect(pages[2].locator("#approve")).to_be_in_viewport()
    seen = alarms[0].get_by_role("button", name="Seen, silence")
    expect(seen).to_have_attribute("aria-disabled", "false")
    seen.click()
    for alarm in alarms:
        expect(alarm).to_have_count(0)
    pages.append(desk.open(language="en"))
    expect(pages[3].locator("#approve")).to_be_visible()
    with pages[3].expect_response("**/v1/alarms?**") as answer:
        pages[3].reload()
    events = answer.value.json()["events"]
    assert [event["event_id"] for event in events if event["kind"] == "decision_proposed"] == []
    told = pages[1].locator("[data-kind='alarm_acknowledged']").first
    expect(told).to_contain_text("operator acknowledged the alarm")


def test_what_one_approves_the_other_sees_flying(desk: Desk):
    first, second = desk.open(), desk.open()
    order = desk.place()
    for page in (first, second):
        expect(page.locator("#approve")).to_be_visible()
    hold(first, first.locator("#approve"))
    expect(second.locator("#approve")).to_have_count(0)
    assert desk.order(order["order_id"])["state"] != "AWAITING_APPROVAL"
