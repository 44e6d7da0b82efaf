"""An operator's shift in a real browser: simulated vehicles, the real hub, the page as it is served. Source: G2."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.operator import log_in
from tests.browser.stage import NEAR_CENTRE, Stage

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]

AXE = Path(__file__).parents[2] / "hub_api" / "console" / "node_modules" / "axe-core" / "axe.min.js"
FINISHED = {"CLOSED", "CANCELLED", "FAILED", "DECLINED"}


def finish(stage: Stage, order: dict[str, Any]) -> dict[str, Any]:
    """Wait until the order is over, so that the next test finds its drones at home."""
    stage.wait(lambda: stage.order(order["order_id"])["state"] in FINISHED, 120.0)
    return stage.order(order["order_id"])


def faults_of(page: Page) -> list[str]:
    """What axe finds serious or critical, with the place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{item['id']} ({item['impact']}): {[node['target'] for node in item['nodes']][:4]}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]


def test_a_cut_connection_is_said_and_heals_by_itself(stage: Stage, open_page: OpenPage):
    page = open_page()
    log_in(page)
    expect(page.get_by_role("status").filter(has_text="实时").first).to_be_visible()
    page.locator("[data-drone]").first.click()
    expect(page.locator("[data-age]")).to_contain_text("实时")
    ready = stage.ready()
    stage.hub.kill()
    expect(page.get_by_text("非实时数据")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="连接中断")).to_be_visible()
    expect(page.locator("[data-age]")).to_contain_text("非实时")
    expect(page.locator("[data-drone]").first).to_have_class(re.compile("stale"))
    stage.hub.start()
    expect(page.get_by_text("非实时数据")).to_have_count(0)
    expect(page.locator("[data-age]")).to_contain_text(re.compile("^● 实时"))
    # The same drones as before: another test may have left one at a rally point.
    stage.wait(lambda: stage.ready() >= ready)


def test_both_languages_show_the_same_page_and_neither_is_missing_a_text(stage: Stage, open_page: OpenPage):
    page = open_page()
    log_in(page)
    expect(page.get_by_role("link", name="指挥")).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_role("link", name="Operations")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    shown = page.locator("main").inner_text()
    left_over = [line for line in shown.splitlines() if re.search(r"[\u4e00-\u9fff]", line)]
    assert left_over == []
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard").first).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="键盘快捷键")).to_be_visible()
    # Times are the site's, whatever zone the computer is in (here Berlin's).
    expect(page.locator("time.clock")).to_contain_text("UTC+8")


def test_axe_finds_nothing_serious_on_any_view(stage: Stage, open_page: OpenPage):
    page = open_page()
    faults = {"login": faults_of(page)}
    log_in(page)
    order = stage.place({**NEAR_CENTRE}, severity="II", mode="drill")
    expect(page.get_by_text("演练：无真实患者")).to_be_visible()
    expect(page.locator("[data-kind]").first).to_be_visible()
    for tab in ("决策", "事件", "飞前检查", "时间线"):
        page.get_by_role("tab", name=tab).click()
        faults[tab] = faults_of(page)
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="键盘快捷键")).to_be_visible()
    faults["shortcuts"] = faults_of(page)
    assert {view: found for view, found in faults.items() if found} == {}
    # A machine that is slow with axe may find it delivered already.
    now = stage.order(order["order_id"])
    if now["state"] not in FINISHED and now["aed_on_ground_at"] is None:
        stage.centre.post(f"/v1/orders/{order['order_id']}/cancel", {"reason": "test"})
    finish(stage, order)


def test_the_map_finds_places_by_name_and_id_and_measures(stage: Stage, open_page: OpenPage):
    page = open_page()
    log_in(page)
    page.keyboard.press("/")
    page.keyboard.type("灵芝")
    expect(page.get_by_role("option").first).to_contain_text("灵芝公园")
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("bao-02")
    page.keyboard.press("Enter")
    expect(page.locator("[data-drone='bao-02']")).to_have_attribute("aria-current", "true")
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="跟随")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="跟随")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("m")
    expect(page.get_by_text("沿线单击")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("沿线单击")).to_have_count(0)
