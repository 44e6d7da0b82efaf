"""An operator's shift in a real browser: simulated vehicles, the real hub, the page as it is served. Source: G2."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.operator import confirmed, hold, hold_by_keyboard, log_in, log_in_by_keyboard, tab_to
from tests.browser.stage import XIN_AN, Stage

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

PAD_DEG = 0.0005
"""About fifty metres: a rally point this near to a pad is the pad."""
FINISHED = {"CLOSED", "CANCELLED", "FAILED", "DECLINED"}


def line_of(page: Page, order: dict[str, Any]) -> Any:
    return page.locator(f"[data-order='{order['order_id']}']")


def finish(stage: Stage, order: dict[str, Any]) -> dict[str, Any]:
    """Wait until the order is over, so that the next test finds its drones at home."""
    stage.wait(lambda: stage.order(order["order_id"])["state"] in FINISHED, 180.0)
    return stage.order(order["order_id"])


def call_off(stage: Stage, order: dict[str, Any]) -> None:
    """Cancelled by the centre, unless it is over or delivered already."""
    now = stage.order(order["order_id"])
    if now["state"] not in FINISHED and now["aed_on_ground_at"] is None:
        stage.centre.post(f"/v1/orders/{order['order_id']}/cancel", {"reason": "test"})
    finish(stage, order)


def test_by_keyboard_alone_an_order_is_approved_steered_followed_to_the_delivery_and_played_again(
    stage: Stage, open_page: OpenPage
):
    page = open_page()
    log_in_by_keyboard(page)
    ambulance = (
        datetime.fromisoformat(stage.centre.get("/v1/health")["now"]).astimezone(UTC) + timedelta(minutes=15)
    ).isoformat()
    order = stage.place(mode="approve", ambulance_eta_at=ambulance, incident_reference="BA-120-WALK")
    assert order["state"] == "AWAITING_APPROVAL"

    # It comes by itself, it is heard, and it opens because nothing else is there to look at.
    expect(page.locator("[data-alarm='decision_proposed']")).to_be_visible()
    expect(line_of(page, order)).to_contain_text("等待批准")
    expect(page.get_by_role("heading", name="等待批准")).to_be_visible()
    expect(page.get_by_text("比救护车早")).to_be_visible()
    page.keyboard.press("n")
    expect(line_of(page, order)).to_have_attribute("aria-current", "true")
    tab_to(page, page.get_by_role("tab", name="决策"))
    page.keyboard.press("Enter")
    expect(page.locator("tr.chosen")).to_contain_text(order["decision"]["drone_id"])

    # What the planner notes of a place is said in the language of the page.
    expect(page.locator("[role=tabpanel]")).to_contain_text("未经测量")
    expect(page.locator("[role=tabpanel]")).not_to_contain_text("not surveyed")

    # A short press does nothing but say so.
    approve = page.locator("#approve")
    page.keyboard.press("v")
    expect(approve).to_be_focused()
    page.keyboard.press("Space")
    expect(approve).to_contain_text("请按住更久")
    assert stage.order(order["order_id"])["state"] == "AWAITING_APPROVAL"
    hold_by_keyboard(page, "v", approve)
    expect(page.get_by_role("heading", name="飞行中")).to_be_visible()
    expect(page.locator("[data-alarm='decision_proposed']")).to_have_count(0)

    # The flight: a countdown that runs, live figures, a command that the vehicle confirms.
    countdown = page.locator("[data-countdown='aed'] b")
    expect(countdown).to_have_text(re.compile(r"^\d+:\d\d$"))
    first = countdown.inner_text()
    expect(countdown).not_to_have_text(first)
    expect(page.locator("[data-age]")).to_contain_text("实时")
    tab_to(page, page.get_by_role("tab", name="时间线"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-kind='phase_changed']").filter(has_text="无人机飞往投送点")).to_be_visible()
    hold_by_keyboard(page, "h", page.locator("#command-hold_flight"))
    confirmed(page)
    expect(page.locator("[data-command-state]")).to_contain_text("悬停等待")
    hold_by_keyboard(page, "c", page.locator("#command-continue_flight"))
    expect(page.locator("[data-command-state]")).to_contain_text("继续")
    confirmed(page)

    # Delivered: said when the vehicle confirmed it, not before.
    expect(page.locator("[data-countdown='safe'] b")).to_contain_text("✓", timeout=90_000)
    expect(page.locator("[data-countdown='aed'] b")).to_contain_text("✓")
    assert stage.order(order["order_id"])["aed_on_ground_at"] is not None
    expect(page.get_by_role("heading", name=re.compile("已送达|AED已落地"))).to_be_visible()
    ended = finish(stage, order)
    assert ended["state"] == "CLOSED"
    # The one that delivered is home; one that was replaced before it (a slow machine) never left its pad.
    assert ended["flights"][-1]["safe_state"] == "on_pad"
    assert {flight["safe_state"] for flight in ended["flights"]} <= {"on_pad", "never_left_ground"}

    # And again: the flight's record, played to its end.
    page.keyboard.press("3")
    flight_id = ended["flights"][-1]["flight_id"]
    tab_to(page, page.locator(f"a[href='#/records/{flight_id}']"))
    page.keyboard.press("Enter")
    slider = page.get_by_label("飞行时刻")
    tab_to(page, slider)
    page.keyboard.press("End")
    assert float(slider.get_attribute("max") or 0) - float(slider.input_value()) < 1.0
    page.keyboard.press("Home")
    tab_to(page, page.get_by_role("button", name="播放"))
    page.keyboard.press("Space")
    expect(slider).not_to_have_value("0")
    page.keyboard.press("1")
    expect(page.get_by_role("link", name="指挥")).to_have_attribute("aria-current", "page")


def test_a_command_to_a_drone_that_is_not_heard_is_confirmed_by_nothing_but_the_drone(
    stage: Stage, open_page: OpenPage
):
    page = open_page()
    log_in(page)
    order = stage.place(XIN_AN, incident_reference="BA-120-SILENT")
    line_of(page, order).click()
    expect(page.locator("#command-hold_flight")).to_have_attribute("aria-disabled", "false", timeout=60_000)
    expect(page.get_by_role("heading", name="飞行中", exact=True)).to_be_visible()
    state = page.locator("[data-command-state]")
    with stage.silent_vehicles():
        hold(page, page.locator("#command-hold_flight"))
        expect(state).to_be_visible()
        # Nothing is heard any more: that is said beside the command, figures are not shown as live, nothing is confirmed.
        expect(page.locator("[data-age]")).to_contain_text("非实时")
        expect(page.get_by_text("未收到无人机信号：指令可能延迟或无法送达")).to_be_visible()
        assert state.get_attribute("data-command-state") in ("sending", "accepted", "unanswered")
    expect(page.locator("[data-age]")).to_contain_text(re.compile("^● 实时"))
    confirmed(page)
    call_off(stage, order)


def elsewhere(stage: Stage, drone_id: str, flight_id: str) -> dict[str, Any]:
    """A station's pad that is not the drone's own, the nearest that the flight may be sent to."""
    features = stage.centre.get(f"/v1/flights/{flight_id}/plan")["features"]
    home = next(f for f in features if f["properties"]["kind"] == "home")["geometry"]["coordinates"]
    pads = {station["name"] for station in stage.centre.get("/v1/stations")["stations"]}
    places = stage.centre.get(f"/v1/drones/{drone_id}/diversions")["places"]
    found: dict[str, Any] = next(
        place
        for place in places
        if place["name"] in pads
        and not place["delivers"]
        and math.dist((place["longitude_deg"], place["latitude_deg"]), home[:2]) > PAD_DEG
    )
    return found


def test_a_flight_is_diverted_to_a_place_chosen_on_the_map(stage: Stage, open_page: OpenPage):
    page = open_page(locale="en-GB")
    log_in(page, "Operator")
    order = stage.place(XIN_AN, incident_reference="BA-120-DIVERT")
    line_of(page, order).click()
    flight_id, drone_id = order["decision"]["flight_id"], order["decision"]["drone_id"]
    expect(page.get_by_role("heading", name="On the way", exact=True)).to_be_visible()
    expect(page.locator("#command-divert_flight")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("d")
    expect(page.get_by_text("Choose a place on the map or in the list").first).to_be_visible()
    place = elsewhere(stage, drone_id, flight_id)
    # The map is brought there, and the place is chosen on it by a click.
    page.keyboard.press("/")
    page.keyboard.type(place["name"])
    page.keyboard.press("Enter")
    page.wait_for_timeout(800)
    page.locator(".target").click()
    chosen = page.locator(f"[data-divert='{place['kind']}/{place['id']}']")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    hold(page, page.locator("#command-divert_flight"))
    # Confirmed is what the vehicle flies: the way that was proved from where it stood, on board and read back.
    confirmed(page)
    # The drone that turned away is an alarm until somebody has seen it.
    alarm = page.locator("[data-alarm='delivery_failed']")
    expect(alarm).to_be_visible()
    page.keyboard.press("k")
    expect(alarm).to_have_count(0)

    # The order went on with another drone, or said that none comes; that part of the story ends here.
    now = stage.order(order["order_id"])
    if now["state"] not in FINISHED:
        stage.centre.post(f"/v1/orders/{order['order_id']}/cancel", {"reason": "test"})

    def diverted() -> dict[str, Any]:
        flights = stage.order(order["order_id"])["flights"]
        return next(flight for flight in flights if flight["flight_id"] == flight_id)

    stage.wait(lambda: diverted()["safe_state"], 120.0)
    assert diverted()["safe_state"] == "landed_at_rally"
    seen = stage.centre.get(f"/v1/drones/{drone_id}")["telemetry"]
    away_deg = math.dist(
        (seen["longitude_deg"], seen["latitude_deg"]), (place["longitude_deg"], place["latitude_deg"])
    )
    assert away_deg < PAD_DEG / 5, "it stands on the pad that was chosen"
    finish(stage, order)


def test_who_only_watches_commands_nothing_and_reads_why(stage: Stage, open_page: OpenPage):
    page = open_page()
    log_in(page, "观察员（只读）")
    order = stage.place(mode="approve", incident_reference="BA-120-VIEW")
    line_of(page, order).click()
    expect(page.locator("#approve")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_text("当前角色无权审批飞行")).to_be_visible()
    page.locator("#approve").hover()
    page.mouse.down()
    page.wait_for_timeout(1100)
    page.mouse.up()
    assert stage.order(order["order_id"])["state"] == "AWAITING_APPROVAL"
    stage.centre.post(
        f"/v1/orders/{order['order_id']}/approve", {"flight_id": order["decision"]["flight_id"]}
    )
    expect(page.locator("#command-hold_flight")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_text("当前角色只能查看，不能下达指令")).to_be_visible()
    token = page.evaluate("sessionStorage.getItem('drone-aed.session')")
    drone_id = order["decision"]["drone_id"]
    answer = page.request.post(
        f"{stage.url}/v1/drones/{drone_id}/commands",
        data={"command": "hold_flight", "reason": "no"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status == 403
    call_off(stage, order)
