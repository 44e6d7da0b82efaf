"""What happens while somebody's hand is on something: an order arrives, the connection is cut, an answer gets lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.desk import Desk
from tests.browser.operator import HOLD_MS, hold

pytestmark = [pytest.mark.processes, pytest.mark.timeout(200)]


def places(*things: Locator) -> list[Any]:
    return [thing.bounding_box() for thing in things]


def alarms(page: Page, count: int) -> None:
    """So many are open: one on the line, the rest behind the button beside it."""
    expect(page.locator(".strip .now [data-alarm]")).to_have_count(min(count, 1))
    others = page.locator(".strip .more")
    expect(others).to_have_count(1 if count > 1 else 0)
    if count > 1:
        expect(others).to_contain_text(f"另有 {count - 1} 条")


def test_an_order_that_arrives_takes_no_focus_and_moves_no_button(desk: Desk):
    page = desk.open(width=1366, height=768)
    first = desk.place(severity="III")
    approve, line = page.locator("#approve"), page.locator(f"[data-order='{first['order_id']}']")
    expect(approve).to_be_visible()
    alarms(page, 1)
    search = page.get_by_role("combobox").first
    search.click()
    page.keyboard.type("灵芝")
    refuse = page.locator("#refuse")
    watched = (
        approve,
        refuse,
        search,
        page.get_by_role("button", name="测距"),
        page.locator("[data-drone]").last,
    )
    before = places(*watched)
    second = desk.place(mode="drill", severity="I")
    expect(page.get_by_text("演练进行中")).to_be_visible()
    expect(page.locator(f"[data-order='{second['order_id']}']")).to_be_visible()
    assert places(*watched)[:4] == before[:4]
    expect(search).to_be_focused()
    expect(search).to_have_value("灵芝")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")

    # The pointer is on a line of the list: a more urgent order does not push it away until the pointer has left.
    line.hover()
    at = line.bounding_box()
    third = desk.place(severity="II")
    newer = page.locator(f"[data-order='{third['order_id']}']")
    expect(newer).to_be_visible()
    assert line.bounding_box() == at
    page.locator(".target").hover()
    expect(page.locator("[data-order]").last).to_have_attribute("data-order", first["order_id"])

    # A refusal that is armed, and an approval that is held, go on being about the order that they were about.
    refuse.click()
    expect(refuse).to_contain_text("按住：拒绝")
    approve.hover()
    page.mouse.down()
    page.wait_for_timeout(200)
    fourth = desk.place(severity="I")
    page.wait_for_timeout(HOLD_MS)
    page.mouse.up()
    expect(approve).to_have_count(0)
    assert desk.order(first["order_id"])["state"] not in ("AWAITING_APPROVAL", "DECLINED")
    assert desk.order(fourth["order_id"])["state"] == "AWAITING_APPROVAL"


def test_an_order_that_arrives_leaves_a_form_as_it_is_and_is_seen_on_every_page(desk: Desk):
    page = desk.open(width=1366, height=768)
    page.evaluate("location.hash = '#/readiness'")
    page.get_by_role("row").filter(has_text="bao-04").get_by_role("button", name="编辑").click()
    reason = page.get_by_label("原因")
    reason.click()
    page.keyboard.type("螺旋桨")
    stop = page.get_by_role("button", name="停用", exact=True)
    before = places(reason, stop)
    order = desk.place()
    alarm = page.locator(".strip [data-alarm='decision_proposed']")
    expect(alarm).to_be_visible()
    expect(reason).to_be_focused()
    page.keyboard.type("有裂纹")
    expect(reason).to_have_value("螺旋桨有裂纹")
    assert places(reason, stop) == before
    # The alarm leads to its order.
    alarm.locator(".what").click()
    expect(page.locator(f"[data-order='{order['order_id']}']")).to_have_attribute("aria-current", "true")
    expect(page.locator("#approve")).to_be_visible()


def test_a_new_alarm_is_not_acknowledged_by_a_press_that_was_meant_for_another(desk: Desk):
    page = desk.open(language="en")
    desk.place(severity="II")
    seen = page.locator(".strip .seen").first
    expect(seen).to_have_attribute("aria-disabled", "false")
    desk.place(severity="II")
    # The newer one has the line now, and whoever presses at this moment has not read it.
    expect(seen).to_have_attribute("aria-disabled", "true")
    seen.click(force=True)
    page.wait_for_timeout(300)
    expect(page.locator(".strip .more")).to_contain_text("1 more")


def test_a_connection_cut_while_approving_approves_nothing_and_says_so(desk: Desk):
    page = desk.open()
    order = desk.place()
    approve = page.locator("#approve")
    expect(approve).to_have_attribute("aria-disabled", "false")
    approve.hover()
    page.mouse.down()
    page.wait_for_timeout(300)
    page.context.set_offline(True)
    expect(approve).to_have_attribute("aria-disabled", "true")
    page.wait_for_timeout(HOLD_MS)
    page.mouse.up()
    expect(page.get_by_text("与服务器的连接已中断").first).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("status").filter(has_text="连接中断")).to_have_count(0)
    assert desk.order(order["order_id"])["state"] == "AWAITING_APPROVAL"
    # And can be given now.
    hold(page, approve)
    expect(approve).to_have_count(0)
    assert desk.order(order["order_id"])["state"] != "AWAITING_APPROVAL"


@pytest.mark.parametrize("arrives", [False, True], ids=["request lost", "answer lost"])
def test_an_approval_without_an_answer_is_not_taken_for_one(desk: Desk, arrives: bool):
    page = desk.open()
    order = desk.place()
    approve = page.locator("#approve")

    def lost(route: Route) -> None:
        if arrives:
            route.fetch()
        route.abort()

    page.route("**/approve", lost)
    hold(page, approve)
    if arrives:
        # What the hub has counts: the flight goes, and nothing says that it does not.
        expect(approve).to_have_count(0)
        # «已批准»: the plan is made again, since another test has changed the sky meanwhile.
        expect(page.get_by_text(re.compile("operator 已?批准")).first).to_be_visible()
        assert desk.order(order["order_id"])["state"] != "AWAITING_APPROVAL"
    else:
        expect(page.get_by_text("服务器未收到该操作")).to_be_visible()
        assert desk.order(order["order_id"])["state"] == "AWAITING_APPROVAL"
        page.unroute("**/approve")
        hold(page, approve)
        expect(approve).to_have_count(0)
