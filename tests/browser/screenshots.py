"""Pictures of the console's main views in both languages: ``python -m tests.browser.screenshots docs/images``.

``--size 1366x768 --everything`` takes those that nobody keeps as well, for a look at every page on another screen.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium
from tests.browser.stage import Stage, a_stage

BESIDE_A_PARK = {"reference_system": "WGS-84", "latitude_deg": 22.5775, "longitude_deg": 113.9001}
"""Far enough from every station for a way with a bend, and near enough to a landing point to be worth flying."""
SIZE = (1440, 900)
ROLE = {"zh": "操作员", "en": "Operator"}
ADMINISTRATOR = {"zh": "管理员", "en": "Administrator"}
LOCALE = {"zh": "zh-CN", "en": "en-GB"}


def _console(browser: Browser, stage: Stage, language: str, size: tuple[int, int]) -> Page:
    viewport = {"width": size[0], "height": size[1]}
    page = browser.new_context(viewport=viewport, locale=LOCALE[language]).new_page()  # type: ignore[arg-type]
    page.goto(stage.console)
    page.get_by_role("button", name=ROLE[language], exact=True).click()
    page.locator(".ol-layers").wait_for()
    page.wait_for_timeout(1500)
    return page


def _store(png: bytes, path: Path) -> None:
    """With a palette: a third of the bytes, and no eye sees it on a screen of few colours."""
    Image.open(BytesIO(png)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


class Photographer:
    """The same view in both languages."""

    def __init__(self, stage: Stage, browser: Browser, folder: Path, size: tuple[int, int]) -> None:
        self.stage, self._folder = stage, folder
        self.pages = {language: _console(browser, stage, language, size) for language in ("zh", "en")}

    def each(self, do: Callable[[Page], object], pause_ms: int = 600) -> None:
        """The same on both; then a pause."""
        for page in self.pages.values():
            do(page)
        self.pages["en"].wait_for_timeout(pause_ms)

    def shoot(self, view: str) -> None:
        for language, page in self.pages.items():
            _store(page.screenshot(), self._folder / f"console-{view}-{language}.png")

    def go(self, path: str) -> None:
        self.each(lambda page: page.evaluate("path => { location.hash = `#/${path}`; }", path), 1500)


def take(folder: Path, *, size: tuple[int, int] = SIZE, everything: bool = False) -> None:
    """An order from its approval to the replay of its flight, readiness, administration."""
    path = chromium.find()
    if path is None:
        raise SystemExit(chromium.HOW)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        a_stage(Path(scratch), speedup=3.0) as stage,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        camera = Photographer(stage, browser, folder, size)
        order = _an_order(camera)
        _a_flight(camera, order, everything=everything)
        camera.go("readiness")
        camera.shoot("readiness")
        if everything:
            camera.each(lambda page: page.locator("table button").first.click(), 500)
            camera.shoot("readiness-form")
            for view in ("figures", "shortcuts", "records"):
                camera.go(view)
                camera.shoot(view)
        _a_replay(camera, order)
        _administration(camera, everything=everything)
        browser.close()


def _now(stage: Stage) -> datetime:
    return datetime.fromisoformat(stage.centre.get("/v1/health")["now"]).astimezone(UTC)


def _an_order(camera: Photographer) -> dict[str, Any]:
    """It waits for approval; then its decision."""
    stage = camera.stage
    order = stage.place(
        BESIDE_A_PARK,
        mode="approve",
        incident_reference="BA-120-2026-000123",
        ambulance_eta_at=(_now(stage) + timedelta(minutes=14)).isoformat(),
    )
    camera.each(lambda page: page.locator("#approve").wait_for(), 800)
    camera.shoot("approval")
    camera.each(lambda page: page.locator("[role=tab]").nth(1).click())
    camera.each(lambda page: page.locator("[role=tabpanel]").evaluate("panel => panel.scrollIntoView()"), 500)
    camera.shoot("decision")
    return order


def _a_flight(camera: Photographer, order: dict[str, Any], *, everything: bool) -> None:
    """On its way, with the ambulance; where it could be sent instead."""
    stage = camera.stage
    stage.centre.post(
        f"/v1/orders/{order['order_id']}/approve", {"flight_id": order["decision"]["flight_id"]}
    )
    stage.wait(lambda: stage.order(order["order_id"])["state"] == "AIRBORNE")
    camera.each(lambda page: page.keyboard.press("k"))
    camera.each(lambda page: page.locator("[role=tab]").first.click())
    camera.each(lambda page: page.locator("aside").first.evaluate("panel => { panel.scrollTop = 0; }"), 5000)
    now = _now(stage)
    ambulance = {
        "position": {"reference_system": "WGS-84", "latitude_deg": 22.5796, "longitude_deg": 113.8958},
        "at": now.isoformat(),
        "unit": "BA-120-07",
        "eta_at": (now + timedelta(minutes=11)).isoformat(),
    }
    stage.centre.post(f"/v1/incidents/{order['incident_id']}/ambulance", ambulance)
    camera.each(lambda page: page.locator("[data-ambulance]").wait_for(), 300)
    camera.shoot("flight")
    if everything:
        camera.each(lambda page: page.keyboard.press("d"), 2500)
        camera.shoot("divert")
        camera.each(lambda page: page.keyboard.press("Escape"))


def _a_replay(camera: Photographer, order: dict[str, Any]) -> None:
    """The whole flight again, half way through."""
    stage = camera.stage
    stage.wait(lambda: stage.order(order["order_id"])["finished_at"], 240.0)
    camera.go(f"records/{stage.order(order['order_id'])['flights'][-1]['flight_id']}")
    camera.each(lambda page: page.locator("input[type=range]").wait_for())
    camera.each(lambda page: page.locator("figure svg").first.click(position={"x": 260, "y": 40}), 1200)
    camera.shoot("replay")


def _administration(camera: Photographer, *, everything: bool) -> None:
    """A landing point as its administrator edits it."""
    camera.each(lambda page: page.locator("header button").last.click(), 800)
    if everything:
        camera.shoot("login")
    for language, page in camera.pages.items():
        page.get_by_role("button", name=ADMINISTRATOR[language], exact=True).click()
        page.locator("header nav").wait_for()
    camera.go("administration/landing_points")
    camera.each(lambda page: page.locator("table button").first.click(), 1500)
    camera.shoot("administration")
    if everything:
        camera.each(lambda page: page.locator(".map").scroll_into_view_if_needed(), 800)
        camera.shoot("administration-map")
        for section in ("stations", "drones", "emergency_sites", "airframes"):
            camera.go(f"administration/{section}")
            camera.each(lambda page: page.locator("table button").first.click(), 800)
            camera.shoot(f"administration-{section}")
        for section in ("zones", "accounts", "keys"):
            camera.go(f"administration/{section}")
            camera.shoot(f"administration-{section}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs/images"))
    parser.add_argument("--size", default=f"{SIZE[0]}x{SIZE[1]}", help="Width and height, e.g. 1366x768.")
    parser.add_argument("--everything", action="store_true", help="Every page, not only those that are kept.")
    given = parser.parse_args()
    width, height = (int(part) for part in given.size.split("x"))
    take(given.folder, size=(width, height), everything=given.everything)


if __name__ == "__main__":
    main()
