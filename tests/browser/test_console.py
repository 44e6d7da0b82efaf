"""An operator's shift in a real browser: simulated vehicles, the real hub, the page as it is served. Source: G2."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.operator import log_in
from tests.browser.stage import Stage

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def test_a_cut_connection_is_said_and_heals_by_itself(stage: Stage, open_page: OpenPage):
    page = open_page()
    log_in(page)
    expect(page.get_by_role("status").filter(has_text="实时").first).to_be_visible()
    page.locator("[data-drone]").first.click()
    expect(page.locator("[data-age]")).to_contain_text("实时")
    stage.hub.kill()
    expect(page.get_by_text("非实时数据")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="连接中断")).to_be_visible()
    expect(page.locator("[data-age]")).to_contain_text("非实时")
    expect(page.locator("[data-drone]").first).to_have_class(re.compile("stale"))
    stage.hub.start()
    expect(page.get_by_text("非实时数据")).to_have_count(0)
    expect(page.locator("[data-age]")).to_contain_text(re.compile("^● 实时"))
    stage.wait(stage.drones_ready)
