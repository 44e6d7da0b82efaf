"""The ambulance on the map and in the panel: with its arrival while it is known, never where it was as if it were there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import AMBULANCE_STALE_S
from tests.browser.desk import Desk

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]

AT = {"reference_system": "WGS-84", "latitude_deg": 22.5480, "longitude_deg": 113.9150}
INK, GROUND = (0xE8, 0xEE, 0xF4), (0x0B, 0x12, 0x19)
"""Of the cross while it is live, and of its hollow after."""


def now(desk: Desk) -> datetime:
    return datetime.fromisoformat(desk.centre.get("/v1/health")["now"]).astimezone(UTC)


def middle_of_the_map(page: Page) -> tuple[int, ...]:
    """The colour of the pixel there."""
    box = page.locator(".target").bounding_box()
    assert box is not None
    clip = {
        "x": box["x"] + box["width"] / 2 - 1,
        "y": box["y"] + box["height"] / 2 - 1,
        "width": 2,
        "height": 2,
    }
    picture = Image.open(BytesIO(page.screenshot(clip=clip))).convert("RGB")  # type: ignore[arg-type]
    colour = picture.getpixel((1, 1))
    assert isinstance(colour, tuple)
    return colour


def is_soon(page: Page, colour: tuple[int, ...]) -> bool:
    for _ in range(60):
        if all(abs(a - b) < 25 for a, b in zip(middle_of_the_map(page), colour, strict=True)):
            return True
        page.wait_for_timeout(250)
    return False


def test_the_ambulance_is_shown_with_its_arrival_and_grows_old(desk: Desk):
    page = desk.open()
    order = desk.place()
    expect(page.locator("#approve")).to_be_visible()
    # Nobody has told of an ambulance: nothing is made up.
    expect(page.locator("[data-ambulance]")).to_have_count(0)
    expect(page.get_by_text("后到达患者（")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type(f"{AT['latitude_deg']}, {AT['longitude_deg']}")
    page.keyboard.press("Enter")
    page.wait_for_timeout(800)
    assert not is_ink(middle_of_the_map(page))

    told = now(desk)
    ambulance = {
        "position": AT,
        "at": told.isoformat(),
        "unit": "BA-120-07",
        "eta_at": (told + timedelta(minutes=11)).isoformat(),
    }
    path = f"/v1/incidents/{order['incident_id']}/ambulance"
    desk.centre.post(path, ambulance)
    line = page.locator("[data-ambulance]")
    expect(line).to_contain_text("BA-120-07")
    expect(line).to_contain_text("实时")
    expect(page.get_by_text(re.compile(r"救护车 10:\d\d 后到达患者"))).to_be_visible()
    assert is_soon(page, INK), "a filled cross where it is"

    # Nobody tells anything more: it is not there any more, as far as anybody knows.
    page.wait_for_timeout(AMBULANCE_STALE_S * 1000)
    expect(line).to_contain_text("非实时")
    assert is_soon(page, GROUND), "a hollow cross where it was"

    # Told again it is live again, with its new arrival.
    told = now(desk)
    desk.centre.post(
        path, {**ambulance, "at": told.isoformat(), "eta_at": (told + timedelta(minutes=4)).isoformat()}
    )
    expect(line).not_to_contain_text("非实时")
    expect(page.get_by_text(re.compile(r"救护车 3:\d\d 后到达患者"))).to_be_visible()
    assert is_soon(page, INK)
    page.keyboard.press("l")
    expect(page.get_by_text(re.compile(r"Ambulance at the patient in 3:\d\d"))).to_be_visible()
    # Who takes part names it as well.
    page.get_by_role("tab", name="Incident").click()
    expect(page.locator("[role=tabpanel] li").filter(has_text="BA-120-07")).to_contain_text("Ambulance")


def is_ink(colour: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 25 for a, b in zip(colour, INK, strict=True))
