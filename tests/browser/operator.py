"""What a person does at the console, in words."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

PATIENCE_MS = 30_000
"""Of every wait of a test; the page itself must show within two seconds, which a test of its own measures."""
HOLD_MS = 1100
"""A button is held for 0.8 s; a loaded machine is late in noticing."""


def log_in(page: Page, role: str = "操作员") -> None:
    page.get_by_role("button", name=role, exact=True).click()
    expect(page.locator(".ol-layers")).to_be_attached()


def log_in_by_keyboard(page: Page, role: str = "操作员") -> None:
    """Without a mouse: as far as the button, and Enter."""
    button = page.get_by_role("button", name=role, exact=True)
    expect(button).to_be_visible()
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(page.locator(".ol-layers")).to_be_attached()


def tab_to(page: Page, wanted: Locator, at_most: int = 60) -> None:
    """The Tab key until the focus is there."""
    for _ in range(at_most):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way there by the Tab key: {wanted}")


def hold(page: Page, button: Locator) -> None:
    """Press with the mouse and keep pressing."""
    expect(button).to_have_attribute("aria-disabled", "false")
    button.scroll_into_view_if_needed()
    button.hover()
    page.mouse.down()
    page.wait_for_timeout(HOLD_MS)
    page.mouse.up()


def hold_by_keyboard(page: Page, key: str, button: Locator) -> None:
    """The command's key leads to its button, once the drone's phase allows it; Space is held there."""
    expect(button).to_have_attribute("aria-disabled", "false")
    page.keyboard.press(key)
    expect(button).to_be_focused()
    page.keyboard.down("Space")
    page.wait_for_timeout(HOLD_MS)
    page.keyboard.up("Space")


def confirmed(page: Page) -> None:
    """The vehicle shows what was commanded; an acknowledgement is not enough."""
    expect(page.locator("[data-command-state]")).to_have_attribute("data-command-state", "confirmed")
