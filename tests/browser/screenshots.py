"""Pictures of the console's main views in both languages: ``python -m tests.browser.screenshots docs/images``."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import chromium
from tests.browser.stage import Stage, a_stage

BESIDE_A_PARK = {"reference_system": "WGS-84", "latitude_deg": 22.5775, "longitude_deg": 113.9001}
"""Far enough from every station for a way with a bend, and near enough to a landing point to be worth flying."""
SIZE = {"width": 1440, "height": 900}
ROLE = {"zh": "操作员", "en": "Operator"}
LOCALE = {"zh": "zh-CN", "en": "en-GB"}


def _console(browser: Browser, stage: Stage, language: str) -> Page:
    page = browser.new_context(viewport=SIZE, locale=LOCALE[language]).new_page()
    page.goto(stage.console)
    page.get_by_role("button", name=ROLE[language], exact=True).click()
    page.locator(".ol-layers").wait_for()
    page.wait_for_timeout(1500)
    return page


def _store(png: bytes, path: Path) -> None:
    """With a palette: a third of the bytes, and no eye sees it on a screen of few colours."""
    Image.open(BytesIO(png)).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


def take(folder: Path) -> None:
    """Approval, decision, flight: each view once in each language."""
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
        pages = {language: _console(browser, stage, language) for language in ("zh", "en")}

        def shoot(view: str) -> None:
            for language, page in pages.items():
                _store(page.screenshot(), folder / f"console-{view}-{language}.png")

        now = datetime.fromisoformat(stage.centre.get("/v1/health")["now"]).astimezone(UTC)
        order = stage.place(
            BESIDE_A_PARK,
            mode="approve",
            incident_reference="BA-120-2026-000123",
            ambulance_eta_at=(now + timedelta(minutes=14)).isoformat(),
        )
        for page in pages.values():
            page.locator("#approve").wait_for()
            page.wait_for_timeout(800)
        shoot("approval")
        for page in pages.values():
            page.locator("[role=tab]").nth(1).click()
            page.locator("[role=tabpanel]").evaluate("panel => panel.scrollIntoView()")
        pages["en"].wait_for_timeout(500)
        shoot("decision")
        stage.centre.post(
            f"/v1/orders/{order['order_id']}/approve", {"flight_id": order["decision"]["flight_id"]}
        )
        stage.wait(lambda: stage.order(order["order_id"])["state"] == "AIRBORNE")
        for page in pages.values():
            page.keyboard.press("k")
            page.locator("[role=tab]").first.click()
        pages["en"].wait_for_timeout(12_000)
        shoot("flight")
        browser.close()


if __name__ == "__main__":
    take(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
