"""One hub and one browser for all browser tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from hub_api.console.pages import DIST, BuiltConsole
from tests.browser import chromium
from tests.browser.desk import Desk
from tests.browser.operator import PATIENCE_MS
from tests.browser.stage import Stage, a_stage
from tests.unit.hub_api.server import running_hub

AMBULANCE_STALE_S = 6.0
"""Of the hub with played drones: nobody waits half a minute for a place to grow old."""

if chromium.find() is None and not chromium.wanted():
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header() -> list[str]:
    return [] if chromium.find() else [chromium.HOW]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    assert BuiltConsole(DIST).built, "run `make setup`: the console is not built"
    with a_stage(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path is not None, chromium.HOW
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a hub with played drones, which is there in seconds. Each phase of a flight takes a third of one."""
    folder = tmp_path_factory.mktemp("desk")
    with running_hub(folder, phase_s=0.3, ambulance_stale_s=AMBULANCE_STALE_S) as (url, _):
        yield url


@pytest.fixture
def desk(hub: str, browser: Browser) -> Iterator[Desk]:
    desk = Desk(hub, browser)
    yield desk
    desk.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, stage: Stage, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens the console in a browser window of its own; any fault that the page reports fails the test."""
    faults: list[str] = []
    contexts = []

    def opened(*, locale: str = "zh-CN", width: int = 1600, height: int = 900) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, timezone_id="Europe/Berlin"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            # A refused policy is an error of ours; a hub that is away on purpose is not.
            lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
        )
        page.goto(stage.console)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults, faults
