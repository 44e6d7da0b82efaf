"""Looking after and looking back in a real browser: readiness, records, figures, administration. Source: G2, H4.

A hub and a fleet of its own: what is delivered, changed and taken out of service here is in nobody's way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.operator import log_in
from tests.browser.stage import NEAR_CENTRE, Stage, a_stage
from tests.browser.test_console import faults_of, finish

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

FILE_PATTERN = {"tlog": b"\xfd", "kml": b"<?xml", "pdf": b"%PDF-"}
"""How the content of each file begins; a tlog after eight bytes of time."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with a_stage(tmp_path_factory.mktemp("upkeep")) as running:
        yield running


@pytest.fixture(scope="module")
def order(stage: Stage) -> Iterator[dict[str, Any]]:
    """An order whose drone flies while the other pages are walked through. Nobody loads that drone again."""
    placed = stage.place(NEAR_CENTRE)
    yield placed
    finish(stage, placed)


def go(page: Page, path: str) -> None:
    page.evaluate("path => { location.hash = `#/${path}`; }", path)


def english_only(page: Page) -> None:
    """After a change of language nothing Chinese is left over, except names that have only a Chinese form."""
    page.keyboard.press("l")
    expect(page.get_by_role("link", name="Operations")).to_be_visible()
    left_over = page.locator("main h2, main h3, main th[scope=col], main label > span").all_inner_texts()
    assert not [line for line in left_over if re.search(r"[\u4e00-\u9fff]", line)]
    page.keyboard.press("l")
    expect(page.get_by_role("link", name="指挥")).to_be_visible()


def test_a_drone_is_taken_out_of_service_and_put_back_with_a_reason(
    stage: Stage, open_page: OpenPage, order: dict[str, Any]
):
    page = open_page()
    log_in(page)
    go(page, "readiness")
    line = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile("bao-04")))
    expect(line).to_contain_text("就绪")
    for button, shown in (("停用", "已停用"), ("恢复启用", "就绪")):
        line.get_by_role("button", name="编辑").click()
        page.get_by_label("原因").fill("螺旋桨有裂纹")
        page.get_by_role("button", name=button, exact=True).click()
        expect(line).to_contain_text(shown)
        expect(page.get_by_label("原因")).to_have_count(0)
        if button == "停用":
            expect(line).to_contain_text("螺旋桨有裂纹")
            board = stage.centre.get("/v1/readiness")
            assert next(d for d in board["drones"] if d["drone_id"] == "bao-04")["out_of_service"]["reason"]
    expect(line).not_to_contain_text("已停用")
    line.get_by_role("button", name="编辑").click()
    page.get_by_label("序列号").fill("AED-4711")
    page.get_by_label("电池（%）").fill("90")
    page.get_by_role("button", name="填报AED").click()
    expect(line).to_contain_text("AED-4711: 电池 90 %")
    assert faults_of(page) == []
    english_only(page)


def test_a_zone_file_is_previewed_put_in_force_and_removed(
    stage: Stage, open_page: OpenPage, order: dict[str, Any], tmp_path: Path
):
    zones = tmp_path / "zones.geojson"
    ring = [[113.930, 22.620], [113.932, 22.620], [113.932, 22.622], [113.930, 22.622], [113.930, 22.620]]
    properties = {"identifier": "BROWSER-1", "restriction": "PROHIBITED", "name": "BROWSER-1"}
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }
    zones.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")

    def in_force() -> bool:
        features = stage.centre.get("/v1/zones")["features"]
        return "BROWSER-1" in {item["properties"]["zone_id"] for item in features}

    page = open_page()
    log_in(page)
    go(page, "administration/zones")
    page.get_by_label("从文件导入").check()
    page.get_by_label("数据源名称").fill("browser")
    page.get_by_label("格式").select_option("geojson")
    page.get_by_label("空域文件").set_input_files(zones)
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_text("新增 1，删除 0，修改 0")).to_be_visible()
    expect(page.get_by_text("BROWSER-1")).to_be_visible()
    assert not in_force()
    page.get_by_label("原因").fill("演出")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text(re.compile("已生效：\\S+"))).to_be_visible()
    assert in_force()
    assert faults_of(page) == []
    english_only(page)
    page.get_by_role("button", name="删除 browser", exact=True).click()
    expect(page.get_by_text("新增 0，删除 1，修改 0")).to_be_visible()
    assert not in_force()


def test_zones_are_drawn_with_heights_and_validity_previewed_and_put_in_force(
    stage: Stage, open_page: OpenPage, order: dict[str, Any]
):
    def stored(zone_id: str) -> dict[str, Any] | None:
        features = stage.centre.get("/v1/zones")["features"]
        return next((item for item in features if item["properties"]["zone_id"] == zone_id), None)

    page = open_page(height=1400)
    log_in(page)
    go(page, "administration/zones")
    chart = page.get_by_role("img", name="绘制空域的地图")
    page.get_by_label("空域编号").fill("DRAWN-1")
    page.get_by_label("名称（英文）").fill("Fair")
    page.get_by_label("名称（中文）").fill("集市")
    page.get_by_label("下限", exact=True).fill("20")
    page.get_by_label("上限", exact=True).fill("110")
    # Hours of the far future: the flight that is under way is not the subject here.
    page.get_by_label("开始时间").fill("2099-12-01T08:30")
    page.get_by_label("结束时间").fill("2099-12-01T18:00")
    apply = page.get_by_role("button", name="预览", exact=True)
    expect(apply).to_be_disabled()
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(600)
    for x, y in ((60, 40), (110, 40)):
        chart.click(position={"x": x, "y": y})
    chart.dblclick(position={"x": 110, "y": 90})
    expect(page.get_by_label("顶点")).to_have_value(re.compile(r"(-?\d+\.\d+, \d+\.\d+\n?){3}"))
    apply.click()
    expect(page.get_by_text("新增 1，删除 0，修改 0")).to_be_visible()
    assert stored("DRAWN-1") is None
    assert faults_of(page) == []
    page.get_by_label("原因").fill("集市")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text(re.compile("已生效：\\S+"))).to_be_visible()
    found = stored("DRAWN-1")
    assert found is not None
    assert found["properties"]["floor"] == {"metres": 20.0, "datum": "AGL"}
    assert found["properties"]["ceiling"] == {"metres": 110.0, "datum": "AGL"}
    assert not found["properties"]["permanent"]
    assert "2099-12-01T00:30:00" in json.dumps(found["properties"]["periods"]), (
        "08:30 of the site is 00:30 UTC"
    )
    assert len(found["geometry"]["coordinates"][0]) == 4

    page.get_by_label("空域编号").fill("DRAWN-2")
    page.get_by_label("圆形").check()
    page.get_by_label("圆心").fill("22.62000, 113.95000")
    page.get_by_label("半径（米）").fill("150")
    apply.click()
    expect(page.get_by_text("新增 1，删除 0，修改 0")).to_be_visible()
    page.get_by_role("button", name="生效").click()
    stage.wait(lambda: stored("DRAWN-2"))
    round_one = stored("DRAWN-2")
    assert round_one is not None
    assert round_one["properties"]["circle"]["radius_m"] == 150.0
    for zone_id in ("DRAWN-1", "DRAWN-2"):
        page.get_by_role("button", name=f"删除 drawn-{zone_id}").click()
        stage.wait(lambda zone_id=zone_id: stored(zone_id) is None)


def test_people_and_keys_are_made_and_ended(stage: Stage, open_page: OpenPage, order: dict[str, Any]):
    page = open_page()
    log_in(page, "管理员")
    go(page, "administration/accounts")
    page.get_by_label("名称").fill("li.na")
    page.get_by_label("所属中心").fill("shenzhen-120")
    page.locator("form select").select_option("dispatcher")
    page.get_by_label("密码").fill("a long enough pass phrase")
    page.get_by_role("button", name="新增").click()
    line = page.get_by_role("row").filter(has_text="li.na")
    expect(line).to_contain_text("有效")
    expect(page.get_by_label("密码")).to_have_value("")
    line.get_by_role("button", name="停用").click()
    expect(line).to_contain_text("已停用")
    assert faults_of(page) == []
    english_only(page)

    go(page, "administration/keys")
    page.get_by_label("名称").fill("browser test")
    page.get_by_label("所属中心").fill("shenzhen-120")
    page.get_by_role("button", name="新增").click()
    expect(page.get_by_text("密钥仅显示一次")).to_contain_text(re.compile(r"：\S{20,}"))
    line = page.get_by_role("row").filter(has_text="browser test")
    line.get_by_role("button", name="撤销").click()
    expect(line).to_contain_text("已撤销")
    assert faults_of(page) == []
    english_only(page)
    # Figures are an administrator's to read, and zones to look at, not to change.
    go(page, "figures")
    expect(page.get_by_role("heading", name="响应时间")).to_be_visible()
    go(page, "administration/zones")
    expect(page.get_by_text("当前角色只能查看，不能修改")).to_be_visible()
    expect(page.get_by_role("button", name="预览", exact=True)).to_be_disabled()
    # What a role may not see says so, even to somebody who types the address.
    page.get_by_role("button", name="退出登录").click()
    log_in(page, "观察员（只读）")
    go(page, "administration/accounts")
    expect(page.get_by_text("当前角色无权访问").last).to_be_visible()


def test_a_landing_point_is_put_on_the_map_with_a_photo_and_an_airframe_is_changed(
    stage: Stage, open_page: OpenPage, order: dict[str, Any], tmp_path: Path
):
    picture = BytesIO()
    Image.new("RGB", (320, 240), (60, 120, 60)).save(picture, "JPEG")
    photo = tmp_path / "place.jpg"
    photo.write_bytes(picture.getvalue())

    page = open_page(height=1400)
    log_in(page, "管理员")
    go(page, "administration/landing_points")
    page.get_by_role("button", name="新增").click()
    page.get_by_label("编号", exact=True).fill("lp-browser")
    page.get_by_label("名称（英文）").fill("Browser square")
    page.get_by_label("名称（中文）").fill("浏览器广场")
    page.get_by_label("原因").fill("新建广场")
    # Hours, the way on foot and alternates are fields and boxes, not a text to write a program in.
    hours = page.get_by_role("group", name="可用时段 1")
    hours.get_by_label("周日").uncheck()
    hours.get_by_label("开始").fill("08:00")
    hours.get_by_label("结束").fill("20:00")
    page.get_by_role("button", name="添加时段").click()
    page.get_by_label("绕行系数").fill("1.5")
    page.get_by_label("说明（中文）").fill("从东门进")
    alternates = page.get_by_role("group", name="备用投送点")
    alternates.get_by_role("checkbox").first.check()
    alternates.get_by_role("checkbox").nth(1).check()
    expect(alternates.get_by_role("checkbox").nth(2)).to_be_disabled()
    before = page.get_by_label("纬度").input_value()
    chart = page.get_by_role("img", name="在地图上点击选取位置")
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    chart.click(position={"x": 500, "y": 100})
    expect(page.get_by_label("纬度")).not_to_have_value(before)
    latitude_deg = float(page.get_by_label("纬度").input_value())
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_text("lp-browser：新增")).to_be_visible()
    assert "lp-browser" not in json.dumps(stage.centre.get("/v1/site"))
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text("已保存")).to_be_visible()
    points = stage.centre.get("/v1/site")["landing_points"]
    stored = next(item for item in points if item["landing_point_id"] == "lp-browser")
    assert stored["position"]["latitude_deg"] == latitude_deg
    assert stored["hours"][0] == {"days": [1, 2, 3, 4, 5, 6], "start": "08:00", "end": "20:00"}
    assert stored["hours"][1]["days"] == [1, 2, 3, 4, 5, 6, 7]
    assert (stored["walk"]["detour_factor"], stored["walk"]["description_zh"]) == (1.5, "从东门进")
    assert len(stored["alternates"]) == 2

    page.get_by_role("button", name="编辑 lp-browser").click()
    page.get_by_label("上传照片").set_input_files(photo)
    page.get_by_label("说明", exact=True).fill("入口")
    page.get_by_role("button", name="上传", exact=True).click()
    shown = page.get_by_role("img", name="入口")
    expect(shown).to_be_visible()
    # A picture that the page's own policy refuses has no width.
    page.wait_for_function("() => document.querySelector('img[alt=入口]').naturalWidth === 320")
    assert faults_of(page) == []
    english_only(page)
    page.get_by_label("原因").fill("测试结束")
    page.get_by_role("button", name="删除 lp-browser").click()
    expect(page.get_by_text("lp-browser：删除")).to_be_visible()

    for section in ("stations", "emergency_sites", "drones", "airframes"):
        go(page, f"administration/{section}")
        page.get_by_role("button", name=re.compile("^编辑 ")).last.click()
        expect(page.get_by_label("编号", exact=True)).not_to_have_value("")
        assert faults_of(page) == []
    english_only(page)
    page.get_by_role("button", name="编辑 quad8_px4").click()
    page.get_by_label("抗风上限（米/秒）").fill("9.5")
    page.get_by_label("原因").fill("阵风较大")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_role("row").filter(has_text="抗风上限")).to_contain_text("9.5")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text("已保存")).to_be_visible()


def test_a_flight_is_played_again_and_its_files_are_downloaded(
    stage: Stage, open_page: OpenPage, order: dict[str, Any]
):
    ended = finish(stage, order)
    flight_id = ended["flights"][-1]["flight_id"]
    page = open_page()
    log_in(page)
    go(page, "records")
    page.get_by_label("结果").select_option("delivered")
    line = page.get_by_role("row").filter(has=page.locator(f"a[href='#/records/{flight_id}']"))
    expect(line).to_contain_text("已投送")
    assert faults_of(page) == []
    english_only(page)
    line.get_by_role("link").click()

    slider = page.get_by_label("飞行时刻")
    expect(slider).to_have_value("0")
    whole_s = float(slider.get_attribute("max") or 0)
    assert whole_s > 60.0
    height = page.locator("figure").filter(has_text="高度")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    scrubbed_s = float(slider.input_value())
    assert 0.0 < scrubbed_s < whole_s
    height.get_by_role("img").click(position={"x": 400, "y": 40})
    expect(slider).not_to_have_value(str(scrubbed_s))
    expect(height.locator("b")).not_to_have_text("0")
    page.get_by_label("倍速").select_option("20")
    page.get_by_role("button", name="播放").click()
    whole = f"{round(whole_s) // 60}:{round(whole_s) % 60:02d}"
    expect(page.get_by_text(f"{whole} / {whole}")).to_be_visible()
    expect(page.get_by_role("button", name="播放")).to_be_visible()
    assert faults_of(page) == []
    english_only(page)

    for button, ending in (("TLOG", "tlog"), ("KML", "kml"), ("飞行报告（PDF）", "pdf")):
        with page.expect_download() as waited:
            page.get_by_role("button", name=button).click()
        assert waited.value.suggested_filename == f"{flight_id}.{ending}"
        content = Path(waited.value.path()).read_bytes()
        assert content[8 if ending == "tlog" else 0 :].startswith(FILE_PATTERN[ending])

    go(page, "figures")
    expect(page.get_by_role("heading", name="响应时间")).to_be_visible()
    expect(page.get_by_text(re.compile("单中 [1-9]\\d* 单起飞"))).to_be_visible()
    assert faults_of(page) == []
    english_only(page)
